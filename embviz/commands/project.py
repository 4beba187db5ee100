"""`embviz project`: the main job, from a source to a report."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embviz.commands.shared.config import config_option
from embviz.commands.shared.source import TileSize, refuse_overwriting, table_options

if TYPE_CHECKING:
    from embviz.model import EmbeddingTable, Projection
    from embviz.pictures.selection import Part
    from embviz.projections import TSNE, UMAP, Axes

METHODS = ("pca", "tsne", "umap", "custom", "none")
log = logging.getLogger("embviz")


@click.command()
@click.argument("source")
@click.option("-o", "output", metavar="FILE", required=True, help="The report to write")
@table_options
@click.option("--sprite", metavar="FILE", help="A sheet of thumbnails, one tile a point")
@click.option("--sprite-size", type=TileSize(), help="Size of a tile in pixels")
@click.option("--images", metavar="DIR", help="Make the thumbnails from a folder of images")
@click.option("--images-linked", is_flag=True, help="Open the images beside the page from a card")
@click.option(
    "--method",
    "methods",
    type=click.Choice(METHODS),
    multiple=True,
    help="A projection; may be given several times, the first is shown first",
)
@click.option("--dims", type=click.Choice(["2", "3"]), multiple=True, help="2D, 3D or both")
@click.option("--perplexity", type=float, help="About how many neighbors t-SNE looks at")
@click.option("--iterations", type=int, help="Iterations of t-SNE  [default: 300]")
@click.option(
    "--metric",
    type=click.Choice(["cosine", "euclidean"]),
    default="cosine",
    show_default=True,
    help="What near means, for neighbors, t-SNE and UMAP",
)
@click.option(
    "--axis", "axes", nargs=2, multiple=True, metavar="FROM TO", help="An axis between two queries"
)
@click.option(
    "--normalize",
    type=click.Choice(["none", "center", "sphere"]),
    default="none",
    help="What PCA, t-SNE and UMAP see",
)
@click.option("--select", metavar="QUERY", help="Only the points that match")
@click.option("--neighbors-of", metavar="LABEL", help="Only a point and its nearest neighbors")
@click.option("-k", "k", type=int, default=100, help="How many neighbors  [default: 100]")
@click.option("--isolate", metavar="QUERY", help="Open with the matching points alone")
@click.option("--sample", type=int, metavar="N", help="Only N points, drawn by the seed")
@click.option("--drop-nonfinite", is_flag=True, help="Leave out rows with NaN or infinity")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--color-by", metavar="COLUMN")
@click.option("--label-by", metavar="COLUMN")
@click.option("--title", default="", help="Heading of the page")
@click.option(
    "--vectors",
    type=click.Choice(["auto", "float32", "float16", "int8", "none"]),
    default="auto",
    help="How the input's vectors travel in the page",
)
@click.option(
    "--bookmark",
    "bookmarks",
    metavar="FILE",
    multiple=True,
    help="Views saved here or in TensorBoard",
)
@click.option("--save-bookmark", metavar="FILE", help="Write the first view too, for TensorBoard")
@click.option("--save-coordinates", metavar="FILE", help="Write the coordinates too, .npz or .tsv")
@click.option("--figure", metavar="FILE", help="Write a plain Plotly figure too, as JSON")
@config_option
@click.pass_context
def project(ctx: click.Context, /, source: str, output: str, **options: Any) -> None:
    """Project the vectors of SOURCE and write a report of them as one HTML file

    SOURCE is a TensorFlow checkpoint, a .npy, .npz, TSV, CSV, word2vec or GloVe file, or a
    projector logdir.

    \b
    Example:
      embviz project model.ckpt --method tsne -o out.html
    """
    from dataclasses import replace

    from embviz.commands.bookmarks import add_bookmarks
    from embviz.commands.shared.command_line import shown_command
    from embviz.commands.thumbnails import add_thumbnails, link_images
    from embviz.loaders import load_table
    from embviz.pictures.selection import choose_points
    from embviz.report import prepare_page, write_report

    _check_files(source, output, options)
    _check_request(options)
    prepare_page()
    table = load_table(
        source,
        tensor=options["tensor"],
        metadata=options["metadata"],
        sprite=options["sprite"],
        sprite_size=None if options["images"] else options["sprite_size"],
        input_format=options["input_format"],
    )
    table = add_thumbnails(table, options["sprite"], options["images"], options["sprite_size"])
    part = choose_points(table, options)
    part = replace(part, table=add_bookmarks(part, options["bookmarks"]))
    projections = make_projections(part, options)
    size = write_report(
        Path(output),
        part.table,
        projections,
        title=options["title"],
        command=shown_command(ctx),
        label_by=options["label_by"],
        color_by=options["color_by"] or part.color_by,
        metric=options["metric"],
        first=first_method(options),
        dims=first_dims(options),
        vectors=options["vectors"],
        total_points=part.whole.n_points,
        isolated=part.isolated,
        selected=part.selected,
        notes=part.notes,
        image_links=link_images(output, part.table, options),
    )
    _write_extras(part, projections, options)
    log.info("Wrote %s (%s)", output, _size(size))


def _check_files(source: str, output: str, options: dict[str, Any]) -> None:
    """Refuse outputs that are inputs or cannot be written, before work is spent on them."""
    from embviz.outputs.files import check_output

    inputs = {"source": source, "metadata": options["metadata"], "sprite": options["sprite"]}
    inputs["images"] = options["images"]
    inputs |= {f"bookmarks {name}": name for name in options["bookmarks"]}
    extras = (options["save_coordinates"], options["figure"], options["save_bookmark"])
    outputs = [name for name in (output, *extras) if name]
    for name in outputs:
        refuse_overwriting(Path(name), inputs)
        check_output(Path(name))


def _check_request(options: dict[str, Any]) -> None:
    """Refuse options that contradict each other before work is spent on them."""
    from embviz.errors import ParameterError

    methods, axes = options["methods"], options["axes"]
    if options["images"] is not None and options["sprite"] is not None:
        raise ParameterError("--images", "cannot be combined with --sprite", "give one")
    if options["images_linked"] and options["images"] is None:
        raise ParameterError("--images-linked", "links the files of --images", "add --images DIR")
    if "custom" in methods and not axes:
        raise ParameterError("--method custom", "needs an axis", "add --axis FROM TO")
    if len(axes) > 3:
        raise ParameterError("--axis", f"{len(axes)} axes given", "one to three can be shown")
    if len(axes) == 3 and options["dims"] == ("2",):
        raise ParameterError("--dims 2", "does not show three axes", "leave out an --axis")
    if options["select"] is not None and options["neighbors_of"] is not None:
        raise ParameterError("--select", "cannot be combined with --neighbors-of", "give one")
    if options["sample"] is not None and options["sample"] < 2:
        raise ParameterError("--sample", f"{options['sample']} is not a number of points from 2 up")
    if options["k"] < 1:
        raise ParameterError(
            "-k", f"{options['k']} is not a number of neighbors", "ask for 1 or more"
        )
    for name in ("perplexity", "iterations"):
        if options[name] is not None and not set(methods) & {"tsne"}:
            raise ParameterError(f"--{name}", "belongs to t-SNE", "add --method tsne")
    if options["seed"] < 0:
        raise ParameterError("--seed", f"{options['seed']} is negative", "take 0 or more")


def first_method(options: dict[str, Any]) -> str:
    """Return the name of the projection that the page opens with."""
    if options["methods"]:
        return str(options["methods"][0])
    return "custom" if options["axes"] else "pca"


def first_dims(options: dict[str, Any]) -> int:
    """Return how many dimensions the page opens in."""
    if options["dims"]:
        return int(options["dims"][0])
    return 3 if len(options["axes"]) == 3 and first_method(options) == "custom" else 2


# Below these numbers of points the 3D picture takes seconds and comes along unasked.
CHEAP_3D = {"tsne": 4_000, "umap": 10_000}


def make_projections(part: Part, options: dict[str, Any]) -> list[Projection]:
    """Compute every projection asked for, PCA always first; one neighbor graph serves all."""
    from embviz.projections import PCA, Identity

    table = part.table
    projections = [PCA(normalize=options["normalize"]).project(table)]
    methods = [*options["methods"], *(["custom"] if options["axes"] else [])]
    projectors: list[Any] = []
    for method in dict.fromkeys(methods):
        if method == "none":
            projectors.append(Identity())
        elif method == "custom":
            projectors.append(_axes(part, options))
        elif method in CHEAP_3D:
            projectors += graph_projectors(table, method, options)
    return project_all(table, projections, projectors, options)


def _axes(part: Part, options: dict[str, Any]) -> Axes:
    from embviz.projections import Axes

    flat = options["dims"] == ("2",) or part.table.n_dims < 3
    n_components = 3 if len(options["axes"]) == 3 or not flat else 2
    return Axes(
        axes=options["axes"],
        n_components=n_components,
        column=options["label_by"],
        whole=part.whole,
    )


def graph_projectors(
    table: EmbeddingTable, method: str, options: dict[str, Any]
) -> list[TSNE | UMAP]:
    """Return t-SNE or UMAP in the dimensions wanted: 2D, and 3D where it is cheap."""
    from dataclasses import replace

    from embviz.projections import TSNE, UMAP

    shared = {name: options[name] for name in ("metric", "normalize", "seed")}
    projector: TSNE | UMAP
    if method == "tsne":
        projector = TSNE(
            perplexity=options["perplexity"], iterations=options["iterations"], **shared
        )
    else:
        projector = UMAP(**shared)
    wanted = [int(d) for d in options["dims"]]
    dims = wanted or ([2, 3] if table.n_points <= CHEAP_3D[method] else [2])
    return [replace(projector, n_components=d) for d in sorted(set(dims))]


def project_all(
    table: EmbeddingTable,
    projections: list[Projection],
    projectors: list[Any],
    options: dict[str, Any],
) -> list[Projection]:
    """Return projections and those of projectors; t-SNE, UMAP and the quality share one graph."""
    from dataclasses import replace

    from embviz.neighbors import build_graph
    from embviz.pictures.quality import measure_quality, with_quality

    needing = [p for p in projectors if hasattr(p, "count_neighbors")]
    k = max((p.count_neighbors(table) for p in needing), default=0)
    # What is quick goes first, so that a query that matches nothing is told at once.
    done = {id(p): p.project(table) for p in projectors if p not in needing}
    if not needing:
        return [*projections, *(done[id(p)] for p in projectors)]
    normalize, seed = options["normalize"], options["seed"]
    graph = build_graph(table, k, options["metric"], normalize, seed)
    done |= {id(p): replace(p, neighbors=graph).project(table) for p in needing}
    return [
        with_quality(p, measure_quality(table, p, graph, normalize, seed))
        for p in [*projections, *(done[id(p)] for p in projectors)]
    ]


def _write_extras(part: Part, projections: list[Projection], options: dict[str, Any]) -> None:
    table = part.table
    if options["save_bookmark"]:
        from embviz.commands.bookmarks import opening_bookmark, save_bookmark

        first, dims = first_method(options), first_dims(options)
        bookmark = opening_bookmark(part, projections, first, dims, options)
        save_bookmark(Path(options["save_bookmark"]), bookmark)
        log.info("Wrote %s", options["save_bookmark"])
    if options["save_coordinates"]:
        from embviz.export import write_coordinates

        write_coordinates(Path(options["save_coordinates"]), table, projections)
        log.info("Wrote %s", options["save_coordinates"])
    if options["figure"]:
        from embviz.export import write_figure

        first = first_method(options)
        shown = [p for p in projections if p.name == first] or projections
        write_figure(Path(options["figure"]), table, shown[0], first_dims(options))
        log.info("Wrote %s", options["figure"])


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 100_000 else f"{n_bytes / 1e3:.1f} kB"
