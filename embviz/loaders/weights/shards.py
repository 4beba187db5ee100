"""The files of one model's weights: one file, or shards with an index of which holds what.

`model.safetensors.index.json` is {"metadata": …, "weight_map": {tensor: file}}, its files are
`model-00001-of-00003.safetensors` and so on in the same folder. Source:
https://huggingface.co/docs/transformers/big_models.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embviz.errors import LoadError, counted, printable
from embviz.loaders.bytes.json_text import read_json
from embviz.loaders.choice import names_table
from embviz.loaders.confined import find_within
from embviz.loaders.opened import Tensor, list_some
from embviz.loaders.weights.pytorch import open_tensors
from embviz.loaders.weights.safetensors_header import MOST_NAME, SUFFIX, Entry, read_header

INDEX_SUFFIX = ".safetensors.index.json"
TORCH_INDEX_SUFFIX = ".bin.index.json"
_MOST_INDEX = 100_000_000
_MOST_FILES = 10_000
_SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.safetensors")

_log = logging.getLogger("embviz")


@dataclass(frozen=True)
class Weights:
    """What is known of weights from their headers.

    Attributes:
        entries: The tensors.
        files: What they are read from, the index among them.
    """

    entries: tuple[Entry, ...]
    files: tuple[Path, ...]


def read_shards(index: Path) -> Weights:
    """Read an index, and the headers of the shards that it names.

    A shard may be missing as long as no table of words should be in it.

    Raises:
        LoadError: If the index is damaged or leads out of its folder, a shard is damaged, does not
            hold what it should, or is missed.
    """
    shards = _find_shards(index)
    entries = []
    for path, names in shards.items():
        found = {entry.name: entry for entry in read_header(path)}
        _check_held(index, path, names, found)
        entries += [found[name] for name in names]
    return Weights(tuple(entries), (index, *shards))


def read_torch_shards(index: Path) -> tuple[tuple[Tensor, ...], tuple[Path, ...]]:
    """Return the tensors of shards that torch.save wrote, and what they are read from.

    Raises:
        LoadError: As `read_shards` does.
    """
    shards = _find_shards(index)
    tensors: list[Tensor] = []
    for path, names in shards.items():
        found = {t.name: t for t in open_tensors(path)}
        _check_held(index, path, names, found)
        tensors += [found[name] for name in names]
    return tuple(tensors), (index, *shards)


def _find_shards(index: Path) -> dict[Path, list[str]]:
    """Return the shards that are there, and which tensors an index says are in each."""
    homes = _read_index(index)
    tensors: dict[str, list[str]] = {}
    for tensor, name in homes.items():
        tensors.setdefault(name, []).append(tensor)
    if len(tensors) > _MOST_FILES:
        raise LoadError(index, f"names {len(tensors):,} files, more than {_MOST_FILES:,}")
    paths = {name: find_within(index.parent, name, index) for name in sorted(tensors)}
    there = {name: path for name, path in paths.items() if path.is_file()}
    _check_missing(index, homes, there)
    return {path: tensors[name] for name, path in there.items()}


def _check_held(index: Path, path: Path, names: list[str], found: Collection[str]) -> None:
    lost = [printable(name) for name in names if name not in found]
    if lost:
        raise LoadError(path, f"does not hold {list_some(lost, 3)}, as {index.name} says it does")


def read_numbered(folder: Path, names: tuple[str, ...]) -> Weights:
    """Read the headers of all shards of a folder that has no index.

    Raises:
        LoadError: If some are missing or damaged, or one tensor is in two.
    """
    entries: dict[str, Entry] = {}
    shards = {name: match for name in names if (match := _SHARD.fullmatch(name))}
    count = int(next(iter(shards.values()))["count"])
    if len(shards) != count:
        why = f"{len(shards)} of {count} shards, without an index"
        raise LoadError(folder, why, "fetch the others, or give one of them")
    paths = tuple(find_within(folder, name, folder) for name in shards)
    for path in paths:
        for entry in read_header(path):
            if entry.name in entries:
                other = entries[entry.name].path.name
                why = f"tensor '{printable(entry.name)}' is in {other} too"
                raise LoadError(path, why)
            entries[entry.name] = entry
    return Weights(tuple(entries.values()), paths)


def find_numbered(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the shards among names that belong to one another; none where there are others."""
    files = [name for name in names if name.endswith(SUFFIX)]
    matches = [_SHARD.fullmatch(name) for name in files]
    groups = {(match["stem"], match["count"]) for match in matches if match}
    return tuple(files) if len(groups) == 1 and all(matches) else ()


def is_shard(name: str) -> bool:
    """Tell whether a file's name is that of one of several shards."""
    match = _SHARD.fullmatch(name)
    return match is not None and int(match["count"]) > 1


def _read_index(index: Path) -> dict[str, str]:
    found: Any = read_json(index, _MOST_INDEX)
    homes = found.get("weight_map") if isinstance(found, dict) else None
    if not isinstance(homes, dict) or not homes:
        raise LoadError(index, "has no weight_map of tensors and files", "fetch it again")
    for tensor, name in homes.items():
        if not isinstance(name, str) or len(tensor) > MOST_NAME:
            raise LoadError(index, f"tensor '{printable(tensor[:500])}' has no file's name")
    return homes


def _check_missing(index: Path, homes: dict[str, str], there: dict[str, Path]) -> None:
    """Refuse shards that are missed, and tell of those that are not."""
    missing = sorted({name for name in homes.values() if name not in there})
    if not missing:
        return
    n_shards = len(set(homes.values()))
    shown = f"{list_some(missing, 3)} of {counted(n_shards, 'shard')}"
    tables = [t for t, name in homes.items() if name in missing and names_table(t)]
    if tables or not there:
        what = f", with {printable(tables[0])} in it" if tables else ""
        way_out = "fetch it" + (f", or give one that is there: {min(there)}" if there else "")
        raise LoadError(
            index, f"{shown} {'is' if len(missing) == 1 else 'are'} not there{what}", way_out
        )
    _log.info(
        "%s: without %s, which %s not there", index, shown, "is" if len(missing) == 1 else "are"
    )
