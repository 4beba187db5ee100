"""Checkpoints opened as such, whatever else a path may be."""

from __future__ import annotations

from pathlib import Path

from embviz import EmbeddingTable, TensorInfo
from embviz import list_tensors as list_any
from embviz.loaders import load_table
from embviz.loaders.checkpoint.checkpoint import CHECKPOINT
from embviz.loaders.opened import read_start


def load(path: Path, tensor: str | None = None) -> EmbeddingTable:
    return load_table(path, tensor=tensor, input_format="checkpoint")


def list_tensors(path: Path) -> list[TensorInfo]:
    return list_any(path, input_format="checkpoint")


def claims(path: Path) -> bool:
    try:
        return CHECKPOINT.claim(read_start(path)) is not None
    except (OSError, ValueError):  # no path at all
        return False
