"""Numbers as other countries write them: decimal commas are read, what is ambiguous is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence

from embviz.errors import LoadError, printable
from embviz.loaders.text.cells import MISSING
from embviz.loaders.text.fields import DECIMAL_COMMA, THOUSANDS, is_number, like_number

_EITHER = re.compile(rb"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_SIGNED_ZERO = re.compile(rb"-0")
_WHOLE = re.compile(rb"[+-]?[0-9]+")
_FRACTION = re.compile(rb"0[0-9]+")
_BETWEEN = re.compile(rb"[,;|]? +|[;|]")


def has_decimal_commas(rows: Sequence[Sequence[bytes]], shown: str, given: bool = False) -> bool:
    """Tell whether numbers are written with decimal commas.

    Args:
        rows: Fields of some rows, all of one length.
        shown: The file as it is named to the user.
        given: Whether the user says which columns are the vector: what is ambiguous is text.

    Raises:
        LoadError: If thousands are separated, or a comma may separate either.
    """
    columns = [
        [f.strip() for f in column if f.strip() not in MISSING]
        for column in zip(*rows, strict=True)
    ]
    points = [
        any(b"." in f and b"," not in f and is_number(f) for f in column) for column in columns
    ]
    n_points, n_commas = sum(points), 0
    with_commas: list[bytes] = []
    for known in columns:
        commas = [field for field in known if b"," in field]
        if not commas or not all(map(like_number, known)):
            continue
        grouped = [field for field in commas if not DECIMAL_COMMA.fullmatch(field)]
        if len({field.count(b",") for field in commas}) == 1 and commas[0].count(b",") > 1:
            continue  # Several numbers, separated by commas.
        if grouped or (n_points and all(map(THOUSANDS.fullmatch, commas))):
            if given:
                continue
            raise _thousands((grouped or commas)[0], shown)
        with_commas += commas
        n_commas += 1
    if n_commas <= n_points:
        return False
    if n_points:
        if given:
            return False
        raise LoadError(
            shown,
            f"{n_commas} columns have commas in numbers and {n_points} points",
            "write all numbers alike",
        )
    if len(with_commas) > 2 and all(map(_EITHER.fullmatch, with_commas)):
        if given:
            return False
        raise LoadError(
            shown,
            f"'{printable(with_commas[0].decode(), 40)}' may have a decimal comma or separate "
            "thousands",
            "write numbers with decimal points",
        )
    return True


def _thousands(field: bytes, shown: str) -> LoadError:
    german = field.rfind(b",") > field.find(b".") > 0
    options = "thousands='.', decimal=','" if german else "thousands=','"
    return LoadError(
        shown,
        f"'{printable(field.decode(), 40)}' has thousands separators",
        f"write numbers without them (pandas: read_csv with {options}, then to_csv)",
    )


def refuse_commas_for_both(rows: Sequence[Sequence[bytes]], shown: str) -> None:
    """Refuse rows of commas in which commas also stand for decimal points.

    Args:
        rows: Fields of some rows, cut at commas.
        shown: The file as it is named to the user.

    Raises:
        LoadError: If every second field looks like the digits behind a comma.
    """
    width = len(rows[0])
    for first in (0, 1):
        whole = [field.strip() for row in rows for field in row[first : width - 1 : 2]]
        parts = [field.strip() for row in rows for field in row[first + 1 : width : 2]]
        if (width - first) % 2 or len(parts) < 8 or len(whole) != len(parts):
            continue
        if not all(map(_WHOLE.fullmatch, whole)) or not all(f.isdigit() for f in parts):
            continue
        digits = sorted(map(len, parts))[len(parts) // 2]
        even = sum(len(f) == digits for f in parts)
        telling = any(map(_SIGNED_ZERO.fullmatch, whole)) or any(map(_FRACTION.fullmatch, parts))
        if digits > 1 and telling and even >= 0.8 * len(parts):
            start = b",".join(rows[0][first : first + 4]).decode("utf-8", "replace")
            raise LoadError(
                shown,
                f"commas between numbers and, it seems, within them ('{printable(start, 40)}')",
                "save it with semicolons or tabs between numbers; if they are whole numbers, "
                "--columns all takes each",
            )


def refuse_commas_in_lists(cells: Sequence[bytes], shown: str) -> None:
    """Refuse vectors in brackets whose numbers have decimal commas: `[0,1, 0,2]`, `[0,1; 0,2]`.

    Args:
        cells: Some lists of numbers.
        shown: The file as it is named to the user.

    Raises:
        LoadError: If in all of them most numbers between blanks or semicolons have one comma.
    """
    if cells and all(map(_has_commas_within, cells)):
        start = printable(cells[0].decode("utf-8", "replace"), 40)
        raise LoadError(
            shown,
            f"lists of numbers with decimal commas, it seems ('{start}')",
            "write them with decimal points",
        )


def _has_commas_within(cell: bytes) -> bool:
    tokens = [*filter(None, _BETWEEN.split(cell.strip(b"[](){} ")))]
    commas = sum(map(bool, map(DECIMAL_COMMA.fullmatch, tokens)))
    return len(tokens) > 1 and 2 * commas > len(tokens) and all(map(like_number, tokens))
