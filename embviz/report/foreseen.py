"""What a run would take that is known from its request alone, before its vectors are read."""

from __future__ import annotations

from embviz.comparison.values import FEW
from embviz.devices import choose_device
from embviz.model import EmbeddingTable
from embviz.pictures.cost import check_cost, refuse_cost
from embviz.pictures.plan import Plan
from embviz.pictures.selection import Choice, Part
from embviz.report.budget import MB, USUAL
from embviz.report.options import ReportOptions

_MANY = 20_000  # Fewer points fit anywhere.
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


def check_memory(table: EmbeddingTable, choice: Choice, plan: Plan) -> None:
    """Refuse projections for which the memory is not there before a vector is read.

    Args:
        table: The points of a source.
        choice: Which of them; where a query chooses, it is not known yet how many, and nothing is
            refused.
        plan: Their projections.

    Raises:
        ParameterError: If they need more memory than there is, or more neighbors than there are
            points.
    """
    n_points = table.n_points if choice.sample is None else min(choice.sample, table.n_points)
    if choice.select is not None or choice.neighbors_of is not None or n_points < _MANY:
        return
    made = [p for _, p in plan.foreseen() if p is not None]
    looking = [p for p in made if hasattr(p, "count_neighbors")]
    if choose_device(plan.device, n_points) is None:
        most = max((p.count_neighbors(table) for p in looking), default=0)
        graphs = {plan.metric: most} if looking else {}
        refuse_cost((n_points, table.n_dims), looking, graphs)
