"""Which projections share a tab of the page, and how those of one method are told apart."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np

from embviz.errors import ParameterError
from embviz.model import Projection


def name_tabs(projections: Iterable[Projection]) -> list[Projection]:
    """Return projections whose keys and titles say which tab each belongs to.

    Those of one key share a tab, one for each number of dimensions. Where two would be shown in the
    same place, as t-SNE of perplexity 5 and of 15, they become tabs of their own: `tsne` and
    `tsne-2`, titled `t-SNE, perplexity 5` and `t-SNE, perplexity 15` by what differs between them.
    """
    given = list(projections)
    named: dict[int, Projection] = {}
    keys, titles = {p.key for p in given}, set[str]()
    for key in dict.fromkeys(p.key for p in given):
        members = [i for i, p in enumerate(given) if p.key == key]
        tabs: dict[tuple[str, ...], list[int]] = {}
        for i, told in zip(members, _tell_apart([given[i] for i in members]), strict=True):
            tabs.setdefault(told, []).append(i)
        own = key
        for told, indices in tabs.items():
            title = _free(", ".join([given[indices[0]].title, *told]), " ", titles)
            titles.add(title)
            named |= {i: replace(given[i], key=own, title=title) for i in indices}
            own = _free(key, "-", keys)
            keys.add(own)
    return [named[i] for i in range(len(given))]


def find_tab(projections: Sequence[Projection], name: str) -> str:
    """Return the key of the projections that a key or a method's name means.

    Raises:
        ParameterError: If there is none.
    """
    for found in (p.key for p in projections if p.key == name):
        return found
    for found in (p.key for p in projections if p.name == name):
        return found
    there = ", ".join(dict.fromkeys(p.key for p in projections))
    raise ParameterError(f"first: '{name}'", "no such projection", f"there are: {there}")


def show_first(projections: Sequence[Projection], name: str | None, dims: int) -> Projection:
    """Return the projection that a report opens with.

    Args:
        projections: As `name_tabs` returns them.
        name: A key or a method's name; None is the last.
        dims: 2 or 3: the picture of that many, else the one of most.

    Raises:
        ParameterError: If there is none of that name.
    """
    key = projections[-1].key if name is None else find_tab(projections, name)
    widths = {int(p.coordinates.shape[1]): p for p in projections if p.key == key}
    return widths.get(dims) or widths[max(widths)]


def _free(name: str, joint: str, taken: set[str]) -> str:
    numbered = (f"{name}{joint}{i}" for i in count(2))
    return name if name not in taken else next(n for n in numbered if n not in taken)


def _tell_apart(group: Sequence[Projection]) -> list[tuple[str, ...]]:
    """Return a few words for each of some projections, equal for those that share a tab."""
    # Beyond three components all are shown in the same two places.
    places = [min(3, int(p.coordinates.shape[1])) for p in group]
    told: list[tuple[str, ...]] = [()] * len(group)
    for values in _differences(group):
        seen: dict[Hashable, set[str]] = {}
        for words, place, value in zip(told, places, values, strict=True):
            seen.setdefault((words, place), set()).add(value)
        if any(len(found) > 1 for found in seen.values()):
            told = [(*words, v) if v else words for words, v in zip(told, values, strict=True)]
    counts: dict[Hashable, int] = {}
    for i, (words, place) in enumerate(zip(told, places, strict=True)):
        number = counts[words, place] = counts.get((words, place), 0) + 1
        if number > 1:
            told[i] = (*words, f"number {number}")
    return told


def _differences(group: Sequence[Projection]) -> Iterator[list[str]]:
    """Yield what may tell projections apart: each of their parameters, then their axes."""
    for name in dict.fromkeys(name for p in group for name in p.params):
        full, short = ([_words(name, p.params, digits) for p in group] for digits in (None, 4))
        yield short if len(set(short)) == len(set(full)) else full
    yield [", ".join(p.axes) for p in group]


def _words(name: str, params: Mapping[str, Any], digits: int | None) -> str:
    """Return a parameter as a title has it, "" where it is no number and no text.

    Of a number with more than six digits so many are shown, None for all.
    """
    value = params.get(name)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return ""
    shown = value
    if isinstance(value, float):
        shown = f"{value:g}"
        if float(shown) != value:
            shown = f"{value:.{digits}g}" if digits else repr(value)
    return f"{name.removeprefix('n_').replace('_', ' ')} {shown}"
