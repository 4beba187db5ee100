"""`embviz project --steps`: a run over time in one page; `embviz info` lists its steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.commands.test_project import manifest_of

RNG = np.random.default_rng(11)
CENTERS = RNG.normal(size=(6, 8)) * 3
VECTORS = (CENTERS[np.arange(60) % 6] + RNG.normal(size=(60, 8))).astype(np.float32)


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """Four steps of 60 words, written as arrays, and their labels."""
    folder = tmp_path / "run"
    folder.mkdir()
    for i, step in enumerate((5, 10, 100, 1000)):
        np.save(folder / f"emb_{step}.npy", VECTORS + i * 0.1 * RNG.normal(size=VECTORS.shape))
    lines = [f"w{i}\t{'ab'[i % 2]}\n" for i in range(60)]
    (tmp_path / "words.tsv").write_text("word\tkind\n" + "".join(lines))
    return folder


def project(run: Any, *words: str, steps: str = "all") -> Any:
    return run(
        "project", "run", "--steps", steps, "--metadata", "words.tsv", *words, "-o", "out.html"
    )


def test_a_run_is_one_page_with_all_its_steps(run, words, tmp_path):
    ran = project(run, "--method", "tsne", "--axis", "=w0", "=w1", "--dims", "2")
    assert ran.status == 0, ran.stderr
    manifest = manifest_of(tmp_path / "out.html")
    assert manifest["steps"]["kind"] == "run"
    assert manifest["steps"]["names"] == ["5", "10", "100", "1000"]
    assert manifest["steps"]["figures"]["kept_of_last"][-1] == 1
    assert len(manifest["spaces"]) == 4
    for projection in manifest["projections"]:
        assert projection["frames"]["unit"] == "step"
        assert projection["frames"]["steps"] == manifest["steps"]["names"]
        assert len(projection["frames"]["figures"]["motion"]) == 4
        assert set(projection["stats"]["motion"]) >= {"2"}
    assert "--steps all" in manifest["command"]


@pytest.mark.parametrize(
    ("steps", "names"), [("last:2", ["100", "1000"]), ("1000,5", ["5", "1000"])]
)
def test_some_steps_are_shown_in_the_order_of_their_numbers(run, words, tmp_path, steps, names):
    assert project(run, steps=steps).status == 0
    assert manifest_of(tmp_path / "out.html")["steps"]["names"] == names


def test_a_step_that_is_not_there_is_refused_with_those_that_are(run, words, tmp_path):
    ran = project(run, steps="5,7")
    assert ran.status == 2
    assert "--steps 5,7: run has no step 7; there are 5, 10, 100, 1000" in ran.stderr
    assert not (tmp_path / "out.html").exists()


def test_several_sources_are_steps_of_any_width(run, words, tmp_path):
    np.save(tmp_path / "wide.npy", np.hstack([VECTORS, VECTORS]))
    ran = run("project", "run/emb_5.npy", "wide.npy", "--steps", "all", "-o", "out.html")
    assert ran.status == 0, ran.stderr
    manifest = manifest_of(tmp_path / "out.html")
    assert manifest["steps"]["names"] == ["emb_5", "wide"]
    assert [space["n_dims"] for space in manifest["spaces"]] in ([8, 16], [16, 8])


def test_without_steps_several_sources_are_one_table_as_before(run, words, tmp_path):
    run("project", "run/emb_5.npy", "run/emb_10.npy", "-o", "out.html")
    manifest = manifest_of(tmp_path / "out.html")
    assert manifest.get("steps") is None
    assert manifest["n_points"] == 120


@pytest.mark.parametrize(
    ("options", "n_points"),
    [
        (["--select", "kind:a"], 30),
        (["--sample", "20"], 20),
        (["--neighbors-of", "w3", "-k", "9"], 10),
        (["--isolate", "kind:a"], 60),
        (["--color-by", "kind", "--label-by", "word", "--title", "T", "--seed", "3"], 60),
        (["--vectors", "none", "--metric", "euclidean", "--normalize", "sphere"], 60),
        (["--match", "row"], 60),
        (["--match", "word"], 60),
    ],
)
def test_choices_of_points_and_of_looks_hold_at_all_steps(run, words, tmp_path, options, n_points):
    ran = project(run, *options)
    assert ran.status == 0, ran.stderr
    manifest = manifest_of(tmp_path / "out.html")
    assert manifest["n_points"] == n_points
    assert len(manifest["steps"]["names"]) == 4
    if "--isolate" in options:
        assert len(manifest["isolated"]) == 30


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--coordinates", "x.npy"], "--coordinates: are places of one step; leave out --steps"),
        (["--figure", "f.json"], "--figure: is a picture of one step; leave it out"),
        (
            ["--save-coordinates", "c.tsv"],
            "--save-coordinates c.tsv: a line a point has room for one step; name a .npz file",
        ),
        (["--method", "none"], "step 5: run/emb_5.npy: 8 dimensions where 2 or 3 can be shown"),
        (["--match", "nothing"], "--match nothing"),
        (["--tensor", "nothing"], "tensor 'nothing'"),
    ],
)
def test_what_does_not_fit_steps_is_refused_by_name(run, words, tmp_path, options, said):
    ran = project(run, *options)
    assert ran.status in (1, 2)
    assert said in ran.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run", "words.tsv"]


def test_a_match_without_steps_is_refused(run, words):
    ran = run("project", "run/emb_5.npy", "--match", "row", "-o", "out.html")
    assert ran.status == 2
    assert "--match: belongs to --steps; add --steps all" in ran.stderr


def test_coordinates_of_all_steps_are_written(run, words, tmp_path):
    assert project(run, "--save-coordinates", "c.npz").status == 0
    with np.load(tmp_path / "c.npz") as found:
        assert found["steps"].tolist() == ["5", "10", "100", "1000"]
        assert found["pca_3_steps"].shape == (4, 60, 3)
        np.testing.assert_array_equal(found["pca_3_steps"][-1], found["pca_3"])


def test_rows_that_are_not_finite_are_left_out_of_their_step(run, words, tmp_path):
    broken = VECTORS.copy()
    broken[4] = np.nan
    np.save(words / "emb_10.npy", broken)
    ran = project(run)
    assert ran.status == 1
    assert "step 10: run/emb_10.npy: 1 of 60 rows hold NaN or infinity" in ran.stderr
    ran = project(run, "--drop-nonfinite")
    assert ran.status == 0, ran.stderr
    assert "step 10: 1 row not finite, left out" in ran.stderr
    manifest = manifest_of(tmp_path / "out.html")
    assert manifest["n_points"] == 60
    assert manifest["steps"]["present"] == "steps_present"


def test_a_step_is_not_overwritten_by_the_report(run, words, tmp_path):
    ran = run("project", "run", "--steps", "all", "-o", "run/emb_10.npy")
    assert ran.status == 2
    assert "would overwrite the source" in ran.stderr


def test_thumbnails_are_those_of_the_last_step(run, words, tmp_path):
    from PIL import Image

    Image.new("L", (80, 64)).save(tmp_path / "sheet.png")
    ran = project(run, "--sprite", "sheet.png", "--sprite-size", "10x8")
    assert ran.status == 0, ran.stderr
    assert manifest_of(tmp_path / "out.html")["sprite"] is not None


def test_a_saved_view_comes_along(run, words, tmp_path):
    assert project(run, "--save-bookmark", "view.json").status == 0
    ran = project(run, "--bookmark", "view.json")
    assert ran.status == 0, ran.stderr


def test_info_lists_the_steps_and_how_they_are_shown(run, words):
    ran = run("info", "run")
    assert ran.status == 0
    assert ran.stdout.splitlines()[-5:] == [
        "step    5  run/emb_5.npy",
        "step   10  run/emb_10.npy",
        "step  100  run/emb_100.npy",
        "step 1000  run/emb_1000.npy",
        "4 steps: embviz project run --steps all",
    ]
    found = json.loads(run("info", "run", "--format", "json").stdout)
    assert found["steps"][1] == {"name": "10", "source": "run/emb_10.npy", "tensor": None}
    assert found["tensors"]
    alone = json.loads(run("info", "run/emb_5.npy", "--format", "json").stdout)
    assert alone[0]["shape"] == [60, 8]


def test_info_lists_the_tensors_of_the_last_step_of_what_is_no_source_itself(run, tmp_path):
    for step in (1, 2):
        folder = tmp_path / "nets" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        np.save(folder / "emb.npy", VECTORS)
    ran = run("info", "nets")
    assert ran.status == 0, ran.stderr
    assert "60 × 8" in ran.stdout
    assert "2 steps: embviz project nets --steps all" in ran.stdout


def test_the_same_run_gives_the_same_bytes(run, words, tmp_path):
    project(run, "--method", "tsne", "--dims", "2")
    first = (tmp_path / "out.html").read_bytes()
    project(run, "--method", "tsne", "--dims", "2")
    assert (tmp_path / "out.html").read_bytes() == first
