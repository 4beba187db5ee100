"""Answers to the questions of `embviz neighbors`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embviz.errors import ParameterError, counted, printable
from embviz.model import Metric, Neighbors
from embviz.questions.points import Points, labels_table
from embviz.questions.ways import choose_along, way_points

log = logging.getLogger("embviz")

# Places on a way are asked for at once, each for as many neighbors.
MOST_PLACES = 1000


@dataclass(frozen=True, eq=False)
class Answer:
    """What was found for one query.

    Attributes:
        query: The query as it was typed.
        operands: The points that it names.
        points: What was found, in order.
        distances: float32 (k,).
        metric: `cosine` or `euclidean`.
        recall: The share of true neighbors at this effort, measured on a sample; 1.0 is exact.
        shares: Of the way between two points, where that was asked.
    """

    query: str
    operands: tuple[int, ...]
    points: tuple[int, ...]
    distances: NDArray[np.float32]
    metric: Metric
    recall: float = 1.0
    shares: tuple[float, ...] | None = None


@dataclass(frozen=True, eq=False)
class Question:
    """How queries are to be answered.

    `among` are the only points listed, sorted, or None for all.
    """

    points: Points
    k: int
    metric: Metric
    farthest: bool = False
    among: NDArray[np.int64] | None = None

    def ask(self, texts: Sequence[str]) -> list[Answer]:
        """Answer queries; plain ones in one pass over the points.

        Raises:
            ParameterError: If a query names no point, or a vector has no direction.
        """
        terms = [self._terms(text) for text in texts]
        named = [tuple(find_point(self.points, term) for _, term in t) for t in terms]
        plain = [i for i, t in enumerate(terms) if len(t) == 1]
        together = not self.farthest and self.among is None and len(plain) > 1
        answers: dict[int, Answer] = {}
        if together:
            found = self._nearest([named[i][0] for i in plain])
            for place, i in enumerate(plain):
                answers[i] = _answer(texts[i], named[i], found, place)
        for i, text in enumerate(texts):
            if i not in answers:
                signs = [sign for sign, _ in terms[i]]
                answers[i] = _answer(text, named[i], self._find(signs, named[i]), 0)
        return [answers[i] for i in range(len(texts))]

    def _terms(self, text: str) -> list[tuple[int, str]]:
        if self.points.columns.find(text):
            return [(1, text)]
        from embviz.queries import parse_arithmetic

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
        if self.farthest and among is None:
            return self.points.farthest(vector, k, self.metric, operands)
        if self.farthest and among is not None:
            others = np.setdiff1d(np.arange(self.points.n_points), among)
            return self.points.farthest(vector, k, self.metric, others.tolist())
        if among is not None:
            return self.points.nearest_among(vector, k, self.metric, among)
        return self.points.nearest_to(vector, k, self.metric, operands)

    def _nearest(self, points: list[int]) -> Neighbors:
        return self.points.nearest(points, min(self.k, self.points.n_points - 1), self.metric)

    def between(self, start: str, end: str) -> Answer:
        """Return points along the way from one point to another.

        Raises:
            ParameterError: If they are one point or have no direction.
        """
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
        places = way_points(self.points.vectors(operands), k, self.metric)
        if self.metric == "cosine" and not places.any(axis=1).all():
            raise ParameterError("--between", "the two vectors point in opposite directions")
        if among is None:
            found = self.points.nearest_to(places, k, self.metric, operands)
        else:
            found = self.points.nearest_among(places, k, self.metric, among)
        along = choose_along(found)
        return Answer(
            f"{start} … {end}",
            operands,
            tuple(along.points.tolist()),
            along.distances,
            self.metric,
            found.recall,
            tuple(along.shares.tolist()),
        )


def _answer(text: str, operands: tuple[int, ...], found: Neighbors, place: int) -> Answer:
    points = tuple(found.indices[place].tolist())
    return Answer(text, operands, points, found.distances[place], found.metric, found.recall)


def find_point(points: Points, text: str) -> int:
    """Return the point with a label, or with a row number where no label is that.

    Raises:
        ParameterError: If there is neither, with the closest labels.
    """
    found = points.columns.find(text)
    if len(found) > 1:
        from embviz.queries import tell_first

        tell_first(text, found, points.row_number)
    if found:
        return found[0]
    if text.isascii() and text.isdigit() and len(text) <= 18:
        row = points.find_row(int(text))
        if row is not None:
            return row
        _refuse_left_out(points, int(text))
    if points.columns.label is None and points.n_points > 1:
        last = points.row_number(points.n_points - 1)
        raise ParameterError(
            f"'{text}'", f"is no row number in 0 .. {last}, and there are no labels"
        )
    from embviz.queries import resolve_label

    return resolve_label(labels_table(points), text, points.columns.label)


def _refuse_left_out(points: Points, number: int) -> None:
    """Refuse the number of a row of the source that is not among the points.

    Raises:
        ParameterError: If it is one.
    """
    rows = points.row_numbers()
    if rows is not None and len(rows) and number < int(rows.max()):
        raise ParameterError(
            f"row {number}",
            f"was left out of {points.source}",
            "--drop-nonfinite leaves out rows with NaN or infinity",
        )


def find_rows(points: Points, query: str) -> NDArray[np.int64]:
    """Return the points that a query of `queries` matches, sorted.

    Raises:
        ParameterError: If there is none.
    """
    from embviz.queries import match_some

    rows = match_some(labels_table(points), query, points.columns.label)
    log.info("--select: '%s' matches %s", printable(query), counted(len(rows), "point"))
    return np.sort(rows)


def refuse_zero(points: Points, operands: Sequence[int], metric: Metric) -> None:
    """Refuse vectors without a direction under cosine.

    Raises:
        ParameterError: With the row.
    """
    if metric != "cosine":
        return
    for point, vector in zip(operands, points.vectors(operands), strict=True):
        if not vector.any():
            raise ParameterError(
                f"row {points.row_number(point)}",
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
    vectors = points.vectors(operands)
    if metric == "cosine":
        vectors = vectors / np.abs(vectors).max(axis=1, keepdims=True)
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    out = np.array(signs, np.float64)[None, :] @ vectors
    if metric == "cosine" and np.linalg.norm(out) < 1e-12:
        raise ParameterError("query", "its vectors cancel out, so that no direction is left")
    return np.asarray(out, dtype=np.float64)
