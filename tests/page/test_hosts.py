"""In a frame of another page: all works, and what cannot be saved is shown to be copied."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from embviz import PCA, EmbeddingTable, write_report
from tests.page.hosts import STRICT, Place, Shown, shown
from tests.page.test_accessibility import axe_script, violations

CI_PAGE = (Path(__file__).parents[2] / "docs/ci.md").read_text(encoding="utf-8")
(JENKINS,) = re.findall(r"^    (sandbox allow-scripts .*;)$", CI_PAGE, re.M)
ALONE, ORIGIN = "allow-scripts", "allow-scripts allow-same-origin"
PLACES = {
    "alone by src": Place(ALONE, "src", STRICT),
    "alone by srcdoc": Place(ALONE, "srcdoc"),
    "same origin by src": Place(ORIGIN, "src"),
    "same origin by srcdoc": Place(ORIGIN, "srcdoc"),
    "same origin as a blob, as in MLflow": Place(ORIGIN, "blob"),
    "a server's own sandbox": Place(
        None, "header", {**STRICT, "Content-Security-Policy": "sandbox allow-scripts"}
    ),
    "the policy for Jenkins in docs/ci.md": Place(
        None, "header", {**STRICT, "Content-Security-Policy": JENKINS}
    ),
}


@pytest.fixture(scope="module", params=PLACES)
def hosted(request: pytest.FixtureRequest, browser: Any, report: Path) -> Iterator[Shown]:
    """The report in a place, one for all tests of it."""
    with shown(browser, PLACES[request.param], report) as found:
        yield found


def save(hosted: Shown, item: str) -> Any:
    """Choose from the menu of what can be saved; return the dialog that shows it."""
    hosted.frame.get_by_role("button", name="Save pictures and points").click()
    hosted.frame.get_by_role("menuitem", name=item).click()
    return hosted.frame.locator("dialog.shown")


def close(dialog: Any) -> None:
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)


@pytest.mark.everywhere
def test_everything_else_works_and_the_console_stays_silent(hosted: Shown) -> None:
    assert len(hosted.call("Array.from(e.query('w1'))")) == 111
    hosted.call("e.set({projection: 'tsne', dims: 2, selected: [3]})")
    assert len(hosted.frame.locator(".row-name").all_text_contents()) >= 10
    box = hosted.frame.locator(".plot").bounding_box()
    at = hosted.call("Array.from(e.screenPositions().slice(8, 10))")
    hosted.page.mouse.click(box["x"] + at[0], box["y"] + at[1])
    assert hosted.call("Array.from(e.selected())") != [3]
    assert hosted.frame.locator("canvas.thumbnail").count() > 5
    found = hosted.call(
        "e.project('tsne', {dims: 2, iterations: 40}).then(r => r.coordinates.length)"
    )
    assert found == 600
    hosted.frame.get_by_role("searchbox").fill("w29")
    assert hosted.call("e.selected().length") == 11
    hosted.frame.get_by_role("button", name="Bookmark this view (m)").click()
    hosted.page.keyboard.press("Enter")
    hosted.call("e.isolate([...Array(50).keys()])")
    assert hosted.call("e.coordinates('pca', 2).length") == 600
    hosted.frame.locator(".bookmark").first.click()
    assert hosted.call("e.view().isolated") is None
    hosted.page.wait_for_timeout(500)  # The address is written by then, where it may be.
    assert hosted.complaints == []


def test_a_table_is_shown_selected_and_copied(hosted: Shown) -> None:
    hosted.call("e.set({projection: 'pca', dims: 2, selected: [], isolated: null})")
    want = hosted.call("e.exportPoints()")
    dialog = save(hosted, "Points shown, TSV (300)")
    assert dialog.get_by_role("heading").inner_text() == "Blobs-points.tsv"
    field = dialog.get_by_role("textbox")
    assert field.input_value() == want
    assert field.evaluate("f => f.value.slice(f.selectionStart, f.selectionEnd)") == want
    expect(field).to_be_focused()
    dialog.get_by_role("button", name="Copy").click()
    said = dialog.get_by_role("status")
    expect(said).to_have_text(f"Copied {len(want):,} characters")
    close(dialog)
    if hosted.frame != hosted.page.main_frame:
        assert hosted.pasted() == want
    assert hosted.complaints == []


def test_pictures_are_shown_to_be_saved_by_their_menu(hosted: Shown) -> None:
    for item, kind in (("Picture, PNG", "PNG"), ("Picture, SVG", "SVG")):
        dialog = save(hosted, item)
        image = dialog.locator("img")
        expect(image).to_have_attribute("src", re.compile("^data:image/"), timeout=20_000)
        head, _, data = image.get_attribute("src").partition(",")
        assert image.evaluate("i => i.decode().then(() => i.naturalWidth)") > 300
        if kind == "PNG":
            assert Image.open(io.BytesIO(base64.b64decode(data))).format == kind
        else:
            assert "svg" in head
            assert dialog.get_by_role("textbox").input_value().startswith("<?xml")
        assert "context menu" in dialog.inner_text()
        close(dialog)
    assert hosted.complaints == []


def test_bookmarks_are_shown_as_the_text_of_their_file(hosted: Shown) -> None:
    hosted.call("e.addBookmark('one')")
    hosted.frame.get_by_role("button", name="Download the bookmarks").click()
    dialog = hosted.frame.locator("dialog.shown")
    text = dialog.get_by_role("textbox").input_value()
    assert text == hosted.call("e.exportBookmarks()")
    assert json.loads(text)[-1]["label"] == "one"
    hosted.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_link_is_copied_or_its_end_is_shown(hosted: Shown) -> None:
    hosted.call("e.set({projection: 'pca', dims: 2, placed: null, selected: [5], query: ''})")
    address = hosted.frame.evaluate("() => location.href.split('#')[0]")
    dialog = save(hosted, "Copy a link to this view")
    if address.startswith("http"):
        expect(hosted.frame.locator(".message")).to_contain_text("Copied the link")
        if hosted.frame != hosted.page.main_frame:
            assert hosted.pasted().startswith(f"{address}#")
    else:
        assert "no address here" in dialog.inner_text()
        assert dialog.get_by_role("textbox").input_value().startswith("#")
        close(dialog)
    assert hosted.complaints == []


def test_where_saving_is_allowed_it_is_tried_or_done(browser: Any, report: Path) -> None:
    for place in (Place(None, "header"), Place(f"{ORIGIN} allow-downloads", "srcdoc")):
        with shown(browser, place, report) as found:
            with found.page.expect_download() as download:
                save(found, "Points shown, TSV (300)")
            assert download.value.suggested_filename == "Blobs-points.tsv"
            assert found.frame.locator("dialog.shown").count() == 0
    with shown(browser, Place(f"{ALONE} allow-downloads", "srcdoc"), report) as found:
        dialog = save(found, "Points shown, TSV (300)")
        with found.page.expect_download() as download:
            dialog.get_by_role("button", name="Try to save it").click()
        want = dialog.get_by_role("textbox").input_value()
        assert Path(download.value.path()).read_text(encoding="utf-8") == want


def test_a_button_that_cannot_copy_says_so(browser: Any, report: Path) -> None:
    with shown(browser, Place(ALONE, "srcdoc"), report) as found:
        found.frame.evaluate("() => { document.execCommand = () => false; }")
        dialog = save(found, "Points shown, TSV (300)")
        dialog.get_by_role("button", name="Copy").click()
        expect(dialog.get_by_role("status")).to_contain_text("press Ctrl+C")
        found.page.keyboard.press("Control+c")
        want = dialog.get_by_role("textbox").input_value()
        close(dialog)
        assert found.pasted() == want


def test_of_a_very_long_text_the_beginning_is_shown_and_all_is_copied(
    browser: Any, tmp_path: Path
) -> None:
    n = 30_000
    words = tuple(f"{i} {'word ' * 12}" for i in range(n))
    vectors = np.random.default_rng(0).normal(size=(n, 3)).astype(np.float32)
    table = EmbeddingTable(vectors, {"word": words}, source="x.npy")
    write_report(tmp_path / "out.html", table, [PCA().project(table)])
    with shown(browser, Place(ORIGIN, "src"), tmp_path / "out.html") as found:
        want = found.call("e.exportPoints()")
        dialog = save(found, f"Points shown, TSV ({n:,})")
        field = dialog.get_by_role("textbox").input_value()
        assert len(field) < 1_100_000 < len(want)
        assert f"… {len(want) - field.rindex('…'):,} more characters" in field
        for copy in ("button", "keys"):
            if copy == "button":
                dialog.get_by_role("button", name="Copy").click()
                expect(dialog.get_by_role("status")).to_have_text(
                    f"Copied {len(want):,} characters"
                )
            else:
                dialog.get_by_role("textbox").press("Control+a")
                dialog.get_by_role("textbox").press("Control+c")
            found.page.evaluate(
                "() => addEventListener('paste', (e) => { window.got = e.clipboardData.getData('text/plain'); e.preventDefault(); }, {once: true})"
            )
            found.page.locator("body > textarea").press("Control+v")
            assert found.page.evaluate("() => window.got") == want


@pytest.mark.parametrize(
    ("place", "address"),
    [
        (Place(f"{ALONE} allow-popups", "src"), "http://127.0.0.1:.*/images/2.png"),
        (Place(ORIGIN, "src"), "http://127.0.0.1:.*/images/2.png"),
        (Place(ALONE, "srcdoc"), "images/2.png"),
    ],
    ids=["alone", "same origin", "srcdoc"],
)
def test_a_link_that_may_not_open_is_shown(
    browser: Any, table: EmbeddingTable, tmp_path: Path, place: Place, address: str
) -> None:
    links = [f"images/{i}.png" for i in range(table.n_points)]
    path = tmp_path / "out.html"
    write_report(path, table, [PCA().project(table)], image_links=links, selected=[2])
    with shown(browser, place, path) as found:
        found.frame.get_by_role("link", name="open the image").click()
        dialog = found.frame.locator("dialog.shown")
        assert re.fullmatch(address, dialog.get_by_role("textbox").input_value())
        attempt = dialog.get_by_role("button", name="Try to open it")
        assert attempt.count() == ("allow-popups" in (place.sandbox or ""))
        if attempt.count():
            with found.page.context.expect_page() as opened:
                attempt.click()
            opened.value.wait_for_url("**/images/2.png")
            assert opened.value.evaluate("() => window.opener") is None
        assert found.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_in_what_is_shown(browser: Any, report: Path, scheme: str) -> None:
    with shown(browser, Place(ALONE, "srcdoc"), report, color_scheme=scheme) as found:
        found.frame.evaluate(axe_script())
        for item in ("Picture, PNG", "Picture, SVG", "Points shown", "Copy a link"):
            found.call("e.set({selected: [4]})")
            dialog = save(found, item)
            expect(dialog).to_be_visible(timeout=20_000)
            assert violations(found.frame, item) == []
            close(dialog)


def test_a_page_of_its_own_saves_at_once(open_page: Callable[..., Any], report: Path) -> None:
    opened = open_page(report)
    opened.page.get_by_role("button", name="Save pictures and points").click()
    with opened.page.expect_download():
        opened.page.get_by_role("menuitem", name="Points shown").click()
    assert opened.page.locator("dialog.shown").count() == 0
