"""What travels in a page of limited size: offers in the order that `docs/report-size.md` states.

Each offer has levels, the best first. One after the other takes the best level that there is room
for. Sizes are estimated first; what is chosen is made, measured, and chosen anew where it turned
out larger, so that the page keeps within its size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from embviz.report.blocks import Block
from embviz.report.shell import block_size, json_size

MB = 1_000_000
USUAL = 25
"""Megabytes of a page where nothing else is asked for; what cannot be left out may take more."""
_UNSURE = 1.03  # Sizes that are only estimated may be so much larger.


@dataclass(frozen=True, eq=False)
class Made:
    """What an offer puts into the page: its blocks, and what the manifest is told of it."""

    blocks: tuple[Block, ...]
    entry: Any = None

    @cached_property
    def size(self) -> int:
        """The bytes that it takes."""
        return sum(map(block_size, self.blocks)) + json_size(self.entry)


@dataclass(frozen=True, eq=False)
class Level:
    """One way to send what an offer is about.

    Attributes:
        bound: Bytes that it takes at most.
        guess: Returns the bytes that it takes about.
        make: Returns what it puts into the page; None where that turns out to be of no use.
        what: What it is called.
    """

    bound: int
    guess: Callable[[], int]
    make: Callable[[], Made | None]
    what: str = ""

    @cached_property
    def guessed(self) -> int:
        """The bytes that it takes about."""
        return min(self.bound, self.guess())


@dataclass(frozen=True, eq=False)
class Offer:
    """Something that may travel.

    Attributes:
        name: Its name among the offers.
        levels: The ways to send it, the best first.
        is_needed: Whether a page without it is none; its last level then travels in any case.
        instead_of: The name of what it takes the place of: it is offered where that does not
            travel.
        better: The name of what it is a better form of: it is offered where that travels at its
            best, whose place it takes.
    """

    name: str
    levels: tuple[Level, ...]
    is_needed: bool = False
    instead_of: str = ""
    better: str = ""


@dataclass(frozen=True, eq=False)
class Chosen:
    """Which levels travel, by offer, and the bytes that are left; less than 0 where they lack."""

    levels: Mapping[str, int]
    left: int


Size = Callable[[Offer, int], float]


def choose(offers: Sequence[Offer], room: int, size: Size) -> Chosen:
    """Return which levels travel where there is room for so many bytes.

    Args:
        offers: In the order in which they get room.
        room: Bytes.
        size: Returns the bytes of a level of an offer; infinity where it is of no use.
    """
    by_name = {offer.name: offer for offer in offers}
    levels: dict[str, int] = {}
    for offer in offers:
        if offer.instead_of in levels or (offer.better and levels.get(offer.better) != 0):
            continue
        freed = size(by_name[offer.better], 0) if offer.better else 0.0
        sizes = [size(offer, i) - freed for i in range(len(offer.levels))]
        found = next((i for i, each in enumerate(sizes) if each <= room), None)
        if found is None and offer.is_needed:
            found = next((i for i in reversed(range(len(sizes))) if sizes[i] < math.inf), None)
        if found is not None:
            levels[offer.name] = found
            room -= int(sizes[found])
    return Chosen(levels, room)


@dataclass(eq=False)
class Budget:
    """Offers, and what is known of their sizes.

    Attributes:
        offers: In the order in which they get room.
        fixed: The bytes of what travels in any case.
        most: The bytes of the whole page.
        made: What was made of offers' levels; None where it was of no use.
    """

    offers: Sequence[Offer]
    fixed: int
    most: int
    made: dict[tuple[str, int], Made | None] = field(default_factory=dict)

    def settle(self) -> Chosen:
        """Make what travels, and return which levels that are."""
        while True:
            chosen = self._choose_all() or choose(self.offers, self.most - self.fixed, self._size)
            missing = [each for each in self._travelling(chosen) if each not in self.made]
            if not missing:
                return chosen
            with ThreadPoolExecutor() as pool:  # zlib leaves the interpreter lock
                self.made.update(zip(missing, pool.map(self._make, missing), strict=True))

    def taken(self, chosen: Chosen) -> dict[str, Made]:
        """Return what travels, by the names of the offers."""
        found = {name: self.made[name, level] for name, level in self._travelling(chosen)}
        return {name: made for name, made in found.items() if made is not None}

    def least_for(self, name: str, level: int = 0) -> int | None:
        """Return the least whole megabytes, above `most`, with which an offer has a level.

        None where no size is enough.
        """
        sizes = [self._size_at_most(o, i) for o in self.offers for i in range(len(o.levels))]
        whole = self.fixed + sum(size for size in sizes if size < math.inf)
        for megabytes in range(self.most // MB + 1, math.ceil(whole / MB) + 2):
            room = megabytes * MB - self.fixed
            found = choose(self.offers, room, self._size_at_most).levels.get(name)
            if found is not None and found <= level:
                return megabytes
        return None

    def least(self) -> int:
        """Return the least whole megabytes, above `most`, that what is needed has room in."""
        megabytes = self.most // MB + 1
        while True:
            room = megabytes * MB - self.fixed
            short = -choose(self.offers, room, self._size_at_most).left
            if short <= 0:
                return megabytes
            megabytes += max(1, short // MB)

    def _make(self, each: tuple[str, int]) -> Made | None:
        offer = next(offer for offer in self.offers if offer.name == each[0])
        return offer.levels[each[1]].make()

    def _travelling(self, chosen: Chosen) -> list[tuple[str, int]]:
        """Return the offers and levels whose place nothing better has taken."""
        replaced = {o.better for o in self.offers if o.name in chosen.levels}
        return [(name, i) for name, i in chosen.levels.items() if name not in replaced]

    def _choose_all(self) -> Chosen | None:
        """Return the best of everything, where that has room without looking closer."""

        def bound(offer: Offer, level: int) -> float:
            useless = self.made.get((offer.name, level), True) is None
            return math.inf if useless else offer.levels[level].bound

        chosen = choose(self.offers, self.most - self.fixed, bound)
        levels = chosen.levels
        for offer in self.offers:
            isnt_asked = offer.instead_of in levels or (offer.better and offer.better not in levels)
            if offer.levels and levels.get(offer.name) != 0 and not isnt_asked:
                return None
        return chosen if chosen.left >= 0 else None

    def _size(self, offer: Offer, level: int) -> float:
        known = (offer.name, level)
        if known not in self.made:
            return offer.levels[level].guessed
        made = self.made[known]
        return math.inf if made is None else made.size

    def _size_at_most(self, offer: Offer, level: int) -> float:
        known = (offer.name, level) in self.made
        return self._size(offer, level) * (1 if known else _UNSURE)
