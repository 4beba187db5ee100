"""Weights that are numbers of one byte and factors beside them: alone they are not the values."""

from __future__ import annotations

import re
from collections.abc import Iterable

# What compressed-tensors, DeepSeek, torchao, GPTQ, bitsandbytes and ONNX Runtime call factors:
# `X.weight_scale_inv`, `X.SCB`, `X.scales`, `X.weight.absmax`, `X_scale` of `X_quantized`.
_FACTORS = re.compile(
    r"(weight_)?(scales?|absmax|zero_?points?|qzeros|quant_\w+|scb)(?![a-z])", re.IGNORECASE
)
_MARKS = "._"


def index_factors(names: Iterable[str]) -> dict[str, str]:
    """Return names of factors by those of the weights that they may belong to.

    Args:
        names: All tensors of a model.
    """
    found: dict[str, str] = {}
    for name in names:
        for match in _FACTORS.finditer(name):
            stem = name[: match.start()].rstrip(_MARKS)
            if stem and name[match.start() - 1] in _MARKS:
                found.setdefault(stem, name)
    return found


def find_factors(name: str, factors: dict[str, str]) -> str:
    """Return the name of the tensor that another one is to be multiplied by, "" for none.

    Args:
        name: Of a tensor whose elements take one byte, such as `embed.weight` of float8.
        factors: What `index_factors` returned.
    """
    stems = (name, name.removesuffix(".weight"), name.removesuffix("_quantized"))
    return next((factors[stem] for stem in stems if factors.get(stem, name) != name), "")
