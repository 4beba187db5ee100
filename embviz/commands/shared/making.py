"""What `embviz project` makes of a source: points, and their projections."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from embviz.commands.shared.outcome import Account
from embviz.commands.shared.requests import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from embviz.comparison.values import Steps
    from embviz.expressions import Condition
    from embviz.model import Projection
    from embviz.pictures.plan import Plan
    from embviz.pictures.selection import Choice, Part
    from embviz.report import ReportOptions


@dataclass(frozen=True, eq=False)
class Asked:
    """What is projected, and when that is a failure."""

    source: Source
    choice: Choice
    plan: Plan
    bookmarks: tuple[str, ...]
    condition: Condition | None
    shown: ReportOptions


@dataclass(frozen=True, eq=False)
class Made:
    """The points of a report and their projections, and their states, where there are several."""

    part: Part
    projections: list[Projection]
    first: str
    """The key of the one that is shown first."""
    steps: Steps | None = None
    placed: Mapping[str, Any] | None = None
    """What the folder of all rows placed says of itself, where one is written."""


def with_clusters(made: Made, shown: ReportOptions, account: Account) -> Made:
    """Return the points with their clusters, of the map that is shown first."""
    from embviz.report.options import report_options
    from embviz.report.parting import part_points

    with account.timed("clusters"):
        options = replace(report_options(made.part, shown, {})[1], first=made.first)
        return replace(made, part=part_points(made.part, made.projections, options, made.steps))


def understand_condition(
    text: str | None, plan: Plan, source: Source, over_all: bool
) -> Condition | None:
    """Understand `--fail-if`, before there are points.

    Raises:
        ParameterError: If it asks for a figure that cannot be there.
    """
    if text is None:
        return None
    from embviz.pictures.figures import parse_picture_condition

    of_run, placed = source.steps is not None, bool(source.coordinates)
    return parse_picture_condition(text, plan, of_run=of_run, placed=placed, of_all=over_all)


def project_one(asked: Asked, account: Account) -> Made:
    """Read, choose and project the points of a source."""
    from embviz.pictures.bookmarks import add_bookmarks
    from embviz.pictures.figures import check_measurable
    from embviz.pictures.plan import project as project_points
    from embviz.pictures.selection import choose_points
    from embviz.report import check_size
    from embviz.report.foreseen import check_listing, check_memory
    from embviz.report.parting import check_clusters, check_named

    source = asked.source
    with account.timed("reading"):
        table = source.read()
        methods = (*asked.plan.methods, *source.read_coordinates(table))
        plan = replace(asked.plan, methods=methods)
        check_memory(table, asked.choice, plan)
        part = add_bookmarks(choose_points(table, asked.choice), asked.bookmarks)
    check_measurable(asked.condition, part.table.n_points)
    check_size(part.table, asked.shown)
    check_named(part.table.metadata, asked.shown)
    check_clusters(part.table, asked.shown)
    check_listing(part, plan, asked.shown)
    with account.timed("projecting"):
        projections = project_points(part, plan)
    return Made(part, projections, plan.first(projections).key)


def project_steps(asked: Asked, account: Account) -> Made:
    """Read, choose and project the points of a run at all its steps."""
    from embviz.pictures.bookmarks import add_bookmarks
    from embviz.pictures.figures import check_measurable
    from embviz.pictures.step_selection import choose_step_points
    from embviz.pictures.steps import follow_steps
    from embviz.report import check_size
    from embviz.report.parting import check_clusters, check_named

    with account.timed("reading"):
        chosen = choose_step_points(asked.source.read_steps(), asked.choice)
        part = add_bookmarks(chosen.part, asked.bookmarks)
    check_measurable(asked.condition, part.table.n_points)
    check_size(part.table, asked.shown)
    check_named(part.table.metadata, asked.shown)
    check_clusters(part.table, asked.shown)
    with account.timed("projecting"):
        steps, projections = follow_steps(chosen.steps, asked.plan, chosen.whole)
    return Made(part, projections, asked.plan.first(projections).key, steps)
