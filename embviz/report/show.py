"""From points to a report in one call, for notebooks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Unpack

import numpy as np

from embviz.checks import check_keywords
from embviz.comparison.states import as_steps
from embviz.comparison.values import Comparison, Steps
from embviz.errors import LoadError, ParameterError
from embviz.model import EmbeddingTable
from embviz.pictures.plan import Plan, PlanFields, project
from embviz.pictures.selection import Part
from embviz.report.notebook import HEIGHT, MOST_POINTS, Report
from embviz.report.payload import ReportOptions

OF_THE_PAGE = ("title", "color_by", "vectors", "first")
_WAY = "give a table, an array (n_points, n_dims), a file, or what compare or load_steps found"


class ShowFields(PlanFields, total=False):
    """What `show` takes: the fields of `Plan`, and some of `ReportOptions`."""

    title: str
    color_by: str | None
    vectors: str
    first: str | None


def show(
    points: Any,
    labels: Any = None,
    *,
    height: int = HEIGHT,
    max_points: int | None = MOST_POINTS,
    **fields: Unpack[ShowFields],
) -> Report:
    """Project points and return their report, which a notebook shows in place.

    Args:
        points: A table, what `choose_points` gave, an array (n_points, n_dims), the name of a file,
            what `compare` found, or the steps of a run.
        labels: Of an array: a text a point, or several columns of them by name.
        height: Of the frame in a notebook, in pixels.
        max_points: The most points in a notebook's page; None for all.
        fields: Fields of `Plan`, such as `methods=["tsne"]`, and `title`, `color_by`, `vectors` and
            `first` of `ReportOptions`.

    Raises:
        LoadError: If a file or an array cannot be read.
        ParameterError: If what is asked for does not fit the points.
    """
    known = [*PlanFields.__annotations__, *OF_THE_PAGE]
    check_keywords("show", fields, known)
    given: dict[str, Any] = dict(fields)
    shown = {name: given.pop(name) for name in OF_THE_PAGE if name in given}
    found = _as_points(points, labels)
    if isinstance(found, (EmbeddingTable, Part)):
        steps, plan = None, Plan(**given)
        projections = project(found, plan)
    else:
        from embviz.pictures.steps import project_steps

        steps, plan = _states(found, given)
        found, projections = steps.table, project_steps(steps, plan)
    usual = {
        "metric": plan.metric,
        "label_by": plan.label_by,
        "dims": plan.first_dims(),
        "first": plan.first(projections).key,
    }
    options = ReportOptions(**{**usual, **shown})
    return Report(found, projections, options, steps, height, max_points)


def _states(found: Comparison | Steps, given: dict[str, Any]) -> tuple[Steps, Plan]:
    """Return the states of points, and which projections of them are wanted.

    Of a comparison t-SNE is usual, by its own metric.
    """
    if isinstance(found, Comparison):
        from embviz.projections import USUAL_MAP

        usual: dict[str, Any] = {"metric": found.metric}
        usual |= {} if given.get("axes") else {"methods": (USUAL_MAP,)}
        return as_steps(found), Plan(**{**usual, **given})
    from embviz.pictures.step_neighbors import measure_steps

    plan = Plan(**given)
    return measure_steps(found, plan), plan


def _as_points(points: Any, labels: Any) -> EmbeddingTable | Part | Comparison | Steps:
    """Return points as what is projected.

    Raises:
        LoadError: If a file or an array cannot be read.
        ParameterError: If they are none, or labels are given to what has its own.
    """
    is_named = isinstance(points, (str, os.PathLike))
    if is_named or isinstance(points, (EmbeddingTable, Part, Comparison, Steps)):
        if labels is not None:
            raise ParameterError("labels", "belong to an array", "a table has its metadata")
        if not is_named:
            return points  # type: ignore[no-any-return]
        from embviz.loaders import load_table

        return load_table(points)
    try:
        vectors = np.asarray(points)
    except (TypeError, ValueError, RuntimeError) as error:  # A tensor may be elsewhere.
        raise LoadError("points", str(error).split("\n")[0], _WAY) from error
    if vectors.ndim != 2 or vectors.dtype.kind in "OSUMm":
        what = f"{type(points).__name__} of shape {vectors.shape} and type {vectors.dtype}"
        raise ParameterError("points", f"no vectors in {what}", _WAY)
    return EmbeddingTable(vectors, _columns(labels))


def _columns(labels: Any) -> dict[str, Any]:
    """Return labels as columns: those of a mapping or a data frame, or one."""
    if labels is None:
        return {}
    if isinstance(labels, Mapping) or hasattr(labels, "columns"):
        return {str(name): list(labels[name]) for name in labels}
    return {"label": list(labels) if hasattr(labels, "tolist") else labels}
