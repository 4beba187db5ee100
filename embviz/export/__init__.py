"""Results for other programs: arrays and text, figures for Plotly, folders for TensorBoard."""

from __future__ import annotations

from embviz.export.coordinates import encode_coordinates, write_coordinates
from embviz.export.figure import encode_figure, to_figure, write_figure
from embviz.export.logdir import export_logdir
from embviz.export.neighbors import write_neighbors

__all__ = [
    "encode_coordinates",
    "encode_figure",
    "export_logdir",
    "to_figure",
    "write_coordinates",
    "write_figure",
    "write_neighbors",
]
