"""Options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from embviz.commands.shared.completion import (
    complete_column,
    complete_format,
    complete_method,
    complete_tensor,
)
from embviz.errors import ParameterError

F = TypeVar("F", bound=Callable[..., Any])


# The class takes a type only from click 8.2 on, and only for checkers.
if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType


class FileName(_ParamType):
    """The name of a file or folder, which "" is not: it would be this folder."""

    name = "file"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if value == "":
            self.fail("an empty name", param, ctx)
        return str(value)

    def shell_complete(self, ctx: Any, param: Any, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type="file")]


FILE = FileName()


class TileSize(_ParamType):
    """WIDTHxHEIGHT in pixels, such as 28x28."""

    name = "WxH"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        found = re.fullmatch(r"([1-9]\d{0,4})[x×]([1-9]\d{0,4})", str(value).strip().lower())
        if not found:
            self.fail(f"'{value}' is not WIDTHxHEIGHT in pixels, such as 28x28", param, ctx)
        return int(found[1]), int(found[2])


class Values(_ParamType):
    """A number, or several between commas; in a file of settings a list too."""

    name = "NUMBERS"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        from embviz.pictures.series import parse_values

        try:
            return parse_values(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


VALUES = Values()
PERPLEXITY_OPTION = click.option(
    "--perplexity",
    type=VALUES,
    help="About how many neighbors t-SNE looks at; 5,30,100 makes a picture of each",
)
NEIGHBORS_OPTION = click.option(
    "--neighbors",
    type=VALUES,
    help="How many neighbors UMAP (or PaCMAP) looks at; 5,15,50 makes a picture of each",
)
DENSITY_OPTION = click.option(
    "--density", is_flag=True, help="Have UMAP keep how densely points lie, too (densMAP)"
)
DEVICE_OPTION = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where neighbors, t-SNE and quality are computed: cuda is a card, by PyTorch; auto takes "
    "it where there is one and more than 20,000 points",
)
FORMAT_OPTIONS = (
    click.option(
        "--input-format",
        metavar="NAME",
        shell_complete=complete_format,
        help="Read the source as this, such as tsv or npy",
    ),
    click.option(
        "--columns",
        metavar="COLUMNS",
        help="The vector's columns in a table, by name or place: 3-66, embedding, -id, all; "
        "label=NAME names the points",
    ),
    click.option("--strict", is_flag=True, help="Refuse lines that can be read in part only"),
)
"""What all commands that open a source say of its format."""


def format_options(function: F) -> F:
    """Add the options of a source's format."""
    return _with(FORMAT_OPTIONS, function)


def more_sources(function: F) -> F:
    """Add the argument that takes the sources behind the first."""
    return click.argument("more", nargs=-1, type=FILE, metavar="[SOURCE]...")(function)


def table_options(function: F) -> F:
    """Add the options that say which tensor is read, and how."""
    help = "The tensor in a source that has several"
    option = click.option("--tensor", metavar="NAME", shell_complete=complete_tensor, help=help)
    return option(reading_options(function))


def reading_options(function: F) -> F:
    """Add the options that say how a source is read: the fields of `loaders.reading.Reading`."""
    options = [
        click.option(
            "--metadata",
            type=FILE,
            metavar="FILE",
            help="Labels, a row for each point: lines, TSV, CSV, JSON lines, .npy",
        ),
        click.option(
            "--metadata-key",
            metavar="COLUMN",
            help="Join the rows of --metadata to the points by this column",
        ),
        click.option(
            "--unlabeled",
            type=click.Choice(["keep", "drop"]),
            help="Keep or leave out points that the metadata has no row for",
        ),
        click.option(
            "--drop-unused", is_flag=True, help="Leave out rows of a vocabulary that no token has"
        ),
        *FORMAT_OPTIONS,
    ]
    return _with(options, function)


def method_option(*names: str) -> Callable[[F], F]:
    """Add the option that asks for projections."""
    return click.option(
        *names,
        "methods",
        metavar="METHOD",
        shell_complete=complete_method,
        multiple=True,
        help="pca, tsne, umap, pacmap, localmap, custom, none, an installed one, or "
        "package.module:Class; fields of it as umap:n_neighbors=30; may be given several times, "
        "the first is shown first",
    )


def thumbnail_options(function: F) -> F:
    """Add the options that say which thumbnails the points have."""
    options = (
        click.option(
            "--sprite", type=FILE, metavar="FILE", help="A sheet of thumbnails, one tile a point"
        ),
        click.option("--sprite-size", type=TileSize(), help="Size of a tile in pixels"),
        click.option(
            "--images", type=FILE, metavar="DIR", help="Make the thumbnails from a folder of images"
        ),
    )
    return _with(options, function)


def picture_options(function: F) -> F:
    """Add the options that say how points are projected, beside the methods."""
    options = (
        click.option("--dims", type=click.Choice(["2", "3"]), multiple=True, help="2D, 3D or both"),
        PERPLEXITY_OPTION,
        NEIGHBORS_OPTION,
        DENSITY_OPTION,
        DEVICE_OPTION,
        click.option("--iterations", type=int, help="Iterations of t-SNE  [default: 300 or 750]"),
        click.option(
            "--metric",
            type=click.Choice(["cosine", "euclidean"]),
            default="cosine",
            show_default=True,
            help="What near means, for neighbors, t-SNE and UMAP",
        ),
        click.option(
            "--axis",
            "axes",
            nargs=2,
            multiple=True,
            metavar="FROM TO",
            help="An axis between two queries; quoted, as shells read = and *: '=worst' '=best'",
        ),
        click.option(
            "--normalize",
            type=click.Choice(["none", "center", "sphere"]),
            default="none",
            help="What PCA, t-SNE and UMAP see",
        ),
    )
    return _with(options, function)


def page_options(function: F) -> F:
    """Add the options that say what a report shows of its points."""
    options = (
        click.option("--color-by", metavar="COLUMN", shell_complete=complete_column),
        click.option("--label-by", metavar="COLUMN", shell_complete=complete_column),
        click.option("--title", default="", help="Heading of the page"),
        click.option(
            "--vectors",
            type=click.Choice(["auto", "float32", "float16", "int8", "neighbors", "none"]),
            default="auto",
            help="How the input's vectors travel in the page",
        ),
        click.option(
            "--max-size",
            type=float,
            metavar="MB",
            help="The page's size at most; what has no room is left out, and said  [default: 25]",
        ),
    )
    return _with(options, function)


def open_option(function: F) -> F:
    """Add the option that shows the report at once."""
    help = "Open the report in a browser when it is written"
    return click.option("--open", "opens", is_flag=True, help=help)(function)


def refuse_opening(output: str | None) -> None:
    """Refuse to open what is no file.

    Raises:
        ParameterError: With what it is.
        OutputError: If it is the name of an open file that is closed.
    """
    from embviz.outputs.browser import can_be_opened

    if output is not None and not can_be_opened(output):
        what = "the standard output" if output == "-" else f"{output}"
        raise ParameterError(
            "--open", f"{what} is no file that a browser opens", "name one with -o"
        )


def _with(options: Iterable[Callable[[F], F]], function: F) -> F:
    for option in reversed(tuple(options)):
        function = option(function)
    return function


def refuse_overwriting(output: Path | str, inputs: Iterable[tuple[str, Path | str | None]]) -> None:
    """Refuse an output that is one of the inputs.

    Args:
        output: A file or folder.
        inputs: What each is, and its path; None is passed over. An output that is not there yet is
            none of them, and they are not asked for.

    Raises:
        ParameterError: Naming the input.
    """
    output = Path(output)
    try:
        if not output.exists():
            return
    except (OSError, ValueError):  # What is wrong with it is said by what writes it.
        return
    for what, name in inputs:
        if name is None:
            continue
        try:
            same = output.samefile(name)
        except (OSError, ValueError):
            same = False
        if same:
            raise ParameterError(
                output, f"would overwrite the {what}", "name another place to write to"
            )
