"""The picture as a tree to walk with the arrow keys: what is spoken and what is seen of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Opened
from tests.page.test_comparison import comparison as comparison
from tests.page.test_comparison import report_of_two as report_of_two
from tests.page.test_hostile import HOSTILE
from tests.page.test_hostile import hostile as hostile

ACTIVE = (
    "() => { const e = document.activeElement; return {role: e.role, name: e.ariaLabel,"
    " level: e.ariaLevel, of: `${e.ariaPosInSet} of ${e.ariaSetSize}`, open: e.ariaExpanded,"
    " selected: e.ariaSelected, seen: e.checkVisibility()}; }"
)
HEARD = (
    "() => { window.heard = []; new MutationObserver((found) => { for (const {target} of found) {"
    " const live = (target.nodeType === 1 ? target : target.parentElement)?.closest('[aria-live], [role=status]');"
    " if (live) window.heard.push(live.textContent); } })"
    ".observe(document, {subtree: true, childList: true, characterData: true}); }"
)


class Walker:
    """A page whose outline is walked."""

    def __init__(self, opened: Opened) -> None:
        self.opened, self.page = opened, opened.page

    def press(self, *keys: str) -> dict[str, Any]:
        """Press keys and return what has the focus."""
        for key in keys:
            self.page.keyboard.press(key)
        found: dict[str, Any] = self.page.evaluate(ACTIVE)
        return found

    @property
    def said(self) -> str:
        """What the tree's live region holds."""
        return str(self.page.locator(".said").text_content())

    def pixels(self) -> bytes:
        self.page.wait_for_timeout(120)
        return bytes(self.page.locator(".plot").first.screenshot())


@pytest.fixture
def walker(open_page: Callable[..., Opened], report: Path) -> Walker:
    return Walker(open_page(report, reduced_motion="reduce"))


def test_the_arrow_keys_lead_from_the_picture_to_a_class_its_points_and_their_neighbors(
    walker: Walker,
) -> None:
    assert walker.page.locator("[role=treeitem]").count() == 0, "nothing is built before"
    top = walker.press("r")
    assert (top["role"], top["name"], top["level"], top["open"]) == (
        "treeitem",
        "Blobs",
        "1",
        "true",
    )
    group = walker.press("ArrowDown", "ArrowDown")
    assert (group["name"], group["level"], group["of"]) == ("b, 60 points", "2", "2 of 5")
    point = walker.press("ArrowRight", "ArrowRight")
    assert (point["level"], point["of"], point["open"]) == ("3", "1 of 6", "false")
    row = int(point["name"][1:])
    assert row % 5 == 1
    near = [walker.press("ArrowRight", "ArrowRight")["name"]]
    assert walker.press()["level"] == "4"
    near += [walker.press("ArrowDown")["name"] for _ in range(9)]
    rows = walker.opened.call(f"e.neighbors({row}).indices")
    assert near == [f"w{i}" for i in rows]
    assert walker.press("ArrowLeft")["name"] == point["name"]
    assert walker.press("ArrowLeft")["open"] == "false"
    assert walker.press("ArrowLeft")["name"] == "b, 60 points"
    assert walker.press("End")["name"] == "e, 60 points"
    assert walker.press("Home")["name"] == "Blobs"
    assert walker.press("c")["name"] == "c, 60 points"
    assert walker.press("Home", "*")["open"] == "true"
    # All classes unfold at once; the points in them do not.
    walker.press("ArrowDown", "*")
    assert walker.page.locator("[role=treeitem][aria-level='3']").count() == 30
    assert walker.page.locator("[role=treeitem][aria-level='4']").count() == 0
    assert walker.page.locator("[role=treeitem][tabindex='0']").count() == 1


def test_what_has_the_focus_is_spoken_and_nothing_else(walker: Walker) -> None:
    walker.press("r")
    walker.page.evaluate(HEARD)
    steps = ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown")
    spoken = []
    for key in steps:
        before = walker.said
        walker.press(key)
        if walker.said != before:
            spoken.append(walker.said)
    assert walker.page.evaluate("() => window.heard") == spoken
    assert spoken[0].startswith("a: 60 points of 300 (20 %), at the ")
    assert spoken[1].split(":")[0] in walker.page.locator("[aria-level='3']").all_text_contents()
    assert "Nearest: w" in spoken[-1]
    assert "neighbor 2 of w" in spoken[-1]


@pytest.mark.parametrize("dims", [2, 3])
def test_what_has_the_focus_is_seen_in_the_plot_also_when_it_was_off_screen(
    walker: Walker, dims: int
) -> None:
    opened = walker.opened
    opened.call(f"e.set({{dims: {dims}, thumbnails: false}})")
    walker.press("r")
    before = walker.pixels()
    walker.press("ArrowDown")
    group = walker.pixels()
    assert group != before
    point = walker.press("ArrowRight", "ArrowRight")
    assert walker.pixels() not in (before, group)
    walker.page.locator(".walk summary").focus()
    assert walker.pixels() == before, "it is pointed out as long as the focus is there"
    plot = walker.page.locator(".plot")
    plot.focus()
    walker.press(*["+"] * (9 if dims == 2 else 16), *["ArrowLeft"] * (12 if dims == 2 else 0))
    width, height = plot.evaluate("(e) => [e.clientWidth, e.clientHeight]")

    def is_in(row: int) -> bool:
        walker.page.wait_for_timeout(300)
        xy = opened.call("e.screenPositions()")
        x, y = xy[2 * row], xy[2 * row + 1]
        return x is not None and 0 < x < width and 0 < y < height

    row = int(point["name"][1:])
    assert not is_in(row)
    assert walker.press("r")["name"] == point["name"]
    assert is_in(row)
    other = int(walker.press("ArrowDown")["name"][1:])
    assert is_in(other)


def test_enter_and_space_select_a_point_or_a_class(walker: Walker) -> None:
    opened = walker.opened
    assert walker.press("r", "Enter")["open"] == "false"
    assert walker.press(" ")["open"] == "true"
    assert opened.call("e.view().selected") == [], "the picture itself is nothing to select"
    walker.press("ArrowDown", "Enter")
    assert opened.call("e.view().selected") == list(range(0, 300, 5))
    point = walker.press("ArrowRight", "ArrowRight", " ")
    assert opened.call("e.view().selected") == [int(point["name"][1:])]
    assert walker.press()["selected"] == "true"
    other = walker.press("ArrowDown", "Shift+Enter")
    assert len(opened.call("e.view().selected")) == 2
    assert other["selected"] == "true"
    assert opened.call("e.view().playing") is False


def test_the_outline_follows_what_is_shown_and_keeps_its_place(walker: Walker) -> None:
    walker.press("r", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight")
    assert walker.press()["name"] == "c, 60 points"
    walker.opened.call("e.set({hidden: [0]})")
    assert (walker.press()["name"], walker.press()["of"]) == ("c, 60 points", "2 of 4")
    walker.opened.call("e.set({label_by: 'size', hidden: [0, 2]})")
    assert walker.press()["name"] == "Blobs"
    assert "180 of 300 points are shown." in walker.said


def test_it_is_parted_as_the_reader_chooses(walker: Walker) -> None:
    walker.press("r")
    by = walker.page.get_by_label("Parted by")
    assert by.locator("option").all_text_contents() == ["group", "nothing"]
    by.select_option("nothing")
    tree = walker.page.get_by_role("tree")
    assert tree.locator("[aria-level='2']").all_text_contents() == [
        "Points 1 to 100", "Points 101 to 200", "Points 201 to 300",
    ]  # fmt: skip
    tree.get_by_text("Points 101 to 200").click()
    tree.get_by_text("w105", exact=True).click()
    assert walker.opened.call("e.view().selected") == [105]
    assert walker.said.startswith("w105: row 105; ")


def test_in_a_run_only_the_points_of_the_step_are_there(
    open_page: Callable[..., Opened], step_reports: dict[str, Path]
) -> None:
    walker = Walker(open_page(step_reports["auto"]))
    walker.press("r", "End")
    assert walker.press()["name"] == "d, 30 points"
    walker.opened.call("e.set({step: 0})")
    assert walker.press()["name"] == "d, 25 points"
    assert walker.said.startswith("d: 25 points of 100 (25 %)")


def test_in_a_comparison_a_point_leads_to_its_nearest_on_both_sides(
    open_page: Callable[..., Opened], report_of_two: Path
) -> None:
    walker = Walker(open_page(report_of_two))
    walker.press("r", "ArrowDown")
    assert walker.said.startswith("a: 20 points of 120 (17 %), ")
    point = walker.press("ArrowRight", "ArrowRight")
    row = walker.opened.call(f"e.query('={point['name']}')[0]")
    stayed = int(walker.said.split(" of its 10 nearest in A stayed in B")[0].split()[-1])
    walker.opened.call(f"e.set({{selected: [{row}]}})")
    assert walker.page.locator(".mark.stayed").count() == 2 * stayed
    assert walker.press("ArrowRight", "ArrowRight")["name"] == "Nearest in A"
    assert walker.press("ArrowRight", "ArrowRight")["of"] == "1 of 10"
    assert f"neighbor 1 of {point['name']}, at " in walker.said
    assert walker.press("ArrowLeft", "ArrowLeft", "ArrowDown")["name"] == "Nearest in B"


def test_chromium_tells_assistive_programs_of_the_tree(walker: Walker) -> None:
    walker.press("r", "ArrowDown", "ArrowRight", "ArrowRight")
    session = walker.page.context.new_cdp_session(walker.page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    by_role: dict[str, list[dict[str, Any]]] = {}
    for node in nodes:
        if not node["ignored"]:
            by_role.setdefault(node["role"]["value"], []).append(node)

    def told(node: dict[str, Any]) -> dict[str, Any]:
        return {p["name"]: p["value"].get("value") for p in node.get("properties", ())}

    [tree] = by_role["tree"]
    assert tree["name"]["value"] == "The picture and its parts"
    items = by_role["treeitem"]
    assert [told(node)["level"] for node in items] == [1, 2, *[3] * 6, 2, 2, 2, 2]
    assert [node["name"]["value"] for node in items][:2] == ["Blobs", "a, 60 points"]
    focused = [node for node in items if told(node).get("focused")]
    assert [node["name"]["value"] for node in focused] == [walker.press()["name"]]
    assert told(items[1])["expanded"] is True
    live = [node for node in nodes if told(node).get("live") == "polite" and not node["ignored"]]
    assert len(live) >= 1


def test_hostile_labels_and_columns_are_text_in_the_outline(
    open_page: Callable[..., Opened], hostile: Path
) -> None:
    walker = Walker(open_page(hostile))
    walker.page.evaluate(
        "() => document.querySelectorAll('details').forEach((e) => { e.open = true; })"
    )
    walker.press("r", "ArrowDown", "*", "ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight")
    assert walker.page.locator("[role=treeitem]").count() > len(HOSTILE)
    assert walker.opened.call("window.pwned === undefined")
    assert walker.page.locator("#app script, #app img, #app b").count() == 0
    assert walker.opened.complaints == []
