"""Which columns of numbers are dimensions, and which are counters, identifiers, classes and such.

A name goes before values. Values are trusted only where nothing else is likely: whole numbers at an
end of a table in which all other columns have fractions. What only a person
can know is marked as not sure, so that whoever reads the table may ask.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["counter", "identifier", "class", "time", "gaps", "other"]
WORDS: dict[Kind, str] = {
    "counter": "a row counter",
    "identifier": "an identifier",
    "class": "a class",
    "time": "a time",
    "gaps": "with gaps",
    "other": "named unlike the vector's columns",
}

_CLASS_NAMES = frozenset(
    {"label", "labels", "name", "word", "token", "class", "classes", "target", "cluster"}
    | {"category", "ground_truth", "cls"}
)
_ID_NAMES = frozenset(
    {"id", "ids", "_id", "index", "idx", "uid", "uuid", "guid", "pk", "rowid", "row_id"}
    | {"row", "rownum", "row_number", "rowname", "rownames", "row.names", "level_0"}
    | {"isbn", "ean", "gtin", "sku", "barcode", "zip", "zipcode", "postcode", "phone"}
)
_TIME_NAMES = frozenset({"year", "month", "day", "date", "datetime", "timestamp", "created_at"})
_ID_PART = r"id|ids|idx|index|uuid|guid|key|code|num|nr|no"
_CLASS_PART = r"labels?|class|target|cluster|category"
_OF_ID = re.compile(rf".*[_\-. ](?:{_ID_PART})|(?:id|idx|index)[_\-. ].*|__index_level_\d+__")
_OF_CLASS = re.compile(rf".*[_\-. ](?:{_CLASS_PART})|(?:{_CLASS_PART})[_\-. ].*")
_CAMEL_ID = re.compile(r".*[a-z0-9](?:Id|ID|Idx|Index|Uuid|UUID|Key|Code|Num)")
_CAMEL_CLASS = re.compile(r".*[a-z0-9](?:Label|Class|Target|Cluster|Category)")
_UNNAMED = re.compile(r"unnamed: \d+(?:_level_\d+)?(?:\.\d+)?")  # pandas, of a header's empty cell
_DIGITS = re.compile(r"\d+")
_PLAIN_NUMBER = re.compile(r"[+-]?\d*[.,]?\d+(?:[eE][+-]?\d+)?")
_EMBEDDING = re.compile(r"emb|vec|dim|feat|latent", re.IGNORECASE)

_FEW_ROWS = 10
_SOME_ROWS = 30
_MOST_CLASSES = 30
_NAMED_CLASSES = 12
_GAPS = 0.2
_DWARFING = 1000


@dataclass(frozen=True)
class Aside:
    """A column of numbers that is no dimension.

    Attributes:
        column: Its place among the columns of numbers, from 0.
        kind: What it is.
        sure: Whether that is certain enough to leave it out; else only a person can know.
    """

    column: int
    kind: Kind
    sure: bool = True


def find_asides(
    names: Sequence[str],
    values: NDArray[Any],
    *,
    n_first: int | None = None,
) -> tuple[Aside, ...]:
    """Find the columns of numbers that are no dimensions of a vector.

    Args:
        names: The columns of numbers by name, "" where they have none.
        values: (n_rows, n_columns), some rows in order, NaN for what is missing.
        n_first: How many of these rows are the first ones of the table without a gap; None is all.

    Returns:
        These columns in order. Fewer than two others are left only where names say so.
    """
    numbers = np.asarray(values, np.float64)
    found: dict[int, Aside] = {}
    family = _family(names)
    if any(names):
        found = _by_name(names, numbers, family)
    if len(found) == len(names):
        found = {}
    rest = [c for c in range(len(names)) if c not in found]
    more = {} if len(rest) < 3 else _by_gaps(numbers, rest)
    if not family and len(rest) - len(more) > 2:
        rest = [c for c in rest if c not in more]
        more |= _by_values(names, numbers, rest, len(numbers) if n_first is None else n_first)
    if len(names) - len(found) - len(more) >= 2:
        found |= more
    if len(names) == 2 and not any(names):
        found = _among_two(numbers)
    return tuple(found[c] for c in sorted(found))


def names_vectors(name: str) -> bool:
    """Tell whether a name speaks of vectors."""
    return bool(_EMBEDDING.search(name))


def name_kind(name: str, whole: bool = True) -> Kind | None:
    """Return what a column's name says that it is, None for nothing.

    Args:
        name: The name.
        whole: Whether its values are whole numbers, or text.
    """
    lower = name.strip().lower()
    if _UNNAMED.fullmatch(lower):
        return "counter" if whole else None
    if lower in _CLASS_NAMES:
        return "class"
    if lower in _ID_NAMES:
        return "identifier"
    if lower in _TIME_NAMES:
        return "time" if whole else None
    if not whole:
        return None
    if _OF_ID.fullmatch(lower) or _CAMEL_ID.fullmatch(name.strip()):
        return "identifier"
    if _OF_CLASS.fullmatch(lower) or _CAMEL_CLASS.fullmatch(name.strip()):
        return "class"
    return None


def _family(names: Sequence[str]) -> frozenset[int]:
    """Return the columns whose names are one but for their numbers, where these are the vector.

    They are three or more, and at least half of all; names that are numbers, 400 and 400.5, are one
    family. Of several such families that is meant which speaks of an embedding; where none or
    several do, all are.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for c, name in enumerate(names):
        if _DIGITS.search(name) and not _UNNAMED.fullmatch(name.strip().lower()):
            number = _PLAIN_NUMBER.fullmatch(name.strip())
            groups["#" if number else _DIGITS.sub("#", name.strip())].append(c)
    large = {stem: members for stem, members in groups.items() if len(members) >= 3}
    if 2 * sum(map(len, large.values())) < len(names):
        return frozenset()
    spoken = [stem for stem in large if _EMBEDDING.search(stem)]
    if len(large) > 1 and len(spoken) == 1:
        return frozenset(large[spoken[0]])
    return frozenset(c for members in large.values() for c in members)


def _is_whole(column: NDArray[np.float64]) -> bool:
    finite = column[np.isfinite(column)]
    return bool(len(finite)) and bool((finite == np.rint(finite)).all())


def _by_name(
    names: Sequence[str], values: NDArray[np.float64], family: frozenset[int]
) -> dict[int, Aside]:
    found = {}
    lower = [name.strip().lower() for name in names]
    for c, name in enumerate(names):
        if c in family:
            continue
        whole = not len(values) or _is_whole(values[:, c])
        kind = name_kind(name, whole)
        if kind is None and c == 0 and not lower[c]:
            kind = "counter"
        if kind is None and lower[c] == "y" and whole and "x" not in lower:
            kind = "class"
        if kind is None and family:
            kind = "other"
        if kind is not None:
            found[c] = Aside(c, kind)
    return found


def _by_gaps(values: NDArray[np.float64], rest: list[int]) -> dict[int, Aside]:
    """Find columns of which much is missing, where of all others nothing is."""
    if len(values) < _FEW_ROWS:
        return {}
    missing = np.isnan(values[:, rest]).mean(0)
    gappy = missing > _GAPS
    if gappy.any() and gappy.mean() <= 0.25 and missing[~gappy].max(initial=0.0) < 0.02:
        return {rest[i]: Aside(rest[i], "gaps") for i in np.flatnonzero(gappy).tolist()}
    return {}


def _by_values(
    names: Sequence[str], values: NDArray[np.float64], rest: list[int], n_first: int
) -> dict[int, Aside]:
    """Find whole numbers at the ends of a table that are of another kind than the rest."""
    if len(values) < _FEW_ROWS:
        return {}
    numbers = values[:, rest]
    finite = np.isfinite(numbers)
    with np.errstate(invalid="ignore"):  # NaN that signals, as some files hold.
        whole = ((numbers == np.rint(numbers)) | ~finite).all(0)
    low = np.where(finite, numbers, np.inf).min(0)
    varying = whole & (low < np.where(finite, numbers, -np.inf).max(0))
    ends = _ends(varying)
    others = np.setdiff1d(np.arange(len(rest)), ends)
    # Columns that are the same throughout, such as dead units, say nothing.
    fractional = not varying[others].any() and not whole[others].all()
    found = {}
    if fractional and len(ends) <= max(1, len(rest) // 4):
        for i in ends:
            kind, sure = _whole_kind(numbers[:, i], i == 0, n_first)
            few = len(np.unique(numbers[:, i])) <= _NAMED_CLASSES
            if not names[rest[i]] or kind == "counter":
                found[rest[i]] = Aside(rest[i], kind, sure)
            elif few:
                found[rest[i]] = Aside(rest[i], kind, False)
    elif not any(names):
        for i in (0, len(rest) - 1):
            aside = _among_whole(numbers, i, n_first)
            if aside is not None:
                found[rest[i]] = Aside(rest[i], *aside)
    if rest[0] not in found and _may_identify(numbers):
        found[rest[0]] = Aside(rest[0], "identifier", sure=False)
    return found


def _may_identify(numbers: NDArray[np.float64]) -> bool:
    """Tell whether the first column may identify its rows, whole and all different as it is.

    It does where it alone ascends from row to row, or dwarfs all others in its spread.
    """
    known = numbers[np.isfinite(numbers).all(1)]
    first = known[:, 0]
    if len(first) < _FEW_ROWS or len(np.unique(first)) < len(first) or not _is_whole(first):
        return False
    spread = np.ptp(known, axis=0)
    ascending = np.diff(known, axis=0).min(0) > 0
    alone = bool(ascending[0]) and not ascending[1:].any()
    return alone or bool(spread[0] >= _DWARFING * spread[1:].max())


def _among_two(numbers: NDArray[np.float64]) -> dict[int, Aside]:
    """Find the number of each row beside a count, as dictionaries of words hold them."""
    if len(numbers) < _FEW_ROWS or not np.isfinite(numbers).all():
        return {}
    if (numbers != np.rint(numbers)).any() or numbers.min() < 0:
        return {}
    kinds = [len(np.unique(column)) for column in numbers.T]
    first = int(kinds[1] > kinds[0])
    alone = kinds[first] == len(numbers) and 2 * kinds[1 - first] <= len(numbers)
    return {first: Aside(first, "identifier", sure=False)} if alone else {}


def _ends(varying: NDArray[np.bool_]) -> list[int]:
    """Return the columns of whole numbers at both ends of a table."""
    n = len(varying)
    stop = int(np.argmin(varying)) if not varying.all() else n
    start = n - int(np.argmin(varying[::-1])) if not varying.all() else n
    return [*range(stop), *range(start, n)]


def _whole_kind(column: NDArray[np.float64], leading: bool, n_first: int) -> tuple[Kind, bool]:
    """Return what whole numbers beside fractions are, and whether that is sure."""
    if leading and _counts(column, n_first):
        return "counter", True
    known = column[np.isfinite(column)]
    n = len(np.unique(known))
    if n <= _MOST_CLASSES and 2 * n <= len(known):
        return "class", True
    return "identifier", 20 * n >= 19 * len(known)


def _counts(column: NDArray[np.float64], n_first: int) -> bool:
    """Tell whether a column counts its rows from 0 or 1."""
    if n_first < _FEW_ROWS or column[0] not in (0, 1):
        return False
    first = column[:n_first] - column[0]
    return bool((first == np.arange(n_first)).all()) and bool((np.diff(column) > 0).all())


def _among_whole(numbers: NDArray[np.float64], i: int, n_first: int) -> tuple[Kind, bool] | None:
    """Tell whether a column of a table of whole numbers counts its rows, or may be a class."""
    others = np.delete(numbers, i, axis=1)
    steps = np.diff(others, axis=0)
    if ((steps >= 0).all(0) & (steps > 0).any(0)).mean() > 0.1:
        return None  # Other columns ascend as well, so that ascending says nothing.
    if i == 0 and _counts(numbers[:, i], n_first):
        return "counter", True
    if len(numbers) < _SOME_ROWS or not _like_classes(numbers[:, i]):
        return None
    most = np.nanmax(numbers[:, i])
    alike = np.mean([_like_classes(c) and bool(c.max() <= most + 1) for c in others.T])
    return ("class", False) if np.nanmax(others) > most and alike <= 0.1 else None


def _like_classes(column: NDArray[np.float64]) -> bool:
    """Tell whether values are 0 to k or 1 to k, each about as frequent or in ascending order."""
    if not np.isfinite(column).all() or (column != np.rint(column)).any():
        return False
    classes, counts = np.unique(column, return_counts=True)
    n = len(classes)
    if not 2 <= n <= _MOST_CLASSES or classes[0] not in (0, 1):
        return False
    if bool((np.diff(column) >= 0).all()):
        return True
    share = counts * (n / len(column))
    return bool(classes[-1] - classes[0] == n - 1 and share.min() >= 0.15 and share.max() <= 4)
