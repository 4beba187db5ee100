"""t-SNE run in the page, in a worker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Error

from embviz import PCA, TSNE, EmbeddingTable, write_report


@pytest.fixture
def page(open_page: Callable[..., Any], report: Path) -> Any:
    return open_page(report)


def same_group_share(coordinates: np.ndarray[Any, Any], group: np.ndarray[Any, Any]) -> float:
    distances = np.linalg.norm(coordinates[:, None] - coordinates[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return float((group[distances.argmin(axis=1)] == group).mean())


@pytest.mark.parametrize("dims", [2, 3])
def test_a_run_on_the_isolated_points_puts_neighbors_together(page: Any, dims: int) -> None:
    rows = list(range(0, 300, 2))
    page.call(f"e.isolate({rows})")
    found = page.call(f"e.project('tsne', {{dims: {dims}, perplexity: 10, seed: 3}})")
    coordinates = np.array(found["coordinates"]).reshape(150, dims)
    assert np.isfinite(coordinates).all()
    assert same_group_share(coordinates, np.array(rows) % 5) > 0.99
    view = page.call("e.view()")
    assert (view["projection"], view["dims"]) == ("tsne", dims)
    assert view["run"]["status"] == "done"
    assert view["run"]["iteration"] == 300
    assert found["stats"]["kl_divergence"] == pytest.approx(view["run"]["kl"])
    assert "Run here on 150 points" in page.page.locator(".caption").text_content()


def test_a_run_is_as_good_as_the_command_lines(page: Any, table: EmbeddingTable) -> None:
    found = page.call("e.project('tsne', {dims: 2, perplexity: 30})")
    want = TSNE(n_components=2, metric="euclidean", perplexity=30).project(table)
    assert found["stats"]["kl_divergence"] < want.stats["kl_divergence"] * 1.1


def test_a_seed_repeats_a_run(page: Any) -> None:
    run = "e.project('tsne', {dims: 2, perplexity: 10, iterations: 60, seed: %d})"
    first = page.call(run % 1)["coordinates"]
    assert page.call(run % 1)["coordinates"] == first
    assert page.call(run % 2)["coordinates"] != first


def test_a_run_pauses_and_resumes(page: Any) -> None:
    page.call("e.set({projection: 'tsne', dims: 2})")
    page.page.get_by_text("Run on all 300 points").click()
    page.page.get_by_label("Iterations", exact=True).fill("4000")
    page.page.get_by_role("button", name="Run", exact=True).click()
    page.page.wait_for_function("() => window.embviz.view().run?.iteration > 20")
    page.page.get_by_role("button", name="Pause").click()
    page.page.wait_for_timeout(300)
    stopped = page.call("e.view()")["run"]
    page.page.wait_for_timeout(400)
    assert page.call("e.view()")["run"] == stopped
    assert stopped["status"] == "paused"
    page.page.get_by_role("button", name="Resume").click()
    page.page.wait_for_function(
        f"() => window.embviz.view().run.iteration > {stopped['iteration']}"
    )
    page.page.get_by_role("button", name="Discard").click()
    assert page.call("e.view()")["run"] is None
    assert "Run here" not in page.page.locator(".caption").text_content()


def test_running_again_takes_the_place_of_the_run_before(page: Any) -> None:
    page.page.evaluate(
        "() => { window.first = window.embviz.project('tsne', {dims: 2, iterations: 90000})"
        ".then(() => 'done', (error) => error.message); }"
    )
    found = page.call("e.project('tsne', {dims: 2, iterations: 20})")
    assert page.page.evaluate("() => window.first") == "The run was stopped"
    assert found["params"]["iterations"] == 20


def test_other_points_bring_the_files_own_picture_back(page: Any) -> None:
    own = page.call("e.coordinates('tsne', 2)")
    page.call("e.isolate([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])")
    page.call("e.project('tsne', {dims: 2, iterations: 20})")
    assert page.call("e.coordinates('tsne', 2)") != own
    page.call("e.showAll()")
    assert page.call("e.coordinates('tsne', 2)") == own


def test_the_iterations_of_a_run_play(page: Any) -> None:
    page.call("e.project('tsne', {dims: 2, iterations: 60})")
    slider = page.page.get_by_label("Recorded iteration")
    assert slider.is_visible()
    assert int(slider.get_attribute("max")) >= 29
    page.call("e.set({frame: 3})")
    assert page.page.locator(".player output").text_content() == "6"


def test_what_does_not_fit_is_said_beside_the_fields(page: Any) -> None:
    page.call(
        "e.isolate([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]).then(() => e.set({projection: 'tsne', dims: 2}))"
    )
    page.page.get_by_text("Run on the 10 isolated points").click()
    page.page.get_by_label("Perplexity", exact=True).fill("9")
    page.page.get_by_role("button", name="Run", exact=True).click()
    assert "1 to 3 do" in page.page.get_by_role("alert").text_content()
    page.call("e.isolate([1, 2])")
    assert page.page.get_by_role("button", name="Run", exact=True).is_disabled()
    assert "t-SNE needs 4 points" in page.page.locator(".run").text_content()


def test_a_page_without_t_sne_can_run_it_and_says_that_it_has_not(
    open_page: Callable[..., Any], table: EmbeddingTable, tmp_path: Path
) -> None:
    write_report(tmp_path / "p.html", table, [PCA().project(table)])
    page = open_page(tmp_path / "p.html")
    with pytest.raises(Error, match="tsne is not in this page in 2 dimensions"):
        page.call("e.coordinates('tsne', 2)")
    page.page.get_by_role("tab", name="t-SNE").click()
    assert "not been run" in page.page.locator(".caption").text_content()
    page.page.get_by_role("button", name="Run", exact=True).click()
    page.page.wait_for_function("() => window.embviz.view().run?.status === 'done'")
    assert len(page.call("e.coordinates('tsne', 2)")) == 600
    assert page.complaints == []


def test_cosine_and_spherized_runs_use_vectors_of_length_one(
    page: Any, table: EmbeddingTable
) -> None:
    page.call("e.set({metric: 'cosine', spherize: true})")
    found = page.call("e.project('tsne', {dims: 2, perplexity: 10})")
    assert (found["params"]["metric"], found["params"]["normalize"]) == ("cosine", "sphere")
    group = np.arange(300) % 5
    assert same_group_share(np.array(found["coordinates"]).reshape(300, 2), group) > 0.99


def test_a_run_cannot_be_made_up(page: Any) -> None:
    with pytest.raises(Error, match="neither null nor the run of this page"):
        page.call("e.set({run: {id: 7}})")
