"""PaCMAP and LocalMAP by the package pacmap, on our neighbor graph."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from types import ModuleType
from typing import Any, ClassVar, get_args

import numpy as np
from numpy.typing import NDArray

from embviz.checks import check_one_of, check_seed, check_whole
from embviz.errors import ParameterError, counted
from embviz.kernels import calm_threads, one_blas_thread
from embviz.model import EmbeddingTable, Frames, Metric, Neighbors, Projection
from embviz.neighbors import build_graph
from embviz.neighbors.known import (
    bandwidth_distances,
    first_neighbors,
    shown_recall,
    tell_device,
)
from embviz.projections.numba_cache import import_compiled
from embviz.projections.pca import leading_coordinates
from embviz.space import Normalize, Space, open_space, unit_rows

log = logging.getLogger("embviz")
progress = logging.getLogger("embviz.progress")

FEWEST_POINTS = 4
CHEAP_3D = 10_000  # Up to so many points 3D takes seconds and comes along unasked.
PHASES = (100, 100, 250)
FRAMES = (0, 10, 30, 60, 100, 120, 140, 170, 200, 250, 300, 350, 400, 450)
MID_NEAR, FURTHER = 0.5, 2.0  # Pairs of each kind, by the number of neighbors.
_MORE = 50  # Neighbors among which the pairs are chosen by scaled distance, beyond their number.
_WIDEST = 100  # Dimensions beyond which the leading components stand for the vectors.


@dataclass(frozen=True, eq=False)
class PaCMAP:
    """Pairwise controlled manifold approximation (Wang, Huang, Rudin and Shaposhnik 2021).

    Args:
        n_components: 2 or 3.
        n_neighbors: Neighbors a point, itself not among them; None is 10, of more than 10,000
            points 10 + 15 (log10 n_points - 4), or the most that fits.
        metric: Of the neighbors; cosine is taken as euclidean between rows of unit length.
        normalize: What is done to the vectors before.
        seed: For the neighbors' cells and the pairs that are drawn, 0 .. 2^32 - 1.
        neighbors: The neighbors of all points, when they are known already, with this metric and
            normalization.
        initialization: float (n_points, n_components), the start, of which each column is brought
            to a deviation of 1e-4; None is the leading principal components.

    Raises:
        ParameterError: If a parameter fits no table.
    """

    n_components: int = 2
    n_neighbors: int | None = None
    metric: Metric = "cosine"
    normalize: Normalize = "none"
    seed: int = 0
    neighbors: Neighbors | None = None
    initialization: NDArray[np.floating[Any]] | None = None
    title: ClassVar[str] = "PaCMAP"

    def __post_init__(self) -> None:
        check_whole("n_components", self.n_components, 2, 3)
        if self.n_neighbors is not None:
            check_whole("n_neighbors", self.n_neighbors, 1)
        check_one_of("metric", self.metric, get_args(Metric))
        check_one_of("normalize", self.normalize, get_args(Normalize))
        check_seed("seed", self.seed)

    def project(self, table: EmbeddingTable, space: Space | None = None) -> Projection:
        """Place the points so that near ones stay near and others keep apart.

        Args:
            table: The vectors.
            space: What `open_space` gave, where it was opened before.

        Returns:
            `frames` holds the start, steps between and the end.

        Raises:
            ParameterError: If the package pacmap is not installed, there are fewer than 4 points,
                or a parameter does not fit.
        """
        n_seen = self.count_neighbors(table)
        package = _import_pacmap(self.title)
        space = open_space(table, self.normalize, space)
        graph = first_neighbors(self.neighbors, table, n_seen, self.metric)
        if graph is None:
            progress.info("%s: neighbors of %s points", self.title, f"{table.n_points:,}")
            graph = build_graph(table, n_seen, self.metric, self.normalize, self.seed, space)
        n_neighbors = self._pairs_for(table)
        vectors = _vectors(space, self.metric, self.n_components, self.seed)
        start = "pca" if self.initialization is None else self._start(table.n_points)
        with _alone(package):
            model = getattr(package, self.title)(
                n_components=self.n_components,
                n_neighbors=n_neighbors,
                MN_ratio=MID_NEAR,
                FP_ratio=FURTHER,
                pair_neighbors=choose_pairs(graph, n_neighbors),
                num_iters=PHASES,
                random_state=self.seed % 2**31,  # It is held in 32 bits with a sign.
                intermediate=True,
                intermediate_snapshots=list(FRAMES),
            )
            frames = np.asarray(model.fit_transform(vectors, init=start), np.float32)
        looked_at = counted(n_neighbors, "neighbor")
        text = "%s in %dD: %d iterations, %s"
        log.info(text, self.title, self.n_components, FRAMES[-1], looked_at)
        return Projection(
            name=self.title.lower(),
            title=self.title,
            kind="map",
            coordinates=frames[-1],
            params=self._params(n_neighbors, graph) | tell_device(space),
            frames=Frames(tuple(map(str, FRAMES)), frames, unit="iteration"),
        )

    def in_dims(self, table: EmbeddingTable, dims: Sequence[int] = ()) -> tuple[PaCMAP, ...]:
        """Return it in 2, 3 or both dimensions; without a wish 3 too where that is cheap."""
        wanted = dims or ((2, 3) if table.n_points <= CHEAP_3D else (2,))
        return tuple(replace(self, n_components=d) for d in sorted(set(wanted)))

    def count_neighbors(self, table: EmbeddingTable) -> int:
        """Return among how many neighbors the pairs of a point are chosen.

        Raises:
            ParameterError: As `project` does.
        """
        if find_spec("pacmap") is None:
            raise _missing(self.title)
        return min(self._pairs_for(table) + _MORE, table.n_points - 1)

    def _pairs_for(self, table: EmbeddingTable) -> int:
        """Return the number of neighbors in force."""
        n = table.n_points
        if n < FEWEST_POINTS:
            raise ParameterError(
                table.source or "vectors",
                f"{n} point{'s' * (n != 1)} are too few for {self.title}, "
                f"which needs {FEWEST_POINTS}",
            )
        # A point has pairs with others of three kinds, which are to be different points.
        most = max(1, int((n - 1) / (1 + MID_NEAR + FURTHER)))
        if self.n_neighbors is None:
            usual = 10 if n <= 10_000 else round(10 + 15 * (math.log10(n) - 4))
            return min(usual, most)
        if self.n_neighbors > most:
            raise ParameterError(
                "n_neighbors", f"{self.n_neighbors} is not in 1 .. {most} with {n:,} points"
            )
        return self.n_neighbors

    def _start(self, n_points: int) -> NDArray[np.float32]:
        start = np.array(self.initialization, np.float32)
        wanted = (n_points, self.n_components)
        if start.shape != wanted or not np.isfinite(start).all():
            raise ParameterError(
                "initialization", f"shape {start.shape} with finite values of {wanted} wanted"
            )
        return start

    def _params(self, n_neighbors: int, graph: Neighbors) -> dict[str, Any]:
        return {
            "n_components": self.n_components,
            "n_neighbors": n_neighbors,
            "n_neighbors_chosen": self.n_neighbors is None,
            "mid_near_pairs": round(n_neighbors * MID_NEAR),
            "further_pairs": round(n_neighbors * FURTHER),
            "iterations": sum(PHASES),
            "metric": self.metric,
            "normalize": self.normalize,
            "seed": self.seed,
            "neighbor_recall": shown_recall(graph.recall),
            "initialization": "pca" if self.initialization is None else "given",
        }


@dataclass(frozen=True, eq=False)
class LocalMAP(PaCMAP):
    """PaCMAP that adjusts its graph locally at last (Wang, Sun, Huang and Rudin 2025).

    Arguments and errors are those of `PaCMAP`.
    """

    title: ClassVar[str] = "LocalMAP"


def choose_pairs(graph: Neighbors, n_neighbors: int) -> NDArray[np.int32]:
    """Return the pairs of each point with its nearest by scaled distance, int32 (n * k, 2).

    The scaled distance is d_ij^2 / (s_i s_j), where s is the mean distance to the fourth to sixth
    nearest, so that points in sparse places are not linked to all of a dense one (section 4.1).

    Args:
        graph: Of all points.
        n_neighbors: Pairs a point, at most as many as the graph has neighbors.
    """
    distances = bandwidth_distances(graph, own_units=False)
    held = distances.shape[1]
    middle = distances[:, 3:6] if held > 3 else distances[:, -1:]
    scales = np.maximum(middle.mean(axis=1), 1e-10)
    scaled = np.square(distances) / scales[:, None] / scales[graph.indices]
    chosen = np.argsort(scaled, axis=1, kind="stable")[:, :n_neighbors]
    pairs = np.empty((len(distances) * n_neighbors, 2), np.int32)
    pairs[:, 0] = np.repeat(np.arange(len(distances)), n_neighbors)
    pairs[:, 1] = np.take_along_axis(graph.indices, chosen, axis=1).ravel()
    return pairs


def _vectors(space: Space, metric: Metric, n_components: int, seed: int) -> NDArray[np.float32]:
    """Return what distances of pairs and the start are of, float32 (n_points, up to 100)."""
    if metric == "cosine":
        rows = np.concatenate([unit_rows(block).astype(np.float32) for _, block in space.blocks()])
        space = open_space(EmbeddingTable(rows))
    n_points, n_dims = space.shape
    if n_dims > _WIDEST:
        found = leading_coordinates(space, min(_WIDEST, n_points - 1)).astype(np.float32)
    else:
        found = np.concatenate([block.astype(np.float32) for _, block in space.blocks()])
    spread = float(np.ptp(found))
    if spread == 0:  # All points are at one place, and have no start and no scale.
        found = np.random.default_rng(seed).normal(size=found.shape).astype(np.float32)
    missing = n_components - found.shape[1]
    if missing > 0:  # Along a direction in which all begin at 0 none would ever move.
        own = np.random.default_rng(seed).normal(0, 1e-4 * (spread or 1), (n_points, missing))
        found = np.concatenate([found, own.astype(np.float32)], axis=1)
    return found


@contextmanager
def _alone(package: ModuleType) -> Iterator[None]:
    """Have pacmap run in one thread, without words.

    LocalMAP draws numbers in each thread, so that another number of threads gives another map; the
    gradient of both takes one thread anyway.
    """
    import numba

    spoken = logging.getLogger(f"{package.__name__}.pacmap")
    was, n_threads = spoken.disabled, numba.get_num_threads()
    spoken.disabled = True
    numba.set_num_threads(1)
    try:
        with one_blas_thread():
            yield
    finally:
        numba.set_num_threads(n_threads)
        spoken.disabled = was


def _import_pacmap(title: str) -> Any:
    """Return the package pacmap, which is an extra."""
    progress.info("%s: compiling", title)
    try:
        with calm_threads():
            return import_compiled(_load_pacmap, "pacmap")
    except ImportError as error:
        if (error.name or "").split(".")[0] not in ("pacmap", "numba"):
            raise
        raise _missing(title) from None


def _missing(title: str) -> ParameterError:
    return ParameterError(title, "pacmap is not installed", "pip install 'embviz[pacmap]'")


def _load_pacmap() -> Any:
    import pacmap
    import pacmap.pacmap as module

    printing = getattr(module, "print_verbose", None)
    if printing is not None:  # It is called, whether or not it is to print, every ten iterations.

        def report(text: Any, *rest: Any, **options: Any) -> None:
            if str(text).startswith("Iteration:"):
                progress.info("PaCMAP: %s", str(text).partition(",")[0].replace(":", "").lower())
            printing(text, *rest, **options)

        module.print_verbose = report
    return pacmap
