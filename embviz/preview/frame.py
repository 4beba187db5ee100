"""The picture as a whole: heading, maps, legend, caption and figures."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Unpack

import numpy as np

from embviz.checks import check_kind, check_list, check_path
from embviz.clusters.classes import default_column
from embviz.comparison.values import Comparison, Steps
from embviz.model import EmbeddingTable, Projection
from embviz.outputs.files import write_file
from embviz.pictures.selection import Part
from embviz.pictures.tabs import name_tabs
from embviz.preview.coloring import Coloring, color_points
from embviz.preview.figures import caption, figures, heading
from embviz.preview.legend import LEGEND_WIDTH, draw_legend
from embviz.preview.maps import Style, draw_map
from embviz.preview.named import groups_of
from embviz.preview.text import Letters, Pen, can_write, clean, spelled
from embviz.preview.theme import DARK, LIGHT, Theme
from embviz.preview.tiles import open_tiles
from embviz.preview.view import FirstView, first_view
from embviz.report.comparison import opened
from embviz.report.described import described
from embviz.report.options import ReportFields
from embviz.report.payload import ReportOptions

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH, HEIGHT = 720, 480
"""In CSS pixels, so that letters are legible at half the size."""
SCALE = 5 / 3
_MARGIN = 15
_LINE = 18
_TITLE = 16
_HEADING = 48
_MOST_FOOTER = 4


@dataclass(frozen=True)
class Layout:
    """Where what is: CSS pixels, multiples of 3, which are whole pixels of the picture."""

    top: int
    width: int
    height: int
    footer: tuple[str, ...]


def write_preview(
    path: str | os.PathLike[str],
    points: EmbeddingTable | Part | Comparison,
    projections: Sequence[Projection] | None = None,
    options: ReportOptions | None = None,
    steps: Steps | None = None,
    dark: bool = False,
    **fields: Unpack[ReportFields],
) -> int:
    """Write the view that a report opens with as a PNG of 1200 x 800 pixels.

    Args:
        path: The file to write; an existing regular file is replaced.
        points: The points of a report, as `write_report` takes them, or a comparison.
        projections: Their projections; None is what `write_report` and `write_comparison` make.
        options, steps, fields: As `write_report` takes them.
        dark: Whether in the colors of a dark page.

    Returns:
        The size of the file in bytes.

    Raises:
        OutputError: If the file cannot be written; nothing is left behind.
        ParameterError: As `write_report` does.
    """
    path = check_path("path", path)
    return write_file(path, encode_preview(points, projections, options, steps, dark, **fields))


def encode_preview(
    points: EmbeddingTable | Part | Comparison,
    projections: Sequence[Projection] | None = None,
    options: ReportOptions | None = None,
    steps: Steps | None = None,
    dark: bool = False,
    **fields: Unpack[ReportFields],
) -> bytes:
    """Return the PNG that `write_preview` writes; equal bytes for equal input.

    Its text `Description` says what it shows, as the page's summary does.

    Raises:
        ParameterError: As `write_report` does.
    """
    from PIL.PngImagePlugin import PngInfo

    check_kind("steps", steps, (Steps, type(None)), "give an embviz.comparison.Steps")
    if isinstance(points, Comparison):
        steps, projections, options = opened(points, projections, options, fields)
        points, fields = steps.table, {}
    projections = check_list("projections", () if projections is None else projections)
    view = first_view(points, projections, options, steps, fields)
    part = points if isinstance(points, Part) else Part(view.table, view.table)
    named = name_tabs(projections or [view.projection])
    told = described(part, named, view.options, steps)["summary"]["sentences"]
    info = PngInfo()
    info.add_itxt("Description", " ".join(told))
    out = io.BytesIO()
    image = draw_view(view, DARK if dark else LIGHT)
    image.save(out, "PNG", compress_level=6, pnginfo=info)
    return out.getvalue()


def draw_view(view: FirstView, theme: Theme) -> Image:
    """Return the picture of a view."""
    from PIL import Image

    style = open_style(view, theme)
    image = Image.new("RGB", (round(WIDTH * SCALE), round(HEIGHT * SCALE)), theme.background)
    pen = Pen(image, SCALE, theme.background)
    has_legend = style.coloring.column is not None
    layout = _arranged(view, pen, has_legend, _unwritten(view, style.coloring))
    for i, one in enumerate(view.maps):
        left = i * layout.width
        drawn = draw_map(view, one, style, (layout.width, layout.height))
        image.paste(drawn, (round(left * SCALE), round(layout.top * SCALE)))
        if i:
            _rule(image, (left, layout.top, left + 1, layout.top + layout.height), theme)
    _write_heading(pen, view, theme)
    if has_legend:
        height = layout.top + layout.height
        draw_legend(pen, style.coloring, (WIDTH - LEGEND_WIDTH, _HEADING + 9, height), theme)
    y = layout.top + layout.height + 3
    _rule(image, (0, y, WIDTH, y + 1), theme)
    for i, line in enumerate(layout.footer):
        pen.write(line, (_MARGIN, y + 14 + _LINE * i), theme.muted)
    return image


def open_style(view: FirstView, theme: Theme) -> Style:
    """Return how the points of a view look."""
    table = view.table
    column = view.options.color_by or default_column(table, view.label_by)
    coloring = color_points(table, column, view.visible, theme)
    if any(each.column == column for each in view.partitions if each.kind == "clusters"):
        outside = (
            replace(e, name="in no cluster") if e.name == "missing" else e for e in coloring.rest
        )
        coloring = replace(coloring, rest=tuple(outside))
    tiles = None
    if table.sprite is not None:
        rows = np.arange(table.n_points) if table.rows is None else np.asarray(table.rows)
        tiles = open_tiles(table.sprite, rows)
    return Style(theme, coloring, tiles, SCALE)


def _arranged(view: FirstView, pen: Pen, has_legend: bool, unwritten: bool) -> Layout:
    width = WIDTH - (LEGEND_WIDTH if has_legend else 0)
    room = WIDTH - 2 * _MARGIN
    lines = [*pen.wrapped(spelled(clean(caption(view), 400)), room, 2)]
    told = figures(view)
    if told:
        lines += pen.wrapped(spelled(told), room, 1)
    if unwritten:
        lines.append("Letters that this picture's font lacks are code points here, or left out.")
    lines = [line for line in lines if line][:_MOST_FOOTER]
    top = _HEADING if len(view.maps) > 1 else 0
    footer = 9 + _LINE * len(lines) if lines else 0
    return Layout(top, width // len(view.maps) // 3 * 3, HEIGHT - top - footer, tuple(lines))


def _unwritten(view: FirstView, coloring: Coloring) -> bool:
    """Tell whether a text of the picture has letters that the font lacks."""
    names = [entry.name for entry in (*coloring.entries, *coloring.rest)]
    texts = [*heading(view), coloring.column or "", *(one.name for one in view.maps), *names]
    rows = list(view.options.selected)
    if view.labels_many:
        rows += range(view.table.n_points)
    texts += [group.text for group in groups_of(view)]
    texts += [view.table.label(row, view.label_by) for row in rows[:4000]]
    return not all(can_write(clean(text)) for text in texts)


def _write_heading(pen: Pen, view: FirstView, theme: Theme) -> None:
    title, told = (spelled(clean(text, 200)) for text in heading(view))
    room = WIDTH - 2 * _MARGIN
    shown = pen.fitted(title, room, _TITLE, True)
    pen.write(shown, (_MARGIN, 19), theme.text, letters=Letters(_TITLE, bold=True))
    pen.write(pen.fitted(told, room), (_MARGIN, 39), theme.muted)


def _rule(image: Image, box: tuple[float, float, float, float], theme: Theme) -> None:
    left, top, right, bottom = (round(side * SCALE) for side in box)
    image.paste(theme.line, (left, top, right, bottom))
