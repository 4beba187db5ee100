"""How projections travel in the page, and which parts of them only where there is room."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.comparison.values import Steps
from embviz.errors import ParameterError, counted
from embviz.model import Frames, Projection
from embviz.pictures.captions import explain_measure
from embviz.report.blocks import (
    FEW_VALUES,
    Block,
    array_block,
    coordinates_block,
    frames_block,
    plain,
    through_steps,
)
from embviz.report.budget import Level, Made, Offer
from embviz.report.steps import is_of_steps

SHOWN = 3
"""Components of a linear projection that travel in any case."""
FINE, COARSE = 16, 14
"""Bits of these components, and of others: at 20 times the size of a plot of 800 pixels, in which
all points lie, a step of the others is a pixel."""
LEAST_FRAMES = 5
"""Recorded frames without which the points would move as they never did."""
Maker = Callable[[], Block]


COORDINATES, MEASURED, COMPONENTS = "coordinates", "measured", "components"
FRAMES, DIGITS = "frames", "digits"
"""What is offered of a projection, in the order in which it gets room."""


@dataclass(frozen=True, eq=False)
class Packed:
    """What travels of a projection in any case, and what is offered of it.

    Attributes:
        projection: The projection.
        entry: What the manifest says of it, without what is offered.
        makers: Make the blocks that travel in any case.
        whole: Whether its frames are the states of the report, which all travel.
    """

    projection: Projection
    entry: Mapping[str, Any]
    makers: tuple[Maker, ...]
    whole: bool

    @property
    def block(self) -> str:
        """What the names of its blocks begin with."""
        return f"{self.projection.key}_{self.projection.coordinates.shape[1]}"

    @property
    def n_components(self) -> int:
        """How many components it has."""
        return int(self.projection.coordinates.shape[1])

    @property
    def n_shown(self) -> int:
        """How many of them travel in any case."""
        can_leave = self.projection.kind == "linear" and self.projection.frames is None
        return min(SHOWN, self.n_components) if can_leave else self.n_components

    def name(self, what: str) -> str:
        """Return the name of an offer of it."""
        return f"{what} of {self.block}"

    def offers(self) -> list[Offer]:
        """Return what is offered of it, each by its name."""
        found = [Offer(self.name(COORDINATES), (self._places(self.n_shown),), is_needed=True)]
        if self.projection.per_point:
            found.append(Offer(self.name(MEASURED), (self._measured(),)))
        best = self.name(COORDINATES)
        if self.n_shown < self.n_components:
            counts = range(self.n_components, self.n_shown, -1)
            levels = tuple(map(self._places, counts))
            found.append(Offer(self.name(COMPONENTS), levels, better=best))
            best = self.name(COMPONENTS)
        if self.projection.frames is not None and not self.whole:
            found.append(Offer(self.name(FRAMES), self._frames(self.projection.frames)))
        if self.projection.coordinates.size <= FEW_VALUES:
            exact = (self._places(self.n_components, exact=True),)
            found.append(Offer(self.name(DIGITS), exact, better=best))
        return found

    def finish(self, taken: Mapping[str, Made]) -> dict[str, Any]:
        """Return what the manifest says of it, with what travels of what was offered."""
        found: dict[str, Any] = dict(self.entry)
        for what in (COORDINATES, MEASURED, COMPONENTS, FRAMES, DIGITS):
            made = taken.get(self.name(what))
            found |= made.entry if made else {}
        return found

    def _places(self, n_components: int, exact: bool = False) -> Level:
        """Return the level at which some components travel, in steps or as float32."""
        name = f"{self.block}_coordinates"
        own = np.asarray(self.projection.coordinates, np.float32)[:, :n_components]
        bits = [FINE if i < SHOWN else COARSE for i in range(n_components)]
        pack = array_block if exact else partial(coordinates_block, bits=bits)

        @cache
        def make() -> Made:
            entry = {
                "n_components": n_components,
                "coordinates": name,
                "axes": list(self.projection.axes[:n_components]),
            }
            return Made((pack(name, own),), entry)

        bound = own.size * (4 if exact else 2) * 134 // 100 + 2_000 + 200 * n_components
        return Level(bound, lambda: bound if own.size > FEW_VALUES else make().size, make)

    def _measured(self) -> Level:
        """Return the level at which what was measured of each point travels."""

        @cache
        def make() -> Made:
            entries, blocks = [], []
            for i, (name, values) in enumerate(self.projection.per_point.items()):
                block = f"{self.block}_per_point_{i}"
                about = explain_measure(name)
                entry = {"name": f"{name} {self.projection.title}", "block": block}
                entries.append(entry if about is None else {**entry, "about": about})
                blocks.append(_measured_block(block, np.asarray(values, np.float32)))
            return Made(tuple(blocks), {"per_point": entries})

        n_points, measured = len(self.projection.coordinates), self.projection.per_point
        names = sum(len(name) + len(self.projection.title) for name in measured)
        bound = len(measured) * (n_points * 4 * 134 // 100 + 1_000) + 6 * names
        return Level(bound, lambda: make().size, make)

    def _frames(self, frames: Frames) -> tuple[Level, ...]:
        """Return the levels of recorded frames: all, or fewer, always with the first and last."""
        n_frames = len(frames.steps)
        least = min(LEAST_FRAMES, n_frames)

        @cache
        def of_one() -> int:
            middle = np.asarray(frames.coordinates[n_frames // 2 : n_frames // 2 + 1])
            return len(frames_block("one", middle).text)

        told = 200 + 60 * len(frames.figures)

        def level(count: int) -> Level:
            bound = count * (frames.coordinates[0].size * 2 * 134 // 100 + told) + 2_000
            return Level(
                bound,
                lambda: count * (of_one() + told),
                lambda: self._pack_frames(frames, spread(n_frames, count)),
            )

        return tuple(map(level, range(n_frames, least - 1, -1)))

    def _pack_frames(self, frames: Frames, keep: list[int]) -> Made:
        makers: list[Maker] = []
        if self.projection.kind == "map":
            frames = replace(frames, coordinates=_as_large_as_the_last(frames.coordinates))
        entry = frames_entry(frames, f"{self.block}_frames", makers, keep)
        return Made(tuple(make() for make in makers), {"frames": entry})


def pack_projections(
    projections: Sequence[Projection], n_points: int, steps: Steps | None, space: str
) -> list[Packed]:
    """Return what travels of projections.

    Args:
        projections: With keys that differ.
        n_points: Of the report.
        steps: The states of its points, where there are several.
        space: The key of the space that they are of.

    Raises:
        ParameterError: If one has another number of points, or cannot be drawn.
    """
    packed = []
    for projection in projections:
        projection.check_points(n_points)
        check_components(projection)
        packed.append(_pack(projection, steps, space))
    return packed


def check_components(projection: Projection) -> None:
    """Refuse what cannot be drawn: fewer than 2 components, or a map of more than 3."""
    n_components = int(projection.coordinates.shape[1])
    if n_components < 2 or (n_components > 3 and projection.kind == "map"):
        raise ParameterError(
            f"projection {projection.key}",
            f"{counted(n_components, 'component')}, and a picture has 2 or 3",
            'kind="linear" leaves the last ones out' if n_components > 3 else "",
        )


def _pack(projection: Projection, steps: Steps | None, space: str) -> Packed:
    makers: list[Maker] = []
    block = f"{projection.key}_{projection.coordinates.shape[1]}"
    entry: dict[str, Any] = {
        "key": projection.key,
        "method": projection.name,
        "title": projection.title,
        "kind": projection.kind,
        "space": space,
        "params": plain(projection.params),
        "stats": plain(projection.stats),
    }
    frames = projection.frames
    whole = frames is not None and is_of_steps(frames, steps)
    if frames is not None and whole:
        entry["frames"] = frames_entry(frames, f"{block}_frames", makers)
    if projection.directions is not None and "axes" in projection.params:
        # Of axes between queries the page measures other points, and new ends.
        entry["directions"] = f"{block}_directions"
        makers.append(partial(array_block, entry["directions"], projection.directions))
    return Packed(projection, entry, tuple(makers), whole)


def _as_large_as_the_last(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return steps of a map (m, n, k), each in a box whose longest side and middle are the last's.

    A map's scale means nothing, and the first steps of t-SNE are a ten-thousandth as large as its
    last: less than one of the 65,536 steps in which coordinates travel.
    """
    low, high = (end.astype(np.float64) for end in (frames.min(axis=1), frames.max(axis=1)))
    sides = (high - low).max(axis=1)
    scale = sides[-1] / np.where(sides > 0, sides, 1)
    middle = (low + high) / 2
    shift = middle[-1] - scale[:, None] * middle
    placed: NDArray[np.float32] = (scale[:, None, None] * frames + shift[:, None]).astype(
        np.float32
    )
    return placed


def frames_entry(
    frames: Frames, block: str, makers: list[Maker], keep: list[int] | None = None
) -> dict[str, Any]:
    """Return what the manifest says of recorded frames, and add what makes their block.

    Args:
        frames: The frames.
        block: The name of their block.
        makers: Where the maker is added.
        keep: Which of them travel; None for all of the states of a report.
    """
    whole = keep is None
    kept = list(range(len(frames.steps))) if keep is None else keep
    coordinates = np.asarray(frames.coordinates)[kept]
    makers.append(partial(frames_block, block, coordinates, whole))
    # The page makes room for all steps before it has them.
    ends = {"min": coordinates.min(axis=(0, 1)), "max": coordinates.max(axis=(0, 1))}
    return {
        **({"bounds": plain(ends)} if whole else {}),
        "block": block,
        "unit": frames.unit,
        "steps": [frames.steps[i] for i in kept],
        "figures": {
            name: plain([values[i] for i in kept]) for name, values in frames.figures.items()
        },
    }


def places_in_page(
    projection: Projection, dims: int, steps: Steps | None
) -> list[NDArray[np.float32]]:
    """Return where a page has all points, float32 (n, dims) at each of its states.

    Coordinates travel in steps, but few ones, for which a page of the usual size has room.
    """
    own = np.asarray(projection.coordinates, np.float32)
    last = own[:, :dims] if own.size <= FEW_VALUES else through_steps(own[:, :dims], FINE)
    frames = projection.frames
    if frames is None or not is_of_steps(frames, steps):
        return [last]
    coordinates = np.asarray(frames.coordinates)[:, :, :dims]
    return [*through_steps(coordinates, FINE)[:-1], last]


def spread(n_frames: int, count: int) -> list[int]:
    """Return some of recorded frames, evenly, always the first and the last."""
    return sorted({round(i) for i in np.linspace(0, n_frames - 1, count).tolist()})


def _measured_block(name: str, values: NDArray[np.float32]) -> Block:
    """Pack what was measured of points; shares, to half of a thousandth, as the page shows them."""
    known = values[np.isfinite(values)]
    are_shares = known.min(initial=0) >= 0 and known.max(initial=0) <= 1
    return array_block(name, values.astype(np.float16) if are_shares else values)
