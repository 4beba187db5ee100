"""Names of groups: where each stands, and which have room in a view (drawing/names.js).

A name stands at the densest part of its group, not at the middle of all: of a class that lies in
two islands the middle is between them. Lengths are CSS pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embviz.preview.camera import Area
from embviz.preview.labels import Occupied, Rectangle

Rows = NDArray[np.int64]
Numbers = NDArray[np.float64]
_LOOKED_AT = 256
_CELLS = {2: 16, 3: 8}
_SPARSE = 0.3
_APART = 8.0
_LEAST = 0.6
_MOST = 1.2
_ROUNDING = 1e-6
_LONG_LINE = 20


@dataclass(frozen=True, eq=False)
class Stand:
    """Where a name stands in the map.

    Attributes:
        at: float64 (dims,), a place.
        reach: float64 (dims,), how far the part of the group around it reaches along each axis.
    """

    at: Numbers
    reach: Numbers


@dataclass(frozen=True)
class WantedName:
    """A name that could be drawn.

    Attributes:
        text: The name.
        x, y: Where it stands.
        dx, dy: How far its group reaches to each side.
        width, height: Of what is written.
        level: 0 for the coarsest.
        finest: Whether there is no finer one.
        size: How many points of the group are shown.
    """

    text: str
    x: float
    y: float
    dx: float
    dy: float
    width: float
    height: float
    level: int
    finest: bool
    size: int


def gather_groups(
    codes: NDArray[np.integer], n_groups: int, visible: NDArray[np.bool_] | None
) -> tuple[NDArray[np.int64], list[Rows]]:
    """Return how many points of each group are shown, and those that say where it lies."""
    shown = codes >= 0 if visible is None else (codes >= 0) & visible
    rows = np.flatnonzero(shown)
    order = rows[np.argsort(codes[rows], kind="stable")]
    sizes = np.bincount(codes[rows], minlength=n_groups).astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    some = []
    for g in range(n_groups):
        own, size = order[starts[g] : starts[g + 1]], int(sizes[g])
        kept = min(size, _LOOKED_AT)
        steps = (np.arange(size + 1) * kept) // max(1, size)
        some.append(own[steps[1:] > steps[:-1]])
    return sizes, some


def place_group(places: NDArray[np.floating], rows: Rows) -> Stand | None:
    """Return where a group's name stands; None where none of its points has a place.

    Args:
        places: Of all points, (n, dims).
        rows: Of the group.
    """
    own = places[rows].astype(np.float64)
    own = own[np.isfinite(own).all(axis=1)]
    if not len(own):
        return None
    low, span = _usual_box(own)
    cells = _cells_of(own, low, span)
    kept = _densest_part(cells, own.shape[1])
    members = own[(cells >= 0) & kept[cells]]
    part = np.sort(members, axis=0)
    last = len(part) - 1
    at = part[last // 2]
    reach = (part[math.ceil(0.9 * last)] - part[math.floor(0.1 * last)]) / 2
    cell = int(_cells_of(at[None], low, span)[0])
    if cell >= 0 and kept[cell]:
        return Stand(at, reach)
    # Of a crescent the middle is outside: the nearest of its points then.
    away = np.zeros(len(members))
    for j in range(own.shape[1]):
        away += (members[:, j] - at[j]) ** 2 / (span[j] or 1) ** 2
    return Stand(members[int(np.argmin(away))], reach)


def _usual_box(own: Numbers) -> tuple[Numbers, Numbers]:
    ordered = np.sort(own, axis=0)
    last = len(own) - 1
    low = ordered[math.floor(0.05 * last)]
    return low, ordered[math.ceil(0.95 * last)] - low


def _cells_of(own: Numbers, low: Numbers, span: Numbers) -> NDArray[np.int64]:
    """Return the cell that each place is in, -1 outside."""
    side = _CELLS[own.shape[1]]
    cell = np.zeros(len(own), np.int64)
    inside = np.ones(len(own), np.bool_)
    for j in range(own.shape[1]):
        if span[j] > 0:
            part = (own[:, j] - low[j]) / span[j]
        else:
            part = np.where(own[:, j] == low[j], 0.0, -1.0)
        inside &= (part >= 0) & (part <= 1)
        along = np.floor(np.clip(part, 0, 1) * side).astype(np.int64)
        cell = cell * side + np.minimum(side - 1, along)
    return np.where(inside, cell, -1)


def _densest_part(cells: NDArray[np.int64], dims: int) -> NDArray[np.bool_]:
    """Return which cells are of the largest part of a group that holds together."""
    side = _CELLS[dims]
    inside = cells[cells >= 0]
    counts = np.bincount(inside, minlength=side**dims)
    around = counts.reshape((side,) * dims)
    for axis in range(dims):
        wide = np.pad(around, [(1, 1) if i == axis else (0, 0) for i in range(dims)])
        around = sum(np.take(wide, np.arange(side) + shift, axis) for shift in range(3))  # type: ignore[assignment]
    around = around.ravel()
    usual = np.sort(around[inside])[(len(inside) - 1) // 2]
    least = _SPARSE * float(usual)
    part = np.full(len(counts), -1)
    best, most = -1, -1
    for start in np.flatnonzero((counts > 0) & (around >= least)).tolist():
        if part[start] >= 0:
            continue
        part[start] = start
        stack, total = [start], 0
        while stack:
            cell = stack.pop()
            total += int(counts[cell])
            for beside in _beside(cell, dims, side):
                if part[beside] < 0 and around[beside] >= least:
                    part[beside] = start
                    stack.append(beside)
        if total > most:
            best, most = start, total
    found: NDArray[np.bool_] = part == best
    return found


def _beside(cell: int, dims: int, side: int) -> Iterator[int]:
    for j in range(dims):
        step = side**j
        at = cell // step % side
        if at > 0:
            yield cell - step
        if at < side - 1:
            yield cell + step


def order_names(names: Sequence[WantedName], area: Area) -> list[int]:
    """Return the places in the list of what may be drawn, in the order in which it has room.

    The larger group comes first, what is too large for the view last; finer groups that are too
    small for their names are left out.
    """

    def is_late(name: WantedName) -> bool:
        wide = 2 * name.dx > _MOST * area.width or 2 * name.dy > _MOST * area.height
        return wide and not name.finest

    there = [
        i
        for i, name in enumerate(names)
        if name.level == 0 or 2 * max(name.dx, name.dy) >= _LEAST * name.width
    ]
    return sorted(there, key=lambda i: (is_late(names[i]), -names[i].size, names[i].level, i))


def place_names(
    names: Sequence[WantedName], order: Sequence[int], bounds: Area, taken: Sequence[Rectangle] = ()
) -> list[Rectangle | None]:
    """Return the box of each name that has room: on its group, and within the bounds.

    Args:
        names: What could be drawn.
        order: Places in it, those that come first have room first.
        bounds: Names stay within.
        taken: Boxes of what else is written.
    """
    occupied = Occupied()
    for box in taken:
        occupied.add(box)
    said: dict[str, int] = {}
    out: list[Rectangle | None] = [None] * len(names)
    for i in order:
        name = names[i]
        # A finer group with the name of the one around it says nothing new.
        if said.get(name.text, name.level) != name.level:
            continue
        for x, y in _positions(name, bounds):
            w, h = name.width / 2, name.height / 2
            box = (x - w, y - h, x + w, y + h)
            aside, above = _APART, _APART / 2
            room = (box[0] - aside, box[1] - above, box[2] + aside, box[3] + above)
            if not occupied.hits(room):
                occupied.add(box)
                said[name.text] = name.level
                out[i] = box
                break
    return out


def _positions(name: WantedName, bounds: Area) -> Iterator[tuple[float, float]]:
    """Yield where the middle of a name may be."""
    x, y, dx, dy = name.x, name.y, name.dx, name.dy
    up, aside = min(name.height, dy), min(name.width / 2, dx)
    left, right = bounds.left + name.width / 2, bounds.right - name.width / 2
    top, bottom = bounds.top + name.height / 2, bounds.bottom - name.height / 2
    if left > right or top > bottom:
        return
    for u, v in ((x, y), (x, y - up), (x, y + up), (x - aside, y), (x + aside, y)):
        u, v = min(max(u, left), right), min(max(v, top), bottom)
        if abs(u - x) <= dx + _ROUNDING and abs(v - y) <= dy + _ROUNDING:
            yield u, v


def name_lines(text: str) -> list[str]:
    """Return a name in one line, or in two of about the same length where it is long."""
    spaces = [i for i, character in enumerate(text) if character == " "]
    if len(text) <= _LONG_LINE or not spaces:
        return [text]
    half = (len(text) - 1) / 2
    at = min(spaces, key=lambda i: abs(i - half))
    return [text[:at], text[at + 1 :]]
