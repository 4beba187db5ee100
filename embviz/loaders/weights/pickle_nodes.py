"""What a pickle holds beside numbers, texts, tuples and lists, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


class PickleError(ValueError):
    """Bytes are no pickle that is read; the message says why, the caller adds the file."""


@dataclass(slots=True, eq=False)
class Name:
    """A class or function by its module and name."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(slots=True, eq=False)
class Dict:
    """A dictionary as its pairs in the order in which they were set."""

    pairs: list[tuple[Any, Any]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Made:
    """What calling something with arguments makes.

    Attributes:
        by: Mostly a `Name`.
        args: The arguments, a tuple if the file is as it should be.
        states: What was given to it afterwards, by `__setstate__`.
        items: What was appended to it.
        pairs: What was set in it by keys.
    """

    by: Any
    args: Any
    states: list[Any] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)
    pairs: list[tuple[Any, Any]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Persistent:
    """What the file keeps elsewhere, by the key under which it does."""

    key: Any


@dataclass(slots=True, eq=False)
class Skipped:
    """A value that was not kept; `what` says which kind."""

    what: str
