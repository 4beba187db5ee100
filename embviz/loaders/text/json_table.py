"""Vectors in JSON: lines, arrays and objects of records, or of bare vectors, plain or packed."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, ParameterError, counted, printable
from embviz.loaders.choice import WHOLE_LISTS
from embviz.loaders.columns.kinds import names_vectors
from embviz.loaders.columns.request import OPTION, read_request
from embviz.loaders.opened import Claim, Source, Start, Tensor, TextColumns, list_some
from embviz.loaders.reading import Reading
from embviz.loaders.text.chunks import TextSource
from embviz.loaders.text.json_records import (
    BARE,
    NAME_FIELD,
    NEEDED,
    Record,
    find_vectors,
    from_base64,
    read_records,
    to_numbers,
)
from embviz.loaders.text.json_texts import Keys, TextFields, other_fields
from embviz.loaders.text.json_values import looks_like_json

_log = logging.getLogger("embviz")
_progress = logging.getLogger("embviz.progress")

SUFFIXES = (".json", ".jsonl", ".ndjson")
_SAMPLE = 200
_REPORTED = 50_000
# Fields that name a point, the first that is there and is text.
_NAMING = (NAME_FIELD, "token", "term", "name", "title", "text", "sentence", "content", "document",
           "query", "question", "label", "key", "custom_id")  # fmt: skip
_FINITE = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class _Field:
    """A vector that records have: the keys that lead to it, and its dimensions."""

    path: Keys
    n_dims: int
    is_whole: bool = False

    def numbers(self, fields: dict[str, Any]) -> NDArray[np.float64] | None:
        """Return the vector of a record, None where it has none."""
        value: Any = fields
        for key in self.path:
            value = value.get(key) if isinstance(value, dict) else None
        found = to_numbers(value)
        return from_base64(value) if found is None else found


@dataclass(frozen=True)
class _Layout:
    """What the first records of a file have in common.

    Attributes:
        vectors: Their vectors.
        names_as_keys: Whether each is a vector under a name of its own.
        columns: Their other fields, as they are called.
    """

    vectors: tuple[_Field, ...]
    names_as_keys: bool = False
    columns: tuple[str, ...] = ()


class JsonFormat:
    """Reads vectors in JSON; the other fields of a record are its metadata."""

    name = "json"
    takes = ("columns",)

    def claim(self, start: Start) -> Claim | None:
        """Claim what begins as JSON, or is named so."""
        if start.kind != "file":
            return None
        if looks_like_json(start):
            return Claim.CONTENT
        return Claim.NAME if start.suffix in SUFFIXES else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Read the first records of a file.

        Returns:
            A tensor for each of their vectors, float32, each value float32 of the float64 nearest
            to its text; all other fields are its metadata.

        Raises:
            LoadError: If it is no JSON, or without vectors.
            ParameterError: If `--columns` names what is not there.
        """
        source = TextSource(path)
        if source.size == 0:
            raise LoadError(source.shown, "0 bytes", "a table of vectors is needed")
        layout = _find_layout(source)
        wanted, label = _requested(reading.columns, layout, source.shown)
        return Source(
            path,
            tuple(
                _tensor(path, layout, vector, reading, (wanted, label)) for vector in layout.vectors
            ),
        )


JSON = JsonFormat()


def _requested(
    columns: str | None, layout: _Layout, shown: str
) -> tuple[_Field | None, str | None]:
    """Return the vector and the column of labels that `--columns` names."""
    if columns is None:
        return None, None
    names = [_spell(v.path) for v in layout.vectors]
    request = read_request(columns, [*names, *layout.columns], shown)
    if request.everything or request.left or len(request.taken or ()) > 1:
        raise ParameterError(
            f"{OPTION} {columns}", "JSON has its vectors in fields", f"name one: {list_some(names)}"
        )
    if request.label is not None and request.label < len(names):
        raise ParameterError(
            f"{OPTION} {columns}",
            f"'{names[request.label]}' is a vector and names no point",
            f"there are {list_some(list(layout.columns), 12) or 'no other fields'}",
        )
    label = None if request.label is None else layout.columns[request.label - len(names)]
    if request.taken is None:
        return None, label
    if request.taken[0] >= len(names):
        field = layout.columns[request.taken[0] - len(names)]
        raise ParameterError(f"{OPTION} {columns}", f"'{field}' is no vector", list_some(names))
    return layout.vectors[request.taken[0]], label


def _tensor(
    path: Path,
    layout: _Layout,
    vector: _Field,
    reading: Reading,
    request: tuple[_Field | None, str | None],
) -> Tensor:
    source = TextSource(path)
    wanted, label = request
    read = cache(lambda: _read_table(source, layout, vector, reading.strict))
    name = _spell(vector.path)
    return Tensor(
        name or path.name,
        cache(lambda: (_count(source, layout, vector, reading.strict), vector.n_dims)),
        "float32",
        rows=lambda: read().vectors,
        aliases=() if name else (path.stem,),
        note="JSON",
        preferred=vector is wanted,
        doubt=WHOLE_LISTS if vector.is_whole and vector is not wanted else "",
        columns=lambda: _columns(read().metadata, label),
    )


def _spell(path: Keys) -> str:
    return ".".join(path)


def _columns(metadata: dict[str, tuple[str, ...]], asked: str | None) -> TextColumns:
    """Return the other fields, that which names the points first."""
    label = _label(metadata, asked)
    if label is None:
        return TextColumns(metadata)
    return TextColumns({label: metadata[label], **metadata}, named_by=label)


def _label(metadata: dict[str, tuple[str, ...]], asked: str | None) -> str | None:
    """Return the column that names the points; None leaves it to the rule of all formats."""
    from embviz.model import is_numeric

    if asked is not None and asked in metadata:
        if is_numeric(metadata[asked]):
            why = f"'{asked}' holds no words, which name the points"
            raise ParameterError(OPTION, why, "--label-by COLUMN names them by any")
        return asked
    by_name = {column.lower(): column for column in reversed(metadata)}
    for name in _NAMING:
        if name in by_name and not is_numeric(metadata[by_name[name]]):
            return by_name[name]
    return None


def _find_layout(source: TextSource) -> _Layout:
    """Find the vectors that most of the first records have."""
    records = read_records(source, tell=True)
    sample = list(islice(records, _SAMPLE))
    good = [r.fields for r in sample if r.fields is not None]
    lengths: dict[Keys, Counter[int]] = {}
    for fields in good:
        for path, n in find_vectors(fields).items():
            lengths.setdefault(path, Counter())[n] += 1
    if len(good) > 1 and _are_names(good, lengths):
        widths = Counter(n for counter in lengths.values() for n in counter)
        return _Layout((_Field((BARE,), widths.most_common(1)[0][0]),), True, (NAME_FIELD,))
    ragged = []
    vectors = []
    for path, counter in lengths.items():
        n_dims, n = counter.most_common(1)[0]
        if 2 * n >= len(good):
            found = _Field(path, n_dims)
            vectors.append(replace(found, is_whole=_is_whole(found, good)))
        elif 2 * counter.total() >= len(good):
            name = f"'{_spell(path)}'" if path != (BARE,) else "records"
            ragged.append(f"{name} are lists of {min(counter)} to {max(counter)} numbers")
    if not vectors:
        raise _refuse(source, sample, good, ragged)
    paths = frozenset(v.path for v in vectors)
    columns = dict.fromkeys(name for fields in good for name, _ in other_fields(fields, paths))
    return _Layout(tuple(vectors), columns=tuple(columns))


def _is_whole(vector: _Field, good: list[dict[str, Any]]) -> bool:
    """Tell whether a list of a name that speaks of no vectors holds whole numbers alone."""
    if vector.path == (BARE,) or names_vectors(_spell(vector.path)):
        return False
    found = [numbers for fields in good if (numbers := vector.numbers(fields)) is not None]
    return all(bool((numbers == np.rint(numbers)).all()) for numbers in found)


def _are_names(good: list[dict[str, Any]], lengths: dict[Keys, Counter[int]]) -> bool:
    """Tell whether each key of each record is a name, and its value that name's vector."""
    n_keys = sum(map(len, good))
    alike = all(len(path) == 1 and path[0] != BARE for path in lengths)
    n_vectors = sum(counter.total() for counter in lengths.values())
    return alike and n_vectors == n_keys and len(lengths) > 0.9 * n_keys


def _refuse(
    source: TextSource, sample: list[Record], good: list[dict[str, Any]], ragged: list[str]
) -> LoadError:
    """Return why there is no table."""
    shown = source.shown
    if ragged:
        why = f"JSON without vectors of one length: {list_some(ragged, 4)}"
        return LoadError(shown, why, NEEDED)
    if not good:
        first = sample[0]
        return LoadError(shown, f"JSON without vectors: line {first.line} is {first.why}", NEEDED)
    names = list(dict.fromkeys(printable(key, 30) for fields in good for key in fields))
    numbers = [k for k, v in good[0].items() if isinstance(v, float)]
    if len(numbers) < 2:
        return LoadError(shown, f"JSON without vectors: records with {list_some(names, 6)}", NEEDED)
    why = f"JSON with a field a number: {list_some(names, 6)}"
    kind = "" if sample[0].line == sample[-1].line else ", lines=True"
    code = f"pandas.read_json('{source.path.name}'{kind}).to_csv('x.csv', index=False)"
    return LoadError(shown, why, f"save it as CSV: {code}")


@dataclass
class _Left:
    """Records that are left out: how many for each reason, and where the first of each is."""

    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, where: str) -> None:
        self.counts[kind] += 1
        self.first.setdefault(kind, where)

    def describe(self) -> str:
        return ", ".join(f"{n:,} {kind} ({self.first[kind]})" for kind, n in self.counts.items())


@dataclass(frozen=True, eq=False)
class _Table:
    vectors: NDArray[np.float32]
    metadata: dict[str, tuple[str, ...]]


def _rows(
    source: TextSource, layout: _Layout, vector: _Field, strict: bool
) -> Iterator[tuple[NDArray[np.float32], dict[str, Any]]]:
    """Yield the vector and the fields of each record that has one; say what was left out.

    Raises:
        LoadError: If a number is beyond float32; or, where `strict`, for what would be left out.
    """
    left, n_rows = _Left(), 0
    for record in _named(read_records(source), layout):
        kind, where = record.why, f"first in line {record.line}"
        if record.fields is not None:
            numbers = vector.numbers(record.fields)
            if numbers is not None and len(numbers) == vector.n_dims:
                yield _as_float32(numbers, f"{source.shown}:{record.line}"), record.fields
                n_rows += 1
                continue
            name = f" '{_spell(vector.path)}'" if vector.path != (BARE,) else " a vector"
            kind = f"without{name}"
            if numbers is not None:
                where += f": {len(numbers)} numbers"
                kind = f"of another length than {vector.n_dims}"
        elif " (" in kind:
            kind, _, detail = kind.partition(" (")
            where += f": {detail.removesuffix(')')}"
        if strict:
            raise LoadError(f"{source.shown}:{record.line}", f"{kind} ({where})", "mend that line")
        left.add(kind, where)
    if left.counts.total() > n_rows:
        raise LoadError(source.shown, f"most records hold no vector: {left.describe()}", NEEDED)
    if left.counts:
        _log.info(
            "%s: %s left out: %s (--strict refuses)", source.shown,
            counted(left.counts.total(), "record"), printable(left.describe(), 500),
        )  # fmt: skip


def _named(records: Iterator[Record], layout: _Layout) -> Iterator[Record]:
    """Yield records; where their keys are names, one for each name."""
    for record in records:
        if not layout.names_as_keys or record.fields is None:
            yield record
            continue
        for name, value in record.fields.items():
            yield Record(record.line, {NAME_FIELD: name, BARE: value})


def _as_float32(numbers: NDArray[np.float64], where: str) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        row = numbers.astype(np.float32)
    beyond = np.isinf(row) & np.isfinite(numbers)
    if beyond.any():
        worst = numbers[beyond][0]
        raise LoadError(where, f"{worst:g} is beyond float32 ({_FINITE:.3g})", "scale the vectors")
    return row


def _count(source: TextSource, layout: _Layout, vector: _Field, strict: bool) -> int:
    return sum(1 for _ in _rows(source, layout, vector, strict))


def _read_table(source: TextSource, layout: _Layout, vector: _Field, strict: bool) -> _Table:
    """Read the vectors and all other fields in one pass."""
    texts = TextFields(source.shown, frozenset(v.path for v in layout.vectors))
    values = np.empty((1024, vector.n_dims), np.float32)
    n_rows = 0
    for row, fields in _rows(source, layout, vector, strict):
        if n_rows == len(values):
            values.resize((n_rows + n_rows // 2, vector.n_dims), refcheck=False)
        values[n_rows] = row
        texts.add(fields)
        n_rows += 1
        if n_rows % _REPORTED == 0:
            _progress.info("%s: %s rows read", source.shown, f"{n_rows:,}")
    values.resize((n_rows, vector.n_dims), refcheck=False)
    metadata = texts.finish()
    if vector.path != (BARE,):
        name, n_dims = printable(_spell(vector.path)), vector.n_dims
        others = list_some([printable(column, 40) for column in metadata])
        also = f"; as metadata: {others}" if others else ""
        _log.info("%s: taking '%s' (%s numbers)%s", source.shown, name, n_dims, also)
    return _Table(values, metadata)
