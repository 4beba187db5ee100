"""A report as a value, which a notebook shows in place."""

from __future__ import annotations

import html
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from embviz.checks import check_kind, check_list, check_path, check_whole
from embviz.comparison.values import Steps
from embviz.errors import ParameterError, counted
from embviz.model import EmbeddingTable, Projection
from embviz.outputs.browser import open_page
from embviz.outputs.text import to_utf8
from embviz.pictures.selection import Part
from embviz.pictures.tabs import find_tab, name_tabs
from embviz.projections.pca import PCA
from embviz.report.options import report_options
from embviz.report.page import prepare_page, render_page, write_report
from embviz.report.parting import check_clusters, part_points
from embviz.report.payload import (
    Payload,
    ReportOptions,
    build_payload,
    check_points_and_columns,
)
from embviz.report.small import draw_points, take_partitions, take_points

HEIGHT = 640
MOST_POINTS = 5_000
NOTEBOOK_MB = 6
"""Megabytes that a notebook's page keeps within, where what it cannot do without lets it."""
FEWEST = 1_000
"""Fewer points than these are not tried where the page is too large."""


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """Points and their pictures, to be shown in a notebook, saved or opened.

    A notebook shows a small page of it, in a frame: at most `max_points` points, drawn at random,
    fewer where their texts or thumbnails are large, and of the rest what fits in 6 MB
    (`docs/report-size.md` has the order); a line below says what was left out. `save` writes all.

    Attributes:
        points: The points: a table, or what `choose_points` gave, with what it found.
        projections: Their projections, all of these points; PCA where there is none.
        options: What the report shows first and says of itself.
        steps: The states of these points, where there are several: a run over time, or two models.
        height: Of the frame in a notebook, in pixels.
        max_points: The most points in a notebook's page; None for all. Steps have all in any case.

    Raises:
        ParameterError: If one of them is of another kind, or they do not fit each other.
    """

    points: EmbeddingTable | Part
    projections: Sequence[Projection] = ()
    options: ReportOptions = field(default_factory=ReportOptions)
    steps: Steps | None = None
    height: int = HEIGHT
    max_points: int | None = MOST_POINTS

    def __post_init__(self) -> None:
        way = "give a table, or what choose_points gave"
        check_kind("points", self.points, (EmbeddingTable, Part), way)
        projections = check_list("projections", self.projections)
        for each in projections:
            check_kind("projections", each, (Projection,), "embviz.project makes them")
        object.__setattr__(self, "projections", projections)
        check_kind("options", self.options, (ReportOptions,), "give an embviz.ReportOptions")
        check_kind("steps", self.steps, (Steps, type(None)), "embviz.load_steps reads some")
        check_whole("height", self.height, 240, 4000, what="a height in pixels, 240 .. 4000")
        if self.max_points is not None:
            check_whole("max_points", self.max_points, 3)
        # A notebook would be told of the rest where the report is shown, and not where it is made.
        table, options = report_options(self.points, self.options, {})
        check_points_and_columns(table, options)
        check_clusters(table, options, self.steps)
        for each in projections:
            each.check_points(table.n_points)
        if options.first and projections:
            find_tab(name_tabs(projections), options.first)

    def save(self, path: str | os.PathLike[str]) -> int:
        """Write all of it as one HTML file, as `write_report` does.

        Args:
            path: The file to write; an existing regular file is replaced.

        Returns:
            The size of the file in bytes.

        Raises:
            OutputError: If the file cannot be written; nothing is left behind.
            ParameterError: If an option does not fit the points.
        """
        return write_report(path, self._parted, self.projections, self.options, self.steps)

    def open(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Save all of it and open it in a browser; where there is none, a line says so.

        Args:
            path: The file to write; None is one of a new temporary folder, which stays.

        Returns:
            The file.

        Raises:
            OutputError: If the file cannot be written.
            ParameterError: If an option does not fit the points.
        """
        if path is None:
            path = Path(tempfile.mkdtemp(prefix="embviz-")) / "report.html"
        place = check_path("path", path)
        self.save(place)
        open_page(place)
        return place

    def __repr__(self) -> str:
        table = self.points if isinstance(self.points, EmbeddingTable) else self.points.table
        titles = ", ".join(dict.fromkeys(p.title for p in self.projections)) or "PCA"
        return f"<embviz.Report of {table.n_points:,} × {table.n_dims:,}: {titles}>"

    def _repr_html_(self) -> str:
        """Return a frame that holds the page, and a line that says what is in it."""
        table, options = report_options(self.points, self.options, {})
        page, left_out = self._small_page(table, options)
        told = [f"{len(to_utf8(page)) / 1e6:.1f} MB of this notebook", *left_out]
        if left_out:
            told.append(".save('out.html') writes all")
        title = html.escape(options.title or table.source or "embeddings")
        return (
            f'<iframe title="{title}" srcdoc="{page}" width="100%" height="{self.height}" '
            'style="border: 1px solid #8886; border-radius: 4px; box-sizing: border-box" '
            'allow="clipboard-write; fullscreen"></iframe>\n'
            f'<div style="font-size: smaller; opacity: 0.8">{html.escape("; ".join(told))}</div>'
        )

    def _small_page(self, table: EmbeddingTable, options: ReportOptions) -> tuple[str, list[str]]:
        """Return the page of a notebook, escaped, and what was left out of it."""
        prepare_page()
        payload = self._small_payload(table, options)
        n_points, vectors = payload.manifest["n_points"], payload.manifest["spaces"][0]["vectors"]
        left_out = []
        if n_points < table.n_points:
            left_out.append(f"{n_points:,} of {counted(table.n_points, 'point')}, drawn at random")
            if table.bookmarks:
                left_out.append("no bookmarks")
        if options.vectors == "auto" and vectors and vectors["precision"] == "int8":
            left_out.append("vectors in 8 bits a number")
        if payload.manifest["size"]["left_out"]:
            left_out.append("the page says what else was left out")
        return html.escape(render_page(payload)), left_out

    def _small_payload(self, table: EmbeddingTable, options: ReportOptions) -> Payload:
        """Return what the page is made of: small, where what it cannot do without lets it.

        Texts and thumbnails of fewer points take less.
        """
        small = replace(options, max_size=min(NOTEBOOK_MB, options.max_size or NOTEBOOK_MB))
        counts = [table.n_points]
        if self.max_points is not None and self.steps is None:
            most = min(table.n_points, self.max_points)
            counts = [most, *(n for n in (most // 2, most // 4, most // 8) if n >= FEWEST)]
        for n_points in counts:
            with suppress(ParameterError):
                return self._payload(table, small, n_points)
        return self._payload(table, options, counts[-1])

    def _payload(self, table: EmbeddingTable, options: ReportOptions, n_points: int) -> Payload:
        """Return what the page of some of the points is made of."""
        projections, partitions = self.projections, self._parted.partitions or ()
        if n_points < table.n_points:
            rows = draw_points(table.n_points, n_points, [*options.selected, *options.isolated])
            table, projections, options = take_points(table, projections, options, rows)
            partitions = take_partitions(partitions, rows)
        part = Part(table, table, partitions=partitions)
        return build_payload(part, projections, options, steps=self.steps)

    @cached_property
    def _parted(self) -> Part:
        """The points with how they are parted, which is looked for once."""
        table, options = report_options(self.points, self.options, {})
        projections = self.projections or [PCA().project(table)]
        return part_points(self.points, projections, options, self.steps)
