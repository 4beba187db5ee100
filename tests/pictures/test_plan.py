"""Which projections are made, as one asks for them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, fields, replace
from typing import Any, get_type_hints

import click
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from embviz.commands.shared.requests import Outputs, Source
from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Projection
from embviz.neighbors import build_graph
from embviz.pictures import projecting as plans
from embviz.pictures.plan import Plan, PlanFields, project
from embviz.pictures.quality import measure_quality
from embviz.pictures.selection import Choice, ChoiceFields, choose_points
from embviz.projections import PCA, TSNE, UMAP, Axes
from embviz.report import ReportOptions
from embviz.report.options import ReportFields


def shown(projections: list[Projection]) -> list[tuple[str, int]]:
    return [(p.name, p.coordinates.shape[1]) for p in projections]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """t-SNE without iterations; what was projected, in order."""
    done: list[Any] = []

    def stand_in(self: TSNE, table: EmbeddingTable) -> Projection:
        done.append(self)
        places = np.zeros((table.n_points, self.n_components), np.float32)
        places[:, 0] = np.arange(table.n_points)
        return Projection("tsne", places, params={"perplexity": self.perplexity})

    monkeypatch.setattr(TSNE, "project", stand_in)
    return done


def test_pca_comes_first_and_each_method_in_the_order_asked(blobs, quick):
    found = project(blobs, methods=["tsne"], axes=[("=w0", "=w1")], dims=[3, 2])
    assert shown(found) == [("pca", 10), ("tsne", 2), ("tsne", 3), ("custom", 3)]
    found = project(
        blobs, methods=["custom", "pca:n_components=4"], axes=[("=w0", "=w1")], dims=[2]
    )
    assert shown(found) == [("pca", 4), ("custom", 2)]
    assert shown(project(blobs)) == [("pca", 10)]
    assert shown(project(blobs, methods=["custom"], axes=[("=w0", "=w1")], with_pca=False)) == [
        ("custom", 3)
    ]


@pytest.mark.parametrize(
    ("wanted", "index", "dims"),
    [
        ({}, 0, 2),
        ({"methods": ["tsne", "pca"], "dims": [3]}, 1, 3),
        ({"methods": ["pca", "tsne"], "dims": [2, 3]}, 0, 2),
        ({"axes": [("=w0", "=w1")]}, 1, 2),
        ({"axes": [("=w0", "=w1")] * 3}, 1, 3),
        ({"axes": [("=w0", "=w1")] * 3, "methods": ["pca"]}, 0, 2),
    ],
)
def test_what_is_asked_for_first_is_shown_first(blobs, quick, wanted, index, dims):
    plan = Plan(**wanted)
    found = project(blobs, plan)
    assert plan.first(found) is found[index]
    assert plan.first_dims() == dims


def test_one_method_twice_is_two_projections_of_one_graph(blobs, quick, monkeypatch):
    sizes = []

    def counted(table, k, *rest):
        sizes.append(k)
        return build_graph(table, k, *rest)

    monkeypatch.setattr(plans, "build_graph", counted)
    methods = ["tsne:perplexity=5", "tsne:perplexity=15"]
    found = project(blobs, methods=methods, dims=[2])
    assert [p.params["perplexity"] for p in found[1:]] == [5, 15]
    assert sizes == [45]
    assert quick[0].neighbors is quick[1].neighbors


def test_an_option_of_the_plan_is_taken_by_the_methods_that_have_it_and_not_their_own(blobs, quick):
    methods = ["tsne:perplexity=5,seed=3", "tsne"]
    project(blobs, methods=methods, dims=[2], perplexity=9, metric="euclidean", seed=1)
    asked = [(p.perplexity, p.seed, p.metric) for p in quick]
    assert asked == [(5, 3, "euclidean"), (9, 1, "euclidean")]


def test_a_method_in_another_space_has_a_graph_of_its_own(blobs, quick):
    found = project(blobs, methods=["tsne", "tsne:metric=euclidean"], dims=[2])
    graphs = {m: build_graph(blobs, 90, m) for m in ("cosine", "euclidean")}
    for projection, metric in zip(found, ("cosine", "cosine", "euclidean"), strict=True):
        want = measure_quality(blobs, replace(projection, per_point={}), graphs[metric])
        kept = projection.per_point["neighbors kept, 2D"]
        np.testing.assert_array_equal(kept, want[0].kept)
    assert [p.neighbors.metric for p in quick] == ["cosine", "euclidean"]


def test_projectors_are_taken_as_they_are_and_measured_alike(blobs):
    graph = build_graph(blobs, 14, "euclidean")
    projector = UMAP(n_neighbors=15, metric="euclidean", neighbors=graph)
    found = project(blobs, methods=[projector], metric="euclidean")
    np.testing.assert_array_equal(found[1].coordinates, projector.project(blobs).coordinates)
    assert [set(p.stats["quality"]) for p in found] == [{"2", "3"}, {"2"}]
    lone = project(blobs, methods=[PCA(3), Axes((("=w0", "=w1"),))])
    assert shown(lone) == [("pca", 3), ("custom", 2)]


@dataclass(frozen=True)
class Flat:
    """A projector of another package, which draws what it is asked for."""

    n_components: int = 2

    def project(self, table: EmbeddingTable) -> Projection:
        return Projection("flat", np.zeros((table.n_points, self.n_components), np.float32))


@pytest.mark.parametrize(("dims", "drawn"), [([], [2]), ([2], [2]), ([3], [3]), ([2, 3], [2, 3])])
def test_a_projector_of_ones_own_is_drawn_in_the_dimensions_asked_for(blobs, dims, drawn):
    found = project(blobs, methods=[f"{__name__}:Flat"], dims=dims, with_pca=False)
    assert shown(found) == [("flat", d) for d in drawn]


def test_axes_of_a_part_are_those_of_the_whole_table_whose_checksum_is_checked(blobs):
    checked = []
    table = replace(blobs, verify=lambda: checked.append(1))
    part = choose_points(table, select="group:=1")
    assert not checked
    found = project(part, axes=[("group:=0", "group:=1")])[1].coordinates[:, 0]
    assert checked == [1]
    group = np.arange(300) % 5
    vectors = blobs.vectors.astype(float)
    direction = vectors[group == 1].mean(axis=0) - vectors[group == 0].mean(axis=0)
    want = vectors[group == 1] @ direction / np.linalg.norm(direction)
    np.testing.assert_allclose(found, want, rtol=1e-5)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"methods": ["custom"]}, "--method custom: needs an axis; add --axis FROM TO"),
        ({"axes": [("a", "b")] * 4}, "--axis: 4 axes given"),
        ({"axes": [("a", "b")] * 3, "dims": [2]}, "--dims 2: does not show three axes"),
        ({"dims": [4]}, "--dims 4: is neither 2 nor 3"),
        ({"perplexity": 5}, "--perplexity: belongs to tsne; add --method tsne"),
        ({"methods": ["umap"], "iterations": 5}, "--iterations: belongs to tsne"),
        ({"methods": ["tsne"], "density": True}, "--density: belongs to umap; add --method umap"),
        ({"methods": ["umap"], "density": 1}, "--density: 1 is neither True nor False"),
        (
            {"methods": ["tsne:perplexity=4"], "perplexity": 5},
            "--perplexity: 'tsne:perplexity=4' has its own; leave one out",
        ),
        ({"seed": -1}, r"--seed: -1 is not a whole number in 0 \.\. 4294967295"),
    ],
)
def test_a_plan_that_cannot_be_obeyed_is_refused_when_it_is_made(wanted, told):
    with pytest.raises(ParameterError, match=told):
        Plan(**wanted)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"select": "a", "neighbors_of": "b"}, "--select: cannot be combined"),
        ({"sample": 1}, "--sample: 1 is not a number of points from 2 up"),
        ({"k": 0}, "-k: 0 is not a number of neighbors"),
        ({"seed": -1}, r"--seed: -1 is not a whole number in 0 \.\. 4294967295"),
    ],
)
def test_a_choice_that_contradicts_itself_is_refused_when_it_is_made(wanted, told):
    with pytest.raises(ParameterError, match=told):
        Choice(**wanted)


@pytest.mark.parametrize(
    ("value", "keywords"),
    [(Choice, ChoiceFields), (Plan, PlanFields), (ReportOptions, ReportFields)],
)
def test_keywords_are_the_fields_of_the_value_that_they_make(value, keywords):
    own = get_type_hints(value)
    made = {f.name: own[f.name] for f in fields(value) if f.init}
    assert made == get_type_hints(keywords)


@pytest.mark.parametrize("name", ["project", "export", "sprite"])
def test_every_option_of_a_command_is_a_field_of_a_request(name):
    from importlib import import_module

    from embviz.commands.export import Folder
    from embviz.commands.shared.previews import Previews
    from embviz.commands.sprite import Request
    from embviz.loaders.reading import Reading
    from embviz.pictures.images import ImageChoice
    from embviz.pictures.sharded import Sharding
    from embviz.sprites.packing import SheetOptions

    requests = {
        "project": (*(Source, Reading, Outputs, Previews, Choice, Plan, ReportOptions, Sharding),),
        "export": (Source, Reading, Folder, Choice, Plan),
        "sprite": (Request, ImageChoice, SheetOptions),
    }[name]
    command: click.Command = getattr(import_module(f"embviz.commands.{name}"), name)
    known = {f.name for request in requests for f in fields(request)} | {"config", "bookmarks"}
    known |= {"as_json", "fail_if", "opens"}  # What is told and done of the result.
    assert {p.name for p in command.params} <= known


def test_pictures_and_their_figures_are_the_same_for_any_number_of_threads(monkeypatch):
    rng = np.random.default_rng(0)
    centers = rng.normal(0, 5, (20, 64))
    vectors = centers[rng.integers(0, 20, 7600)] + rng.normal(0, 1, (7600, 64))
    table = EmbeddingTable(vectors.astype(np.float32))
    found = []
    for n_threads in (1, 2):
        monkeypatch.setenv("OMP_NUM_THREADS", str(n_threads))
        with threadpool_limits(n_threads, "blas"):
            made = project(table, methods=[TSNE(iterations=1, seed=1)])
        figures = [p.stats["quality"]["2"] for p in made]
        assert all(0 < f["sample"] < table.n_points for f in figures)
        per_point = [values.tobytes() for p in made for values in p.per_point.values()]
        found.append((figures, per_point, [p.coordinates.tobytes() for p in made]))
    assert found[0] == found[1]


def test_what_fails_is_told_while_quick_pictures_are_still_measured(blobs, monkeypatch):
    told, measured = threading.Event(), []

    def measure(*_):
        told.wait(30)
        measured.append(True)
        return []

    monkeypatch.setattr(plans, "measure_beside", measure)
    with pytest.raises(ParameterError, match="initialization"):
        project(blobs, methods=[TSNE(initialization=np.zeros((3, 2)))])
    assert not measured
    told.set()
