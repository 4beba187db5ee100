"""Metadata files: labels and other columns of text, by the rules of TensorBoard's projector.

Tab-separated UTF-8 without quoting. The first line is a header if, and only if, it holds a tab; a
file of one column has none. Unlike the projector, an empty label keeps its row (see
tensorboard/plugins/projector/vz_projector/data-provider.ts).
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from embviz.errors import LoadError, printable

_log = logging.getLogger("embviz")

ONE_COLUMN_NAME = "label"
_MOST_BYTES = 4 << 30


class CountError(LoadError):
    """A metadata file of `n_rows` rows, where others are needed."""

    def __init__(self, path: Path, n_rows: int, why: str, way_out: str) -> None:
        super().__init__(str(path), why, way_out)
        self.n_rows = n_rows


def read_metadata(path: Path, n_points: int) -> dict[str, tuple[str, ...]]:
    """Read a metadata file.

    Args:
        path: The file.
        n_points: How many points it must describe.

    Returns:
        The columns in file order, each of n_points texts, "" for what is missing.

    Raises:
        LoadError: If it is no UTF-8 text, a row is too long, or the rows are not n_points.
    """
    lines = _read_lines(path)
    first = lines[0]
    if "\t" not in first:
        _drop_empty_end(lines, n_points)
        _refuse_tabs(path, lines)
        _check_count(path, lines, n_points, n_header=0)
        return {ONE_COLUMN_NAME: tuple(lines)}
    names = name_columns(path, first.split("\t"))
    del lines[0]
    _drop_empty_end(lines, n_points)
    columns = _split_rows(path, lines, len(names))
    _check_count(path, lines, n_points, n_header=1, header=first)
    return {name: tuple(values) for name, values in zip(names, columns, strict=True)}


def _read_lines(path: Path) -> list[str]:
    """Return the lines without their ends; Unicode's line separators are no ends."""
    shown = str(path)
    size = path.stat().st_size
    if size == 0:
        raise LoadError(shown, "0 bytes", "a line for each point is needed")
    if size > _MOST_BYTES:
        raise LoadError(shown, f"{size} bytes, more than {_MOST_BYTES} are not read")
    raw = path.read_bytes()
    for bom in (b"\xff\xfe", b"\xfe\xff"):
        if raw.startswith(bom):
            raise LoadError(shown, "UTF-16 text", "save the file as UTF-8")
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n") if b"\n" in raw else raw.replace(b"\r", b"\n")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as e:
        line = raw.count(b"\n", 0, e.start) + 1
        offset = e.start - raw.rfind(b"\n", 0, e.start)
        raise LoadError(
            f"{shown}:{line}",
            f"not UTF-8 (byte 0x{raw[e.start]:02x}, the line's byte {offset})",
            "save the file as UTF-8",
        ) from None
    lines = text.split("\n")
    if lines[-1] == "":
        del lines[-1]
    return lines or [""]


def _drop_empty_end(lines: list[str], n_points: int) -> None:
    """Leave out empty lines at the end that no point is left for."""
    while len(lines) > max(n_points, 1) and lines[-1] == "":
        del lines[-1]


def name_columns(path: Path, names: list[str]) -> list[str]:
    """Return the columns' names, an empty one replaced by its place."""
    for i, name in enumerate(names):
        if name and name in names[:i]:
            raise LoadError(
                f"{path}:1",
                f"columns {names.index(name) + 1} and {i + 1} are both named '{name}'",
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


def _check_count(
    path: Path, lines: list[str], n_points: int, n_header: int, header: str = ""
) -> None:
    """Refuse a wrong number of rows, with the likely reason."""
    n_rows = len(lines)
    if n_rows == n_points:
        return
    rows = "1 row" if n_rows == 1 else f"{n_rows} rows"
    why = f"{rows} of metadata for {n_points} points"
    hint = ""
    quoted = _find_quoted_line_end(lines)
    if n_rows > n_points and quoted is not None:
        number = quoted + n_header + 1
        hint = (
            f"line {number} opens a quote that line {number + 1} closes: "
            "quotes mean nothing here, and a label holds no line end"
        )
    elif n_rows == n_points + 1 and not n_header:
        hint = (
            f"a file of one column has no header: is line 1 ('{printable(lines[0], 40)}') one? "
            "remove it"
        )
    elif n_rows == n_points - 1 and n_header:
        hint = (
            "a file of several columns begins with a header, and line 1 "
            f"('{printable(header.replace(chr(9), ' '), 40)}') was taken for it: is one missing?"
        )
    raise CountError(path, n_rows, why, hint)


def _find_quoted_line_end(lines: list[str]) -> int | None:
    """Return the index of the first line whose quote closes on the next, if there is one."""
    for i in range(len(lines) - 1):
        if lines[i].count('"') % 2 and lines[i + 1].count('"') % 2:
            return i
    return None
