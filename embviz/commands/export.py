"""`embviz export`: a logdir that TensorBoard's projector opens."""

from __future__ import annotations

import logging
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embviz.commands.shared.completion import complete_column, complete_tensor
from embviz.commands.shared.config import config_option
from embviz.commands.shared.outcome import (
    Account,
    Outcome,
    begin_account,
    json_option,
    options_in_force,
)
from embviz.commands.shared.pictured import (
    count_points,
    list_matches,
    matched_by,
    projection_entry,
    table_entry,
)
from embviz.commands.shared.requests import Source, take
from embviz.commands.shared.source import (
    DENSITY_OPTION,
    FILE,
    NEIGHBORS_OPTION,
    PERPLEXITY_OPTION,
    TileSize,
    more_sources,
    reading_options,
    refuse_overwriting,
)
from embviz.errors import LoadError, ParameterError
from embviz.loaders.reading import Reading

if TYPE_CHECKING:
    from embviz.export.logdir import TensorFormat
    from embviz.model import Projection
    from embviz.pictures.plan import Plan
    from embviz.pictures.selection import Choice, Part

log = logging.getLogger("embviz")
_OWN = re.compile(
    r"(\d\d+_[^/]+/)?(tensor\.(bytes|tsv)|metadata\.tsv|sprite\.\w+|bookmarks\.txt)"
    r"|projector_config\.pbtxt"
)
"""The files that are written into a folder."""


@click.command()
@click.argument("source", type=FILE)
@more_sources
@click.option(
    "-o", "output", type=FILE, metavar="LOGDIR", required=True, help="The folder to write"
)
@click.option(
    "--tensor",
    "tensors",
    metavar="NAME",
    multiple=True,
    shell_complete=complete_tensor,
    help="A tensor of the source; may be given several times",
)
@click.option("--all-tensors", is_flag=True, help="Every table of numbers in the source")
@reading_options
@click.option("--sprite", type=FILE, metavar="FILE", help="A sheet of thumbnails, one tile a point")
@click.option("--sprite-size", type=TileSize(), help="Size of a tile in pixels")
@click.option(
    "--images", type=FILE, metavar="DIR", help="Make the thumbnails from a folder of images"
)
@click.option(
    "--projection",
    "--method",
    "methods",
    metavar="METHOD",
    multiple=True,
    help="Compute coordinates and write them as a bookmark: a method as for embviz project; may "
    "be given several times",
)
@click.option("--dims", type=click.Choice(["2", "3"]), multiple=True, help="2D, 3D or both")
@PERPLEXITY_OPTION
@NEIGHBORS_OPTION
@DENSITY_OPTION
@click.option("--iterations", type=int, help="Iterations of t-SNE  [default: 300 or 750]")
@click.option("--metric", type=click.Choice(["cosine", "euclidean"]), default="cosine")
@click.option(
    "--axis",
    "axes",
    nargs=2,
    multiple=True,
    metavar="FROM TO",
    help="An axis between two queries; quoted, as shells read = and *: '=worst' '=best'",
)
@click.option("--normalize", type=click.Choice(["none", "center", "sphere"]), default="none")
@click.option(
    "--bookmark", "bookmarks", type=FILE, metavar="FILE", multiple=True, help="Saved views to add"
)
@click.option(
    "--format",
    "tensor_format",
    type=click.Choice(["bytes", "tsv"]),
    default="bytes",
    show_default=True,
    help="Raw float32, or text",
)
@click.option(
    "--select", metavar="QUERY", help="Only the points that match, in quotes: '=best', '/^b/'"
)
@click.option("--sample", type=int, metavar="N", help="Only N points, drawn by the seed")
@click.option("--drop-nonfinite", is_flag=True, help="Leave out rows with NaN or infinity")
@click.option("--label-by", metavar="COLUMN", shell_complete=complete_column)
@click.option("--seed", type=int, default=0, show_default=True)
@json_option
@config_option
@click.pass_context
def export(ctx: click.Context, /, **given: Any) -> None:
    """Write the vectors of SOURCE as a logdir that TensorBoard's projector opens

    \b
    Example:
      embviz export model.ckpt -o logdir --projection tsne
    """
    from embviz.bookmarks import read_bookmarks
    from embviz.export.logdir import stage_logdir
    from embviz.outputs.text import show_size
    from embviz.pictures.plan import Plan
    from embviz.pictures.selection import Choice

    account = begin_account(given["as_json"], {"-o": given["output"]})
    folder, reading = take(Folder, given), take(Reading, given)
    if given["more"] and len(folder.tensors) == 1:
        reading = replace(reading, tensor=folder.tensors[0])
    source = take(Source, given, reading=reading)
    plan = take(Plan, given, with_pca=False)
    choice = take(Choice, given, verify=bool(plan.axes))
    folder.check(source)
    folder.check_free(source)
    bookmarks = [mark for name in folder.bookmarks for mark in read_bookmarks(Path(name))]
    names: list[str | None] = list(folder.tensors) or [None]
    if folder.all_tensors:
        names = list(_list_tables(source))
    parts, projections = _pictures(source, names, choice, plan, account)
    with account.timed("writing"):
        written = stage_logdir(
            folder.output,
            [part.table for part in parts],
            projections,
            bookmarks=bookmarks,
            tensor_format=folder.tensor_format,
            dims=plan.dims,
        )
    shown = shlex.join(["tensorboard", f"--logdir={folder.output}"])
    account.stop_hearing()
    size = show_size(sum(size for _, size in written))
    log.info("Wrote %s (%s); open it: %s", folder.output, size, shown)
    account.print(
        lambda: _outcome(ctx, source, choice, parts, projections),
        [os.path.join(folder.output, *name.split("/")) for name, _ in written],
    )


def _pictures(
    source: Source, names: Sequence[str | None], choice: Choice, plan: Plan, account: Account
) -> tuple[list[Part], dict[str, list[Projection]]]:
    """Read the tensors of some names, and project those that are to be, by their names."""
    from embviz.export.float32 import check_float32
    from embviz.pictures.plan import project
    from embviz.pictures.selection import choose_points

    parts: list[Part] = []
    projections: dict[str, list[Projection]] = {}
    for name in names:
        with account.timed("reading"):
            part = choose_points(source.read(name), choice)
            check_float32(part.table)
        parts.append(replace(part, known=None))  # What is opened of each is let go of.
        if plan.asked:
            key = (part.table.name or "tensor").removesuffix(":0")
            with account.timed("projecting"):
                projections[key] = project(part, plan)
    return parts, projections


def _outcome(
    ctx: click.Context,
    source: Source,
    choice: Choice,
    parts: Sequence[Part],
    projections: Mapping[str, Sequence[Projection]],
) -> Outcome:
    """Return what `--json` prints, with an entry a tensor in what is of one."""
    from embviz.pictures.figures import picture_figures

    listed = [projections.get((p.table.name or "tensor").removesuffix(":0"), ()) for p in parts]
    counts = [
        {**count_points(part), "matches": list_matches(matched_by(part, choice), some)}
        for part, some in zip(parts, listed, strict=True)
    ]
    return Outcome(
        command="export",
        sources=[table_entry((source.source, *source.more), part.whole) for part in parts],
        counts={"tensors": counts},
        parameters=options_in_force(ctx),
        figures=picture_figures(listed[0], dims=3) if len(parts) == 1 and listed[0] else {},
        more={"projections": [[projection_entry(p) for p in some] for some in listed]},
    )


@dataclass(frozen=True, kw_only=True)
class Folder:
    """What is written into which folder.

    Raises:
        ParameterError: If it is not said which tensors.
    """

    output: str
    tensors: tuple[str, ...]
    all_tensors: bool
    bookmarks: tuple[str, ...]
    tensor_format: TensorFormat

    def __post_init__(self) -> None:
        if self.all_tensors and self.tensors:
            raise ParameterError("--all-tensors", "cannot be combined with --tensor", "give one")

    def check(self, source: Source) -> None:
        """Refuse what can be of one tensor only where several are written.

        Raises:
            ParameterError: Naming it.
        """
        if not self.all_tensors and len(self.tensors) < 2:
            return
        for option, there in (
            ("--metadata", source.reading.metadata),
            ("--sprite", source.sprite),
            ("--images", source.images),
            ("--bookmark", self.bookmarks),
            (" ".join(source.more), source.more),
        ):
            if there:
                raise ParameterError(option, "belongs to one tensor, several are asked for")

    def check_free(self, source: Source) -> None:
        """Refuse a folder that is an input, holds one under a name of ours, or cannot be written.

        Raises:
            LoadError: If the folder is there, and the source is missing or damaged.
            ParameterError: Naming the input.
            OutputError: If the folder cannot be written.
        """
        from embviz.outputs.folders import check_folder

        refuse_overwriting(self.output, source.inputs(self.bookmarks))
        check_folder(Path(self.output))
        folder = Path(self.output).resolve()
        for what, name in source.inputs(self.bookmarks) if folder.is_dir() else ():
            file = Path(name or "").resolve()
            if folder in file.parents and _OWN.fullmatch(file.relative_to(folder).as_posix()):
                raise ParameterError(
                    self.output,
                    f"would overwrite the {what} {name}",
                    "name another folder after -o",
                )


def _list_tables(source: Source) -> list[str]:
    """Return the names of the tensors that TensorBoard would list."""
    from embviz.loaders.formats import telling

    with telling(source.opened.path):
        names = [t.name for t in source.opened.tensors if len(t.shape) == 2 and min(t.shape) > 1]
    if not names:
        raise LoadError(source.source, "no table of two rows and two columns or more in it")
    return names
