"""What separates the fields of a text file, and whether quotes mean anything in it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from embviz.loaders.text.cells import (
    HIDDEN,
    LINE_END,
    count_numbers,
    is_elided,
    is_list,
    split_cell,
)
from embviz.loaders.text.fields import hide_in_brackets, is_number, like_number, split_quoted

DELIMITERS = b"\t,;| "
_SCORED_LINES = 12
_SCORED_BYTES = 1_000_000


def find_delimiter(lines: Sequence[bytes], among: bytes) -> bytes:
    """Return the delimiter that makes most of the first lines numbers, tabs first.

    Numbers in one cell count as well, so that a word and its numbers may be separated by another
    delimiter than the numbers are.
    """
    sample = _sample(lines[1:] or lines)
    if any(_has_commas_in_numbers(sample, d) for d in _bytes(among) if d != b","):
        among = among.replace(b",", b"") or among
    scores = {d: [_score(line, d) for line in sample] for d in _bytes(among)}
    tabbed = [
        n for n, line in zip(scores.get(b"\t", ()), sample, strict=False) if n and b"\t" in line
    ]
    best = max(scores, key=lambda d: sum(scores[d]))
    if 2 * len(tabbed) > len(sample) and (best == b"\t" or _separates_numbers(sample)):
        return b"\t"
    return best


def _separates_numbers(sample: Sequence[bytes]) -> bool:
    """Tell whether tabs are between numbers, not only within a label."""
    return any(sum(map(like_number, line.split(b"\t"))) > 1 for line in sample)


def _has_commas_in_numbers(sample: Sequence[bytes], delimiter: bytes) -> bool:
    """Tell whether a delimiter leaves numbers that have commas within them, in most lines."""
    n = 0
    for line in sample:
        fields = cut_roughly(line, delimiter)
        numbers = [field for field in fields if like_number(field)]
        commas = any(b"," in field for field in numbers)
        n += commas and len(numbers) > 1 and 2 * len(numbers) >= len(fields)
    return 2 * n > len(sample)


def _bytes(among: bytes) -> list[bytes]:
    return [among[i : i + 1] for i in range(len(among))]


def _sample(lines: Sequence[bytes]) -> list[bytes]:
    """Return the first lines, few where they are long."""
    sample: list[bytes] = []
    for line in lines[:_SCORED_LINES]:
        if sample and sum(map(len, sample)) + len(line) > _SCORED_BYTES:
            break
        sample.append(line)
    return sample


def _score(line: bytes, delimiter: bytes) -> int:
    """Return how many numbers a line holds if it is cut at a delimiter."""
    fields = cut_roughly(hide_in_brackets(line, delimiter, HIDDEN), delimiter)
    if len(fields) == 1:
        return count_numbers(fields[0]) if is_list(fields[0]) else is_number(fields[0])
    single, listed, bare = 0, 0, []
    for field in fields:
        if like_number(field):
            single += 1
        elif is_list(field):
            listed += len(split_cell(field)) if is_elided(field) else count_numbers(field)
        elif n := count_numbers(field):
            # A whole number before fractions ends a label, as in `Sensor 1,0.5,0.25`: whatever cuts
            # behind it goes before.
            first, *rest = split_cell(field)
            bare.append(n - 2 * (first.isdigit() and all(b"." in token for token in rest)))
    # Several cells of bare numbers are one run of numbers that was cut at the wrong places.
    return single + listed + (bare[0] if len(bare) == 1 else 0)


def cut_roughly(line: bytes, delimiter: bytes) -> list[bytes]:
    """Cut a line at a delimiter, quotes counting where they can."""
    if b'"' in line:
        with suppress(ValueError):
            return split_quoted(line, delimiter)
    fields = line.strip(b" ").split(delimiter)
    return [field for field in fields if field] if delimiter == b" " else fields


def is_csv(lines: Sequence[bytes], delimiter: bytes) -> bool:
    """Tell whether quotes around fields are no part of them.

    So they are between commas, semicolons and bars. Between tabs and blanks they are where every
    field that begins with one is a quoted field, and one of them needs its quotes or a whole column
    has them: R and data frames write so, and a label that is a quote does not.
    """
    if delimiter in b",;|":
        return True
    with_quotes = [line for line in lines if b'"' in line]
    if not with_quotes:
        return False
    needed = False
    columns: list[list[bool]] = []
    for line in with_quotes:
        try:
            fields = split_quoted(line.strip(b" "), delimiter)
        except ValueError:
            return False
        parts = line.strip(b" ").split(delimiter)
        within = [part[:1] == b'"' for part in parts]
        needed |= LINE_END in line or len(parts) != len(fields)
        needed |= any(b'"' in f for f, q in zip(fields, within, strict=False) if q)
        columns.append(within)
    if needed:
        return True
    body = columns[1:] if len(columns) > 1 else columns
    return len(with_quotes) >= len(lines) - 1 and any(map(all, zip(*body, strict=False)))
