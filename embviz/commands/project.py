"""`embviz project`: the main job, from a source to a report."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embviz.commands.shared.config import config_option
from embviz.commands.shared.found import settings_file, source_argument, tell_settings
from embviz.commands.shared.making import (
    Asked,
    Made,
    project_one,
    project_steps,
    understand_condition,
    with_clusters,
)
from embviz.commands.shared.outcome import (
    Account,
    Outcome,
    begin_account,
    json_option,
    options_in_force,
    summary_option,
)
from embviz.commands.shared.pictured import (
    count_points,
    list_matches,
    matched_by,
    partitions_found,
    pictures_shown,
    table_entry,
)
from embviz.commands.shared.previews import Previews, preview_options
from embviz.commands.shared.requests import Outputs, Source, take
from embviz.commands.shared.sharding import is_over_shards, project_shards, sharding_options
from embviz.commands.shared.source import (
    FILE,
    method_option,
    more_sources,
    open_option,
    page_options,
    picture_options,
    refuse_opening,
    table_options,
    thumbnail_options,
)
from embviz.commands.shared.verdict import Verdict
from embviz.loaders.reading import Reading

if TYPE_CHECKING:
    from embviz.expressions import Condition
    from embviz.model import Projection
    from embviz.pictures.selection import Part
    from embviz.report import ReportOptions

log = logging.getLogger("embviz")
progress = logging.getLogger("embviz.progress")


@click.command()
@source_argument
@more_sources
@click.option("-o", "output", type=FILE, metavar="FILE", required=True, help="The report to write")
@table_options
@click.option(
    "--steps",
    metavar="STEPS",
    help="Take SOURCE for a run and show its steps: all, last:10, or numbers as 1000,2000; several "
    "SOURCEs are the steps in their order",
)
@click.option(
    "--match",
    metavar="label|row|COLUMN",
    help="How points of one step are found in another  [default: unique labels, else rows]",
)
@thumbnail_options
@click.option("--images-linked", is_flag=True, help="Open the images beside the page from a card")
@method_option("--method")
@click.option(
    "--coordinates",
    metavar="FILE",
    multiple=True,
    help="Coordinates computed elsewhere, a tab of their own: a file of 2 or 3 columns, "
    "FILE:TENSOR, or columns or a tensor of the source (x,y or obsm/X_umap)",
)
@picture_options
@click.option(
    "--select", metavar="QUERY", help="Only the points that match, in quotes: '=best', '/^b/'"
)
@click.option("--neighbors-of", metavar="LABEL", help="Only a point and its nearest neighbors")
@click.option("-k", "k", type=int, help="How many neighbors of it  [default: 100]")
@click.option("--isolate", metavar="QUERY", help="Open with the matching points alone")
@click.option("--sample", type=int, metavar="N", help="Only N points, drawn by the seed")
@sharding_options
@click.option("--drop-nonfinite", is_flag=True, help="Leave out rows with NaN or infinity")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--clusters",
    metavar="[map|none|COLUMN]",
    is_flag=False,
    flag_value="map",
    is_eager=True,
    help="Name the clusters of the map shown first, none, or the classes of a column  "
    "[default: map beyond 2,000 points that texts or classes name]",
)
@page_options
@click.option(
    "--bookmark",
    "bookmarks",
    type=FILE,
    metavar="FILE",
    multiple=True,
    help="Views saved here or in TensorBoard",
)
@click.option(
    "--save-bookmark", type=FILE, metavar="FILE", help="Write the first view too, for TensorBoard"
)
@click.option(
    "--save-coordinates", type=FILE, metavar="FILE", help="Write the coordinates too, .npz or .tsv"
)
@click.option(
    "--save-clusters", type=FILE, metavar="FILE.tsv", help="Write each point's clusters too"
)
@click.option(
    "--figure", type=FILE, metavar="FILE", help="Write a plain Plotly figure too, as JSON"
)
@preview_options
@open_option
@json_option
@summary_option
@click.option(
    "--fail-if",
    metavar="CONDITION",
    help='Exit with 3 where it holds, such as "trustworthiness < 0.9"',
)
@config_option
@click.pass_context
def project(ctx: click.Context, /, bookmarks: tuple[str, ...], opens: bool, **given: Any) -> None:
    """Project the vectors of SOURCE and write a report of them as one HTML file

    SOURCE is a TensorFlow checkpoint, a .npy, .npz, TSV, CSV, word2vec or GloVe file, or a
    projector logdir; else what EMBVIZ_SOURCE or an embviz.toml here or above names, with its
    settings.

    \b
    Example:
      embviz project model.ckpt --method tsne -o out.html
    """
    from embviz.commands.shared.command_line import shown_command
    from embviz.outputs.browser import open_page
    from embviz.outputs.text import show_size
    from embviz.pictures.plan import Plan
    from embviz.pictures.selection import Choice
    from embviz.report import ReportOptions, prepare_page

    outputs = take(Outputs, given, previews=take(Previews, given))
    account = begin_account(given["as_json"], outputs.named)
    tell_settings(ctx)
    source = take(Source, given, reading=take(Reading, given), config=settings_file(ctx))
    if opens:
        refuse_opening(outputs.output)
    plan = take(Plan, given)
    given["clusters"] = outputs.clusters_wanted(given["clusters"])
    shown = take(ReportOptions, given, dims=plan.first_dims(), command=shown_command(ctx))
    over_shards = is_over_shards(given, outputs)
    condition = understand_condition(given["fail_if"], plan, source, bool(given["place_all"]))
    choice = take(Choice, given, verify=bool(plan.axes))
    asked = Asked(source, choice, plan, bookmarks, condition, shown)
    outputs.check(source, bookmarks)
    prepare_page()
    with ExitStack() as folder:  # Of placed rows, which appears when all else is written.
        if over_shards:
            made = project_shards(ctx, asked, account, folder)
        else:
            make = project_one if source.steps is None else project_steps
            made = make(asked, account)
        made, shown, verdict, sizes = _write_made(outputs, asked, made, account)
    account.stop_hearing()
    for name, size in reversed(sizes):
        log.info(
            "Wrote %s%s", _place(name), f" ({show_size(size)})" if name == outputs.output else ""
        )
    if outputs.summary:
        log.info("Added to %s", _place(outputs.summary))
    if opens:
        open_page(outputs.output)
    with verdict.failing():
        files = [*(name for name, _ in sizes), *filter(None, [outputs.summary])]
        account.print(lambda: _outcome(ctx, asked, made, verdict, shown), files)


def _write_made(
    outputs: Outputs, asked: Asked, made: Made, account: Account
) -> tuple[Made, ReportOptions, Verdict, list[tuple[str, int]]]:
    """Write what was made, and return it as it is shown, what was found and what was written."""
    from embviz.pictures.description import Opening, with_classes
    from embviz.pictures.figures import picture_figures
    from embviz.pictures.series import describe_series
    from embviz.pictures.thumbnails import link_images

    shown, source = asked.shown, asked.source
    made = with_clusters(made, shown, account)
    for line in describe_series(made.projections):
        log.info("%s", line)
    figures = picture_figures(made.projections, made.first, shown.dims, made.steps)
    verdict = Verdict(asked.condition, figures)
    images = source.images if source.images_linked else None
    links = [] if images is None else link_images(outputs.output, made.part.table, images)
    shown = replace(shown, first=made.first, image_links=links)
    shown = outputs.previews.referred(shown)
    parted = with_classes(made.part, made.projections, Opening.of(shown))
    made = replace(made, part=parted)
    with account.timed("writing"):
        return made, shown, verdict, _write(outputs, made, shown, asked.condition)


def _outcome(
    ctx: click.Context, asked: Asked, made: Made, verdict: Verdict, shown: ReportOptions
) -> Outcome:
    """Return what `--json` prints."""
    from embviz.pictures.description import Opening, describe
    from embviz.pictures.selection import DEFAULT_NEIGHBORS

    source, chosen = asked.source, matched_by(made.part, asked.choice)
    around = asked.choice.neighbors_of is not None
    in_force: dict[str, Any] = {"clusters": asked.shown.clusters}
    if around:
        in_force["k"] = asked.choice.k or DEFAULT_NEIGHBORS
    named_by = asked.choice.label_by or made.part.table.label_column()
    return Outcome(
        command="project",
        sources=[table_entry((source.source, *source.more), made.part.whole)],
        counts={
            **count_points(made.part),
            "matches": list_matches(chosen, made.projections),
        },
        parameters=options_in_force(ctx, **in_force, label_by=named_by),
        figures=verdict.figures,
        more={
            "fail_if": verdict.as_object(),
            "summary": list(describe(made.part, made.projections, Opening.of(shown), made.steps)),
            **pictures_shown(made.first, made.projections, made.steps),
            "partitions": partitions_found(made.part),
            "placed": made.placed,
        },
    )


def _write(
    outputs: Outputs, made: Made, shown: ReportOptions, condition: Condition | None
) -> list[tuple[str, int]]:
    """Write the report and what was asked for beside it; all of them or nothing.

    Returns:
        What was written: names and sizes in bytes.
    """
    from embviz.outputs.folders import staged
    from embviz.report import encode_report

    with staged() as stage:
        report = encode_report(made.part, made.projections, shown, made.steps)
        stage.write(Path(outputs.output), report)
        for name, data in _extras(outputs, made.part, made.projections, shown):
            stage.write(Path(name), data)
        pictures = outputs.previews.encoded(made.part, made.projections, shown, made.steps)
        for name, data in pictures:
            stage.write(Path(name), data)
        if outputs.summary:
            stage.append(Path(outputs.summary), _summary(outputs, made, shown, condition))
    return stage.written


def _summary(
    outputs: Outputs, made: Made, shown: ReportOptions, condition: Condition | None
) -> bytes:
    """Return what `--summary` adds to its file."""
    from embviz.export.summary import SummaryOptions, preview_reference, summarize_report
    from embviz.outputs.text import to_utf8

    preview = outputs.previews.preview
    options = SummaryOptions(
        title=shown.title,
        command=shown.command,
        preview=preview_reference(preview, outputs.summary or "") if preview else "",
        condition=condition,
        first=made.first,
        dims=shown.dims,
        color_by=shown.color_by,
        label_by=shown.label_by,
        metric=shown.metric,
    )
    return to_utf8(summarize_report(made.part, made.projections, options, made.steps))


def _extras(
    outputs: Outputs, part: Part, projections: list[Projection], shown: ReportOptions
) -> Iterator[tuple[str, bytes]]:
    """Yield the names and bytes of what was asked for beside the report."""
    if outputs.save_bookmark:
        from embviz.bookmarks import encode_bookmarks
        from embviz.report import opening_bookmark

        view = opening_bookmark(part, projections, shown)
        yield outputs.save_bookmark, encode_bookmarks([view])
    if outputs.save_coordinates:
        from embviz.export import encode_coordinates

        name = outputs.save_coordinates
        yield name, encode_coordinates(name, part.table, projections)
    if outputs.save_clusters:
        from embviz.export.clusters import encode_clusters

        yield outputs.save_clusters, encode_clusters(part, shown.label_by)
    if outputs.figure:
        from embviz.export import encode_figure
        from embviz.pictures.tabs import show_first

        progress.info("writing %s", outputs.figure)
        first = show_first(projections, shown.first, shown.dims)
        dims = min(shown.dims, int(first.coordinates.shape[1]))
        yield outputs.figure, encode_figure(part.table, first, dims=dims)


def _place(output: str | Path) -> str:
    return "to the standard output" if str(output) == "-" else str(output)
