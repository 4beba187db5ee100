"""Plain Plotly figures, for those who go on in Plotly, Dash or a notebook."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from embviz.checks import check_column, check_path, check_whole
from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Projection, is_numeric
from embviz.outputs.files import write_file
from embviz.outputs.text import to_utf8

if TYPE_CHECKING:
    import plotly.graph_objects

progress = logging.getLogger("embviz.progress")


def to_figure(
    table: EmbeddingTable,
    projection: Projection,
    color_by: str | None = None,
    dims: int | None = None,
) -> plotly.graph_objects.Figure:
    """Return a plain Plotly figure of a projection, for those who go on in Plotly or a notebook.

    Args:
        table: The points; labels become hover texts.
        projection: Its first 2 or 3 components are shown.
        color_by: A metadata column; None for one color.
        dims: 2 or 3; None is 3 where there are as many components.

    Raises:
        ParameterError: If the projection is of another number of points or has fewer components,
            or there is no such column.
    """
    projection.check_points(table.n_points)
    if dims is not None:
        check_whole("dims", dims, 2, 3)
        n_components = int(projection.coordinates.shape[1])
        if n_components < dims:
            raise ParameterError("dims", f"{projection.name} has {n_components} components")
    if color_by is not None:
        check_column("--color-by", color_by, table.metadata)
    import plotly.graph_objects as go

    xyz = projection.coordinates[:, : dims or 3]
    texts = [_as_text(table.label(i)) for i in range(table.n_points)]
    marker: dict[str, Any] = {"size": 3 if xyz.shape[1] == 3 else 5}
    if color_by is not None:
        values = table.metadata[color_by]
        if is_numeric(values):
            marker["color"] = [float(v) if v else None for v in values]
        else:
            codes = {value: code for code, value in enumerate(dict.fromkeys(values))}
            marker["color"] = [codes[value] for value in values]
        marker["colorscale"] = "Cividis"
    titles = list(projection.axes) or [""] * 3
    shared = {"mode": "markers", "marker": marker, "hovertext": texts, "hoverinfo": "text"}
    if xyz.shape[1] == 3:
        figure = go.Figure(go.Scatter3d(x=xyz[:, 0], y=xyz[:, 1], z=xyz[:, 2], **shared))
        axes = zip(("xaxis", "yaxis", "zaxis"), titles, strict=False)
        figure.update_layout(scene={axis: {"title": {"text": _as_text(t)}} for axis, t in axes})
    else:
        figure = go.Figure(go.Scattergl(x=xyz[:, 0], y=xyz[:, 1], **shared))
        figure.update_layout(
            xaxis={"title": {"text": _as_text(titles[0])}},
            yaxis={"title": {"text": _as_text(titles[1])}},
        )
    return figure


def _as_text(label: str) -> str:
    """Return a label that Plotly, which reads some markup in texts, shows as it is."""
    return label.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def write_figure(
    path: str | os.PathLike[str],
    table: EmbeddingTable,
    projection: Projection,
    color_by: str | None = None,
    dims: int | None = None,
) -> None:
    """Write what `to_figure` returns as JSON that Plotly reads.

    Raises:
        ParameterError: As `to_figure` does.
        OutputError: If the file cannot be written.
    """
    path = check_path("path", path)
    progress.info("writing %s", path)
    write_file(path, encode_figure(table, projection, color_by, dims))


def encode_figure(
    table: EmbeddingTable,
    projection: Projection,
    color_by: str | None = None,
    dims: int | None = None,
) -> bytes:
    """Return the JSON file that `write_figure` writes."""
    return to_utf8(to_figure(table, projection, color_by, dims).to_json())
