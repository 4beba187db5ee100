"""The vectors of a table as a page of some room has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from embviz import EmbeddingTable
from embviz.report.blocks import Block
from embviz.report.budget import Budget
from embviz.report.vectors import State, vector_offers


@dataclass(frozen=True)
class Sent:
    """The blocks, and what the manifest says; its entry is None where no vectors travel."""

    blocks: tuple[Block, ...]
    entry: dict[str, Any] | None
    note: str


def pack_vectors(table: EmbeddingTable, precision: str, room: int) -> Sent:
    first, last = vector_offers([State(table)], precision)
    budget = Budget([*first, *last], 0, room)
    taken = budget.taken(budget.settle())
    if not taken:
        return Sent((), None, "")
    (made,) = taken.values()
    (told,) = made.entry
    return Sent(made.blocks, told["vectors"], told["vectors_note"])
