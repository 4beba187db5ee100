"""`embviz index`: a folder that answers `embviz neighbors` at once, also for millions of points."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embviz.commands.shared.source import refuse_overwriting, table_options
from embviz.commands.shared.terminal import say

if TYPE_CHECKING:
    from embviz.neighbors.index.index import NeighborIndex


@click.command()
@click.argument("source")
@click.option("-o", "--output", metavar="DIR", help="The folder to write, or to add to")
@table_options
@click.option("--metric", type=click.Choice(["cosine", "euclidean"]), help="Cosine if not given")
@click.option("--label-by", metavar="COLUMN", help="The metadata column that names the points")
@click.option("--append", is_flag=True, help="Add the points of SOURCE to the index DIR")
@click.option("--verify", is_flag=True, help="Check every byte of the index SOURCE")
@click.option("--drop-nonfinite", is_flag=True, help="Leave out rows with NaN or infinity")
@click.option("--seed", type=click.IntRange(0), default=0, help="For the cells and the sample")
def index(source: str, **options: Any) -> None:
    """Build a neighbor index that answers at once on millions of points

    \b
    Example:
      embviz index words.npy --metadata words.tsv -o words-index
    """
    from embviz.errors import ParameterError
    from embviz.neighbors.index.index import open_index

    if options["verify"]:
        if options["output"] is not None or options["append"]:
            raise ParameterError("--verify", "it goes with neither -o nor --append")
        open_index(source).verify()
        say(f"{source}: every byte is as it was written")
        return
    if options["output"] is None:
        raise ParameterError("-o", "no folder to write is named", "such as: -o words-index")
    folder = Path(options["output"])
    if not options["append"]:
        refuse_overwriting(folder, {"source": source, "metadata": options["metadata"]})
    built = _build(source, folder, options)
    _tell(built, folder)


def _build(source: str, folder: Path, options: dict[str, Any]) -> NeighborIndex:
    """Read the source, and write the index or add to it."""
    from embviz.errors import ParameterError
    from embviz.loaders import load_table
    from embviz.neighbors.index.build import append_rows, build_index
    from embviz.neighbors.index.index import open_index
    from embviz.neighbors.index.writer import check_replaceable
    from embviz.outputs.folders import recover_folder
    from embviz.questions.points import drop_nonfinite

    if options["append"]:
        for option in ("metric", "label_by"):
            if options[option] is not None:
                name = f"--{option.replace('_', '-')}"
                raise ParameterError(name, f"{folder} has its own already", f"leave {name} out")
        recover_folder(folder)
        open_index(folder)
    else:
        check_replaceable(folder)
        recover_folder(folder)
    table = load_table(
        source,
        tensor=options["tensor"],
        metadata=options["metadata"],
        input_format=options["input_format"],
    )
    if options["drop_nonfinite"]:
        table = drop_nonfinite(table)
    if options["append"]:
        return append_rows(table, folder)
    return build_index(
        table,
        folder,
        metric=options["metric"] or "cosine",
        label_column=options["label_by"],
        seed=options["seed"],
    )


def _tell(built: NeighborIndex, folder: Path) -> None:
    """Say what was written, how good it is, and how to ask it."""
    size = sum(file.stat().st_size for file in folder.iterdir())
    cells = f" in {built.store.n_cells:,} cells" if built.store.n_cells else ""
    say(
        f"Wrote {folder} ({size / 1e6:,.1f} MB): {built.n_points:,} points of {built.n_dims} "
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
