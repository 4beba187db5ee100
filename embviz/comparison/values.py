"""States of the same points as values, and what is found between two of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Metric, Neighbors
from embviz.rows import freeze

FEW, MANY = 10, 50
"""How many neighbors are looked at, for each point and for the figures."""


@dataclass(frozen=True, eq=False)
class Step:
    """One state of points that several states have.

    Attributes:
        name: As the page shows it: a file's name, a number of training steps.
        table: The points that are there in this state, in the order of all points. Its vectors are
            of this state, and may have another width than those of other states.
        present: bool (n_points,), which of all points are there; None where all are.
        neighbors: The nearest others of each point that is there, among all points by their
            indices: int32 (points there, k). None where they were not looked for.
    """

    name: str
    table: EmbeddingTable
    present: NDArray[np.bool_] | None = None
    neighbors: Neighbors | None = None

    def __post_init__(self) -> None:
        if self.present is not None:
            object.__setattr__(self, "present", freeze(self.present))
        n_here = self.table.n_points
        if self.present is not None and int(self.present.sum()) != n_here:
            raise ParameterError(
                f"step {self.name}", f"{n_here} vectors for {int(self.present.sum())} points"
            )
        if self.neighbors is not None and len(self.neighbors.indices) != n_here:
            raise ParameterError(
                f"step {self.name}",
                f"neighbors of {len(self.neighbors.indices)} points where {n_here} are there",
            )


@dataclass(frozen=True, eq=False)
class Steps:
    """States of the same points, in order: a run over time, or two models.

    Attributes:
        steps: At least two, none of the same name.
        table: All points, with the columns and thumbnails that hold throughout, and the vectors of
            the last step.
        kind: `run`, or `comparison` of two.
        figures: What was measured of each step, by name, a value a step; None where it was not:
            `kept_from_previous` and `kept_of_last`, the mean share of the 10 nearest neighbors in
            common with the step before, and with the last one.
        comparison: What changed between the two of a comparison, of the same points.
        notes: What a reader is told, a sentence each, such as which points are left out.
    """

    steps: tuple[Step, ...]
    table: EmbeddingTable
    kind: Literal["run", "comparison"] = "run"
    figures: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    comparison: Comparison | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "figures", MappingProxyType(dict(self.figures)))
        n_points = self.table.n_points
        if len(self.steps) < 2 or len({step.name for step in self.steps}) < len(self.steps):
            raise ParameterError("steps", "two of different names are needed at least")
        for step in self.steps:
            there = step.table.n_points if step.present is None else len(step.present)
            if there != n_points:
                raise ParameterError(f"step {step.name}", f"of {there} points, not {n_points}")
        last = self.steps[-1]
        if last.present is not None and not last.present.all():
            raise ParameterError("steps", "the last one has all points")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(step.name for step in self.steps)


@dataclass(frozen=True, eq=False)
class Group:
    """Points that changed together: their new or their lost neighbors agree.

    Attributes:
        name: The label of the commonest new neighbor, or lost one of a group by what it lost.
        points: int64 (size,), indices of the points, ascending.
        score: How unlike chance it is, 0 to 1, as `embviz.comparison.groups` defines it.
        came, left: Indices of the points that most of them gained, and lost, commonest first, up to
            10; none that fewer than two did.
    """

    name: str
    points: NDArray[np.int64]
    score: float
    came: tuple[int, ...] = ()
    left: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Comparison:
    """What changed between two states of the same points.

    A point here is an index of both tables, which hold the matched points in one order.

    Attributes:
        a, b: The matched points with the vectors of each side.
        names: What the sides are called.
        matched_by: `label`, `row`, or the column by which points were matched.
        only_a, only_b: The labels of the points that only one side has, or `row N`.
        metric: What near means.
        compared: int64 (n_compared,), the points that were compared with all others, ascending.
        neighbors_a, neighbors_b: Their nearest others on each side, int32 (n_compared, k); k is at
            least 50, or the most that there are.
        ranks_in_b: int64 (n_compared, 10), the rank in B of each of the 10 nearest in A, 1 for the
            nearest.
        ranks_in_a: The rank in A of each of the 10 nearest in B.
        left, came: bool (n_compared, 10), which of the 10 nearest in A are not as near in B, and
            which of the 10 nearest in B were not in A.
        displacement: float64 (n_compared,), by how many ranks, on average, the 10 nearest of either
            side lie elsewhere on the other.
        overlap10, overlap50: float64 (n_compared,), the share of the nearest in common; `overlap50`
            is None where there are too few points.
        figures: Those of all compared points, by name, as `docs/compare.md` defines them; None
            where one cannot be had.
        by_group: Figures of the points of each value of a metadata column, by column and value.
        groups: Points that changed together, the best first.
        no_groups: Why there is none, "" where there are some.
    """

    a: EmbeddingTable
    b: EmbeddingTable
    names: tuple[str, str]
    matched_by: str
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    metric: Metric
    compared: NDArray[np.int64]
    neighbors_a: Neighbors
    neighbors_b: Neighbors
    ranks_in_b: NDArray[np.int64]
    ranks_in_a: NDArray[np.int64]
    left: NDArray[np.bool_]
    came: NDArray[np.bool_]
    displacement: NDArray[np.float64]
    overlap10: NDArray[np.float64]
    overlap50: NDArray[np.float64] | None
    figures: Mapping[str, float | None]
    by_group: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    no_groups: str = ""

    @property
    def n_matched(self) -> int:
        return self.a.n_points
