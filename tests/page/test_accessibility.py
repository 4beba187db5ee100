"""The page by screen reader, in both themes and from a phone's width to 4K."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.page.test_comparison import comparison as comparison
from tests.page.test_comparison import report_of_two as report_of_two

STATES = {
    "PCA": "e.set({projection: 'pca', dims: 2, color_by: 'group'})",
    "t-SNE": "e.set({projection: 'tsne', dims: 2})",
    "a sphere": "e.set({dims: 3, tool: 'sphere', sphere: {row: 3, radius: 0.2}})",
    "axes": "e.set({projection: 'custom', dims: 2, axes: [{from: 'w1', to: 'zz'}, {from: '', to: ''}]})",
    "a point": "e.set({projection: 'pca', tool: 'pan', selected: [5]})",
    "a selection": "e.set({selected: [5, 6, 7], hidden: [1]})",
    "no match": "e.set({query: 'zzz'})",
    "a gradient": "e.set({query: '', color_by: 'size', color_as: 'gradient'})",
    "isolated": "e.isolate([...Array(200).keys()])",
    "bookmarks": "(e.addBookmark('one'), e.addBookmark('two'))",
    "a long card": "(e.set({tags: [...Array(12).keys()].map((i) => ({column: `c${i}`,"
    " value: 'long '.repeat(30).trim(), rows: [4]})), selected: [4]}), unfold('.tagging'))",
    "a run": "(e.set({projection: 'tsne', dims: 2}), unfold('.run'))",
    "a finished run": "e.project('umap', {dims: 2, epochs: 20})",
    "a failure": "window.reportError(new Error('something'))",
    "walking": "(e.set({selected: [4]}), unfold('.walk'))",
    "walking among points": "[1, 2, 3].forEach(() => document.querySelector('.tree').lastElementChild.dispatchEvent("
    "new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true})))",
    "in short": "unfold('.words .summary')",
    "a menu": "document.querySelector('.menu-anchor button, [aria-haspopup]').click()",
    "help": "e.set({help: true})",
}
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def axe_script() -> str:
    """Return the text of axe-core's script."""
    spec = find_spec("axe_playwright_python")
    assert spec is not None, "pip install '.[test]' brings axe-core"
    assert spec.origin is not None
    path = next(Path(spec.origin).parent.rglob("axe.min.js"))
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def axe() -> str:
    return axe_script()


def violations(page: Any, name: str) -> list[str]:
    """Return what axe-core finds of levels A and AA, a line a rule."""
    found = page.evaluate("(values) => axe.run(document, {runOnly: {type: 'tag', values}})", LEVELS)
    assert found["passes"], "axe-core looked at nothing"
    return [
        f"{name}: {v['id']}: {[n['html'][:120] for n in v['nodes'][:3]]}"
        for v in found["violations"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_no_violation_of_level_a_or_aa(
    open_page: Callable[..., Any], report: Path, axe: str, scheme: str, width: int
) -> None:
    opened = open_page(
        report,
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
        reduced_motion="reduce",
    )
    page = opened.page
    page.evaluate(axe)
    page.evaluate(
        "() => { window.unfold = (what) => { document.querySelector(what).open = true; }; }"
    )
    complaints = []
    for name, script in STATES.items():
        opened.call(script)
        sheets = (
            ["Data and projection panel", "Inspector panel"]
            if width < 800 and name not in ("help", "a menu")
            else []
        )
        for sheet in sheets:
            page.get_by_role("button", name=sheet).click()
            page.wait_for_timeout(60)
            complaints += violations(page, f"{name}, {sheet}")
        if sheets:
            page.keyboard.press("Escape")
        page.wait_for_timeout(60)
        complaints += violations(page, name)
    assert complaints == []


@pytest.mark.parametrize("kind", ["run", "comparison"])
def test_axe_finds_no_violation_in_pages_of_several_states(
    open_page: Callable[..., Any],
    step_reports: dict[str, Path],
    report_of_two: Path,
    axe: str,
    kind: str,
) -> None:
    path = step_reports["auto"] if kind == "run" else report_of_two
    opened = open_page(path, reduced_motion="reduce")
    page = opened.page
    page.evaluate(axe)
    complaints = violations(page, kind)
    for name, script in {
        "the first": "e.set({step: 0, selected: [4]})",
        "one map": "e.set({layout: 'one', trail: true, stepping: false})",
        "dark": "e.set({theme: 'dark', selected: [4, 5]})",
    }.items():
        opened.call(script)
        complaints += violations(page, f"{kind}, {name}")
    for key in ("r", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    complaints += violations(page, f"{kind}, walking")
    assert complaints == []


def test_axe_does_find_what_is_wrong(open_page: Callable[..., Any], report: Path, axe: str) -> None:
    page = open_page(report).page
    page.evaluate(axe)
    page.evaluate("() => document.querySelector('.icon-button').removeAttribute('aria-label')")
    page.evaluate("() => document.querySelector('.icon-button').removeAttribute('title')")
    page.evaluate("() => { document.querySelector('h1').style.color = '#ccc'; }")
    found = " ".join(violations(page, "broken"))
    assert "button-name" in found
    assert "color-contrast" in found


def contrast(a: list[float], b: list[float]) -> float:
    """Return WCAG's contrast of two colors of 0 .. 255 a channel."""

    def luminance(color: list[float]) -> float:
        linear = [
            x / 255 / 12.92 if x <= 10.31475 else ((x / 255 + 0.055) / 1.055) ** 2.4 for x in color
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fields_icons_and_the_focus_stand_out_from_the_ground_by_3_to_1(
    open_page: Callable[..., Any], report: Path, scheme: str
) -> None:
    page = open_page(report, color_scheme=scheme).page
    page.keyboard.press("/")
    colors = page.evaluate(
        "() => { const of = (selector, key) => getComputedStyle(document.querySelector(selector))[key]"
        ".match(/[\\d.]+/g).slice(0, 3).map(Number); return {"
        " grounds: [of('.side', 'backgroundColor'), of('body', 'backgroundColor')],"
        " field: of('select', 'borderTopColor'), search: of('.search', 'borderTopColor'),"
        " icon: of('.icon-button', 'color'), pressed: of('.tools [aria-pressed=true]', 'color'),"
        " focus: of('.search:focus-visible', 'outlineColor')}; }"
    )
    grounds = colors.pop("grounds")
    for name, color in colors.items():
        assert min(contrast(color, ground) for ground in grounds) >= 3, name


@pytest.mark.parametrize("width", [320, 360, 600, 800, 801, 1001, 1280, 3840])
def test_the_layout_fits_from_320_pixels_to_4k(
    open_page: Callable[..., Any], report: Path, width: int
) -> None:
    page = open_page(report, viewport={"width": width, "height": max(640, width * 9 // 16)}).page
    for sheet in ("Data and projection panel", "Inspector panel"):
        found = page.evaluate(
            "() => { const box = (s) => document.querySelector(s).getBoundingClientRect(); return {"
            " page: document.documentElement.scrollWidth, plot: box('.plot').width,"
            " tools: [...document.querySelectorAll('.tools, .bar > *')].map((e) => e.getBoundingClientRect())"
            ".filter((b) => b.width).map((b) => [b.left, b.right])}; }"
        )
        assert found["page"] <= width
        assert found["plot"] >= (0.48 if width > 1000 else 0.65 if width > 800 else 1) * width
        assert all(left >= 0 and right <= width + 0.5 for left, right in found["tools"])
        if width < 800:
            page.get_by_role("button", name=sheet).click()
    page.get_by_role("button", name="Save pictures and points").click()
    menu = page.get_by_role("menu").bounding_box()
    assert menu["x"] >= 0
    assert menu["x"] + menu["width"] <= width


def test_panels_are_sheets_on_a_narrow_screen(open_page: Callable[..., Any], report: Path) -> None:
    opened = open_page(report, viewport={"width": 360, "height": 740})
    page = opened.page
    left = page.get_by_role("button", name="Data and projection panel")
    right = page.get_by_role("button", name="Inspector panel")
    assert [left.get_attribute("aria-expanded"), right.get_attribute("aria-expanded")] == [
        "false",
        "false",
    ]
    left.click()
    assert page.get_by_label("Color by").is_visible()
    right.click()
    assert not page.get_by_label("Color by").is_visible()
    assert page.get_by_role("searchbox", name="Search").is_visible()
    opened.call("e.set({selected: [1]})")
    page.keyboard.press("Escape")
    assert not page.get_by_role("searchbox", name="Search").is_visible()
    assert opened.call("e.view().selected") == [1]
    page.keyboard.press("/")
    assert page.evaluate("() => document.activeElement.type") == "search"
    page.keyboard.press("Escape")
    assert right.get_attribute("aria-expanded") == "false"
    page.set_viewport_size({"width": 1200, "height": 740})
    page.get_by_label("Color by").wait_for(state="visible", timeout=5000)
    assert page.get_by_role("searchbox", name="Search").is_visible()
    assert left.get_attribute("aria-expanded") == "true"


@pytest.mark.parametrize("width", [360, 960], ids=["a phone", "a notebook"])
def test_a_point_pressed_on_a_narrow_screen_is_named_below_the_plot_which_stays_in_sight(
    open_page: Callable[..., Any], report: Path, width: int
) -> None:
    opened = open_page(report, viewport={"width": width, "height": 740}, has_touch=True)
    page = opened.page
    peek = page.locator(".peek")
    assert not peek.is_visible()
    plot = page.locator(".plot").bounding_box()
    xy = opened.call("e.screenPositions()")
    opened.call("e.set({thumbnails: false})")
    page.touchscreen.tap(plot["x"] + xy[14], plot["y"] + xy[15])
    opened.wait("e.view().selected.length === 1")
    [row] = opened.call("e.view().selected")
    assert peek.locator("strong").text_content() == f"w{row}"
    assert not page.get_by_role("searchbox", name="Search").is_visible()
    assert page.locator(".plot").bounding_box() == plot
    assert peek.bounding_box()["y"] >= plot["y"] + plot["height"] - 0.5
    peek.get_by_role("button", name="Details").tap()
    assert page.locator(".card-name").text_content() == f"w{row}"
    assert not peek.is_visible()
    page.get_by_role("button", name="Inspector panel").tap()
    opened.call("e.set({selected: [1, 2, 3]})")
    assert peek.locator("strong").text_content() == "3 selected"
    peek.get_by_role("button", name="Clear the selection").tap()
    assert opened.call("e.view().selected") == []
    assert not peek.is_visible()
    opened.call("e.set({selected: [1]})")
    page.set_viewport_size({"width": 1280, "height": 740})
    assert not peek.is_visible()


def test_nothing_below_the_legend_jumps_when_a_class_is_hidden(
    open_page: Callable[..., Any], report: Path
) -> None:
    opened = open_page(report)
    where = "document.querySelector('.tabs').getBoundingClientRect().top"
    before = opened.call(where)
    opened.call("e.set({hidden: [1]})")
    assert opened.call(where) == before


def test_nothing_moves_by_itself_where_less_motion_is_asked_for(
    open_page: Callable[..., Any], report: Path
) -> None:
    for motion, moves in (("reduce", False), ("no-preference", True)):
        page = open_page(report, reduced_motion=motion).page
        durations = page.evaluate(
            "() => [...document.querySelectorAll('*')].map((e) => getComputedStyle(e))"
            ".flatMap((s) => [s.transitionDuration, s.animationDuration]).join()"
        )
        seconds = [
            float(d.rstrip("ms")) * (0.001 if d.endswith("ms") else 1)
            for d in durations.replace(" ", "").split(",")
        ]
        assert any(seconds) is moves
        assert max(seconds) < 0.2


def test_screen_readers_hear_what_is_selected(open_page: Callable[..., Any], report: Path) -> None:
    opened = open_page(report)
    opened.call("e.set({selected: [1, 2, 3]})")
    assert "3 selected" in " ".join(opened.page.get_by_role("status").all_text_contents())
    assert "Arrow keys" in opened.page.locator(".plot").get_attribute("aria-label")
