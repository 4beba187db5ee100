"""What a bookmark keeps of a view, and what it leaves to the session."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from embviz import PCA, EmbeddingTable, write_report


@pytest.fixture
def page(open_page: Callable[..., Any], report: Path) -> Any:
    return open_page(report)


def test_what_is_of_the_moment_is_not_kept(page: Any) -> None:
    page.call("e.set({projection: 'tsne', dims: 2, highlight: 1, loop: true, tool: 'lasso'})")
    page.call("e.addBookmark('one')")
    [saved] = json.loads(page.call("e.exportBookmarks()"))
    session = {"highlight", "loop", "tool", "run", "tags", "hovered", "theme", "dark", "help"}
    assert session.isdisjoint(saved["embviz"]["view"])
    page.call("e.set({highlight: null, loop: false, tool: 'box', selected: [4]})")
    page.call("e.apply(0)")
    view = page.call("e.view()")
    assert (view["loop"], view["tool"], view["selected"]) == (False, "box", [])
    assert page.page.locator(".plot").is_visible()


def test_colors_of_a_column_that_is_gone_are_left_out_whole_and_told(page: Any) -> None:
    page.call("e.set({tags: [{column: 'mine', value: 'x', rows: [1]}], color_by: 'mine'})")
    page.call("e.set({hidden: [0]})")
    page.call("e.addBookmark('one')")
    page.call("e.set({tags: [], color_by: 'group'})")
    assert page.call("e.apply(0)") == ["No longer there: the column of the colors"]
    view = page.call("e.view()")
    assert (view["color_by"], view["hidden"]) == ("group", [])


def test_a_page_of_two_components_brings_back_its_bookmarks_without_complaint(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    table = EmbeddingTable(
        np.eye(3, 2, dtype=np.float32), {"word": ("a", "b", "c")}, name="x", source="x.npy"
    )
    write_report(tmp_path / "x.html", table, [PCA().project(table)], title="x", command="")
    page = open_page(tmp_path / "x.html")
    page.call("e.addBookmark('one')")
    page.call("e.set({selected: [1]})")
    assert page.call("e.apply(0)") == []
    assert page.call("e.view().selected") == []


def test_what_tensorboard_will_not_do_with_a_file_is_said_after_saving_it(page: Any) -> None:
    message = page.page.locator(".message")
    save = page.page.get_by_role("button", name="Download the bookmarks")
    page.call("e.addBookmark('all')")
    with page.page.expect_download():
        save.click()
    assert "TensorBoard" not in message.inner_text()
    page.call("(e.set({isolated: [1, 2, 3]}), e.addBookmark('few'))")
    with page.page.expect_download():
        save.click()
    expect(message).to_contain_text("upload refuses a file with isolated points (“few”)")


def test_axes_in_a_named_column_are_tensorboards_searches(page: Any) -> None:
    axes = "[{from: 'group:=a', to: 'group:b'}, {from: '', to: ''}, {from: '', to: ''}]"
    page.call(f"(e.set({{projection: 'custom', dims: 2, axes: {axes}}}), e.addBookmark('one'))")
    [saved] = json.loads(page.call("e.exportBookmarks()"))
    assert saved["customSelectedSearchByMetadataOption"] == "group"
    ends = ("XLeft", "XRight", "YDown", "YUp")
    assert [saved[f"custom{end}Text"] for end in ends] == ["^a$", "b", "", ""]
    assert [saved[f"custom{end}Regex"] for end in ends] == [True, False, False, False]
