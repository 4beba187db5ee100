"""Writes folders of models as the libraries of Hugging Face do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

RNG = np.random.default_rng(4)
WORDS = ["<pad>", "the", "cat", "##s", "sat", "on", "mats"]


def table(n_rows: int, n_dims: int = 4) -> np.ndarray[Any, Any]:
    return RNG.normal(size=(n_rows, n_dims)).astype(np.float32)


def write_model(
    folder: Path,
    tensors: dict[str, np.ndarray[Any, Any]],
    config: dict[str, Any] | None = None,
    words: list[str] | None = WORDS,
) -> Path:
    """Write a folder as a library of Hugging Face does."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "model.safetensors")
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    if words is not None:
        (folder / "vocab.txt").write_text("".join(f"{word}\n" for word in words))
    return folder


def shard(folder: Path, homes: dict[str, str], tensors: dict[str, np.ndarray[Any, Any]]) -> Path:
    """Write shards and their index, which says that each tensor is in the file of `homes`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in {home for home in homes.values() if "/" not in home}:
        held = {t: array for t, array in tensors.items() if homes.get(t) == name}
        save_file(held or {"none": table(1)}, folder / name)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": homes}))
    return index
