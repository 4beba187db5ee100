"""`embviz.Report`: what a notebook shows of it, and that what it saves is all."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embviz
from embviz import Bookmark, EmbeddingTable, ParameterError, Report
from embviz.report import encode_report
from embviz.report.notebook import NOTEBOOK_MB

HOSTILE = """"></iframe><script>window.hurt = 1</script> & 'x' &quot; <!-- ]]>"""


class Shown(HTMLParser):
    """What a browser makes of the markup: its elements, their attributes, and the words beside."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(report._repr_html_())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    @property
    def page(self) -> str:
        return self.elements[0][1]["srcdoc"] or ""

    @property
    def manifest(self) -> dict[str, Any]:
        found = re.search(r'id="manifest">(.*?)</script>', self.page, re.S)
        assert found
        manifest: dict[str, Any] = json.loads(found[1])
        return manifest


def many(n: int, n_dims: int = 6, **more: Any) -> Report:
    """A report of many points, placed by their first two numbers."""
    vectors = np.random.default_rng(1).normal(size=(n, n_dims)).astype(np.float32)
    table = EmbeddingTable(vectors, {"word": [f"w{i}" for i in range(n)]}, source="many.npy")
    projections = [
        embviz.Projection("mine", vectors[:, :2], per_point={"first": vectors[:, 0].copy()})
    ]
    return Report(table, projections, **more)


def test_the_page_stands_escaped_in_a_frame(blobs: EmbeddingTable) -> None:
    table = replace(blobs, metadata={"word": (HOSTILE,) * blobs.n_points}, source=HOSTILE)
    report = Report(table, embviz.project(table), embviz.ReportOptions(title=HOSTILE), height=500)
    shown = Shown(report)
    assert [tag for tag, _ in shown.elements] == ["iframe", "div"]
    frame = shown.elements[0][1]
    assert (frame["height"], frame["width"], frame["title"]) == ("500", "100%", HOSTILE)
    page = encode_report(table, report.projections, report.options, max_size=NOTEBOOK_MB)
    assert shown.page == page.decode("utf-8")
    assert "src" not in frame


def test_what_is_saved_is_what_write_report_writes(blobs: EmbeddingTable, tmp_path: Path) -> None:
    options = embviz.ReportOptions(title="Blobs", color_by="group")
    part = embviz.choose_points(blobs, select="group:1")
    projections = embviz.project(part)
    size = Report(part, projections, options).save(tmp_path / "a.html")
    embviz.write_report(tmp_path / "b.html", part, projections, options)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert size == (tmp_path / "a.html").stat().st_size


def test_show_makes_the_report_in_one_call(blobs: EmbeddingTable, tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", blobs.vectors)
    report = embviz.show(
        blobs, methods=["tsne"], dims=[3], seed=2, iterations=60, color_by="group", title="x"
    )
    assert repr(report) == "<embviz.Report of 300 × 12: PCA, t-SNE>"
    report.save(tmp_path / "a.html")
    made = embviz.project(blobs, methods=["tsne"], dims=[3], seed=2, iterations=60)
    shown = embviz.ReportOptions(color_by="group", title="x", first="tsne", dims=3)
    embviz.write_report(tmp_path / "b.html", blobs, made, shown)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    for points in (blobs.vectors, np.asarray(blobs.vectors).tolist(), str(tmp_path / "v.npy")):
        assert embviz.show(points).projections[0].coordinates.shape[0] == 300
    table = embviz.show(blobs.vectors, {"a": range(300), "b": ["x"] * 300}).points
    assert isinstance(table, EmbeddingTable)
    assert table.metadata["a"][:2] == ("0", "1")


def test_show_takes_what_compare_found(blobs: EmbeddingTable, tmp_path: Path) -> None:
    other = replace(blobs, vectors=np.roll(np.asarray(blobs.vectors), 1, axis=1))
    found = embviz.compare(blobs, other)
    embviz.show(found).save(tmp_path / "a.html")
    embviz.write_comparison(tmp_path / "b.html", found)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_of_many_points_a_notebook_has_some_and_says_so() -> None:
    mark = Bookmark("all", {"selectedPoints": [7000]})
    whole = many(8000)
    assert isinstance(whole.points, EmbeddingTable)
    links = [f"{i}.png" for i in range(8000)]
    options = embviz.ReportOptions(selected=[7999, 3], isolated=[3, 5, 7999], image_links=links)
    table = replace(whole.points, bookmarks=(mark,))
    shown = Shown(replace(whole, points=table, options=options))
    manifest = shown.manifest
    assert (manifest["n_points"], manifest["total_points"]) == (5000, 8000)
    for words in ("5,000 of 8,000 points, drawn at random", "no bookmarks", "writes all"):
        assert words in shown.words
    assert any("drawn at random" in note for note in manifest["notes"])
    assert manifest["selected"][0] == 4999
    assert manifest["isolated"] == [*manifest["selected"][1:], manifest["isolated"][1], 4999]
    assert "bookmarks" not in manifest["blocks"]
    assert manifest["blocks"]["mine_2_coordinates"]["shape"] == [5000, 2]
    assert manifest["blocks"]["mine_2_per_point_0"]["shape"] == [5000]
    assert Shown(whole).page == Shown(whole).page


def test_the_points_of_a_sample_keep_their_rows_places_and_measures() -> None:
    from embviz.report.small import draw_points, take_points

    report = many(50)
    assert isinstance(report.points, EmbeddingTable)
    frames = embviz.Frames(("0", "1"), np.arange(200, dtype=np.float32).reshape(2, 50, 2))
    projection = replace(report.projections[0], frames=frames)
    rows = draw_points(50, 20, [49, 7])
    assert len(rows) == 20
    assert {7, 49} <= set(rows.tolist())
    assert (np.diff(rows) > 0).all()
    table, (taken,), _ = take_points(report.points, [projection], report.options, rows)
    np.testing.assert_array_equal(table.vectors, np.asarray(report.points.vectors)[rows])
    assert table.metadata["word"] == tuple(f"w{i}" for i in rows)
    assert [table.row_number(i) for i in range(20)] == rows.tolist()
    np.testing.assert_array_equal(taken.coordinates, projection.coordinates[rows])
    np.testing.assert_array_equal(taken.per_point["first"], projection.coordinates[rows, 0])
    assert taken.frames is not None
    np.testing.assert_array_equal(taken.frames.coordinates, frames.coordinates[:, rows])


def test_all_points_are_shown_where_they_are_asked_for() -> None:
    shown = Shown(many(6000, max_points=None))
    assert shown.manifest["n_points"] == 6000
    assert "drawn" not in shown.words


def test_what_would_make_a_notebook_large_is_rounded_or_left_out() -> None:
    rounded, left_out = "vectors in 8 bits a number", "the page says what else was left out"
    for n_dims, precision, words in ((500, "int8", rounded), (1400, None, left_out)):
        shown = Shown(many(4000, n_dims))
        assert words in shown.words
        vectors = shown.manifest["spaces"][0]["vectors"]
        assert (vectors and vectors["precision"]) == precision
        assert len(shown.page.encode()) <= NOTEBOOK_MB * 1_000_000
        assert shown.manifest["size"]["max"] == NOTEBOOK_MB
    assert shown.manifest["neighbors"]["k"] == 10


def test_of_points_with_large_thumbnails_or_vectors_there_are_fewer() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (4000, 24, 24, 3), dtype=np.uint8)
    whole = many(4000)
    assert isinstance(whole.points, EmbeddingTable)
    pictured = replace(whole, points=replace(whole.points, sprite=embviz.pack_tiles(noise)))
    digits = many(4000, 1000, options=embviz.ReportOptions(vectors="float16"))
    for report in (pictured, digits):
        shown = Shown(report)
        assert "1,000 of 4,000 points, drawn at random" in shown.words
        assert shown.manifest["n_points"] == 1000
        assert len(shown.page.encode()) <= NOTEBOOK_MB * 1_000_000


def test_where_all_points_are_asked_for_a_page_may_go_beyond() -> None:
    asked = embviz.ReportOptions(vectors="float16")
    told = Shown(many(4000, 1400, options=asked, max_points=None))
    assert told.manifest["spaces"][0]["vectors"]["precision"] == "float16"
    assert "left out" not in told.words
    small = many(4000, 50, options=embviz.ReportOptions(max_size=3.4))
    assert len(Shown(small).page.encode()) <= 3_400_000


def test_open_saves_the_whole_report_and_asks_a_browser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: asked.append(url) is None)
    monkeypatch.setenv("BROWSER", "mine")
    report = many(5500)
    path = report.open(tmp_path / "out.html")
    assert asked == [path.as_uri()]
    report.save(tmp_path / "b.html")
    assert path.read_bytes() == (tmp_path / "b.html").read_bytes()
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with caplog.at_level(logging.WARNING, logger="embviz"):
        kept = report.open()
    assert kept.read_bytes() == path.read_bytes()
    assert "was not opened" in caplog.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"height": 10}, "height: 10"),
        ({"max_points": 0}, "max_points: 0"),
        ({"options": embviz.ReportOptions(color_by="none such")}, "no metadata column"),
        ({"options": embviz.ReportOptions(first="tsne")}, "no such projection"),
        ({"projections": [1]}, "projections: cannot be of int"),
        ({"projections": many(7).projections}, "7 placed points for 9"),
    ],
)
def test_what_does_not_fit_is_refused_where_it_is_made(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=re.escape(said)):
        replace(many(9), **fields)


@pytest.mark.parametrize(
    "points", [[1, 2], np.zeros((2, 2, 2)), [["a", "b"]], None, 3, [[1, 2], [3]]]
)
def test_what_holds_no_vectors_is_refused(points: Any) -> None:
    with pytest.raises(embviz.EmbvizError, match=r"^points: .*give a table, an array"):
        embviz.show(points)


def test_keywords_and_labels_that_show_does_not_know_are_refused(blobs: EmbeddingTable) -> None:
    with pytest.raises(ParameterError, match=r"colour_by.*close to it: color_by"):
        embviz.show(blobs, colour_by="x")  # type: ignore[call-arg]
    with pytest.raises(ParameterError, match="labels: belong to an array"):
        embviz.show(blobs, ["x"] * 300)
