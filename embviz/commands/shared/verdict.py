"""Whether the condition of `--fail-if` holds, and how a command fails then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from embviz.errors import ConditionError, printable
from embviz.expressions import Condition
from embviz.outputs.standard import discard_standard_output


@dataclass(frozen=True)
class Verdict:
    """A condition on figures, which are all there.

    Attributes:
        condition: None if there is none, which never holds.
        figures: Those that were measured, by name.
        holds: Whether it does.

    Raises:
        ParameterError: If a figure that is asked for is not there.
    """

    condition: Condition | None
    figures: Mapping[str, float | None]
    holds: bool = field(init=False)

    def __post_init__(self) -> None:
        holds = self.condition is not None and self.condition.holds(self.figures)
        object.__setattr__(self, "holds", holds)

    def as_object(self) -> dict[str, Any] | None:
        """Return what `--json` says of it."""
        if self.condition is None:
            return None
        each = self.condition.hold_each(self.figures)
        return {
            "condition": self.condition.text,
            "holds": self.holds,
            "comparisons": dict(zip(self.condition.comparisons, each, strict=True)),
            "figures": {name: self.figures[name] for name in self.condition.names},
        }

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Fail at the end of a block where the condition holds, also if its reader has gone.

        Raises:
            ConditionError: If it holds, with the figures.
        """
        try:
            yield
        except BrokenPipeError:
            if not self.holds:
                raise
            discard_standard_output()
        if self.condition is not None and self.holds:
            what = f"--fail-if {printable(self.condition.text)}"
            raise ConditionError(what, self.condition.said(self.figures))
