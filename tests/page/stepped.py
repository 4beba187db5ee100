"""A run of four steps to show: what it is made of, and where its points lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz import EmbeddingTable, Frames, Projection, find_neighbors, write_report
from embviz.comparison.values import Step, Steps

N, N_STEPS, LATE = 120, 4, 20
NAMES = ("100", "200", "300", "400")
GROUP = np.arange(N) % 4
MOTION = {"motion": (None, 0.5, -0.25, None), "motion_3d": (None, 0.125, 0.375, 0)}
Coordinates = NDArray[np.float32]


def make_vectors() -> list[Coordinates]:
    """Four groups, of which the last walks over to the first."""
    rng = np.random.default_rng(0)
    centers = 4 * np.eye(4, 6)
    noise = rng.normal(size=(N, 6)) / 3
    out = []
    for step in range(N_STEPS):
        part = step / (N_STEPS - 1)
        moved = centers.copy()
        moved[3] = (1 - part) * centers[3] + part * centers[0]
        out.append((moved[GROUP] + noise).astype(np.float32))
    return out


def seen_at(step: int) -> tuple[str, ...]:
    """What a column says of the points at a step: how often each has been seen."""
    return tuple(str(i % 5 * (step + 1)) for i in range(N))


def make_steps(vectors: list[Coordinates], **more: Any) -> Steps:
    """The states, of which the first lacks the last points."""
    names = tuple(f"w{i}" for i in range(N))
    steps = []
    for i, (name, x) in enumerate(zip(NAMES, vectors, strict=True)):
        words = {"word": names, "group": tuple("abcd"[g] for g in GROUP), "seen": seen_at(i)}
        table = EmbeddingTable(x, words, "emb", "run")
        present = np.arange(N) < N - LATE if name == NAMES[0] else None
        kept = table if present is None else table.take(np.flatnonzero(present))
        steps.append(Step(name, kept, present, find_neighbors(kept, range(kept.n_points), 10)))
    figures = {"kept_from_previous": (None, 0.5, 0.25, 0.75), "kept_of_last": (0.125, 0.25, 0.5, 1)}
    return Steps(tuple(steps), steps[-1].table, figures=figures, **more)


def make_pictures(vectors: list[Coordinates]) -> tuple[NDArray[np.float32], list[Projection]]:
    """The first three coordinates as PCA, and twice the first two as a map that only turns."""
    frames = np.stack([x[:, :3] for x in vectors])
    pca = Projection(
        "pca", frames[-1], ("one", "two", "three"), title="PCA", frames=Frames(NAMES, frames, MOTION),
        stats={"variance_shares": [0.5, 0.3, 0.1], "motion": {"2": 0.625, "3": 0.25}},
    )  # fmt: skip
    turned = 2 * frames[:, :, :2]
    tsne = Projection(
        "tsne", turned[-1], title="t-SNE", stats={"motion": {"2": 0.0625}},
        frames=Frames(NAMES, turned, {"kl_divergence": (3, 2, 1, 0.5)}),
    )  # fmt: skip
    return frames, [tsne, pca]


def write_run(path: Path, vectors: str) -> Path:
    """Write the report of the run; `vectors` is what of them travels."""
    found = make_vectors()
    steps, (_, pictures) = make_steps(found), make_pictures(found)
    write_report(path, steps.table, pictures, steps=steps, vectors=vectors, title="Run")
    return path
