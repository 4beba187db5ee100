"""The page where the reader's system changes it: larger text, colors of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from embviz.report.shell import follow_text_size

DOUBLE = "html { font-size: 200% !important; }"
CUT = """() => [...document.querySelectorAll('.app *')].filter((e) => e.checkVisibility()
  && !e.children.length && e.textContent.trim() && getComputedStyle(e).overflowY === 'hidden'
  && e.scrollHeight > e.clientHeight + 3).map((e) => `${e.className}: ${e.textContent.slice(0, 40)}`)"""
OVER = """() => { const boxes = [...document.querySelectorAll('.left.side button, .left.side select,'
  + '.left.side summary, .left.side input, .right-column button, .right-column select, .right-column input')]
  .filter((e) => e.checkVisibility({visibilityProperty: true})).map((e) => [e, e.getBoundingClientRect()]);
  const found = []; for (const [e, a] of boxes) { const side = e.closest('.side, .right-column')
  .getBoundingClientRect(); if (a.right > side.right + 1 || a.left < side.left - 1) found.push(e.outerHTML);
  for (const [f, b] of boxes) if (e !== f && !e.contains(f) && !f.contains(e) && a.width && b.width
  && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
  && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2
  && e.closest('.scroll, .side') === f.closest('.scroll, .side')) found.push(e.outerHTML + f.outerHTML); }
  return found.map((text) => text.slice(0, 200)); }"""


def test_lengths_are_written_in_pixels_and_follow_the_text_size() -> None:
    css = "a { margin: -8px 1px; font: 13px/20px x; } @media (max-width: 800px) { b { top: 1.5px; left: 24px; } }"
    assert follow_text_size(css) == (
        "a { margin: -0.5rem 1px; font: 0.8125rem/1.25rem x; } "
        "@media (max-width: 800px) { b { top: 1.5px; left: 1.5rem; } }"
    )
    kept = "p { color: #12px; width: var(--a12px); --x: 3px; }"
    assert follow_text_size(kept) == kept


@pytest.mark.parametrize("width", [640, 1280])
def test_text_of_twice_the_size_is_neither_cut_nor_covered(
    open_page: Callable[..., Any], report: Path, width: int
) -> None:
    opened = open_page(report, viewport={"width": width, "height": 800})
    page = opened.page
    before = page.locator("h1").evaluate("(e) => parseFloat(getComputedStyle(e).fontSize)")
    page.add_style_tag(content=DOUBLE)
    sizes = "(e) => parseFloat(getComputedStyle(e).fontSize)"
    assert page.locator("h1").evaluate(sizes) == 2 * before
    opened.call("e.set({selected: [1, 2, 3], hidden: [2]})")
    for sheet in ("Data and projection panel", "Inspector panel"):
        if width < 800:
            page.get_by_role("button", name=sheet).click()
        page.wait_for_timeout(200)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        assert page.evaluate(CUT) == []
        assert page.evaluate(OVER) == []
        left, right = (page.locator(f".tools.{side}").bounding_box() for side in ("left", "right"))
        apart = left["x"] + left["width"] <= right["x"]
        assert apart or left["y"] + left["height"] <= right["y"]
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    assert dialog.evaluate("(e) => e.scrollWidth <= e.clientWidth")
    assert dialog.bounding_box()["width"] <= width


def test_in_colors_of_the_system_what_is_chosen_is_told_from_what_is_not(
    open_page: Callable[..., Any], report: Path
) -> None:
    opened = open_page(report, forced_colors="active")
    page = opened.page
    assert page.evaluate("() => matchMedia('(forced-colors: active)').matches")
    for key in ("r", "ArrowDown", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    look = "(e) => { const s = getComputedStyle(e); return [s.backgroundColor, s.color]; }"
    for chosen, other in (
        (".tools.left [aria-pressed=true]", ".tools.left [aria-pressed=false]"),
        (".tabs [aria-selected=true]", ".tabs [aria-selected=false]"),
        (".tree-item[aria-selected=true]", ".tree-item[aria-selected=false]"),
    ):
        one, another = (page.locator(each).first.evaluate(look) for each in (chosen, other))
        assert one[0] != another[0], chosen
        assert one[0] != one[1], chosen
    swatches = page.locator(".legend-row .swatch").evaluate_all(
        "(all) => all.map((e) => getComputedStyle(e).backgroundColor)"
    )
    assert len(set(swatches)) == len(swatches) > 3, "colors that mean something stay"
