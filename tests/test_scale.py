"""Vectors of any magnitude: the same picture as at an ordinary one, through every entry point."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from embviz import (
    PCA,
    TSNE,
    UMAP,
    Axes,
    EmbeddingTable,
    ParameterError,
    build_index,
    export_logdir,
    find_neighbors,
    measure_quality,
)
from embviz.neighbors import build_graph
from embviz.neighbors.all_rows import find_all_neighbors, find_most_neighbors
from embviz.projections import Identity
from embviz.report.payload import ReportOptions, build_payload
from embviz.space import divide, open_space, safe_exponent
from tests.report.sent import pack_vectors
from tests.report.test_payload import unpack

# Whole numbers below 32, so that a power of two times them is exact even as a denormal.
CENTERS = np.random.default_rng(1).integers(-24, 25, (4, 6))
NUMBERS = np.random.default_rng(0).integers(-5, 6, (60, 6))
NUMBERS += CENTERS[np.random.default_rng(2).permutation(60) // 15]
LABELS = {"word": tuple(f"w{i:02}" for i in range(60))}
SCALES = [
    ("float64", -1064), ("float64", -1000), ("float64", -700), ("float64", -160),
    ("float64", 160), ("float64", 900), ("float64", 1017),
    ("float32", -149), ("float32", -126), ("float32", -100), ("float32", 70), ("float32", 122),
    ("float16", -24), ("float16", 10), ("int64", 57), ("uint64", 58), ("int32", 25),
]  # fmt: skip


def table_of(dtype: str = "float64", exponent: int = 0, columns: int = 6) -> EmbeddingTable:
    numbers = np.abs(NUMBERS) if dtype.startswith("u") else NUMBERS
    if dtype[0] in "iu":
        vectors = numbers.astype(dtype) << np.array(exponent, dtype)
    else:
        vectors = np.ldexp(numbers.astype(np.float64), exponent).astype(dtype)
    return EmbeddingTable(vectors[:, :columns], LABELS)


def placed(projection: object) -> list[np.ndarray]:
    """Coordinates over their largest: the picture."""
    coordinates = np.asarray(projection.coordinates, np.float64)  # type: ignore[attr-defined]
    assert np.isfinite(coordinates).all()
    return [coordinates / np.abs(coordinates).max()]


def near(found: object, exponent: int) -> list[np.ndarray]:
    """Neighbors, and their distances over the scale."""
    cosine = found.metric == "cosine"  # type: ignore[attr-defined]
    distances = np.asarray(found.distances, np.float64)  # type: ignore[attr-defined]
    return [found.indices, np.ldexp(distances, 0 if cosine else -exponent)]  # type: ignore[attr-defined]


def quality(table: EmbeddingTable, metric: str) -> list[np.ndarray]:
    placed = PCA().project(table)
    found = measure_quality(table, placed, build_graph(table, 12, metric))  # type: ignore[arg-type]
    return [np.array([[q.neighbors_kept, q.trustworthiness, q.rank_correlation] for q in found])]


def packed(table: EmbeddingTable, precision: str, exponent: int) -> list[np.ndarray]:
    found = pack_vectors(table, precision, 1_000_000)
    assert found.entry is not None
    back = unpack(found.blocks[0]).astype(np.float64)
    if len(found.blocks) > 1:
        back *= unpack(found.blocks[1]).astype(np.float64)[:, None]
    back = back * np.ldexp(found.entry["scale"], -exponent)
    exact = table.vectors.astype(np.float64) * 2.0**-exponent if exponent > -1000 else NUMBERS
    if found.entry["exact"]:
        np.testing.assert_array_equal(back, exact)
    wrong = np.linalg.norm(back - exact, axis=1) / np.linalg.norm(exact, axis=1)
    assert wrong.max() == pytest.approx(found.entry["error"], rel=0.06, abs=1e-15)
    return [np.round(back, 0)]


def indexed(table: EmbeddingTable, metric: str, exponent: int, folder: Path) -> list[np.ndarray]:
    index = build_index(table, folder / f"i{exponent}", metric=metric)  # type: ignore[arg-type]
    found = index.find_neighbors([3, 40], 7)
    return near(found, exponent)


Entry = Callable[[EmbeddingTable, int, Path], list[np.ndarray]]
ENTRIES: dict[str, Entry] = {
    "PCA": lambda t, e, _: placed(PCA().project(t)),
    "PCA sphere": lambda t, e, _: placed(PCA(normalize="sphere").project(t)),
    "t-SNE": lambda t, e, _: placed(TSNE(metric="euclidean", iterations=5).project(t)),
    "axes": lambda t, e, _: placed(Axes((("=w03", "=w40"),), 3).project(t)),
    "as given": lambda t, e, _: placed(Identity().project(EmbeddingTable(t.vectors[:, :3]))),
    "neighbors": lambda t, e, _: near(find_neighbors(t, [3, 40], 7, "euclidean"), e),
    "neighbors cosine": lambda t, e, _: near(find_neighbors(t, [3, 40], 7), e),
    "all neighbors": lambda t, e, _: near(find_all_neighbors(t, 7, "euclidean"), e),
    "all neighbors cosine": lambda t, e, _: near(find_all_neighbors(t, 7), e),
    "most neighbors": lambda t, e, _: near(find_most_neighbors(t, 7, "euclidean"), e),
    "graph": lambda t, e, _: near(build_graph(t, 7, "euclidean"), e),
    "graph cosine": lambda t, e, _: near(build_graph(t, 7, "cosine"), e),
    "graph center": lambda t, e, _: near(build_graph(t, 7, "euclidean", "center"), e),
    "graph sphere": lambda t, e, _: near(build_graph(t, 7, "euclidean", "sphere"), 0),
    "quality": lambda t, e, _: quality(t, "euclidean"),
    "quality cosine": lambda t, e, _: quality(t, "cosine"),
    "index": lambda t, e, folder: indexed(t, "euclidean", e, folder),
    "index cosine": lambda t, e, folder: indexed(t, "cosine", e, folder),
    "page": lambda t, e, _: packed(t, "auto", e),
    "page float32": lambda t, e, _: packed(t, "float32", e),
    "page float16": lambda t, e, _: packed(t, "float16", e),
    "page int8": lambda t, e, _: packed(t, "int8", e),
}


@pytest.mark.parametrize(("dtype", "exponent"), SCALES, ids=str)
@pytest.mark.parametrize("entry", ENTRIES)
def test_vectors_of_any_magnitude_give_the_same_picture(
    entry: str, dtype: str, exponent: int, tmp_path: Path
) -> None:
    make = ENTRIES[entry]
    unsigned = "uint8" if dtype.startswith("u") else "float64"
    plain = make(table_of(unsigned), 0, tmp_path)
    found = make(table_of(dtype, exponent), exponent, tmp_path)
    # At 1e-320 a distance that is shown in the vectors' own unit has three digits left.
    digits = 2e-3 if exponent == -1064 and len(found) == 2 else 1e-5
    for a, b in zip(found, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=digits, atol=digits)


def tsne(table: EmbeddingTable) -> list[np.ndarray]:
    graph = build_graph(table, 59, "euclidean")
    found = TSNE(metric="euclidean", neighbors=graph).project(table)
    return [found.coordinates, np.array(found.stats["kl_divergence"])]


def umap(table: EmbeddingTable) -> list[np.ndarray]:
    if find_spec("umap") is None:  # Imported, it would load TensorFlow too.
        pytest.skip("umap-learn is not installed")
    return [UMAP(metric="euclidean", n_neighbors=8).project(table).coordinates]


# 1e-322 is twenty steps of float64, so that its vectors round each distance in their own unit.
@pytest.mark.parametrize("size", [1e-322, 1e-320, 1e-300, 1e-3, 1e19, 1e300])
@pytest.mark.parametrize("method", [tsne, umap, lambda t: quality(t, "euclidean")])
def test_a_power_of_two_changes_no_bit_of_a_picture(
    method: Callable[[EmbeddingTable], list[np.ndarray]], size: float
) -> None:
    noise = np.random.default_rng(3).normal(size=NUMBERS.shape)
    vectors = (NUMBERS / 8 + noise) * size
    plain = np.ldexp(vectors, -int(np.floor(np.log2(size))))
    for a, b in zip(method(EmbeddingTable(vectors)), method(EmbeddingTable(plain)), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("size", [2.0**-1040, 2.0**900])
def test_an_export_that_float32_cannot_hold_is_refused(size: float, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="range of float32"):
        export_logdir(tmp_path / "logdir", [EmbeddingTable(NUMBERS * size, name="t")])
    assert not (tmp_path / "logdir").exists()


def mixed(dtype: str, exponent: int) -> np.ndarray:
    """Half of the rows at one magnitude, half at another."""
    factors = np.where(np.arange(60) % 2 == 0, 0, exponent)
    return np.ldexp(NUMBERS.astype(np.float64), factors[:, None]).astype(dtype)


MIXED = [("float64", 900), ("float64", -1000), ("float32", 100), ("float32", -140)]


@pytest.mark.parametrize(("dtype", "exponent"), MIXED)
def test_directions_do_not_depend_on_the_lengths_of_their_rows(dtype: str, exponent: int) -> None:
    table, plain = EmbeddingTable(mixed(dtype, exponent)), table_of()
    for search in (build_graph, find_all_neighbors):
        found, same = search(table, 7, "cosine"), search(plain, 7, "cosine")
        np.testing.assert_array_equal(found.indices, same.indices)
        np.testing.assert_allclose(found.distances, same.distances, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(quality_of(table), quality_of(plain), atol=1e-12)


def quality_of(table: EmbeddingTable) -> list[float]:
    """Of one picture, that of the plain table."""
    graph = build_graph(table, 12, "cosine")
    found = measure_quality(table, PCA().project(table_of()), graph)
    return [value for q in found for value in (q.neighbors_kept, q.trustworthiness)]


@pytest.mark.parametrize(("dtype", "exponent"), MIXED)
def test_small_rows_beside_large_ones_keep_their_own_neighbors(dtype: str, exponent: int) -> None:
    table = EmbeddingTable(mixed(dtype, exponent))
    small = np.arange(0 if exponent > 0 else 1, 60, 2)
    alone = EmbeddingTable(table.vectors[small])
    want = find_neighbors(alone, np.arange(30), 6, "euclidean")
    graph = build_graph(table, 6, "euclidean")
    assert graph.recall == 1
    every = np.arange(60)
    for found in (graph, find_all_neighbors(table, 6, "euclidean")):
        np.testing.assert_allclose(found.distances[small], want.distances, rtol=1e-6)
    found = find_neighbors(table, every, 6, "euclidean")
    np.testing.assert_array_equal(found.indices[small], small[want.indices])
    trust = measure_quality(table, PCA().project(table), graph)[0].trustworthiness
    assert trust < 0.95  # All small rows are at one place of the picture.


@pytest.mark.parametrize(("dtype", "exponent"), MIXED)
@pytest.mark.parametrize("precision", ["auto", "float32", "float16", "int8"])
def test_vectors_travel_with_the_error_that_mixed_lengths_leave(
    precision: str, dtype: str, exponent: int
) -> None:
    vectors = mixed(dtype, exponent)
    packed = pack_vectors(EmbeddingTable(vectors), precision, 1_000_000)
    if packed.entry is None:
        assert precision == "auto"
        said = build_payload(EmbeddingTable(vectors), [], ReportOptions()).manifest["size"]
        assert "the lengths of their rows fit no number format together" in said["left_out"][0]
        return
    back = unpack(packed.blocks[0]).astype(np.longdouble)
    if len(packed.blocks) > 1:
        back *= unpack(packed.blocks[1])[:, None]
    back = back * np.longdouble(packed.entry["scale"])
    lengths = np.linalg.norm(vectors.astype(np.longdouble), axis=1)
    error = float((np.sqrt(((back - vectors) ** 2).sum(axis=1)) / lengths).max())
    assert error == pytest.approx(packed.entry["error"], rel=0.06, abs=1e-12)
    assert packed.entry["exact"] == (error == 0)
    if precision == "auto":
        assert error < 0.5


@pytest.mark.parametrize("peak", [5e-324, 1e-320, 1e-45, 3e-39, 1, 1e19, 1e300, 1.79e308])
def test_the_safe_unit_brings_every_peak_near_1(peak: float) -> None:
    for kind in (np.float64, np.float32):
        limits = np.finfo(kind)
        if not float(limits.smallest_subnormal) <= peak <= float(limits.max):
            continue
        value = np.array([peak], kind)
        exponent = safe_exponent(float(value[0]))
        near_one = divide(value, exponent)
        assert near_one.dtype == kind
        assert 2.0**-40 <= near_one[0] <= 2.0**40
        assert np.ldexp(near_one, exponent)[0] == value[0]


def test_the_mean_of_values_far_from_zero_is_that_of_float64() -> None:
    vectors = (1e6 + np.random.default_rng(0).normal(size=(5000, 3))).astype(np.float32)
    rows = np.concatenate([b for _, b in open_space(EmbeddingTable(vectors), "center").blocks()])
    exact = vectors.astype(np.float64)
    np.testing.assert_allclose(rows, exact - exact.mean(axis=0), atol=1e-6)
