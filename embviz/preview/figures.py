"""What a picture says of itself in words: its title, what it shows, its caption and figures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from embviz.comparison.values import FEW, MANY
from embviz.preview.view import FirstView
from embviz.report.heading import shown_heading

_PARAMETERS = (("perplexity", "perplexity"), ("n_neighbors", "neighbors"))
_SHARE = "neighbors_kept"
_QUALITY = ("trustworthiness", "continuity")


def format_number(x: float) -> str:
    """Return a number in a form for reading, as the page has it: 12,345 or 0.0123 or 1.20e-7."""
    if math.isnan(x):
        return "–"
    size = abs(x)
    if math.isfinite(x) and x == int(x) and size < 1e15:
        return f"{int(x):,}"
    if size >= 1e6 or size < 1e-4:
        mantissa, power = f"{x:.2e}".split("e")
        return f"{mantissa}e{'-' if power[0] == '-' else '+'}{int(power[1:])}"
    if size >= 1000:
        return f"{x:,.1f}".removesuffix(".0")
    return f"{float(f'{x:.4g}'):.10g}"


def counted_of(shown: int, count: int) -> str:
    """Return a count, and of how many where some are not shown."""
    return f"{count:,}" if shown == count else f"{shown:,} of {count:,}"


def heading(view: FirstView) -> tuple[str, str]:
    """Return the title, and a line of what is shown: the picture, source, tensor and shape."""
    title, source = shown_heading(view.table, view.options.title, view.steps)
    total = view.options.total_points or view.table.n_points
    points = counted_of(view.n_shown, total)
    shape = f"{points} × {view.table.n_dims:,} {view.table.vectors.dtype.name}"
    parts = [f"{view.projection.title} in {view.dims}D", source, view.table.name, shape]
    if view.steps is not None and view.steps.kind == "run":
        parts.insert(1, f"step {view.steps.names[-1]}")
    told: list[str] = []
    for part in parts:
        if part and part != title and part not in told:
            told.append(part)
    if view.options.selected:
        told.append(f"{len(set(view.options.selected)):,} selected")
    return title, " · ".join(told)


def figures(view: FirstView) -> str:
    """Return the figures of a picture in one line."""
    if view.steps is not None and view.steps.comparison is not None:
        return " · ".join(_of_comparison(view.steps.comparison.figures))
    return " · ".join(_of_projection(view)) if view.is_own else ""


def _of_comparison(found: Any) -> Iterator[str]:
    for k in (FEW, MANY):
        value = found.get(f"overlap{k}")
        if value is None:
            continue
        chance = found.get(f"overlap{k}_random")
        more = "" if chance is None else f" (a random pairing has {100 * chance:.1f} %)"
        yield f"{100 * value:.1f} % of the {k} nearest in common{more}"


def _of_projection(view: FirstView) -> Iterator[str]:
    params, stats = view.projection.params, view.projection.stats
    told = [f"{name} {params[key]:g}" for key, name in _PARAMETERS if params.get(key) is not None]
    yield from told[:1]
    if stats.get("kl_divergence") is not None:
        yield f"KL divergence {stats['kl_divergence']:.4g}"
    quality = stats.get("quality", {}).get(str(view.dims), {})
    if quality.get(_SHARE) is not None:
        yield f"neighbors kept {100 * quality[_SHARE]:.0f} %"
    for name in _QUALITY:
        if quality.get(name) is not None:
            yield f"{name} {quality[name]:.2f}"


def caption(view: FirstView) -> str:
    """Return what may be read from the picture and what not."""
    from embviz.pictures import captions

    components = tuple(range(view.dims))
    told = [captions.caption_of(view.projection, components)]
    if not view.is_own:
        told = [f"Components of the {view.n_shown:,} points shown alone."]
    if view.steps is not None:
        told.append(captions.STEPS[view.steps.kind])
    return " ".join([*told, view.told]).strip()
