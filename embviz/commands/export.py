"""`embviz export`: a logdir that TensorBoard's projector opens."""

from __future__ import annotations

import logging
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embviz.commands.shared.config import config_option
from embviz.commands.shared.source import TileSize

if TYPE_CHECKING:
    from embviz.model import EmbeddingTable, Projection
    from embviz.pictures.selection import Part

log = logging.getLogger("embviz")


@click.command()
@click.argument("source")
@click.option("-o", "output", metavar="LOGDIR", required=True, help="The folder to write")
@click.option(
    "--tensor",
    "tensors",
    metavar="NAME",
    multiple=True,
    help="A tensor of the source; may be given several times",
)
@click.option("--all-tensors", is_flag=True, help="Every table of numbers in the source")
@click.option("--metadata", metavar="FILE", help="Labels: a TSV with a row for each point")
@click.option("--input-format", metavar="NAME", help="Read the source as this, such as tsv or npy")
@click.option("--sprite", metavar="FILE", help="A sheet of thumbnails, one tile a point")
@click.option("--sprite-size", type=TileSize(), help="Size of a tile in pixels")
@click.option("--images", metavar="DIR", help="Make the thumbnails from a folder of images")
@click.option(
    "--projection",
    "methods",
    type=click.Choice(["pca", "tsne", "umap", "custom", "none"]),
    multiple=True,
    help="Compute coordinates and write them as a bookmark; may be given several times",
)
@click.option("--dims", type=click.Choice(["2", "3"]), multiple=True, help="2D, 3D or both")
@click.option("--perplexity", type=float, help="About how many neighbors t-SNE looks at")
@click.option("--iterations", type=int, help="Iterations of t-SNE  [default: 300]")
@click.option("--metric", type=click.Choice(["cosine", "euclidean"]), default="cosine")
@click.option(
    "--axis", "axes", nargs=2, multiple=True, metavar="FROM TO", help="An axis between two queries"
)
@click.option("--normalize", type=click.Choice(["none", "center", "sphere"]), default="none")
@click.option("--bookmark", "bookmarks", metavar="FILE", multiple=True, help="Saved views to add")
@click.option(
    "--format",
    "tensor_format",
    type=click.Choice(["bytes", "tsv"]),
    default="bytes",
    show_default=True,
    help="Raw float32, or text",
)
@click.option("--select", metavar="QUERY", help="Only the points that match")
@click.option("--sample", type=int, metavar="N", help="Only N points, drawn by the seed")
@click.option("--drop-nonfinite", is_flag=True, help="Leave out rows with NaN or infinity")
@click.option("--label-by", metavar="COLUMN")
@click.option("--seed", type=int, default=0, show_default=True)
@config_option
def export(source: str, output: str, **options: Any) -> None:
    """Write the vectors of SOURCE as a logdir that TensorBoard's projector opens

    \b
    Example:
      embviz export model.ckpt -o logdir --projection tsne
    """
    from embviz.bookmarks import read_bookmarks
    from embviz.export import export_logdir
    from embviz.sprites.encoding import show_size

    _check_request(options)
    path = Path(output)
    bookmarks = [mark for name in options["bookmarks"] for mark in read_bookmarks(Path(name))]
    names: list[str | None] = list(options["tensors"]) or [None]
    if options["all_tensors"]:
        names = list(_list_tables(source, options["input_format"]))
    tables: list[EmbeddingTable] = []
    projections: dict[str, list[Projection]] = {}
    for name in names:
        part = _load_part(source, name, options)
        tables.append(part.table)
        computed = _project(part, options)
        if computed:
            projections[(part.table.name or "tensor").removesuffix(":0")] = computed
    size = export_logdir(
        path,
        tables,
        projections,
        bookmarks=bookmarks,
        tensor_format=options["tensor_format"],
        dims=[int(d) for d in options["dims"]],
    )
    shown = shlex.join(["tensorboard", f"--logdir={output}"])
    log.info("Wrote %s (%s); open it: %s", output, show_size(size), shown)


def _check_request(options: dict[str, Any]) -> None:
    from embviz.errors import ParameterError

    methods = options["methods"]
    if options["axes"] and "custom" not in methods:
        options["methods"] = methods = (*methods, "custom")
    if "custom" in methods and not options["axes"]:
        raise ParameterError("--projection custom", "needs an axis", "add --axis FROM TO")
    if len(options["axes"]) > 3:
        raise ParameterError("--axis", f"{len(options['axes'])} axes given", "give one to three")
    if options["all_tensors"] and options["tensors"]:
        raise ParameterError("--all-tensors", "cannot be combined with --tensor", "give one")
    several = options["all_tensors"] or len(options["tensors"]) > 1
    for name in ("metadata", "sprite", "images", "bookmarks"):
        if several and options[name]:
            option = f"--{name.rstrip('s') if name == 'bookmarks' else name}"
            raise ParameterError(option, "belongs to one tensor, several are asked for")
    for name in ("perplexity", "iterations"):
        if options[name] is not None and "tsne" not in methods:
            raise ParameterError(f"--{name}", "belongs to t-SNE", "add --projection tsne")
    if options["sample"] is not None and options["sample"] < 2:
        raise ParameterError("--sample", f"{options['sample']} is not a number of points from 2 up")
    if options["seed"] < 0:
        raise ParameterError("--seed", f"{options['seed']} is negative", "take 0 or more")


def _list_tables(source: str, input_format: str | None) -> list[str]:
    """Return the names of the tensors that TensorBoard would list."""
    from embviz.errors import LoadError
    from embviz.loaders import list_tensors

    infos = list_tensors(source, input_format=input_format)
    names = [i.name for i in infos if len(i.shape) == 2 and min(i.shape) > 1]
    if not names:
        raise LoadError(source, "no table of two rows and two columns or more in it")
    return names


def _load_part(source: str, tensor: str | None, options: dict[str, Any]) -> Part:
    from embviz.commands.thumbnails import add_thumbnails
    from embviz.errors import ParameterError
    from embviz.loaders import load_table
    from embviz.pictures.selection import choose_points

    if options["images"] is not None and options["sprite"] is not None:
        raise ParameterError("--images", "cannot be combined with --sprite", "give one")
    table = load_table(
        source,
        tensor=tensor,
        metadata=options["metadata"],
        sprite=options["sprite"],
        sprite_size=None if options["images"] else options["sprite_size"],
        input_format=options["input_format"],
    )
    table = add_thumbnails(table, options["sprite"], options["images"], options["sprite_size"])
    defaults = {"neighbors_of": None, "isolate": None, "k": 1}
    return choose_points(table, {**defaults, **options})


def _project(part: Part, options: dict[str, Any]) -> list[Projection]:
    """Compute what is asked for, in the order in which it was."""
    from embviz.commands.project import make_projections

    if not options["methods"]:
        return []
    found = make_projections(part, options)
    return [p for method in dict.fromkeys(options["methods"]) for p in found if p.name == method]
