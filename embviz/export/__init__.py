"""Results for other programs: arrays and text, figures for Plotly, folders for TensorBoard."""

from __future__ import annotations

from embviz.export.changes import comparison_object, encode_changes, write_changes
from embviz.export.coordinates import encode_coordinates, write_coordinates
from embviz.export.figure import encode_figure, to_figure, write_figure
from embviz.export.logdir import export_logdir
from embviz.export.neighbors import write_neighbors
from embviz.export.summary import (
    SummaryOptions,
    append_summary,
    summarize_comparison,
    summarize_report,
)

__all__ = [
    "SummaryOptions",
    "append_summary",
    "comparison_object",
    "encode_changes",
    "encode_coordinates",
    "encode_figure",
    "export_logdir",
    "summarize_comparison",
    "summarize_report",
    "to_figure",
    "write_changes",
    "write_coordinates",
    "write_figure",
    "write_neighbors",
]
