"""Asking a projector for its picture, and what is asked of a picture that another's code made."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np

from embviz.errors import EmbvizError, ParameterError, counted
from embviz.model import Projection
from embviz.projections import PROJECTORS
from embviz.projections.placed import Placed
from embviz.space import Space

_OURS = Path(__file__).parents[1]


def place(projector: Any, space: Space) -> Projection:
    """Return what a projector makes of a table, whose space it is given if it takes one.

    Raises:
        ParameterError: If a projector of another package fails, or makes no picture of the points.
    """
    if isinstance(projector, Placed) or type(projector) in PROJECTORS.ours.values():
        known: Projection = _ask(projector, space)
        return known
    what = f"projector {type(projector).__module__}:{type(projector).__qualname__}"
    try:
        found = _ask(projector, space)
    except (EmbvizError, MemoryError):
        raise
    except Exception as error:  # Another's code may fail in any way.
        raise ParameterError(what, f"project fails with {tell_failure(error)}") from error
    return _checked(found, what, getattr(projector, "n_components", None), space.shape[0])


def import_ahead(projectors: Sequence[Any]) -> None:
    """Import what projectors of ours need, where that takes long and they say how."""
    for projector in projectors:
        if type(projector) in PROJECTORS.ours.values() and hasattr(projector, "import_ahead"):
            projector.import_ahead()


def tell_failure(error: BaseException) -> str:
    """Return what an exception of another's code says, and where it was raised."""
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [f for f in frames if f.filename[0] != "<" and _OURS not in Path(f.filename).parents]
    if not theirs:
        return said
    return f"{said} ({Path(theirs[-1].filename).name}, line {theirs[-1].lineno})"


def _ask(projector: Any, space: Space) -> Any:
    taken = {"space": space} if "space" in signature(projector.project).parameters else {}
    return projector.project(space.table, **taken)


def _checked(found: Any, what: str, wanted: Any, n_points: int) -> Projection:
    """Return a projection with float32 coordinates.

    Args:
        found: What was made.
        what: By whom.
        wanted: The number of components that were asked for, where it is known.
        n_points: Of the table.

    Raises:
        ParameterError: If it is none, or not of these points.
    """
    if not isinstance(found, Projection):
        kind = type(found).__name__
        raise ParameterError(what, f"project returns a {kind}", "return an embviz.Projection")
    if not isinstance(found.name, str) or not found.name:
        raise ParameterError(what, "its projection has no name", "name it")
    given = np.asarray(found.coordinates)
    if given.dtype.kind not in "fiub":
        raise ParameterError(what, f"coordinates of type {given.dtype}", "numbers are needed")
    if len(given) != n_points:
        raise ParameterError(what, f"places {len(given):,} points where there are {n_points:,}")
    with np.errstate(over="ignore"):
        coordinates = given.astype(np.float32)
    lost = np.flatnonzero(~np.isfinite(coordinates).all(axis=1))
    if len(lost):
        kind = "beyond float32" if np.isfinite(given[lost]).all() else "not finite"
        raise ParameterError(
            what, f"{len(lost):,} of {n_points:,} points are placed {kind}, the first is {lost[0]}"
        )
    n_components = coordinates.shape[1]
    if found.kind == "map" and isinstance(wanted, int) and n_components != wanted:
        made = counted(n_components, "component")
        raise ParameterError(what, f"{made} where n_components is {wanted}", "make as many")
    for name, values in found.per_point.items():
        if np.shape(values) != (n_points,):
            raise ParameterError(
                what, f"per_point '{name}' has shape {np.shape(values)}, ({n_points:,},) is wanted"
            )
    for name, shown in (("params", found.params), ("stats", found.stats)):
        odd = _find_odd(shown)
        if odd:
            raise ParameterError(what, f"{name} hold {odd}", "numbers, texts and lists are shown")
    return replace(found, coordinates=coordinates)


def _find_odd(value: Any) -> str:
    """Return the type of a value that is no plain JSON, "" for none."""
    if isinstance(value, Mapping):
        return next(filter(None, map(_find_odd, value.values())), "")
    if isinstance(value, (list, tuple)):
        return next(filter(None, map(_find_odd, value)), "")
    if isinstance(value, (np.ndarray, np.generic)):
        return "" if value.dtype.kind in "fiubU" else f"an array of {value.dtype}"
    known = value is None or isinstance(value, (bool, int, float, str))
    return "" if known else f"a {type(value).__name__}"
