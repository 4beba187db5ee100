"""Pages of a sample over the density of all points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz import PCA, EmbeddingTable, Projection, write_report
from embviz.pictures.selection import Part
from embviz.shards.values import Density, Sample

N, N_ALL = 240, 50_000
LOW, HIGH = np.array([-8.0, -6.0]), np.array([8.0, 6.0])
SHAPE = (12, 16)


def counts(shape: tuple[int, int] = SHAPE) -> NDArray[np.uint32]:
    """Counts that differ from cell to cell over orders of magnitude, 0 in the upper left third."""
    v, u = np.mgrid[: shape[0], : shape[1]]
    found = np.floor(10 ** (3 * ((7 * u + 5 * v) % 31) / 30)).astype(np.uint32)
    found[(v >= 2 * shape[0] // 3) & (u < shape[1] // 3)] = 0
    if shape == SHAPE:
        found[-1, -1] += N_ALL - found.sum()  # All lie in cells.
    return found


def density(of: str = "tsne", shape: tuple[int, int] = SHAPE) -> Density:
    found = counts(shape)
    return Density(of, LOW, HIGH, found, max(N_ALL, int(found.sum())))


def points(n: int = N) -> EmbeddingTable:
    """Points that leave most of the map empty: they lie on its lower edge and in a corner."""
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(n, 6)).astype(np.float32)
    vectors[:, 0] = np.linspace(-7.9, 7.9, n)
    vectors[:, 1] = -5.9
    vectors[0, :2] = 7.9, 5.9
    return EmbeddingTable(
        vectors,
        {
            "word": tuple(f"w{i}" for i in range(n)),
            "kind": tuple("rare" if i % 4 == 0 else "usual" for i in range(n)),
        },
        "emb",
        rows=np.arange(n) * 200,
    )


def part(table: EmbeddingTable, *densities: Density, weighted: bool = True) -> Part:
    rare = np.array([kind == "rare" for kind in table.metadata["kind"]])
    weights = np.where(rare, 2.0, 150.0) if weighted else np.full(table.n_points, N_ALL / N)
    rows = np.asarray(table.rows)
    sampled = Sample(rows, weights, N_ALL)
    return Part(table, table, sampled=sampled, densities=densities)


def pictures(table: EmbeddingTable) -> list[Projection]:
    vectors = np.asarray(table.vectors)
    return [
        PCA().project(table),
        Projection("tsne", vectors[:, :2].copy(), title="t-SNE"),
        Projection("tsne", vectors[:, :3].copy(), title="t-SNE"),
    ]


def write_sample(path: Path, *densities: Density, weighted: bool = True, **fields: Any) -> Path:
    table = points()
    given = {"first": "tsne", "color_by": "kind", "clusters": "none", **fields}
    write_report(path, part(table, *densities, weighted=weighted), pictures(table), **given)
    return path
