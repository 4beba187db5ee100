"""Comparisons to show: what is compared, where the points lie, and an oracle of NumPy alone."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.comparison.compare import compare
from embviz.comparison.values import Comparison, Group, Step, Steps
from embviz.model import EmbeddingTable, Frames, Projection
from embviz.pictures.digits import load_digits_table

GROUPS = (
    Group("w4", np.arange(4, 120, 6), 0.5, (10, 16), (22,)),
    Group("w5", np.arange(5, 120, 6), 0.25, (11,)),
)


def ranked(vectors: Any) -> NDArray[np.int64]:
    """All other points of each, nearest first by the cosine."""
    unit = np.asarray(vectors, np.float64)
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    distances = 1 - unit @ unit.T
    np.fill_diagonal(distances, -1)
    return np.argsort(distances, axis=1, kind="stable")[:, 1:]


def steps_of(comparison: Comparison) -> Steps:
    """Both sides as the states of a report."""
    sides = zip(comparison.names, (comparison.a, comparison.b), strict=True)
    steps = tuple(Step(name, table) for name, table in sides)
    return Steps(steps, comparison.b, "comparison", comparison=comparison)


def placed(comparison: Comparison, n_components: int = 2) -> Projection:
    """Both sides placed by their own leading components, the second turned onto the first."""
    ends = []
    for table in (comparison.a, comparison.b):
        centered = np.asarray(table.vectors, np.float64) - np.mean(table.vectors, axis=0)
        directions = np.linalg.svd(centered, full_matrices=False)[2][:n_components]
        ends.append(centered @ directions.T)
    u, _, v = np.linalg.svd(ends[1].T @ ends[0])
    frames = np.stack([ends[0], ends[1] @ u @ v]).astype(np.float32)
    recorded = Frames(comparison.names, frames)
    return Projection("tsne", frames[1], frames=recorded, title="t-SNE")


def two_halves(n: int = 120, n_dims: int = 8) -> tuple[EmbeddingTable, EmbeddingTable]:
    """Points of six clusters; in the second table those of the last two are shuffled."""
    rng = np.random.default_rng(11)
    group = np.arange(n) % 6
    vectors = rng.normal(size=(6, n_dims))[group] * 4 + rng.normal(size=(n, n_dims))
    moved = np.flatnonzero(group >= 4)
    other = vectors + rng.normal(size=vectors.shape) * 0.1
    other[moved] = other[rng.permutation(moved)]
    columns = {
        "word": tuple(f"w{i}" for i in range(n)),
        "group": tuple("abcdef"[g] for g in group),
    }
    return (
        EmbeddingTable(vectors.astype(np.float32), columns, "emb", "model-1.npy"),
        EmbeddingTable(other.astype(np.float32), columns, "emb", "model-2.npy"),
    )


def shuffled_half() -> Comparison:
    """The comparison of those, with groups, and points that only one side has."""
    found = compare(*two_halves())
    return replace(found, groups=GROUPS, only_a=("x0", "x1"), only_b=("y0",))


def trained_digits(n: int = 700) -> tuple[EmbeddingTable, EmbeddingTable]:
    """A small network's hidden layer over handwritten digits, before and after training."""
    from sklearn.neural_network import MLPClassifier

    digits = load_digits_table().take(np.arange(n))
    images = np.asarray(digits.vectors, np.float64) / 16
    names = np.array(digits.metadata["digit"])
    sides = []
    for source, passes in (("before.npy", 1), ("after.npy", 150)):
        network = MLPClassifier((24,), max_iter=passes, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # It is stopped before it has converged.
            network.fit(images, names)
        hidden = np.maximum(images @ network.coefs_[0] + network.intercepts_[0], 0) + 1e-3
        sides.append(replace(digits, vectors=hidden.astype(np.float32), source=source))
    return sides[0], sides[1]
