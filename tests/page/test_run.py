"""t-SNE and UMAP run in the page, in workers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Error
from sklearn.manifold import trustworthiness

from embviz import PCA, TSNE, EmbeddingTable, Projection, write_report


@pytest.fixture
def page(open_page: Callable[..., Any], report: Path) -> Any:
    return open_page(report)


def same_group_share(coordinates: np.ndarray[Any, Any], group: np.ndarray[Any, Any]) -> float:
    distances = np.linalg.norm(coordinates[:, None] - coordinates[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return float((group[distances.argmin(axis=1)] == group).mean())


@pytest.mark.everywhere
@pytest.mark.parametrize("dims", [2, 3])
def test_a_run_on_the_isolated_points_puts_neighbors_together(page: Any, dims: int) -> None:
    rows = list(range(0, 300, 2))
    page.call(f"e.isolate({rows})")
    found = page.call(f"e.project('tsne', {{dims: {dims}, perplexity: 10, seed: 3}})")
    assert found["rows"] == rows
    coordinates = np.array(found["coordinates"]).reshape(150, dims)
    assert np.isfinite(coordinates).all()
    assert same_group_share(coordinates, np.array(rows) % 5) > 0.99
    view = page.call("e.view()")
    assert (view["projection"], view["dims"]) == ("tsne", dims)
    assert view["run"]["status"] == "done"
    assert view["run"]["iteration"] == 750
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
    slot, player = page.page.locator(".run-slot"), page.page.locator(".player")
    assert slot.locator(".player").is_visible()
    page.call("e.showAll()")
    assert page.call("e.coordinates('tsne', 2)") == own
    assert player.bounding_box()["y"] < page.page.locator(".run").bounding_box()["y"]
    assert not slot.is_visible()


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
    instead = page.page.locator(".stand-in")
    assert instead.inner_text() == "PCA: t-SNE in 2D has not been run here"
    page.page.get_by_role("button", name="Run", exact=True).click()
    page.page.wait_for_function("() => window.embviz.view().run?.status === 'done'")
    assert not instead.is_visible()
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


@pytest.mark.parametrize("dims", [2, 3])
def test_umap_runs_on_the_isolated_points(page: Any, table: EmbeddingTable, dims: int) -> None:
    rows = list(range(0, 300, 2))
    options = f"{{dims: {dims}, neighbors: 12, epochs: 200, rows: {rows}}}"
    found = page.call(f"e.project('umap', {options})")
    assert (found["name"], found["rows"], found["dims"]) == ("umap", rows, dims)
    coordinates = np.array(found["coordinates"]).reshape(150, dims)
    assert trustworthiness(table.vectors[rows], coordinates, n_neighbors=5) > 0.9
    assert found["params"] == {
        "points": 150, "dims": dims, "n_neighbors": 12, "min_dist": 0.1, "learning_rate": 1,
        "epochs": 200, "seed": 0, "metric": "euclidean", "normalize": "none",
        "initialization": "pca",
    }  # fmt: skip
    view = page.call("e.view()")
    assert (view["projection"], view["dims"], view["isolated"]) == ("umap", dims, rows)
    run = view["run"]
    assert (run["name"], run["status"], run["iteration"], run["kl"]) == ("umap", "done", 200, None)
    assert page.call(f"e.project('umap', {options})")["coordinates"] == found["coordinates"]
    shown = np.array(page.call(f"e.coordinates('umap', {dims})")).reshape(300, dims)
    np.testing.assert_array_equal(shown[rows], coordinates)
    assert np.isnan(np.array(shown[1::2], dtype=float)).all()


def test_umap_is_run_paused_resumed_played_and_discarded_by_its_buttons(page: Any) -> None:
    page.page.get_by_role("tab", name="UMAP").click()
    assert "UMAP has not been run here yet" in page.page.locator(".caption").text_content()
    for name, value in {
        "Neighbors": "10", "Minimal distance": "0.3", "Learning rate": "0.5", "Epochs": "3000",
        "Seed": "7",
    }.items():  # fmt: skip
        page.page.locator(".run").get_by_label(name, exact=True).fill(value)
    page.page.get_by_role("button", name="Run", exact=True).click()
    page.page.wait_for_function("() => window.embviz.view().run?.iteration > 20")
    page.page.get_by_role("button", name="Pause").click()
    page.page.wait_for_timeout(300)
    stopped = page.call("e.view()")["run"]
    page.page.wait_for_timeout(300)
    assert page.call("e.view()")["run"] == stopped
    assert (
        page.page.locator(".caption")
        .text_content()
        .startswith(f"Paused here on 300 points: {stopped['iteration']:,} of 3,000 epochs.")
    )
    asked = {"neighbors": 10, "min_distance": 0.3, "learning_rate": 0.5, "epochs": 3000, "seed": 7}
    assert asked.items() <= stopped.items()
    assert f"Epoch {stopped['iteration']:,} of 3,000" in page.page.locator(".run").text_content()
    page.page.get_by_role("button", name="Resume").click()
    assert page.page.locator(".caption").text_content().startswith("Running here on 300 points")
    page.wait("e.view().run.status === 'done'", 60)
    slider = page.page.get_by_label("Recorded epoch")
    assert int(slider.get_attribute("max")) >= 29
    page.call("e.set({frame: 0})")
    assert page.page.locator(".player output").text_content() == "0"
    page.page.get_by_role("button", name="Discard").click()
    assert page.call("e.view()")["run"] is None
    assert not slider.is_visible()
    assert "has not been run" in page.page.locator(".caption").text_content()


def test_neighbors_that_do_not_fit_are_refused_with_the_reason(page: Any) -> None:
    with pytest.raises(Error, match=r"Neighbors 300 do not fit 300 points; .* from 2 to 299 do"):
        page.call("e.project('umap', {neighbors: 300})")
    with pytest.raises(Error, match="perplexity is no option of umap; there are rows, dims"):
        page.call("e.project('umap', {perplexity: 3})")
    page.call("e.isolate([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]).then(() => e.set({projection: 'umap'}))")
    neighbors = page.page.get_by_label("Neighbors", exact=True).first
    assert neighbors.get_attribute("placeholder") == "9"
    neighbors.fill("10")
    page.page.get_by_role("button", name="Run", exact=True).click()
    assert "from 2 to 9 do" in page.page.get_by_role("alert").text_content()
    page.call("e.isolate([1, 2])")
    assert "UMAP needs 4 points" in page.page.locator(".run").text_content()


def test_runs_of_both_methods_and_dimensions_stay_beside_each_other(page: Any) -> None:
    wanted = [("tsne", 2), ("tsne", 3), ("umap", 2), ("umap", 3)]
    found = {}
    for name, dims in wanted:
        steps = "iterations" if name == "tsne" else "epochs"
        options = f"{{dims: {dims}, {steps}: {20 + dims}}}"
        found[name, dims] = page.call(f"e.project('{name}', {options})")["coordinates"]
    for name, dims in wanted:
        page.call(f"e.set({{projection: '{name}', dims: {dims}}})")
        assert page.call("e.view()")["run"]["iterations"] == 20 + dims
        assert page.call(f"e.coordinates('{name}', {dims})") == found[name, dims]
    page.call("e.set({run: null})")
    page.call("e.set({projection: 'tsne', dims: 2})")
    assert page.call("e.coordinates('tsne', 2)") == found["tsne", 2]
    with pytest.raises(Error, match="umap is not in this page in 3 dimensions"):
        page.call("e.coordinates('umap', 3)")
    # The same points isolated once more are the same points.
    page.call("e.isolate([0, 2, 4, 6, 8, 10])")
    small = page.call("e.project('umap', {dims: 2, epochs: 20})")["coordinates"]
    page.call("e.showAll()")
    assert len(page.call("e.coordinates('tsne', 2)")) == 600
    page.call("e.isolate([0, 2, 4, 6, 8, 10])")
    shown = np.array(page.call("e.coordinates('umap', 2)"), dtype=float).reshape(300, 2)
    np.testing.assert_array_equal(shown[:12:2].ravel(), small)


def margin(page: Any) -> float:
    """How far the points stay within the plot, in pixels; negative where some are cut off."""
    places = np.array(page.call("e.screenPositions()")).reshape(-1, 2)
    box = page.page.locator(".plot").bounding_box()
    return float(min(places.min(), ([box["width"], box["height"]] - places).min()))


def test_a_map_that_moves_stays_in_sight(page: Any) -> None:
    page.page.evaluate(
        "() => { void window.embviz.project('tsne', {dims: 2, iterations: 90000}); }"
    )
    for iteration in (30, 200, 400):
        page.wait(f"e.view().run?.iteration > {iteration}", 60)
        assert margin(page) >= 0


@pytest.mark.parametrize("turned", [False, True])
def test_a_finished_map_in_3d_is_in_sight_from_where_the_reader_looks(
    page: Any, turned: bool
) -> None:
    page.call("e.set({caption: false, thumbnails: false})")  # All of the plot is for places.
    iterations = 3000 if turned else 400  # enough that it can be stopped
    page.page.evaluate(
        "() => { void window.embviz.project('tsne', "
        f"{{dims: 3, iterations: {iterations}, spherize: true}}); }}"
    )
    if turned:
        page.wait("e.view().run?.iteration > 10")
        page.page.get_by_role("button", name="Pause").click()
        page.page.locator(".plot").focus()
        for key in ["ArrowLeft"] * 6 + ["+"] * 4:
            page.page.keyboard.press(key)
        page.page.get_by_role("button", name="Resume").click()
    page.wait("e.view().run?.status === 'done'", 60)
    assert 10 < margin(page) < 60, "as near as all points allow"
    ended = page.call("e.screenPositions()")
    page.page.keyboard.press("0")
    home = page.call("e.screenPositions()")
    if turned:
        assert np.abs(np.array(ended) - home).max() > 50
    else:
        np.testing.assert_allclose(ended, home, atol=0.5)


def test_a_running_t_sne_can_be_perturbed(page: Any) -> None:
    page.page.evaluate(
        "() => { void window.embviz.project('tsne', {dims: 2, iterations: 90000}); }"
    )
    page.wait("e.view().run?.iteration > 150")
    page.page.get_by_role("button", name="Pause").click()
    page.page.wait_for_timeout(300)
    before = np.array(page.call("e.coordinates('tsne', 2)")).reshape(-1, 2)
    perturb = page.page.get_by_role("button", name="Perturb")
    perturb.focus()
    page.page.keyboard.press("Enter")
    page.wait("e.view().run.perturbed === 1")
    page.page.wait_for_timeout(300)
    after = np.array(page.call("e.coordinates('tsne', 2)")).reshape(-1, 2)
    radius = np.linalg.norm(before, axis=1).max()
    assert 0.02 * radius < np.abs(after - before).max() < 0.06 * radius
    perturb.hover()
    page.page.mouse.down()
    page.wait("e.view().run.perturbed >= 3")
    page.page.mouse.up()
    held = page.call("e.view().run.perturbed")
    page.page.wait_for_timeout(400)
    assert page.call("e.view().run.perturbed") == held
    page.call("e.set({projection: 'umap'})")
    assert not perturb.is_visible()


def test_t_sne_supervised_by_a_column_draws_its_classes_together(page: Any) -> None:
    group = np.arange(300) % 5
    # What the vectors know nothing of: halves of the table.
    half = ["a"] * 150 + ["b"] * 150
    page.call(
        f"e.set({{tags: {[{'column': 'half', 'value': v, 'rows': [i]} for i, v in enumerate(half)]}}})"
    )

    def silhouette(options: str) -> float:
        from sklearn.metrics import silhouette_score

        found = page.call(f"e.project('tsne', {{dims: 2, perplexity: 20{options}}})")
        y = np.array(found["coordinates"]).reshape(300, 2)
        labels = group * 2 + (np.arange(300) >= 150)
        return float(silhouette_score(y, labels))

    plain = silhouette("")
    pulled = silhouette(", supervise: {column: 'half', factor: 50}")
    assert pulled > plain + 0.2
    params = page.call("e.project('tsne', {iterations: 5, supervise: {column: 'half', factor: 3}})")
    assert params["params"]["supervised_by"] == "half"
    for odd, why in {
        "{column: 'x', factor: 3}": "no column 'x'",
        "{column: 'half', factor: 300}": "300 is not in 0 .. 100",
    }.items():
        with pytest.raises(Error, match=why):
            page.call(f"e.project('tsne', {{supervise: {odd}}})")
    page.page.get_by_label("Supervise").select_option("group")
    assert page.page.get_by_label("Strength").is_visible()


def test_a_step_of_a_run_that_is_looked_at_has_its_own_figures(page: Any) -> None:
    page.call("e.project('tsne', {dims: 2, iterations: 100})")
    said = page.page.locator(".run [role=status]")
    end = said.inner_text()
    assert end.startswith("100 iterations · KL ")
    page.call("e.set({frame: 2})")
    name = page.page.locator(".player output").inner_text()
    assert said.inner_text().startswith(f"Iteration {name} of 100 · KL ")
    kl = float(said.inner_text().split("KL ")[1])
    assert kl > float(end.split("KL ")[1])
    page.call("e.set({frame: null})")
    assert said.inner_text() == end


def test_going_back_to_the_points_of_a_run_shows_the_run(page: Any) -> None:
    page.call("e.set({projection: 'tsne', dims: 2, selected: [17]})")
    page.call("e.isolate([17, ...e.neighbors(17, 10).indices])")
    run = page.call("e.project('tsne', {iterations: 50})")
    said = page.page.locator(".run [role=status]").inner_text
    own = page.call("e.coordinates('tsne', 2)")
    page.page.wait_for_timeout(400)  # The address follows.
    page.page.get_by_role("button", name="Show all").click()
    page.page.wait_for_timeout(400)
    assert "on 11 other points" in said()
    page.page.go_back()
    page.wait("e.view().isolated?.length === 11")
    assert sorted(page.call("e.view().isolated")) == sorted(run["rows"])
    assert "other points" not in said()
    assert page.call("e.coordinates('tsne', 2)") == own
    assert "Run here on 11 points" in page.page.locator(".caption").text_content()


def test_what_plays_a_run_stays_in_its_panel(page: Any) -> None:
    page.call("e.project('tsne', {dims: 2, iterations: 50})")
    panel = page.page.locator(".run").bounding_box()
    loop = page.page.locator(".run-slot").get_by_label("Play again from the start").bounding_box()
    slider = page.page.get_by_label("Recorded iteration").bounding_box()
    assert slider["width"] > 60
    assert loop["x"] >= slider["x"] + slider["width"]
    assert loop["x"] + loop["width"] <= panel["x"] + panel["width"] + 0.5


def test_a_map_that_is_not_there_and_cannot_be_run_is_not_offered(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    many = EmbeddingTable(rng.normal(size=(5001, 3)).astype(np.float32))
    tsne = Projection("tsne", rng.normal(size=(5001, 2)).astype(np.float32), title="t-SNE")
    write_report(tmp_path / "m.html", many, [PCA().project(many), tsne], first="tsne")
    page = open_page(tmp_path / "m.html")
    deep = page.page.get_by_role("button", name="3D")
    assert deep.is_disabled()
    assert "isolate at most 5,000 points and run it here" in deep.get_attribute("title")
    page.page.keyboard.press("3")
    assert page.call("e.view().dims") == 2
    page.call("e.isolate([...Array(5000).keys()])")
    assert deep.is_enabled()
