"""What a report shows first and says of itself, as callers give it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypedDict, get_args

from embviz.checks import (
    changed,
    check_kind,
    check_list,
    check_megabytes,
    check_one_of,
    check_relative,
    check_text,
    check_whole,
)
from embviz.model import EmbeddingTable, Metric
from embviz.pictures.selection import Part
from embviz.report.vectors import PRECISIONS


@dataclass(frozen=True, eq=False)
class ReportOptions:
    """What a report shows first and says of itself.

    Attributes:
        title: Heading of the page; the source's name where it is empty.
        command: The command line that makes the file again, shown in the page.
        label_by, color_by: Metadata columns; None leaves the choice to the page.
        metric: The metric of the neighbor list, `cosine` or `euclidean`.
        first: Key or method of the projection that is shown first; None for the last one given.
        dims: Dimensions that are shown first, 2 or 3.
        vectors: What of the input travels: `auto`, `float32`, `float16`, `int8`, `neighbors`
            (the nearest of each point in their place) or `none`.
        total_points: Points of the whole source, where the table is a part of it.
        isolated: Indices of the table that the page opens with, alone.
        selected: Indices of the table that the page opens with, selected.
        notes: Sentences for the reader, such as that this is a sample.
        image_links: Relative URLs of images beside the page, one a point, that its card opens.
        max_size: Megabytes (1,000,000 bytes) that the file keeps within; None is 25, which what
            a page cannot do without may exceed. `docs/report-size.md` says what gets room first.
        clusters: `map` for clusters of the map that is shown first, a column of classes, or `none`;
            None is beyond 2,000 points `map`, where texts or classes name them. docs/clusters.md.
        preview_link, preview_dark_link: Relative URLs of pictures of the first view, as
            `write_preview` makes them, that are seen where scripts are switched off.

    Raises:
        ParameterError: If a value is not of those.
    """

    title: str = ""
    command: str = ""
    label_by: str | None = None
    color_by: str | None = None
    metric: Metric = "cosine"
    first: str | None = None
    dims: int = 2
    vectors: str = "auto"
    total_points: int | None = None
    isolated: Sequence[int] = ()
    selected: Sequence[int] = ()
    notes: Sequence[str] = ()
    image_links: Sequence[str] = ()
    max_size: float | None = None
    clusters: str | None = None
    preview_link: str = ""
    preview_dark_link: str = ""

    def __post_init__(self) -> None:
        check_text("title", self.title)
        check_text("command", self.command)
        for name in ("preview_link", "preview_dark_link"):
            check_relative(name, getattr(self, name))
        for name in ("label_by", "color_by", "first", "clusters"):
            if getattr(self, name) is not None:
                check_text(name, getattr(self, name))
        check_one_of("metric", self.metric, get_args(Metric))
        check_whole("dims", self.dims, 2, 3)
        check_one_of("vectors", self.vectors, PRECISIONS)
        if self.max_size is not None:
            check_megabytes("--max-size", self.max_size)
        if self.total_points is not None:
            check_whole("total_points", self.total_points, 1)
        for name in ("isolated", "selected"):
            indices = check_list(name, getattr(self, name))
            indices = tuple(check_whole(name, i, what="an index of a point") for i in indices)
            object.__setattr__(self, name, indices)
        for name, check in (("notes", check_text), ("image_links", check_relative)):
            texts = tuple(check(name, t) for t in check_list(name, getattr(self, name)))
            object.__setattr__(self, name, texts)

    @property
    def preview_links(self) -> list[str]:
        """The pictures of the first view: light before dark, as far as there are some."""
        return [link for link in (self.preview_link, self.preview_dark_link) if link]


class ReportFields(TypedDict, total=False):
    """The fields of `ReportOptions`, as `write_report` takes them."""

    title: str
    command: str
    label_by: str | None
    color_by: str | None
    metric: Metric
    first: str | None
    dims: int
    vectors: str
    total_points: int | None
    isolated: Sequence[int]
    selected: Sequence[int]
    notes: Sequence[str]
    image_links: Sequence[str]
    max_size: float | None
    clusters: str | None
    preview_link: str
    preview_dark_link: str


def report_options(
    points: EmbeddingTable | Part, options: ReportOptions | None, fields: ReportFields
) -> tuple[EmbeddingTable, ReportOptions]:
    """Return the points that travel, and what a report shows of them.

    What `choose_points` found of its points counts where the options say nothing.
    """
    check_kind("points", points, (EmbeddingTable, Part), "give a table, or what choose_points gave")
    check_kind(
        "options", options, (ReportOptions, type(None)),
        "give an embviz.ReportOptions, or its fields as keywords",
    )  # fmt: skip
    options = changed("write_report", options or ReportOptions(), fields)
    if isinstance(points, EmbeddingTable):
        return points, options
    return points.table, replace(
        options,
        total_points=options.total_points or points.n_all,
        isolated=options.isolated or points.isolated,
        selected=options.selected or points.selected,
        notes=options.notes or points.notes,
        color_by=options.color_by or points.color_by,
    )
