"""`embviz neighbors --all`: the nearest neighbors of all points, into a file."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from embviz.commands.shared.source import refuse_overwriting
from embviz.devices import choose_device
from embviz.export.neighbors import find_writer, write_neighbors
from embviz.outputs.files import check_output
from embviz.outputs.text import show_size
from embviz.pictures.cost import check_all_pairs
from embviz.questions.all_points import is_exact, neighbors_of_all, whole_table

if TYPE_CHECKING:
    from embviz.commands.neighbors.neighbors import Request
    from embviz.commands.shared.outcome import Account
    from embviz.model import Neighbors
    from embviz.questions.points import Points

log = logging.getLogger("embviz")


def write_all(
    points: Points, request: Request, account: Account, settings: Path | None = None
) -> Neighbors:
    """Find the neighbors of all points, write and return them.

    Args:
        points: All of them.
        request: What is asked.
        account: Is told how long it takes.
        settings: The configuration file that named the source, if one did.

    Raises:
        ParameterError: If the file's name says no format.
        OutputError: If it cannot be written.
    """
    output = Path(request.output or "")
    find_writer(output)
    inputs = [("input", file) for file in points.files]
    refuse_overwriting(output, [("settings", settings), *inputs])
    check_output(output)
    metric = request.metric or points.search.metric
    with account.timed("asking"):
        table = whole_table(points)
        device = request.device or "auto"
        if choose_device(device, table.n_points) is None:
            shape = table.n_points, table.n_dims
            check_all_pairs(shape, request.k, is_exact(table, request.exact, device))
        found = neighbors_of_all(table, request.k, metric, request.exact, device)
    share = f"{100 * found.recall:.1f} % of the true ones on a sample"
    share = "exact" if is_exact(table, request.exact, device) else share
    with account.timed("writing"):
        size = write_neighbors(output, table, found)
    account.stop_hearing()
    shown = f" ({show_size(size)})" if size else ""
    log.info(
        "Wrote %s%s: %d neighbors of each of %s points, %s",
        output, shown, found.indices.shape[1], f"{table.n_points:,}", share,
    )  # fmt: skip
    return found
