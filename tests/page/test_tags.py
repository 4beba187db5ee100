"""Tagging the selection, and the metadata as a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from embviz import EmbeddingTable, load_table


@pytest.fixture
def page(open_page: Callable[..., Any], report: Path) -> Any:
    return open_page(report)


def tag(page: Any, column: str, value: str) -> None:
    panel = page.page.get_by_label("Tags")
    if panel.locator("details").get_attribute("open") is None:
        panel.locator("summary").click()
    page.page.get_by_label("Column of the tag").fill(column)
    page.page.get_by_label("Value of the tag").fill(value)
    panel.get_by_role("button", name="Tag ").click()


def test_the_selection_gets_a_value_in_a_new_column_that_colors_and_can_be_searched(
    page: Any,
) -> None:
    page.call("e.select([3, 7, 9])")
    tag(page, "mine", "good")
    assert page.call("e.query('mine:good')") == [3, 7, 9]
    assert page.call("e.view()")["color_by"] == "mine"
    assert page.page.locator(".legend-row").first.text_content() == "good3"
    assert "mine" in page.page.get_by_label("Label by").text_content()
    assert page.complaints == []


def test_a_value_in_a_column_of_the_file_is_changed_and_taken_back(page: Any) -> None:
    page.call("e.select([0, 1])")
    tag(page, "group", "z")
    assert page.call("e.query('group:=z')") == [0, 1]
    assert len(page.call("e.query('group:=a')")) == 59
    page.page.get_by_role("button", name="Undo").click()
    assert page.call("e.query('group:=z')") == []
    assert len(page.call("e.query('group:=a')")) == 60


def test_the_edited_metadata_is_saved_as_a_file_that_loads_again(
    page: Any, table: EmbeddingTable, tmp_path: Path
) -> None:
    page.call("e.select([3, 7])")
    tag(page, "mine", "<b>good</b>")
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="Save the metadata").click()
    assert download.value.suggested_filename == "metadata-edited.tsv"
    path = tmp_path / "metadata-edited.tsv"
    download.value.save_as(path)
    import numpy as np

    np.save(tmp_path / "v.npy", table.vectors)
    loaded = load_table(tmp_path / "v.npy", metadata=path)
    assert list(loaded.metadata) == ["word", "group", "size", "mine"]
    assert loaded.metadata["mine"][2:8] == ("", "<b>good</b>", "", "", "", "<b>good</b>")
    assert loaded.metadata["word"] == table.metadata["word"]


def test_the_values_of_a_column_are_buttons_that_give_them_to_the_selection(page: Any) -> None:
    page.call("e.select([0, 3])")
    panel = page.page.get_by_label("Tags")
    panel.locator("summary").click()
    values = panel.get_by_role("list", name="Values of the column").get_by_role("button")
    assert values.count() == 0
    page.page.get_by_label("Column of the tag").fill("group")
    assert values.all_text_contents() == ["a", "b", "c", "d", "e"]
    values.nth(2).click()
    assert page.call("e.view()")["tags"] == [{"column": "group", "value": "c", "rows": [0, 3]}]
    assert len(page.call("e.query('group:=c')")) == 62
    assert page.page.evaluate("() => document.activeElement.textContent") == "c"
    page.call("e.select([])")
    assert values.first.is_disabled()
    page.page.get_by_label("Column of the tag").fill("word")
    assert values.count() == 0, "more than fifty values are not listed"
    page.page.get_by_label("Column of the tag").fill("mine")
    assert values.count() == 0
    assert page.complaints == []
