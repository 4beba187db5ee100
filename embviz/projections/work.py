"""What a projection costs, so that it can be said before it is made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """What a stage takes, measured on two cores (`bench/growth.py`).

    Attributes:
        what: What is made.
        cpu: Seconds of a processor, of all threads together.
        held: Bytes at its peak, without what was there before.
        shared: The share of the seconds that cores divide among them.
    """

    what: str
    cpu: float
    held: float
    shared: float = 1.0

    def seconds(self, n_cores: int) -> float:
        """Return how long it takes on so many cores that have nothing else to do."""
        return self.cpu * (1 - self.shared + self.shared / n_cores)
