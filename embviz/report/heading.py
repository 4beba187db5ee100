"""What a report is called, and where its points are from."""

from __future__ import annotations

from pathlib import PurePath, PureWindowsPath

from embviz.comparison.values import Steps
from embviz.model import EmbeddingTable


def shown_heading(table: EmbeddingTable, title: str, steps: Steps | None) -> tuple[str, str]:
    """Return the title of a report, and its source's name.

    Args:
        table: Its points.
        title: What was asked for, "" for the source's name.
        steps: The states of the points, where there are several.
    """
    return title or _name(table, steps) or "embeddings", _shown_source(table.source)


def _name(table: EmbeddingTable, steps: Steps | None) -> str:
    """Return what points are called by their source, of a run by its first and last one's."""
    shown = [table] if steps is None or steps.kind != "run" else [steps.steps[0].table, table]
    names = dict.fromkeys(PurePath(_shown_source(each.source)).name for each in shown)
    return " → ".join(filter(None, names))


def _shown_source(source: str) -> str:
    """Return a source's name without a place on this machine."""
    absolute = PurePath(source).is_absolute() or PureWindowsPath(source).is_absolute()
    return PureWindowsPath(source).name if absolute else source
