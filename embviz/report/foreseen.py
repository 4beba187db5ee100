"""What it takes to list the neighbors of a page for which no projection looks for them."""

from __future__ import annotations

from embviz.comparison.values import FEW
from embviz.pictures.cost import check_cost
from embviz.pictures.plan import Plan
from embviz.pictures.selection import Part
from embviz.report.budget import MB, USUAL
from embviz.report.options import ReportOptions

_TEXT = 1.25  # Bytes of a page for each of vectors at one byte a number, at least.


def check_listing(part: Part, plan: Plan, options: ReportOptions) -> None:
    """Say what listing neighbors takes where that is much, before work is spent.

    Args:
        part: The points.
        plan: Their projections; where one looks at neighbors, its graph has the lists.
        options: Of the page.

    Raises:
        ParameterError: If it takes more memory than there is.
    """
    looked_at = any(hasattr(p, "count_neighbors") for _, p in plan.foreseen() if p is not None)
    n_points, n_dims = part.table.n_points, part.table.n_dims
    room = (USUAL if options.max_size is None else options.max_size) * MB
    lists = options.vectors == "neighbors" or (
        options.vectors == "auto" and _TEXT * n_points * n_dims > room
    )
    if looked_at or not lists or n_points <= FEW:
        return
    way_out = "--vectors none lists no neighbors"
    check_cost(part.space, (), {options.metric: FEW}, way_out)
