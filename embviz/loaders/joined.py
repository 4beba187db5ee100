"""Tensors of one width as one table, one behind the other: files, shards, parts of a variable."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, ParameterError, counted, printable
from embviz.loaders.opened import Columns, Source, Tensor, TextColumns
from embviz.loaders.reading import Reading
from embviz.model import find_label_column
from embviz.rows import JoinedRows

SOURCE_COLUMN = "source"
_DIGITS = re.compile(r"([0-9]{1,18})")
_PART_NAME = re.compile(
    r"(?P<name>(?:.*[/_])?(?:parts?|weights?|shards?|partitions?|pieces?))_(?P<number>\d{1,6})"
)
_NUMBERED = re.compile(r"(?P<stem>.*?)[-_. ]?\d+(?:-of-\d+)?")


@dataclass(frozen=True, eq=False)
class Part:
    """A tensor, and the name by which it is told from the others."""

    shown: str
    tensor: Tensor


def natural_order(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts numbers within names by their value: part-2 before part-10."""
    pieces = _DIGITS.split(name)
    return tuple((0, int(p), p) if i % 2 else (1, 0, p) for i, p in enumerate(pieces))


def stem_of(name: str) -> str:
    """Return a name without the number at its end, by which the shards of one table are told."""
    found = _NUMBERED.fullmatch(name)
    return found["stem"] if found else name


def join_tensors(
    name: str,
    parts: Sequence[Part],
    what: object,
    *,
    with_source: bool = False,
    columns: Callable[[], Columns] | None = None,
) -> Tensor:
    """Return several tensors as one, its rows in the order of the parts.

    Args:
        name: Its name.
        parts: At least one; a shape that only a pass over a file tells stays unknown.
        what: What they are parts of, as it is named in an error.
        with_source: Whether a column `source` tells which part each row is of.
        columns: What opens the columns, where they are not those of the parts.

    Raises:
        LoadError: If two of them differ in width or dtype.
    """
    tensors = [part.tensor for part in parts]
    for part in parts[1:]:
        _check_alike(parts[0], part, what)
    if len(parts) == 1 and not with_source:
        return replace(tensors[0], name=name, columns=columns or tensors[0].columns)

    def sides() -> tuple[int, ...]:
        for part in parts[1:]:
            if part.tensor.shape[1:] != tensors[0].shape[1:]:
                _refuse(parts[0], part, what, _wide(tensors[0]), _wide(part.tensor))
        return (sum(tensor.shape[0] for tensor in tensors), *tensors[0].shape[1:])

    @cache
    def rows() -> JoinedRows:
        sides()
        return JoinedRows([tensor.rows() for tensor in tensors])

    def verify() -> None:
        for tensor in tensors:
            if tensor.verify is not None:
                tensor.verify()

    own = any(tensor.columns is not None for tensor in tensors)
    known = not any(callable(tensor.sides) for tensor in tensors)
    return Tensor(
        name,
        sides() if known else sides,
        tensors[0].dtype,
        rows=rows,
        note=f"{counted(len(parts), 'part')}: {parts[0].shown} … {parts[-1].shown}",
        columns=columns or ((lambda: _columns(parts, with_source)) if own or with_source else None),
        numbers=(lambda: _numbers(tensors)) if any(t.numbers for t in tensors) else None,
        verify=verify if any(tensor.verify for tensor in tensors) else None,
    )


def _numbers(tensors: Sequence[Tensor]) -> NDArray[np.int64]:
    """Return the rows' numbers, those of each tensor behind those of the ones before it."""
    found, start = [], 0
    for tensor in tensors:
        n_rows = int(tensor.shape[0])
        own = tensor.numbers() if tensor.numbers else np.arange(n_rows, dtype=np.int64)
        found.append(own + start)
        start = max(start + n_rows, int(found[-1].max(initial=-1)) + 1)
    return np.concatenate(found)


def with_joined_parts(path: Path, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return tensors, and those of which they are parts that were saved one by one.

    NAME/part_0, NAME/part_1, … of one width and dtype, without a gap, are one table NAME/part,
    which answers to NAME and NAME/part_* too; each part is a duplicate of some of its rows then.
    """
    series: dict[str, dict[int, Tensor]] = {}
    for tensor in tensors:
        found = _PART_NAME.fullmatch(tensor.name)
        if found and tensor.is_candidate:
            series.setdefault(found["name"], {})[int(found["number"])] = tensor
    taken = {name for tensor in tensors for name in tensor.names}
    joined: dict[str, Tensor] = {}
    parts: set[str] = set()
    for name, by_number in series.items():
        group = [by_number[n] for n in sorted(by_number)]
        alike = len({(t.shape[1:], t.dtype) for t in group}) == 1
        if (
            name in taken
            or len(group) < 2
            or sorted(by_number) != list(range(len(group)))
            or not alike
        ):
            continue
        whole = join_tensors(name, [Part(t.name, t) for t in group], path)
        first, last = (t.name.rpartition("/")[2] for t in (group[0], group[-1]))
        told = f"{name} is its {len(group)} parts {first} … {last}, one behind the other"
        folder = name.rpartition("/")[0]
        aliases = tuple(alias for alias in (folder, f"{name}_*") if alias and alias not in taken)
        joined[group[0].name] = replace(whole, aliases=aliases, told=told)
        parts |= {t.name for t in group}
    listed: list[Tensor] = []
    for tensor in tensors:
        if tensor.name in joined:
            listed.append(joined[tensor.name])
        listed.append(replace(tensor, role="duplicate") if tensor.name in parts else tensor)
    return listed


def open_several(
    paths: Sequence[Path], reading: Reading, open_one: Callable[[Path], Source]
) -> Source:
    """Open several sources as one, whose one table is their tensors, one behind the other.

    Args:
        paths: The sources, at least two.
        reading: Which tensor is taken of each.
        open_one: What opens a source.

    Raises:
        LoadError: If one is damaged, or they differ in width or dtype.
        ParameterError: If one has no tensor of the name.
    """
    from embviz.loaders.choice import choose_tensor

    opened = [open_one(path) for path in paths]
    parts = [
        Part(printable(str(path), 200), choose_tensor(source, reading.tensor))
        for path, source in zip(paths, opened, strict=True)
    ]
    _check_names([part.shown for part in parts])
    shown = f"{parts[0].shown} and {len(parts) - 1} more"
    tensor = join_tensors(parts[0].tensor.name, parts, shown, with_source=True)
    tensor = replace(tensor, aliases=() if reading.tensor is None else (reading.tensor,))
    files = tuple(file for source in opened for file in (source.path, *source.files))
    return Source(paths[0], (tensor,), shown, files=files)


def _check_names(names: Sequence[str]) -> None:
    for name, n in Counter(names).items():
        if n > 1:
            raise ParameterError("SOURCE", f"{name} is named twice", "name it once")


def _check_alike(first: Part, other: Part, what: object) -> None:
    """Refuse parts that make no table.

    Raises:
        LoadError: With the two that differ.
    """
    a, b = first.tensor, other.tensor
    if a.dtype != b.dtype:
        _refuse(first, other, what, a.dtype, b.dtype)


def _wide(tensor: Tensor) -> str:
    return f"{' x '.join(map(str, tensor.shape[1:]))} wide"


def _refuse(first: Part, other: Part, what: object, a: str, b: str) -> None:
    raise LoadError(
        what,
        f"{first.shown} is {a}, {other.shown} {b}: no parts of one table",
        "name those that belong together, one after the other, or one alone",
    )


def _columns(parts: Sequence[Part], with_source: bool) -> TextColumns:
    """Return the columns of all parts, "" where one has no such column, and that of the sources."""
    found: list[tuple[Mapping[str, tuple[str, ...]], int]] = []
    label = None
    for part in parts:
        opened = None if part.tensor.columns is None else part.tensor.columns()
        texts = {} if opened is None else {name: opened.column(name) for name in opened.names}
        label = label or (opened.label if opened is not None else None)
        found.append((texts, _n_rows(part.tensor, texts)))
    names = dict.fromkeys(name for texts, _ in found for name in texts)
    columns = {
        name: tuple(text for texts, n_rows in found for text in texts.get(name, ("",) * n_rows))
        for name in names
    }
    if with_source:
        name = SOURCE_COLUMN
        while name in columns:
            name += "'"
        shown = [(part.shown, n_rows) for part, (_, n_rows) in zip(parts, found, strict=True)]
        columns[name] = tuple(text for text, n_rows in shown for _ in range(n_rows))
    return TextColumns(columns, named_by=label if label is not None else find_label_column(columns))


def _n_rows(tensor: Tensor, texts: Mapping[str, tuple[str, ...]]) -> int:
    return len(next(iter(texts.values()))) if texts else int(tensor.shape[0])
