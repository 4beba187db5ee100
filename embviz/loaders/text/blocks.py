"""Blocks of lines of vectors, read by whole arrays."""

from __future__ import annotations

import re
import threading

import numpy as np
from numpy.typing import NDArray

from embviz.loaders.text.fields import TextLayout
from embviz.loaders.text.lines import Columns
from embviz.loaders.text.numbers import PAD, Bytes, Offsets, Scratch, parse_numbers

_BLANK_LINES = re.compile(rb"\n(?:[ \t]*\n)+")
_scratch = threading.local()
_FILLER = ord("#")
_LINE_FEED, _QUOTE, _COMMA, _POINT = 10, 34, 44, 46


def read_block(raw: bytes, layout: TextLayout) -> tuple[NDArray[np.float32], Columns] | None:
    """Read lines of vectors, or leave it to `text_lines.read_lines`.

    Args:
        raw: Whole lines, each ended by a line feed, none of them blank.
        layout: How the file is laid out.

    Returns:
        float32 (n_rows, n_dims), finite, and a list of n_rows texts for each text column; None
        where a line is not a plain row of the layout.
    """
    if not layout.numeric or layout.label_end or b"\0" in raw:
        return None
    if layout.quoted and b'"' in raw:
        return None
    if not hasattr(_scratch, "arrays"):
        _scratch.arrays = Scratch()
    scratch: Scratch = _scratch.arrays
    text = scratch.array("text", -(-(len(raw) + 2 * PAD) // 8) * 8, np.uint8)
    text[:PAD] = _FILLER
    text[PAD : PAD + len(raw)] = np.frombuffer(raw, np.uint8)
    text[PAD + len(raw) :] = _FILLER
    fields = _find_fields(text, layout, scratch)
    if fields is None:
        return None
    starts, ends = fields
    columns = []
    for c in layout.text_columns:
        texts = _take_texts(text, starts[:, c], ends[:, c])
        if texts is None:
            return None
        columns.append(texts)
    for c, column in enumerate(layout.columns):
        if column.kind in ("list", "bare") and c not in layout.text_columns:
            _take_texts(text, starts[:, c], ends[:, c])
    if layout.decimal:
        text[text == _COMMA] = _POINT
    # Vectors are one run of columns in nearly all files, and a slice is no copy.
    first, n_dims = layout.numeric[0], len(layout.numeric)
    run = layout.numeric[-1] - first + 1 == n_dims
    which = slice(first, first + n_dims) if run else np.array(layout.numeric)
    shape = (len(starts), n_dims)
    begins = scratch.array("begins", shape[0] * n_dims, np.int64)
    finishes = scratch.array("finishes", shape[0] * n_dims, np.int64)
    np.copyto(begins.reshape(shape), starts[:, which])
    np.copyto(finishes.reshape(shape), ends[:, which])
    values = parse_numbers(text, begins, finishes, scratch)
    if values is None or not np.isfinite(values).all():
        return None
    return values.reshape(-1, n_dims), columns


def make_plain(raw: bytes, layout: TextLayout) -> bytes:
    """Return lines without blank ones, and without quotes and delimiters that mean nothing."""
    delimiter = re.escape(layout.delimiter)
    if layout.quoted and b'"' in raw:  # Blanks within quotes belong to the text.
        return _BLANK_LINES.sub(b"\n", b"\n" + _take_off_quotes(raw, layout.delimiter))[1:]
    if layout.trailing:
        # From the first blank of a run alone: from each of them, time would grow with its square.
        raw = re.sub(rb"(?<![ %b])[ %b]++\n" % (delimiter, delimiter), b"\n", raw)
    if layout.collapse and layout.delimiter == b" ":
        raw = re.sub(rb"(?m)^ +", b"", raw)
    if layout.collapse:
        raw = re.sub(delimiter + b" +", layout.delimiter, raw)
    return _BLANK_LINES.sub(b"\n", b"\n" + raw)[1:]


def _take_off_quotes(raw: bytes, delimiter: bytes) -> bytes:
    """Return lines without the quotes around whole fields, unless one holds a delimiter."""
    text = np.frombuffer(b"\n" + raw, np.uint8)
    quotes = np.flatnonzero(text == _QUOTE)
    opening, closing = quotes[::2], quotes[1::2]
    ends = (_LINE_FEED, delimiter[0])
    if len(quotes) % 2 or not (
        np.isin(text[opening - 1], ends).all() and np.isin(text[closing + 1], ends).all()
    ):
        return raw
    if (np.searchsorted(quotes, np.flatnonzero(text == delimiter[0])) & 1).any():
        return raw
    return raw.replace(b'"', b"")


def _find_fields(
    text: Bytes, layout: TextLayout, scratch: Scratch
) -> tuple[Offsets, Offsets] | None:
    """Return where each field begins and ends, both int64 (n_rows, n_fields).

    None where blanks may mean nothing, at a line's start or side by side: the line rules know.
    """
    marks = np.equal(text, _LINE_FEED, out=scratch.array("marks", len(text), np.bool_))
    n_rows = int(np.count_nonzero(marks))
    delimiters = scratch.array("delimiters", len(text), np.bool_)
    marks |= np.equal(text, layout.delimiter[0], out=delimiters)
    stops = np.flatnonzero(marks)
    width = layout.n_fields
    if len(stops) == n_rows * width and bool((text[stops[width - 1 :: width]] == _LINE_FEED).all()):
        starts = scratch.array("starts", len(stops), np.int64)
        starts[:1] = PAD
        np.add(stops[:-1], 1, out=starts[1:])
        if layout.delimiter == b" " and bool((starts[::width] == stops[::width]).any()):
            return None
        return starts.reshape(n_rows, width), stops.reshape(n_rows, width)
    labelled = layout.columns and layout.columns[0].kind == "text"
    if layout.delimiter != b" " or not labelled or layout.collapse:
        return None
    # Labels with blanks in them: the numbers are the last fields of a line.
    last = np.flatnonzero(text[stops] == _LINE_FEED)
    blanks = delimiters[PAD:-1]
    beside = delimiters[PAD + 1 :] | (text[PAD - 1 : -2] == _LINE_FEED)
    if text[PAD] == layout.delimiter[0] or bool((blanks & beside).any()):
        return None
    if len(last) == 0 or int(np.diff(last, prepend=-1).min()) < width:
        return None
    ends = stops[last[:, None] + np.arange(1 - width, 1)]
    starts = np.empty_like(ends)
    np.add(ends[:, :-1], 1, out=starts[:, 1:])
    starts[0, 0] = PAD
    starts[1:, 0] = stops[last[:-1]] + 1
    return starts, ends


def _take_texts(text: Bytes, starts: Offsets, ends: Offsets) -> list[str] | None:
    """Return the texts of one field of each row, and overwrite them with filler."""
    lengths = ends - starts + 1
    stops = np.cumsum(lengths)
    where = np.arange(int(stops[-1]) if len(stops) else 0)
    where += np.repeat(starts - stops + lengths, lengths)
    joined = text[where]
    joined[stops - 1] = _LINE_FEED
    last = text[ends]
    text[where] = _FILLER
    text[ends] = last
    try:
        return joined.tobytes().decode("utf-8").split("\n")[:-1]
    except UnicodeDecodeError:
        return None
