"""Markdown in which text of others stays text: as code, in tables and in blocks."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from embviz.errors import printable

CELL = 60  # Characters of a text in a table.


def code(text: str, limit: int = CELL) -> str:
    """Return a text as code: no link, mention, picture, HTML or emphasis comes of it.

    Control characters are escaped, the middle of a long text is left out. `table` does what a bar
    needs.

    Args:
        text: Any; "" is shown as such.
        limit: Characters at most.
    """
    shown = printable(text, limit)
    if not shown:
        return "(empty)"
    if not shown.strip(" "):
        return f"`{shown}`"
    marks = "`" * (_longest_run(shown) + 1)
    # One space on either side is taken away again.
    edge = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{marks}{edge}{shown}{edge}{marks}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> str:
    """Return a table of cells that are Markdown.

    Args:
        head: Of the columns.
        rows: As many cells each.
        left: Which columns are aligned to the left; the others are to the right.
    """
    rule = ["---" if i in left else "---:" for i in range(len(head))]
    lines = ([cell.replace("|", "\\|") for cell in row] for row in (head, rule, *rows))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def block(text: str, language: str = "text") -> str:
    """Return lines as a block of code, whatever they hold."""
    marks = "`" * max(3, _longest_run(text) + 1)
    return f"{marks}{language}\n{text}\n{marks}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
