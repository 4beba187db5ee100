"""How the answers of `embviz neighbors` are written."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from embviz.commands.shared.columns import shown_width
from embviz.commands.shared.terminal import can_show, end_progress
from embviz.errors import printable
from embviz.outputs.cells import cell
from embviz.outputs.standard import standard_output
from embviz.questions.answers import Answer
from embviz.questions.points import Points

BAR_WIDTH = 16
_EIGHTHS = "▏▎▍▌▋▊▉█"


@dataclass(eq=False)
class Output:
    """Writes answers to standard output as they come.

    Attributes:
        points: What the answers are about.
        style: `text`, `tsv` or `json`.
        columns: Metadata columns that stand beside each neighbor.
        several: Whether each table is headed by its query.
        streamed: Whether JSON is one object a line, where all answers are not known at once.
        held: The answers as JSON values that wait for the end, where it is not.
    """

    points: Points
    style: str
    columns: tuple[str, ...] = ()
    several: bool = False
    streamed: bool = False
    _n_written: int = 0
    held: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # Data is UTF-8 on every system; a terminal shows what it can.
            encoding = sys.stdout.encoding if self.style == "text" else "utf-8"
            sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")

    def write(self, answer: Answer) -> None:
        """Write one answer.

        Raises:
            OutputError: If standard output takes no more.
        """
        lines = {"text": self._text, "tsv": self._tsv, "json": self._json}[self.style](answer)
        end_progress()
        with standard_output():
            for line in lines:
                print(line)
        self._n_written += 1

    def close(self) -> None:
        """Write what waits for the end."""
        if self.style == "json" and not self.streamed:
            end_progress()
            with standard_output():
                print(json.dumps(self.held, ensure_ascii=False, indent=1))

    def _tsv(self, answer: Answer) -> Iterator[str]:
        if not self._n_written:
            between = ["share"] if answer.shares is not None else []
            names = map(cell, self.columns)
            yield "\t".join(["query", "label", "row", "distance", *between, *names])
        for place, point in enumerate(answer.points):
            share = [] if answer.shares is None else [f"{answer.shares[place]:.4g}"]
            cells = [
                cell(answer.query),
                cell(answer.labels[place]),
                str(answer.rows[place]),
                f"{float(answer.distances[place]):.7g}",
                *share,
                *(cell(self.points.columns.value(name, point)) for name in self.columns),
            ]
            yield "\t".join(cells)

    def _json(self, answer: Answer) -> Iterator[str]:
        found = {
            "query": answer.query,
            "rows": [self.points.search.row_number(point) for point in answer.operands],
            "metric": answer.metric,
            "recall": round(answer.recall, 6),
            "neighbors": [self._entry(answer, place) for place in range(len(answer.points))],
        }
        if self.streamed:
            yield json.dumps(found, ensure_ascii=False)
        else:
            self.held.append(found)

    def _entry(self, answer: Answer, place: int) -> dict[str, Any]:
        point = answer.points[place]
        entry: dict[str, Any] = {
            "label": answer.labels[place],
            "row": answer.rows[place],
            "distance": float(answer.distances[place]),
        }
        if answer.shares is not None:
            entry["share"] = answer.shares[place]
        if self.columns:
            value = self.points.columns.value
            entry["metadata"] = {name: value(name, point) for name in self.columns}
        return entry

    def _text(self, answer: Answer) -> Iterator[str]:
        if self.several:
            yield ("\n" if self._n_written else "") + f"{printable(answer.query)}:"
        labels = [printable(label, 60) for label in answer.labels]
        numbers = list(map(str, answer.rows))
        width = max(map(shown_width, labels))
        digits = max(map(len, numbers))
        bars = self._bars(answer, width + digits + 4)
        style = _style(answer)
        for place, point in enumerate(answer.points):
            cells = [
                labels[place] + " " * (width - shown_width(labels[place])),
                format(float(answer.distances[place]), style),
                *([bars[place]] if bars else []),
                "row " + numbers[place].rjust(digits),
            ]
            if answer.shares is not None:
                cells.append(f"{100 * answer.shares[place]:3.0f} %")
            value = self.points.columns.value
            cells += [printable(value(name, point), 40) for name in self.columns]
            yield "  ".join(cells).rstrip()

    def _bars(self, answer: Answer, used: int) -> list[str]:
        """Return a bar a neighbor, as long as its distance; none where there is no room."""
        if not sys.stdout.isatty() or used + BAR_WIDTH + 14 > shutil.get_terminal_size().columns:
            return []
        full = float(answer.distances.max())
        plain = not can_show(_EIGHTHS)
        return [bar(float(d) / full if full > 0 else 0.0, plain) for d in answer.distances]


def _style(answer: Answer) -> str:
    """Return how distances are written: with 4 decimals, or powers where those say nothing."""
    largest = float(answer.distances.max(initial=0))
    odd = answer.metric == "euclidean" and not (largest == 0 or 1e-3 <= largest < 1e9)
    return ".4e" if odd else ".4f"


def bar(share: float, plain: bool) -> str:
    """Return a bar of a share of the whole width, by eighths of a character."""
    eighths = round(min(max(share, 0.0), 1.0) * BAR_WIDTH * 8)
    if plain:
        return ("#" * round(eighths / 8)).ljust(BAR_WIDTH)
    rest = _EIGHTHS[eighths % 8 - 1] if eighths % 8 else ""
    return ("█" * (eighths // 8) + rest).ljust(BAR_WIDTH)
