"""t-SNE by openTSNE, its pieces spelled out and with a fast schedule."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import ParameterError
from embviz.kernels import calm_threads, count_cores
from embviz.model import EmbeddingTable, Frames, Metric, Neighbors, Projection
from embviz.neighbors import build_graph
from embviz.neighbors.graph import bandwidth_distances, first_neighbors
from embviz.projections.pca import leading_coordinates
from embviz.projections.tsne_gradient import FourierGradient
from embviz.space import Normalize, Space, open_space

log = logging.getLogger("embviz")
progress = logging.getLogger("embviz.progress")

DEFAULT_PERPLEXITY = 30.0
DEFAULT_ITERATIONS = 300
EARLY_SHARE = 1 / 3
EARLY_EXAGGERATION = 12
EARLY_MOMENTUM, LATE_MOMENTUM = 0.8, 0.95
FEWEST_POINTS = 4  # So that perplexity 1 has its 3 neighbors.
FOURIER_POINTS = 3000  # Fewer are faster by Barnes-Hut.
THREADED_POINTS = 1000
THETA = 0.5
SLOW_POINTS = 20_000
CHEAP_3D = 4_000  # Up to so many points 3D takes seconds and comes along unasked.
N_FRAMES = 30
INITIAL_DEVIATION = 1e-4  # Of the first component; Kobak and Berens 2019.


@dataclass(frozen=True)
class _Phase:
    """Iterations under one exaggeration, momentum and learning rate."""

    iterations: int
    exaggeration: float
    momentum: float
    learning_rate: float


@dataclass(frozen=True, eq=False)
class TSNE:
    """t-distributed stochastic neighbor embedding (van der Maaten and Hinton 2008).

    A third of the iterations run at exaggeration 12 and momentum 0.8, the others at momentum 0.95;
    the learning rate is n_points / exaggeration (Belkina et al. 2019).

    Args:
        n_components: 2 or 3.
        perplexity: The effective number of neighbors a point; 3 times as many are looked at, so it
            is at most (n_points - 1) / 3. None is 30 or the most that fits.
        iterations: Steps in all; None is 300.
        metric: Of the neighbors; cosine is taken as euclidean between rows of unit length.
        normalize: What is done to the vectors before.
        seed: For the neighbors' cells and the jitter of the start.
        neighbors: The neighbors of all points, when they are known already, with this metric and
            normalization.
        initialization: float (n_points, n_components), the start; None is the leading principal
            components. Its first component is scaled to a standard deviation of 1e-4.
    """

    n_components: int = 2
    perplexity: float | None = None
    iterations: int | None = None
    metric: Metric = "cosine"
    normalize: Normalize = "none"
    seed: int = 0
    neighbors: Neighbors | None = None
    initialization: NDArray[np.floating[Any]] | None = None

    def project(self, table: EmbeddingTable, space: Space | None = None) -> Projection:
        """Place the points so that near neighbors stay near.

        Args:
            table: The vectors.
            space: What `open_space` gave, where it was opened before.

        Returns:
            `stats` holds `kl_divergence`; `frames` the start, about 30 steps and the end.

        Raises:
            ParameterError: If there are fewer than 4 points, or the perplexity, the iterations, the
                components, the neighbors or the start do not fit.
        """
        perplexity = self._perplexity_for(table)
        phases = self._phases(table.n_points)
        space = open_space(table, self.normalize, space)
        start = self._start(table, space)
        neighbors = self._neighbors_for(table, self.count_neighbors(table), space)
        run = _Run(_affinities(neighbors, perplexity), start, sum(p.iterations for p in phases))
        if self.n_components == 3 and table.n_points > SLOW_POINTS:
            run.announce()
        for phase in phases:
            run.optimize(phase)
        coordinates, kl = run.finish()
        return Projection(
            name="tsne",
            title="t-SNE",
            kind="map",
            coordinates=coordinates,
            params=self._params(perplexity, neighbors, phases) | run.params,
            stats={"kl_divergence": kl},
            frames=run.frames(),
        )

    def in_dims(self, table: EmbeddingTable, dims: Sequence[int] = ()) -> tuple[TSNE, ...]:
        """Return t-SNE in 2, 3 or both dimensions; without a wish 3 too where that is cheap."""
        wanted = dims or ((2, 3) if table.n_points <= CHEAP_3D else (2,))
        return tuple(replace(self, n_components=d) for d in sorted(set(wanted)))

    def count_neighbors(self, table: EmbeddingTable) -> int:
        """Return how many neighbors of each point are looked at; raises as `project` does."""
        return math.ceil(3 * self._perplexity_for(table))

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
        if not 1 <= self.perplexity <= largest:
            shown = math.floor(largest * 100) / 100
            raise ParameterError(
                f"perplexity {self.perplexity:g}",
                f"needs {math.ceil(3 * self.perplexity):,} neighbors of each of {n:,} points"
                if self.perplexity > largest
                else "is less than 1",
                f"1 to {shown:g} fit",
            )
        return float(self.perplexity)

    def _phases(self, n_points: int) -> list[_Phase]:
        if self.n_components not in (2, 3):
            raise ParameterError("t-SNE", f"{self.n_components} components where 2 or 3 are drawn")
        total = DEFAULT_ITERATIONS if self.iterations is None else self.iterations
        if total < 1:
            raise ParameterError("iterations", f"{total} is less than 1")
        early = round(total * EARLY_SHARE)
        return [
            _Phase(early, EARLY_EXAGGERATION, EARLY_MOMENTUM, n_points / EARLY_EXAGGERATION),
            _Phase(total - early, 1, LATE_MOMENTUM, n_points),
        ]

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
        peak = np.abs(start).max()
        start = np.asarray(start / peak if peak > 0 else start)
        deviation = start[:, 0].std()
        if deviation > 0:
            start *= INITIAL_DEVIATION / deviation
        # Points at one place would stay together, as equal forces act on them.
        rng = np.random.default_rng(self.seed)
        start += rng.normal(0, INITIAL_DEVIATION / 100, wanted)
        return start

    def _neighbors_for(self, table: EmbeddingTable, k: int, space: Space) -> Neighbors:
        """Return the first k neighbors of all points."""
        known = first_neighbors(self.neighbors, table, k, self.metric)
        if known is not None:
            return known
        progress.info("t-SNE: neighbors of %s points", f"{table.n_points:,}")
        return build_graph(table, k, self.metric, self.normalize, self.seed, space)

    def _params(
        self, perplexity: float, neighbors: Neighbors, phases: list[_Phase]
    ) -> dict[str, Any]:
        return {
            "n_components": self.n_components,
            "perplexity": perplexity,
            "perplexity_chosen": self.perplexity is None,
            "iterations": sum(p.iterations for p in phases),
            "early_iterations": phases[0].iterations,
            "early_exaggeration": EARLY_EXAGGERATION,
            "momentum": [p.momentum for p in phases],
            "learning_rate": [p.learning_rate for p in phases],
            "metric": self.metric,
            "normalize": self.normalize,
            "seed": self.seed,
            "n_neighbors": int(neighbors.indices.shape[1]),
            "neighbor_recall": round(neighbors.recall, 4),
            "initialization": "pca" if self.initialization is None else "given",
        }


def _affinities(neighbors: Neighbors, perplexity: float) -> Any:
    """Return openTSNE's affinities of a neighbor graph."""
    with calm_threads():
        from openTSNE import affinity, nearest_neighbors

    distances = bandwidth_distances(neighbors)
    known = nearest_neighbors.PrecomputedNeighbors(neighbors.indices, distances)
    progress.info("t-SNE: affinities")
    return affinity.PerplexityBasedNN(perplexity=perplexity, knn_index=known, n_jobs=count_cores())


@dataclass(eq=False)
class _Run:
    """One optimization with what it records."""

    affinities: Any
    start: NDArray[np.float64]
    total: int
    done: int = 0
    params: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from openTSNE import TSNEEmbedding
        from openTSNE.tsne import kl_divergence_bh

        # Threads that wait for each other cost more than they bring on a few points.
        self.cores = count_cores() if len(self.start) >= THREADED_POINTS else 1
        n_points, n_components = self.start.shape
        self.fourier = n_components == 2 and n_points >= FOURIER_POINTS
        self.gradient: Any = FourierGradient(self.cores) if self.fourier else kl_divergence_bh
        self.params["gradient"] = "fourier" if self.fourier else "barnes-hut"
        if not self.fourier:
            self.params["theta"] = THETA
        self.embedding = TSNEEmbedding(self.start.copy(), self.affinities)
        self.every = max(1, math.ceil(self.total / N_FRAMES))
        self.recorded: list[tuple[int, float, NDArray[np.float32]]] = []
        self.said = -math.inf
        self.record(0, self.divergence(self.start))

    def divergence(self, points: NDArray[np.float64]) -> float:
        """Return the KL divergence of a map, with a finer grid where there is one."""
        exact = FourierGradient(self.cores, self.gradient.spacing / 2) if self.fourier else None
        error, _ = (exact or self.gradient)(
            points, self.affinities.P, dof=1, bh_params={"theta": THETA},
            should_eval_error=True, n_jobs=self.cores,
        )  # fmt: skip
        return float(error)

    def announce(self) -> None:
        """Say how long it will take, after timing one gradient."""
        begun = time.monotonic()
        self.divergence(self.start)
        seconds = (time.monotonic() - begun) * self.total
        text = f"{seconds / 60:.0f} minutes" if seconds > 90 else f"{seconds:.0f} seconds"
        log.info("t-SNE in 3D: about %s for %s points", text, f"{len(self.start):,}")

    def optimize(self, phase: _Phase) -> None:
        """Run one phase."""
        if phase.iterations == 0:
            return
        self.embedding.optimize(
            n_iter=phase.iterations,
            inplace=True,
            exaggeration=phase.exaggeration,
            momentum=phase.momentum,
            learning_rate=phase.learning_rate,
            negative_gradient_method=self.gradient,
            theta=THETA,
            n_jobs=self.cores,
            callbacks=self.after_iterations,
            callbacks_every_iters=self.every,
        )
        self.done += phase.iterations

    def after_iterations(self, iteration: int, error: float, points: Any) -> bool:
        """Record a frame and tell the progress; openTSNE calls it before the step is taken."""
        reached = self.done + iteration - 1
        if 0 < reached < self.total - 1:
            self.record(reached, error, np.asarray(points))
        now = time.monotonic()
        if now - self.said >= 0.1:
            self.said = now
            progress.info(
                "t-SNE: iteration %d of %d, KL %.2f", self.done + iteration, self.total, error
            )
        return False

    def record(
        self, iteration: int, error: float, points: NDArray[np.float64] | None = None
    ) -> None:
        held = self.start if points is None else points
        self.recorded.append((iteration, round(float(error), 5), held.astype(np.float32)))

    def finish(self) -> tuple[NDArray[np.float32], float]:
        """Record the last frame; return its coordinates, float32, and KL divergence."""
        points = np.array(self.embedding, dtype=np.float64)
        if not np.isfinite(points).all():
            raise ParameterError("t-SNE", "the coordinates left the range of numbers")
        self.record(self.total, self.divergence(points), points)
        log.info("t-SNE: %d iterations, KL %.3f", self.total, self.recorded[-1][1])
        return self.recorded[-1][2], self.recorded[-1][1]

    def frames(self) -> Frames:
        """Return what was recorded."""
        iterations, losses, coordinates = zip(*self.recorded, strict=True)
        steps, figures = tuple(map(str, iterations)), {"kl_divergence": losses}
        return Frames(steps, np.stack(coordinates), figures, unit="iteration")
