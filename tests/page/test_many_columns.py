"""Points of which far more is known than a reader can see at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import expect

from embviz import EmbeddingTable, Projection, write_report

N_COLUMNS = 2_500


def test_a_card_shows_the_first_values_and_all_when_asked(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    vectors = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
    columns = {f"c{j}": [f"v{j}.{i}" for i in range(12)] for j in range(N_COLUMNS)}
    table = EmbeddingTable(vectors, columns)
    write_report(tmp_path / "out.html", table, [Projection("m", vectors[:, :2].copy())])
    page = open_page(tmp_path / "out.html")
    page.call("e.set({selected: [7]})")
    values = page.page.locator(".card dd")
    expect(values).to_have_count(301)
    page.page.get_by_role("button", name="Show all 2,500 values").click()
    expect(values).to_have_count(1 + N_COLUMNS)
    assert values.last.text_content() == f"v{N_COLUMNS - 1}.7"
    assert page.page.evaluate("() => document.activeElement.localName") == "dl"
    page.call("e.set({selected: [8]})")
    expect(values).to_have_count(301)
    assert page.complaints == []
