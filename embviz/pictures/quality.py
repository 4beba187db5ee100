"""How faithful a picture is to the space that it shows."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.checks import check_seed
from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Metric, Neighbors, Projection
from embviz.neighbors.exact import check_metric
from embviz.neighbors.exact_rows import ExactRows
from embviz.pictures.correlation import correlate_ranks
from embviz.pictures.estimates import draw_reference, estimate_original, estimate_placed
from embviz.pictures.faults import AS_NEAR, Near
from embviz.pictures.near_places import nearest_placed, rank_placed
from embviz.pictures.original_ranks import list_original, open_original, rank_original
from embviz.space import Normalize, Space, open_space

progress = logging.getLogger("embviz.progress")

K, WIDE = 10, 50
PAIRS = 20_000
_RANKED = ("neighbors_kept", "trustworthiness", "continuity")

# All points are ranked where that takes so many multiplications at most, and fewer where nothing
# else takes long; elsewhere a sample that takes so many. A pair of points takes one for each
# dimension, and the time of `_ORDERED` more to be put in order.
_COST, _COST_ALONE = 4e10, 4e9
_ORDERED = 700
_FEWEST = 200

Places = NDArray[np.float32]
Values = NDArray[np.float32]
Numbers = NDArray[np.floating[Any]]
Rows = NDArray[np.int64]
Figure = tuple[float, float | None]


@dataclass(frozen=True, eq=False)
class Quality:
    """What of the original space is seen in a picture of `dims` dimensions.

    docs/faithfulness.md defines each figure.

    Attributes:
        dims: The leading components that were looked at, 2 or 3.
        k: Neighbors a point, 10 unless there are too few points.
        sample: How many points were ranked.
        figures: By name: `neighbors_kept`, `trustworthiness`, `continuity` (of k neighbors),
            `rank_correlation`; from 101 points on `neighbors_kept50`, `trustworthiness50` and
            `continuity50`; and of each that was measured on a sample the standard error under its
            name and `_se`.
        kept: The share of each point's k nearest in the picture that are among its k nearest in
            the original space, float32 (n_points,).
        trusted: The trustworthiness of each point, float32 (n_points,); estimated by its ranks
            among some other points where it is not in the sample.
        continued: The continuity of each point, likewise. All are NaN where not measured.
    """

    dims: int
    k: int
    sample: int
    figures: Mapping[str, float]
    kept: NDArray[np.float32]
    trusted: NDArray[np.float32]
    continued: NDArray[np.float32]

    @property
    def neighbors_kept(self) -> float:
        """The mean share of neighbors kept, 0 to 1."""
        return self.figures["neighbors_kept"]

    @property
    def trustworthiness(self) -> float:
        """1 where no neighbor in the picture is false (Venna and Kaski 2001), 0 to 1."""
        return self.figures["trustworthiness"]

    @property
    def continuity(self) -> float:
        """1 where no neighbor is missing from the picture (Venna and Kaski 2001), 0 to 1."""
        return self.figures["continuity"]

    @property
    def rank_correlation(self) -> float:
        """Spearman's, of the distances of pairs of points, -1 to 1."""
        return self.figures["rank_correlation"]


def measure_quality(
    table: EmbeddingTable,
    projection: Projection,
    neighbors: Neighbors | Metric = "cosine",
    normalize: Normalize = "none",
    seed: int = 0,
    space: Space | None = None,
) -> tuple[Quality, ...]:
    """Measure how faithful a projection is, in 2 and in 3 dimensions where it has them.

    Args:
        table: The vectors.
        projection: Of all points of the table.
        neighbors: Of all points of the table, as `build_graph` finds them; their metric is the
            one of the original space. Or that metric alone: then fewer points are measured, and no
            neighbors of all points are looked for.
        normalize: What the neighbors' vectors were, as for `build_graph`.
        seed: Of the sample of points and pairs.
        space: What `open_space` gave, where it was opened before.

    Raises:
        ParameterError: If the projection or the neighbors are of another number of points.
    """
    opened = open_space(table, normalize, space)
    return measure_qualities(opened, [projection], neighbors, seed)[0]


def measure_qualities(
    space: Space,
    projections: Sequence[Projection],
    neighbors: Neighbors | Metric = "cosine",
    seed: int = 0,
) -> list[tuple[Quality, ...]]:
    """Measure several projections of a space as `measure_quality` does, all in one pass.

    Raises:
        ParameterError: If a projection or the neighbors are of another number of points.
    """
    return measure_beside(open_original_side(space, neighbors, seed), projections)


@dataclass(frozen=True, eq=False)
class OriginalSide:
    """What the pictures of some points are measured beside.

    Attributes:
        exact: The vectors.
        graph: Neighbors of all points, where they are known.
        k: Of how many neighbors the figures are, 0 where there are too few points for any.
        rows: int64 (size,), the points that are ranked among all, ascending.
        listed: int64 (size, width), their nearest in the original space.
        limits: float64 (size, width), how far away these are.
        pairs: int64 (2, n_pairs), the pairs of points whose distances are compared.
        apart: float64 (n_pairs,), these distances.
        among: int64, ascending, the points among which all are ranked where `rows` are not all.
    """

    exact: ExactRows
    graph: Neighbors | None
    k: int
    rows: Rows
    listed: Rows
    limits: NDArray[np.float64]
    pairs: Rows
    apart: NDArray[np.float64]
    among: Rows


def open_original_side(
    space: Space, neighbors: Neighbors | Metric = "cosine", seed: int = 0
) -> OriginalSide:
    """Look at the original space once, for all pictures that are measured beside it.

    Args:
        space: Of the points.
        neighbors: As for `measure_quality`.
        seed: Of the sample of points and pairs.

    Raises:
        ParameterError: If the neighbors are of another number of points.
    """
    check_seed("seed", seed)
    n = space.shape[0]
    graph = neighbors if isinstance(neighbors, Neighbors) else None
    metric = neighbors.metric if isinstance(neighbors, Neighbors) else neighbors
    k = min(K, (n - 1) // 2)
    if graph is not None:
        _check_count("neighbors", len(graph.indices), n)
        k = min(k, int(graph.indices.shape[1]))
    else:
        check_metric(metric)
    exact = open_original(space, metric)
    rng = np.random.default_rng(seed)
    size = count_sample(*space.shape, alone=graph is None) if k else 0
    rows = np.sort(rng.choice(n, size, replace=False))
    pairs = np.stack(_pairs(n, rng)) if k else np.empty((2, 0), np.int64)
    apart = exact.measure_many(pairs[0], pairs[1, :, None])[:, 0]
    width = WIDE if (n - 1) // 2 >= WIDE else k
    wide = graph if graph is not None and graph.indices.shape[1] >= width else None
    listed = list_original(exact, rows, width, wide) if k else np.empty((0, 0), np.int64)
    limits = exact.measure_many(rows, listed) if k else np.empty(listed.shape)
    ranked_among = graph is not None and size < n
    among = np.asarray(draw_reference(n, rng), np.int64) if ranked_among else rows[:0]
    return OriginalSide(exact, graph, k, rows, listed, limits, pairs, apart, among)


def measure_beside(
    original: OriginalSide, projections: Sequence[Projection]
) -> list[tuple[Quality, ...]]:
    """Measure projections of the points whose original space was looked at.

    Raises:
        ParameterError: If one is of another number of points.
    """
    n = original.exact.space.shape[0]
    progress.info("quality of the pictures of %s points", f"{n:,}")
    for projection in projections:
        _check_count("projection", len(projection.coordinates), n)
    if not original.k:
        return [() for _ in projections]
    pictures = [_pictures(projection) for projection in projections]
    found = iter(_measure(original, [p for some in pictures for p in some]))
    return [tuple(next(found) for _ in some) for some in pictures]


def _check_count(what: str, count: int, n_points: int) -> None:
    if count != n_points:
        raise ParameterError(what, f"of {count:,} points where the table has {n_points:,}")


def _pictures(projection: Projection) -> list[Places]:
    """Return the coordinates in each number of dimensions that is shown."""
    components = projection.coordinates.shape[1]
    linear = projection.kind == "linear"
    wanted = [d for d in (2, 3) if d <= components and (d == components or linear)]
    return [projection.coordinates[:, :d] for d in wanted]


def with_quality(projection: Projection, found: tuple[Quality, ...]) -> Projection:
    """Return a projection that carries what was measured, in `stats` and `per_point`."""
    if not found:
        return projection
    stats: Mapping[str, Any] = {
        str(q.dims): {
            "k": q.k,
            "sample": q.sample,
            **{name: round(value, _digits(name)) for name, value in q.figures.items()},
        }
        for q in found
    }
    per_point = {
        f"{name}, {q.dims}D": values
        for q in found
        for name, values in (
            ("neighbors kept", q.kept),
            ("trustworthiness", q.trusted),
            ("continuity", q.continued),
        )
    } | dict(projection.per_point)
    return replace(projection, stats={**projection.stats, "quality": stats}, per_point=per_point)


def _digits(name: str) -> int:
    return 6 if name.endswith("_se") else 4


def count_sample(n_points: int, n_dims: int, alone: bool) -> int:
    """Return how many points are ranked among all.

    Args:
        n_points: Of which.
        n_dims: Of the vectors.
        alone: Whether neighbors of all points are not looked for, which would take longer anyway.
    """
    of_one = n_points * (n_dims + _ORDERED)
    if n_points * of_one <= (_COST_ALONE if alone else _COST):
        return n_points
    return min(n_points, max(_FEWEST, int(_COST_ALONE / of_one)))


def _measure(original: OriginalSide, pictures: list[Places]) -> Iterator[Quality]:
    every: Iterable[list[Values] | None] = repeat(None)
    if len(original.among):
        every = _estimate(original, pictures)
    first, second = original.pairs
    n, rows, k = original.exact.space.shape[0], original.rows, original.k
    for placed, near, estimated in zip(pictures, _rank(original, pictures), every, strict=False):
        figures, per_point = _figures(near, rows, k, estimated)
        places = placed[first].astype(np.float64) - placed[second]
        found = correlate_ranks(original.apart, np.linalg.norm(places, axis=1))
        figures["rank_correlation"] = found if n * (n - 1) // 2 > PAIRS else (found[0], None)
        flat = {name: value for name, (value, _) in figures.items()}
        flat |= {f"{name}_se": se for name, (_, se) in figures.items() if se is not None}
        yield Quality(placed.shape[1], k, len(rows), flat, *per_point)


def _figures(
    near: Near, rows: Rows, k: int, estimated: list[Values] | None
) -> tuple[dict[str, Figure], list[Values]]:
    """Return the figures of a picture by name, each with its standard error, and those of points.

    Args:
        near: What is near the rows that were ranked.
        rows: int64 (size,).
        k: Of how many neighbors those of the points are.
        estimated: Of all points: the share kept exactly, the others not.
    """
    n = near.n_points
    figures: dict[str, Figure] = {}
    per_point = []
    for wanted in dict.fromkeys((k, near.listed.shape[1])):
        for i, (name, values) in enumerate(zip(_RANKED, near.faults(wanted), strict=True)):
            rough = None if estimated is None else estimated[i]
            figures[name if wanted == k else f"{name}{wanted}"] = _mean(values, rows, n, rough)
            if wanted == k:
                every = np.full(n, np.nan, np.float32) if rough is None else rough.copy()
                every[rows] = values
                per_point.append(every)
    if estimated is not None:
        figures["neighbors_kept"] = float(estimated[0].mean(dtype=np.float64)), None
        per_point[0] = estimated[0]
    return figures, per_point


def _mean(values: Numbers, rows: Rows, n_points: int, akin: Values | None) -> Figure:
    """Return the mean of a value a row, and its standard error: None where all were measured.

    Rows are drawn without one twice, so that the variance of the mean is s^2 / m (1 - m / n)
    (Cochran 1977, "Sampling techniques", theorem 2.2). Where something akin is known of all points,
    the mean is corrected by how far the sample's mean of that is off (the regression estimator,
    section 7.3), and s^2 is the variance of what a line through it does not tell.

    Args:
        values: (size,), measured.
        rows: int64 (size,), of which points.
        n_points: Of how many.
        akin: float32 (n_points,), of all points; not used where it is NaN of some.
    """
    size, mean = len(values), float(values.mean())
    if size == n_points:
        return mean, None
    left, lost = values - mean, 1
    if akin is not None and np.isfinite(akin).all():
        known = akin.astype(np.float64)
        own = known[rows] - known[rows].mean()
        slope = float(own @ left) / max(float(own @ own), np.finfo(np.float64).tiny)
        mean = float(mean + slope * (known.mean() - known[rows].mean()))
        left, lost = left - slope * own, 2
    variance = float(left @ left) / (size - lost)
    return min(1.0, max(0.0, mean)), math.sqrt(variance / size * (1 - size / n_points))


def _pairs(n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Return pairs of points, each (n_pairs,): all there are, or some drawn independently."""
    if n * (n - 1) // 2 <= PAIRS:
        return np.triu_indices(n, 1)
    first = rng.integers(0, n, PAIRS)
    return first, (first + rng.integers(1, n, PAIRS)) % n


def _rank(original: OriginalSide, pictures: Sequence[Places]) -> Iterator[Near]:
    """Yield what is near some rows in each picture, ranked among all points."""
    exact, rows, listed = original.exact, original.rows, original.listed
    n, width = exact.space.shape[0], listed.shape[1]
    near = [nearest_placed(placed, width, rows) for placed in pictures]
    ranks, distances = rank_original(exact, rows, np.hstack(near))
    for i, placed in enumerate(pictures):
        part = slice(i * width, (i + 1) * width)
        there = rank_placed(placed, rows, listed, exact.space.arrays)
        yield Near(n, listed, original.limits, there, near[i], distances[:, part], ranks[:, part])


def _estimate(original: OriginalSide, pictures: Sequence[Places]) -> Iterator[list[Values]]:
    """Yield the share kept, and estimates of trustworthiness and continuity, of all points."""
    exact, graph, k, among = original.exact, original.graph, original.k, original.among
    assert graph is not None
    n = exact.space.shape[0]
    listed = graph.indices[:, :k]
    near = [nearest_placed(placed, k) for placed in pictures]
    distances, ranks = estimate_original(exact, np.hstack([listed, *near]), among, k)
    for i, placed in enumerate(pictures):
        part = slice(i * k, (i + 1) * k)
        there = estimate_placed(placed, listed, among, exact.space.arrays)
        apart = distances[:, k:][:, part]
        found = Near(n, listed, distances[:, :k], there, near[i], apart, ranks[:, part])
        _, trusted, continued = found.faults(k)
        known = np.isfinite(trusted) & np.isfinite(distances).all(axis=1)
        some = (np.where(known, np.maximum(v, 0), np.nan) for v in (trusted, continued))
        yield [_share_kept(near[i], graph, k), *(v.astype(np.float32) for v in some)]


def _share_kept(near: NDArray[np.int64], neighbors: Neighbors, k: int) -> NDArray[np.float32]:
    """Return the share of neighbors in the picture that are as near as the k-th originally."""
    out = np.empty(len(near), np.float32)
    apart = neighbors.proportions
    limit = apart[:, k - 1 : k] * AS_NEAR
    step = max(1, (1 << 24) // (k * neighbors.indices.shape[1]))
    for start in range(0, len(near), step):
        part = slice(start, start + step)
        true = np.where(apart[part] <= limit[part], neighbors.indices[part], -1)
        out[part] = (near[part, :, None] == true[:, None, :]).any(axis=2).mean(axis=1)
    return out
