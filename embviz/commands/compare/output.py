"""How the comparison of `embviz compare` is printed."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence

from embviz.commands.shared.columns import aligned
from embviz.commands.shared.terminal import end_progress
from embviz.comparison.values import FEW, MANY, Comparison
from embviz.errors import counted, printable
from embviz.export.changes import most_changed
from embviz.outputs.standard import standard_output

_LONGEST = 24  # Characters of a label in a list.
_MOST_GROUPS = 10


def tell_comparison(comparison: Comparison) -> None:
    """Print a comparison on the standard output, for a reader.

    Raises:
        OutputError: If standard output takes no more.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding=sys.stdout.encoding, errors="backslashreplace")
    end_progress()
    with standard_output():
        for line in _lines(comparison):
            print(line)


def _lines(comparison: Comparison) -> Iterator[str]:
    yield from _heading(comparison)
    yield ""
    yield from aligned(_figures(comparison))
    for column, groups in comparison.by_group.items():
        yield ""
        head = [printable(column, 40), "points", f"of {FEW} in common", "median rank in B"]
        rows = [
            [
                printable(value, 40) or "(none)",
                f"{figures['n']:,}",
                _share(figures["overlap10"]),
                f"{figures['rank_median']:,.10g}",
            ]
            for value, figures in groups.items()
        ]
        yield from aligned([head, *rows], right=(1, 2, 3))
    if comparison.groups:
        yield ""
        yield from aligned(
            [["changed together, towards", "points", "score"], *_groups(comparison)], right=(1, 2)
        )
    else:
        yield ""
        yield f"No groups that changed together: {comparison.no_groups}"
    yield ""
    yield from _changes(comparison)


def _heading(comparison: Comparison) -> Iterator[str]:
    first, second = (printable(name, 80) for name in comparison.names)
    by = comparison.matched_by
    how = f"by {by}" if by in ("label", "row") else f"by '{printable(by, 40)}'"
    yield f"A {first}: {comparison.a.n_dims} dimensions"
    yield f"B {second}: {comparison.b.n_dims} dimensions"
    yield f"{counted(comparison.n_matched, 'point')} in both, matched {how}"
    for name, labels in (("A", comparison.only_a), ("B", comparison.only_b)):
        if labels:
            shown = ", ".join(printable(label, _LONGEST) for label in labels[:5])
            more = ", …" if len(labels) > 5 else ""
            yield f"{counted(len(labels), 'point')} in {name} only, left out: {shown}{more}"
    if len(comparison.compared) < comparison.n_matched:
        yield f"{counted(len(comparison.compared), 'point')} compared with all others"


def _figures(comparison: Comparison) -> Iterator[list[str]]:
    figures = comparison.figures
    chance = figures["overlap10_random"]
    for k in (FEW, MANY):
        found, beyond = figures[f"overlap{k}"], figures[f"overlap{k}_calibrated"]
        if found is None or beyond is None:
            yield [f"of the {k} nearest in common", "-", f"needs {k + 2} points"]
            continue
        told = f"{_share(beyond)} beyond chance"
        if k == FEW and chance is not None:
            told += f"; a random pairing has {_share(chance)}"
        yield [f"of the {k} nearest in common", _share(found), told]
    for name, key, back in (("A", "rank", "B"), ("B", "rank_back", "A")):
        middle, low, high = (figures[f"{key}_{part}"] for part in ("median", "q1", "q3"))
        told = f"median; quartiles {low:,.10g} and {high:,.10g}"
        yield [f"rank in {back} of {name}'s {FEW} nearest", f"{middle:,.10g}", told]
    residual = figures["procrustes_residual"]
    if residual is not None:
        told = "of the spread is explained by turning, scaling and shifting"
        yield ["how much is a rotation", _share(1 - residual), told]


def _groups(comparison: Comparison) -> list[list[str]]:
    return [
        [printable(group.name, 40), f"{len(group.points):,}", f"{group.score:.2f}"]
        for group in comparison.groups[:_MOST_GROUPS]
    ]


def _changes(comparison: Comparison) -> Iterator[str]:
    changes = most_changed(comparison)
    if not changes:
        yield "No neighbor of any point came or left"
        return
    head = ["most changed", f"of {FEW} in common", "came (rank in A)", "left (rank in B)"]
    rows = [
        [printable(c.label, 40), _share(c.overlap10), _listed(c.came), _listed(c.left)]
        for c in changes
    ]
    yield from aligned([head, *rows], right=(1,))


def _listed(neighbors: Sequence[tuple[str, int]]) -> str:
    shown = [f"{printable(label, _LONGEST)} ({rank:,})" for label, rank in neighbors[:3]]
    more = f"… {len(neighbors)} in all" if len(neighbors) > 3 else ""
    return ", ".join([*shown, *filter(None, [more])])


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"
