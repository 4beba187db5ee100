"""`embviz neighbors`: the nearest points of a label, on the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from embviz.checks import check_column, check_n_neighbors, check_recall
from embviz.commands.shared.completion import complete_column
from embviz.commands.shared.found import FoundSource, find_source
from embviz.commands.shared.outcome import (
    Outcome,
    begin_account,
    json_option,
    options_in_force,
    refuse_format,
)
from embviz.commands.shared.pictured import count_asked, points_entry
from embviz.commands.shared.requests import take
from embviz.commands.shared.source import FILE, table_options
from embviz.commands.shared.terminal import say
from embviz.errors import ParameterError
from embviz.loaders.bytes.spooled import check_one_reader
from embviz.loaders.reading import Reading

if TYPE_CHECKING:
    from embviz.commands.neighbors.output import Output
    from embviz.devices import Device
    from embviz.errors import EmbvizError, LoadError
    from embviz.model import Metric
    from embviz.questions.answers import Answer, Question
    from embviz.questions.points import Points

# Queries that wait are answered together, in one pass over the points.
MOST_TOGETHER = 64


@click.command()
@click.argument("query", nargs=-1)
@click.option(
    "--source",
    "sources",
    type=FILE,
    metavar="SOURCE",
    multiple=True,
    help="A file or an index; several files are one table; else EMBVIZ_SOURCE or embviz.toml",
)
@table_options
@click.option("-k", "k", type=int, default=10, show_default=True, help="How many neighbors")
@click.option(
    "--metric", type=click.Choice(["cosine", "euclidean"]), help="Cosine, or that of an index"
)
@click.option(
    "--label-by",
    metavar="COLUMN",
    shell_complete=complete_column,
    help="The metadata column that names the points",
)
@click.option(
    "--column",
    "listed",
    metavar="COLUMN",
    multiple=True,
    shell_complete=complete_column,
    help="A column to list beside",
)
@click.option(
    "--batch", type=FILE, metavar="FILE", help="Answer each line of a file, - for standard input"
)
@click.option("--select", metavar="QUERY", help="List only points that match, in quotes: '/^b/'")
@click.option("--between", nargs=2, metavar="A B", help="List points along the way from A to B")
@click.option("--farthest", is_flag=True, help="List the farthest points, the farthest first")
@click.option("--all", "everyone", is_flag=True, help="The neighbors of all points, into -o FILE")
@click.option(
    "-o", "--output", type=FILE, metavar="FILE", help="With --all: .npz, .tsv or .parquet"
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    help="With --all: where points are compared, as for embviz project  [default: auto]",
)
@click.option("--recall", type=float, help="Share of true neighbors wanted of an index")
@click.option("--exact", is_flag=True, help="Read every vector of an index")
@click.option("--drop-nonfinite", is_flag=True, help="Leave out rows with NaN or infinity")
@click.option(
    "--format", "style", type=click.Choice(["text", "tsv", "json"]),
    help="text on a terminal, else tsv",
)  # fmt: skip
@json_option
@click.pass_context
def neighbors(ctx: click.Context, /, **given: Any) -> None:
    """List the nearest neighbors of a label or row

    QUERY is a label, else a row number; several are answered one after the other, and
    'king - man + woman' is understood. Without an index the answer is exact.

    \b
    Example:
      embviz neighbors politics --source words.npy --metadata words.tsv
    """
    source, *more = given["sources"] or (None,)
    reading = take(Reading, given)
    request = take(Request, given, reading=reading, source=source, more=tuple(more))
    refuse_format(request.style, request.as_json)
    account = begin_account(request.as_json, {"-o": request.output})
    if request.query or request.between:
        # One vector keeps one thread busy; others that wait for work take the cores meanwhile.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if request.source:
        found = FoundSource(request.source)
    else:
        found = find_source("with --source FILE", request.query)
    with account.timed("reading"):
        points = _open(request, found)
    if request.everyone:
        from embviz.commands.neighbors.all import write_all

        all_found = write_all(points, request, account, found.file)
        told: dict[str, Any] = {"recall": all_found.recall}
        listed = all_found.indices.shape[1]
        account.print(
            lambda: _outcome(ctx, found, points, told, k=listed, metric=all_found.metric),
            [request.output or ""],
        )
        return
    question = _question(points, request)
    output = _output(points, request)
    if question.effort:
        say(question.effort)
    refused: list[str] = []
    with account.timed("asking"):
        if request.between:
            output.write(question.between(*request.between))
        elif request.query:
            for answer in question.ask(_queries(request.query)):
                output.write(answer)
        else:
            n_lines, refused = _answer_lines(question, output, request.batch)
    if request.as_json:
        told = {"answers": output.held, "refused": refused}
        account.print(lambda: _outcome(ctx, found, points, told, metric=question.metric))
    else:
        output.close()
    if refused:
        raise ParameterError(
            "--batch" if request.batch else "standard input",
            f"{len(refused)} of {n_lines} lines have no answer",
        )


def _outcome(
    ctx: click.Context,
    found: FoundSource,
    points: Points,
    told: Mapping[str, Any],
    **chosen: Any,
) -> Outcome:
    """Return what `--json` prints.

    Args:
        ctx: Of the command.
        found: The source.
        points: All of them.
        told: The answers, or what was measured of the neighbors of all points.
        chosen: Options as they are in force.
    """
    named = ctx.params["sources"] or (found.source,)
    return Outcome(
        command="neighbors",
        sources=[points_entry(named, points.search)],
        counts={**count_asked(points.search), "points": points.n_points},
        parameters=options_in_force(ctx, query=list(ctx.params["query"]), **chosen),
        figures={"recall": told["recall"]} if "recall" in told else {},
        more={"answers": told.get("answers", []), "refused": told.get("refused", [])},
    )


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the command is asked: its arguments and options as they were typed.

    Raises:
        ParameterError: If they do not go together, or there is no question.
    """

    query: tuple[str, ...]
    source: str | None
    more: tuple[str, ...]
    reading: Reading
    k: int
    metric: Metric | None
    label_by: str | None
    listed: tuple[str, ...]
    batch: str | None
    select: str | None
    between: tuple[str, str] | None
    farthest: bool
    everyone: bool
    output: str | None
    device: Device | None
    recall: float | None
    exact: bool
    drop_nonfinite: bool
    style: str | None
    as_json: bool

    def __post_init__(self) -> None:
        check_n_neighbors(self.k)
        if self.recall is not None:
            check_recall(self.recall)
        asked = {
            "QUERY": bool(self.query),
            "--batch": self.batch is not None,
            "--between": bool(self.between),
            "--all": self.everyone,
        }
        given = [name for name, there in asked.items() if there]
        if len(given) > 1:
            raise ParameterError(
                " and ".join(given), "these do not go together", "give one of them"
            )
        check_one_reader(
            ("the questions", self.batch if given else "-"),
            *(("--source", name) for name in (self.source, *self.more)),
            ("--metadata", self.reading.metadata),
        )
        if not given and (sys.stdin is None or sys.stdin.isatty()):
            raise ParameterError(
                "QUERY", "nothing is asked", "name a label, such as: embviz neighbors king"
            )
        if self.everyone != (self.output is not None):
            raise ParameterError("--all and -o FILE", "each needs the other")
        if self.device is not None and not self.everyone:
            raise ParameterError("--device", "belongs to --all", "leave it out")
        if self.farthest and (self.between or self.everyone):
            raise ParameterError("--farthest", f"it does not go with {given[0]}")
        for option, value in (
            ("--select", self.select),
            ("--column", self.listed),
            ("--format", self.style),
            ("--recall", self.recall),
        ):
            if self.everyone and value not in (None, ()):
                raise ParameterError(option, "it does not go with --all")


def _open(request: Request, found: FoundSource) -> Points:
    from embviz.questions.points import is_index, open_points

    source, options = found.source, asdict(request.reading)
    only_finite = request.drop_nonfinite
    if request.more or not is_index(source, request.reading.input_format):
        for option, there in (("recall", request.recall), ("exact", request.exact)):
            if there:
                say(f"--{option}: {source} is no index; every vector is read")
        # An index holds its own; only what is typed can contradict that.
        options = {name: value or found.setting(name) or value for name, value in options.items()}
        only_finite = only_finite or bool(found.setting("drop_nonfinite"))
    return open_points(
        (source, *request.more) if request.more else source,
        label_by=request.label_by or found.setting("label_by"),
        drop_nonfinite=only_finite,
        **options,
    )


def _question(points: Points, request: Request) -> Question:
    from embviz.questions.answers import make_question

    recall = 1.0 if request.exact else request.recall
    return make_question(
        points, request.k, request.metric, request.farthest, request.select, recall
    )


def _output(points: Points, request: Request) -> Output:
    from embviz.commands.neighbors.output import Output
    from embviz.outputs.standard import check_standard_output

    for name in request.listed:
        check_column("--column", name, points.columns.names)
    check_standard_output()
    style = request.style or ("text" if sys.stdout.isatty() else "tsv")
    n_words = len(request.query)
    streamed = not n_words and not request.between
    if request.as_json:
        style, streamed = "json", False
    return Output(points, style, request.listed, streamed or n_words > 1, streamed)


def _queries(words: tuple[str, ...]) -> tuple[str, ...]:
    """Join words that are one expression typed without quotes, such as king - man + woman."""
    if len(words) > 2 and any(word in ("+", "-") for word in words[1:-1]):
        return (" ".join(words),)
    return words


def _answer_lines(question: Question, output: Output, batch: str | None) -> tuple[int, list[str]]:
    """Answer each line of a file or of standard input; a line that cannot be is told and passed.

    Returns:
        How many lines there are, and why some have no answer.

    Raises:
        ParameterError: If there is no line.
    """
    from embviz.commands.neighbors.batch import read_groups
    from embviz.errors import EmbvizError

    n_lines, refused = 0, list[str]()
    for group in read_groups(batch or "-", MOST_TOGETHER):
        for answer in _answers(question, group, n_lines):
            if isinstance(answer, EmbvizError):
                refused.append(str(answer))
                say(f"embviz: {answer}")
            else:
                output.write(answer)
        n_lines += len(group)
    if not n_lines and batch is None:
        raise ParameterError(
            "QUERY", "nothing is asked", "name a label, such as: embviz neighbors king"
        )
    return n_lines, refused


def _answers(
    question: Question, group: list[str | LoadError], n_before: int
) -> Iterator[Answer | EmbvizError]:
    """Yield an answer a line, or the error that it is refused with."""
    from embviz.errors import EmbvizError

    yield from (text for text in group if isinstance(text, EmbvizError))
    texts = [text for text in group if isinstance(text, str) and text]
    try:
        yield from question.ask(texts)
        return
    except ParameterError:
        pass  # One of them; which one is found by asking each.
    for number, text in enumerate(group, n_before + 1):
        if not isinstance(text, str) or not text:
            continue
        try:
            yield from question.ask([text])
        except ParameterError as error:
            yield ParameterError(f"line {number}: {error.what}", error.why, error.way_out)
