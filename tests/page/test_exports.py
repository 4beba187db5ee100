"""Exports: pictures and tables of what is seen."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import expect

from embviz import PCA, EmbeddingTable, write_report

HEAD = 56
"""How much the title of a saved picture takes above it, in CSS pixels."""
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def page(open_page: Callable[..., Any], report: Path) -> Any:
    return open_page(report)


def save(page: Any, item: str) -> tuple[str, bytes]:
    page.page.get_by_role("button", name="Save pictures and points").click()
    with page.page.expect_download() as download:
        page.page.get_by_role("menuitem", name=item).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def plot_part(page: Any, data: bytes) -> NDArray[np.int64]:
    """What a saved picture has of the plot, without what stands around it."""
    box = page.page.locator(".plot").first.bounding_box()
    width, height = round(2 * box["width"]), round(2 * box["height"])
    whole = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.int64)
    return whole[2 * HEAD : 2 * HEAD + height, :width]


def lines(data: bytes) -> list[list[str]]:
    text = data.decode("utf-8")
    assert text.endswith("\n")
    return [line.split("\t") for line in text[:-1].split("\n")]


@pytest.mark.everywhere
def test_points_are_saved_with_coordinates_and_metadata(page: Any, table: EmbeddingTable) -> None:
    page.call("e.set({dims: 3})")
    name, data = save(page, "Points shown, TSV (300)")
    assert name == "Blobs-points.tsv"
    head, *rows = lines(data)
    assert head == ["row", "pca_3:1", "pca_3:2", "pca_3:3", "word", "group", "size"]
    found = np.array([[float(x) for x in row[1:4]] for row in rows])
    np.testing.assert_allclose(found, PCA().project(table).coordinates[:, :3], rtol=1e-6, atol=1e-6)
    assert [row[0] for row in rows] == [str(i) for i in range(300)]
    for column, i in (("word", 4), ("group", 5), ("size", 6)):
        assert [row[i] for row in rows] == list(table.metadata[column])


def test_export_points_takes_the_selected_else_those_shown(page: Any) -> None:
    rows = "e.exportPoints().trim().split('\\n').slice(1).map(line => Number(line.split('\\t')[0]))"
    page.call("e.set({isolated: [5, 7, 9]})")
    assert page.call(rows) == [5, 7, 9]
    page.call("e.set({selected: [9, 2]})")
    assert page.call(rows) == [9, 2]


def test_the_names_of_the_components_are_those_shown(page: Any) -> None:
    page.call("e.set({dims: 2, components: [4, 2, 0]})")
    assert page.call("e.exportPoints().split('\\n')[0]").split("\t")[1:3] == ["pca_2:5", "pca_2:3"]


def test_tabs_and_line_ends_in_metadata_are_escaped(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    words = ("a\tb", "c\nd", "e\\f", "g\r")
    vectors = np.eye(4, 3, dtype=np.float32)
    table = EmbeddingTable(vectors, {"a\tname": words}, source="x.npy")
    write_report(tmp_path / "out.html", table, [PCA().project(table)], label_by="a\tname")
    page = open_page(tmp_path / "out.html")
    head, *rows = lines(page.call("e.exportPoints()").encode())
    assert head[-1] == "a\\tname"
    assert [row[-1] for row in rows] == ["a\\tb", "c\\nd", "e\\\\f", "g\\r"]
    assert {len(row) for row in rows} == {len(head)}


def test_neighbors_of_the_selected_are_saved(page: Any) -> None:
    page.call("e.set({selected: [3, 8], k: 4, metric: 'euclidean'})")
    name, data = save(page, "Neighbors of the selected, TSV")
    assert name == "Blobs-neighbors.tsv"
    head, *rows = lines(data)
    assert head[-1] == "euclidean_distance"
    assert [row[0] for row in rows] == ["3"] * 4 + ["8"] * 4
    for row in (3, 8):
        want = page.call(f"e.neighbors({row}, 4, 'euclidean')")
        mine = [line for line in rows if line[0] == str(row)]
        assert [int(line[3]) for line in mine] == want["indices"]
        assert [line[4] for line in mine] == [f"w{i}" for i in want["indices"]]
        np.testing.assert_array_equal(
            np.array([float(line[5]) for line in mine], np.float32),
            np.array(want["distances"], np.float32),
        )


def test_the_picture_has_twice_the_pixels_of_the_screen(page: Any) -> None:
    page.page.wait_for_timeout(500)
    name, data = save(page, "Picture, PNG")
    assert name == "Blobs-pca.png"
    image = Image.open(io.BytesIO(data)).convert("RGB")
    box = page.page.locator(".plot").bounding_box()
    width, height = round(2 * box["width"]), round(2 * box["height"])
    assert image.width > width
    assert image.height > height
    # The same picture as on the screen, where nothing lies over it.
    image = image.crop((0, 2 * HEAD, width, 2 * HEAD + height))
    screen = Image.open(io.BytesIO(page.page.locator(".plot").screenshot())).convert("RGB")
    small = image.resize(screen.size, Image.Resampling.BOX)
    difference = np.abs(np.asarray(small, int) - np.asarray(screen, int))[100:-60, 60:-30]
    assert difference.mean() < 4


@pytest.mark.everywhere
@pytest.mark.parametrize("dims", [2, 3])
def test_the_svg_has_every_point_where_it_is_seen(page: Any, dims: int) -> None:
    page.call(f"e.set({{dims: {dims}, thumbnails: false, labels: 'many'}})")
    page.page.wait_for_timeout(600)
    name, data = save(page, "Picture, SVG")
    assert name == "Blobs-pca.svg"
    root = ET.fromstring(data)
    circles = [
        (float(c.get("cx", "nan")), float(c.get("cy", "nan"))) for c in root.iter(f"{SVG}circle")
    ]
    want = np.array(page.call("e.screenPositions()")).reshape(-1, 2)
    assert len(circles) == 300
    np.testing.assert_allclose(
        np.array(sorted(circles)), np.array(sorted(map(tuple, want.round(2).tolist()))), atol=0.011
    )
    texts = {text.text for text in root.iter(f"{SVG}text")}
    assert len(texts & {f"w{i}" for i in range(300)}) > 30
    colors = {c.get("fill") for c in root.iter(f"{SVG}circle")}
    assert len(colors) == 5


@pytest.mark.also("firefox")
def test_the_svg_has_the_thumbnails(page: Any, browser: Any) -> None:
    page.page.wait_for_timeout(500)
    _, data = save(page, "Picture, SVG")
    root = ET.fromstring(data)
    tiles = [svg for svg in root.iter(f"{SVG}svg") if svg.get("viewBox") and svg is not root]
    assert len(tiles) == 300
    images = [image.get("href", "") for image in root.iter(f"{SVG}image")]
    assert len(images) == 1
    assert images[0].startswith("data:image/png;base64,")
    # Another program sees what the page shows.
    box = page.page.locator(".plot").bounding_box()
    size = {"width": round(box["width"]) + 300, "height": round(box["height"]) + HEAD}
    other = browser.new_page(viewport=size)
    other.set_content(f"<style>body{{margin:0}}</style>{data.decode().split('?>')[1]}")
    drawn = Image.open(io.BytesIO(other.screenshot())).convert("RGB")
    other.close()
    drawn = drawn.crop((0, HEAD, round(box["width"]), HEAD + round(box["height"])))
    screen = Image.open(io.BytesIO(page.page.locator(".plot").screenshot())).convert("RGB")
    difference = np.abs(np.asarray(drawn.resize(screen.size), int) - np.asarray(screen, int))[
        100:-60, 60:-30
    ]
    assert difference.mean() < 6


def texts(data: bytes) -> list[str]:
    return [text.text or "" for text in ET.fromstring(data).iter(f"{SVG}text")]


def test_a_saved_picture_says_what_it_shows_and_what_its_colors_mean(page: Any) -> None:
    page.call("e.set({projection: 'tsne', dims: 2, labels: 'none', hidden: [1]})")
    said = texts(save(page, "Picture, SVG")[1])
    assert "Blobs" in said
    assert "t-SNE, 2D · 300 points · 12 dimensions" in said
    at = said.index("group")
    assert said[at + 1 : at + 9] == ["60", "a", "60", "c", "60", "d", "60", "e"]
    assert any(re.fullmatch(r"[\d,.]+ units? of the coordinates", text) for text in said)


def test_the_bar_of_a_saved_map_is_as_long_as_it_says(page: Any) -> None:
    page.call("e.set({projection: 'tsne', dims: 2, thumbnails: false, labels: 'none'})")
    page.page.wait_for_timeout(500)
    data = save(page, "Picture, SVG")[1]
    said = next(text for text in texts(data) if text.endswith("of the coordinates"))
    bars = re.findall(rb'<path d="M16 [\d.]+L([\d.]+) ', data)
    units, long = float(said.split()[0].replace(",", "")), max(map(float, bars)) - 16
    places = np.array(page.call("e.screenPositions()")).reshape(-1, 2)
    coordinates = np.array(page.call("e.coordinates('tsne', 2)")).reshape(-1, 2)
    assert np.ptp(places[:, 0]) / np.ptp(coordinates[:, 0]) == pytest.approx(long / units, rel=0.02)


def test_a_saved_gradient_says_its_ends(page: Any) -> None:
    page.call("e.set({color_by: 'size', color_as: 'gradient', dims: 2, labels: 'none'})")
    said = texts(save(page, "Picture, SVG")[1])
    at = said.index("size")
    assert said[at + 1 : at + 5] == ["0", "29.9", "1", "missing"]
    assert not any("of the coordinates" in text for text in said), "its axes have numbers"


def test_points_of_one_color_need_no_legend(page: Any) -> None:
    page.call("e.set({color_by: null})")
    page.page.wait_for_timeout(300)
    _, data = save(page, "Picture, PNG")
    box = page.page.locator(".plot").bounding_box()
    width, height = Image.open(io.BytesIO(data)).size
    assert (width, height) == (round(2 * box["width"]), round(2 * (box["height"] + HEAD)))


@pytest.mark.parametrize("title", ["words.npy", "words"])
def test_files_are_named_after_the_title_without_the_ending_of_its_file(
    open_page: Callable[..., Any], tmp_path: Path, title: str
) -> None:
    table = EmbeddingTable(np.eye(4, 3, dtype=np.float32), {"word": tuple("abcd")}, "words", "words.npy")  # fmt: skip
    write_report(tmp_path / "out.html", table, [PCA().project(table)], title=title)
    page = open_page(tmp_path / "out.html")
    assert save(page, "Picture, SVG")[0] == "words-pca.svg"
    assert page.page.locator(".bar .source").inner_text() == ""
    page.call("e.select([0])")
    page.page.get_by_label("Tags").locator("summary").click()
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="Save the metadata").click()
    assert download.value.suggested_filename == "words-metadata.tsv"


def test_hostile_labels_are_text_in_the_svg(open_page: Callable[..., Any], tmp_path: Path) -> None:
    words = (
        "</text><script>window.hurt=1</script>",
        '"><image href="http://x.example/"/>',
        "&amp;",
        "\x00\x01",
    )
    table = EmbeddingTable(np.eye(4, 3, dtype=np.float32), {"word": words}, source="x.npy")
    path = tmp_path / "out.html"
    write_report(path, table, [PCA().project(table)], title="<script>t</script>")
    page = open_page(path)
    page.call("e.set({labels: 'many'})")
    page.page.wait_for_timeout(500)
    _, data = save(page, "Picture, SVG")
    root = ET.fromstring(data)
    kinds = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert kinds <= {"svg", "title", "defs", "clipPath", "rect", "g", "circle", "text", "path"}
    assert any("<script>" in (text.text or "") for text in root.iter(f"{SVG}text"))
    assert not re.search(rb"<script|http://x", data.replace(b"&quot;", b'"').split(b"<svg")[0])


def test_the_menu_is_worked_by_keyboard(page: Any) -> None:
    button = page.page.get_by_role("button", name="Save pictures and points")
    button.focus()
    page.page.keyboard.press("Enter")
    items = page.page.get_by_role("menuitem")
    expect(items.nth(0)).to_be_focused()
    page.page.keyboard.press("ArrowUp")
    expect(items.nth(5)).to_be_focused()
    page.page.keyboard.press("Home")
    page.page.keyboard.press("ArrowDown")
    expect(items.nth(1)).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "true")
    page.page.keyboard.press("Escape")
    expect(button).to_be_focused()
    expect(page.page.get_by_role("menu")).to_be_hidden()


def test_what_needs_a_selection_says_so(page: Any) -> None:
    page.page.get_by_role("button", name="Save pictures and points").click()
    item = page.page.get_by_role("menuitem", name="Selected points, TSV (0)")
    expect(item).to_have_attribute("aria-disabled", "true")
    expect(item).to_have_attribute("title", "Select points first")


def test_the_nearer_a_neighbor_the_stronger_its_ring(page: Any) -> None:
    page.call("e.set({projection: 'pca', dims: 2, selected: [4], k: 12, thumbnails: false})")
    page.page.wait_for_timeout(300)
    _, data = save(page, "Picture, SVG")
    places = np.array(page.call("e.screenPositions()")).reshape(-1, 2)
    found = page.call("e.neighbors(4, 12, e.view().metric)")
    circles = np.array(
        [
            [float(c.get(key, "nan")) for key in ("cx", "cy", "r")]
            for c in ET.fromstring(data).iter(f"{SVG}circle")
        ]
    )
    rings = []
    for row in found["indices"]:
        near = np.hypot(*(circles[:, :2] - places[row]).T) < 0.02
        rings.append(circles[near, 2].max())
    distances = np.array(found["distances"])
    level = np.minimum(3, 4 * (distances - distances[0]) // np.ptp(distances))
    want = np.array([2.5, 1.5, 1.5, 1.0])[level.astype(int)]
    np.testing.assert_allclose(np.array(rings) - rings[-1], want - want[-1], atol=0.02)
    assert rings[0] > rings[-1]
