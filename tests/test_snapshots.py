"""The fixture `embedding_snapshot`: a test that fails where vectors have moved from a reference."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from embviz import EmbeddingTable, LoadError, ParameterError
from embviz.snapshots import (
    MOST_POINTS,
    as_table,
    encode_reference,
    judge,
    make_reference,
    read_reference,
)

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(60, 8)).astype(np.float32)
LABELS = [f"w{i}" for i in range(60)]


def moved(by: float) -> np.ndarray:
    return POINTS + by * np.random.default_rng(1).normal(size=POINTS.shape)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """The mean share of the 10 nearest in common, by scikit-learn."""
    near = [
        NearestNeighbors(n_neighbors=11, metric="cosine", algorithm="brute")
        .fit(each)
        .kneighbors(each, return_distance=False)
        for each in (a, b)
    ]
    both = zip(*near, strict=True)
    return float(
        np.mean([len((set(x) - {i}) & (set(y) - {i})) / 10 for i, (x, y) in enumerate(both)])
    )


def reference_of(vectors: object, labels: list[str] | None = None) -> object:
    return make_reference(as_table(vectors, labels))


def test_the_same_vectors_have_all_neighbors_in_common() -> None:
    for scale in (1.0, 1e-30, 1e30, 2.5):
        verdict = judge(reference_of(POINTS * scale), as_table(POINTS * scale), min_overlap=1.0)
        assert verdict.faults == ()


def test_the_overlap_is_that_of_the_nearest_neighbors() -> None:
    now = moved(0.6)
    wanted = overlap(POINTS.astype(np.float64), now)
    assert 0.2 < wanted < 0.9
    verdict = judge(reference_of(POINTS), as_table(now), min_overlap=wanted + 0.02)
    assert verdict.comparison is not None
    assert verdict.comparison.figures["overlap10"] == pytest.approx(wanted, abs=0.01)
    assert verdict.faults[0].startswith("overlap10 is 0.5")
    assert judge(reference_of(POINTS), as_table(now), min_overlap=wanted - 0.02).faults == ()


def test_points_are_found_by_their_labels_in_any_order_and_width() -> None:
    order = np.random.default_rng(2).permutation(60)
    turned = np.linalg.qr(RNG.normal(size=(11, 11)))[0][:8]  # Into eleven dimensions.
    now = (POINTS @ turned)[order]
    labels = [LABELS[i] for i in order]
    assert judge(reference_of(POINTS, LABELS), as_table(now, labels), 0.98).faults == ()
    assert judge(reference_of(POINTS), as_table(now), 0.9).faults != ()  # By row they are others.


def test_points_that_are_gone_are_counted_and_named() -> None:
    reference = reference_of(POINTS, LABELS)
    fewer = as_table(POINTS[6:], LABELS[6:])
    (fault,) = judge(reference, fewer).faults
    assert fault == "6 of 60 points are gone: w0, w1, w2, w3, w4, …"
    assert judge(reference, fewer, min_matched=0.9).faults == ()
    assert judge(reference, as_table(POINTS[:9], LABELS[:9]), min_matched=0).faults == (
        "9 points of the reference are left, too few",
    )
    assert judge(reference_of(POINTS), as_table(POINTS[1:])).faults == (
        "59 rows where there were 60",
        "0 points of the reference are left, too few",
    )
    (fault, _) = judge(reference, as_table(POINTS)).faults
    assert fault == "the reference has labels and the points have none"


def test_a_vocabulary_that_grows_keeps_the_points_of_its_reference() -> None:
    vectors = RNG.normal(size=(5000, 4)).astype(np.float32)
    labels = [f"w{i}" for i in range(5000)]
    first = make_reference(as_table(vectors[:4000], labels[:4000]))
    grown = make_reference(as_table(vectors, labels))
    assert len(first.labels) == len(grown.labels) == MOST_POINTS
    assert len(set(first.labels) & set(grown.labels)) > 0.7 * MOST_POINTS


def test_a_reference_is_small_and_comes_back_as_it_was(tmp_path: Path) -> None:
    vectors = RNG.normal(size=(2000, 3000)).astype(np.float32)
    labels = [f"é {i}" for i in range(2000)]
    made = make_reference(as_table(vectors, labels))
    data = encode_reference(made)
    assert data == encode_reference(make_reference(as_table(vectors, labels)))
    assert len(data) < 1_050_000
    (tmp_path / "r.npz").write_bytes(data)
    back = read_reference(tmp_path / "r.npz")
    assert (back.labels, back.n_rows) == (made.labels, 2000)
    np.testing.assert_array_equal(back.vectors, made.vectors)
    scale = back.vectors[0, 0] / np.float64(vectors[back.rows[0], 0])
    np.testing.assert_allclose(back.vectors / scale, vectors[back.rows], rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: reference_of(POINTS[:9]), "9 points, 12 are needed"),
        (lambda: reference_of(POINTS, ["x", *LABELS[:-2], "x"]), "label x: names two points"),
        (lambda: as_table(EmbeddingTable(POINTS), LABELS), "the table has its own"),
        (lambda: judge(reference_of(POINTS), as_table(POINTS), 60), "60 is not a number in 0"),
        (lambda: judge(reference_of(POINTS), as_table(POINTS), metric="l1"), "l1"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_compared_is_refused(make: Callable[[], object], why: str) -> None:
    with pytest.raises(ParameterError, match=why):
        make()


def test_a_vector_with_nan_is_no_reference_and_none_is_compared_with_it() -> None:
    broken = POINTS.copy()
    broken[3, 0] = np.nan
    with pytest.raises(LoadError, match="1 of 60 rows hold NaN"):
        reference_of(broken)
    with pytest.raises(LoadError, match="1 of 60 rows hold NaN"):
        judge(reference_of(POINTS), as_table(broken))


def test_what_is_no_reference_is_told_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "r.npz"
    whole = encode_reference(reference_of(POINTS))
    np.savez(path, vectors=POINTS)
    for data in (b"", b"PK", whole[: len(whole) // 2], path.read_bytes()):
        path.write_bytes(data)
        with pytest.raises(LoadError, match=r"r\.npz: is no reference .*--embviz-update"):
            read_reference(path)


TESTS = """
import numpy as np
import pytest

vectors = np.random.default_rng(0).normal(size=(40, 6))
now = np.load(PATH)

@pytest.mark.parametrize("kind", ["../../a b", "<é>"])
def test_kinds(embedding_snapshot, kind):
    embedding_snapshot.check(vectors, [f"w{i}" for i in range(40)])

class TestModel:
    def test_words(self, embedding_snapshot):
        found = embedding_snapshot.check(now, min_overlap=0.6)
        embedding_snapshot.check(vectors)
        embedding_snapshot.check(vectors, name="third")
"""


def pytest_run(folder: Path, *arguments: str) -> tuple[int, str]:
    own = [
        "-p",
        "no:embviz",
        "-p",
        "embviz.pytest_plugin",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:zarr",
    ]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *own, "--basetemp", str(folder / "tmp"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_a_test_fails_with_the_page_of_its_comparison_until_it_is_renewed(tmp_path: Path) -> None:
    data = tmp_path / "now.npy"
    (tmp_path / "test_it.py").write_text(TESTS.replace("PATH", repr(str(data))), encoding="utf-8")
    vectors = np.random.default_rng(0).normal(size=(40, 6))
    np.save(data, vectors)
    status, said = pytest_run(tmp_path)
    assert (status, "3 failed" in said) == (1, True), said
    assert "there is no reference TestModel.test_words.npz in " in said
    folder = tmp_path / "embedding_snapshots/test_it"
    assert not folder.parent.exists()

    status, said = pytest_run(tmp_path, "--embviz-update")
    assert (status, said.count("embviz wrote ")) == (0, 5), said
    names = sorted(path.name for path in folder.iterdir())
    assert [n for n in names if n.startswith("TestModel")] == [
        "TestModel.test_words-2.npz",
        "TestModel.test_words-third.npz",
        "TestModel.test_words.npz",
    ]
    assert len(names) == 5
    assert pytest_run(tmp_path)[0] == 0

    np.save(data, np.random.default_rng(5).normal(size=(40, 6)))
    before = {path: path.read_bytes() for path in folder.iterdir()}
    status, said = pytest_run(tmp_path, "--embviz-pages", "pages")
    assert (status, "1 failed, 2 passed" in said) == (1, True), said
    assert "overlap10 is 0." in said
    assert "pytest --embviz-update takes these vectors as the new reference" in said
    page = tmp_path / "pages/test_it.TestModel.test_words.html"
    assert f"the comparison: {page}" in said
    assert b'"comparison":{' in page.read_bytes()
    assert {path: path.read_bytes() for path in folder.iterdir()} == before

    assert pytest_run(tmp_path, "--embviz-update")[0] == 0
    assert pytest_run(tmp_path)[0] == 0
    changed = [path.name for path, data in before.items() if path.read_bytes() != data]
    assert changed == ["TestModel.test_words.npz"]


def test_the_plugin_costs_nothing_where_no_test_asks_for_it() -> None:
    code = (
        "import sys, pytest; before = set(sys.modules); import embviz.pytest_plugin;"
        " print(*set(sys.modules) - before)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(ran.stdout.split()) <= {"embviz", "embviz.pytest_plugin"}
