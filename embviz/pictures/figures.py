"""The figures of pictures by name: what `--fail-if` asks for and `--json` and `--summary` show."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

from embviz.comparison.values import Steps
from embviz.errors import ParameterError, printable
from embviz.expressions import Condition, parse_condition
from embviz.model import Projection
from embviz.pictures.plan import Plan
from embviz.pictures.tabs import show_first
from embviz.projections import PROJECTORS, Projector
from embviz.projections.methods import Method
from embviz.projections.placed import Placed

Figures = dict[str, float | None]
QUALITY = (
    *("neighbors_kept", "trustworthiness", "continuity", "rank_correlation"),
    *("neighbors_kept50", "trustworthiness50", "continuity50"),
)
"""Figures that are measured of every picture; with `_se` behind them their standard errors."""
OF_RUNS = (
    *("kept_from_previous", "kept_from_previous_mean", "kept_from_previous_min"),
    *("kept_of_last", "motion"),
)
"""Figures that there are of the steps of a run."""
OF_ALL_ROWS = ("placed_neighbors_kept", "placed_neighbors_kept_se", "placed_recall")
"""Figures that there are of a map of a sample where all rows are placed in it."""
_SETTINGS = ("k", "sample")  # They stand among what was measured and are no figures.
_DIMS = (2, 3)
_NEEDS, _WIDE_NEEDS = 3, 101  # Points of whose 10 and 50 nearest figures are had.


def picture_figures(
    projections: Sequence[Projection],
    first: str | None = None,
    dims: int = 2,
    steps: Steps | None = None,
) -> Figures:
    """Return the figures of a report's pictures by name.

    `trustworthiness` is of the picture shown first, `KEY.trustworthiness` of the tab with that key
    as it opens, `KEY.3.trustworthiness` of its picture of three dimensions. What was measured of
    each picture (`measure_quality`) comes first, then what its method found (`kl_divergence`,
    `variance_share` of the components shown), then what moves and stays in a run.

    Args:
        projections: As `project` or `project_steps` returns them.
        first: The key of the one that is shown first; None is the last.
        dims: How many dimensions are shown first, 2 or 3.
        steps: Of a run, as `measure_steps` returns them.

    Returns:
        Each figure as a number, None where it could not be measured.

    Raises:
        ParameterError: If there is no projection of that key.
    """
    shown = show_first(projections, first, dims)
    figures = figures_of_picture(shown, _shown_dims(shown, dims))
    figures |= {} if steps is None else _of_run(steps)
    for key in dict.fromkeys(p.key for p in projections):
        opening = show_first(projections, key, dims)
        named = {"": (opening, _shown_dims(opening, dims))}
        for p in projections:
            if p.key == key:
                named |= {f"{d}.": (p, d) for d in pictured_dims(p)}
        for place, (p, d) in named.items():
            figures |= {f"{key}.{place}{name}": v for name, v in figures_of_picture(p, d).items()}
    return figures


def pictured_dims(projection: Projection) -> list[int]:
    """Return of how many dimensions a projection has pictures, fewest first."""
    n_components = int(projection.coordinates.shape[1])
    if projection.kind == "linear":
        return [d for d in _DIMS if d <= n_components]
    return [n_components] if n_components in _DIMS else []


def _shown_dims(projection: Projection, dims: int) -> int:
    return min(dims, int(projection.coordinates.shape[1]))


def figures_of_picture(projection: Projection, dims: int) -> Figures:
    """Return the figures of a projection's picture of some dimensions, by their plain names."""
    stats = projection.stats
    measured = _part(stats.get("quality"), dims)
    found: dict[str, Any] = dict(measured)
    for name in QUALITY:
        if name in measured:  # Without a standard error all points were measured.
            found.setdefault(f"{name}_se", 0.0)
    found |= {name: value for name, value in stats.items() if _is_number(value)}
    shares = stats.get("variance_shares")
    if shares is not None:
        found["variance_share"] = math.fsum(shares[:dims])
    if "motion" in stats:
        found["motion"] = _part(stats, "motion").get(str(dims))
    return {
        name: float(value) if _is_number(value) and math.isfinite(value) else None
        for name, value in found.items()
        if name not in _SETTINGS and (value is None or _is_number(value))
    }


def _part(stats: Any, dims: object) -> Mapping[str, Any]:
    """Return what stands under a name in what may be no mapping."""
    found = stats.get(str(dims)) if isinstance(stats, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _of_run(steps: Steps) -> Figures:
    """Return how many of their neighbors points keep in a run."""
    found: Figures = {}
    before = [v for v in steps.figures.get("kept_from_previous", ()) if v is not None]
    if before:
        found = {
            "kept_from_previous": before[-1],
            "kept_from_previous_mean": math.fsum(before) / len(before),
            "kept_from_previous_min": min(before),
        }
    last = steps.figures.get("kept_of_last", ())
    return found | ({"kept_of_last": last[0]} if last else {})


@dataclass(frozen=True)
class _Tabs:
    """The tabs that a method will have, as far as that can be told before it has run.

    Attributes:
        key: The first one's key; None is one of a projector that may name itself otherwise.
        number: How many there may be: `tsne`, `tsne-2` and so on.
        figures: Of its own; None where they cannot be told.
        dims: Of its pictures.
    """

    key: str | None
    number: int
    figures: tuple[str, ...] | None
    dims: tuple[int, ...] = _DIMS

    def has(self, name: str) -> bool:
        """Tell whether a plain name may be one of its figures."""
        known = (*QUALITY, *(f"{figure}_se" for figure in QUALITY), *(self.figures or ()))
        return self.figures is None or name in known

    def names(self, name: str) -> bool:
        """Tell whether a name with a key may be one of its figures."""
        if self.key is None:
            return self.has(name.rpartition(".")[2])
        found = re.fullmatch(rf"{re.escape(self.key)}(?:-(\d+))?\.(?:([23])\.)?([^.]+)", name)
        if found is None:
            return False
        number, dims, plain = found.groups()
        there = number is None or 2 <= int(number) <= self.number
        return there and self.has(plain) and (dims is None or int(dims) in self.dims)


def parse_picture_condition(
    text: str, plan: Plan, *, of_run: bool = False, placed: bool = False, of_all: bool = False
) -> Condition:
    """Understand a condition on figures of a plan's pictures, before they are made.

    Args:
        text: The condition, as `parse_condition` takes it.
        plan: Which projections are wanted.
        of_run: Whether they are of the steps of a run.
        placed: Whether coordinates that were computed elsewhere come along.
        of_all: Whether all rows are placed in maps of a sample.

    Raises:
        ParameterError: If it is not understood, or asks for a figure that cannot be there; with
            the names of those that can.
    """
    tabs = _tabs(plan)
    if of_all:
        tabs = [
            t if t.figures is None else replace(t, figures=(*t.figures, *OF_ALL_ROWS)) for t in tabs
        ]
    first = tabs[0] if plan.asked else _Tabs(None, 1, Placed.figures) if placed else tabs[0]
    more = OF_RUNS if of_run else ()
    names = [*QUALITY, *(first.figures or ()), *more]
    names += [f"{t.key}.{n}" for t in tabs if t.key for n in (*QUALITY[:1], *(t.figures or ()))]
    if placed:
        tabs = [*tabs, _Tabs(None, 1, Placed.figures)]

    def is_known(name: str) -> bool:
        if "." not in name:
            return name in more or first.has(name)
        return any(tab.names(name) for tab in tabs)

    return parse_condition(text, list(dict.fromkeys(names)), is_known)


def _tabs(plan: Plan) -> list[_Tabs]:
    """Return the tabs of a plan's methods, in the order in which they are asked for."""
    names = {kind: name for name, kind in PROJECTORS.ours.items()}
    found = plan.foreseen()
    keys = [getattr(p, "key", None) or names.get(type(p)) for _, p in found]
    return [
        _Tabs(key, keys.count(key), getattr(p, "figures", None), _dims(method, p, plan))
        for (method, p), key in zip(found, keys, strict=True)
    ]


def _dims(method: Method | Projector, projector: Any, plan: Plan) -> tuple[int, ...]:
    """Return of how many dimensions a method may have pictures."""
    if not hasattr(projector, "count_neighbors"):  # Fewer components are a picture too.
        return _DIMS
    typed = not isinstance(method, Method) or "n_components" in method.options
    if typed and hasattr(projector, "n_components"):
        return (projector.n_components,)
    return tuple(plan.dims) or _DIMS


def check_measurable(condition: Condition | None, n_points: int) -> None:
    """Refuse a condition on figures that so few points do not have, before work is spent.

    Raises:
        ParameterError: Naming the figure.
    """
    for name in () if condition is None else condition.names:
        plain = name.rpartition(".")[2].removesuffix("_se")
        needed = _WIDE_NEEDS if plain.endswith("50") else _NEEDS
        if condition is not None and plain in QUALITY and n_points < needed:
            raise ParameterError(
                f"--fail-if {printable(condition.text)}",
                f"{name} needs {needed} points, and there are {n_points:,}",
                "leave it out of the condition",
            )
