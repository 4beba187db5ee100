"""`embviz project` over rows that lie in many files: its options, and what it does with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from embviz.commands.shared.source import FILE
from embviz.errors import ParameterError

if TYPE_CHECKING:
    from embviz.commands.shared.making import Asked, Made
    from embviz.commands.shared.outcome import Account
    from embviz.commands.shared.requests import Outputs

F = TypeVar("F", bound=Callable[..., Any])

_REFUSED = {
    "steps": "rows of one table are sampled",
    "match": "rows of one table are sampled",
    "select": "labels of all rows are not read",
    "neighbors_of": "labels of all rows are not read",
    "k": "labels of all rows are not read",
    "axes": "labels of all rows are not read",
    "drop_nonfinite": "the first such row is named, and none is left out",
    "coordinates": "rows are placed here",
    "sprite": "no sheet holds tiles of all rows",
    "sprite_size": "no sheet holds tiles of all rows",
    "images": "no sheet holds tiles of all rows",
    "images_linked": "no sheet holds tiles of all rows",
    "metadata_key": "metadata are read in the order of the rows",
    "drop_unused": "all rows are taken",
    "columns": "workers open files of numbers alone",
    "strict": "workers open files of numbers alone",
}
"""What has no meaning over shards, by parameter, and why."""


def sharding_options(function: F) -> F:
    """Add the options for rows that lie in many files."""
    options = (
        click.option(
            "--place-all",
            type=FILE,
            metavar="DIR",
            help="Place all rows by their neighbors in --sample, into shards in DIR, and show how "
            "densely they lie",
        ),
        click.option(
            "--scheduler",
            metavar="WHERE",
            help="Who reads all rows, for --sample of many files: processes:N, or a Dask scheduler "
            "as tcp://HOST:PORT or its FILE  [default: threads]",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def is_over_shards(given: Mapping[str, Any], outputs: Outputs) -> bool:
    """Tell whether rows are read by workers, which they are where that is asked for.

    Raises:
        ParameterError: If something else is asked for that this cannot do.
    """
    asked = [n for n in ("place_all", "scheduler") if given[n] is not None]
    if not asked:
        return False
    option = f"--{asked[0].replace('_', '-')}"
    if given["sample"] is None:
        raise ParameterError(
            option, "needs a sample, which the pictures are made of", "add --sample 100000"
        )
    context = click.get_current_context()
    for param in context.command.params:
        name = param.name or ""
        if name in _REFUSED and _is_given(context, name):
            typed = max(param.opts, key=len)
            raise ParameterError(
                typed, f"cannot be combined with {option}: {_REFUSED[name]}", "leave out one"
            )
    if given["unlabeled"] == "drop":
        why = f"cannot be combined with {option}: no row is left out"
        raise ParameterError("--unlabeled drop", why, "--unlabeled keep goes on")
    if given["place_all"] is not None:
        _check_apart(Path(given["place_all"]), outputs.named)
    return True


def _is_given(context: click.Context, name: str) -> bool:
    """Tell whether an option was set to something else than its default."""
    default = context.get_parameter_source(name) is ParameterSource.DEFAULT
    return not default and context.params.get(name) not in (None, (), False)


def project_shards(
    context: click.Context, asked: Asked, account: Account, folder: ExitStack
) -> Made:
    """Draw the sample of a source, project it and place all rows.

    Args:
        context: Of the command, with `place_all` and `scheduler`.
        asked: What is projected.
        account: Counts the time.
        folder: At whose end the folder of placed rows appears.
    """
    from embviz.bookmarks.files import read_bookmarks
    from embviz.commands.shared.making import Made
    from embviz.pictures.bookmarks import add_bookmarks
    from embviz.pictures.figures import check_measurable
    from embviz.pictures.sharded import Sharding, sharded
    from embviz.report.parting import check_clusters, named_columns

    source, given = asked.source, context.params
    place_all = None if given["place_all"] is None else Path(given["place_all"])
    check_measurable(asked.condition, given["sample"])
    request = Sharding(
        source=(source.source, *source.more) if source.more else source.source,
        sample=given["sample"],
        place_all=place_all,
        scheduler=given["scheduler"],
        reading=source.reading,
        choice=asked.choice,
        color_by=asked.shown.color_by,
        columns=named_columns(asked.shown),
    )
    for file in asked.bookmarks:
        read_bookmarks(Path(file))  # What is wrong with one is told at once.
    with account.timed("projecting"):
        made = folder.enter_context(sharded(request, asked.plan))
    part = add_bookmarks(made.part, asked.bookmarks)
    check_clusters(part.table, asked.shown)
    first = asked.plan.first(made.projections).key
    return Made(part, made.projections, first, placed=made.placed)


def _check_apart(folder: Path, named: Mapping[str, str]) -> None:
    """Refuse outputs that lie in the folder, which is replaced as a whole.

    Raises:
        ParameterError: Naming the option.
    """
    inside = folder.resolve()
    for option, name in named.items():
        path = Path(name).resolve()
        if inside == path or inside in path.parents:
            raise ParameterError(
                f"{option} {name}", f"lies in the folder of --place-all {folder}", "name another"
            )
