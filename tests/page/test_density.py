"""A page of a sample: the density of all points under it, and what is said of both."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.page.sampled import HIGH, LOW, N_ALL, SHAPE, counts, density, write_sample
from tests.page.test_exports import save

ALL = "All 50,000 points"
WRITTEN = """() => { window.written = [];
  const write = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
    window.written.push(text); return write.call(this, text, ...rest); }; }"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("sample") / "out.html", density())


@pytest.fixture
def page(open_page: Callable[..., Any], report: Path) -> Any:
    return open_page(report, reduced_motion="reduce")


def place_of(page: Any, u: float, v: float) -> tuple[float, float]:
    """Where a place in cells is on the screen, by two points whose places are known."""
    xy = np.reshape(page.page.evaluate("() => [...embviz.screenPositions()]"), (-1, 2))
    first, last = np.array([7.9, 5.9]), np.array([-7.9 + 15.8 / 239, -5.9])
    k = (xy[0] - xy[1]) / (first - last)
    cell = (HIGH - LOW) / (SHAPE[1], SHAPE[0])
    at = xy[0] + k * (LOW + np.array([u, v]) * cell - first)
    box = page.page.locator(".plot").bounding_box()
    return box["x"] + at[0], box["y"] + at[1]


def gray_at(page: Any, u: int, v: int) -> int:
    x, y = place_of(page, u + 0.5, v + 0.5)
    shot = page.page.screenshot(clip={"x": round(x), "y": round(y), "width": 1, "height": 1})
    red, green, blue = Image.open(io.BytesIO(shot)).convert("RGB").getpixel((0, 0))
    assert max(red, green, blue) - min(red, green, blue) <= 6
    return int(green)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_cell_is_the_grayer_the_more_points_lie_in_it(
    open_page: Callable[..., Any], report: Path, scheme: str
) -> None:
    page = open_page(report, reduced_motion="reduce", color_scheme=scheme)
    expect(page.page.get_by_label(ALL)).to_be_checked()
    cells = [(u, v) for u in range(2, 14, 2) for v in range(3, 10, 2)]
    grays = np.array([gray_at(page, *cell) for cell in cells])
    there = np.array([counts()[v, u] for u, v in cells])
    ground = 255 if scheme == "light" else 20
    assert set(np.abs(grays[there == 0] - ground)) <= {0, 1, 2}
    away = np.abs(grays - ground)[np.argsort(there, kind="stable")]
    assert (np.diff(away[(there == 0).sum() :]) >= -1).all()
    assert away[(there == 0).sum()] >= 6
    page.page.get_by_label(ALL).uncheck()
    assert {abs(gray_at(page, *cell) - ground) for cell in cells[:4]} <= {0, 1, 2}


@pytest.mark.parametrize(("u", "v"), [(6, 5), (9, 9), (1, 10)])
def test_pointing_beside_the_points_says_how_many_lie_in_the_cell(
    page: Any, u: int, v: int
) -> None:
    page.page.evaluate(WRITTEN)
    page.page.mouse.move(*place_of(page, u + 0.5, v + 0.5))
    said = f"{counts()[v, u]:,} of 50,000 points in this cell"
    page.page.wait_for_function("(text) => window.written.includes(text)", arg=said)
    page.page.get_by_label(ALL).uncheck()
    page.page.evaluate("() => { window.written = []; }")
    page.page.mouse.move(*place_of(page, 6.2, 5.2))
    page.page.wait_for_timeout(100)
    assert not [text for text in page.page.evaluate("() => written") if "this cell" in text]


def test_the_cross_hair_of_the_keys_tells_the_count_below_it(page: Any) -> None:
    page.page.locator(".plot").focus()
    page.page.keyboard.press("b")
    page.page.keyboard.press("ArrowUp")
    expect(page.page.locator(".told")).to_have_text(re.compile(r"of 50,000 points in this cell$"))


def test_a_density_is_drawn_in_its_own_picture_in_2d_alone(page: Any) -> None:
    box = page.page.get_by_label(ALL)
    ground = gray_at(page, 6, 5)
    for patch, why in (
        ("{dims: 3}", "The density of all points is drawn in 2D"),
        ("{projection: 'pca', dims: 2}", "The density of all points is of t-SNE, in 2D"),
    ):
        page.call(f"e.set({patch})")
        expect(box).to_be_disabled()
        expect(page.page.locator(".toggle", has=box)).to_have_attribute("title", why)
        svg = save(page, "Picture, SVG")[1].decode()
        assert "<image" not in svg
        assert "a cell" not in svg
    page.call("e.set({projection: 'tsne', dims: 2})")
    expect(box).to_be_enabled()
    assert gray_at(page, 6, 5) == ground


def test_a_density_of_components_goes_where_others_are_shown(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    path = write_sample(tmp_path / "out.html", density("pca"), first="pca")
    page = open_page(path)
    box = page.page.get_by_label(ALL)
    expect(box).to_be_enabled()
    for away, back in (
        ("{components: [1, 2]}", "{components: [0, 1, 2]}"),
        ("{spherize: true}", "{spherize: false}"),
        ("{isolated: [1, 2, 3, 50]}", "{isolated: null}"),
    ):
        page.call(f"e.set({away})")
        expect(box).to_be_disabled()
        page.call(f"e.set({back})")
        expect(box).to_be_enabled()


def test_the_picture_is_saved_with_its_density(page: Any) -> None:
    svg = save(page, "Picture, SVG")[1].decode()
    found = re.search(r'<image href="data:image/png;base64,([^"]+)"', svg)
    assert found
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(found[1]))).convert("RGBA"))
    assert len(np.unique(pixels[..., 3])) > 20
    assert "points a cell" in svg
    images = []
    for shown in (True, False):
        page.call(f"e.set({{density: {'true' if shown else 'false'}}})")
        data = save(page, "Picture, PNG")[1]
        images.append(np.asarray(Image.open(io.BytesIO(data)).convert("L"), int))
    assert (np.abs(images[0] - images[1]) > 4).mean() > 0.1


def test_links_and_bookmarks_keep_whether_a_density_is_shown(page: Any, report: Path) -> None:
    assert page.call("e.view().density") is True
    page.call("e.addBookmark('with')")
    page.page.get_by_label(ALL).uncheck()
    page.call("e.addBookmark('without')")
    page.page.wait_for_function("() => /\\bde=0\\b/.test(location.hash)")
    page.call("e.apply(0)")
    expect(page.page.get_by_label(ALL)).to_be_checked()
    page.call("e.apply(1)")
    expect(page.page.get_by_label(ALL)).not_to_be_checked()
    link = page.page.url
    page.page.goto("about:blank")
    page.page.goto(link)
    page.page.evaluate("() => embviz.ready")
    expect(page.page.get_by_label(ALL)).not_to_be_checked()


def test_what_is_counted_is_said_to_be_of_the_sample(page: Any) -> None:
    rare = page.page.get_by_role("button", name="rare")
    expect(rare).to_have_text(re.compile(r"rare.*≈ 120 / ?60$"))
    title = rare.locator(".estimate").get_attribute("title")
    assert title.startswith("≈ 120. An estimate of how many they are of all 50,000 points")
    expect(page.page.get_by_role("button", name="usual")).to_have_text(re.compile("≈ 27K / ?180$"))
    page.call("e.set({query: 'kind:rare'})")
    expect(page.page.get_by_text("60 matches ≈ 120 of all")).to_be_visible()
    page.call("e.set({query: '', selected: [5]})")
    among = "Nearest among the 240 points of the sample"
    expect(page.page.get_by_text(among)).to_be_visible()
    assert "240 of 50,000 points" in page.page.locator(".bar").inner_text()


def test_points_that_all_stand_for_as_many_have_estimates_too(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    page = open_page(write_sample(tmp_path / "out.html", weighted=False))
    usual = page.page.get_by_role("button", name="usual")
    expect(usual).to_have_text(re.compile(r"≈ 38K / ?180$"))  # 180 of 240 of 50,000 are 37,500.
    assert "their share of the sample" in usual.locator(".estimate").get_attribute("title")
    assert not page.page.get_by_label(re.compile("^All .* points$")).is_visible()


def test_how_to_read_the_picture_explains_sample_weights_and_density(page: Any) -> None:
    page.call("e.set({help: true})")
    text = page.page.get_by_role("dialog").inner_text()
    for words in (
        "The points are a sample: 240 of 50,000.",
        "the nearest of a point are the nearest among these 240",
        "Each point stands for as many as its weight says (column “weight”).",
        "The grays count all 50,000 points. A cell of a grid is the grayer",
    ):
        assert words in text


def test_the_caption_and_the_tree_say_what_the_points_are(page: Any) -> None:
    caption = page.page.locator("#caption-0")
    both = "A sample of 240 of 50,000 points. The grays count all 50,000 points."
    expect(caption).to_contain_text(both)
    page.call("e.set({dims: 3})")
    expect(caption).to_contain_text("all 50,000 points lie is drawn in 2D only")
    page.call("e.set({dims: 2, density: false})")
    expect(caption).to_contain_text("A sample of 240 of 50,000 points.")
    expect(caption).not_to_contain_text("grays")
    page.page.keyboard.press("r")
    said = "240 of 50,000 points of 6 dimensions, drawn as t-SNE in 2D, over the density of all"
    expect(page.page.locator(".said")).to_contain_text(said)


def test_far_out_a_pixel_tells_of_all_its_cells(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    shape = (1500, 2000)
    page = open_page(write_sample(tmp_path / "out.html", density("tsne", shape)))
    page.page.evaluate(WRITTEN)
    page.page.mouse.move(*place_of(page, 6.5, 5.5))
    found = page.page.wait_for_function(
        "() => written.find((text) => /points in these \\d+ × \\d+ cells/.test(text))"
    ).json_value()
    assert 0 < int(found.split(" of ")[0].replace(",", "")) < counts(shape).max() * 25
    assert save(page, "Picture, SVG")[1].decode().count("points a pixel") == 1


def test_a_page_whose_density_is_damaged_shows_the_rest(
    open_page: Callable[..., Any], report: Path, tmp_path: Path
) -> None:
    text = report.read_text(encoding="utf-8")
    path = tmp_path / "out.html"
    path.write_text(re.sub(r'(id="block-density_0">)[^<]{40}', r"\1", text), encoding="utf-8")
    page = open_page(path)
    expect(page.page.get_by_text("the density of all points is not drawn")).to_be_visible()
    assert len(page.call("e.coordinates('tsne', 2)")) == 480


def test_a_page_of_all_points_says_nothing_of_a_sample(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    from embviz import write_report
    from tests.page.sampled import pictures, points

    table = points()
    write_report(tmp_path / "out.html", table, pictures(table), first="tsne", color_by="kind")
    page = open_page(tmp_path / "out.html")
    assert page.call("e.view().density") is False
    page.call("e.set({help: true})")
    text = page.page.locator("body").inner_text()
    for word in ("≈", "sample", str(N_ALL), "grays"):
        assert word not in text
