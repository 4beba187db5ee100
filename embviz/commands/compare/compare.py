"""`embviz compare`: what changed between two models, on the terminal and as a report."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from embviz.commands.shared.completion import complete_column, complete_tensor
from embviz.commands.shared.outcome import (
    Account,
    Outcome,
    begin_account,
    json_option,
    options_in_force,
    summary_option,
)
from embviz.commands.shared.pictured import count_rows, table_entry
from embviz.commands.shared.previews import Previews, preview_options
from embviz.commands.shared.requests import Source, take
from embviz.commands.shared.source import (
    FILE,
    method_option,
    open_option,
    page_options,
    picture_options,
    reading_options,
    refuse_opening,
    thumbnail_options,
)
from embviz.commands.shared.verdict import Verdict
from embviz.errors import ParameterError
from embviz.loaders.bytes.spooled import check_one_reader
from embviz.loaders.reading import Reading

if TYPE_CHECKING:
    from embviz.comparison.values import Comparison
    from embviz.expressions import Condition
    from embviz.model import EmbeddingTable
    from embviz.pictures.plan import Plan
    from embviz.report import ReportOptions

OF_THE_PAGE = {
    *("methods", "dims", "perplexity", "neighbors", "density", "iterations", "axes", "normalize"),
    *("sprite", "sprite_size", "images", "color_by", "label_by", "title", "vectors", "opens"),
    *("max_size", "preview", "preview_dark", "device"),
}
"""Options that say what the report shows."""
_EVERY = ("version", "figures")  # What the objects of all commands have.
log = logging.getLogger("embviz")


@click.command()
@click.argument("a", type=FILE)
@click.argument("b", type=FILE)
@click.option("-o", "output", type=FILE, metavar="FILE", help="The report to write")
@click.option(
    "--tensor",
    metavar="NAME",
    shell_complete=complete_tensor,
    help="The tensor in sources that have several",
)
@click.option(
    "--tensor-b",
    metavar="NAME",
    shell_complete=complete_tensor,
    help="The tensor in B, where it is another",
)
@reading_options
@click.option("--metadata-b", type=FILE, metavar="FILE", help="Labels of B, where they are others")
@click.option(
    "--match", metavar="HOW", help="Points are the same by label, by row, or by a column's values"
)
@click.option(
    "--sample", type=int, metavar="N", help="Compare N points, drawn by the seed, with all others"
)
@click.option(
    "--group-by",
    metavar="COLUMN",
    shell_complete=complete_column,
    help="Figures of each value of this column too",
)
@click.option("--drop-nonfinite", is_flag=True, help="Leave out rows with NaN or infinity")
@json_option
@summary_option
@click.option(
    "--save-changes", type=FILE, metavar="FILE", help="Write what became of each point too, as TSV"
)
@click.option(
    "--fail-if", metavar="CONDITION", help='Exit with 3 where it holds, such as "overlap10 < 0.6"'
)
@method_option("--method")
@picture_options
@thumbnail_options
@click.option("--seed", type=int, default=0, show_default=True)
@page_options
@preview_options
@open_option
@click.pass_context
def compare(ctx: click.Context, /, **given: Any) -> None:
    """Find what changed between the vectors of A and of B, of the same points

    A and B are two sources of any format and width: two checkpoints, two steps, two models. Prints
    which neighbors they have in common and what changed most; -o writes a report with both maps.

    \b
    Example:
      embviz compare old.ckpt new.ckpt -o changes.html
    """
    from embviz.commands.compare.output import tell_comparison
    from embviz.comparison.compare import CompareOptions
    from embviz.comparison.compare import compare as compare_tables
    from embviz.outputs.browser import open_page
    from embviz.outputs.standard import check_standard_output
    from embviz.outputs.text import show_size

    check_standard_output()
    take(Previews, given).check()
    account = begin_account(given["as_json"], _named(given))
    condition = _condition(given["fail_if"])
    needed = () if condition is None else condition.names
    options = take(CompareOptions, given, needed=needed)
    page = None if given["output"] is None else _page(ctx, given)
    if page is None:
        _refuse_page_options(ctx)
    a, b = _sources(given)
    _check_outputs(given, (a, b))
    if given["opens"]:
        refuse_opening(given["output"])
    with account.timed("reading"):
        first, second = (_read(source, given["drop_nonfinite"]) for source in (a, b))
    with account.timed("comparing"):
        found = compare_tables(first, second, options)
    verdict = Verdict(condition, found.figures)
    summary = _summary(ctx, found, given, condition) if given["summary"] else b""
    sizes = _write(found, given, page, (account, summary))
    account.stop_hearing()
    for name, size in sizes:
        log.info("Wrote %s (%s)", name, show_size(size))
    if summary:
        log.info("Added to %s", given["summary"])
    if given["opens"]:
        open_page(given["output"])
    with verdict.failing():
        if not account.wanted:
            tell_comparison(found)
        written = [*(name for name, _ in sizes), *filter(None, [given["summary"]])]
        account.print(lambda: _outcome(ctx, found, (first, second), verdict), written)


def _outcome(
    ctx: click.Context,
    found: Comparison,
    tables: tuple[EmbeddingTable, EmbeddingTable],
    verdict: Verdict,
) -> Outcome:
    """Return what `--json` prints: what `comparison_object` has, and what every command has."""
    from embviz.export import comparison_object
    from embviz.pictures.description import describe_comparison

    own = comparison_object(found)
    a, b = tables
    matched = {name: own[name] for name in ("n_matched", "only_a", "only_b", "n_compared")}
    return Outcome(
        command="compare",
        sources=[table_entry([ctx.params["a"]], a), table_entry([ctx.params["b"]], b)],
        counts={"a": count_rows(a), "b": count_rows(b), **matched},
        parameters=options_in_force(ctx, match=found.matched_by),
        figures=own["figures"],
        more={
            "fail_if": verdict.as_object(),
            "summary": list(describe_comparison(found)),
            **{k: v for k, v in own.items() if k not in _EVERY},
        },
    )


def _condition(text: str | None) -> Condition | None:
    from embviz.comparison.figures import NAMES
    from embviz.expressions import parse_condition

    return None if text is None else parse_condition(text, NAMES)


def _page(ctx: click.Context, given: dict[str, Any]) -> tuple[Plan, ReportOptions]:
    """Return which pictures the report has, t-SNE if none are asked for, and what it shows."""
    from embviz.commands.shared.command_line import shown_command
    from embviz.pictures.plan import Plan
    from embviz.projections import USUAL_MAP
    from embviz.report import ReportOptions, prepare_page

    if given["output"] == "-":
        why = "the standard output has the figures"
        raise ParameterError("-o -", why, "name a file, or leave -o out")
    methods = given["methods"] or (() if given["axes"] else (USUAL_MAP,))
    plan = take(Plan, given, methods=methods)
    prepare_page()
    shown = take(ReportOptions, given, dims=plan.first_dims(), command=shown_command(ctx))
    return plan, shown


def _refuse_page_options(ctx: click.Context) -> None:
    """Refuse what only a report shows where none is written."""
    for param in ctx.command.params:
        typed = ctx.get_parameter_source(param.name or "") == ParameterSource.COMMANDLINE
        if param.name in OF_THE_PAGE and typed:
            option = max(param.opts, key=len)
            raise ParameterError(option, "belongs to the report", "add -o FILE, or leave it out")


def _sources(given: dict[str, Any]) -> tuple[Source, Source]:
    """Return what is read of A and of B; thumbnails are A's."""
    reading = take(Reading, given)
    other = replace(
        reading,
        tensor=given["tensor_b"] or reading.tensor,
        metadata=given["metadata_b"] or reading.metadata,
    )
    check_one_reader(
        ("A", given["a"]),
        ("B", given["b"]),
        ("--metadata", reading.metadata),
        ("--metadata-b", given["metadata_b"]),
    )
    return (
        take(Source, given, source=given["a"], reading=reading, match=None),  # It is of both.
        Source(source=given["b"], reading=other),
    )


def _named(given: dict[str, Any]) -> dict[str, str | None]:
    """Return the outputs by the options that name them."""
    options = {"-o": "output", "--save-changes": "save_changes", "--summary": "summary"}
    named = {option: given[name] for option, name in options.items()}
    return {**named, **take(Previews, given).named}


def _summary(
    ctx: click.Context, found: Comparison, given: dict[str, Any], condition: Condition | None
) -> bytes:
    """Return what `--summary` adds to its file."""
    from embviz.commands.shared.command_line import shown_command
    from embviz.export.summary import SummaryOptions, preview_reference, summarize_comparison
    from embviz.outputs.text import to_utf8

    preview = given.get("preview")
    options = SummaryOptions(
        title=given["title"],
        command=shown_command(ctx),
        preview=preview_reference(preview, given["summary"]) if preview else "",
        condition=condition,
    )
    return to_utf8(summarize_comparison(found, options))


def _check_outputs(given: dict[str, Any], sources: tuple[Source, Source]) -> None:
    """Refuse outputs that are inputs or cannot be written, before work is spent on them."""
    from embviz.commands.shared.source import refuse_overwriting
    from embviz.outputs.files import check_outputs, is_standard_output

    named = _named(given)
    if given["summary"] and is_standard_output(Path(given["summary"])):
        why = "the standard output has the figures"
        raise ParameterError(f"--summary {given['summary']}", why, "name a file")
    check_outputs({option: Path(name) for option, name in named.items() if name})
    for name in filter(None, named.values()):
        for source in sources:
            refuse_overwriting(name, source.inputs())


def _read(source: Source, without_nonfinite: bool) -> EmbeddingTable:
    from embviz.questions.points import drop_nonfinite

    table = source.read()
    return drop_nonfinite(table) if without_nonfinite else table


def _write(
    found: Comparison,
    given: dict[str, Any],
    page: tuple[Plan, ReportOptions] | None,
    told: tuple[Account, bytes],
) -> list[tuple[str, int]]:
    """Write the report, the changes and the summary, where they are asked for; all or none.

    Returns:
        Names and sizes in bytes.
    """
    from embviz.comparison.states import as_steps
    from embviz.export.changes import encode_changes
    from embviz.outputs.folders import staged
    from embviz.pictures.series import describe_series
    from embviz.pictures.steps import project_steps
    from embviz.report.comparison import encode_comparison

    account, summary = told
    with staged() as stage:
        if page is not None:
            plan, shown = page
            steps, previews = as_steps(found), take(Previews, given)
            with account.timed("projecting"):
                projections = project_steps(steps, plan)
            for line in describe_series(projections):
                log.info("%s", line)
            shown = previews.referred(replace(shown, first=plan.first(projections).key))
            with account.timed("writing"):
                page_bytes = encode_comparison(found, projections, shown)
                stage.write(Path(given["output"]), page_bytes)
                for name, data in previews.encoded(steps.table, projections, shown, steps):
                    stage.write(Path(name), data)
        if given["save_changes"]:
            with account.timed("writing"):
                stage.write(Path(given["save_changes"]), encode_changes(found))
        if summary:
            stage.append(Path(given["summary"]), summary)
    return stage.written
