"""Questions for neighbors by label, with arithmetic, and their answers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, get_args

import numpy as np
from numpy.typing import NDArray

from embviz.checks import (
    check_keywords,
    check_list,
    check_n_neighbors,
    check_one_of,
    check_recall,
    check_text,
    check_truth,
)
from embviz.errors import ParameterError, counted, printable
from embviz.model import EmbeddingTable, Metric, Neighbors
from embviz.queries import closest_labels, match_some, parse_arithmetic, tell_first
from embviz.questions.points import Points, as_points
from embviz.questions.ways import choose_along, way_points

if TYPE_CHECKING:
    from embviz.loaders.opened import Columns
    from embviz.neighbors.index.index import NeighborIndex

log = logging.getLogger("embviz")

# Places on a way are asked for at once, each for as many neighbors.
MOST_PLACES = 1000
_SUCH_AS = "give a label, or a row number as a text"


@dataclass(frozen=True, eq=False)
class Answer:
    """What was found for one query.

    Attributes:
        query: The query as it was typed.
        operands: The points that it names.
        points: What was found, in order, by place in the table or index.
        rows: Their row numbers in the source.
        labels: Their labels, or `row N` where there is none.
        distances: (k,) as `Neighbors` has them.
        metric: `cosine` or `euclidean`.
        recall: The share of true neighbors at this effort, measured on a sample; 1.0 is exact.
        shares: Of the way between two points, where that was asked.
    """

    query: str
    operands: tuple[int, ...]
    points: tuple[int, ...]
    rows: tuple[int, ...]
    labels: tuple[str, ...]
    distances: NDArray[np.floating[Any]]
    metric: Metric
    recall: float = 1.0
    shares: tuple[float, ...] | None = None


class QuestionFields(TypedDict, total=False):
    """How `ask` and `ask_between` are to answer, as for `make_question`."""

    k: int
    metric: Metric | None
    farthest: bool
    select: str | None
    recall: float | None


def ask(
    points: Points | EmbeddingTable | NeighborIndex,
    query: str,
    **fields: Unpack[QuestionFields],
) -> Answer:
    """Find the points nearest to a label, a row number, or `king - man + woman`.

    Args:
        points: A table, an index, or what `open_points` gives.
        query: As for `embviz neighbors`.
        fields: `k`, `metric`, `farthest`, `select` and `recall`, as for `make_question`.

    Raises:
        ParameterError: If the query names no point, a vector has no direction, or a field does not
            fit.
    """
    check_keywords("ask", fields, QuestionFields.__annotations__)
    return make_question(points, **fields).ask([query])[0]


def ask_between(
    points: Points | EmbeddingTable | NeighborIndex,
    start: str,
    end: str,
    **fields: Unpack[QuestionFields],
) -> Answer:
    """Find points along the way from one label to another; raises as `ask` does."""
    check_keywords("ask_between", fields, QuestionFields.__annotations__)
    return make_question(points, **fields).between(start, end)


def make_question(
    points: Points | EmbeddingTable | NeighborIndex,
    k: int = 10,
    metric: Metric | None = None,
    farthest: bool = False,
    select: str | None = None,
    recall: float | None = None,
) -> Question:
    """Return how queries are to be answered.

    Args:
        points: A table, an index, or what `open_points` gives.
        k: Neighbors a query; all, which is told, where there are fewer.
        metric: `cosine` or `euclidean`; None is cosine, or the one that an index is made for.
        farthest: List the farthest points, the farthest first.
        select: List only points that this query matches.
        recall: The share of true neighbors that is wanted of an index, 1 to read every vector;
            None is 0.99, or somewhat less where that reads much. A table is always read whole.

    Raises:
        ParameterError: If a number is out of range or `select` matches nothing.
    """
    asked = as_points(points)
    check_n_neighbors(k)
    if metric is not None:
        check_one_of("--metric", metric, get_args(Metric))
    check_truth("--farthest", farthest)
    if select is not None:
        check_text("--select", select)
    if recall is not None:
        check_recall(recall)
    n_others = asked.n_points - 1
    if k > n_others:
        log.info("-k %d: there are %d other points; all are listed", k, n_others)
    among = None if select is None else find_rows(asked, select)
    share = asked.search.quick_recall(k) if recall is None else recall
    return Question(asked, min(k, n_others), metric or asked.search.metric, share, farthest, among)


@dataclass(frozen=True, eq=False)
class Question:
    """How queries are to be answered; `make_question` makes one.

    `among` are the only points listed, sorted, or None for all.
    """

    points: Points
    k: int
    metric: Metric
    recall: float = 1.0
    farthest: bool = False
    among: NDArray[np.int64] | None = None

    @property
    def effort(self) -> str:
        """What is to be told of how much is read; nothing of a table."""
        if self.farthest or self.among is not None:
            return ""
        return self.points.search.describe_effort(self.k, self.metric, self.recall)

    def ask(self, texts: Sequence[str]) -> list[Answer]:
        """Answer queries; plain ones in one pass over the points.

        Raises:
            ParameterError: If a query names no point, or a vector has no direction.
        """
        texts = [check_text("query", text, _SUCH_AS) for text in check_list("queries", texts)]
        terms = [self._terms(text) for text in texts]
        named = [tuple(find_point(self.points, term) for _, term in t) for t in terms]
        plain = [i for i, t in enumerate(terms) if len(t) == 1]
        together = not self.farthest and self.among is None and len(plain) > 1
        answers: dict[int, Answer] = {}
        if together:
            found = self._nearest([named[i][0] for i in plain])
            for place, i in enumerate(plain):
                answers[i] = self._answer(texts[i], named[i], found, place)
        for i, text in enumerate(texts):
            if i not in answers:
                signs = [sign for sign, _ in terms[i]]
                answers[i] = self._answer(text, named[i], self._find(signs, named[i]), 0)
        return [answers[i] for i in range(len(texts))]

    def _terms(self, text: str) -> list[tuple[int, str]]:
        if _find_label(self.points.columns, text):
            return [(1, text)]
        return parse_arithmetic(text)

    def _find(self, signs: list[int], operands: tuple[int, ...]) -> Neighbors:
        if len(operands) == 1 and signs == [1] and not self.farthest and self.among is None:
            return self._nearest(list(operands))
        vector = combine(self.points, signs, operands, self.metric)
        among = self.among
        if among is not None:
            among = np.setdiff1d(among, operands)
            if not len(among):
                raise ParameterError("--select", "it leaves nothing beside the query's own points")
        n_left = self.points.n_points - len(set(operands)) if among is None else len(among)
        if not n_left:
            raise ParameterError("query", "it names every point there is")
        k = min(self.k, n_left)
        search = self.points.search
        if self.farthest and among is None:
            return search.find_farthest(vector, k, self.metric, operands)
        if self.farthest and among is not None:
            others = np.setdiff1d(np.arange(self.points.n_points), among)
            return search.find_farthest(vector, k, self.metric, others.tolist())
        return self._near(vector, k, operands, among)

    def _nearest(self, points: list[int]) -> Neighbors:
        k = min(self.k, self.points.n_points - 1)
        return self.points.search.find_neighbors(points, k, self.metric, self.recall)

    def _near(
        self,
        vectors: NDArray[np.float64],
        k: int,
        operands: tuple[int, ...],
        among: NDArray[np.int64] | None,
    ) -> Neighbors:
        search = self.points.search
        if among is not None:
            return search.find_among(vectors, k, among, self.metric)
        return search.find_neighbors_of_vectors(vectors, k, self.metric, operands, self.recall)

    def between(self, start: str, end: str) -> Answer:
        """Return points along the way from one point to another.

        Raises:
            ParameterError: If they are one point or have no direction.
        """
        start, end = (check_text("--between", text, _SUCH_AS) for text in (start, end))
        operands = (find_point(self.points, start), find_point(self.points, end))
        if operands[0] == operands[1]:
            raise ParameterError("--between", f"'{start}' and '{end}' are one point")
        refuse_zero(self.points, operands, self.metric)
        among = None if self.among is None else np.setdiff1d(self.among, operands)
        k = min(self.k, self.points.n_points - 2 if among is None else len(among))
        if k < 1:
            raise ParameterError("--between", "there are no other points")
        if k > MOST_PLACES:
            raise ParameterError(f"-k {k}", f"at most {MOST_PLACES} points along a way")
        places = way_points(self.points.search.vectors(operands), k, self.metric)
        if self.metric == "cosine" and not places.any(axis=1).all():
            raise ParameterError("--between", "the two vectors point in opposite directions")
        found = self._near(places, k, operands, among)
        along = choose_along(found)
        return Answer(
            f"{start} … {end}",
            operands,
            *self._named(along.points.tolist()),
            along.distances,
            self.metric,
            found.recall,
            tuple(along.shares.tolist()),
        )

    def _answer(self, text: str, operands: tuple[int, ...], found: Neighbors, place: int) -> Answer:
        named = self._named(found.indices[place].tolist())
        return Answer(text, operands, *named, found.distances[place], found.metric, found.recall)

    def _named(self, points: list[int]) -> tuple[tuple[int, ...], tuple[int, ...], tuple[str, ...]]:
        rows = tuple(map(self.points.search.row_number, points))
        return tuple(points), rows, tuple(map(self.points.label, points))


def find_point(points: Points, text: str) -> int:
    """Return the point with a label, or with a row number where no label is that.

    Raises:
        ParameterError: If there is neither, with the closest labels.
    """
    search, columns = points.search, points.columns
    found = _find_label(columns, text)
    if len(found) > 1:
        tell_first(text, found, search.row_number)
    if found:
        return found[0]
    if text.isascii() and text.isdigit() and len(text) <= 18:
        row = search.find_row(int(text))
        if row is not None:
            return row
        _refuse_left_out(points, int(text))
    if columns.label is None:
        last = search.row_number(points.n_points - 1)
        raise ParameterError(
            f"'{text}'", f"is no row number in 0 .. {last}, and there are no labels"
        )
    close = closest_labels(columns.column(columns.label), text)
    raise ParameterError(
        f"'{text}'",
        f"is the label of none of {points.n_points:,} points",
        f"close to it: {', '.join(close)}" if close else "",
    )


def _find_label(columns: Columns, text: str) -> list[int]:
    """Return the points with a label; where there is none, of the label within its quotes."""
    found = columns.find(text)
    if not found and len(text) > 2 and text[0] == text[-1] and text[0] in "'\"":
        return columns.find(text[1:-1])
    return found


def _refuse_left_out(points: Points, number: int) -> None:
    """Refuse the number of a row of the source that is not among the points.

    Raises:
        ParameterError: If it is one.
    """
    rows = points.search.row_numbers()
    if rows is not None and len(rows) and number < int(rows.max()):
        raise ParameterError(
            f"row {number}",
            f"was left out of {points.source}",
            "--drop-nonfinite leaves out rows with NaN or infinity, --drop-unused unused ones",
        )


def find_rows(points: Points, query: str) -> NDArray[np.int64]:
    """Return the points that a query of `queries` matches, sorted.

    Raises:
        ParameterError: If there is none.
    """
    rows = match_some(points.metadata_table(), query, points.columns.label)
    log.info("--select: '%s' matches %s", printable(query), counted(len(rows), "point"))
    return np.sort(rows)


def refuse_zero(points: Points, operands: Sequence[int], metric: Metric) -> None:
    """Refuse vectors without a direction under cosine.

    Raises:
        ParameterError: With the row.
    """
    if metric != "cosine":
        return
    for point, vector in zip(operands, points.search.vectors(operands), strict=True):
        if not vector.any():
            raise ParameterError(
                f"row {points.search.row_number(point)}",
                "a zero vector has no direction, so no cosine distance",
                "use --metric euclidean",
            )


def combine(
    points: Points, signs: list[int], operands: tuple[int, ...], metric: Metric
) -> NDArray[np.float64]:
    """Add and subtract vectors, each at length 1 under cosine (Mikolov et al. 2013), (1, n_dims).

    Raises:
        ParameterError: If a vector or the sum has no direction under cosine.
    """
    refuse_zero(points, operands, metric)
    vectors = points.search.vectors(operands)
    if metric == "cosine":
        vectors = vectors / np.abs(vectors).max(axis=1, keepdims=True)
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    out = np.array(signs, np.float64)[None, :] @ vectors
    if metric == "cosine" and np.linalg.norm(out) < 1e-12:
        raise ParameterError("query", "its vectors cancel out, so that no direction is left")
    return np.asarray(out, dtype=np.float64)
