"""Which color each point has, and the legend, as the page has them (drawing/color.js, table.js)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.clusters.classes import count_distinct
from embviz.model import EmbeddingTable, is_numeric
from embviz.preview.collation import natural_key
from embviz.preview.theme import RGB, Theme, gradient, palette

_MOST_CATEGORIES = 12
"""Numbers of more distinct values than that are a gradient."""
_MOST_COLLATED = 5000
_MOST_NUMBERS = 60


@dataclass(frozen=True)
class Entry:
    """A line of the legend: what it is called, and how many points have it, of how many.

    `color` is None where several lines are told of in one.
    """

    name: str
    count: int
    shown: int
    color: RGB | None


@dataclass(frozen=True, eq=False)
class Coloring:
    """The points' colors and what they mean.

    Attributes:
        colors: uint8 (n_points, 3).
        column: What they are colored by; None is one color for all.
        entries: Of categories, the most frequent or least first; `rest` are those without a color
            of their own, which come last.
        ends: Of a gradient: the least and the largest value.
    """

    colors: NDArray[np.uint8]
    column: str | None = None
    entries: tuple[Entry, ...] = ()
    rest: tuple[Entry, ...] = ()
    ends: tuple[float, float] | None = None


def color_points(
    table: EmbeddingTable, column: str | None, visible: NDArray[np.bool_] | None, theme: Theme
) -> Coloring:
    """Color the points by a column; of what is not visible, legends count how many are."""
    if column is None:
        return Coloring(np.full((table.n_points, 3), theme.plain, np.uint8))
    values = table.metadata[column]
    is_number = is_numeric(values)
    if is_number and count_distinct(values, _MOST_CATEGORIES) > _MOST_CATEGORIES:
        return _by_number(values, column, visible, theme)
    return _by_category(values, column, is_number, visible, theme)


def order_categories(counts: dict[str, int], is_number: bool) -> list[str]:
    """Return the values of a column in the order of the legend.

    Args:
        counts: How often each occurs, in the order in which they first do.
        is_number: Whether all are numbers.
    """
    few = len(counts) <= _MOST_NUMBERS and all(math.isfinite(_number(v)) for v in counts)
    if is_number or few:
        return sorted(counts, key=lambda v: (_rank(_number(v)), natural_key(v)))
    if len(counts) <= _MOST_COLLATED:
        return sorted(counts, key=lambda v: (-counts[v], natural_key(v)))
    return sorted(counts, key=lambda v: -counts[v])


def _number(value: str) -> float:
    """Return a value as the page's script reads it as a number; NaN where it is none."""
    text = value.strip()
    if text == "":
        return 0.0
    if "_" in text or text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        return math.nan
    try:
        return float(text)
    except ValueError:
        return math.nan


def _rank(number: float) -> float:
    return math.inf if math.isnan(number) else number


def _by_category(
    values: Sequence[str],
    column: str,
    is_number: bool,
    visible: NDArray[np.bool_] | None,
    theme: Theme,
) -> Coloring:
    counts = dict(Counter(values))
    n_missing = counts.pop("", 0)
    names = order_categories(counts, is_number)
    colors = palette(len(names), theme.dark)
    codes = {name: min(code, len(colors)) for code, name in enumerate(names)}
    codes[""] = len(colors) + 1
    of = np.fromiter((codes[value] for value in values), np.int64, len(values))
    shades = np.array([*colors, theme.rest, theme.rest], np.uint8)
    seen = of if visible is None else of[visible]
    shown = np.bincount(seen, minlength=len(colors) + 2).tolist()
    entries = tuple(
        Entry(name, counts[name], shown[code], colors[code])
        for code, name in enumerate(names[: len(colors)])
    )
    rest = []
    if len(names) > len(colors):
        left = sum(counts[name] for name in names[len(colors) :])
        told = f"{len(names) - len(colors):,} other values"
        rest.append(Entry(told, left, shown[len(colors)], theme.rest))
    if n_missing:
        rest.append(Entry("missing", n_missing, shown[-1], theme.rest))
    return Coloring(shades[of], column, entries, tuple(rest))


def as_numbers(values: Sequence[str]) -> NDArray[np.float64]:
    """Return the numbers of a column, NaN where one is missing or not finite."""
    found = np.fromiter((float(v) if v.strip() else math.nan for v in values), float, len(values))
    found[~np.isfinite(found)] = np.nan
    return found


def _by_number(
    values: Sequence[str], column: str, visible: NDArray[np.bool_] | None, theme: Theme
) -> Coloring:
    numbers = as_numbers(values)
    missing = np.isnan(numbers)
    low, high = float(np.nanmin(numbers)), float(np.nanmax(numbers))
    part = _parts(numbers, low, high)
    steps = gradient(np.arange(256) / 255, theme.dark)
    place = np.where(missing, 0, np.floor(255 * part + 0.5)).astype(int) if high > low else 128
    colors = np.where(missing[:, None], np.array(theme.rest, np.uint8), steps[place])
    rest: tuple[Entry, ...] = ()
    if missing.any():
        shown = int(missing.sum() if visible is None else missing[visible].sum())
        rest = (Entry("missing", int(missing.sum()), shown, theme.rest),)
    return Coloring(np.ascontiguousarray(colors, np.uint8), column, (), rest, (low, high))


def _parts(numbers: NDArray[Any], low: float, high: float) -> NDArray[np.float64]:
    """Return how far each number is from the least to the largest, 0 to 1."""
    with np.errstate(over="ignore", invalid="ignore"):
        if math.isfinite(high - low):
            return (numbers - low) / (high - low)
        return numbers / 2 / high / 2 + 0.5
