"""Bookmarks: kept, restored, and exchanged as TensorBoard's files."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Error, expect

from embviz import PCA, EmbeddingTable, write_report
from embviz.bookmarks import read_bookmarks
from embviz.model import Bookmark


@pytest.fixture
def page(open_page: Callable[..., Any], report: Path) -> Any:
    return open_page(report)


def state(page: Any, *keys: str) -> dict[str, Any]:
    view = page.call("e.view()")
    return {key: view[key] for key in keys}


def file_of(page: Any) -> list[dict[str, Any]]:
    return list(json.loads(page.call("e.exportBookmarks()")))


def load(page: Any, states: list[dict[str, Any]] | str) -> int:
    text = states if isinstance(states, str) else json.dumps(states)
    return int(page.page.evaluate("(text) => window.embviz.loadBookmarks(text)", text))


def positions(page: Any) -> np.ndarray[Any, Any]:
    found = page.page.evaluate(
        "() => [...window.embviz.screenPositions()].map(x => x === x ? x : 1e9)"
    )
    return np.array(found).reshape(-1, 2)


def shown_coordinates(page: Any) -> np.ndarray[Any, Any]:
    """The coordinates in what the page exports of the points shown."""
    lines = page.call("(e.set({selected: []}), e.exportPoints())").rstrip("\n").split("\n")
    places = [i for i, name in enumerate(lines[0].split("\t")) if "_" in name and ":" in name]
    return np.array([[float(line.split("\t")[i] or "nan") for i in places] for line in lines[1:]])


def test_a_bookmark_brings_back_what_was_seen(page: Any) -> None:
    page.call(
        "e.set({projection: 'tsne', dims: 3, color_by: 'size', label_by: 'group', selected: [4, 9],"
        " k: 7, thumbnails: false, labels: 'many', isolated: Array.from({length: 90}, (_, i) => 2 * i)})"
    )
    keys = ("projection", "dims", "color_by", "label_by", "selected", "k", "thumbnails", "isolated")
    before = state(page, *keys)
    place = positions(page)
    assert page.call("e.addBookmark('mine')") == 0
    page.call(
        "e.set({projection: 'pca', dims: 2, color_by: null, selected: [], k: 3, isolated: null})"
    )
    assert page.call("e.apply(0)") == []
    assert state(page, *keys) == before
    np.testing.assert_allclose(positions(page), place, atol=0.01)


def test_a_bookmark_brings_back_the_camera(page: Any) -> None:
    page.call("e.set({projection: 'pca', dims: 2})")
    plot = page.page.locator(".plot")
    page.page.wait_for_timeout(300)
    plot.focus()
    for _ in range(3):
        page.page.keyboard.press("+")
    page.page.wait_for_timeout(300)
    near = positions(page)
    page.call("e.addBookmark('near')")
    page.page.keyboard.press("0")
    page.page.wait_for_timeout(300)
    assert np.ptp(near[:, 0]) > 1.2 * np.ptp(positions(page)[:, 0])
    page.call("e.apply(0)")
    np.testing.assert_allclose(positions(page), near, atol=0.5)


def test_bookmarks_lists_them_and_an_index_that_is_not_there_throws(page: Any) -> None:
    page.call("e.addBookmark('one')")
    page.call("e.set({projection: 'custom', dims: 3, isolated: [1, 2, 3]})")
    page.call("e.addBookmark()")
    assert page.call("e.bookmarks()") == [
        {"label": "one", "projection": "pca", "title": "PCA", "dims": 2, "isolated": None},
        {"label": "View 2", "projection": "custom", "title": "Axes", "dims": 3, "isolated": 3},
    ]
    with pytest.raises(Error, match=r"bookmark 2 is not in 0 \.\. 1"):
        page.call("e.apply(2)")


def test_the_file_is_one_that_the_loaders_read(page: Any, tmp_path: Path) -> None:
    page.call("e.addBookmark('a')")
    page.call("e.set({projection: 'tsne', dims: 2, isolated: [5, 6, 7], selected: [7]})")
    page.call("e.addBookmark('b')")
    path = tmp_path / "marks.json"
    path.write_text(page.call("e.exportBookmarks()"), encoding="utf-8")
    found = read_bookmarks(path)
    assert [mark.label for mark in found] == ["a", "b"]
    assert found[1].view["filteredPoints"] == [5, 6, 7]
    assert found[1].view["selectedPoints"] == [2]
    assert found[1].view["dataSetDimensions"] == [3, 12]


def test_the_file_holds_the_coordinates_that_were_computed(
    page: Any, table: EmbeddingTable
) -> None:
    page.call("e.set({projection: 'tsne', dims: 2})")
    page.call("e.addBookmark('a')")
    points = file_of(page)[0]["projections"]
    pca = PCA().project(table).coordinates
    found = np.array([[point[f"pca-{c}"] for c in range(10)] for point in points])
    np.testing.assert_allclose(found, pca, rtol=1e-6, atol=1e-6)
    tsne = np.array(page.call("e.coordinates('tsne', 2)")).reshape(-1, 2)
    found = np.array([[point["tsne-0"], point["tsne-1"]] for point in points])
    np.testing.assert_array_equal(found.astype(np.float32), tsne.astype(np.float32))
    assert "tsne-2" not in points[0]


def test_another_page_shows_what_the_first_one_saved(
    open_page: Callable[..., Any], report: Path
) -> None:
    first = open_page(report)
    first.call(
        "e.set({projection: 'custom', dims: 2, axes: [{from: 'group:a', to: '/^w1\\\\d$/'}, {from: '', to: ''},"
        " {from: '', to: ''}], color_by: 'size', selected: [8], metric: 'cosine'})"
    )
    want = shown_coordinates(first)
    first.call("e.set({selected: [8]})")
    first.call("e.addBookmark('axes')")
    keys = ("projection", "dims", "axes", "color_by", "selected", "metric")
    second = open_page(report)
    assert load(second, first.call("e.exportBookmarks()")) == 1
    assert second.call("e.apply(0)") == []
    assert state(second, *keys) == state(first, *keys)
    np.testing.assert_allclose(shown_coordinates(second), want, rtol=1e-6)


def tensorboard_state(n: int = 300, d: int = 12, **more: Any) -> dict[str, Any]:
    """A view as TensorBoard saved them in 2017."""
    rng = np.random.default_rng(3)
    points = rng.normal(size=(n, 2)).round(4).tolist()
    return {
        "label": "from 2017",
        "isSelected": True,
        "tSNEIteration": 948,
        "tSNEPerplexity": 30,
        "tSNELearningRate": 1,
        "tSNEis3d": False,
        "pcaComponentDimensions": [0, 1, 2],
        "projections": [{"tsne-0": x, "tsne-1": y} for x, y in points],
        "selectedPoints": [3],
        "dataSetDimensions": [n, d],
        "filteredPoints": None,
        "cameraDef": {
            "orthographic": True,
            "position": [0, 0, 4],
            "target": [0, 0, 0],
            "zoom": 1.0526,
        },
        "selectedProjection": "tsne",
        "selectedColorOptionName": "group",
        "selectedLabelOption": "word",
        "customXLeftText": "",
        "customXRightText": "",
        "customYUpText": "",
        "customYDownText": "",
        **more,
    }


def test_coordinates_of_a_file_that_the_page_does_not_have_are_shown(page: Any) -> None:
    saved = tensorboard_state()
    load(page, [saved])
    page.call("e.apply(0)")
    assert state(page, "projection", "selected", "color_by", "label_by") == {
        "projection": "tsne", "selected": [3], "color_by": "group", "label_by": "word",
    }  # fmt: skip
    want = [[point["tsne-0"], point["tsne-1"]] for point in saved["projections"]]
    np.testing.assert_allclose(shown_coordinates(page), want, rtol=1e-6)
    expect(page.page.locator(".caption")).to_contain_text("placed by the bookmark")


def test_choosing_a_projection_leaves_the_coordinates_of_the_bookmark(page: Any) -> None:
    load(page, [tensorboard_state()])
    page.call("e.apply(0)")
    page.call("e.set({projection: 'tsne'})")
    own = np.array(page.call("e.coordinates('tsne', 2)")).reshape(-1, 2)
    np.testing.assert_allclose(shown_coordinates(page), own, rtol=1e-5)


def test_a_file_of_a_projection_that_no_tab_has_is_shown(page: Any) -> None:
    saved = tensorboard_state(selectedProjection="umap")
    saved["projections"] = [{"umap-0": i, "umap-1": -i} for i in range(300)]
    load(page, [saved])
    assert page.call("e.apply(0)") == []
    assert shown_coordinates(page)[7].tolist() == [7, -7]
    again = file_of(page)[0]
    assert again["selectedProjection"] == "umap"
    assert again["projections"] == saved["projections"]


def test_what_a_file_has_beyond_what_we_know_is_kept(page: Any) -> None:
    saved = tensorboard_state(somethingNew={"deep": [1, 2]})
    load(page, [saved])
    assert file_of(page) == [saved]


def test_an_isolated_view_of_a_file_isolates(page: Any) -> None:
    rows = list(range(10, 60, 5))
    saved = tensorboard_state(10, filteredPoints=rows, selectedPoints=[0, 2])
    load(page, [saved])
    page.call("e.apply(0)")
    assert state(page, "isolated", "selected") == {"isolated": rows, "selected": [10, 20]}
    want = [[point["tsne-0"], point["tsne-1"]] for point in saved["projections"]]
    np.testing.assert_allclose(shown_coordinates(page), want, rtol=1e-6)


def test_the_middle_and_the_zoom_of_a_file_are_seen(page: Any) -> None:
    saved = tensorboard_state()
    corners = [[-1, -1], [1, 1], [0, 0], [0.5, 0.5]] * 75
    saved["projections"] = [{"tsne-0": x, "tsne-1": y} for x, y in corners]
    saved["cameraDef"]["target"] = [0.5, 0.5, 0]
    saved["cameraDef"]["zoom"] = 4
    load(page, [saved])
    page.call("e.apply(0)")
    page.call("e.set({caption: false})")  # so that the middle is that of the whole plot
    page.page.wait_for_timeout(300)
    box = page.page.locator(".plot").bounding_box()
    found = positions(page)
    np.testing.assert_allclose(found[3], [box["width"] / 2, box["height"] / 2], atol=2)
    # 1.2 cube units along the shorter side at zoom 1: half of it over 4 on each side.
    scale = (found[1, 0] - found[3, 0]) / 0.5
    assert scale == pytest.approx(min(box["width"], box["height"]) / 2 / (1.2 / 4), rel=0.05)


@pytest.mark.parametrize(
    ("states", "message"),
    [
        ([tensorboard_state(300, 13)], "saved from data of 300 × 13, this is 300 × 12"),
        ([tensorboard_state(200, 12)], "saved from data of 200 × 12"),
        ([tensorboard_state(selectedPoints=[300])], "selectedPoints names point 300"),
        ("[{", "not JSON"),
        ("{}", "not a list of saved views"),
        ("[17]", "not a saved view"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_a_reason(
    page: Any, states: Any, message: str
) -> None:
    page.call("e.addBookmark('mine')")
    with pytest.raises(Error, match=message):
        load(page, states)
    assert [mark["label"] for mark in page.call("e.bookmarks()")] == ["mine"]


def test_hostile_labels_and_our_own_key_do_nothing(page: Any) -> None:
    text = "<img src=x onerror=window.hurt=1>"
    own = {
        "view": {"projection": "__proto__", "k": -5, "dark": True, "labels": text, "help": True,
                 "selected": [1e9], "query": "/(/", "hidden": "x", "tool": "box"},
        "camera": {"dims": 2, "x": ["a", 2], "y": None}, "n_points": "many", "projection": text,
        "dims": 99,
    }  # fmt: skip
    load(page, [tensorboard_state(label=text, embviz=own), tensorboard_state(embviz=text)][:1])
    before = state(page, "k", "labels", "hidden", "tool", "help", "theme")
    page.call("e.apply(0)")
    page.page.wait_for_timeout(200)
    assert state(page, "k", "labels", "hidden", "tool", "help", "theme") == before
    assert page.page.evaluate("() => window.hurt") is None
    expect(page.page.locator(".bookmark-name")).to_have_text(text)
    assert page.complaints == []


def test_bookmarks_that_came_with_the_source_are_there(
    open_page: Callable[..., Any], table: EmbeddingTable, tmp_path: Path
) -> None:
    path = tmp_path / "out.html"
    marks = (
        Bookmark("2017", tensorboard_state()),
        Bookmark("other", tensorboard_state(7, 12)),
    )
    write_report(path, replace(table, bookmarks=marks), [PCA().project(table)])
    page = open_page(path)
    assert [mark["label"] for mark in page.call("e.bookmarks()")] == ["2017"]
    expect(page.page.locator(".message")).to_contain_text("saved from data of 7 × 12")
    page.call("e.apply(0)")
    assert shown_coordinates(page).shape == (300, 2)


def test_a_part_of_the_source_finds_the_points_of_the_whole_by_their_rows(
    open_page: Callable[..., Any], table: EmbeddingTable, tmp_path: Path
) -> None:
    saved = tensorboard_state()
    part = replace(table.take([3, 10, 20, 30, 250]), bookmarks=(Bookmark("whole", saved),))
    path = tmp_path / "out.html"
    write_report(path, part, [PCA().project(part)], total_points=300)
    page = open_page(path)
    assert page.call("e.apply(0)") == ["295 of its points are not in this page"]
    want = [list(saved["projections"][row].values()) for row in (3, 10, 20, 30, 250)]
    np.testing.assert_allclose(shown_coordinates(page), want, rtol=1e-6)


@pytest.mark.everywhere
def test_the_list_is_kept_by_hand_and_by_keyboard(page: Any) -> None:
    names = page.page.locator(".bookmark-name")
    for name in ("one", "two"):
        page.page.get_by_role("button", name="Bookmark this view (m)").click()
        page.page.keyboard.type(name)
        page.page.keyboard.press("Enter")
    expect(names).to_have_text(["one", "two"])
    focused = page.page.locator("button.bookmark:focus")
    expect(focused).to_contain_text("two")
    page.page.keyboard.press("Alt+ArrowUp")
    expect(names).to_have_text(["two", "one"])
    expect(focused).to_contain_text("two")
    page.page.keyboard.press("F2")
    page.page.keyboard.type("three")
    page.page.keyboard.press("Escape")
    expect(names).to_have_text(["two", "one"])
    page.page.keyboard.press("F2")
    page.page.keyboard.type("three")
    page.page.keyboard.press("Enter")
    expect(names).to_have_text(["three", "one"])
    page.page.keyboard.press("Delete")
    expect(names).to_have_text(["one"])
    page.page.locator(".bookmark-row").hover()
    page.page.get_by_role("button", name="Delete one").click()
    expect(page.page.locator(".bookmark")).to_have_count(0)


def test_keys_step_through_the_bookmarks(page: Any) -> None:
    for dims in (2, 3):
        page.call(f"e.set({{dims: {dims}}})")
        page.call(f"e.addBookmark('{dims}')")
    page.page.locator(".plot").focus()
    found = []
    for key in (".", ".", ",", "m"):
        page.page.keyboard.press(key)
        found.append(state(page, "dims")["dims"])
    assert found == [2, 3, 2, 2]
    assert len(page.call("e.bookmarks()")) == 3


@pytest.mark.also("firefox")
def test_a_file_is_downloaded_and_loaded_by_button_and_drop(
    open_page: Callable[..., Any], report: Path, tmp_path: Path
) -> None:
    page = open_page(report)
    page.call("e.addBookmark('mine')")
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="Download the bookmarks").click()
    assert download.value.suggested_filename == "Blobs-bookmarks.json"
    path = tmp_path / "marks.json"
    download.value.save_as(path)
    assert path.read_text(encoding="utf-8") == page.call("e.exportBookmarks()")
    page.page.locator("input[type=file]").set_input_files(path)
    expect(page.page.locator(".bookmark-name")).to_have_text(["mine", "mine"])
    expect(page.page.locator(".message")).to_have_text("marks.json: 1 bookmark")
    page.page.evaluate(
        "(text) => { const data = new DataTransfer(); data.items.add(new File([text], 'x.txt'));"
        " document.body.dispatchEvent(new DragEvent('drop',"
        " {dataTransfer: data, bubbles: true, cancelable: true})); }",
        "[{]",
    )
    expect(page.page.locator(".message")).to_contain_text("x.txt: not JSON")
    assert page.complaints == []
