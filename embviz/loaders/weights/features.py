"""Dictionaries of sparse autoencoders: the decoder's vectors, a row a feature, with explanations.

sae_lens keeps `W_dec` (d_sae, d_in) and `W_enc` (d_in, d_sae) in `sae_weights.safetensors` beside
`cfg.json`; Gemma Scope the same in `params.npz`, or as `w_dec` in `params.safetensors`; others a
linear layer `decoder.weight` (d_in, d_sae). Sources: sae_lens/loading/pretrained_sae_loaders.py of
https://github.com/decoderesearch/SAELens, https://huggingface.co/google/gemma-scope.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import counted
from embviz.loaders.bytes.json_text import read_object
from embviz.loaders.confined import find_within
from embviz.loaders.labels.explanations import (
    find_explanations,
    names_features,
    read_explanations,
)
from embviz.loaders.opened import Tensor, TextColumns
from embviz.rows import Rows

CONFIGS = ("cfg.json", "config.json", "hyperparams.json")
_MOST_CONFIG = 20_000_000
_DECODERS = ("W_dec", "w_dec", "decoder.weight", "decoder_linear.weight")
_LINEAR = ("decoder.weight", "decoder_linear.weight")
_ENCODERS = ("W_enc", "w_enc", "encoder.weight", "encoder_linear.weight")
# What has one value a feature.
_OF_FEATURES = re.compile(
    r"b_enc|encoder(_linear)?\.bias|(log_)?(jumprelu_)?threshold|scaling_factor|b_gate|b_mag|r_mag"
    r"|sparsity"
)
_NUMBERS = re.compile(r"b?float|u?int")
_COUNTS = ("d_sae", "dict_size", "num_latents", "n_features", "d_feature")
_LINK = "https://www.neuronpedia.org/"
_NEURONPEDIA = re.compile(r"[\w.-]+/[\w.-]+")

_log = logging.getLogger("embviz")


@dataclass(frozen=True)
class Dictionary:
    """Tensors of which one is a dictionary of features, and the files that tell of it."""

    tensors: tuple[Tensor, ...]
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class _Config:
    """What a config says of an autoencoder, those of its trainer and metadata included."""

    values: dict[str, Any] = field(default_factory=dict)
    files: tuple[Path, ...] = ()

    @property
    def n_features(self) -> int | None:
        found = (self.values.get(name) for name in _COUNTS)
        return next((n for n in found if type(n) is int and n > 0), None)

    @property
    def link(self) -> str:
        """What a feature's number is put behind to see it, "" for nothing."""
        name = self.values.get("neuronpedia_id")
        if isinstance(name, str) and _NEURONPEDIA.fullmatch(name):
            return f"{_LINK}{name}/"
        return ""


def with_features(tensors: tuple[Tensor, ...], folder: Path) -> Dictionary:
    """Put the decoder of a sparse autoencoder first, turned so that its rows are the features.

    Args:
        tensors: All tensors of a source.
        folder: Where its config and explanations lie.

    Returns:
        The tensors as they are, where they are of none: no decoder and encoder that are each
        other's transposes, with more features than dimensions.

    Raises:
        LoadError: If its config is damaged or leads out of the folder.
    """
    named = {t.name: t for t in tensors if len(t.shape) == 2 and t.role == "table"}
    decoder = next((named[name] for name in _DECODERS if name in named), None)
    encoder = next((named[name] for name in _ENCODERS if name in named), None)
    if decoder is None or encoder is None:
        return Dictionary(tensors)
    config = _read_config(folder)
    n_features = _count_features(tensors, decoder, encoder, config)
    if n_features is None:
        return Dictionary(tensors)
    file = find_explanations(folder)
    turned = _is_turned(decoder, n_features)
    note = f"decoder, a row for each of {counted(n_features, 'feature')}"
    note += ", turned" if turned else ""
    columns = partial(_columns, n_features, config.link, _values(tensors, n_features))
    found = replace(
        decoder,
        sides=decoder.shape[::-1] if turned else decoder.shape,
        rows=(lambda: _turn(decoder.rows())) if turned else decoder.rows,
        note=f"{note}, {file.name}" if file else note,
        preferred=True,
        columns=cache(lambda: columns(file)),
        by_number=lambda path: columns(path) if names_features(path) else None,
    )
    if file is not None:
        _log.info("%s: explanations are those of %s beside it", decoder.name, file)
    files = (*config.files, *((file,) if file else ()))
    return Dictionary(tuple(found if t is decoder else t for t in tensors), files)


def _values(tensors: tuple[Tensor, ...], n_features: int) -> list[Tensor]:
    """Return what has a value for each feature."""
    return [
        t
        for t in tensors
        if t.shape == (n_features,) and _OF_FEATURES.fullmatch(t.name) and _NUMBERS.match(t.dtype)
    ]


def _count_features(
    tensors: tuple[Tensor, ...], decoder: Tensor, encoder: Tensor, config: _Config
) -> int | None:
    """Return how many features there are, None where the tensors are of no such autoencoder.

    They are a side of decoder and encoder alike: the one of the encoder's biases, of the config,
    else the longer.
    """
    common = set(decoder.shape) & set(encoder.shape)
    longest = max(decoder.shape)
    told = [t.shape[0] for t in tensors if len(t.shape) == 1 and _OF_FEATURES.fullmatch(t.name)]
    counts = [n for n in (*told, config.n_features, longest) if n in common]
    if not counts:
        return None
    n = counts[0]
    is_known = decoder.name not in _LINEAR or config.n_features == n
    return n if is_known or n == longest > min(decoder.shape) else None


def _is_turned(decoder: Tensor, n_features: int) -> bool:
    n_rows, n_columns = decoder.shape
    if n_rows == n_columns:
        return decoder.name in _LINEAR
    return n_rows != n_features


def _turn(rows: Rows) -> NDArray[Any]:
    whole = rows if isinstance(rows, np.ndarray) else np.asarray(rows[0 : rows.shape[0]])
    return whole.T


def _columns(n_features: int, link: str, values: list[Tensor], file: Path | None) -> TextColumns:
    columns: dict[str, tuple[str, ...]] = {}
    if file is not None:
        columns["explanation"] = read_explanations(file, n_features)
    named_by = next(iter(columns), "feature")
    columns["feature"] = tuple(map(str, range(n_features)))
    if link:
        columns["link"] = tuple(f"{link}{i}" for i in range(n_features))
    for t in values:
        numbers = np.asarray(t.rows()).astype(np.float64).tolist()
        columns[t.name] = tuple(f"{number:.6g}" for number in numbers)
    return TextColumns(columns, named_by=named_by)


def _read_config(folder: Path) -> _Config:
    values: dict[str, Any] = {}
    files = []
    for name in CONFIGS:
        file = find_within(folder, name, folder)
        if not file.is_file():
            continue
        found = read_object(file, _MOST_CONFIG)
        parts = [
            part for key in ("metadata", "trainer") if isinstance(part := found.get(key), dict)
        ]
        for part in (found, *parts):
            values = {**part, **values}
        files.append(file)
    return _Config(values, tuple(files))
