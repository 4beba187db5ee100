"""What is wrong with single lines of a text file that is read nevertheless, counted."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from embviz.errors import LoadError, counted

_log = logging.getLogger("embviz")

NOT_UTF8 = "not UTF-8"
CUT = "cut"  # those of them that are UTF-8 up to a letter that is not whole
NO_LABEL = "without a label"
_SAID = {
    NOT_UTF8: "is not UTF-8, which is shown as \N{REPLACEMENT CHARACTER}",
    NO_LABEL: "has numbers and no label, which is left empty",
}
_MOST_SHARE = 0.05


@dataclass
class Faults:
    """Faults of lines by what they are: how many, and the first, as `FILE:LINE` with its error."""

    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, LoadError] = field(default_factory=dict)

    def add(self, kind: str, error: LoadError) -> None:
        """Count a fault."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self.first.setdefault(kind, error)

    def merge(self, other: Faults) -> None:
        """Add those of lines further down."""
        for kind, n in other.counts.items():
            self.counts[kind] = self.counts.get(kind, 0) + n
            self.first.setdefault(kind, other.first[kind])

    def tell(self, n_rows: int) -> None:
        """Warn of each kind in one line.

        Raises:
            LoadError: If so many labels are not UTF-8 that the file is of another encoding.
        """
        bad = self.counts.get(NOT_UTF8, 0) - self.counts.get(CUT, 0)
        if bad > 1 and bad > _MOST_SHARE * n_rows:
            first = self.first[NOT_UTF8]
            why = f"{first.why}, as {bad:,} of {n_rows:,} labels are"
            raise LoadError(first.what, why, first.way_out)
        for kind in (kind for kind in self.counts if kind in _SAID):
            n = self.counts[kind]
            lines = f"{counted(n, 'line')} {_SAID[kind] if n == 1 else _plural(kind)}"
            _log.warning(
                "%s: %s, the first is this; --strict refuses", self.first[kind].what, lines
            )


def _plural(kind: str) -> str:
    return (
        _SAID[kind].replace("is not UTF-8", "are not UTF-8").replace("has numbers", "have numbers")
    )
