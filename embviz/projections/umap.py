"""UMAP by umap-learn, on our neighbor graph."""

from __future__ import annotations

import logging
import math
import re
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from embviz.checks import check_number, check_one_of, check_seed, check_truth, check_whole
from embviz.errors import ParameterError
from embviz.kernels import calm_threads, one_blas_thread
from embviz.model import EmbeddingTable, Metric, Neighbors, Projection
from embviz.neighbors import build_graph
from embviz.neighbors.known import (
    bandwidth_distances,
    first_neighbors,
    shown_recall,
    tell_device,
)
from embviz.projections.density import check_density, correlate_radii
from embviz.projections.numba_cache import import_compiled
from embviz.projections.pca import leading_coordinates
from embviz.projections.work import Work
from embviz.space import Normalize, Space, open_space

log = logging.getLogger("embviz")
progress = logging.getLogger("embviz.progress")

FEWEST_POINTS = 4
DEFAULT_NEIGHBORS = 15
# Seconds of a processor to compile; seconds and bytes a point and each of its neighbors.
COMPILED_SECONDS, EDGE_SECONDS, EDGE_BYTES = 9.0, 3e-5, 150
CHEAP_3D = 10_000  # Up to so many points 3D takes seconds and comes along unasked.
_EPOCHS = "{n_fmt}/{total_fmt}"  # What `_Epochs` reads.
SPREAD = 10.0  # Of the start, as umap-learn scales its own.
# Of a settled map: its points move half as far as at the usual rate, and keep as many neighbors.
SETTLING_EPOCHS, SETTLING_RATE = 200, 0.1
# umap-learn's own for densMAP: so many epochs more, of all of which the last look at density.
DENSITY_EPOCHS, DENSITY_WEIGHT, DENSITY_SHARE = 200, 2.0, 0.3


@dataclass(frozen=True, eq=False)
class UMAP:
    """Uniform manifold approximation and projection (McInnes, Healy and Melville 2018).

    Args:
        n_components: 2 or 3.
        n_neighbors: Neighbors a point, itself among them; None is 15 or the most that fits.
        min_dist: How near points may come in the map, 0 to 1.
        metric: Of the neighbors.
        normalize: What is done to the vectors before.
        seed: For the neighbors' cells, the jitter of the start and the optimization, 0 .. 2^32 - 1.
        neighbors: The neighbors of all points, when they are known already, with this metric and
            normalization.
        initialization: float (n_points, n_components), the start; None is the leading principal
            components.
        settled: Whether the start is a map of nearly these neighbors, whose points stay where they
            may: the optimization is shorter and its steps are smaller.
        density: Whether points that lie densely in the original space do so in the map (densMAP,
            Narayan, Berger and Cho 2021, "Assessing single-cell transcriptomic variability through
            density-preserving data visualization").

    Raises:
        ParameterError: If a parameter fits no table.
    """

    n_components: int = 2
    n_neighbors: int | None = None
    min_dist: float = 0.1
    metric: Metric = "cosine"
    normalize: Normalize = "none"
    seed: int = 0
    neighbors: Neighbors | None = None
    initialization: NDArray[np.floating[Any]] | None = None
    settled: bool = False
    density: bool = False

    def __post_init__(self) -> None:
        check_whole("n_components", self.n_components, 2, 3)
        if self.n_neighbors is not None:
            check_whole("n_neighbors", self.n_neighbors, 2)
        check_number("min_dist", self.min_dist, 0, 1)
        check_one_of("metric", self.metric, get_args(Metric))
        check_one_of("normalize", self.normalize, get_args(Normalize))
        check_seed("seed", self.seed)
        check_truth("settled", self.settled)
        check_truth("density", self.density)
        if self.settled and self.initialization is None:
            raise ParameterError("settled", "is said of a start", "give initialization")

    def started_at(self, places: NDArray[np.floating[Any]]) -> UMAP:
        """Return the UMAP that goes on from a settled map, float (n_points, n_components)."""
        return replace(self, initialization=places, settled=True)

    def work(self, n_points: int) -> Work:
        """Return about what `project` takes for so many points, without their neighbors."""
        k = self.n_neighbors or DEFAULT_NEIGHBORS
        cpu = COMPILED_SECONDS + n_points * k * EDGE_SECONDS
        return Work(f"UMAP {self.n_components}D", cpu, n_points * k * EDGE_BYTES, 0.0)

    def project(self, table: EmbeddingTable, space: Space | None = None) -> Projection:
        """Place the points so that the neighbor graph keeps its shape.

        Args:
            table: The vectors.
            space: What `open_space` gave, where it was opened before.

        Raises:
            ParameterError: If umap-learn is not installed, there are fewer than 4 points, a
                parameter does not fit, or density is to be kept and is the same everywhere.
        """
        k = self.count_neighbors(table)
        umap = _import_umap()
        space = open_space(table, self.normalize, space)
        graph = self._graph(table, k - 1, space)
        start = self._start(table, space)
        distances = bandwidth_distances(graph, own_units=not self.density).astype(np.float32)
        if self.density:
            check_density(distances, table.source)
        own = np.arange(table.n_points, dtype=np.int32)[:, None]
        known = (
            np.concatenate([own, graph.indices], axis=1),
            np.concatenate([np.zeros_like(distances[:, :1]), distances], axis=1),
        )
        progress.info("UMAP: compiling, for %s points", f"{table.n_points:,}")
        # The correlation of densities would else depend on the number of threads.
        with one_blas_thread(), warnings.catch_warnings():
            # It warns of the seed's single thread, and of points without a place in the graph.
            warnings.simplefilter("ignore")
            model = umap.UMAP(
                n_components=self.n_components,
                n_neighbors=k,
                min_dist=self.min_dist,
                metric="euclidean",
                init=start,
                n_epochs=self._epochs(table.n_points),
                learning_rate=SETTLING_RATE if self.settled else 1.0,
                random_state=self.seed,
                n_jobs=1,
                precomputed_knn=known,
                force_approximation_algorithm=True,
                densmap=self.density,
                dens_lambda=DENSITY_WEIGHT,
                dens_frac=1.0 if self.settled else DENSITY_SHARE,
                tqdm_kwds={
                    "file": _Epochs(),
                    "disable": False,
                    "bar_format": _EPOCHS,
                },
            )
            coordinates = np.asarray(model.fit_transform(start), dtype=np.float32)
        # A point that nothing links has no place; it goes to the middle of the others.
        lost = ~np.isfinite(coordinates).all(axis=1)
        if lost.any():
            log.warning("UMAP: %d points without links are put in the middle", int(lost.sum()))
            coordinates[lost] = 0 if lost.all() else coordinates[~lost].mean(axis=0)
        text = "%s in %dD: %d epochs, %d neighbors"
        log.info(text, self.title, self.n_components, self._epochs(table.n_points), k)
        stats = (
            {"density_correlation": correlate_radii(distances, coordinates)} if self.density else {}
        )
        return Projection(
            name=self.key,
            title=self.title,
            kind="map",
            coordinates=coordinates,
            params=self._params(k, graph) | tell_device(space),
            stats=stats,
        )

    @property
    def title(self) -> str:
        """What its projections are called."""
        return "densMAP" if self.density else "UMAP"

    @property
    def key(self) -> str:
        """The name of its projections."""
        return "densmap" if self.density else "umap"

    @property
    def figures(self) -> tuple[str, ...]:
        """The numbers in the `stats` of its projections."""
        return ("density_correlation",) if self.density else ()

    def in_dims(self, table: EmbeddingTable, dims: Sequence[int] = ()) -> tuple[UMAP, ...]:
        """Return UMAP in 2, 3 or both dimensions; without a wish 3 too where that is cheap."""
        wanted = dims or ((2, 3) if table.n_points <= CHEAP_3D else (2,))
        return tuple(replace(self, n_components=d) for d in sorted(set(wanted)))

    def count_neighbors(self, table: EmbeddingTable) -> int:
        """Return the number of neighbors in force, each point itself among them."""
        n = table.n_points
        if n < FEWEST_POINTS:
            raise ParameterError(
                table.source or "vectors",
                f"{n} point{'s' * (n != 1)} are too few for UMAP, which needs {FEWEST_POINTS}",
            )
        # umap-learn needs more points than neighbors and components than points.
        if self.n_neighbors is None:
            return min(DEFAULT_NEIGHBORS, n - 1)
        if self.n_neighbors > n - 1:
            raise ParameterError(
                "n_neighbors", f"{self.n_neighbors} is not in 2 .. {n - 1} with {n:,} points"
            )
        return self.n_neighbors

    def _start(self, table: EmbeddingTable, space: Space) -> NDArray[np.float32]:
        """Return the coordinates before the first epoch, (n_points, n_components)."""
        if self.initialization is None:
            return _scaled(np.asarray(leading_coordinates(space, self.n_components)), self.seed)
        start = np.array(self.initialization, dtype=np.float64)
        wanted = (table.n_points, self.n_components)
        if start.shape != wanted or not np.isfinite(start).all():
            raise ParameterError(
                "initialization", f"shape {start.shape} with finite values of {wanted} wanted"
            )
        return _scaled(_as_wide_as_high(start - start.mean(axis=0)), self.seed)

    def _graph(self, table: EmbeddingTable, k: int, space: Space) -> Neighbors:
        """Return the first k neighbors of all points."""
        known = first_neighbors(self.neighbors, table, k, self.metric)
        if known is not None:
            return known
        progress.info("UMAP: neighbors of %s points", f"{table.n_points:,}")
        return build_graph(table, k, self.metric, self.normalize, self.seed, space)

    def _epochs(self, n_points: int) -> int:
        """Return how often each link is looked at, as umap-learn has it."""
        if self.settled:
            return SETTLING_EPOCHS
        return (500 if n_points <= 10_000 else 200) + DENSITY_EPOCHS * self.density

    def _params(self, k: int, graph: Neighbors) -> dict[str, Any]:
        kept = {"density_weight": DENSITY_WEIGHT} if self.density else {}
        return {
            "n_components": self.n_components,
            "n_neighbors": k,
            "n_neighbors_chosen": self.n_neighbors is None,
            "min_dist": self.min_dist,
            "epochs": self._epochs(len(graph.indices)),
            **kept,
            "metric": self.metric,
            "normalize": self.normalize,
            "seed": self.seed,
            "neighbor_recall": shown_recall(graph.recall),
            "initialization": "pca" if self.initialization is None else "given",
        }


class _Epochs:
    """What umap-learn writes its progress to, as a file."""

    def write(self, text: str) -> None:
        found = re.search(r"(\d+)/(\d+)", text)
        if found and found[1] != "0":
            progress.info("UMAP: epoch %s of %s", *found.groups())

    def flush(self) -> None:
        pass


def _import_umap() -> Any:
    """Return umap-learn, which is an extra."""
    # For a class that is not used here it would load TensorFlow, which takes seconds.
    hidden = "tensorflow" not in sys.modules
    try:
        with calm_threads(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if hidden:
                sys.modules["tensorflow"] = None  # type: ignore[assignment]
            return import_compiled(_load_umap, "umap", "pynndescent")
    except ImportError as error:
        if (error.name or "").split(".")[0] not in ("umap", "numba", "pynndescent"):
            raise
        raise ParameterError(
            "UMAP", "umap-learn is not installed", "pip install 'embviz[umap]'"
        ) from None
    finally:
        if hidden:
            sys.modules.pop("tensorflow", None)


def _load_umap() -> Any:
    import umap

    _release_interpreter(umap)
    return umap


def _release_interpreter(umap: Any) -> None:
    """Have umap-learn's long steps let other threads run, which hear of signals and show progress.

    They take seconds on many points. What they compute stays the same.
    """
    for module, name in (
        ("umap_", "smooth_knn_dist"),
        ("umap_", "compute_membership_strengths"),
        ("layouts", "_nb_optimize_layout_euclidean_single_epoch"),
    ):
        compiled = getattr(getattr(umap, module, None), name, None)
        options = getattr(compiled, "targetoptions", None)
        if isinstance(options, dict):  # Read when it is compiled, at its first call.
            options["nogil"] = True


def _scaled(start: NDArray[np.floating[Any]], seed: int) -> NDArray[np.float32]:
    """Return a start of extent 10 with a little seeded jitter, so that no two points coincide."""
    peak = float(np.abs(start).max())
    scaled = start * (SPREAD / peak) if peak > 0 else start
    jitter = np.random.default_rng(seed).normal(0, SPREAD * 1e-4, start.shape)
    return (scaled + jitter).astype(np.float32)


def _as_wide_as_high(start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn a start so that its extent is the same along the first axes, two by two.

    umap-learn stretches every axis to one extent, which changes the shape of a map else. In two
    dimensions such a turn exists, since a quarter turn exchanges the extents; in three the shape
    is kept nearly.
    """
    turned = start
    for _ in range(3 if start.shape[1] > 2 else 1):
        for i in range(start.shape[1]):
            for j in range(i + 1, start.shape[1]):
                turned = _turn_even(turned, i, j)
    return turned


def _turn_even(points: NDArray[np.float64], i: int, j: int) -> NDArray[np.float64]:
    """Turn points in the plane of two axes until their extents along these are the same."""
    plane = points[:, [i, j]]

    def turn(angle: float) -> NDArray[np.float64]:
        cos, sin = math.cos(angle), math.sin(angle)
        return np.asarray(plane @ np.array([[cos, sin], [-sin, cos]]))

    def excess(angle: float) -> float:
        first, second = np.ptp(turn(angle), axis=0)
        return float(first - second)

    low, high = 0.0, math.pi / 2
    sign = 1 if excess(low) > 0 else -1
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if sign * excess(middle) > 0 else (low, middle)
    out = points.copy()
    out[:, [i, j]] = turn((low + high) / 2)
    return out
