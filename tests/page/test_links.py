"""Links: the view in the URL's fragment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

KEYS = ("projection", "dims", "selected", "isolated", "color_by", "k", "query", "axes")


@pytest.fixture
def page(open_page: Callable[..., Any], report: Path) -> Any:
    return open_page(report)


def view(page: Any, *keys: str) -> dict[str, Any]:
    found = page.call("e.view()")
    return {key: found[key] for key in keys or KEYS}


def fragment(page: Any) -> str:
    """The fragment, once it has not changed for a while."""
    found = page.page.evaluate(
        "async () => { let last = null; for (let same = 0; same < 6;) {"
        " await new Promise(done => setTimeout(done, 100));"
        " same = location.hash === last ? same + 1 : 0; last = location.hash; } return last; }"
    )
    return str(found)


def open_link(open_page: Callable[..., Any], report: Path, link: str, plotly: bool = False) -> Any:
    page = open_page(report, plotly=plotly)
    page.page.goto("about:blank")
    page.page.goto(f"{report.resolve().as_uri()}{link}")
    page.page.evaluate("() => window.embviz.ready")
    return page


def test_the_first_view_has_no_fragment(page: Any) -> None:
    assert fragment(page) == ""


@pytest.mark.parametrize(
    "patch",
    [
        "{projection: 'tsne', dims: 3, selected: [4, 9], color_by: 'size', k: 25}",
        "{isolated: [1, 2, 3, 50], query: 'group:a'}",
        "{projection: 'custom', dims: 2, axes: [{from: '=w3', to: '/^w2/'}, {from: '', to: ''},"
        " {from: '', to: ''}]}",
        "{projection: 'pca', dims: 3, components: [3, 1, 0], labels: 'many', thumbnails: false}",
        "{color_by: null, label_by: 'group', metric: 'cosine', spherize: true}",
        "{projection: 'tsne', dims: 2, frame: 2}",
    ],
)
def test_a_link_shows_what_its_sender_saw(
    page: Any, open_page: Callable[..., Any], report: Path, patch: str
) -> None:
    page.call(f"e.set({patch})")
    link = fragment(page)
    assert 2 < len(link) < 120
    other = open_link(open_page, report, link)
    assert other.call("e.view()") == page.call("e.view()")
    assert other.call("e.screenPositions()") == pytest.approx(
        page.call("e.screenPositions()"), abs=0.02, nan_ok=True
    )
    assert [text for text in other.complaints if not text.startswith("Canvas2D")] == []


def test_a_link_shows_the_place_and_zoom(open_page: Callable[..., Any], report: Path) -> None:
    page = open_page(report, plotly=True)
    page.page.locator(".plot").focus()
    for key in ("+", "+", "ArrowRight", "ArrowRight"):
        page.page.keyboard.press(key)
        page.page.wait_for_timeout(60)
    link = fragment(page)
    assert link.startswith("#v=2_")
    other = open_link(open_page, report, link, plotly=True)
    other.page.wait_for_timeout(300)
    assert other.call("e.screenPositions()") == pytest.approx(
        page.call("e.screenPositions()"), abs=0.5
    )
    page.page.keyboard.press("0")
    assert fragment(page) == ""


@pytest.mark.everywhere
def test_back_and_forward_go_through_the_views(page: Any) -> None:
    for patch in ("{projection: 'tsne', dims: 2}", "{selected: [7]}"):
        page.call(f"e.set({patch})")
        fragment(page)
    want = [("pca", []), ("tsne", []), ("tsne", [7])]
    found = []
    for step in ("back", "back", "forward", "forward"):
        page.page.evaluate(f"() => history.{step}()")
        page.page.wait_for_timeout(300)
        now = view(page, "projection", "selected")
        found.append((now["projection"], now["selected"]))
    assert found == [want[1], want[0], want[1], want[2]]


def test_typing_a_query_is_one_step(page: Any) -> None:
    before = page.page.evaluate("() => history.length")
    page.page.get_by_role("searchbox").press_sequentially("w12", delay=400)
    assert fragment(page) == "#q=w12"
    assert page.page.evaluate("() => history.length") == before + 1
    page.page.go_back()
    page.page.wait_for_timeout(150)
    assert view(page, "query", "selected") == {"query": "", "selected": []}


@pytest.mark.parametrize(
    "link",
    [
        "#section", "#p=umap", "#p=__proto__&d=7", "#s=zzzzzz", "#v=3_1_1_1_1_1_1_1_1_1",
        "#q=%FF", "#in=<img>", "#a=%3Cscript%3E", "#s=0-7t", "#h=9.x", "#d=3&p=tsne&d=9",
        "#k=constructor&l=toString",
    ],
)  # fmt: skip
def test_a_fragment_that_is_not_a_view_does_no_harm(
    open_page: Callable[..., Any], report: Path, link: str
) -> None:
    page = open_link(open_page, report, link)
    assert page.call("e.table.n_points") == 300
    assert page.complaints == []


def test_what_does_not_fit_is_left_out_and_told(
    open_page: Callable[..., Any], report: Path
) -> None:
    page = open_link(open_page, report, "#p=nosuch&n=12&d=3&f=2&k=gone&as=log&h=1&v=2_0_1_0_1")
    assert view(page, "projection", "dims", "k", "color_by", "color_as", "hidden", "frame") == {
        "projection": "pca", "dims": 2, "k": 12, "color_by": "group", "color_as": "auto",
        "hidden": [], "frame": None,
    }  # fmt: skip
    expect(page.page.locator(".message")).to_have_text(
        "Part of the link does not fit this page and was left out: the projection "
        "and the column of the colors"
    )
    page.call("e.set({k: 13})")
    assert fragment(page) == "#n=13", "nor is the camera that goes with the projection"


@pytest.mark.parametrize(
    "link", ["#p=tsne&s=9999", "#d=3&zz=1", "#section", "#q=%FF&k=size", "#c=0.x&n=5", "#n=1e999"]
)
def test_a_damaged_link_is_refused_and_changes_nothing(page: Any, link: str) -> None:
    page.call("e.set({projection: 'tsne', dims: 2, selected: [3], k: 7})")
    fragment(page)
    before = page.call("e.view()")
    positions = page.call("e.screenPositions()")
    page.page.evaluate(f"() => {{ location.hash = {link!r}; }}")
    expect(page.page.locator(".message")).to_contain_text("damaged and was not followed")
    page.page.wait_for_timeout(200)
    assert page.call("e.view()") == before
    assert page.call("e.screenPositions()") == positions


def test_a_link_to_other_data_than_the_view_before_opens_as_the_page_does(page: Any) -> None:
    page.call("e.set({color_by: 'size', color_as: 'log', label_by: 'group'})")
    fragment(page)
    page.page.evaluate("() => { location.hash = '#k=gone&l=gone'; }")
    page.page.wait_for_timeout(300)
    assert view(page, "color_by", "label_by") == {"color_by": "group", "label_by": "word"}


@pytest.mark.also("firefox")
def test_a_3d_camera_comes_back(open_page: Callable[..., Any], report: Path) -> None:
    page = open_page(report, plotly=True)
    page.call("e.set({projection: 'pca', dims: 3, selected: [8], isolated: [...Array(90).keys()]})")
    page.page.locator(".plot").focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp", "+"):
        page.page.keyboard.press(key)
        page.page.wait_for_timeout(60)
    link = fragment(page)
    assert len(link) < 140
    other = open_link(open_page, report, link, plotly=True)
    other.page.wait_for_timeout(400)
    assert other.call("e.view()") == page.call("e.view()")
    assert other.call("e.screenPositions()") == pytest.approx(
        page.call("e.screenPositions()"), abs=0.7, nan_ok=True
    )


def test_what_a_link_cannot_hold_is_told(open_page: Callable[..., Any], report: Path) -> None:
    page = open_page(report, permissions=["clipboard-read", "clipboard-write"])
    page.call("e.set({placed: {name: 'umap', dims: 2, data: new Float32Array(600)}})")
    page.page.get_by_role("button", name="Save pictures and points").click()
    page.page.get_by_role("menuitem", name="Copy a link to this view").click()
    expect(page.page.locator(".message")).to_contain_text("a bookmark does")


def test_the_link_is_copied(open_page: Callable[..., Any], report: Path) -> None:
    page = open_page(report, permissions=["clipboard-read", "clipboard-write"])
    page.call("e.set({projection: 'tsne', dims: 2, selected: [1]})")
    page.page.get_by_role("button", name="Save pictures and points").click()
    page.page.get_by_role("menuitem", name="Copy a link to this view").click()
    expect(page.page.locator(".message")).to_contain_text("ink")
    copied = page.page.evaluate("() => navigator.clipboard.readText()")
    assert copied == f"{report.resolve().as_uri()}#p=tsne&s=1"
