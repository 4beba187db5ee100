"""Rows of many files: a page of a sample, and all rows placed under it, typed as a user would."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.decomposition import PCA

import embviz
from tests.commands.test_project import block_of, manifest_of

N, N_DIMS = 2600, 10


@pytest.fixture
def shards(tmp_path: Path) -> NDArray[np.float32]:
    """2,600 rows around 8 centers in three files of unequal length, and a line of labels a row."""
    rng = np.random.default_rng(0)
    centers = 5 * rng.normal(size=(8, N_DIMS))
    group = rng.integers(0, 8, N)
    vectors = (centers[group] + rng.normal(size=(N, N_DIMS))).astype(np.float32)
    (tmp_path / "shards").mkdir()
    for i, part in enumerate(np.split(vectors, [1000, 1001])):
        np.save(tmp_path / "shards" / f"part-{i + 9}.npy", part)
    lines = "".join(f"row {i}\tg{g}\n" for i, g in enumerate(group))
    (tmp_path / "rows.tsv").write_text("name\tgroup\n" + lines, encoding="utf-8")
    return vectors


PATTERN = "shards/*.npy"
COMMON = ("--sample", "400", "--metric", "euclidean")
TSNE = ("--method", "tsne", "--iterations", "40")


def folder_bytes(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def test_the_page_shows_a_sample_over_the_density_of_all_rows(
    run: Any, shards: NDArray[np.float32], tmp_path: Path
) -> None:
    ran = run("project", PATTERN, *COMMON, *TSNE, "--place-all", "placed", "-o", "o.html")
    assert (ran.status, ran.stdout) == (0, "")
    manifest = manifest_of(tmp_path / "o.html")
    assert (manifest["n_points"], manifest["total_points"]) == (400, N)
    assert manifest["sample"]["n_all"] == N
    assert [p["key"] for p in manifest["projections"]] == ["pca", "tsne"]
    assert [d["of"] for d in manifest["densities"]] == ["pca", "tsne"]
    counts = block_of(tmp_path / "o.html", manifest["densities"][1]["counts"])
    assert int(np.asarray(counts, np.int64).sum()) == N
    assert sorted(folder_bytes(tmp_path / "placed")) == [
        "distances-00000.npy", "embviz-placed.json", "places-00000.npy",
    ]  # fmt: skip
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]
    places = np.load(tmp_path / "placed" / "places-00000.npy")
    assert (places.shape, places.dtype) == ((N, 2), np.dtype("float32"))


def test_principal_components_are_those_of_all_rows(
    run: Any, shards: NDArray[np.float32], tmp_path: Path
) -> None:
    ran = run("project", PATTERN, *COMMON, "--place-all", "placed", "-o", "o.html")
    assert ran.status == 0
    found = manifest_of(tmp_path / "o.html")["projections"][0]
    oracle = PCA(N_DIMS).fit(shards.astype(np.float64))
    np.testing.assert_allclose(
        found["stats"]["variance_shares"], oracle.explained_variance_ratio_, rtol=1e-9
    )
    # Without a map rows are placed on the first two components, each by itself.
    expected = oracle.transform(shards.astype(np.float64))[:, :2]
    places = np.load(tmp_path / "placed" / "places-00000.npy")
    signs = np.sign((places * expected).sum(axis=0))
    np.testing.assert_allclose(places * signs, expected, atol=1e-3)


@pytest.mark.parametrize("scheduler", ["processes:1", "processes:3"])
def test_workers_change_no_byte_of_the_page_and_the_folder(
    run: Any, shards: NDArray[np.float32], tmp_path: Path, scheduler: str
) -> None:
    for i, who in enumerate(((), ("--scheduler", scheduler))):
        ran = run("project", PATTERN, *COMMON, *TSNE, *who, "--place-all", "placed", "-o", "o.html")
        assert ran.status == 0
        (tmp_path / "o.html").rename(tmp_path / f"{i}.html")
        (tmp_path / "placed").rename(tmp_path / f"placed{i}")
    assert (tmp_path / "0.html").read_bytes() == (tmp_path / "1.html").read_bytes()
    assert folder_bytes(tmp_path / "placed0") == folder_bytes(tmp_path / "placed1")


def test_the_folder_of_placed_rows_is_a_source_itself(
    run: Any, shards: NDArray[np.float32], tmp_path: Path
) -> None:
    run("project", PATTERN, *COMMON, *TSNE, "--place-all", "placed", "-o", "o.html")
    ran = run("project", "placed", "--method", "none", "-o", "all.html")
    assert ran.status == 0
    assert manifest_of(tmp_path / "all.html")["n_points"] == N


def test_vectors_of_any_size_have_finite_distances(
    run: Any, shards: NDArray[np.float32], tmp_path: Path
) -> None:
    np.save(tmp_path / "wide.npy", np.ldexp(shards.astype(np.float64), 400))
    options = (*COMMON, "--normalize", "center", "--place-all", "placed", "-o", "o.html")
    assert run("project", "wide.npy", *options).status == 0
    said = json.loads((tmp_path / "placed" / "embviz-placed.json").read_text(encoding="utf-8"))
    found = np.load(tmp_path / "placed" / "distances-00000.npy").astype(np.float64)
    chosen = shards[found == 0].astype(np.float64)  # Those of the sample.
    assert len(chosen) == 400
    expected = [np.linalg.norm(chosen - row, axis=1).min() for row in shards]
    np.testing.assert_allclose(
        np.ldexp(found * said["distance_unit"], -400), expected, rtol=1e-5, atol=1e-6
    )


def test_several_maps_have_files_of_their_own(
    run: Any, shards: NDArray[np.float32], tmp_path: Path
) -> None:
    ran = run(
        "project", PATTERN, *COMMON, *TSNE, "--perplexity", "10,30", "--place-all", "placed",
        "-o", "o.html",
    )  # fmt: skip
    assert ran.status == 0
    assert sorted(p.name for p in (tmp_path / "placed").glob("*.npy")) == [
        "distances-00000.npy", "tsne-2-places-00000.npy", "tsne-places-00000.npy",
    ]  # fmt: skip
    said = json.loads((tmp_path / "placed" / "embviz-placed.json").read_text(encoding="utf-8"))
    assert [p["files"] for p in said["projections"]] == ["tsne-places", "tsne-2-places"]
    assert (said["rows"], sum(s["rows"] for s in said["sources"])) == (N, N)
    assert str(tmp_path) not in json.dumps(said)
    for name in ("tsne-places", "tsne-2-places-00000"):
        ran = run("project", "placed", "--tensor", name, "--method", "none", "-o", "all.html")
        assert ran.status == 0, ran.stderr


def test_metadata_of_all_rows_give_the_sample_its_columns(
    run: Any, shards: NDArray[np.float32], tmp_path: Path
) -> None:
    ran = run(
        "project", PATTERN, *COMMON, "--place-all", "placed", "--metadata", "rows.tsv",
        "--color-by", "group", "--isolate", "row 1", "-o", "o.html", "--save-coordinates", "c.tsv",
        "--json",
    )  # fmt: skip
    assert ran.status == 0
    said = json.loads(ran.stdout)
    assert said["counts"]["chosen"] == 400
    assert said["placed"]["rows"] == N
    head, *lines = (tmp_path / "c.tsv").read_text(encoding="utf-8").splitlines()
    assert head.split("\t")[:2] == ["row", "label"]
    assert len(lines) == 400
    for line in lines:
        row, label, *_ = line.split("\t")
        assert label == f"row {row}"


def test_how_many_neighbors_all_rows_keep_is_a_figure(
    run: Any, shards: NDArray[np.float32], tmp_path: Path
) -> None:
    base = ("project", PATTERN, *COMMON, *TSNE, "--place-all", "placed", "-o", "o.html")
    ran = run(*base, "--json", "--fail-if", "tsne.placed_neighbors_kept < 0.99")
    assert ran.status == 3
    figures = json.loads(ran.stdout)["figures"]
    assert 0.02 < figures["placed_neighbors_kept"] < 0.9
    assert figures["tsne.placed_recall"] == 1
    assert (tmp_path / "placed").is_dir()
    ran = run(*base[:5], "-o", "o.html", "--fail-if", "placed_neighbors_kept < 1")
    assert ran.status == 2


@pytest.mark.parametrize(
    "options",
    [
        ("--select", "g1"), ("--neighbors-of", "3"), ("--axis", "a", "b"), ("--steps", "all"),
        ("--drop-nonfinite",), ("--sprite", "s.png"), ("--images", "dir"), ("--dims", "3"),
        ("--coordinates", "c.npy"), ("--columns", "1-3"), ("--strict",), ("--normalize", "sphere"),
        ("--method", "custom"), ("--method", "tsne:n_components=3"), ("--unlabeled", "drop"),
        ("--method", "tsne:metric=cosine"), ("--metadata-key", "name"), ("--drop-unused",),
        ("--scheduler", "processes:0"), ("--scheduler", "nowhere"), ("-o", "placed/o.html"),
    ],
)  # fmt: skip
def test_what_cannot_work_over_shards_is_refused_by_its_name(
    run: Any, shards: NDArray[np.float32], tmp_path: Path, options: tuple[str, ...]
) -> None:
    ran = run("project", PATTERN, *COMMON, "--place-all", "placed", "-o", "o.html", *options)
    assert ran.status == 2
    assert ran.stderr.count("\n") == 1
    assert options[0] in ran.stderr
    assert not (tmp_path / "placed").exists()


@pytest.mark.parametrize("option", [("--place-all", "placed"), ("--scheduler", "processes:2")])
def test_a_sample_is_needed(
    run: Any, shards: NDArray[np.float32], tmp_path: Path, option: tuple[str, str]
) -> None:
    ran = run("project", PATTERN, *option, "-o", "o.html")
    assert ran.status == 2
    assert "add --sample" in ran.stderr


def test_a_folder_of_something_else_stays_as_it_is(
    run: Any, shards: NDArray[np.float32], tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    (tmp_path / "file").write_text("x")
    for name in ("mine", "file", "shards"):
        ran = run("project", PATTERN, *COMMON, "--place-all", name, "-o", "o.html")
        assert (ran.status, ran.stderr.count("\n")) == (2, 1)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years"
    assert not (tmp_path / "o.html").exists()


def test_a_folder_of_placed_rows_is_replaced_as_a_whole(
    run: Any, shards: NDArray[np.float32], tmp_path: Path
) -> None:
    base = ("project", PATTERN, *COMMON, "--place-all", "placed", "-o", "o.html")
    run(*base)
    (tmp_path / "placed" / "places-00007.npy").write_bytes(b"of a longer run")
    assert run(*base).status == 0
    assert len(list((tmp_path / "placed").iterdir())) == 3
    ran = run(
        "project", "placed/places-*.npy", "--sample", "99", "--place-all", "placed", "-o", "o.html"
    )
    assert ran.status == 2
    assert "would replace" in ran.stderr


def test_a_fault_leaves_nothing_behind(
    run: Any, shards: NDArray[np.float32], tmp_path: Path
) -> None:
    spoiled = shards[1001:].copy()
    spoiled[77, 3] = np.nan
    np.save(tmp_path / "shards" / "part-11.npy", spoiled)
    before = sorted(p.name for p in tmp_path.iterdir())
    ran = run("project", PATTERN, *COMMON, "--place-all", "placed", "-o", "o.html")
    assert ran.status == 1
    assert "part-11.npy, row 77: holds NaN" in ran.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == before


@pytest.mark.parametrize("scheduler", [(), ("--scheduler", "processes:2")])
def test_a_run_that_is_stopped_leaves_nothing_behind(
    shards: NDArray[np.float32], tmp_path: Path, scheduler: tuple[str, ...]
) -> None:
    before = sorted(p.name for p in tmp_path.iterdir())
    options = (*COMMON, *TSNE, *scheduler, "--place-all", "placed", "-o", "o.html")
    with subprocess.Popen(
        [sys.executable, "-m", "embviz", "project", PATTERN, *options],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        until = time.monotonic() + 60
        while time.monotonic() < until and not list(tmp_path.glob(".placed*/.work")):
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    assert process.returncode not in (0, None)
    assert "Traceback" not in said
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_from_python_any_executor_places_rows(
    shards: NDArray[np.float32], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plan = embviz.Plan(methods=["tsne"], metric="euclidean", iterations=40)
    with ThreadPoolExecutor(3) as pool:
        found = embviz.project_shards(PATTERN, 400, plan, place_all="placed", scheduler=pool)
    assert found.part.sampled is not None
    assert found.part.sampled.n_all == N
    assert (tmp_path / "placed" / "places-00000.npy").is_file()
    embviz.write_report("o.html", found.part, found.projections)
    assert manifest_of(tmp_path / "o.html")["sample"]["n_all"] == N
    with pytest.raises(embviz.ParameterError, match="takes no 'samples'"):
        embviz.project_shards(PATTERN, 400, samples=3)  # type: ignore[call-arg]


def test_rows_without_a_label_are_kept_where_that_is_asked_for(
    run: Any, shards: NDArray[np.float32], tmp_path: Path
) -> None:
    (tmp_path / "few.tsv").write_text("".join(f"name {i}\n" for i in range(N // 2)))
    base = ("project", PATTERN, *COMMON, "--place-all", "placed", "-o", "o.html")
    ran = run(*base, "--metadata", "few.tsv")
    assert ran.status == 1
    assert "--unlabeled keep leaves the last" in ran.stderr
    ran = run(*base, "--metadata", "few.tsv", "--unlabeled", "keep", "--save-coordinates", "c.tsv")
    assert ran.status == 0, ran.stderr
    _, *lines = (tmp_path / "c.tsv").read_text(encoding="utf-8").splitlines()
    for line in lines:
        row, label, *_ = line.split("\t")
        assert label == f"{'name' if int(row) < N // 2 else 'row'} {row}"
    assert json.loads((tmp_path / "placed" / "embviz-placed.json").read_text())["rows"] == N


def test_labels_within_the_files_are_those_of_the_sample(
    run: Any, shards: NDArray[np.float32], tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    for i, part in enumerate(np.array_split(np.arange(N), 3)):
        names = np.array([f"name {row}" for row in part])
        np.savez(tmp_path / "in" / f"{i}.npz", vectors=shards[part], labels=names)
    ran = run(
        "project", "in/*.npz", *COMMON, "--place-all", "placed", "-o", "o.html",
        "--save-coordinates", "c.tsv",
    )  # fmt: skip
    assert ran.status == 0, ran.stderr
    _, *lines = (tmp_path / "c.tsv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 400
    for line in lines:
        row, label, *_ = line.split("\t")
        assert label == f"name {row}"


@pytest.mark.parametrize(
    "options",
    [("--color-by", "nothere"), ("--clusters", "nothere"), ("--bookmark", "nothere.json")],
)
def test_what_is_not_there_is_refused_before_rows_are_read(
    run: Any,
    shards: NDArray[np.float32],
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, str],
) -> None:
    def read(*_: Any) -> None:
        pytest.fail("read all rows")

    monkeypatch.setattr("embviz.pictures.sharded.find_components", read)
    ran = run("project", PATTERN, *COMMON, "--place-all", "placed", "-o", "o.html", *options)
    assert ran.status in (1, 2)
    assert "nothere" in ran.stderr


def test_a_column_that_is_not_there_is_refused_before_pictures_are_made(
    run: Any, shards: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "embviz.pictures.plan.project_all", lambda *_: pytest.fail("made a picture")
    )
    ran = run("project", PATTERN, *TSNE, "-o", "o.html", "--color-by", "nothere")
    assert ran.status == 2
    assert "no metadata column 'nothere'" in ran.stderr
