"""What may be read from a picture and what not: the words that stand in it.

Of a method that has no words of its own those of its kind are said.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from embviz.model import Projection
from embviz.projections.captions import CAPTIONS
from embviz.shards.values import Density

KINDS = {
    "linear": (
        "Linear: each axis is a direction; what lies along other directions is not seen, "
        "so near may be far."
    ),
    "map": (
        "A map by other means: near may mean near; "
        "sizes of clusters, gaps and empty space may mean nothing."
    ),
}
STEPS = {
    "run": "From step to step: what moves need not have changed; its neighbors tell.",
    "comparison": (
        "A beside B: a point in another place need not have changed; its neighbors tell."
    ),
}
"""What is said besides where the points have several states, by the kind of `Steps`."""

LAID = {
    "run": "PCA, turned and scaled to lie on the next step: distances are shortened, then scaled.",
    "comparison": "PCA of A, turned and scaled to lie on B: distances are shortened, then scaled.",
}
"""What is said of components of a state by itself that lie on those of the next, by the kind of
`Steps`: how much of its variance they show is not known."""

OWN_DIRECTIONS = "of each step, laid on the step after"
"""What `params["directions"]` says of such components."""

MEASURES = {
    "neighbors kept": "The share of a point's nearest here that are among its nearest in the data.",
    "trustworthiness": "Low where points lie near that are not near in the data.",
    "continuity": "Low where points that are near in the data lie elsewhere.",
    "torn (log10)": (
        "High where a small change of a point's vector throws it far: the map may be cut there, "
        "not the data. To be compared within this map only."
    ),
}
"""What may be read from a column of `per_point`, by its name less the dimensions."""

_SPHERIZED = " of the centered vectors at length 1"


def sample_caption(n_points: int, n_all: int) -> str:
    """Return what is said of a picture of a sample."""
    return f"A sample of {n_points:,} of {n_all:,} points."


def density_caption(density: Density, dims: int) -> str:
    """Return what is said of a picture that all points were placed in.

    Args:
        density: Of the picture.
        dims: 2, where it is drawn, or 3.
    """
    n, within = density.n_points, int(density.counts.sum(dtype=np.uint64))
    if dims == 3:
        return f"How densely all {n:,} points lie is drawn in 2D only."
    if within == n:
        return f"The grays count all {n:,} points."
    verb = "lies" if n - within == 1 else "lie"
    return f"The grays count {within:,} of {n:,} points; {n - within:,} {verb} farther out."


def all_captions() -> dict[str, str]:
    """Return what is said of a picture by the name of its method, or else by its kind.

    `{of}` and `{variance}` in it are for `fill_caption`.
    """
    return {**KINDS, **CAPTIONS}


def explain_measure(name: str) -> str | None:
    """Return what may be read from a column of `per_point`, None of those of others."""
    return MEASURES.get(name.rpartition(", ")[0] or name)


def caption_of(projection: Projection, components: Sequence[int] = (0, 1)) -> str:
    """Return what may be read from a picture of some components of a projection, and what not."""
    shares = projection.stats.get("variance_shares", ())
    there = len(shares) > 0 and max(components) < len(shares)
    share = math.fsum(float(shares[c]) for c in components) if there else None
    text = CAPTIONS.get(projection.name, KINDS[projection.kind or "map"])
    return fill_caption(text, share, projection.params.get("normalize") == "sphere")


def fill_caption(text: str, share: float | None, spherized: bool = False) -> str:
    """Return a caption with what is known of a picture; the page's `filled` does the same.

    Args:
        text: One of `all_captions()`.
        share: Of the variance, that the components shown have together, 0 to 1; None where that
            is not known.
        spherized: Whether the picture is of centered vectors at length 1.
    """
    if share is None or not math.isfinite(share):
        text = re.sub(r" ?[^.]*\{variance\}[^.]*\.", "", text)
    else:
        text = text.replace("{variance}", _percent(share))
    return text.replace("{of}", _SPHERIZED if spherized else "")


def _percent(share: float) -> str:
    """Return a share as a reader sees it: never all or nothing where it is neither."""
    tenths = math.floor(1000 * share + 0.5)
    if tenths >= 1000:
        return "All" if share > 1 - 1e-9 else "Over 99.9 %"
    if tenths < 1:
        return "Under 0.1 %"
    if tenths < 100 or tenths > 990:
        return f"{tenths / 10:.1f} %"
    return f"{math.floor(100 * share + 0.5)} %"
