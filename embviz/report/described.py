"""What a page says of its points in words: the ways in which they are parted, and a summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from embviz.clusters.values import partition_entries
from embviz.comparison.values import Steps
from embviz.model import Projection
from embviz.pictures.description import Opening, describe, with_classes
from embviz.pictures.selection import Part


def described(
    part: Part, projections: Sequence[Projection], options: Any, steps: Steps | None
) -> dict[str, Any]:
    """Return `partitions` and `summary` of the manifest.

    Args:
        part: The points.
        projections: As `name_tabs` returns them.
        options: Those of the report.
        steps: The states of the points, where there are several.
    """
    opening = Opening.of(options)
    part = with_classes(part, projections, opening)
    return {
        "partitions": partition_entries(part.partitions or ()),
        "summary": {"sentences": list(describe(part, projections, opening, steps))},
    }
