"""A way to part the points of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from embviz.checks import check_one_of
from embviz.errors import ParameterError, counted
from embviz.rows import freeze

K = 10
"""Of how many true neighbors of each point it is told in which group they lie."""
Toward = tuple[tuple[int, float], ...]


@dataclass(frozen=True, eq=False)
class Partition:
    """Points parted into groups: clusters of a map at one scale, or classes of a metadata column.

    Attributes:
        column: The metadata column of the page that says each point's group.
        kind: `clusters` or `classes`.
        codes: int32 (n_points,), each point's group by its place in `names`; -1 for none.
        names: Of the groups, each another one, none empty; these are the column's texts.
        drawn: Whether the names are drawn on the map.
        of: The key of the projection whose map was parted; None for classes.
        dims: In how many dimensions it was; None for classes.
        inside: Of each group, the mean share of its members' true neighbors that lie in it; None
            where none of them was looked at.
        toward: Of each group, up to three others, each with the share of its members' true
            neighbors that lie there, largest first.
        typical: Of each group, indices of up to five members that stand for it.
        neighbors: How many true neighbors of each point were looked at.
        measured: Of how many points.

    Raises:
        ParameterError: If codes, names and figures do not fit each other.
    """

    column: str
    kind: Literal["clusters", "classes"]
    codes: NDArray[np.int32]
    names: tuple[str, ...]
    drawn: bool = False
    of: str | None = None
    dims: int | None = None
    inside: tuple[float | None, ...] = ()
    toward: tuple[Toward, ...] = ()
    typical: tuple[tuple[int, ...], ...] = ()
    neighbors: int = K
    measured: int = 0

    def __post_init__(self) -> None:
        check_one_of("kind", self.kind, ("clusters", "classes"))
        names = tuple(self.names)
        codes = freeze(np.asarray(self.codes, np.int32))
        if codes.ndim != 1 or (len(codes) and not -1 <= codes.min() <= codes.max() < len(names)):
            raise ParameterError(
                f"partition {self.column}", f"codes beyond its {counted(len(names), 'name')}"
            )
        if len(set(names)) < len(names) or "" in names:
            raise ParameterError(f"partition {self.column}", "two groups of one name, or of none")
        object.__setattr__(self, "codes", codes)
        object.__setattr__(self, "names", names)
        for field, nothing in (("inside", None), ("toward", ()), ("typical", ())):
            values = tuple(getattr(self, field)) or (nothing,) * len(names)
            if len(values) != len(names):
                raise ParameterError(
                    f"partition {self.column}", f"{field} of {len(values)} of {len(names)} groups"
                )
            object.__setattr__(self, field, values)

    @property
    def n_groups(self) -> int:
        return len(self.names)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """How many points each group has, int64 (n_groups,)."""
        return np.bincount(self.codes[self.codes >= 0], minlength=self.n_groups).astype(np.int64)

    @property
    def mean_inside(self) -> float | None:
        """The mean share inside over the points of all groups; None where nothing was measured."""
        known = [
            (n, share)
            for n, share in zip(self.sizes, self.inside, strict=True)
            if share is not None
        ]
        total = sum(n for n, _ in known)
        return round(float(sum(n * share for n, share in known) / total), 4) if total else None

    def members(self, group: int) -> NDArray[np.int64]:
        """Return the indices of a group's points, ascending."""
        return np.flatnonzero(self.codes == group)

    def values(self) -> tuple[str, ...]:
        """Return the text of each point in the column, "" for those of no group."""
        names = [*self.names, ""]
        return tuple([names[code] for code in self.codes.tolist()])


def partition_entries(partitions: Sequence[Partition]) -> list[dict[str, Any]]:
    """Return what the manifest says of partitions; their columns have the points' groups."""
    return [
        {
            "column": each.column,
            "kind": each.kind,
            "drawn": each.drawn,
            "of": each.of,
            "dims": each.dims,
            "names": list(each.names),
            "sizes": each.sizes.tolist(),
            "inside": [None if share is None else round(share, 4) for share in each.inside],
            "toward": [[[j, round(share, 4)] for j, share in some] for some in each.toward],
            "typical": [list(rows) for rows in each.typical],
            "neighbors": each.neighbors,
            "measured": each.measured,
        }
        for each in partitions
    ]
