"""t-SNE by openTSNE, its pieces spelled out and with a fast schedule."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, get_args

import numpy as np
from numpy.typing import NDArray

from embviz.checks import check_number, check_one_of, check_seed, check_truth, check_whole
from embviz.devices import Arrays, Device
from embviz.errors import ParameterError
from embviz.kernels import count_cores, one_blas_thread
from embviz.model import EmbeddingTable, Metric, Neighbors, Projection
from embviz.neighbors import build_graph
from embviz.neighbors.graph import link_sample
from embviz.neighbors.known import bandwidth_distances, first_neighbors, shown_recall
from embviz.projections.pca import leading_coordinates
from embviz.projections.tsne_affinities import find_joint
from embviz.projections.tsne_coarse import (
    COARSE_POINTS,
    Ordered,
    begin,
    draw_rows,
    order_along_curve,
    place_beside,
    take_rows,
)
from embviz.projections.tsne_descent import (
    INITIAL_DEVIATION,
    Descent,
    Phase,
    plan_coarse,
    plan_phases,
    plan_settling,
)
from embviz.projections.tsne_device import descend_on
from embviz.projections.tsne_gradient import Gradient, load_kernels
from embviz.projections.tsne_near import count_near, keep_near
from embviz.projections.tsne_tears import Tears, measure_tears
from embviz.projections.work import Work
from embviz.space import Normalize, Space, open_space

log = logging.getLogger("embviz")
progress = logging.getLogger("embviz.progress")

DEFAULT_PERPLEXITY = 30.0
FEWEST_POINTS = 4  # So that perplexity 1 has its 3 neighbors.
THREADED_POINTS = 1000
SETTLED_JITTER = 1e-3  # In the map's unit.
MOST_UNSETTLED = 0.5  # Of a map of which more has not settled nothing is said a point.
# Seconds of a processor and bytes: an iteration; a point in it, by the dimensions, and more for
# each of its neighbors; an affinity; what is held of each and of the recorded places of a point.
ITERATION_SECONDS = 8e-3
STEP_SECONDS, STEP_NEIGHBOR, AFFINITY = {2: 5e-7, 3: 3.6e-6}, 2e-9, 4e-7
NEIGHBOR_BYTES, POINT_BYTES = 60, 600
CHEAP_3D = 4_000  # Up to so many points 3D takes seconds and comes along unasked.


@dataclass(frozen=True, eq=False)
class TSNE:
    """t-distributed stochastic neighbor embedding (van der Maaten and Hinton 2008).

    Exaggeration is 12 at first, falls from 4 to 1 and stays there (`tsne_descent.plan_phases`); the
    learning rate is n_points / exaggeration (Belkina et al. 2019). A map that is settled goes on
    with little of it (`tsne_descent.plan_settling`). Beyond 50,000 points a map of a sample comes
    first and the others begin beside their neighbors in it (`tsne_coarse`), unless the start or
    the iterations are asked for.

    Args:
        n_components: 2 or 3.
        perplexity: The effective number of neighbors a point; 3 times as many are looked at, so it
            is at most (n_points - 1) / 3. None is 30 or the most that fits.
        iterations: Steps of all points; None is 300, or 750 of fewer than 3,000 points, 140 or
            200 after those of a sample beyond 50,000, or 250 of a settled map.
        metric: Of the neighbors; cosine is taken as euclidean between rows of unit length.
        normalize: What is done to the vectors before.
        seed: For the neighbors' cells and the jitter of the start, 0 .. 2^32 - 1.
        neighbors: The neighbors of all points, when they are known already, with this metric and
            normalization.
        initialization: float (n_points, n_components), the start; None is the leading principal
            components. Its first component is scaled to a standard deviation of 1e-4.
        settled: Whether the start is a map of nearly these neighbors, which is not scaled and whose
            points stay where they may.
        device: `cpu`, `cuda` for a card, or `auto`: a card where PyTorch sees one and there are
            more than 20,000 points. A space that is opened for a card is worked on there.

    Raises:
        ParameterError: If a parameter fits no table.
    """

    figures: ClassVar[tuple[str, ...]] = ("kl_divergence", "unsettled")

    n_components: int = 2
    perplexity: float | None = None
    iterations: int | None = None
    metric: Metric = "cosine"
    normalize: Normalize = "none"
    seed: int = 0
    neighbors: Neighbors | None = None
    initialization: NDArray[np.floating[Any]] | None = None
    settled: bool = False
    device: Device = "auto"

    def __post_init__(self) -> None:
        check_whole("n_components", self.n_components, 2, 3)
        if self.perplexity is not None:
            check_number("perplexity", self.perplexity, 1)
        if self.iterations is not None:
            check_whole("iterations", self.iterations, 1)
        check_one_of("metric", self.metric, get_args(Metric))
        check_one_of("normalize", self.normalize, get_args(Normalize))
        check_seed("seed", self.seed)
        check_truth("settled", self.settled)
        check_one_of("device", self.device, get_args(Device))
        if self.settled and self.initialization is None:
            raise ParameterError("settled", "is said of a start", "give initialization")

    def started_at(self, places: NDArray[np.floating[Any]]) -> TSNE:
        """Return the t-SNE that goes on from a settled map, float (n_points, n_components)."""
        return replace(self, initialization=places, settled=True)

    def project(self, table: EmbeddingTable, space: Space | None = None) -> Projection:
        """Place the points so that near neighbors stay near.

        Args:
            table: The vectors.
            space: What `open_space` gave, where it was opened before.

        Returns:
            `stats` holds `kl_divergence`; `per_point`, where it is cheap, how loosely each point is
            held (`tsne_tears`); `frames` the start, about 30 steps, or 16 of many points, and
            the end.

        Raises:
            ParameterError: If there are fewer than 4 points, or the perplexity, the neighbors or
                the start do not fit.
        """
        perplexity = self._perplexity_for(table)
        space = open_space(table, self.normalize, space).on(self.device)
        coarse = self.begins_coarse(table.n_points)
        plan = plan_settling if self.settled else plan_coarse if coarse else plan_phases
        phases = plan(table.n_points, self.iterations)
        neighbors = self._neighbors_for(table, self.count_neighbors(table), space)
        if coarse:
            ordered, first = self._begin_coarse(table, neighbors, space.arrays)
            descent, tears = _descend_ordered(space.arrays, ordered, perplexity, phases)
        else:
            start, first = self._start(table, space), {}
            descent, tears = _descend(space.arrays, start, neighbors, perplexity, phases)
        _, kl, coordinates = descent.recorded[-1]
        log.info("t-SNE in %dD: %d iterations, KL %.3f", self.n_components, descent.total, kl)
        device = {"device": "cpu" if space.arrays is None else space.arrays.title}
        return Projection(
            name="tsne",
            title="t-SNE",
            kind="map",
            coordinates=coordinates,
            params=self._params(perplexity, neighbors, phases)
            | first
            | descent.gradient.params()
            | device,
            stats={"kl_divergence": kl} | _tear_stats(tears),
            per_point=_tear_columns(tears, self.n_components),
            frames=descent.frames(),
        )

    def import_ahead(self) -> None:
        """Import openTSNE, which takes a second that others can use."""
        load_kernels()

    def in_dims(self, table: EmbeddingTable, dims: Sequence[int] = ()) -> tuple[TSNE, ...]:
        """Return t-SNE in 2, 3 or both dimensions; without a wish 3 too where that is cheap."""
        wanted = dims or ((2, 3) if table.n_points <= CHEAP_3D else (2,))
        return tuple(replace(self, n_components=d) for d in sorted(set(wanted)))

    def count_neighbors(self, table: EmbeddingTable) -> int:
        """Return how many neighbors of each point are looked at; raises as `project` does."""
        return math.ceil(3 * self._perplexity_for(table))

    def work(self, n_points: int) -> Work:
        """Return about what `project` takes for so many points, without their neighbors."""
        n_neighbors = 3 * (self.perplexity or DEFAULT_PERPLEXITY)
        schedule = plan_coarse if self.begins_coarse(n_points) else plan_phases
        steps = sum(p.iterations for p in schedule(n_points, self.iterations))
        a_step = STEP_SECONDS[self.n_components] + STEP_NEIGHBOR * n_neighbors
        cpu = n_points * (steps * a_step + AFFINITY * n_neighbors) + steps * ITERATION_SECONDS
        held = n_points * (n_neighbors * NEIGHBOR_BYTES + POINT_BYTES)
        return Work(f"t-SNE {self.n_components}D", cpu, held, 0.8)

    def begins_coarse(self, n_points: int) -> bool:
        """Tell whether a map of so many points begins with one of a sample."""
        asked = self.iterations is not None or self.initialization is not None
        return n_points > COARSE_POINTS and not asked

    def _perplexity_for(self, table: EmbeddingTable) -> float:
        """Return the perplexity in force."""
        n = table.n_points
        if n < FEWEST_POINTS:
            raise ParameterError(
                table.source or "vectors",
                f"{n} point{'s' * (n != 1)} are too few for t-SNE, which needs {FEWEST_POINTS}",
            )
        largest = (n - 1) / 3
        if self.perplexity is None:
            return min(DEFAULT_PERPLEXITY, largest)
        if self.perplexity > largest:
            shown = math.floor(largest * 100) / 100
            raise ParameterError(
                f"perplexity {self.perplexity:g}",
                f"needs {math.ceil(3 * self.perplexity):,} neighbors of each of {n:,} points",
                f"1 to {shown:g} fit",
            )
        return float(self.perplexity)

    def _start(self, table: EmbeddingTable, space: Space) -> NDArray[np.float64]:
        """Return the coordinates before the first iteration, float64 (n_points, n_components)."""
        wanted = (table.n_points, self.n_components)
        if self.initialization is None:
            start = np.asarray(leading_coordinates(space, self.n_components), np.float64)
        else:
            start = np.array(self.initialization, dtype=np.float64)
            if start.shape != wanted or not np.isfinite(start).all():
                raise ParameterError(
                    "initialization", f"shape {start.shape} with finite values of {wanted} wanted"
                )
        start = start - start.mean(axis=0)
        # Points at one place would stay together, as equal forces act on them.
        rng = np.random.default_rng(self.seed)
        if self.settled:
            return np.asarray(start + rng.normal(0, SETTLED_JITTER, wanted))
        peak = np.abs(start).max()
        start = np.asarray(start / peak if peak > 0 else start)
        deviation = start[:, 0].std()
        if deviation > 0:
            start *= INITIAL_DEVIATION / deviation
        start += rng.normal(0, INITIAL_DEVIATION / 100, wanted)
        return start

    def _begin_coarse(
        self, table: EmbeddingTable, neighbors: Neighbors, arrays: Arrays | None
    ) -> tuple[Ordered, dict[str, Any]]:
        """Return all points where a map of a sample says, and what is said of that map."""
        rows = draw_rows(table.n_points, self.seed)
        few = take_rows(table, rows)
        space = open_space(few, self.normalize).with_arrays(arrays)
        perplexity = min(self._perplexity_for(table), (few.n_points - 1) / 3)
        progress.info("t-SNE: a map of %s points first", f"{few.n_points:,}")
        k = math.ceil(3 * perplexity)
        near = link_sample(space, k, self.metric, self.seed)
        phases = plan_phases(few.n_points)
        begun = self._start(few, space)
        if arrays is None:
            first = _run(begun, near, perplexity, phases)
        else:
            first, _ = _descend(arrays, begun, near, perplexity, phases)
        start = begin(place_beside(neighbors.indices, rows, first.places()), self.seed)
        told = {
            "initialization": "sample",
            "sample_points": few.n_points,
            "sample_iterations": sum(p.iterations for p in phases),
        }
        return order_along_curve(start, neighbors), told

    def _neighbors_for(self, table: EmbeddingTable, k: int, space: Space) -> Neighbors:
        """Return the first k neighbors of all points."""
        known = first_neighbors(self.neighbors, table, k, self.metric)
        if known is not None:
            return known
        progress.info("t-SNE: neighbors of %s points", f"{table.n_points:,}")
        return build_graph(table, k, self.metric, self.normalize, self.seed, space)

    def _params(
        self, perplexity: float, neighbors: Neighbors, phases: list[Phase]
    ) -> dict[str, Any]:
        n_points, n_neighbors = neighbors.indices.shape
        near = sum(p.iterations for p in phases if p.near)
        annealed = -2 if near else -1
        near_ones = {"near_iterations": near, "near_neighbors": count_near(perplexity)}
        return {
            "n_components": self.n_components,
            "perplexity": perplexity,
            "perplexity_chosen": self.perplexity is None,
            "iterations": sum(p.iterations for p in phases),
            "early_iterations": 0 if self.settled else phases[0].iterations,
            "early_exaggeration": phases[0].exaggeration,
            "annealing_iterations": sum(p.iterations for p in phases[not self.settled : annealed]),
            "momentum": [phases[i].momentum for i in (0, 1, -1)],
            "learning_rate": [phases[0].rate(n_points), phases[-1].rate(n_points)],
            "metric": self.metric,
            "normalize": self.normalize,
            "seed": self.seed,
            "n_neighbors": int(n_neighbors),
            "neighbor_recall": shown_recall(neighbors.recall),
            "initialization": "pca" if self.initialization is None else "given",
        } | (near_ones if near else {})


def _descend(
    arrays: Arrays | None,
    start: NDArray[np.float64],
    neighbors: Neighbors,
    perplexity: float,
    phases: list[Phase],
) -> tuple[Descent, Tears | None]:
    """Return the descent from a start, at its end, and where its map is torn."""
    if arrays is not None:
        distances = bandwidth_distances(neighbors)
        return descend_on(arrays, start, (neighbors.indices, distances), perplexity, phases)
    descent = _run(start, neighbors, perplexity, phases)
    gradient = descent.gradient
    with one_blas_thread():
        descent.finish()
        return descent, measure_tears(descent.points, gradient.affinities, gradient.n_threads)


def _run(
    start: NDArray[np.float64], neighbors: Neighbors, perplexity: float, phases: list[Phase]
) -> Descent:
    """Return a descent on the processor after its last iteration."""
    # Threads that wait for each other cost more than they bring on a few points.
    n_threads = count_cores() if len(start) >= THREADED_POINTS else 1
    progress.info("t-SNE: affinities")
    affinities = find_joint(neighbors, perplexity, n_threads)
    near = None
    if any(phase.near for phase in phases):
        near = keep_near(affinities, neighbors.indices, count_near(perplexity), n_threads)
    gradient = Gradient(affinities, n_threads, near)
    descent = Descent(start, gradient, sum(p.iterations for p in phases))
    # Sums that BLAS splits among threads differ by their number, and so would the map.
    with one_blas_thread():
        for phase in phases:
            descent.run(phase)
    return descent


def _descend_ordered(
    arrays: Arrays | None, ordered: Ordered, perplexity: float, phases: list[Phase]
) -> tuple[Descent, Tears | None]:
    """Return the descent of points in an order of their own, recorded and torn by their rows."""
    descent, tears = _descend(arrays, ordered.start, ordered.neighbors, perplexity, phases)
    descent.recorded[:] = [(i, kl, ordered.undo(places)) for i, kl, places in descent.recorded]
    return descent, None if tears is None else replace(tears, scores=ordered.undo(tears.scores))


def _tear_stats(tears: Tears | None) -> dict[str, Any]:
    """Return the share of points that have not settled, and how that was found."""
    if tears is None:
        return {}
    return {"unsettled": round(tears.unsettled, 4), "singularity_sums": tears.method}


def _tear_columns(tears: Tears | None, dims: int) -> dict[str, NDArray[np.float32]]:
    """Return how loosely points are held; the logarithm, since a few are far from all others."""
    if tears is None or tears.unsettled > MOST_UNSETTLED:
        return {}
    # Rounded, since no more digits are true and fewer travel in fewer bytes.
    torn = np.round(np.log10(tears.scores), 4)
    return {f"torn (log10), {dims}D": torn.astype(np.float32)}
