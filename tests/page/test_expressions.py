"""Regular expressions in the page: none hangs it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from embviz import PCA, EmbeddingTable, write_report

N_POINTS = 300_000


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of labels on which /(a+)+$/ backtracks for ever."""
    vectors = np.random.default_rng(1).normal(size=(N_POINTS, 2)).astype(np.float32)
    words = tuple("a" * (20 + i % 20) + "!" for i in range(N_POINTS))
    table = EmbeddingTable(vectors, {"word": words}, "emb", "x.npy")
    path = tmp_path_factory.mktemp("labels") / "out.html"
    write_report(path, table, [PCA().project(table)])
    return path


def test_a_link_and_a_field_with_an_expression_that_others_hang_on_are_answered(
    open_page: Callable[..., Any], labels: Path
) -> None:
    page = open_page(labels, plotly=False)
    page.page.goto("about:blank")
    page.page.goto(f"{labels.resolve().as_uri()}#q=/(a%2B)%2B$/")
    page.page.evaluate("() => window.embviz.ready")
    assert page.call("e.view()")["query"] == "/(a+)+$/"
    field = page.page.get_by_role("searchbox")
    count = page.page.get_by_role("region", name="Search").get_by_role("status")
    expect(count).to_have_text("0 matches")
    for query, said in [
        ("/^(a|aa)+$/", "0 matches"),
        ("/(a+)+!$/", "300,000 matches"),
        ("/^a{20}!/", "15,000 matches"),
    ]:
        begun = time.monotonic()
        field.fill(query)
        expect(count).to_have_text(said, timeout=10_000)
        assert time.monotonic() - begun < 10
    axes = "[{from: '/(a+)+$/', to: '/(a|aa)+!$/'}, {from: '/((a*)*)*$/', to: ''}]"
    begun = time.monotonic()
    page.call(f"e.set({{projection: 'custom', axes: {axes}}})")
    page.page.evaluate(
        "(text) => { embviz.loadBookmarks(text); embviz.apply(0); }",
        '[{"label": "one", "projections": [], "selectedProjection": "custom",'
        ' "customXLeftText": "(a+)+$", "customXLeftRegex": true,'
        ' "customXRightText": "(a|a)*!$", "customXRightRegex": true}]',
    )
    assert page.call("e.view()")["axes"][0] == {"from": "/(a+)+$/", "to": "/(a|a)*!$/"}
    assert time.monotonic() - begun < 20
    field.fill("/(.{0,1000}){1000}/")
    told = "/(.{0,1000}){1000}/ cannot be searched for: it is too large"
    expect(page.page.get_by_text(told).first).to_be_visible()
    assert not page.complaints
