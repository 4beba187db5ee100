"""What openTSNE's defaults make of few points: draws of data, and how a map of them is judged.

    python -m tests.projections.tsne_rival

writes tests/data/tsne_rival.json: for each size and kind the divergence and the trustworthiness of
openTSNE's map of each draw. Nothing here calls embviz.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import xlogy
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness

FILE = Path(__file__).parent.parent / "data/tsne_rival.json"
DIGITS = load_digits().data.astype(np.float32)


def digits(n, seed):
    return DIGITS[np.sort(np.random.default_rng(seed).choice(len(DIGITS), n, replace=False))]


def clusters(n, seed):
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(10, 50))
    return (centers[rng.integers(10, size=n)] + rng.normal(size=(n, 50))).astype(np.float32)


def words(n, seed):
    """Word vectors as they are: clusters of very unlike sizes, heavy tails, lengths that vary."""
    rng = np.random.default_rng(seed)
    centers = rng.standard_t(3, (60, 50))
    share = 1 / np.arange(1, 61)
    cluster = rng.choice(60, n, p=share / share.sum())
    rows = 0.7 * centers[cluster] + rng.standard_t(4, (n, 50))
    return (rows * rng.lognormal(0, 0.3, (n, 1))).astype(np.float32)


def joint_probabilities(vectors, perplexity):
    """Return the affinities of 3 neighbors a unit of perplexity, by bisection in float64."""
    n = len(vectors)
    k = min(n - 1, math.ceil(3 * perplexity - 1e-9))
    rows = vectors.astype(np.float64)
    squares = cdist(rows, rows, "sqeuclidean")
    np.fill_diagonal(squares, np.inf)
    near = np.argsort(squares, axis=1, kind="stable")[:, :k]
    squares = np.take_along_axis(squares, near, axis=1)
    squares -= squares[:, :1]
    scale = squares.mean() or 1.0
    low, high = np.full((n, 1), -50.0), np.full((n, 1), 50.0)  # Of the logarithm of precision.
    for _ in range(100):
        middle = (low + high) / 2
        p = np.exp(-squares * (np.exp(middle) / scale))
        p /= p.sum(axis=1, keepdims=True)
        wide = -(xlogy(p, p)).sum(axis=1, keepdims=True) > np.log(perplexity)
        low, high = np.where(wide, middle, low), np.where(wide, high, middle)
    joint = np.zeros((n, n))
    np.put_along_axis(joint, near, p, axis=1)
    return (joint + joint.T) / (2 * n)


def divergence(vectors, coordinates, perplexity=30):
    """Return the KL divergence from the exact affinities of vectors, every pair in float64."""
    p = joint_probabilities(vectors, min(perplexity, (len(vectors) - 1) / 3))
    points = np.asarray(coordinates, np.float64)
    near = 1 / (1 + cdist(points, points, "sqeuclidean"))
    np.fill_diagonal(near, 0)
    used = p > 0
    return float((p[used] * np.log(p[used] / (near[used] / near.sum()))).sum())


def trust(vectors, coordinates):
    """Return the trustworthiness of a map at 10 neighbors, or as many as so few points allow."""
    return trustworthiness(vectors, coordinates, n_neighbors=min(10, (len(vectors) - 1) // 2))


KINDS = {"digits": digits, "clusters": clusters, "words": words}
# With how many draws a size tells 0.005 of trustworthiness from chance (docs/performance.md).
DRAWS = {50: 16, 100: 12, 200: 4, 400: 2}
LARGE = [(1500, "words", 1), (1700, "digits", 1), (3000, "clusters", 1)]
SEVERAL = [(n, kind, draws) for n, draws in DRAWS.items() for kind in KINDS] + LARGE
HANDFUL = [
    (n, kind, draws) for n, draws in {4: 4, 5: 16, 8: 12, 12: 12, 20: 8}.items() for kind in KINDS
]


def judge_rival(n, kind, seed):
    """Return the divergence and the trustworthiness of openTSNE's map of a draw."""
    import openTSNE

    vectors = KINDS[kind](n, seed)
    found = openTSNE.TSNE(random_state=seed).fit(vectors.astype(float))
    return divergence(vectors, found), trust(vectors, found)


if __name__ == "__main__":
    judged = {
        f"{kind} {n}": [[float(f"{x:.6g}") for x in judge_rival(n, kind, seed)]
                        for seed in range(draws)]
        for n, kind, draws in HANDFUL + SEVERAL
    }  # fmt: skip
    lines = ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in judged.items())
    FILE.write_text("{\n" + lines + "\n}\n", encoding="utf-8")
