"""How faithful a picture is to the space that it shows."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.checks import check_seed
from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Metric, Neighbors, Projection
from embviz.neighbors.exact import check_metric
from embviz.pictures.correlation import correlate_ranks
from embviz.pictures.near_places import nearest_placed, rank_placed
from embviz.pictures.original_ranks import list_original, open_original, rank_original
from embviz.space import Normalize, Space, open_space

progress = logging.getLogger("embviz.progress")

K, WIDE = 10, 50
PAIRS = 20_000
_RANKED = ("neighbors_kept", "trustworthiness", "continuity")
AS_NEAR = 1 + 1e-6  # Points whose distances differ by less are neighbors alike.

# What is ranked: as many points as this many multiplications allow, all where it allows them. A
# pair of points takes one for each dimension, and the time of `_ORDERED` more to be put in order.
_COST, _COST_ALONE = 4e10, 4e9
_ORDERED = 700
_FEWEST, _FEWEST_ALONE = 300, 200

Places = NDArray[np.float32]
Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]


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
            the original space, float32 (n_points,); NaN where it was not measured, as below.
        trusted: The trustworthiness of each point, float32 (n_points,).
        continued: The continuity of each point, float32 (n_points,).
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
    check_seed("seed", seed)
    n = space.shape[0]
    progress.info("quality of the pictures of %s points", f"{n:,}")
    counts = [("projection", len(projection.coordinates)) for projection in projections]
    k = min(K, (n - 1) // 2)
    if isinstance(neighbors, Neighbors):
        counts.append(("neighbors", len(neighbors.indices)))
        k = min(k, int(neighbors.indices.shape[1]))
    else:
        check_metric(neighbors)
    for what, count in counts:
        if count != n:
            raise ParameterError(what, f"of {count:,} points where the table has {n:,}")
    if k < 1:
        return [() for _ in projections]
    pictures = [_pictures(projection) for projection in projections]
    found = iter(_measure(space, [p for some in pictures for p in some], neighbors, k, seed))
    return [tuple(next(found) for _ in some) for some in pictures]


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
        alone: Whether neighbors of all points are not looked for, so that less time is taken.
    """
    cost, fewest = (_COST_ALONE, _FEWEST_ALONE) if alone else (_COST, _FEWEST)
    return min(n_points, max(fewest, int(cost / (n_points * (n_dims + _ORDERED)))))


@dataclass(frozen=True, eq=False)
class _Sample:
    """The points that are ranked, and what is near them in the original space.

    Attributes:
        rows: int64 (size,), which ones, ascending.
        n_points: Of how many.
        listed: int64 (size, width), their nearest, ties by row number.
        limits: float64 (size, width), the distances of these.
    """

    rows: Rows
    n_points: int
    listed: Rows
    limits: Numbers

    def mean(self, values: Numbers) -> tuple[float, float]:
        """Return the mean of a value a row, and its standard error: 0 where all were measured.

        Rows are drawn without one twice, so that the variance of the mean is s^2 / m (1 - m / n)
        (Cochran 1977, "Sampling techniques", theorem 2.2).
        """
        size = len(values)
        if size == self.n_points:
            return float(values.mean()), 0.0
        left = 1 - size / self.n_points
        return float(values.mean()), math.sqrt(left / size) * float(values.std(ddof=1))


def _measure(
    space: Space, pictures: list[Places], neighbors: Neighbors | Metric, k: int, seed: int
) -> Iterator[Quality]:
    n = space.shape[0]
    graph = neighbors if isinstance(neighbors, Neighbors) else None
    metric = neighbors.metric if isinstance(neighbors, Neighbors) else neighbors
    rng = np.random.default_rng(seed)
    size = count_sample(*space.shape, alone=graph is None)
    rows = np.sort(rng.choice(n, size, replace=False))
    exact = open_original(space, metric)
    first, second = _pairs(n, rng)
    apart = exact.measure_many(first, second[:, None])[:, 0]
    width = WIDE if (n - 1) // 2 >= WIDE else k
    wide = graph if graph is not None and graph.indices.shape[1] >= width else None
    listed = list_original(exact, rows, width, wide)
    sample = _Sample(rows, n, listed, exact.measure_many(rows, listed))
    near = [nearest_placed(placed, width, rows) for placed in pictures]
    ranks, distances = rank_original(exact, rows, np.hstack(near))
    for i, placed in enumerate(pictures):
        part = slice(i * width, (i + 1) * width)
        seen = _Seen(near[i], ranks[:, part], distances[:, part])
        figures, per_point = _figures(sample, placed, seen, k)
        kept = per_point[0]
        if graph is not None and size < n:
            kept = _share_kept(nearest_placed(placed, k), graph, k)
            figures |= {"neighbors_kept": (float(kept.mean()), 0.0)}
        places = placed[first].astype(np.float64) - placed[second]
        found = correlate_ranks(apart, np.linalg.norm(places, axis=1))
        figures["rank_correlation"] = found if n * (n - 1) // 2 > PAIRS else (found[0], 0.0)
        flat = {name: value for name, (value, _) in figures.items()}
        flat |= {f"{name}_se": error for name, (_, error) in figures.items() if error > 0}
        yield Quality(placed.shape[1], k, size, flat, kept, *per_point[1:])


def _pairs(n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Return pairs of points, each (n_pairs,): all there are, or some drawn independently."""
    if n * (n - 1) // 2 <= PAIRS:
        return np.triu_indices(n, 1)
    first = rng.integers(0, n, PAIRS)
    return first, (first + rng.integers(1, n, PAIRS)) % n


@dataclass(frozen=True, eq=False)
class _Seen:
    """The nearest in a picture of the rows of a sample, all (size, width).

    Attributes:
        near: int64, which ones, nearest first.
        ranks: int64, their ranks in the original space.
        distances: float64, their distances in the original space.
    """

    near: Rows
    ranks: Rows
    distances: Numbers


def _figures(
    sample: _Sample, placed: Places, seen: _Seen, k: int
) -> tuple[dict[str, tuple[float, float]], list[NDArray[np.float32]]]:
    """Return each figure of a picture with its error, and those of k neighbors of each point."""
    figures: dict[str, tuple[float, float]] = {}
    per_point = []
    ranks = rank_placed(placed, sample.rows, sample.listed)
    n, width = sample.n_points, sample.listed.shape[1]
    for wanted in dict.fromkeys((k, width)):
        limit = sample.limits[:, wanted - 1]
        as_near = seen.distances[:, :wanted] <= limit[:, None] * AS_NEAR
        false = np.maximum(seen.ranks[:, :wanted] - wanted, 0).sum(axis=1)
        missing = _missing(sample, seen, ranks, wanted)
        most = wanted * (2 * n - 3 * wanted - 1) / 2
        found = (as_near.mean(axis=1), 1 - false / most, 1 - missing / most)
        for name, values in zip(_RANKED, found, strict=True):
            figures[name if wanted == k else f"{name}{wanted}"] = sample.mean(values)
            if wanted == k:
                all_points = np.full(n, np.nan, np.float32)
                all_points[sample.rows] = values
                per_point.append(all_points)
    return figures, per_point


def _missing(sample: _Sample, seen: _Seen, ranks: Rows, k: int) -> NDArray[np.float64]:
    """Return by how many ranks the k nearest of each row are too far away in the picture, in sum.

    Of points that are as near as the k-th those come first that are among the k nearest in the
    picture too, then those that are listed first, so that equally near points are not missed.
    """
    limit = sample.limits[:, k - 1 : k]
    too_far = np.maximum(ranks[:, :k] - k, 0)
    tied = sample.limits[:, :k] * AS_NEAR >= limit
    near = seen.near[:, :k]
    within = seen.distances[:, :k]
    n_seen = ((within * AS_NEAR >= limit) & (within <= limit * AS_NEAR)).sum(axis=1)
    in_both = (sample.listed[:, :k, None] == near[:, None, :]).any(axis=2)
    # So many others of the picture's are as near, and take the places of the last that are tied.
    instead = n_seen - (tied & in_both).sum(axis=1)
    loose = tied & ~in_both
    from_last = np.cumsum(loose[:, ::-1], axis=1)[:, ::-1]
    too_far[loose & (from_last <= instead[:, None])] = 0
    return np.asarray(too_far.sum(axis=1), np.float64)


def _share_kept(near: NDArray[np.int64], neighbors: Neighbors, k: int) -> NDArray[np.float32]:
    """Return the share of neighbors in the picture that are as near as the k-th originally."""
    out = np.empty(len(near), np.float32)
    apart = neighbors.proportions
    limit = apart[:, k - 1 : k] * (1 + 1e-6)
    step = max(1, (1 << 24) // (k * neighbors.indices.shape[1]))
    for start in range(0, len(near), step):
        part = slice(start, start + step)
        true = np.where(apart[part] <= limit[part], neighbors.indices[part], -1)
        out[part] = (near[part, :, None] == true[:, None, :]).any(axis=2).mean(axis=1)
    return out
