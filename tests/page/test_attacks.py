"""Links, bookmarks and texts of strangers: none runs, hangs or blanks a page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.page.attacked import WALK, facts, write_attacked
from tests.page.attacks import BOOKMARKS, DRIVE, bookmark_values, fragments, packed
from tests.page.hostile_texts import payloads

SECONDS = 15
"""For one link on a machine with much else to do."""


def harmless(page: Any) -> None:
    assert page.call("window.pwned === undefined && ({}).polluted === undefined")
    assert page.requests == []
    assert [text for text in page.complaints if not text.startswith("Canvas2D")] == []


@pytest.mark.chromium("follows more links than others allow in a while")
def test_links_of_strangers_leave_the_page_as_it_opens_or_show_what_fits(
    open_page: Callable[..., Any], report: Path
) -> None:
    page = open_page(report)
    found = page.page.evaluate(DRIVE, [fragments(1, 80, facts()), SECONDS])
    assert found["wrong"] == []
    harmless(page)
    page.page.evaluate("() => { location.hash = ''; }")
    page.wait("location.hash === '' && e.view().projection === 'pca'")
    assert page.call("e.screenPositions()[0] > 0")
    for text in fragments(2, 4, facts()):
        page.page.goto("about:blank")
        page.page.goto(f"{report.resolve().as_uri()}#{text}")
        assert page.call("e.query('row:=7')") == [7]
    harmless(page)


def test_bookmarks_of_strangers_are_read_or_refused_in_one_line(
    open_page: Callable[..., Any], report: Path
) -> None:
    page = open_page(report)
    found = page.page.evaluate(BOOKMARKS, [packed(bookmark_values(1, 60, facts())), SECONDS])
    assert found["wrong"] == []
    assert 5 < found["read"] < 60
    harmless(page)


def test_more_than_two_hundred_hostile_texts_stay_texts(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    assert len(payloads()) >= 200
    for path in write_attacked(tmp_path)[::2]:
        page = open_page(path)
        assert page.page.evaluate(WALK, payloads()) == []
        harmless(page)
        page.call("e.set({help: false})")
        page.page.get_by_role("button", name="Save pictures and points").click()
        with page.page.expect_download() as download:
            page.page.get_by_role("menuitem", name="SVG").first.click()
        picture = tmp_path / f"{path.stem}.svg"
        download.value.save_as(picture)
        alone = page.page.context.browser.new_page()
        alone.goto(picture.as_uri())
        assert alone.evaluate("() => window.pwned === undefined")
        assert alone.locator("script, foreignObject, [onload], [onerror], [onclick]").count() == 0
        alone.close()


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("v=2_0_1e-15_0_1e-15", "show no point of this page and were left out"),
        ("v=2_-1e300_1e300_-1e300_1e300", "shows what is in reach"),
        ("v=2_1e9_2e9_1e9_2e9", "show no point of this page and were left out"),
        ("v=3_1_1_1_0_0_0_0_0_1", "left out: the place and zoom"),
        ("v=2_1_0_0_1", "damaged and was not followed: v"),
        ("v=2_NaN_1_0_1", "damaged and was not followed: v"),
        ("p=tsne&f=1e9", "left out: the iteration"),
        ("h=0.999", "left out: the hidden classes"),
        ("n=1e9", "left out: the number of neighbors"),
        ("s=0&s=0", "damaged and was not followed: s"),
        ("&&&&==", "damaged and was not followed"),
        ("&".join(f"x{i}=1" for i in range(5000)), "x0, x1, x2, x3, x4 and 4995 more"),
    ],
)
def test_a_link_that_asks_for_what_is_not_there_is_told(
    open_page: Callable[..., Any], report: Path, link: str, told: str
) -> None:
    page = open_page(report)
    page.page.goto("about:blank")
    page.page.goto(f"{report.resolve().as_uri()}#{link}")
    page.page.evaluate("() => window.embviz.ready")
    expect(page.page.locator(".message")).to_contain_text(told)
    area = page.page.locator(".plot").bounding_box()
    places = page.call("e.screenPositions()")
    inside = [0 <= x <= area["width"] and 0 <= y <= area["height"]
              for x, y in zip(places[::2], places[1::2], strict=True)]  # fmt: skip
    assert any(inside)
    harmless(page)
