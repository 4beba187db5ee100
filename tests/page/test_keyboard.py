"""The page by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def test_every_control_is_reached_by_tab_has_a_name_and_shows_the_focus(
    open_page: Callable[..., Any], report: Path
) -> None:
    opened = open_page(report)
    opened.call("e.set({selected: [5], tool: 'pan'})")
    page = opened.page
    wanted = page.evaluate(
        "() => [...document.querySelectorAll('button, input, select, summary, .plot, a[href]')]"
        ".filter((e) => e.checkVisibility({visibilityProperty: true}) && !e.disabled && e.tabIndex >= 0)"
        ".map((e, i) => (e.dataset.order = i)).length"
    )
    assert wanted > 40
    seen: dict[int, str] = {}
    page.evaluate("() => document.body.focus()")
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        at = page.evaluate(
            "() => { const e = document.activeElement, s = getComputedStyle(e); return {order: e.dataset.order,"
            " name: (e.ariaLabel || e.labels?.[0]?.textContent || e.textContent || '').trim(),"
            " ring: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2}; }"
        )
        if at["order"] is not None:
            assert at["name"], at
            assert at["ring"], at
            seen[int(at["order"])] = at["name"]
    assert len(seen) == wanted


@pytest.mark.everywhere
def test_the_keys_of_the_help_do_what_it_says(open_page: Callable[..., Any], report: Path) -> None:
    opened = open_page(report)
    press = opened.page.keyboard.press

    def view(key: str) -> Any:
        return opened.call(f"e.view().{key}")

    tabs = [view("projection")]
    press("]")
    tabs.append(view("projection"))
    press("[")
    assert view("projection") == tabs[0] != tabs[1]
    for key, wanted in (("3", 3), ("2", 2)):
        press(key)
        assert view("dims") == wanted
    for key, tool in (("b", "box"), ("o", "lasso"), ("s", "lasso"), ("p", "pan")):
        press(key)
        assert view("tool") == tool  # the sphere is for three dimensions
    press("3")
    press("s")
    assert view("tool") == "sphere"
    labels = view("labels")
    press("l")
    assert view("labels") != labels
    press("t")
    assert view("thumbnails") is False
    press("d")
    assert view("theme") == "dark"
    press("m")
    press("Enter")
    assert opened.call("e.bookmarks().length") == 1
    press("?")
    assert opened.page.get_by_role("dialog").is_visible()
    rows = opened.page.get_by_role("dialog").locator("dl").last.locator("dt").all_text_contents()
    assert {"/", "Esc", "0", "2, 3", "[ and ]", "Space", "l", "t", "d", "m", "?", "Enter"} <= set(
        rows
    )
    press("Escape")
    assert not opened.page.get_by_role("dialog").is_visible()
    press("/")
    opened.page.keyboard.type("w1")
    assert len(view("selected")) == 111
    press("Escape")
    assert view("query") == ""
    opened.call("e.set({selected: [1, 2]})")
    press("Escape")
    assert view("selected") == []


def test_the_help_that_was_left_with_escape_does_not_come_back(
    open_page: Callable[..., Any], report: Path
) -> None:
    opened = open_page(report)
    dialog = opened.page.get_by_role("dialog")
    # A change of the view at the very moment at which the dialog is left, before its close event.
    opened.page.evaluate(
        "() => document.querySelector('dialog').addEventListener('cancel', () =>"
        " queueMicrotask(() => { window.left = true; window.embviz.set({k: 9}); }))"
    )
    for leave in (
        lambda: opened.page.keyboard.press("Escape"),
        lambda: dialog.get_by_role("button", name="Close").click(),
        lambda: opened.page.mouse.click(5, 5),
    ):
        opened.page.keyboard.press("?")
        assert dialog.is_visible()
        leave()
        assert opened.call("e.view().help") is False
        assert not dialog.is_visible()
    assert opened.page.evaluate("() => window.left") is True


def test_space_plays_the_iterations_and_still_unfolds_and_ticks(
    open_page: Callable[..., Any], report: Path
) -> None:
    opened = open_page(report)
    opened.call("e.set({projection: 'tsne', dims: 2})")
    page = opened.page
    page.locator(".plot").focus()
    page.keyboard.press(" ")
    assert opened.call("e.view().playing") is True
    page.keyboard.press(" ")
    assert opened.call("e.view().playing") is False
    page.locator(".run summary").focus()
    page.keyboard.press(" ")
    assert page.locator(".run").evaluate("(e) => e.open") is True
    page.get_by_label("Spherize").focus()
    page.keyboard.press(" ")
    assert opened.call("e.view().spherize") is True
    page.keyboard.press("d")
    assert opened.call("e.view().theme") == "dark"
    assert opened.call("e.view().playing") is False


@pytest.mark.everywhere
@pytest.mark.parametrize("dims", [2, 3])
def test_the_plot_moves_zooms_and_selects_by_keys(
    open_page: Callable[..., Any], report: Path, dims: int
) -> None:
    opened = open_page(report)
    opened.call(f"e.set({{projection: 'pca', dims: {dims}}})")
    opened.page.wait_for_timeout(400)
    plot = opened.page.locator(".plot")
    plot.focus()

    def positions() -> list[float]:
        opened.page.wait_for_timeout(250)
        return list(opened.call("e.screenPositions()"))

    def away(a: list[float], b: list[float]) -> float:
        return max(abs(x - y) for x, y in zip(a, b, strict=True))

    home = positions()
    for key in ("ArrowLeft", "ArrowUp", "+", "-"):
        before = positions()
        opened.page.keyboard.press(key)
        assert away(positions(), before) > 5, key
    opened.page.keyboard.press("0")
    back = positions()
    assert away(back, home) < 2
    box = plot.bounding_box()
    opened.page.keyboard.press("ArrowRight")
    now = positions()
    opened.page.keyboard.press("Enter")
    [row] = opened.call("e.view().selected")
    nearest = min(
        range(300),
        key=lambda i: (
            (now[2 * i] - box["width"] / 2) ** 2 + (now[2 * i + 1] - box["height"] / 2) ** 2
        ),
    )
    place = [
        (now[2 * i] - box["width"] / 2, now[2 * i + 1] - box["height"] / 2) for i in (row, nearest)
    ]
    # The middle is that of the axes' area, which is a little off that of the box.
    assert (place[0][0] ** 2 + place[0][1] ** 2) ** 0.5 <= (
        place[1][0] ** 2 + place[1][1] ** 2
    ) ** 0.5 + 80
    opened.page.keyboard.press("ArrowRight")
    opened.page.keyboard.press("ArrowRight")
    opened.page.keyboard.press("ArrowRight")
    opened.page.keyboard.press("Shift+Enter")
    assert row in opened.call("e.view().selected")


def inside(xy: list[float], left: float, top: float, right: float, bottom: float) -> list[int]:
    return [
        i
        for i in range(len(xy) // 2)
        if left <= xy[2 * i] <= right and top <= xy[2 * i + 1] <= bottom
    ]


@pytest.mark.parametrize("dims", [2, 3])
def test_box_and_lasso_are_drawn_with_the_keys(
    open_page: Callable[..., Any], report: Path, dims: int
) -> None:
    opened = open_page(report)
    opened.call(f"e.set({{projection: 'pca', dims: {dims}, thumbnails: false}})")
    opened.page.wait_for_timeout(400)
    plot = opened.page.locator(".plot")
    plot.focus()
    press = opened.page.keyboard.press
    width, height = plot.evaluate("(e) => [e.clientWidth, e.clientHeight]")
    x, y = width / 2, height / 2
    xy = opened.call("e.screenPositions()")

    press("b")
    for key in ("Shift+ArrowLeft", "Shift+ArrowUp", "ArrowUp", " "):
        press(key)
    assert opened.call("e.view().selected") == []
    for _ in range(4):
        press("Shift+ArrowRight")
    for _ in range(3):
        press("Shift+ArrowDown")
    press(" ")
    want = inside(xy, x - 48, y - 56, x + 144, y + 88)
    assert want
    assert sorted(opened.call("e.view().selected")) == want
    assert opened.call("e.screenPositions()") == xy, "the plot has not moved"
    assert opened.call("e.view().playing") is False

    # The cross-hair is where it was left; Shift adds, as with the pointer.
    press("Enter")
    for _ in range(3):
        press("Shift+ArrowRight")
    press("Shift+ArrowUp")
    press("Shift+Enter")
    both = sorted({*want, *inside(xy, x + 144, y + 40, x + 288, y + 88)})
    assert sorted(opened.call("e.view().selected")) == both

    # Escape leaves the shape and then the selection.
    press("Enter")
    press("Escape")
    assert sorted(opened.call("e.view().selected")) == both
    press("Escape")
    assert opened.call("e.view().selected") == []

    press("o")
    corners = (("Shift+ArrowLeft", 2), ("Shift+ArrowDown", 2), ("Shift+ArrowRight", 4))
    for key, times in corners:
        for _ in range(times):
            press(key)
        press(" ")
    press("Shift+ArrowUp")
    press("Shift+ArrowUp")
    press("Enter")
    assert sorted(opened.call("e.view().selected")) == inside(xy, x - 96, y, x + 96, y + 96)
    press("p")
    press("ArrowLeft")
    opened.page.wait_for_timeout(250)
    assert opened.call("e.screenPositions()") != xy


def test_the_cross_hair_is_seen_and_goes_with_the_focus(
    open_page: Callable[..., Any], report: Path
) -> None:
    opened = open_page(report)
    opened.call("e.set({tool: 'box', labels: 'none', thumbnails: false})")
    plot = opened.page.locator(".plot")
    plot.focus()
    opened.page.keyboard.press("ArrowUp")
    opened.page.wait_for_timeout(200)
    crossed = plot.screenshot()
    opened.page.get_by_role("button", name="Light or dark").focus()
    opened.page.wait_for_timeout(200)
    plot.evaluate("(e) => e.focus()")
    opened.page.wait_for_timeout(200)
    assert plot.screenshot() != crossed
