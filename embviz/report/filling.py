"""What fills a page, in the order of `docs/report-size.md`, and what is said of the rest."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from embviz.errors import ParameterError, counted
from embviz.neighbors.known import shown_recall
from embviz.report.budget import MB, USUAL, Budget, Chosen, Made, Offer, choose
from embviz.report.lists import DIGITS as LIST_DIGITS
from embviz.report.lists import MORE, NEAREST, Lists, list_offers
from embviz.report.projections import COMPONENTS, COORDINATES, DIGITS, FRAMES, MEASURED, Packed
from embviz.report.vectors import EXACT, UNSENT, VECTORS, State, vector_offers

log = logging.getLogger("embviz")


@dataclass(frozen=True, eq=False)
class Contents:
    """What may travel beside what travels in any case.

    Attributes:
        states: The points whose vectors may: those of the report, or of each step.
        lists: The nearest neighbors that do where these do not.
        packed: The projections, the one that is shown first before the others.
        compares: Whether the states are two models, whose lists travel in any case.
        precision: What of the vectors is asked for, one of `vectors.PRECISIONS`.
    """

    states: Sequence[State]
    lists: Lists
    packed: Sequence[Packed]
    compares: bool
    precision: str

    def offers(self) -> list[Offer]:
        """Return what is offered, in the order in which it gets room."""
        vectors, exact = vector_offers(self.states, self.precision)
        travels = self.compares or self.precision != "none"
        lists, better = list_offers(self.lists, self.compares) if travels else ([], [])
        of_each = {offer.name: offer for each in self.packed for offer in each.offers()}

        def all_of(what: str) -> list[Offer]:
            names = (each.name(what) for each in self.packed)
            return [of_each[name] for name in names if name in of_each]

        needed = [*all_of(COORDINATES), *(lists if self.compares else [])]
        first = [*vectors, *([] if self.compares else lists)]
        rest = [*all_of(MEASURED), *all_of(COMPONENTS), *all_of(FRAMES)]
        return [*needed, *first, *rest, *exact, *all_of(DIGITS), *better]


@dataclass(frozen=True, eq=False)
class Filled:
    """What travels.

    Attributes:
        taken: What was offered and travels, by the names of the offers.
        vectors: What the manifest says of the vectors of each state.
        neighbors: What it says of lists of neighbors; None where none travel.
        left_out: What does not travel, a sentence each, with how to have it.
        megabytes: How large the page may be.
    """

    taken: Mapping[str, Made]
    vectors: list[dict[str, Any]]
    neighbors: dict[str, Any] | None
    left_out: list[str]
    megabytes: float


@dataclass(frozen=True, eq=False)
class Share:
    """A part of what travels in any case, its bytes, and whether it is a metadata column."""

    what: str
    size: int
    is_column: bool = False


def fill_page(
    contents: Contents, max_size: float | None, fixed: int, shares: Sequence[Share]
) -> Filled:
    """Choose and make what travels in a page.

    Args:
        contents: What may.
        max_size: Megabytes that the page must keep within; None for the usual ones, which what
            cannot be left out may exceed.
        fixed: Bytes of what travels in any case.
        shares: Its parts that take most, for what is said of them.

    Raises:
        ParameterError: If what cannot be left out does not fit into `max_size`.
    """
    megabytes = USUAL if max_size is None else max_size
    budget = Budget(contents.offers(), fixed, int(megabytes * MB))
    if max_size is not None:
        _check_room(budget, max_size, shares)
    chosen = budget.settle()
    if max_size is not None and chosen.left < 0:
        raise _no_room(budget, max_size, shares)
    taken = budget.taken(chosen)
    words = _Words(contents, budget, chosen, megabytes, shares)
    vectors = next((taken[name].entry for name in (EXACT, VECTORS) if name in taken), None)
    left_out = words.left_out()
    if vectors is None:
        note = words.of_vectors()
        if contents.precision not in UNSENT:
            left_out = [f"{note}. {words.of_lists_instead()}", *left_out]
        vectors = [{"vectors": None, "vectors_note": note, "blocks": []}] * len(contents.states)
    for sentence in left_out:
        log.info("%s", sentence)
    lists = next((taken[n].entry for n in (LIST_DIGITS, MORE, NEAREST) if n in taken), None)
    return Filled(taken, vectors, lists, left_out, megabytes)


def _check_room(budget: Budget, max_size: float, shares: Sequence[Share]) -> None:
    """Refuse a page that has no room for what is known already to be needed.

    Raises:
        ParameterError: With the sizes.
    """
    known = [o for o in budget.offers if o.is_needed and o.name != NEAREST]

    def size(offer: Offer, level: int) -> float:
        return offer.levels[level].guessed

    if choose(known, budget.most - budget.fixed, size).left < 0:
        raise _no_room(budget, max_size, shares)


def _no_room(budget: Budget, max_size: float, shares: Sequence[Share]) -> ParameterError:
    least = budget.least()
    columns = [each for each in shares if each.is_column]
    parts = [f"{each.what} {each.size / MB:.1f}" for each in shares if not each.is_column]
    if columns:
        largest = max(columns, key=lambda each: each.size)
        whole = sum(each.size for each in columns)
        parts.insert(1, f"{counted(len(columns), 'column')} {whole / MB:.1f}")
        if len(columns) > 1:
            parts[1] += f", of which {largest.what} {largest.size / MB:.1f}"
    return ParameterError(
        f"--max-size {max_size:g}",
        f"what this page cannot do without takes up to {least} MB ({', '.join(parts)})",
        f"--max-size {least} has room for it",
    )


@dataclass(frozen=True, eq=False)
class _Words:
    """What a reader is told of what does not travel."""

    contents: Contents
    budget: Budget
    chosen: Chosen
    megabytes: float
    shares: Sequence[Share]

    def of_vectors(self) -> str:
        """Return why no vectors travel, and how to have them."""
        asked = self.contents.precision
        if asked == "none" and not self.contents.compares:
            return (
                "Vectors and neighbors were left out (--vectors none); leave that out to have "
                "them, or --vectors neighbors for the nearest of each point"
            )
        if asked in UNSENT:
            return f"Vectors were left out (--vectors {asked}); leave that out to have them"
        least = self.budget.least_for(VECTORS, level=99)
        if least is None:
            why = "the lengths of their rows fit no number format together"
            return f"Vectors were left out: {why}; divide the rows"
        states = self.contents.states
        tables = [state.table for state in states]
        what = f"{tables[0].n_points:,} × {tables[0].n_dims}"
        if len(tables) > 1:
            sides = "both sides" if self.contents.compares else f"{len(tables)} steps"
            what = f"those of {sides}"
        why, way = f"{what} would make the page larger than {self.megabytes:g} MB", ""
        columns = [each for each in self.shares if each.is_column]
        largest = max(columns, key=lambda each: each.size, default=None)
        if largest and largest.size > self.megabytes * MB / 3:
            why = (
                f"{largest.what} takes {largest.size / MB:.0f} MB of a page that should have "
                f"{self.megabytes:g}"
            )
            way = ", or shorten that column or leave it out of the metadata"
        return f"Vectors were left out: {why}; --max-size {least} puts them in{way}"

    def of_lists_instead(self) -> str:
        """Return which neighbors travel in the place of vectors."""
        if NEAREST not in self.chosen.levels:
            return "Neighbors cannot be listed"
        k = self._offer(NEAREST).levels[self.chosen.levels[NEAREST]].what
        near = self.contents.lists.found[0].neighbors
        recall = shown_recall(min(each.neighbors.recall for each in self.contents.lists.found))
        true = "" if recall == 1 else f", {100 * recall:.1f} % of them the true ones"
        near_by = "" if LIST_DIGITS in self.chosen.levels else ", at distances within 0.4 %"
        return f"The {k} nearest of each point by {near.metric} travel instead{near_by}{true}"

    def left_out(self) -> list[str]:
        """Return what does not travel, a sentence each, with how to have it."""
        found = [self._of_lists()]
        for each in self.contents.packed:
            found += [self._of_measured(each), self._of_components(each), self._of_frames(each)]
        return [sentence for sentence in found if sentence]

    def _way(self, name: str, level: int = 0) -> str:
        least = self.budget.least_for(name, level)
        return "" if least is None else f"; --max-size {least} has room for it"

    def _of_lists(self) -> str:
        lists, levels = self.contents.lists, self.chosen.levels
        if self._offer(NEAREST) is None:
            return ""
        if NEAREST not in levels:
            wanted = VECTORS not in levels and lists.known
            return f"The nearest neighbors of each point: {lists.problem}" if wanted else ""
        counts = self._offer(NEAREST).levels
        k = counts[levels[NEAREST]].what
        if levels[NEAREST] == 0:
            return ""
        # Where there is more room, the vectors may have it.
        way = self._way(NEAREST) or self._way(VECTORS, level=99)
        return f"Neighbors beyond the {k} nearest of each point, of {counts[0].what}{way}"

    def _of_measured(self, each: Packed) -> str:
        name = each.name(MEASURED)
        if name in self.chosen.levels or self._offer(name) is None:
            return ""
        return f"What was measured of each point of {_picture(each)}{self._way(name)}"

    def _of_components(self, each: Packed) -> str:
        name, n = each.name(COMPONENTS), each.n_components
        if self._offer(name) is None or self.chosen.levels.get(name) == 0:
            return ""
        left = self.chosen.levels.get(name)
        first = each.n_shown + 1 if left is None else n - left + 1
        which = f"Component {n}" if first == n else f"Components {first} to {n}"
        return f"{which} of {each.projection.title}{self._way(name)}"

    def _of_frames(self, each: Packed) -> str:
        name, frames = each.name(FRAMES), each.projection.frames
        if frames is None or self._offer(name) is None or self.chosen.levels.get(name) == 0:
            return ""
        n, left = len(frames.steps), self.chosen.levels.get(name)
        which = f"The {n}" if left is None else f"{left} of {n}"
        return f"{which} recorded {frames.unit}s of {_picture(each)}{self._way(name)}"

    def _offer(self, name: str) -> Any:
        return next((offer for offer in self.budget.offers if offer.name == name), None)


def _picture(each: Packed) -> str:
    """Return what a reader calls a picture."""
    return f"{each.projection.title} in {each.n_components}D"
