"""One method with several values of a parameter: a picture of each, laid on the first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from embviz.checks import check_list, check_number, check_whole
from embviz.errors import ParameterError, printable
from embviz.model import Projection
from embviz.pictures.alignment import find_similarity
from embviz.projections.methods import Method

Value = int | float
LISTS: Mapping[str, Callable[[str, Any], Value]] = {
    "perplexity": lambda option, value: check_number(option, value, 1),
    "neighbors": lambda option, value: check_whole(option, value, 2),
}
"""Fields of a plan that may hold several values, and what checks one."""
_FEWEST_TO_ALIGN = 2


@dataclass(frozen=True)
class Lead:
    """The first of a series: its place among projectors, and its value, such as `perplexity 5`."""

    place: int
    name: str


NO_LEADS: Mapping[int, Lead] = MappingProxyType({})


def parse_values(text: Any) -> Any:
    """Return the numbers of `5,30,100` as a tuple, one alone as a number; a number is returned.

    Raises:
        ValueError: Where one is no number, with what is wrong.
    """
    if isinstance(text, (list, tuple)):
        return tuple(_parse_value(item) for item in text)
    if not isinstance(text, str):
        return _parse_value(text)
    found = tuple(_parse_value(item) for item in text.split(","))
    return found[0] if len(found) == 1 else found


def _parse_value(text: Any) -> Value:
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        return text
    shown = str(text).strip()
    if shown.lower() == "auto":
        raise ValueError(
            "auto is not offered: no tested rule picks the right one; compare several, as 5,30,100"
        )
    for kind in (int, float):
        try:
            return kind(shown)
        except ValueError:
            continue
    raise ValueError(f"'{printable(shown, 40)}' is no number; several stand as 5,30,100")


def show_values(values: Any) -> str:
    """Return values as they are typed."""
    if isinstance(values, (tuple, list)):
        return ",".join(show_values(value) for value in values)
    short = f"{values:g}"
    return short if float(short) == values else repr(values)


def check_values(name: str, values: Any) -> Any:
    """Return one number, or a tuple of several that differ.

    Args:
        name: A field of a plan, one of `LISTS`.
        values: A number, or a list of some.

    Raises:
        ParameterError: If one does not fit or stands there twice, or there is none.
    """
    option, check = f"--{name}", LISTS[name]
    if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__iter__"):
        return check(option, values)
    found = tuple(check(option, value) for value in check_list(option, values))
    if not found:
        raise ParameterError(option, "is a list without values", "give one, or leave it out")
    value, count = Counter(found).most_common(1)[0]
    if count > 1:
        raise ParameterError(
            f"{option} {show_values(found)}", f"{show_values(value)} is there twice", "give it once"
        )
    return found[0] if len(found) == 1 else found


def spread_values(
    asked: Sequence[Any], name: str, field: str, values: Any, takes: Callable[[Any], bool]
) -> tuple[Any, ...]:
    """Return methods where the one that takes a list of values stands there once for each.

    Args:
        asked: The methods of a plan.
        name: The plan's field that holds the list.
        field: That of a projector.
        values: A number, which changes nothing, or several.
        takes: Tells whether a method takes the field from the plan.

    Raises:
        ParameterError: If several methods take it, or one that has another list.
    """
    if not isinstance(values, tuple):
        return tuple(asked)
    option = f"--{name} {show_values(values)}"
    taking = [method for method in asked if takes(method)]
    if taking and taking[0].series:
        why = f"'{taking[0].text}' has a list of --{taking[0].series} already"
        raise ParameterError(option, why, f"give one: --{name} {show_values(values[0])}")
    if len(taking) > 1:
        names = " and ".join(f"'{method.text}'" for method in taking)
        own = _with_option(taking[-1], field, values[0]).text
        raise ParameterError(option, f"{names} take it", f"type one a value of its own: {own}")
    found: list[Any] = []
    for method in asked:
        if method in taking:
            made = [_with_option(method, field, value) for value in values]
            found += [replace(each, series=name) for each in made]
        else:
            found.append(method)
    return tuple(found)


def _with_option(method: Method, field: str, value: Value) -> Method:
    joint = "," if method.options else ":"
    text = f"{method.text}{joint}{field}={show_values(value)}"
    return replace(method, text=text, options={**method.options, field: value})


def find_leads(pairs: Sequence[tuple[Any, Any]]) -> dict[int, Lead]:
    """Return the first projector of a series, by the places of the others.

    Args:
        pairs: Methods, and the projectors that they ask for.
    """
    leads: dict[int, Lead] = {}
    first: dict[Any, Lead] = {}
    for i, (method, projector) in enumerate(pairs):
        if not isinstance(method, Method) or not method.series:
            continue
        value = list(method.options.values())[-1]
        own = Lead(i, f"{method.series} {show_values(value)}")
        lead = first.setdefault((method.series, getattr(projector, "n_components", None)), own)
        if lead is not own:
            leads[i] = lead
    return leads


def lay_on_first(projection: Projection, first: Projection, name: str) -> Projection:
    """Return a map that is turned, or mirrored, and shifted so that it lies on the first.

    Distances in the map stay as they are, so that what was measured of it, its divergence too, is
    of these places: neighbor embeddings do not know a direction, but they know a scale. What is
    linear has axes of its own and stays, as does a map of another number of components.

    Args:
        projection: Of some points.
        first: Of the same points.
        name: What the first is called, which is recorded in `params["laid_on"]`.
    """
    places, others = projection.coordinates, first.coordinates
    if projection.kind == "linear" or projection.axes or places.shape != others.shape:
        return projection
    if len(places) < _FEWEST_TO_ALIGN:
        return projection
    motion = replace(find_similarity(places, others), scale=1.0)
    frames = projection.frames
    if frames is not None:
        moved = np.stack([motion.apply(frame) for frame in frames.coordinates])
        frames = replace(frames, coordinates=moved.astype(np.float32))
    return replace(
        projection,
        coordinates=motion.apply(places).astype(np.float32),
        frames=frames,
        params={**projection.params, "laid_on": name},
    )


def describe_series(projections: Sequence[Projection]) -> list[str]:
    """Return a line of figures for each picture of a method that has several tabs.

    Args:
        projections: As `name_tabs` returns them.
    """
    tabs: dict[str, dict[str, None]] = {}
    for p in projections:
        tabs.setdefault(p.name, {})[p.key] = None
    return [_describe(p) for p in projections if len(tabs[p.name]) > 1]


def _describe(projection: Projection) -> str:
    told = []
    dims = int(projection.coordinates.shape[1])
    quality = projection.stats.get("quality", {}).get(str(min(dims, 3)), {})
    if "neighbors_kept" in quality:
        told.append(f"neighbors kept {quality['neighbors_kept']:.0%}")
    for name in ("trustworthiness", "continuity"):
        if name in quality:
            told.append(f"{name} {quality[name]:.3f}")
    if projection.stats.get("kl_divergence") is not None:
        told.append(f"KL divergence {projection.stats['kl_divergence']:.4g}")
    figures = ", ".join(told) or "nothing was measured"
    return f"{printable(projection.title)}, {dims}D: {figures}"
