"""One method with several values of a parameter: pictures that lie on each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.spatial.distance import pdist

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Frames, Projection
from embviz.neighbors import build_graph
from embviz.pictures import projecting as plans
from embviz.pictures.plan import Plan, project
from embviz.pictures.series import describe_series, lay_on_first, parse_values, show_values
from embviz.pictures.steps import project_steps
from embviz.projections import TSNE
from tests.commands.test_project import manifest_of


def turned(places: np.ndarray, seed: int) -> np.ndarray:
    """Return places that are turned, mirrored, scaled and shifted."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(places.shape[1],) * 2))[0]
    if np.linalg.det(turn) > 0:
        turn[:, 0] *= -1
    return (3 * places @ turn + 7).astype(np.float32)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[TSNE]:
    """t-SNE that turns the first columns of the vectors by its perplexity; all that was made."""
    made: list[TSNE] = []

    def stand_in(self: TSNE, table: EmbeddingTable) -> Projection:
        made.append(self)
        places = turned(table.vectors[:, : self.n_components], int(self.perplexity or 0))
        stats = {"kl_divergence": 1 / (self.perplexity or 1)}
        return Projection(
            "tsne", places, title="t-SNE", stats=stats, params={"perplexity": self.perplexity}
        )

    monkeypatch.setattr(TSNE, "project", stand_in)
    return made


@pytest.mark.parametrize("dims", [2, 3])
def test_each_value_is_a_tab_of_one_graph_that_lies_on_the_first(blobs, quick, monkeypatch, dims):
    sizes = []

    def counted(table, k, *rest):
        sizes.append(k)
        return build_graph(table, k, *rest)

    monkeypatch.setattr(plans, "build_graph", counted)
    found = project(blobs, methods=["tsne"], perplexity=(5, 9, 40), dims=[dims])[1:]
    assert sizes == [120]
    assert len({id(projector.neighbors) for projector in quick}) == 1
    assert [p.key for p in found] == ["tsne", "tsne-2", "tsne-3"]
    assert [p.title for p in found] == [f"t-SNE, perplexity {p}" for p in (5, 9, 40)]
    for p in found[1:]:
        np.testing.assert_allclose(p.coordinates, found[0].coordinates, atol=1e-4)
        assert p.params["laid_on"] == "perplexity 5"
    assert "laid_on" not in found[0].params


def test_a_map_is_turned_as_the_orthogonal_procrustes_problem_says_and_keeps_its_distances(blobs):
    methods = [TSNE(perplexity=p, iterations=50, n_components=2) for p in (5, 30)]
    alone = project(blobs, methods=methods)[1:]
    plan = Plan(methods=["tsne"], perplexity=[5, 30], iterations=50, dims=[2])
    first, second = project(blobs, plan)[1:]
    np.testing.assert_array_equal(first.coordinates, alone[0].coordinates)
    np.testing.assert_allclose(pdist(second.coordinates), pdist(alone[1].coordinates), rtol=1e-3)
    a, b = (p.coordinates.astype(float) for p in (alone[1], alone[0]))
    turn, _ = orthogonal_procrustes(a - a.mean(axis=0), b - b.mean(axis=0))
    want = (a - a.mean(axis=0)) @ turn + b.mean(axis=0)
    np.testing.assert_allclose(second.coordinates, want, atol=1e-3)
    assert second.stats["kl_divergence"] == alone[1].stats["kl_divergence"]
    assert first.frames is not None
    assert second.frames is not None
    np.testing.assert_allclose(second.frames.coordinates[-1], second.coordinates, atol=1e-4)


def test_recorded_frames_turn_with_the_map_and_what_has_axes_stays():
    rng = np.random.default_rng(0)
    places = rng.normal(size=(20, 2)).astype(np.float32)
    frames = Frames(("0", "9"), np.stack([turned(places, 1) / 2, turned(places, 1)]))
    moved = Projection("m", turned(places, 1), kind="map", frames=frames)
    laid = lay_on_first(moved, Projection("m", places, kind="map"), "a 1")
    assert laid.frames is not None
    np.testing.assert_allclose(laid.frames.coordinates[1], laid.coordinates, atol=1e-4)
    np.testing.assert_allclose(laid.coordinates - laid.coordinates.mean(axis=0),
                               3 * (places - places.mean(axis=0)), atol=1e-4)  # fmt: skip
    linear = replace(moved, kind="linear", axes=("x", "y"), frames=None)
    assert lay_on_first(linear, Projection("m", places, kind="map"), "a 1") is linear


def test_maps_of_a_run_begin_on_the_first_and_follow_it(blobs, quick):
    from embviz.comparison.values import Step, Steps

    later = replace(blobs, vectors=blobs.vectors + np.float32(0.01))
    steps = Steps((Step("1", blobs), Step("2", later)), later)
    found = project_steps(steps, methods=["tsne"], perplexity=(5, 9), dims=[2])[1:]
    assert [p.title for p in found] == ["t-SNE, perplexity 5", "t-SNE, perplexity 9"]
    first, second = (p.frames.coordinates for p in found)
    np.testing.assert_allclose(second, first, atol=1e-3)
    assert found[1].params["laid_on"] == "perplexity 5"


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"perplexity": (5, 5.0)}, r"--perplexity 5,5: 5 is there twice; give it once"),
        ({"perplexity": (5, 0.5)}, r"--perplexity: 0.5 is not a number from 1 up"),
        ({"perplexity": ()}, r"--perplexity: is a list without values"),
        ({"perplexity": "5,30"}, r"--perplexity: '5,30' is not a number from 1 up"),
        ({"neighbors": (5, 2.5)}, r"--neighbors: 2.5 is not a whole number from 2 up"),
        ({"neighbors": 5}, r"--neighbors: belongs to umap, pacmap and localmap; add --method umap"),
        (
            {"methods": ["tsne", "tsne:seed=3"], "perplexity": (5, 9)},
            r"--perplexity 5,9: 'tsne' and 'tsne:seed=3' take it; "
            r"type one a value of its own: tsne:seed=3,perplexity=5",
        ),
        (
            {"methods": ["tsne:perplexity=5", "tsne"], "perplexity": (5, 9)},
            r"--method tsne:perplexity=5: is asked for twice; leave one out",
        ),
        (
            {"methods": [f"{__name__}:Both"], "perplexity": (5, 9), "neighbors": (5, 9)},
            r"--neighbors 5,9: .*Both.* has a list of --perplexity already; give one",
        ),
    ],
)
def test_a_list_that_cannot_be_obeyed_is_refused_by_name(wanted, told):
    with pytest.raises(ParameterError, match=told):
        Plan(**{"methods": ["tsne"], **wanted})


@dataclass(frozen=True)
class Both:
    """A projector with a number of neighbors and a perplexity."""

    n_neighbors: int = 3
    perplexity: float = 2

    def project(self, table: EmbeddingTable) -> Projection:
        places = turned(table.vectors[:, :2], self.n_neighbors)
        return Projection("both", places, kind="map", params={"n_neighbors": self.n_neighbors})


def test_a_projector_of_ones_own_takes_a_list_too(blobs):
    found = project(blobs, methods=[f"{__name__}:Both"], neighbors=(4, 8), with_pca=False)
    assert [p.title for p in found] == ["both, neighbors 4", "both, neighbors 8"]
    np.testing.assert_allclose(found[1].coordinates, found[0].coordinates, atol=1e-4)


def test_a_value_that_does_not_fit_the_points_is_refused_before_any_map_is_made(blobs, quick):
    with pytest.raises(ParameterError, match=r"perplexity 200: needs 600 neighbors"):
        project(blobs, methods=["tsne"], perplexity=(5, 200))
    assert not quick


@pytest.mark.parametrize(
    ("text", "values"),
    [("5", 5), ("2.5", 2.5), ("5, 30,100", (5, 30, 100)), (7, 7), ([5, 2.5], (5, 2.5))],
)
def test_numbers_stand_between_commas(text, values):
    assert parse_values(text) == values
    assert parse_values(show_values(values)) == values


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("auto", "auto is not offered: no tested rule .* compare several, as 5,30,100"),
        ("5,Auto", "auto is not offered"),
        ("5,,30", "'' is no number"),
        (True, "'True' is no number"),
        ([5, "x\n"], r"'x' is no number"),
    ],
)
def test_what_is_no_number_is_refused(text, told):
    with pytest.raises(ValueError, match=told):
        parse_values(text)


def test_figures_stand_a_line_a_picture_where_a_method_has_several_tabs(blobs, quick):
    found = project(blobs, methods=["tsne"], perplexity=(5, 9), dims=[2, 3])
    lines = describe_series(found)
    assert [line.partition(":")[0] for line in lines] == [
        f"t-SNE, perplexity {p}, {d}D" for p in (5, 9) for d in (2, 3)
    ]
    kept = found[1].stats["quality"]["2"]["neighbors_kept"]
    assert f"neighbors kept {kept:.0%}, trustworthiness" in lines[0]
    assert lines[0].endswith("KL divergence 0.2")
    assert describe_series(project(blobs, methods=["tsne"], perplexity=5)) == []


@pytest.fixture
def points(tmp_path: Path, blobs: EmbeddingTable) -> None:
    np.save(tmp_path / "p.npy", blobs.vectors)


def test_a_list_is_taken_on_the_command_line_and_in_settings(run: Any, points, quick, tmp_path):
    ran = run("project", "p.npy", "--method", "tsne", "--perplexity", "5,9", "-o", "a.html")
    assert ran.status == 0, ran.stderr
    manifest = manifest_of(tmp_path / "a.html")
    assert [p["title"] for p in manifest["projections"][1::2]] == [
        "t-SNE, perplexity 5", "t-SNE, perplexity 9",
    ]  # fmt: skip
    assert "--perplexity 5,9 " in manifest["command"]
    told = [line for line in ran.stderr.splitlines() if line.startswith("t-SNE, perplexity")]
    assert len(told) == 4
    (tmp_path / "embviz.toml").write_text('method = "tsne"\nperplexity = [5, 9]\n')
    ran = run("project", "p.npy", "--config", "embviz.toml", "-o", "b.html")
    assert ran.status == 0, ran.stderr
    assert manifest_of(tmp_path / "b.html")["projections"] == manifest["projections"]
    for text in ("[[5]]", "true", '"auto"', '["x"]', "{a = 1}"):
        (tmp_path / "embviz.toml").write_text(f'method = "tsne"\nperplexity = {text}\n')
        ran = run("project", "p.npy", "--config", "embviz.toml", "-o", "c.html")
        assert (ran.status, ran.stderr.count("\n")) == (1, 1), text
        assert "embviz.toml" in ran.stderr


def test_both_sides_of_a_comparison_have_a_tab_a_value(run: Any, points, quick, tmp_path):
    compared = ("compare", "p.npy", "p.npy", "--perplexity", "5,9")
    ran = run(*compared, "-o", "a.html")
    assert ran.status == 0, ran.stderr
    titles = [p["title"] for p in manifest_of(tmp_path / "a.html")["projections"]]
    assert "t-SNE, perplexity 9" in titles
    ran = run(*compared)
    assert (ran.status, "--perplexity: belongs to the report" in ran.stderr) == (2, True)
