"""Reports whose maps are named, at two levels."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from embviz import PCA, EmbeddingTable, Projection, write_report

COARSE, FINE = "region", "place"
HOSTILE = "<img src=x onerror=alert(1)>"


def entry(column: str, values: tuple[str, ...], **fields: Any) -> dict[str, Any]:
    """What a manifest says of the classes of a column."""
    names, sizes = np.unique([value for value in values if value], return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    return {
        "column": column,
        "kind": "classes",
        "drawn": True,
        "of": None,
        "dims": None,
        "names": names[order].tolist(),
        "sizes": sizes[order].tolist(),
        "inside": [0.83] * len(names),
        "toward": [[] for _ in names],
        "typical": [[] for _ in names],
        "neighbors": 10,
        "measured": len(values),
        **fields,
    }


def part_report(path: Path, partitions: list[dict[str, Any]]) -> None:
    """Put partitions in the manifest of a report."""
    text = path.read_text(encoding="utf-8")
    found = re.search(r'(<script[^>]*id="manifest"[^>]*>)(.*?)(</script>)', text, re.S)
    assert found is not None
    manifest = {**json.loads(found[2]), "partitions": partitions}
    written = json.dumps(manifest).replace("<", "\\u003c")
    path.write_text(text[: found.start(2)] + written + text[found.end(2) :], encoding="utf-8")


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
    projections = [PCA().project(table), placed, deep]
    write_report(path, table, projections, first="placed", label_by="word", color_by=COARSE)
    part_report(path, [entry(each, table.metadata[each]) for each in (COARSE, FINE)])
    return table
