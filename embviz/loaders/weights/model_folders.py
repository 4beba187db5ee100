"""Where in a folder a model lies: the folder itself, a step of its training, a module, the cache.

A Trainer's folder holds `checkpoint-500`, `checkpoint-1000`, …, each a whole model; a
sentence-transformers folder names its modules in `modules.json`, of which the first may lie in
`0_Transformer`; the cache of the Hugging Face Hub keeps `models--X/refs/main`, the name of a
revision, and `models--X/snapshots/REVISION`.
"""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embviz.errors import LoadError, counted, printable
from embviz.inputs import open_file
from embviz.loaders.bytes.json_text import read_json, read_object
from embviz.loaders.confined import find_within
from embviz.loaders.opened import list_some
from embviz.loaders.weights.safetensors_header import SUFFIX
from embviz.loaders.weights.shards import INDEX_SUFFIX, TORCH_INDEX_SUFFIX, find_numbered, is_shard

CONFIG, MODULES = "config.json", "modules.json"
PIPELINE = "model_index.json"  # of diffusers: several models, a folder each
SAFE, SAFE_INDEX = "model.safetensors", "model.safetensors.index.json"
TORCH, TORCH_INDEX = "pytorch_model.bin", "pytorch_model.bin.index.json"
# In the order in which transformers looks for them.
STANDARD = (SAFE, SAFE_INDEX, TORCH, TORCH_INDEX)
TOKENIZERS = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "tokenizer.model")
_CACHE = "models--"
_STEP = re.compile(r"checkpoint-(\d{1,18})")
_MOST_JSON = 20_000_000
_MOST_DEPTH = 3

_log = logging.getLogger("embviz")


@dataclass(frozen=True, eq=False)
class Model:
    """One model on disk.

    Attributes:
        folder: Where it lies.
        weights: Its file of weights, or their index; None for all `shards`.
        shards: The names of shards that have no index.
        config: What its config.json says.
        sentences: Whether it is the first part of a model that makes vectors of sentences by more
            than a mean of vectors of words.
        files: What was read to know this.
    """

    folder: Path
    weights: Path | None
    shards: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)
    sentences: bool = False
    files: tuple[Path, ...] = ()


def looks_like_model(names: tuple[str, ...]) -> bool:
    """Tell whether a folder of these names is that of a model, whole or without its weights."""
    marked = any(name in names for name in (CONFIG, MODULES, "adapter_config.json"))
    if any(name in names for name in (SAFE_INDEX, TORCH_INDEX, PIPELINE)):
        return True
    if MODULES in names and any(name.startswith(("0_", "1_")) for name in names):
        return True
    return marked and (_find_weights(names) != "" or any(name in names for name in TOKENIZERS))


def holds_models(folder: Path, names: tuple[str, ...]) -> bool:
    """Tell whether a folder holds weights, steps of a training, or is the cache of a model."""
    if folder.name.startswith(_CACHE) and "snapshots" in names:
        return True
    return bool(_find_weights(names) or find_numbered(names) or _steps(folder, names))


def find_model(path: Path) -> Model:
    """Find the model that a folder means, and say which was taken of several steps.

    Raises:
        LoadError: If there is none, or it cannot be told which.
    """
    folder, files = path, []
    for _ in range(_MOST_DEPTH):
        names = _list(folder)
        if folder.name.startswith(_CACHE) and "snapshots" in names:
            folder = _snapshot(folder)
            continue
        sentences = False
        if MODULES in names:
            inner, sentences = _first_module(folder)
            files.append(folder / MODULES)
            if _find_weights(_list(inner)):
                folder, names = inner, _list(inner)
        weights, shards = _find_weights(names), find_numbered(names)
        if weights or shards:
            config = _read_config(folder)
            files += [folder / CONFIG] * (CONFIG in names)
            file = find_within(folder, weights, folder) if weights else None
            return Model(folder, file, shards, config, sentences, tuple(files))
        step = _last_step(folder, names)
        if step is None:
            break
        folder = step
    raise _without_weights(folder)


def model_of_file(file: Path) -> Model | None:
    """Return the model that a file of weights belongs to, by what lies beside it; else None."""
    folder = file.parent
    if file.name in STANDARD and (folder / CONFIG).is_file():
        return Model(folder, file, (), _read_config(folder), files=(folder / CONFIG,))
    return None


def _list(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(os.listdir(folder)))


def _find_weights(names: tuple[str, ...]) -> str:
    """Return the file of weights, or their index, that is taken of names; "" for none."""
    for name in STANDARD:
        if name in names:
            return name
    ends = (INDEX_SUFFIX, TORCH_INDEX_SUFFIX)
    found = [name for name in names if name.endswith(ends)]
    found = found or [name for name in names if name.endswith(SUFFIX) and not is_shard(name)]
    return found[0] if len(found) == 1 else ""


def _steps(folder: Path, names: tuple[str, ...]) -> list[tuple[int, str]]:
    """Return the steps of a training that have weights, by their numbers."""
    found = sorted((int(m[1]), name) for name in names if (m := _STEP.fullmatch(name)))
    return [
        (number, name)
        for number, name in found
        if (folder / name).is_dir() and _has_weights(_list(folder / name))
    ]


def _has_weights(names: tuple[str, ...]) -> bool:
    return bool(_find_weights(names) or find_numbered(names))


def _last_step(folder: Path, names: tuple[str, ...]) -> Path | None:
    steps = _steps(folder, names)
    if not steps:
        return None
    last = find_within(folder, steps[-1][1], folder)
    n_empty = sum(bool(_STEP.fullmatch(name)) for name in names) - len(steps)
    empty = f", {n_empty} without weights" if n_empty else ""
    _log.info(
        "%s: taking %s, the last of %s%s", folder, last.name, counted(len(steps), "step"), empty
    )
    return last


def _snapshot(cache: Path) -> Path:
    """Return the snapshot that the cache calls main, or the only one."""
    revisions = [
        name for name in _list(cache / "snapshots") if (cache / "snapshots" / name).is_dir()
    ]
    main = cache / "refs" / "main"
    if main.is_file():
        with open_file(main) as file:
            name = file.read(100).decode("ascii", "replace").strip()
        if name in revisions:
            return find_within(cache / "snapshots", name, main)
    if len(revisions) == 1:
        return find_within(cache / "snapshots", revisions[0], cache)
    if not revisions:
        raise LoadError(cache, "no snapshot is in it", "download the model")
    shown = list_some([str(cache / "snapshots" / name) for name in revisions], 4)
    raise LoadError(
        cache, f"{len(revisions)} snapshots, and refs/main names none", f"give one: {shown}"
    )


def _first_module(folder: Path) -> tuple[Path, bool]:
    """Return the folder of a sentence model's first module, and whether it is a transformer."""
    file = find_within(folder, MODULES, folder)
    modules = read_json(file, _MOST_JSON)
    first = modules[0] if isinstance(modules, list) and modules else None
    if not isinstance(first, dict) or not isinstance(first.get("path"), str):
        raise LoadError(file, "names no first module with a path", "fetch it again")
    kind = str(first.get("type")).rpartition(".")[2]
    name = first["path"]
    inner = folder if name in ("", ".", "./") else find_within(folder, name, file)
    if not inner.is_dir():
        raise LoadError(file, f"its first module is in {printable(name, 80)}, which is not there")
    return inner, kind not in ("StaticEmbedding", "WordEmbeddings", "BoW")


def _read_config(folder: Path) -> dict[str, Any]:
    file = find_within(folder, CONFIG, folder)
    return read_object(file, _MOST_JSON) if file.is_file() else {}


def _without_weights(folder: Path) -> LoadError:
    names = _list(folder)
    files = [str(folder / name) for name in names if name.endswith(SUFFIX)]
    if files:
        why = f"{len(files)} files of weights without an index"
        return LoadError(folder, why, f"give one: {list_some(files, 4)}")
    inner = [folder / name for name in names if (folder / name).is_dir()]
    models = [str(path) for path in inner if _has_weights(_list(path))]
    if models:
        why = f"no weights in it, but in {counted(len(models), 'folder')} of it"
        return LoadError(folder, why, f"give one: {list_some(models, 6)}")
    return LoadError(folder, f"no weights in it: no {list_some(list(STANDARD))}", "download them")
