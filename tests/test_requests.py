"""From Python too every request is checked when it is made, and refused in one line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embviz
from embviz import PCA, TSNE, UMAP, Axes, Choice, EmbeddingTable, ParameterError, Plan
from embviz.neighbors.graph import build_graph
from embviz.pictures.quality import measure_quality

# What is refused is no value of the types that the functions name.
Made = Callable[..., Any]
ReportOptions: Made = embviz.ReportOptions
SEEDS = "not a whole number in 0 .. 4294967295"


@pytest.fixture(scope="module")
def table() -> EmbeddingTable:
    vectors = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)
    return EmbeddingTable(vectors, {"word": tuple(f"w{i}" for i in range(30))}, source="x.npy")


@pytest.mark.parametrize(
    ("make", "fields", "told"),
    [
        (Plan, {"metric": "cos"}, "--metric: there is no 'cos'; one of cosine, euclidean"),
        (Plan, {"normalize": "unit"}, "--normalize: there is no 'unit'"),
        (Plan, {"seed": 1.5}, f"--seed: 1.5 is {SEEDS}"),
        (Plan, {"seed": "a"}, f"--seed: 'a' is {SEEDS}"),
        (Plan, {"seed": True}, f"--seed: True is {SEEDS}"),
        (Plan, {"seed": 2**32}, f"--seed: 4294967296 is {SEEDS}"),
        (Plan, {"dims": 2}, "dims: 2 is not a list; [2] is one"),
        (Plan, {"dims": [2.5]}, "--dims 2.5: is neither 2 nor 3"),
        (Plan, {"methods": "tsne"}, "methods: 'tsne' is not a list; ['tsne'] is one"),
        (Plan, {"methods": [3]}, "methods: 3: is neither a name nor a projector"),
        (Plan, {"methods": [TSNE]}, 'methods: TSNE: is a class; such as "tsne", or embviz.TSNE()'),
        (Plan, {"methods": [""]}, "--method '': is not understood"),
        (Plan, {"methods": ["tsne"], "perplexity": float("nan")}, "--perplexity: nan is not a num"),
        (Plan, {"methods": ["tsne"], "iterations": 0}, "--iterations: 0 is not a whole number"),
        (Plan, {"axes": "ab"}, "axes: 'ab' is not a list"),
        (Plan, {"axes": ["ab"]}, "axes: 'ab' is not a pair of queries"),
        (Plan, {"axes": [("a",)]}, "axes: ('a',) is not a pair of queries"),
        (Plan, {"methods": ["tsne:seed=-1"]}, f"--method tsne:seed=-1: seed: -1 is {SEEDS}"),
        (Plan, {"methods": ["umap:seed=4294967296"]}, f"seed: 4294967296 is {SEEDS}"),
        (Plan, {"methods": ["tsne:iterations=-3"]}, "iterations: -3 is not a whole number from 1"),
        (Plan, {"methods": ["pca", "pca"]}, "--method pca: is asked for twice; leave one out"),
        (
            Plan,
            {"methods": ["tsne:perplexity=3", "tsne:perplexity=3.0"]},
            "--method tsne:perplexity=3.0: is asked for twice",
        ),
        (
            Plan,
            {"methods": ["tsne", "tsne:perplexity=5"], "perplexity": 5},
            "--method tsne:perplexity=5: is asked for twice",
        ),
        (TSNE, {"iterations": -3}, "iterations: -3 is not a whole number from 1 up"),
        (TSNE, {"seed": -1}, f"seed: -1 is {SEEDS}"),
        (TSNE, {"metric": "cos"}, "metric: there is no 'cos'"),
        (UMAP, {"seed": -1}, f"seed: -1 is {SEEDS}"),
        (UMAP, {"n_neighbors": 1}, "n_neighbors: 1 is not a whole number from 2 up"),
        (UMAP, {"min_dist": 2}, "min_dist: 2 is not a number in 0 .. 1"),
        (PCA, {"n_components": 0}, "n_components: 0 is not a whole number from 1 up"),
        (Axes, {"axes": []}, "axes: 0 where 1 to 3 are drawn"),
        (Choice, {"select": 3}, "--select: 3 is not a text; such as '3'"),
        (Choice, {"sample": 2.5}, "--sample: 2.5 is not a number of points from 2 up"),
        (Choice, {"neighbors_of": 3}, "--neighbors-of: 3 is not a text; such as '3'"),
        (Choice, {"neighbors_of": "3", "k": "a"}, "-k: 'a' is not a number of neighbors"),
        (Choice, {"k": 5}, "-k: belongs to --neighbors-of; add --neighbors-of LABEL"),
        (Choice, {"seed": -1}, f"--seed: -1 is {SEEDS}"),
        (Choice, {"metric": "cos"}, "--metric: there is no 'cos'"),
        (ReportOptions, {"dims": 7}, "dims: 7 is not a whole number in 2 .. 3"),
        (ReportOptions, {"vectors": "x"}, "vectors: there is no 'x'; one of auto, float32"),
        (ReportOptions, {"metric": "cos"}, "metric: there is no 'cos'"),
        (ReportOptions, {"selected": [-3]}, "selected: -3 is not an index of a point"),
        (ReportOptions, {"selected": ["x"]}, "selected: 'x' is not an index of a point"),
        (ReportOptions, {"selected": 3}, "selected: 3 is not a list; [3] is one"),
        (ReportOptions, {"notes": "A note"}, "notes: 'A note' is not a list; ['A note'] is one"),
    ],
)
def test_a_value_that_cannot_be_obeyed_is_refused_when_the_request_is_made(
    make: Made, fields: dict[str, Any], told: str
) -> None:
    with pytest.raises(ParameterError, match=re.escape(told)):
        make(**fields)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda t, out: embviz.project(t, perplexty=5), "project: perplexty: there is no such key"),
        (lambda t, out: embviz.project(t, perplexty=5), "close to it: perplexity"),
        (lambda t, out: embviz.choose_points(t, asked=5), "choose_points: asked: there is no such"),
        (lambda t, out: embviz.write_report(out, t, [], dim=2), "write_report: dim: there is no"),
        (lambda t, out: embviz.ask(t, "w1", n=3), "ask: n: there is no such keyword"),
        (lambda t, out: embviz.ask_between(t, "w1", "w2", n=3), "ask_between: n: there is no such"),
        (lambda t, out: embviz.project(t.vectors), "points: cannot be of ndarray"),
        (lambda t, out: embviz.project(t, {"dims": [2]}), "plan: cannot be of dict"),
        (lambda t, out: embviz.choose_points(t, "w1"), "choice: cannot be of str"),
        (lambda t, out: embviz.ask(t.vectors, "w1"), "points: cannot be of ndarray"),
        (lambda t, out: embviz.ask(t, 3), "query: 3 is not a text; give a label, or a row number"),
        (lambda t, out: embviz.ask(t, None), "query: None is not a text"),
        (lambda t, out: embviz.ask(t, "w1", k=2.5), "-k: 2.5 is not a number of neighbors"),
        (lambda t, out: embviz.ask(t, "w1", metric="cos"), "--metric: there is no 'cos'"),
        (lambda t, out: embviz.ask_between(t, 1, "w2"), "--between: 1 is not a text"),
        (lambda t, out: embviz.write_report(5, t, []), "path: 5 is not the name of a file"),
        (lambda t, out: embviz.write_report(out, t, None), "projections: None is not a list"),
        (
            lambda t, out: embviz.write_report(out, t, [], isolated=[99]),
            "isolated: there is no point 99 in 0 .. 29",
        ),
        (
            lambda t, out: embviz.write_report(out, t, [], image_links=["a.png"]),
            "image_links: 1 link for 30 points",
        ),
        *(
            (
                lambda t, out, link=link: embviz.write_report(out, t, [], image_links=[link] * 30),
                "is no relative URL; give one, quoted",
            )
            for link in ("javascript:x()", " java\nscript:x()", "http://a", "\t//a", "\x01\\\\a")
        ),
        (
            lambda t, out: embviz.opening_bookmark(t, [PCA().project(t)], selected=[30]),
            "selected: there is no point 30 in 0 .. 29",
        ),
        (
            lambda t, out: embviz.write_figure(out, t, PCA().project(t), color_by="zz"),
            "--color-by: no metadata column 'zz'; there are: 'word'",
        ),
        (lambda t, out: embviz.to_figure(t, PCA().project(t), dims=7), "dims: 7 is not a whole"),
        (
            lambda t, out: embviz.build_index(t, out, label_column="zz"),
            "--label-by: no metadata column 'zz'; there are: 'word'",
        ),
        (
            lambda t, out: embviz.project(EmbeddingTable(np.ones((1, 2)))),
            "vectors: 1 row cannot be projected",
        ),
    ],
)  # fmt: skip
def test_a_call_that_cannot_be_obeyed_is_refused_and_writes_nothing(
    call: Callable[[Any, Any], Any], told: str, table: EmbeddingTable, tmp_path: Path
) -> None:
    with pytest.raises(ParameterError, match=re.escape(told)):
        call(table, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_numbers_of_numpy_are_numbers(table: EmbeddingTable) -> None:
    plan = Plan(dims=np.array([3, 2]), seed=np.int64(2**32 - 1), methods=(TSNE(seed=np.uint8(3)),))
    assert (plan.dims, plan.seed) == ((3, 2), 2**32 - 1)
    options = ReportOptions(selected=np.flatnonzero(np.eye(3)[1]))
    assert options.selected == (1,)


def test_a_sample_of_more_points_than_there_are_is_told(
    table: EmbeddingTable, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "embviz"):
        assert embviz.choose_points(table, sample=1000).table.n_points == 30
    assert "--sample 1000: there are 30 points; all are taken" in caplog.messages


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda t: embviz.load_table(""), "source: an empty name"),
        (lambda t: embviz.find_neighbors(t, [0], 2.5), "k: 2.5 is not a whole number"),
        (lambda t: embviz.find_neighbors(t, [0], True), "k: True is not a whole number"),
        (lambda t: build_graph(t, 3, seed=-1), f"seed: -1 is {SEEDS}"),
        (
            lambda t: measure_quality(t, PCA(2).project(t), build_graph(t, 3), seed=1.5),
            f"seed: 1.5 is {SEEDS}",
        ),
        (lambda t: embviz.to_figure(t, PCA(2).project(t), dims=3), "dims: pca has 2 components"),
    ],
)
def test_what_a_function_is_asked_is_checked_too(
    table: EmbeddingTable, call: Made, told: str
) -> None:
    with pytest.raises(ParameterError, match=re.escape(told)):
        call(table)
