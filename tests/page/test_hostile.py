"""Labels, names and titles that try to get out of the text they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import PCA, TSNE, EmbeddingTable, write_report

HOSTILE = [
    "</script><script>window.pwned=1</script>",
    '<img src=x onerror="window.pwned=1">',
    "--><svg onload=window.pwned=1>",
    "'\"`${window.pwned=1}{{7*7}}",
    "<b>bold</b><br>",
    "a\u2028b\u2029c",
    "\u202ertl \u05e2\u05d1\u05e8\u05d9\u05ea",
    "\x00\x01\x1b[31m\x7f",
    "x" * 10_000,
    "javascript:window.pwned=1",
    "__proto__",
    "constructor",
    "👩‍👩‍👧‍👦 e\u0301",
    "]]><!--<script>",
    "&lt;script&gt;",
    " ",
]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report in which every text is hostile."""
    n = len(HOSTILE) * 3
    vectors = np.random.default_rng(0).normal(size=(n, 6)).astype(np.float32)
    texts = tuple(HOSTILE[i % len(HOSTILE)] for i in range(n))
    metadata = dict.fromkeys(["label", *HOSTILE[:8], "__proto__", "constructor"], texts)
    table = EmbeddingTable(vectors, metadata, name=HOSTILE[0], source=HOSTILE[1])
    path = tmp_path_factory.mktemp("hostile") / "out.html"
    projections = [PCA().project(table), TSNE().project(table)]
    write_report(
        path, table, projections, title=HOSTILE[0], command=f"embviz {HOSTILE[1]}", notes=HOSTILE
    )
    return path


@pytest.mark.also("firefox")
def test_hostile_text_is_shown_as_text_and_never_runs(
    open_page: Callable[..., Any], hostile: Path
) -> None:
    page = open_page(hostile)
    assert page.page.title() == HOSTILE[0]
    for column in page.call("e.table.columns"):
        page.page.evaluate(
            "(c) => window.embviz.set({label_by: c, color_by: c, column: c, labels: 'many'})",
            column,
        )
        for row in range(len(HOSTILE)):
            page.call(f"e.set({{selected: [{row}], hovered: {row}}})")
    page.call("e.set({help: true, projection: 'tsne'})")
    page.page.wait_for_timeout(200)
    assert page.call("window.pwned === undefined")
    assert page.page.locator("#app script, #app img, #app svg[onload], #app b").count() == 0
    assert page.requests == []
    assert page.complaints == []


def test_hostile_labels_come_out_as_they_went_in(
    open_page: Callable[..., Any], hostile: Path
) -> None:
    page = open_page(hostile)
    for row, text in enumerate(HOSTILE):
        page.call(f"e.set({{selected: [{row}]}})")
        assert page.page.locator(".card-name").text_content() == text
        found = page.page.evaluate("(q) => [...window.embviz.query(q)]", f"label:={text}")
        assert row in found


def test_the_page_allows_itself_nothing_from_outside(hostile: Path) -> None:
    text = hostile.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert "connect-src 'none'" in text
    assert "unsafe-eval" not in text


def test_a_truncated_file_says_that_it_is_incomplete(
    open_page: Callable[..., Any], hostile: Path, tmp_path: Path
) -> None:
    data = hostile.read_bytes()
    for part in (0.4, 0.98):
        path = tmp_path / f"cut{part}.html"
        path.write_bytes(data[: int(len(data) * part)])
        page = open_page(path, wait=False)
        page.page.wait_for_timeout(500)
        assert "incomplete" in page.page.locator("#status").text_content()
