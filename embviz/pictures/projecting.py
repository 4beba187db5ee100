"""The pictures of some points: one neighbor graph for all, and how good each is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

from embviz.comparison.values import FEW
from embviz.kernels import meanwhile, one_blas_thread
from embviz.model import EmbeddingTable, Metric, Neighbors, Projection
from embviz.neighbors import build_graph
from embviz.pictures.placing import import_ahead, place
from embviz.pictures.quality import (
    OriginalSide,
    measure_beside,
    open_original_side,
    with_quality,
)
from embviz.pictures.series import NO_LEADS, Lead, lay_on_first
from embviz.space import Normalize, Space

Seen = tuple[Metric, Normalize]
"""The metric and the normalization of neighbors."""


def project_all(
    space: Space,
    projectors: Sequence[Any],
    usual: Seen,
    seed: int,
    leads: Mapping[int, Lead] = NO_LEADS,
) -> list[Projection]:
    """Return the projections of projectors, with the quality of each.

    Args:
        space: Of the points.
        projectors: All that are wanted.
        usual: What those are measured by that look at no neighbors.
        seed: Of what is drawn.
        leads: Where a projector's map is laid on another one, by its place.
    """
    wanted = graph_sizes(space.table, projectors, usual)
    # What is quick goes first, so that a query that matches nothing is told at once.
    done = {id(p): place(p, space) for p in projectors if not _looks_at_neighbors(p)}
    slow = [p for p in projectors if id(p) not in done]
    with meanwhile(partial(import_ahead, slow)):
        graphs = _graphs(space, wanted, seed)
    for p in slow:
        if p.neighbors is not None:
            graphs.setdefault(_seen(p, usual), p.neighbors)
    laid = {id(projectors[i]) for i in leads}
    beside = slow and space.arrays is None  # A card does one thing at a time.
    early = [p for p in projectors if beside and id(p) in done and id(p) not in laid]

    @cache
    def open_side(seen: Seen) -> OriginalSide:
        return open_original_side(space.seen(seen[1]), graphs.get(seen, seen[0]), seed)

    def measure(some: Sequence[Any]) -> dict[int, Projection]:
        spaces = [_measured_in(_seen(p, usual), usual, graphs) for p in some]
        found: dict[int, Projection] = {}
        for seen in dict.fromkeys(spaces):
            alike = [id(p) for p, own in zip(some, spaces, strict=True) if own == seen]
            qualities = measure_beside(open_side(seen), [done[i] for i in alike])
            found |= {i: with_quality(done[i], q) for i, q in zip(alike, qualities, strict=True)}
        return found

    # Products take one thread each from here on: their last digits depend on that number.
    with one_blas_thread():
        with meanwhile(partial(measure, early)) as first:
            for p in slow:
                own = graphs[_seen(p, usual)] if p.neighbors is None else p.neighbors
                done[id(p)] = place(replace(p, neighbors=own), space)
        _lay_on_leads(done, projectors, leads)
        measured = first.result()
        measured |= measure([p for p in projectors if id(p) not in measured])
    graph = graphs.get((usual[0], "none"))
    nearest = None if graph is None else _listed(graph)
    return [replace(measured[id(p)], nearest=nearest) for p in projectors]


def _measured_in(seen: Seen, usual: Seen, graphs: Mapping[Seen, Neighbors]) -> Seen:
    """Return the space in which a picture is measured: its own where neighbors are known in it."""
    if not graphs or seen in graphs:
        return seen
    return usual if usual in graphs else next(iter(graphs))


def _listed(graph: Neighbors) -> Neighbors:
    """Return the ten nearest of a graph, without holding the others."""
    few = graph.first(min(FEW, graph.indices.shape[1]))
    return replace(few, indices=few.indices.copy(), distances=few.distances.copy(), unrounded=None)


def _lay_on_leads(
    done: dict[int, Projection], projectors: Sequence[Any], leads: Mapping[int, Lead]
) -> None:
    """Lay the maps of series on the first of each, in place."""
    for i, lead in leads.items():
        first = done[id(projectors[lead.place])]
        done[id(projectors[i])] = lay_on_first(done[id(projectors[i])], first, lead.name)


def _looks_at_neighbors(projector: Any) -> bool:
    return hasattr(projector, "count_neighbors") and hasattr(projector, "neighbors")


def _seen(projector: Any, usual: Seen) -> Seen:
    """Return the metric and the normalization of a projector's neighbors."""
    metric: Metric = getattr(projector, "metric", usual[0])
    return metric, getattr(projector, "normalize", usual[1])


def graph_sizes(table: EmbeddingTable, projectors: Sequence[Any], usual: Seen) -> dict[Seen, int]:
    """Return how many neighbors are wanted in each space that projectors look at.

    Raises:
        ParameterError: If a projector cannot have as many as it is asked to look at.
    """
    sizes: dict[Seen, int] = {}
    for p in projectors:
        if _looks_at_neighbors(p):
            k = p.count_neighbors(table)
            if p.neighbors is None:
                space = _seen(p, usual)
                sizes[space] = max(sizes.get(space, 0), k)
    return sizes


def _graphs(space: Space, sizes: Mapping[Seen, int], seed: int) -> dict[Seen, Neighbors]:
    return {
        (metric, normalize): build_graph(space.table, k, metric, normalize, seed, space)
        for (metric, normalize), k in sizes.items()
    }
