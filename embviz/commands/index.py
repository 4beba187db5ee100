"""`embviz index`: a folder that answers `embviz neighbors` at once, also for millions of points."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embviz.commands.shared.completion import complete_column
from embviz.commands.shared.outcome import (
    Outcome,
    begin_account,
    json_option,
    list_files,
    options_in_force,
)
from embviz.commands.shared.pictured import count_rows, points_entry, table_entry
from embviz.commands.shared.requests import take
from embviz.commands.shared.source import FILE, more_sources, refuse_overwriting, table_options
from embviz.commands.shared.terminal import say
from embviz.errors import ParameterError
from embviz.loaders.reading import Reading

if TYPE_CHECKING:
    from embviz.model import EmbeddingTable, Metric
    from embviz.neighbors.index.index import NeighborIndex


@click.command()
@click.argument("source", type=FILE)
@more_sources
@click.option("-o", "--output", type=FILE, metavar="DIR", help="The folder to write, or to add to")
@table_options
@click.option("--metric", type=click.Choice(["cosine", "euclidean"]), help="Cosine if not given")
@click.option(
    "--label-by",
    metavar="COLUMN",
    shell_complete=complete_column,
    help="The metadata column that names the points",
)
@click.option("--append", is_flag=True, help="Add the points of SOURCE to the index DIR")
@click.option("--verify", is_flag=True, help="Check every byte of the index SOURCE")
@click.option("--drop-nonfinite", is_flag=True, help="Leave out rows with NaN or infinity")
@click.option("--seed", type=click.IntRange(0), default=0, help="For the cells and the sample")
@json_option
@click.pass_context
def index(ctx: click.Context, /, **given: Any) -> None:
    """Build a neighbor index that answers at once on millions of points

    \b
    Example:
      embviz index words.npy --metadata words.tsv -o words-index
    """
    from embviz.neighbors.index.index import open_index

    request = take(Request, given, reading=take(Reading, given))
    account = begin_account(given["as_json"], {"-o": request.output})
    if request.verify:
        with account.timed("reading"):
            found = open_index(request.source)
            found.verify()
        account.stop_hearing()
        say(f"{request.source}: every byte is as it was written")
        account.print(lambda: _outcome(ctx, request, found, points_entry([request.source], found)))
        return
    folder = Path(request.output or "")
    if not request.append:
        sources = [("source", name) for name in (request.source, *request.more)]
        inputs = (*sources, ("metadata", request.reading.metadata))
        refuse_overwriting(folder, inputs)
    with account.timed("reading"):
        table = _read(request, folder)
    with account.timed("building"):
        built = _build(table, request, folder)
    account.stop_hearing()
    _tell(built, folder)
    entry = table_entry((request.source, *request.more), table)
    account.print(lambda: _outcome(ctx, request, built, entry, table), list_files(folder))


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the command is asked.

    Raises:
        ParameterError: If its options do not go together.
    """

    source: str
    more: tuple[str, ...]
    output: str | None
    reading: Reading
    metric: Metric | None
    label_by: str | None
    append: bool
    verify: bool
    drop_nonfinite: bool
    seed: int

    def __post_init__(self) -> None:
        if self.verify:
            if self.output is not None or self.append:
                raise ParameterError("--verify", "it goes with neither -o nor --append")
            if self.more:
                raise ParameterError("--verify", "it checks one index", "name one")
            return
        if self.output is None:
            raise ParameterError("-o", "no folder to write is named", "such as: -o words-index")
        for name, there in (("--metric", self.metric), ("--label-by", self.label_by)):
            if self.append and there is not None:
                raise ParameterError(
                    name, f"{self.output} has its own already", f"leave {name} out"
                )


def _read(request: Request, folder: Path) -> EmbeddingTable:
    """Read the source, once it is sure that the folder can be written."""
    from embviz.loaders import choose_tensor, open_source, read_table
    from embviz.neighbors.index.index import open_index
    from embviz.neighbors.index.writer import check_replaceable
    from embviz.outputs.folders import recover_folder
    from embviz.questions.points import drop_nonfinite

    if request.append:
        recover_folder(folder)
        open_index(folder)
    else:
        check_replaceable(folder)
        recover_folder(folder)
    opened = open_source((request.source, *request.more), request.reading)
    table = read_table(opened, choose_tensor(opened, request.reading.tensor), request.reading)
    return drop_nonfinite(table) if request.drop_nonfinite else table


def _build(table: EmbeddingTable, request: Request, folder: Path) -> NeighborIndex:
    """Write the index or add to it."""
    from embviz.neighbors.index.build import append_rows, build_index

    if request.append:
        return append_rows(table, folder)
    return build_index(
        table,
        folder,
        metric=request.metric or "cosine",
        label_column=request.label_by,
        seed=request.seed,
    )


def _outcome(
    ctx: click.Context,
    request: Request,
    built: NeighborIndex,
    entry: dict[str, Any],
    table: EmbeddingTable | None = None,
) -> Outcome:
    """Return what `--json` prints.

    Args:
        ctx: Of the command.
        request: What was asked.
        built: The index as it is now.
        entry: What was read.
        table: The points that were read; None where an index was checked.
    """
    k = min(10, built.n_points - 1)
    recall = built.quick_recall(k)
    return Outcome(
        command="index",
        sources=[entry],
        counts={**({} if table is None else count_rows(table)), "points": built.n_points},
        parameters=options_in_force(ctx, metric=built.metric, label_by=built.columns.label),
        figures={"recall10": built.measured_recall(k, recall)},
        more={"verified": request.verify, "cells": built.store.n_cells, "n_dims": built.n_dims},
    )


def _tell(built: NeighborIndex, folder: Path) -> None:
    """Say what was written, how good it is, and how to ask it."""
    from embviz.outputs.text import show_size

    size = sum(file.stat().st_size for file in folder.iterdir())
    cells = f" in {built.store.n_cells:,} cells" if built.store.n_cells else ""
    say(
        f"Wrote {folder} ({show_size(size)}): {built.n_points:,} points of {built.n_dims} "
        f"dimensions{cells}"
    )
    k = min(10, built.n_points - 1)
    say(built.describe_effort(k, built.metric, built.quick_recall(k)))
    quoted = f'"{folder}"' if " " in str(folder) else str(folder)
    word = _some_label(built)
    here = folder.parent == Path() and len(list(Path().glob("*/embviz-index.json"))) == 1
    asked = f"embviz neighbors {word}" + ("" if here else f" --source {quoted}")
    more = "" if here else f"; or set EMBVIZ_SOURCE, or write source = '{folder}' into embviz.toml"
    say(f"Ask it: {asked}{more}")


def _some_label(built: NeighborIndex) -> str:
    """Return a label that stands in a command line as it is, or a row number."""
    column = built.columns.label
    for point in range(min(1000, built.n_points)):
        text = built.columns.value(column, point) if column else ""
        if len(text) > 2 and text.isalnum() and text.isascii():
            return text
    return str(built.row_number(0))
