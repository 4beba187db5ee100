"""Metadata files: labels and other columns of text for points, read by what is in them.

Lines with tabs, and lines of one label, are read by the rules of TensorBoard's projector: UTF-8
without quoting; the first line is a header if, and only if, it holds a tab; a file of one column
has none. Unlike the projector, an empty label keeps its row (see
tensorboard/plugins/projector/vz_projector/data-provider.ts), and between tabs the backslash that
embviz writes before a formula is taken off again, but for the files of logdirs. CSV, JSON, arrays
of NumPy and what is packed are read too.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from embviz.errors import LoadError, printable
from embviz.loaders.bytes.packed import SUFFIXES, read_unpacked
from embviz.loaders.labels.counts import MetadataRows, fit_rows
from embviz.loaders.labels.json_rows import may_be_json, read_json
from embviz.loaders.labels.quoted import (
    HEADER_NAMES,
    Records,
    find_header,
    may_be_records,
    name_unnamed,
    read_records,
)
from embviz.loaders.opened import ONE_COLUMN_NAME, read_start
from embviz.loaders.reading import Unlabeled
from embviz.loaders.text.chunks import find_utf16
from embviz.outputs.cells import restored

_log = logging.getLogger("embviz")

_MOST_BYTES = 4 << 30
_MOST_COLUMNS = 100_000
_END_OF_FILE = "\x1a"
_HEAD_BYTES = 1 << 16


def read_metadata(
    path: Path,
    n_points: int,
    unlabeled: Unlabeled | None = None,
    *,
    lines_first: bool = False,
) -> dict[str, tuple[str, ...]]:
    """Read a metadata file whose rows are in the order of the points.

    Args:
        path: The file.
        n_points: How many points it must describe.
        unlabeled: What is done where it has another number of rows, as for `fit_rows`.
        lines_first: Whether lines that are as many as the points are read by TensorBoard's rules,
            whatever is in them.

    Returns:
        The columns in file order, each of n_points texts, "" for what is missing; fewer where
        `unlabeled` is `drop`.

    Raises:
        LoadError: If it is no text, a row is too long, or the rows are not n_points.
    """
    rows = read_rows(path, n_points, lines_first=lines_first)
    return fit_rows(path, rows, n_points, unlabeled)


def read_rows(
    path: Path, n_points: int | None, key: str | None = None, *, lines_first: bool = False
) -> MetadataRows:
    """Read all rows of a metadata file, however many they are.

    Args:
        path: The file.
        n_points: How many points there are, which tells whether a first line is a header; None
            where the rows are not in their order.
        key: A column that it has.
        lines_first: As for `read_metadata`.

    Raises:
        LoadError: If it is damaged or nothing that holds labels.
    """
    from embviz.loaders.labels.other_files import read_other

    other = read_other(path, read_start(path), n_points)
    if other is not None:
        return MetadataRows(other)
    text = _read_text(path)
    lines = text.split("\n")
    if lines[-1] == "":
        del lines[-1]
    if len(lines) > 1 and lines[-1] == _END_OF_FILE and len(lines) != n_points:
        del lines[-1]  # As DOS ends a text file.
    lines = lines or [""]
    if lines_first and n_points is not None and len(lines) == n_points + ("\t" in lines[0]):
        return _plain_rows(path, lines, n_points, key, restore=False)
    if may_be_json(text):
        columns = read_json(path, text)
        if columns is not None:
            return MetadataRows(columns)
    return _read_lines(path, lines, n_points, key, restore=not lines_first)


def is_named_csv(path: Path) -> bool:
    """Tell whether a file is named as CSV, packed or not."""
    packed = path.suffix.lower() in SUFFIXES
    return (path.with_suffix("") if packed else path).suffix.lower() == ".csv"


def _read_lines(
    path: Path, lines: list[str], n_points: int | None, key: str | None, *, restore: bool
) -> MetadataRows:
    is_csv = is_named_csv(path)
    if may_be_records(lines, is_csv):
        records = read_records(lines, is_csv, n_points)
        # Lines that are as many as the points are labels where records of CSV are not.
        as_lines = not is_csv and len(lines) == n_points and "\t" not in lines[0]
        if records is not None and not (as_lines and len(records.rows) != n_points):
            return _csv_rows(path, records, n_points, key)
    return _plain_rows(path, lines, n_points, key, restore=restore)


def _plain_rows(
    path: Path, lines: list[str], n_points: int | None, key: str | None, *, restore: bool
) -> MetadataRows:
    """Read lines by TensorBoard's rules."""
    first = lines[0]
    if "\t" in first:
        names = name_columns(path, _restored(first.split("\t"), restore))
        rest = lines[1:]
        _drop_empty_end(rest, n_points)
        columns = [_restored(column, restore) for column in _split_rows(path, rest, len(names))]
        return MetadataRows(dict(zip(names, columns, strict=True)), rest, first)
    _drop_empty_end(lines, n_points)
    _refuse_tabs(path, lines)
    if _has_one_name(lines, n_points, key):
        _log.info("%s: line 1 ('%s') is taken for the column's name", path, printable(first, 40))
        return MetadataRows({first.strip(): lines[1:]}, lines[1:], first)
    _tell_commas(path, lines)
    return MetadataRows({ONE_COLUMN_NAME: lines}, lines)


def _has_one_name(lines: list[str], n_points: int | None, key: str | None) -> bool:
    """Tell whether the first of some lines without a tab is the name of their column."""
    if n_points is None:
        return lines[0] == key
    return len(lines) == n_points + 1 and lines[0].strip().lower() in HEADER_NAMES


def _restored(texts: list[str], restore: bool) -> list[str]:
    """Return texts without the backslashes that embviz puts before formulas."""
    return [restored(text) if text[:1] == "\\" else text for text in texts] if restore else texts


def _csv_rows(path: Path, records: Records, n_points: int | None, key: str | None) -> MetadataRows:
    header = find_header(records, n_points, key)
    rows = records.rows[header:]
    if header:
        names = name_columns(path, [name.strip() for name in records.rows[0]])
    else:
        names = name_unnamed(records, ONE_COLUMN_NAME)
    kind = {",": "commas", ";": "semicolons", "\t": "tabs"}.get(records.delimiter, "")
    shown = ", ".join(printable(name, 40) for name in names[:8]) + (" …" if names[8:] else "")
    if kind:
        _log.info("%s: %s columns between %s: %s", path, len(names), kind, shown)
    elif header:
        _log.info("%s: line 1 ('%s') is taken for the column's name", path, shown)
    columns = {name: [row[c] for row in rows] for c, name in enumerate(names)}
    return MetadataRows(columns, header="\t".join(records.rows[0]) if header else None)


def _tell_commas(path: Path, lines: list[str]) -> None:
    """Say that lines that might be columns are labels."""
    for delimiter, name in ((",", "comma"), (";", "semicolon")):
        n = lines[0].count(delimiter)
        if n and len(lines) > 1 and all(line.count(delimiter) == n for line in lines[:1000]):
            _log.info(
                "%s: each line with its %s is one label; a file named .csv is read as columns",
                path, name if n == 1 else f"{n} {name}s",
            )  # fmt: skip
            return


def _read_text(path: Path) -> str:
    """Return the text of a file with line feeds alone; Unicode's line separators are no ends."""
    shown = str(path)
    raw = read_unpacked(path, _MOST_BYTES)
    if not raw:
        raise LoadError(shown, "0 bytes", "a line for each point is needed")
    encoding = find_utf16(raw[:_HEAD_BYTES])
    if encoding is not None:
        return _decode_utf_16(raw, encoding, shown)
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n") if b"\n" in raw else raw.replace(b"\r", b"\n")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as e:
        line = raw.count(b"\n", 0, e.start) + 1
        offset = e.start - raw.rfind(b"\n", 0, e.start)
        raise LoadError(
            f"{shown}:{line}",
            f"not UTF-8 (byte 0x{raw[e.start]:02x}, the line's byte {offset})",
            "save the file as UTF-8",
        ) from None


def _decode_utf_16(raw: bytes, encoding: str, shown: str) -> str:
    try:
        text = raw.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise LoadError(shown, "damaged UTF-16 text", "save the file as UTF-8") from None
    return text.replace("\r\n", "\n") if "\n" in text else text.replace("\r", "\n")


def _drop_empty_end(lines: list[str], n_points: int | None) -> None:
    """Leave out empty lines at the end that no point is left for."""
    while len(lines) > max(n_points or 1, 1) and lines[-1] == "":
        del lines[-1]


def name_columns(path: Path, names: list[str]) -> list[str]:
    """Return the columns' names, an empty one replaced by its place.

    Raises:
        LoadError: If they are more than 100,000, or two are equal.
    """
    if len(names) > _MOST_COLUMNS:
        raise LoadError(f"{path}:1", f"{len(names):,} columns, more than {_MOST_COLUMNS:,}")
    first: dict[str, int] = {}
    for i, name in enumerate(names):
        if name and first.setdefault(name, i) != i:
            raise LoadError(
                f"{path}:1",
                f"columns {first[name] + 1} and {i + 1} are both named '{name}'",
                "rename one",
            )
    taken = set(names)
    named = []
    for i, name in enumerate(names, 1):
        while not name or (name in taken and not names[i - 1]):
            name = f"{name}'" if name else f"column {i}"
        named.append(name)
    return named


def _split_rows(path: Path, lines: list[str], width: int) -> list[list[str]]:
    """Return the columns of rows that have at most `width` fields."""
    raw = np.frombuffer("\n".join([*lines, ""]).encode("utf-8"), np.uint8)
    stops = raw[(raw == 9) | (raw == 10)]
    ends = stops.reshape(-1, width) == 10 if len(stops) == len(lines) * width else None
    if ends is not None and ends[:, -1].all() and int(np.count_nonzero(ends)) == len(lines):
        fields = "\t".join(lines).split("\t") if lines else []
        return [fields[c::width] for c in range(width)]
    columns: list[list[str]] = [[] for _ in range(width)]
    short, first_short = 0, 0
    for number, line in enumerate(lines, 2):
        row = line.split("\t")
        if len(row) > width:
            raise LoadError(
                f"{path}:{number}",
                f"{len(row)} columns where the header has {width}",
                "a tab or a line end inside a label?",
            )
        if len(row) < width:
            short, first_short = short + 1, first_short or number
            row += [""] * (width - len(row))
        for values, field in zip(columns, row, strict=True):
            values.append(field)
    _log.warning(
        "%s: %s of %s rows have fewer than %s columns, the first is line %s; the rest is empty",
        path, f"{short:,}", f"{len(lines):,}", width, first_short,
    )  # fmt: skip
    return columns


def _refuse_tabs(path: Path, lines: list[str]) -> None:
    """Refuse several columns without a header."""
    for number, line in enumerate(lines, 1):
        if "\t" in line:
            raise LoadError(
                f"{path}:{number}",
                f"{line.count(chr(9)) + 1} columns where line 1 has one",
                "a file of several columns begins with a header line; a label holds no tab",
            )
