"""Results for other programs: arrays and text, figures for Plotly, folders for TensorBoard."""

from __future__ import annotations

from embviz.export.coordinates import write_coordinates
from embviz.export.figure import to_figure, write_figure
from embviz.export.logdir import export_logdir
from embviz.export.neighbors import write_neighbors

__all__ = ["export_logdir", "to_figure", "write_coordinates", "write_figure", "write_neighbors"]
