"""A small reference of some points, by which later vectors of the same points are judged.

A reference is a `.npz` of up to 1,000 points and about a megabyte: `vectors`, float16 times a power
of two; `labels`, where the points have some; `rows`, their rows; `n_rows`, how many there were. The
points are those whose labels (or row numbers) have the least SHA-256, so that a vocabulary that
grows keeps them.
"""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embviz.checks import check_number
from embviz.comparison.compare import FEWEST, compare
from embviz.comparison.values import Comparison
from embviz.errors import LoadError, ParameterError, counted, printable
from embviz.model import EmbeddingTable, Metric

MOST_POINTS = 1000
MOST_BYTES = 1_000_000
_ENOUGH_POINTS = 100  # Of very wide vectors as many are kept, though they take more bytes.
_SHOWN = 5


@dataclass(frozen=True, eq=False)
class Reference:
    """Points as they were.

    Attributes:
        vectors: float16 (n, n_dims), times a power of two.
        labels: Their names, which differ, or None where rows tell them apart.
        rows: int64 (n,), ascending.
        n_rows: How many points there were in all.
    """

    vectors: NDArray[np.float16]
    labels: tuple[str, ...] | None
    rows: NDArray[np.int64]
    n_rows: int


@dataclass(frozen=True, eq=False)
class Verdict:
    """What became of the points of a reference.

    `faults` says in sentences what is not as it is wanted, none where all is well; `comparison` is
    what changed, None where too few points are left to tell.
    """

    faults: tuple[str, ...]
    comparison: Comparison | None


def make_reference(table: EmbeddingTable) -> Reference:
    """Keep some points of a table.

    Args:
        table: The points, named by its label column, where it has one.

    Raises:
        LoadError: If a vector holds NaN or infinity.
        ParameterError: If two points have one name, or there are too few.
    """
    table.check_finite()
    labels = _labels(table)
    if table.n_points < FEWEST:
        raise ParameterError(
            "embedding snapshot", f"{counted(table.n_points, 'point')}, {FEWEST} are needed"
        )
    n_kept = max(_ENOUGH_POINTS, MOST_BYTES // (2 * table.n_dims))
    names = labels or tuple(map(str, range(table.n_points)))
    by_hash = sorted(range(len(names)), key=lambda i: _hash(names[i]))
    rows = np.sort(np.asarray(by_hash[: min(n_kept, MOST_POINTS)], np.int64))
    return Reference(
        _rounded(table, rows),
        None if labels is None else tuple(labels[i] for i in rows.tolist()),
        rows,
        table.n_points,
    )


def encode_reference(reference: Reference) -> bytes:
    """Return the bytes of a reference's file, equal for equal points."""
    arrays: dict[str, NDArray[np.generic]] = {
        "vectors": reference.vectors,
        "rows": reference.rows,
        "n_rows": np.asarray(reference.n_rows, np.int64),
    }
    if reference.labels is not None:
        arrays["labels"] = np.asarray(reference.labels)
    out = io.BytesIO()
    np.savez_compressed(out, allow_pickle=False, **arrays)
    return out.getvalue()


def read_reference(path: Path) -> Reference:
    """Read a reference.

    Raises:
        LoadError: If it is damaged, or no reference.
    """
    try:
        with np.load(path, allow_pickle=False) as found:
            labels = tuple(found["labels"].tolist()) if "labels" in found else None
            reference = Reference(found["vectors"], labels, found["rows"], int(found["n_rows"]))
    except Exception as error:  # NumPy and zipfile raise many kinds of what is damaged.
        raise LoadError(path, f"is no reference of embviz ({error})", _RENEW) from error
    n = len(reference.rows)
    if reference.vectors.ndim != 2 or {len(reference.vectors), len(labels or range(n))} != {n}:
        raise LoadError(path, "is no reference of embviz: its arrays differ in length", _RENEW)
    return reference


_RENEW = "pytest --embviz-update writes it anew"


def judge(
    reference: Reference,
    table: EmbeddingTable,
    min_overlap: float = 0.6,
    min_matched: float = 1.0,
    metric: Metric = "cosine",
) -> Verdict:
    """Find what became of the points of a reference.

    Near is what is near among the reference's own points, before and now.

    Args:
        reference: The points as they were.
        table: The points as they are, of any width.
        min_overlap: The mean share of the 10 nearest that are to be in common, 0 to 1.
        min_matched: The share of the reference's points that are to be there still, 0 to 1.
        metric: What near means.

    Raises:
        LoadError: If a vector holds NaN or infinity.
        ParameterError: If a value does not fit, or two points have one name.
    """
    for name, value in (("min_overlap", min_overlap), ("min_matched", min_matched)):
        check_number(name, value, 0, 1)
    table.check_finite()
    there, rows, gone = _matched(reference, table)
    faults = []
    if len(there) < min_matched * len(reference.rows):
        faults.append(gone)
    if len(there) < FEWEST:
        faults.append(f"{counted(len(there), 'point')} of the reference are left, too few")
        return Verdict(tuple(dict.fromkeys(faults)), None)
    comparison = compare(
        _as_table(reference.vectors[there], reference, there, "reference"),
        _as_table(_rounded(table, rows), reference, there, "now"),
        match="row",
        metric=metric,
    )
    overlap = comparison.figures["overlap10"] or 0.0
    if overlap < min_overlap:
        faults.append(
            f"overlap10 is {overlap:.4g}, {min_overlap:g} is wanted: the mean share of the 10 "
            f"nearest of {counted(len(there), 'point')} that are the same"
        )
    return Verdict(tuple(faults), comparison)


def _matched(
    reference: Reference, table: EmbeddingTable
) -> tuple[NDArray[np.int64], NDArray[np.int64], str]:
    """Return which of the reference's points are there, their rows now, and what is missing."""
    labels = _labels(table)
    n = len(reference.rows)
    if reference.labels is None or labels is None:
        if (reference.labels is None) != (labels is None):
            has, has_not = ("the reference has", "the points have")
            if reference.labels is None:
                has, has_not = ("the points have", "the reference has")
            return _nobody(f"{has} labels and {has_not} none")
        if table.n_points != reference.n_rows:
            return _nobody(f"{table.n_points:,} rows where there were {reference.n_rows:,}")
        return np.arange(n), reference.rows, ""
    known = {label: row for row, label in enumerate(labels)}
    there = [i for i, label in enumerate(reference.labels) if label in known]
    gone = [label for label in reference.labels if label not in known]
    shown = ", ".join(printable(label, 40) for label in gone[:_SHOWN])
    rows = [known[reference.labels[i]] for i in there]
    return (
        np.asarray(there, np.int64),
        np.asarray(rows, np.int64),
        f"{len(gone):,} of {n:,} points are gone: {shown}{', …' if len(gone) > _SHOWN else ''}",
    )


def _nobody(why: str) -> tuple[NDArray[np.int64], NDArray[np.int64], str]:
    nothing = np.empty(0, np.int64)
    return nothing, nothing, why


def _as_table(
    vectors: NDArray[np.float16], reference: Reference, there: NDArray[np.int64], name: str
) -> EmbeddingTable:
    labels = reference.labels
    columns = {} if labels is None else {"label": tuple(labels[i] for i in there.tolist())}
    return EmbeddingTable(vectors, columns, source=name, rows=reference.rows[there])


def _labels(table: EmbeddingTable) -> tuple[str, ...] | None:
    """Return the names of points as a file holds them; None where they have none.

    Raises:
        ParameterError: If two are equal.
    """
    column = table.label_column()
    if column is None:
        return None
    names = tuple(name.rstrip("\0") for name in table.metadata[column])  # NumPy keeps none there.
    if len(set(names)) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise ParameterError(
            f"label {printable(twice, 60) or 'of nothing'}",
            "names two points",
            "give labels that differ, or none, so that rows tell points apart",
        )
    return names


def _hash(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()


def _rounded(table: EmbeddingTable, rows: NDArray[np.int64]) -> NDArray[np.float16]:
    """Return rows as float16 times the power of two that makes the largest value fit."""
    block = table.take_block(rows, np.float64)
    peak = float(np.abs(block).max(initial=0.0))
    exponent = 14 - int(np.frexp(peak)[1]) if peak > 0 else 0
    return np.asarray(np.ldexp(block, exponent), dtype=np.float16)


def as_table(vectors: object, labels: Sequence[str] | None = None) -> EmbeddingTable:
    """Return vectors as a table of points with names.

    Args:
        vectors: A table, which has its own, or anything of shape (n_points, n_dims).
        labels: A name for each point.

    Raises:
        EmbvizError: If they are no vectors, or of another number than the labels.
    """
    if isinstance(vectors, EmbeddingTable):
        if labels is not None:
            raise ParameterError("labels", "the table has its own", "give one of the two")
        return vectors
    columns = {} if labels is None else {"label": tuple(map(str, labels))}
    # A column of numbers names nothing by itself.
    return EmbeddingTable(vectors, columns, named_by="label" if columns else None)  # type: ignore[arg-type]
