"""Links, bookmarks and texts of strangers: none runs, hangs or blanks a page.

Texts of others reach a page as labels, values, names of columns, classes and clusters, titles,
sources, tensors, notes, commands, names of projections, axes, parameters and figures, steps, sides,
groups that changed, names of what is on one side only, bookmarks and links to images; from it they
reach saved pictures, tables, names of files, and the frame of a notebook. Where Python writes them:
tests/export/test_hostile_outputs.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from embviz import PCA, Report, ReportOptions, write_report
from embviz.outputs.cells import cell, unescaped
from embviz.outputs.references import relative_url
from tests.page.attacked import (
    WALK,
    attacked_table,
    facts,
    write_attacked,
    write_other_attacked,
)
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


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages whose texts are hostile: of points, over steps, of two states, of a sample."""
    folder = tmp_path_factory.mktemp("attacked")
    paths = [*write_attacked(folder), *write_other_attacked(folder)]
    return {path.stem: path for path in paths}


def save(page: Any, item: str, to: Path) -> Path:
    page.page.get_by_role("button", name="Save pictures and points").click()
    with page.page.expect_download() as download:
        page.page.get_by_role("menuitem", name=item).first.click()
    assert re.fullmatch(r"[\w.-]+\.(svg|tsv)", download.value.suggested_filename)
    download.value.save_as(to)
    return to


def check_saved_table(path: Path) -> None:
    """Check that all lines have as many cells, and that no cell is run by a spreadsheet."""
    text = path.read_bytes().decode("utf-8")
    lines = [line.split("\t") for line in text.removesuffix("\n").split("\n")]
    assert len({len(cells) for cells in lines}) == 1
    for each in (each for cells in lines for each in cells):
        if not re.fullmatch(r"-?[\d.]+(?:e[+-]\d+)?", each):
            assert cell(unescaped(each)) == each


@pytest.mark.parametrize(
    ("name", "every"),
    [("attacked0", 1), ("attacked1", 9), ("run1", 9), ("compared", 25), ("sampled", 9)],
)
def test_more_than_two_hundred_hostile_texts_stay_texts(
    open_page: Callable[..., Any],
    attacked: dict[str, Path],
    tmp_path: Path,
    name: str,
    every: int,
) -> None:
    assert len(payloads()) >= 200
    page = open_page(attacked[name])
    assert page.page.evaluate(WALK, [payloads(), every]) == []
    harmless(page)
    page.call("e.set({help: false, selected: [0, 1, 2, 5, 90]})")
    check_saved_table(save(page, "Points shown", tmp_path / "points.tsv"))
    check_saved_table(save(page, "Neighbors of", tmp_path / "neighbors.tsv"))
    picture = save(page, "Picture, SVG", tmp_path / "picture.svg")
    alone = page.page.context.browser.new_page()
    alone.goto(picture.as_uri())
    assert alone.evaluate("() => window.pwned === undefined")
    assert alone.locator("script, foreignObject, [onload], [onerror], [onclick]").count() == 0
    alone.close()
    harmless(page)


def test_hostile_texts_stay_texts_in_the_frame_of_a_notebook(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    texts = payloads()
    options = ReportOptions(title="\n".join(texts), command=texts[1], notes=texts, label_by="label")
    report = Report(attacked_table({"group": texts[5:] + texts[:5]}), options=options)
    path = tmp_path / "notebook.html"
    path.write_text(f"<!doctype html><meta charset=utf-8>{report._repr_html_()}", encoding="utf-8")
    page = open_page(path, wait=False)
    assert page.page.locator("body *").evaluate_all("(all) => all.map((e) => e.tagName)") == [
        "IFRAME",
        "DIV",
    ]
    frame = page.page.frames[1]
    frame.evaluate("() => window.embviz.ready")
    assert frame.evaluate(WALK, [texts, 9]) == []
    for each in (frame, page.page):
        assert each.evaluate("() => window.pwned === undefined && ({}).polluted === undefined")
    assert page.requests == []


@pytest.mark.chromium("switches scripts off")
def test_hostile_texts_stay_texts_where_no_scripts_run(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    title = "\n".join(payloads())
    table = attacked_table()
    name = payloads()[3].replace("/", "_")
    link = relative_url(tmp_path / f"{name}.png", tmp_path / "out.html")
    given = {"title": title, "preview_link": link, "preview_dark_link": link}
    write_report(tmp_path / "out.html", table, [PCA().project(table)], notes=[title], **given)
    page = open_page(tmp_path / "out.html", wait=False, java_script_enabled=False)
    expect(page.page.locator("#unscripted p").first).to_contain_text("to be searched, turned")
    shown = page.page.title()
    assert all(" ".join(text.split()) in shown for text in payloads() if text.isprintable())
    seen = page.page.locator("body *:not(script)")
    kinds = {
        each.split(" ")[0] for each in seen.evaluate_all("(all) => all.map((e) => e.localName)")
    }
    assert kinds == {"div", "p", "picture", "source", "img", "meta"}
    assert set(page.requests) <= {(tmp_path / f"{name}.png").as_uri()}


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
