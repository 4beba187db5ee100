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


def open_link(open_page: Callable[..., Any], report: Path, link: str) -> Any:
    page = open_page(report)
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


def test_a_link_shows_the_place_and_zoom(
    page: Any, open_page: Callable[..., Any], report: Path
) -> None:
    page.page.locator(".plot").focus()
    for key in ("+", "+", "ArrowRight", "ArrowRight"):
        page.page.keyboard.press(key)
        page.page.wait_for_timeout(60)
    link = fragment(page)
    assert link.startswith("#v=2_")
    other = open_link(open_page, report, link)
    other.page.wait_for_timeout(300)
    assert other.call("e.screenPositions()") == pytest.approx(
        page.call("e.screenPositions()"), abs=0.5
    )
    page.page.keyboard.press("0")
    assert fragment(page) == ""


def test_back_and_forward_go_through_the_views(page: Any) -> None:
    for patch in ("{projection: 'tsne', dims: 2}", "{selected: [7]}"):
        page.call(f"e.set({patch})")
        fragment(page)
    want = [("pca", []), ("tsne", []), ("tsne", [7])]
    found = []
    for step in ("go_back", "go_back", "go_forward", "go_forward"):
        getattr(page.page, step)()
        page.page.wait_for_timeout(300)
        now = view(page, "projection", "selected")
        found.append((now["projection"], now["selected"]))
    assert found == [want[1], want[0], want[1], want[2]]


def test_typing_a_query_is_one_step(page: Any) -> None:
    before = page.page.evaluate("() => history.length")
    page.page.get_by_role("searchbox").press_sequentially("w12")
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
    page = open_link(open_page, report, "#p=umap&n=12&s=9999&zz=1")
    assert view(page, "projection", "k", "selected") == {
        "projection": "pca", "k": 12, "selected": [],
    }  # fmt: skip
    expect(page.page.locator(".message")).to_have_text(
        "Part of the link does not fit this page and was left out: s, zz, projection"
    )


def test_the_link_is_copied(open_page: Callable[..., Any], report: Path) -> None:
    page = open_page(report, permissions=["clipboard-read", "clipboard-write"])
    page.call("e.set({projection: 'tsne', dims: 2, selected: [1]})")
    page.page.get_by_role("button", name="Save pictures and points").click()
    page.page.get_by_role("menuitem", name="Copy a link to this view").click()
    expect(page.page.locator(".message")).to_contain_text("ink")
    copied = page.page.evaluate("() => navigator.clipboard.readText()")
    assert copied == f"{report.resolve().as_uri()}#p=tsne&s=1"
