"""Questions by label, of a table and of an index alike."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from embviz import build_index
from embviz.errors import ParameterError
from embviz.model import EmbeddingTable
from embviz.questions.answers import ask, ask_between, find_point, make_question
from embviz.questions.points import as_points, open_points

LABELS = ("king", "queen", "man", "woman", "king", "asbestos", "best", "7")
WORDS = EmbeddingTable(np.eye(8), {"word": LABELS})
VECTORS = np.random.default_rng(4).normal(size=(300, 6)).astype(np.float32)
COLUMNS = {
    "word": tuple(f"p{i}" for i in range(300)),
    "kind": tuple("ab"[i % 2] for i in range(300)),
}


@pytest.fixture(params=["table", "index"])
def points(request: pytest.FixtureRequest, tmp_path: Path):
    """The same points as a table and as an index."""
    table = EmbeddingTable(VECTORS, COLUMNS, source="x.npy")
    return table if request.param == "table" else build_index(table, tmp_path / "i")


def distances(metric, query):
    return cdist(query[None].astype(float), VECTORS.astype(float), metric)[0]


def unit(vector):
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_a_label_has_the_nearest_points_with_their_labels_and_rows(points, metric):
    answer = ask(points, "p17", k=4, metric=metric)
    d = distances(metric, VECTORS[17])
    d[17] = np.inf
    assert answer.rows == answer.points == tuple(np.argsort(d)[:4].tolist())
    assert answer.labels == tuple(f"p{i}" for i in answer.rows)
    np.testing.assert_allclose(answer.distances, np.sort(d)[:4], rtol=1e-5)


def test_arithmetic_is_of_vectors_of_length_one(points):
    answer = ask(points, "p1 - p2 + p3", k=3)
    d = distances("cosine", unit(VECTORS[1]) - unit(VECTORS[2]) + unit(VECTORS[3]))
    d[[1, 2, 3]] = np.inf
    assert answer.rows == tuple(np.argsort(d)[:3].tolist())
    assert answer.operands == (1, 2, 3)


def test_a_selection_the_farthest_and_a_way_are_asked_in_the_same_words(points):
    chosen = ask(points, "p10", k=3, select="kind:b", metric="euclidean")
    d = distances("euclidean", VECTORS[10])
    d[::2] = np.inf
    assert chosen.rows == tuple(np.argsort(d)[:3].tolist())
    far = ask(points, "p10", k=3, farthest=True, metric="euclidean")
    assert far.rows == tuple(np.argsort(-distances("euclidean", VECTORS[10]))[:3].tolist())
    along = ask_between(points, "p5", "p6", k=2, metric="euclidean")
    for share, row in zip(along.shares, along.rows, strict=True):
        place = (1 - share) * VECTORS[5] + share * VECTORS[6]
        d = distances("euclidean", place)
        d[[5, 6, *along.rows[: along.rows.index(row)]]] = np.inf
        assert row == np.argmin(d)


def test_points_are_named_by_another_column(points):
    named = as_points(points, "kind")
    assert find_point(named, "b") == 1
    assert ask(named, "b", k=1).labels[0] in "ab"
    with pytest.raises(ParameterError, match="no metadata column 'x'; there are: 'word', 'kind'"):
        as_points(points, "x")


def test_more_neighbors_than_there_are_are_all_of_them_and_that_is_told(points, caplog):
    with caplog.at_level(logging.INFO, "embviz"):
        assert len(ask(points, "p1", k=1000).points) == 299
    assert "-k 1000: there are 299 other points; all are listed" in caplog.messages


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"k": 0}, "-k: 0 is not a number of neighbors"),
        ({"recall": 1.5}, "--recall 1.5: must be above 0"),
        ({"select": "zzz"}, "query 'zzz': it matches none"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(points, fields, told):
    with pytest.raises(ParameterError, match=told):
        make_question(points, **fields)


def test_labels_beside_an_array_are_read_once(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", VECTORS)
    (tmp_path / "x.tsv").write_text("".join(f"p{i}\n" for i in range(299)) + "last")
    opens = []
    import embviz.loaders

    open_source = embviz.loaders.open_source
    monkeypatch.setattr(
        "embviz.loaders.open_source", lambda *a, **k: opens.append(a) or open_source(*a, **k)
    )
    opened = open_points(tmp_path / "x.npy", metadata=str(tmp_path / "x.tsv"))
    assert (find_point(opened, "last"), len(opens)) == (299, 1)


def test_a_label_is_taken_before_a_row_number():
    assert find_point(as_points(WORDS), "7") == 7
    assert find_point(as_points(WORDS), "2") == 2
    assert find_point(as_points(WORDS.take([5, 6, 2])), "2") == 2


def test_the_first_of_several_points_with_a_label_is_taken_and_they_are_counted(caplog):
    with caplog.at_level(logging.INFO, "embviz"):
        assert find_point(as_points(WORDS), "king") == 0
    assert caplog.messages == ["'king' is the label of 2 points; row 0 is taken, the first"]


@pytest.mark.parametrize("text", ["womann", "99", "-1", "١"])
def test_a_label_that_is_not_there_is_refused(text):
    with pytest.raises(ParameterError, match="is the label of none of 8 points"):
        find_point(as_points(WORDS), text)
