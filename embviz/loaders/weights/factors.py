"""Weights that are numbers of one byte and factors beside them: alone they are not the values."""

from __future__ import annotations

from collections.abc import Collection

# What compressed-tensors, DeepSeek, torchao, GPTQ and bitsandbytes call the factors of a weight.
_SUFFIXES = (
    "_scale", "_scale_inv", "_scales", "_scb", ".scale", ".scales", ".absmax", ".quant_state",
    ".weight_format",
)  # fmt: skip
_BESIDE = ("scale", "scales", "SCB", "weight_scale", "weight_scale_inv", "absmax")


def find_factors(name: str, names: Collection[str]) -> str:
    """Return the name of the tensor that another one is to be multiplied by, "" for none.

    Args:
        name: Of a tensor whose elements take one byte, such as `embed.weight` of float8.
        names: All tensors of the model.
    """
    stem = name.rpartition(".")[0]
    beside = [f"{stem}.{last}" if stem else last for last in _BESIDE]
    candidates = [name + suffix for suffix in _SUFFIXES] + beside
    return next((other for other in candidates if other in names and other != name), "")
