"""The main job, typed as a user would."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz.report.blocks import Block
from tests.report.test_payload import unpack


def manifest_of(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    start = text.index(">", text.index('id="manifest"')) + 1
    return json.loads(text[start : text.index("</script>", start)])


def block_of(path: Path, name: str) -> Any:
    text = path.read_text(encoding="utf-8")
    start = text.index(">", text.index(f'id="block-{name}"')) + 1
    entry = manifest_of(path)["blocks"][name]
    return unpack(Block(name, entry, text[start : text.index("<", start)]))


@pytest.fixture
def words(tmp_path: Path) -> np.ndarray:
    """Six named directions and noise, as words.npy and words.tsv."""
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(200, 20)).astype(np.float32)
    labels = ["worst", "best", "asbestos", *(f"w{i}" for i in range(197))]
    np.save(tmp_path / "words.npy", vectors)
    (tmp_path / "words.tsv").write_text("".join(f"{w}\n" for w in labels), encoding="utf-8")
    return vectors


SOURCE = ("words.npy", "--metadata", "words.tsv")


def test_project_writes_one_file_and_says_so(run: Any, words: np.ndarray, tmp_path: Path) -> None:
    ran = run("project", *SOURCE, "--method", "tsne", "-o", "out.html")
    assert (ran.status, ran.stdout) == (0, "")
    assert ran.stderr.splitlines()[-1].startswith("Wrote out.html (")
    manifest = manifest_of(tmp_path / "out.html")
    shown = [(p["key"], p["n_components"]) for p in manifest["projections"]]
    assert shown == [("pca", 10), ("tsne", 2), ("tsne", 3)]
    assert manifest["first"] == "tsne"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.html", "words.npy", "words.tsv"]


def test_equal_input_and_seed_give_equal_bytes(run: Any, words: np.ndarray, tmp_path: Path) -> None:
    for _ in range(2):
        run("project", *SOURCE, "--method", "tsne", "--axis", "=worst", "=best", "-o", "a.html")
        (tmp_path / "a.html").rename(tmp_path / f"{len(list(tmp_path.glob('*.html')))}.html")
    assert (tmp_path / "1.html").read_bytes() == (tmp_path / "2.html").read_bytes()


def test_no_absolute_path_is_in_the_output(run: Any, words: np.ndarray, tmp_path: Path) -> None:
    source = str(tmp_path / "words.npy")
    ran = run(
        "project", source, "--metadata", str(tmp_path / "words.tsv"), "-o", str(tmp_path / "o.html")
    )
    assert ran.status == 0
    assert str(tmp_path) not in (tmp_path / "o.html").read_text(encoding="utf-8")
    command = manifest_of(tmp_path / "o.html")["command"]
    assert command == "embviz project -o o.html --metadata words.tsv words.npy"


def test_the_command_line_in_the_page_makes_the_same_page(
    run: Any, words: np.ndarray, tmp_path: Path
) -> None:
    import shlex

    (tmp_path / "embviz.toml").write_text(
        '[project]\nmethod = ["tsne"]\nseed = 5\nperplexity = 7.5\n'
    )
    first = run(
        "project", *SOURCE, "--config", "embviz.toml", "--title", "it's <b>", "-o", "out.html"
    )
    assert first.status == 0, first.stderr
    page = (tmp_path / "out.html").read_bytes()
    again = run(*shlex.split(manifest_of(tmp_path / "out.html")["command"])[1:])
    assert again.status == 0, again.stderr
    assert (tmp_path / "out.html").read_bytes() == page


def test_an_axis_is_the_arithmetic_of_centroids(
    run: Any, words: np.ndarray, tmp_path: Path
) -> None:
    ran = run("project", *SOURCE, "--axis", "=worst", "best", "-o", "out.html")
    assert ran.status == 0, ran.stderr
    assert "'=worst' matches 1 point" in ran.stderr
    assert "'best' matches 2 points (best, asbestos); '=best' for the whole word" in ran.stderr
    vectors = words.astype(float)
    direction = vectors[1:3].mean(axis=0) - vectors[0]
    want = vectors @ direction / np.linalg.norm(direction)
    found = block_of(tmp_path / "out.html", "custom_3_coordinates")
    np.testing.assert_allclose(found[:, 0], want, rtol=1e-5, atol=1e-5)


def test_neighbors_of_writes_them_alone_with_axes_of_the_whole_table(
    run: Any, words: np.ndarray, tmp_path: Path
) -> None:
    arguments = ("--neighbors-of", "w7", "-k", "20", "--axis", "=worst", "=best")
    ran = run("project", *SOURCE, *arguments, "--metric", "euclidean", "-o", "out.html")
    assert ran.status == 0, ran.stderr
    distances = np.linalg.norm(words.astype(float) - words[10].astype(float), axis=1)
    want = np.sort(np.argsort(distances)[:21])
    assert block_of(tmp_path / "out.html", "rows").tolist() == want.tolist()
    direction = words[1].astype(float) - words[0]
    coordinates = words[want] @ direction / np.linalg.norm(direction)
    found = block_of(tmp_path / "out.html", "custom_3_coordinates")
    np.testing.assert_allclose(found[:, 0], coordinates, rtol=1e-5, atol=1e-5)
    manifest = manifest_of(tmp_path / "out.html")
    assert (manifest["n_points"], manifest["total_points"]) == (21, 200)
    assert want[manifest["selected"]].tolist() == [10]


def test_select_sample_and_isolate_choose_points(
    run: Any, words: np.ndarray, tmp_path: Path
) -> None:
    assert run("project", *SOURCE, "--select", "/^w1\\d$/", "-o", "a.html").status == 0
    assert block_of(tmp_path / "a.html", "rows").tolist() == list(range(13, 23))
    assert run("project", *SOURCE, "--sample", "50", "--seed", "4", "-o", "b.html").status == 0
    rows = block_of(tmp_path / "b.html", "rows")
    assert len(set(rows.tolist())) == 50
    assert sorted(rows) == rows.tolist()
    assert run("project", *SOURCE, "--isolate", "best", "-o", "c.html").status == 0
    assert manifest_of(tmp_path / "c.html")["isolated"] == [1, 2]


def test_method_none_shows_two_dimensional_input_as_it_is(run: Any, tmp_path: Path) -> None:
    xy = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)
    np.save(tmp_path / "xy.npy", xy)
    assert run("project", "xy.npy", "--method", "none", "-o", "out.html").status == 0
    assert block_of(tmp_path / "out.html", "none_2_coordinates").tobytes() == xy.tobytes()


def test_one_method_twice_is_two_projections_of_the_report(
    run: Any, words: np.ndarray, tmp_path: Path
) -> None:
    methods = [w for p in (15, 5) for w in ("--method", f"tsne:perplexity={p},iterations=40")]
    outputs = ("--save-coordinates", "c.npz", "--save-bookmark", "b.json")
    ran = run("project", *SOURCE, *methods, "--dims", "2", *outputs, "-o", "out.html")
    assert ran.status == 0, ran.stderr
    manifest = manifest_of(tmp_path / "out.html")
    shown = [(p["key"], p["params"].get("perplexity")) for p in manifest["projections"]]
    assert shown == [("pca", None), ("tsne", 15), ("tsne-2", 5)]
    assert manifest["first"] == "tsne"
    saved = np.load(tmp_path / "c.npz")
    for key in ("tsne", "tsne-2"):
        found = block_of(tmp_path / "out.html", f"{key}_2_coordinates")
        np.testing.assert_array_equal(saved[f"{key}_2"], found)
    (view,) = json.loads((tmp_path / "b.json").read_text(encoding="utf-8"))
    assert view["tSNEPerplexity"] == 15


def test_a_projector_of_ones_own_is_a_method(
    run_process: Any, words: np.ndarray, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(
        "from dataclasses import dataclass\nimport numpy as np\nfrom embviz import Projection\n\n"
        "@dataclass(frozen=True)\nclass Columns:\n    first: int = 0\n"
        "    def project(self, table):\n"
        "        xy = np.array(table.vectors[:, self.first:self.first + 2])\n"
        "        return Projection('columns', xy, axes=('x', 'y'))\n"
    )
    ran = run_process("project", *SOURCE, "--method", "mine:Columns:first=3", "-o", "out.html")
    assert ran.status == 0, ran.stderr
    found = block_of(tmp_path / "out.html", "columns_2_coordinates")
    np.testing.assert_array_equal(found, words[:, 3:5])
    assert manifest_of(tmp_path / "out.html")["first"] == "columns"


def test_rows_that_are_not_finite_are_refused_or_left_out(run: Any, tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    vectors[[3, 17]] = np.nan
    np.save(tmp_path / "x.npy", vectors)
    ran = run("project", "x.npy", "-o", "out.html")
    assert ran.status == 1
    assert "2 of 40 rows hold NaN or infinity, the first is row 3; --drop-nonfinite" in ran.stderr
    assert not (tmp_path / "out.html").exists()
    ran = run("project", "x.npy", "--drop-nonfinite", "-o", "out.html")
    assert ran.status == 0
    assert "2 rows with NaN or infinity were left out" in ran.stderr
    assert 17 not in block_of(tmp_path / "out.html", "rows")


def test_coordinates_and_a_plotly_figure_are_written_on_request(
    run: Any, words: np.ndarray, tmp_path: Path
) -> None:
    extras = ("--save-coordinates", "c.npz", "--figure", "f.json")
    assert run("project", *SOURCE, *extras, "-o", "out.html").status == 0
    saved = np.load(tmp_path / "c.npz", allow_pickle=False)
    assert (
        saved["pca_10"].tobytes() == block_of(tmp_path / "out.html", "pca_10_coordinates").tobytes()
    )
    assert saved["labels"][1] == "best"
    figure = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    x = np.frombuffer(base64.b64decode(figure["data"][0]["x"]["bdata"]), "<f4")
    assert np.array_equal(x, saved["pca_10"][:, 0])
    assert "z" not in figure["data"][0]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--method", "custom"), 2, "--method custom: needs an axis; add --axis FROM TO"),
        (("--axis", "zebra", "best"), 2, "query 'zebra': it matches none of 200 points"),
        (("--axis", "=best", "=best"), 2, "so it has no direction"),
        (("--method", "tsne", "--perplexity", "100"), 2, "1 to 66.33 fit"),
        (("--method", "TSNE"), 2, "--method TSNE: there is no such method; close to it: tsne"),
        (("--method", "t-SNE"), 2, "there is no such method; close to it: tsne"),
        (("--method", "umpa"), 2, "--method umpa: there is no such method; close to it: umap"),
        (("--method", "umap:k=3"), 2, "--method umap:k=3: no field 'k'; one of n_components"),
        (("--method", "gone:X"), 2, "projector 'gone:X': gone:X cannot be loaded (ModuleNotFound"),
        (("--perplexity", "10"), 2, "--perplexity: belongs to tsne; add --method tsne"),
        (("--select", "zebra"), 2, "'zebra' matches no point"),
        (("--sample", "1"), 2, "--sample: 1 is not a number of points from 2 up"),
        (("--color-by", "size"), 2, "no metadata column 'size'; there are: 'label'"),
        (("--neighbors-of", "bset"), 2, "close to it: best"),
        (("--select", "w", "--neighbors-of", "w1"), 2, "cannot be combined"),
        (("--method", "none"), 2, "20"),
        (
            (
                "--dims",
                "4",
            ),
            2,
            "--dims",
        ),
        (("--tensor", "x"), 2, "words.npy"),
    ],
)
def test_a_request_that_cannot_be_obeyed_is_refused_in_one_line(
    run: Any, words: np.ndarray, tmp_path: Path, arguments: Any, status: int, message: str
) -> None:
    ran = run("project", *SOURCE, *arguments, "-o", "out.html")
    assert message in ran.stderr
    assert ran.status == status
    assert not (tmp_path / "out.html").exists()
    errors = [line for line in ran.stderr.splitlines() if line.startswith("embviz: ")]
    assert errors == [ran.stderr.splitlines()[-1]]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("words.npy", "words.npy: would overwrite the source"),
        ("words.tsv", "words.tsv: would overwrite the metadata"),
        ("gone/out.html", "the folder gone does not exist"),
        (".", ".: is a folder; name a file in it"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_before_the_work(
    run: Any, words: np.ndarray, tmp_path: Path, output: str, message: str
) -> None:
    before = (tmp_path / "words.npy").read_bytes()
    ran = run("project", *SOURCE, "-o", output)
    assert ran.status in (1, 2)
    assert message in ran.stderr
    assert (tmp_path / "words.npy").read_bytes() == before


def test_a_failed_run_leaves_the_old_file_as_it_was(
    run: Any, words: np.ndarray, tmp_path: Path
) -> None:
    (tmp_path / "out.html").write_text("old")
    assert run("project", "words.npy", "--metadata", "gone.tsv", "-o", "out.html").status == 1
    assert (tmp_path / "out.html").read_text() == "old"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a full device")
def test_the_files_of_a_report_appear_together_or_not_at_all(
    run: Any, words: np.ndarray, tmp_path: Path
) -> None:
    (tmp_path / "far").mkdir()
    names = ("out.html", "far/c.tsv", "view.json")
    for name in names:
        (tmp_path / name).write_text("old")
    files = ("-o", names[0], "--save-coordinates", names[1], "--save-bookmark", names[2])
    ran = run("project", *SOURCE, *files, "--figure", "/dev/full")
    assert ran.status == 1
    assert ran.stderr == "embviz: /dev/full: cannot be written: No space left on device\n"
    assert [(tmp_path / name).read_text() for name in names] == ["old"] * 3
    assert run("project", *SOURCE, *files, "--figure", "-").status == 0
    assert not [name for name in names if (tmp_path / name).read_text() == "old"]
    assert not list(tmp_path.rglob(".*"))


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
def test_progress_is_shown_on_a_terminal_and_nowhere_else(
    words: np.ndarray, tmp_path: Path
) -> None:
    import os
    import pty
    import subprocess

    main, side = pty.openpty()
    command = [sys.executable, "-m", "embviz", "project", *SOURCE, "--method", "tsne"]
    process = subprocess.Popen([*command, "-o", "out.html"], cwd=tmp_path, stderr=side)
    os.close(side)
    seen = b""
    while True:
        try:
            piece = os.read(main, 65536)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    assert process.wait() == 0
    assert b"t-SNE: iteration" in seen
    quiet = subprocess.run(
        [*command, "-o", "b.html"], cwd=tmp_path, capture_output=True, check=True
    )
    assert b"t-SNE: iteration" not in quiet.stderr
