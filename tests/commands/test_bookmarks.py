"""`--bookmark` and `--save-bookmark` of `embviz project`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import PCA, load_table
from embviz.bookmarks import read_bookmarks


@pytest.fixture
def source(tmp_path: Path) -> str:
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32))
    lines = ["word\tkind", *(f"w{i}\t{'ab'[i % 2]}" for i in range(40))]
    (tmp_path / "x.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return "x.npy"


def write(path: Path, *shapes: tuple[int, int], **more: Any) -> None:
    base = {"label": "a", "selectedProjection": "pca", "pcaComponentDimensions": [0, 1]}
    views = [{**base, "projections": [], "dataSetDimensions": shape, **more} for shape in shapes]
    path.write_text(json.dumps(views), encoding="utf-8")


def test_the_first_view_is_written_as_tensorboard_has_it(
    run: Callable[..., Any], source: str, tmp_path: Path
) -> None:
    ran = run("project", source, "--metadata", "x.tsv", "--dims", "2", "--isolate", "kind:a",
              "--save-bookmark", "b.json", "-o", "out.html")  # fmt: skip
    assert ran.status == 0, ran.stderr
    assert "Wrote b.json" in ran.stderr
    (mark,) = read_bookmarks(tmp_path / "b.json")
    view = mark.view
    rows = list(range(0, 40, 2))
    assert view["filteredPoints"] == rows
    assert view["dataSetDimensions"] == [20, 5]
    assert view["pcaComponentDimensions"] == [0, 1]
    assert view["selectedLabelOption"] == "word"
    found = [[point["pca-0"], point["pca-1"]] for point in view["projections"]]
    want = PCA().project(load_table(tmp_path / "x.npy")).coordinates[rows, :2]
    np.testing.assert_allclose(found, want, rtol=1e-6)


def test_files_of_bookmarks_are_in_the_page(
    run: Callable[..., Any], source: str, tmp_path: Path, open_page: Callable[..., Any]
) -> None:
    write(tmp_path / "one.json", (40, 5))
    write(tmp_path / "two.json", (40, 5), label="b")
    ran = run("project", source, "--bookmark", "one.json", "--bookmark", "two.json",
              "--save-bookmark", "saved.json", "-o", "out.html")  # fmt: skip
    assert ran.status == 0, ran.stderr
    ran = run("project", source, "--bookmark", "saved.json", "--bookmark", "one.json",
              "--bookmark", "two.json", "-o", "out.html")  # fmt: skip
    page = open_page(tmp_path / "out.html")
    assert [mark["label"] for mark in page.call("e.bookmarks()")] == ["PCA", "a", "b"]
    assert page.call("e.apply(0)") == []
    assert page.call("e.view().projection") == "pca"
    assert "--bookmark saved.json --bookmark one.json" in page.page.content()


@pytest.mark.parametrize(
    ("shape", "more", "message"),
    [
        ((41, 5), {}, "b.json: bookmark 1: saved from data of 41 × 5, this is 40 × 5"),
        ((40, 6), {}, "saved from data of 40 × 6"),
        ((1, 5), {"filteredPoints": [40]}, "names row 40, the source has 40 rows"),
        ((2, 5), {"filteredPoints": [1]}, "saved from data of 2 × 5"),
    ],
)
def test_bookmarks_of_other_data_are_refused(
    run: Callable[..., Any], source: str, tmp_path: Path, shape: Any, more: Any, message: str
) -> None:
    write(tmp_path / "b.json", shape, **more)
    ran = run("project", source, "--bookmark", "b.json", "-o", "out.html")
    assert ran.status == 1
    assert message in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "out.html").exists()


def test_a_bookmark_file_is_not_overwritten(
    run: Callable[..., Any], source: str, tmp_path: Path
) -> None:
    write(tmp_path / "b.json", (40, 5))
    ran = run(
        "project", source, "--bookmark", "b.json", "--save-bookmark", "b.json", "-o", "o.html"
    )
    assert ran.status == 2
    assert "would overwrite the bookmarks b.json" in ran.stderr


def test_a_bookmark_file_of_rows_beyond_a_part_is_taken(
    run: Callable[..., Any], source: str, tmp_path: Path
) -> None:
    write(tmp_path / "b.json", (40, 5))
    ran = run("project", source, "--sample", "10", "--bookmark", "b.json", "-o", "out.html")
    assert ran.status == 0, ran.stderr
