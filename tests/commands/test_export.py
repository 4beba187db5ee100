"""`embviz export`, typed as a user would, and the way back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import load_table
from embviz.sprites import read_tiles
from tests.commands.test_project import block_of, manifest_of
from tests.sprites.pictures import shades

RNG = np.random.default_rng(8)


@pytest.fixture
def points(tmp_path: Path) -> np.ndarray:
    vectors = RNG.normal(size=(60, 5)).astype(np.float32)
    np.save(tmp_path / "x.npy", vectors)
    (tmp_path / "m.tsv").write_text("name\tn\n" + "".join(f"p{i}\t{i % 4}\n" for i in range(60)))
    return vectors


SOURCE = ("x.npy", "--metadata", "m.tsv")


def test_a_source_becomes_a_logdir_and_comes_back_as_a_report(
    run: Any, tmp_path: Path, points: np.ndarray
) -> None:
    shades(tmp_path / "d", 12)
    images = [f"d/{i % 12}.png\n" for i in range(60)]
    (tmp_path / "list").write_text("".join(images))
    ran = run(
        "export", *SOURCE, "--images", "list", "--projection", "tsne", "--dims", "2",
        "--perplexity", "5", "--axis", "=p1", "=p2", "-o", "log dir",
    )  # fmt: skip
    assert (ran.status, ran.stdout) == (0, ""), ran.stderr
    assert "open it: tensorboard '--logdir=log dir'" in ran.stderr
    table = load_table(tmp_path / "log dir")
    np.testing.assert_array_equal(table.vectors, points)
    assert table.metadata["name"] == tuple(f"p{i}" for i in range(60))
    assert [b.label for b in table.bookmarks] == ["t-SNE 2D", "t-SNE 2D, iterating on", "Axes"]
    assert table.sprite is not None
    assert read_tiles(table.sprite)[13, 4, 4] == 25
    back = run("project", "log dir", "-o", "o.html")
    assert back.status == 0, back.stderr
    manifest = manifest_of(tmp_path / "o.html")
    assert (manifest["n_points"], manifest["spaces"][0]["tensor"]) == (60, "x")
    assert block_of(tmp_path / "o.html", "column_0") == list(table.metadata["name"])
    assert [b["label"] for b in block_of(tmp_path / "o.html", "bookmarks")] == [
        b.label for b in table.bookmarks
    ]


def test_the_bookmark_holds_the_coordinates_that_project_computes(
    run: Any, tmp_path: Path, points: np.ndarray
) -> None:
    run("export", *SOURCE, "--projection", "tsne", "--dims", "2", "--perplexity", "5", "-o", "log")
    run(
        "project", *SOURCE, "--method", "tsne", "--dims", "2", "--perplexity", "5", "-o", "o.html",
        "--save-coordinates", "c.npz",
    )  # fmt: skip
    (still, moving) = load_table(tmp_path / "log").bookmarks
    wanted = np.load(tmp_path / "c.npz")["tsne_2"]
    for mark in (still, moving):
        found = np.array([list(p.values()) for p in mark.view["projections"]], np.float32)
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    ("dims", "labels", "shown"),
    [
        ((), ["PCA"], [[0, 1, 2]]),
        (("--dims", "2"), ["PCA"], [[0, 1]]),
        (("--dims", "3"), ["PCA"], [[0, 1, 2]]),
        (("--dims", "3", "--dims", "2"), ["PCA 2D", "PCA 3D"], [[0, 1], [0, 1, 2]]),
    ],
)
def test_a_view_of_pca_has_the_dimensions_asked_for(
    run: Any, tmp_path: Path, points: np.ndarray, dims: tuple[str, ...], labels: Any, shown: Any
) -> None:
    assert run("export", *SOURCE, "--projection", "pca", *dims, "-o", "log").status == 0
    views = json.loads((tmp_path / "log/bookmarks.txt").read_text())
    assert [view["label"] for view in views] == labels
    assert [view["pcaComponentDimensions"] for view in views] == shown
    flat = [len(components) == 2 for components in shown]
    assert [view["cameraDef"]["orthographic"] for view in views] == flat
    assert all({"pca-0", "pca-1", "pca-2"} <= set(view["projections"][0]) for view in views)


def test_axes_in_a_named_column_are_written_as_tensorboards_searches(
    run: Any, tmp_path: Path, points: np.ndarray
) -> None:
    assert run("export", *SOURCE, "--axis", "n:=1", "n:/[23]/", "-o", "log").status == 0
    (view,) = json.loads((tmp_path / "log/bookmarks.txt").read_text())
    assert view["customSelectedSearchByMetadataOption"] == "n"
    assert (view["customXLeftText"], view["customXLeftRegex"]) == ("^1$", True)
    assert (view["customXRightText"], view["customXRightRegex"]) == ("[23]", True)
    ran = run("export", *SOURCE, "--axis", "=p1", "n:2", "-o", "log2")
    assert "searches one column for all their ends, 'name'" in ran.stderr
    assert "leave out n:2" in ran.stderr


def test_several_tensors_share_a_logdir(run: Any, tmp_path: Path) -> None:
    arrays = {name: RNG.normal(size=(n, 3)).astype(np.float32) for name, n in (("a", 5), ("b", 7))}
    np.savez(tmp_path / "x.npz", **arrays, one=np.zeros((5, 1)))
    for arguments in (("--all-tensors",), ("--tensor", "a", "--tensor", "b")):
        ran = run("export", "x.npz", *arguments, "--format", "tsv", "-o", "log")
        assert ran.status == 0, ran.stderr
        for name, array in arrays.items():
            np.testing.assert_array_equal(load_table(tmp_path / "log", tensor=name).vectors, array)


def test_bookmarks_of_a_file_are_added(run: Any, tmp_path: Path, points: np.ndarray) -> None:
    view = {"label": "mine", "selectedProjection": "pca", "projections": [], "embviz": {"k": 2}}
    (tmp_path / "b.txt").write_text(json.dumps([view]))
    assert run("export", *SOURCE, "--bookmark", "b.txt", "-o", "log").status == 0
    written = json.loads((tmp_path / "log/bookmarks.txt").read_text())
    assert {k: written[0][k] for k in view} == view
    assert len(written[0]) > 25
    (tmp_path / "b.txt").write_text(json.dumps([view | {"dataSetDimensions": [9, 9]}]))
    ran = run("export", *SOURCE, "--bookmark", "b.txt", "-o", "log2")
    assert ran.status == 2
    assert "9 × 9" in ran.stderr


def test_a_sample_takes_its_labels_and_thumbnails_along(
    run: Any, tmp_path: Path, points: np.ndarray
) -> None:
    assert run("export", *SOURCE, "--sample", "20", "--seed", "3", "-o", "log").status == 0
    table = load_table(tmp_path / "log")
    rows = [int(name[1:]) for name in table.metadata["name"]]
    assert len(rows) == 20
    np.testing.assert_array_equal(table.vectors, points[rows])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("x.npy", "-o", "x.npy"), "would overwrite the source"),
        (("x.npy", "-o", "no/log"), "does not exist"),
        (("x.npy", "--projection", "custom", "-o", "log"), "needs an axis"),
        (("x.npy", "--perplexity", "5", "-o", "log"), "belongs to tsne"),
        (
            ("x.npy", "--tensor", "a", "--tensor", "b", "--metadata", "m.tsv", "-o", "log"),
            "several",
        ),
        (("x.npy", "--all-tensors", "--tensor", "a", "-o", "log"), "--all-tensors"),
        (("x.npy", "--sample", "1", "-o", "log"), "--sample"),
        (("x.npy", "--images", "d", "--sprite", "s.png", "-o", "log"), "--images"),
        (("gone.npy", "-o", "log"), "gone.npy"),
        (("nan.npy", "-o", "log"), "row 1"),
    ],
)
def test_a_request_that_cannot_be_obeyed_leaves_nothing(
    run: Any, tmp_path: Path, points: np.ndarray, arguments: tuple[str, ...], said: str
) -> None:
    np.save(tmp_path / "nan.npy", np.array([[0, 1], [np.nan, 2], [3, 4]], np.float32))
    before = sorted(tmp_path.iterdir())
    ran = run("export", *arguments)
    assert ran.status in (1, 2)
    assert said in ran.stderr.splitlines()[-1]
    assert "Traceback" not in ran.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_the_source_is_never_overwritten(run: Any, tmp_path: Path, points: np.ndarray) -> None:
    assert run("export", *SOURCE, "-o", "log").status == 0
    ran = run("export", "log", "-o", "log")
    assert ran.status == 2
    assert "would overwrite the source" in ran.stderr


def test_add_embedding_of_pytorch_comes_back_by_tag_and_step(run: Any, tmp_path: Path) -> None:
    # The layout of torch.utils.tensorboard.SummaryWriter.add_embedding.
    config, tables = "", {}
    for step in (0, 12):
        for tag in ("default", "layer/1"):
            name, folder = f"{tag}:{step:05}", f"{step:05}/{tag.replace('/', '%2f')}"
            tables[name] = RNG.integers(0, 9, (6, 3)).astype(np.float32)
            where = tmp_path / "runs/exp" / folder
            where.mkdir(parents=True)
            rows = ["\t".join(map(str, row)) for row in tables[name].tolist()]
            (where / "tensors.tsv").write_text("\n".join(rows) + "\n")
            (where / "metadata.tsv").write_text("".join(f"{name} {i}\n" for i in range(6)))
            config += f'embeddings {{\ntensor_name: "{name}"\ntensor_path: "{folder}/tensors.tsv"\n'
            config += f'metadata_path: "{folder}/metadata.tsv"\n}}\n'
    (tmp_path / "runs/exp/projector_config.pbtxt").write_text(config)
    for name, vectors in tables.items():
        for folder in ("runs/exp", "runs"):
            table = load_table(tmp_path / folder, tensor=name)
            np.testing.assert_array_equal(table.vectors, vectors)
            assert table.metadata["label"][5] == f"{name} 5"
    ran = run("project", "runs", "-o", "o.html")
    assert ran.status == 0, ran.stderr
    assert "runs: taking default:00012" in ran.stderr
    (tmp_path / "runs/other").mkdir()
    (tmp_path / "runs/other/projector_config.pbtxt").write_text("")
    ran = run("project", "runs", "-o", "p.html")
    assert ran.status == 1
    assert "holds 2 runs; name one: runs/exp, runs/other" in ran.stderr.replace("\\", "/")


@pytest.mark.parametrize(
    ("scale", "told"), [(1e300, "beyond"), (1e154, "beyond"), (1e-320, "below")]
)
def test_vectors_that_float32_cannot_hold_are_refused_before_anything_is_computed(
    run: Any, tmp_path: Path, scale: float, told: str
) -> None:
    np.save(tmp_path / "x.npy", scale * RNG.uniform(1, 2, size=(60, 5)))
    # An axis that matches nothing is refused as soon as projections are made.
    axis = ("--axis", "=nobody", "=nobody")
    ran = run("export", "x.npy", "-o", "log", "--projection", "tsne", *axis)
    assert ran.status == 2
    assert f"row 0 is {told} the range of float32" in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert not (tmp_path / "log").exists()
