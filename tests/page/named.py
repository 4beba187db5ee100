"""Reports whose maps are named, at two levels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from embviz import PCA, EmbeddingTable, Projection, write_report
from embviz.clusters.values import Partition
from embviz.pictures.selection import Part

COARSE, FINE = "region", "place"
HOSTILE = "<img src=x onerror=alert(1)>"


def partition(column: str, values: tuple[str, ...], **fields: Any) -> Partition:
    """Return the classes of a column, of which 83 % of the neighbors lie in them."""
    names, sizes = np.unique([value for value in values if value], return_counts=True)
    ordered = names[np.argsort(-sizes, kind="stable")].tolist()
    codes = np.array([ordered.index(value) if value else -1 for value in values], np.int32)
    inside = (0.83,) * len(ordered)
    return Partition(column, "classes", codes, tuple(ordered), True, inside=inside, **fields)


def regions() -> tuple[EmbeddingTable, Projection]:
    """Four regions of 500 points in the corners of a square, each of five places around it."""
    rng = np.random.default_rng(3)
    n = 2000
    region, place = np.arange(n) % 4, np.arange(n) // 4 % 5
    corners = np.array([[-10, 10], [10, 10], [-10, -10], [10, -10]])
    around = 3 * np.stack(
        [np.cos(2 * np.pi * np.arange(5) / 5), np.sin(2 * np.pi * np.arange(5) / 5)], 1
    )
    xy = corners[region] + around[place] + rng.normal(size=(n, 2)) * 0.4
    names = ("north west", "north east", HOSTILE, "south east")
    metadata = {
        "word": tuple(f"w{i}" for i in range(n)),
        COARSE: tuple(names[r] for r in region),
        FINE: tuple("" if p == 4 else f"place {r}.{p}" for r, p in zip(region, place, strict=True)),
    }
    deep = np.concatenate([xy, rng.normal(size=(n, 4))], 1).astype(np.float32)
    return EmbeddingTable(deep, metadata, "emb"), Projection("placed", xy.astype(np.float32))


def write_regions(path: Path) -> EmbeddingTable:
    """Write a report of them, named by region and by place."""
    table, placed = regions()
    deep = Projection("deep", np.asarray(table.vectors)[:, :3].astype(np.float32))
    parts = tuple(partition(each, table.metadata[each]) for each in (COARSE, FINE))
    part = Part(table, table, partitions=parts)
    projections = [PCA().project(table), placed, deep]
    write_report(path, part, projections, first="placed", label_by="word", color_by=COARSE)
    return table
