"""What a run takes, said before it where that is much, and refused where the memory is not there.

The estimates are for words of the terminal only: nothing that is computed depends on them.
docs/performance.md says how they were measured, and how far off they are.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from embviz.errors import ParameterError
from embviz.kernels import count_cores
from embviz.kernels.memory import available_memory
from embviz.neighbors.graph import FLAT_COST
from embviz.projections.work import Work
from embviz.space import Space

log = logging.getLogger("embviz")

GB = 1_000_000_000
TOLD_SECONDS = 90
TOLD_SHARE = 0.5
"""A line is said of a run that takes so long, or so much of the memory there is."""
CERTAIN = 1.5
"""A run is refused whose estimate is so many times the memory there is: it may be off by less."""
ENDLESS = 90 * 86_400.0
"""A run is refused that takes so many seconds."""
BASE, START = 0.3 * GB, 1.5  # Python and the libraries, and their seconds.

# Seconds of a processor, fitted to bench/growth.py: a multiplication and a pair of points that are
# compared; a point whose neighbors are sought in cells, and more for each dimension.
_PRODUCT, _PAIR = 1.6e-11, 3.9e-9
_SOUGHT, _SOUGHT_DIM = 7e-5, 6e-7
_MEASURED = 2.7e-5  # A point of a picture whose quality is measured beside neighbors of all points.
_WRITTEN = 5e-5  # A point that is packed into the page, and a number where vectors travel.
_TRAVELS, _NUMBER, _NUMBER_BYTES = 25_000_000, 4e-7, 35
_DIM = 1.5e-3  # A dimension, of which components are found.
_ALONE = 3.0  # Where there are no neighbors, some points of a picture are measured.
_MOMENTS, _EIGEN = 24, 2  # Bytes of a product of two dimensions, and their steps.
_LISTED = 32  # Bytes of a neighbor while it is found.
_KEPT = 8  # Afterwards.
_SPENT = 1.1  # Of candidates beyond the neighbors where all points are compared.


@dataclass(frozen=True)
class Cost:
    """What a run takes.

    Attributes:
        stages: In the order of their seconds.
        seconds: All together, on so many cores.
        memory: Bytes at the peak.
        n_cores: How many.
    """

    stages: tuple[Work, ...]
    seconds: float
    memory: float
    n_cores: int


def estimate_cost(
    shape: tuple[int, int],
    projectors: Sequence[Any],
    graphs: Mapping[Any, int],
    n_cores: int | None = None,
) -> Cost:
    """Return about what it takes to make pictures, to measure them and to write their page.

    Args:
        shape: Points and dimensions.
        projectors: Those whose pictures are made; what one has no `work` of counts for nothing.
        graphs: How many neighbors of each point are sought, by the space in which they are.
        n_cores: How many there are; None is those of this process.
    """
    n_points, n_dims = shape
    n_cores = n_cores or count_cores()
    found = [_graph_work(n_points, n_dims, k) for k in graphs.values()]
    kept = sum(_KEPT * k * n_points for k in graphs.values())
    made = [p.work(n_points) for p in projectors if hasattr(p, "work")]
    n_pictures = len(projectors) + 1
    numbers = n_points * n_dims if n_points * n_dims <= _TRAVELS else 0
    written = START + _DIM * n_dims + _WRITTEN * n_points + _NUMBER * numbers
    packed = 400.0 * n_points + _NUMBER_BYTES * numbers
    measured = _MEASURED * n_pictures * n_points if graphs else _ALONE * n_pictures
    held = (500.0 if graphs else 100.0) * n_points
    side = min(n_points, n_dims)
    components = (float(n_points) * n_dims + _EIGEN * side**2) * side * _PRODUCT
    rest = [
        Work("PCA", components, _MOMENTS * float(side) ** 2),
        Work("quality", measured, held, 0.7),
        Work("page", written, packed, 0.3),
    ]
    stages = tuple(sorted((*found, *made, *rest), key=lambda w: -w.seconds(n_cores)))
    sought = max((w.held for w in found), default=0.0)
    later = kept + max((w.held for w in (*made, *rest)), default=0.0)
    seconds = math.fsum(w.seconds(n_cores) for w in stages)
    return Cost(stages, seconds, BASE + max(sought, later), n_cores)


def _pairs_work(n_points: int, n_dims: int, k: int) -> Work:
    """Return what it takes to compare all points with all."""
    held = n_points * (_LISTED * k + 4.0 * n_dims) + 12 * _SPENT * k * n_points
    return Work("all pairs", float(n_points) ** 2 * (n_dims * _PRODUCT + _PAIR), held)


def _graph_work(n_points: int, n_dims: int, k: int) -> Work:
    """Return what it takes to find the nearest neighbors of all points."""
    held = n_points * (_LISTED * k + 4.0 * n_dims)
    if float(n_points) ** 2 * n_dims <= FLAT_COST:
        return replace(_pairs_work(n_points, n_dims, k), what="graph")
    cpu = n_points * (_SOUGHT + n_dims * _SOUGHT_DIM)
    return Work("graph", cpu, held + 4.0 * n_points * min(n_dims, 80), 0.9)


def check_cost(
    space: Space, projectors: Sequence[Any], graphs: Mapping[Any, int], way_out: str = ""
) -> None:
    """Say what a run takes where that is much, and refuse it where the memory is not there.

    Args:
        space: Of the points; on a card nothing is said.
        projectors: As for `estimate_cost`.
        graphs: Likewise.
        way_out: What else takes less.

    Raises:
        ParameterError: If the run needs more memory than there is, or would not end.
    """
    if space.arrays is None:
        _tell(space.shape, refuse_cost(space.shape, projectors, graphs, way_out))


def check_all_pairs(shape: tuple[int, int], k: int, exact: bool) -> None:
    """Say what listing the neighbors of all points takes where that is much, as `check_cost` does.

    Args:
        shape: Points and dimensions.
        k: Neighbors of each.
        exact: Whether all are compared with all.

    Raises:
        ParameterError: If the run needs more memory than there is, or would not end.
    """
    work = _pairs_work(*shape, k) if exact else _graph_work(*shape, k)
    n_cores = count_cores()
    cost = Cost((work,), work.seconds(n_cores), BASE + work.held, n_cores)
    sure = "leave out --exact, or ask of some points: --batch FILE"
    _refuse(shape, cost, sure if exact else "ask of some points: --batch FILE")
    _tell(shape, cost)


def _tell(shape: tuple[int, int], cost: Cost) -> None:
    available = available_memory()
    if cost.seconds >= TOLD_SECONDS or (available and cost.memory > TOLD_SHARE * available):
        log.info("%s: %s", _shown(shape), describe_cost(cost))


def refuse_cost(
    shape: tuple[int, int],
    projectors: Sequence[Any],
    graphs: Mapping[Any, int],
    way_out: str = "",
) -> Cost:
    """Return what a run takes, and refuse it where the memory is not there.

    Args:
        shape: Points and dimensions.
        projectors: As for `estimate_cost`.
        graphs: Likewise.
        way_out: What else takes less memory.

    Raises:
        ParameterError: If the run needs more memory than there is.
    """
    cost, available = estimate_cost(shape, projectors, graphs), available_memory()
    fits = _round_down(shape[0] * (available - BASE) / (CERTAIN * (cost.memory - BASE)))
    fewer = f"--sample {fits} fits" if fits >= 1000 else "--sample takes fewer points"
    if cost.memory <= CERTAIN * available:
        fewer = "--sample takes fewer points"
    _refuse(shape, cost, way_out or f"{fewer}, and --place-all DIR beside it places all points")
    return cost


def _refuse(shape: tuple[int, int], cost: Cost, way_out: str) -> None:
    """Refuse what needs more memory than there is, or would not end.

    Raises:
        ParameterError: With the way out.
    """
    available = available_memory()
    if available and cost.memory > CERTAIN * available:
        why = f"needs about {_size(cost.memory)} of memory, and {_size(available)} are there"
        raise ParameterError(_shown(shape), why, way_out)
    if cost.seconds > ENDLESS:
        raise ParameterError(_shown(shape), f"would take {_duration(cost.seconds)}", way_out)


def _shown(shape: tuple[int, int]) -> str:
    return f"{shape[0]:,} × {shape[1]:,}"


def describe_cost(cost: Cost) -> str:
    """Return a cost in words: about 12 minutes and 6 GB on 2 cores (t-SNE 2D 8, graph 3)."""
    unit, _ = _unit(cost.seconds)
    least = cost.seconds / 20
    parts = [w for w in cost.stages if w.seconds(cost.n_cores) >= least][:4]
    listed = ", ".join(f"{w.what} {_number(w.seconds(cost.n_cores) / unit)}" for w in parts)
    cores = "1 core" if cost.n_cores == 1 else f"{cost.n_cores} cores"
    return f"{_duration(cost.seconds)} and {_size(cost.memory)} on {cores} ({listed})"


def _duration(seconds: float) -> str:
    unit, name = _unit(seconds)
    return f"about {_number(seconds / unit)} {name}"


def _unit(seconds: float) -> tuple[float, str]:
    """Return the unit that a time is said in: its seconds and its name."""
    units = ((1, "seconds"), (60, "minutes"), (3600, "hours"), (86_400, "days"))
    return next((u for u in reversed(units) if seconds >= TOLD_SECONDS / 60 * u[0]), units[0])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:.1f}"


def _size(n_bytes: float) -> str:
    return f"{n_bytes / GB:.0f} GB" if n_bytes >= 10 * GB else f"{n_bytes / GB:.1f} GB"


def _round_down(value: float) -> int:
    """Return a whole number of two digits and zeros that is not above a value."""
    if value < 1:
        return 0
    step = 10 ** max(0, int(math.log10(value)) - 1)
    return int(value // step * step)
