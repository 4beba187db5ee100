"""Write the JSON files beside this one, by which the page's numerics are tested in Node.js.

    python -m tests.data.make_fixtures [NAME ...]

Each file holds inputs and what NumPy, exact fractions, openTSNE, Plotly or TensorBoard's own
numbers make of them; nothing here calls embviz. tests/test_fixtures.py makes them again and
compares.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).parent
Floats = NDArray[np.float64]


def _round(values: Any, digits: int = 12) -> Any:
    """Return numbers as JSON writes them, with so many significant digits."""
    if isinstance(values, np.ndarray):
        values = values.tolist()
    if isinstance(values, dict):
        return {key: _round(value, digits) for key, value in values.items()}
    if isinstance(values, (list, tuple)):
        return [_round(value, digits) for value in values]
    return float(f"{values:.{digits}g}") + 0.0 if isinstance(values, float) else values


def make_components() -> dict[str, Any]:
    """Principal components by NumPy's eigh, of eigenvalues that are close, and of few ranks."""
    rng = np.random.default_rng(4)
    basis, _ = np.linalg.qr(rng.normal(size=(40, 12)))
    basis -= basis.mean(axis=0)
    basis, _ = np.linalg.qr(basis)
    turn, _ = np.linalg.qr(rng.normal(size=(12, 12)))
    close = basis * np.sqrt(1 - 2e-3 * np.arange(12)) @ turn.T
    thin = np.outer(rng.integers(-9, 10, 30), rng.integers(1, 8, 12)) / 7
    wide = rng.normal(size=(8, 20)) * 0.9 ** np.arange(20)
    cases = []
    for name, rows in (("close", close), ("thin", thin), ("wide", wide)):
        exact = rows.astype(np.float32).astype(np.float64)
        centered = exact - exact.mean(axis=0)
        values, vectors = np.linalg.eigh(centered.T @ centered / (len(rows) - 1))
        values, vectors = values[::-1], vectors[:, ::-1].T
        rank = int((values > 1e-12 * values[0]).sum())
        lengths = np.linalg.norm(centered, axis=1, keepdims=True)
        cases.append(
            {
                "name": name,
                "rows": exact.tolist(),
                "rank": rank,
                "variances": _round(values[: min(rank, 5)]),
                "directions": _round(vectors[: min(rank, 5)]),
                "spherized": _round(centered / np.where(lengths > 0, lengths, 1)),
            }
        )
    return {"cases": cases}


def make_neighbors() -> dict[str, Any]:
    """Nearest points by exact fractions; many distances are equal, within k and at the cut."""
    rows = np.random.default_rng(6).integers(-2, 3, size=(40, 3)).tolist()
    rows[7] = [0, 0, 0]
    k = 7
    answers = []
    for i, row in enumerate(rows):
        squared = [sum((a - b) ** 2 for a, b in zip(row, other, strict=True)) for other in rows]
        answers.append({"row": i, "metric": "euclidean"} | _nearest(squared, i, k, math.sqrt))
        if any(row):
            cosines = [_cosine_rank(row, other) for other in rows]
            answers.append(
                {"row": i, "metric": "cosine"} | _nearest(cosines, i, k, _cosine_distance)
            )
    return {"rows": rows, "k": k, "answers": answers}


def _nearest(
    keys: list[Any], own: int, k: int, distance: Callable[[Any], float]
) -> dict[str, list[Any]]:
    others = sorted((j for j in range(len(keys)) if j != own), key=lambda j: (keys[j], j))[:k]
    return {"indices": others, "distances": [_round(float(distance(keys[j]))) for j in others]}


def _cosine_rank(a: list[int], b: list[int]) -> Fraction:
    """Return minus the signed square of the cosine, which grows with the distance; 0 of zero."""
    product = sum(x * y for x, y in zip(a, b, strict=True))
    squares = sum(x * x for x in a) * sum(y * y for y in b)
    return Fraction(-product * abs(product), squares) if squares else Fraction(0)


def _cosine_distance(rank: Fraction) -> float:
    return 1 - math.copysign(math.sqrt(abs(rank)), -rank)


def make_tsne(largest: int = 1000) -> dict[str, Any]:
    """Affinities by bisection, and the divergence of openTSNE's defaults on them.

    More than 100 digits are not written down: tests/test_tsne_in_page.py has them.
    """
    from sklearn.datasets import load_digits

    digits = load_digits().data.astype(np.float64)
    rng = np.random.default_rng(0)
    middles = rng.normal(size=(5, 10)) * 6
    clusters = np.round(middles[rng.integers(0, 5, 100)] + rng.normal(size=(100, 10)), 2)
    cases = []
    for name, rows, counts in (
        ("digits", digits, (4, 5, 6, 8, 12, 16, 25, 50, 100, 400, 1000)),
        ("clusters", clusters, (4, 5, 6, 8, 12, 25, 50, 100)),
    ):
        for n in (count for count in counts if count <= largest):
            perplexity = min(30.0, (n - 1) / 3)
            affinities = exact_affinities(rows[:n], perplexity)
            case = {"data": name, "n": n, "perplexity": perplexity}
            case["kl"] = round(reference_divergence(rows[:n], affinities), 4)
            if n <= 12:
                case["affinities"] = _round(affinities, 8)
            cases.append(case)
    data = {"digits": digits[:100].astype(int).tolist(), "clusters": clusters.tolist()}
    return {"data": data, "cases": cases}


def exact_affinities(rows: Floats, perplexity: float) -> Floats:
    """Return t-SNE's symmetric affinities of the 3 * perplexity nearest, dense, by bisection."""
    n = len(rows)
    squared = np.square(rows[:, None] - rows[None]).sum(axis=2)
    k = min(n - 1, math.ceil(3 * perplexity))
    out = np.zeros((n, n))
    for i in range(n):
        order = sorted((j for j in range(n) if j != i), key=lambda j: (squared[i, j], j))[:k]
        beyond = squared[i, order] - squared[i, order[0]]
        low, high = 0.0, 1e6 / max(float(beyond.mean()), 1e-300)
        for _ in range(300):
            beta = (low + high) / 2
            weights = np.exp(-beta * beyond)
            weights /= weights.sum()
            entropy = -float((weights * np.log(np.maximum(weights, 1e-300))).sum())
            low, high = (beta, high) if entropy > math.log(perplexity) else (low, beta)
        out[i, order] = weights
    return (out + out.T) / (2 * n)


def reference_divergence(rows: Floats, affinities: Floats) -> float:
    """Return the mean divergence of four runs of openTSNE's defaults, in nats."""
    from openTSNE import TSNEEmbedding, affinity, initialization
    from scipy.sparse import csr_matrix

    held = affinity.PerplexityBasedNN.__new__(affinity.PerplexityBasedNN)
    held.P = csr_matrix(affinities)
    held.verbose = False
    found = []
    for seed in range(4):
        start = initialization.pca(rows, random_state=seed)
        descent = TSNEEmbedding(start, held, negative_gradient_method="bh", theta=0.5, n_jobs=1)
        descent = descent.optimize(250, exaggeration=12, momentum=0.8)
        descent = descent.optimize(500, momentum=0.8)
        found.append(divergence(affinities, np.asarray(descent, dtype=np.float64)))
    return float(np.mean(found))


def divergence(affinities: Floats, points: Floats) -> float:
    """Return the Kullback-Leibler divergence of a map from dense affinities, in nats."""
    q = 1 / (1 + np.square(points[:, None] - points[None]).sum(axis=2))
    np.fill_diagonal(q, 0)
    there = affinities > 0
    return float((affinities[there] * np.log(affinities[there] / (q / q.sum())[there])).sum())


def make_colors() -> dict[str, Any]:
    """Gradients of Plotly's Cividis, linear and by orders of magnitude."""
    from plotly.colors import sequential

    stops = [[int(text[at : at + 2], 16) for at in (1, 3, 5)] for text in sequential.Cividis]
    numbers = [0.5, 0.8, 1.0, 2.0, 3.5, 7.0, 20.0, 55.0, 120.0, 300.0, 700.0, 1500.0, 4000.0]
    low, high = min(numbers), max(numbers)
    parts = {
        "linear": [(x - low) / (high - low) for x in numbers],
        "log": [math.log(x / low) / math.log(high / low) for x in numbers],
    }
    # The end of the gradient that lies near the ground is left out.
    shown = {"light": (0.0, 0.92), "dark": (0.22, 1.0)}
    cases = [
        {
            "scale": scale,
            "ground": ground,
            "colors": [_mixed(stops, a + (b - a) * t) for t in found],
        }
        for scale, found in parts.items()
        for ground, (a, b) in shown.items()
    ]
    return {"numbers": numbers, "cases": cases}


def _mixed(stops: list[list[int]], t: float) -> list[int]:
    at = t * (len(stops) - 1)
    low = min(len(stops) - 2, math.floor(at))
    pairs = zip(stops[low], stops[low + 1], strict=True)
    return [round(a + (b - a) * (at - low)) for a, b in pairs]


# TensorBoard's projector (vz_projector/scatterPlot.ts): its lens, the half of what 2D shows at zoom
# 1, and the cube of half side 1 in which every axis's extent lies.
TENSORBOARD_FOV = math.radians(70)
TENSORBOARD_HALF_EXTENT = 1.2


def make_cameras() -> dict[str, Any]:
    """Where TensorBoard's cameras see points of its cube, as Three.js projects them."""
    rng = np.random.default_rng(9)
    cases = []
    for _ in range(6):
        target = rng.uniform(-0.4, 0.4, 3)
        away = rng.normal(size=3)
        away *= rng.uniform(1, 5) / np.linalg.norm(away)
        right, up = _screen_axes(away)
        seen = [np.zeros(2), *rng.uniform(-0.5, 0.5, (4, 2))]
        # Points of the plane through the target, where both lenses agree on sizes.
        height = np.linalg.norm(away) * math.tan(TENSORBOARD_FOV / 2)
        points = [target + u * right + v * up for u, v in seen]
        cases.append(
            {
                "camera": {
                    "orthographic": False,
                    "position": _round(target + away),
                    "target": _round(target),
                    "zoom": 1,
                },
                "points": _round(points),
                "screen": _round([point / height for point in seen]),
            }
        )
    flat = []
    for zoom in (0.5, 1.0, 3.0):
        x, y = (float(f"{t:.6g}") for t in rng.uniform(-0.5, 0.5, 2))
        points = rng.uniform(-1, 1, (4, 2))
        camera = {"orthographic": True, "position": [x, y, 4], "target": [x, y, 0], "zoom": zoom}
        screen = (points - [x, y]) * zoom / TENSORBOARD_HALF_EXTENT
        flat.append({"camera": camera, "points": _round(points), "screen": _round(screen)})
    return {"deep": cases, "flat": flat}


def _screen_axes(away: Floats) -> tuple[Floats, Floats]:
    """Return the unit vectors to the right and up of a camera that looks along minus `away`."""
    back = away / np.linalg.norm(away)
    right = np.cross([0, 1, 0], back)
    right /= np.linalg.norm(right)
    return right, np.cross(back, right)


FIXTURES: dict[str, Callable[[], dict[str, Any]]] = {
    "cameras": make_cameras,
    "colors": make_colors,
    "components": make_components,
    "neighbors": make_neighbors,
    "tsne": make_tsne,
}


def write(name: str) -> Path:
    """Make one fixture and return where it lies."""
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(FIXTURES[name]()) + "\n", encoding="utf-8", newline="\n")
    return path


if __name__ == "__main__":
    for chosen in sys.argv[1:] or FIXTURES:
        print(write(chosen))
