"""Project embeddings and explore them in one self-contained HTML file.

The public names; each is imported when it is first used, so that `import embviz` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embviz.bookmarks import read_bookmarks, write_bookmarks
    from embviz.clusters.values import Partition
    from embviz.comparison.compare import CompareOptions, compare
    from embviz.comparison.run import load_steps
    from embviz.comparison.states import as_steps
    from embviz.comparison.values import Comparison, Group, Step, Steps
    from embviz.errors import EmbvizError, LoadError, OutputError, ParameterError
    from embviz.export import (
        SummaryOptions,
        append_summary,
        comparison_object,
        export_logdir,
        summarize_comparison,
        summarize_report,
        to_figure,
        write_changes,
        write_coordinates,
        write_figure,
        write_neighbors,
    )
    from embviz.export.clusters import write_clusters
    from embviz.loaders import list_tensors, load_table
    from embviz.model import (
        Bookmark,
        EmbeddingTable,
        Frames,
        Neighbors,
        Projection,
        Sprite,
        TensorInfo,
    )
    from embviz.neighbors import build_graph, find_neighbors
    from embviz.neighbors.index.build import append_rows, build_index
    from embviz.neighbors.index.index import NeighborIndex, open_index
    from embviz.pictures.bookmarks import add_bookmarks
    from embviz.pictures.coordinates import read_coordinates
    from embviz.pictures.digits import load_digits_table
    from embviz.pictures.figures import parse_picture_condition, picture_figures
    from embviz.pictures.placed_rows import Sharded
    from embviz.pictures.plan import Plan, project
    from embviz.pictures.quality import Quality, measure_quality
    from embviz.pictures.selection import Choice, Part, choose_points
    from embviz.pictures.sharded import project_shards
    from embviz.pictures.sheets import pack_images
    from embviz.pictures.step_neighbors import measure_steps
    from embviz.pictures.step_selection import StepsPart, choose_step_points
    from embviz.pictures.steps import project_steps
    from embviz.pictures.thumbnails import add_sheet_labels, add_thumbnails, link_images
    from embviz.preview import write_preview
    from embviz.projections import PCA, TSNE, UMAP, Axes, Identity, LocalMAP, PaCMAP
    from embviz.projections.placed import Placed
    from embviz.queries import match
    from embviz.questions.all_points import neighbors_of_all
    from embviz.questions.answers import Answer, Question, ask, ask_between, make_question
    from embviz.questions.points import Points, open_points
    from embviz.report import (
        Report,
        ReportOptions,
        opening_bookmark,
        show,
        write_comparison,
        write_report,
    )
    from embviz.report.parting import part_points
    from embviz.sprites import pack_tiles

__version__ = "0.1.0"

_HOMES = {
    "embviz.bookmarks": (
        "read_bookmarks",
        "write_bookmarks",
    ),
    "embviz.clusters.values": ("Partition",),
    "embviz.comparison.compare": (
        "CompareOptions",
        "compare",
        "comparison_object",
    ),
    "embviz.comparison.run": ("load_steps",),
    "embviz.comparison.states": ("as_steps",),
    "embviz.comparison.values": (
        "Comparison",
        "Group",
        "Step",
        "Steps",
    ),
    "embviz.errors": (
        "EmbvizError",
        "LoadError",
        "OutputError",
        "ParameterError",
    ),
    "embviz.export": (
        "SummaryOptions",
        "append_summary",
        "comparison_object",
        "export_logdir",
        "summarize_comparison",
        "summarize_report",
        "to_figure",
        "write_changes",
        "write_coordinates",
        "write_figure",
        "write_neighbors",
    ),
    "embviz.export.clusters": ("write_clusters",),
    "embviz.loaders": (
        "list_tensors",
        "load_table",
    ),
    "embviz.model": (
        "Bookmark",
        "EmbeddingTable",
        "Frames",
        "Neighbors",
        "Projection",
        "Sharded",
        "Sprite",
        "TensorInfo",
    ),
    "embviz.neighbors": (
        "build_graph",
        "find_neighbors",
    ),
    "embviz.neighbors.index.build": (
        "append_rows",
        "build_index",
    ),
    "embviz.neighbors.index.index": (
        "NeighborIndex",
        "open_index",
    ),
    "embviz.pictures.bookmarks": ("add_bookmarks",),
    "embviz.pictures.coordinates": ("read_coordinates",),
    "embviz.pictures.digits": ("load_digits_table",),
    "embviz.pictures.figures": (
        "parse_picture_condition",
        "picture_figures",
    ),
    "embviz.pictures.plan": (
        "Plan",
        "project",
    ),
    "embviz.pictures.quality": (
        "Quality",
        "measure_quality",
    ),
    "embviz.pictures.placed_rows": ("Sharded",),
    "embviz.pictures.sharded": ("project_shards",),
    "embviz.pictures.sheets": ("pack_images",),
    "embviz.pictures.step_neighbors": ("measure_steps",),
    "embviz.pictures.step_selection": (
        "StepsPart",
        "choose_step_points",
    ),
    "embviz.pictures.steps": ("project_steps",),
    "embviz.pictures.selection": (
        "Choice",
        "Part",
        "choose_points",
    ),
    "embviz.pictures.thumbnails": (
        "add_sheet_labels",
        "add_thumbnails",
        "link_images",
    ),
    "embviz.preview": ("write_preview",),
    "embviz.projections": (
        "PCA",
        "TSNE",
        "UMAP",
        "Axes",
        "Identity",
        "LocalMAP",
        "PaCMAP",
    ),
    "embviz.projections.placed": ("Placed",),
    "embviz.queries": ("match",),
    "embviz.questions.all_points": ("neighbors_of_all",),
    "embviz.questions.answers": (
        "Answer",
        "Question",
        "ask",
        "ask_between",
        "make_question",
    ),
    "embviz.questions.points": (
        "Points",
        "open_points",
    ),
    "embviz.report": (
        "Report",
        "ReportOptions",
        "opening_bookmark",
        "show",
        "write_comparison",
        "write_report",
    ),
    "embviz.report.parting": ("part_points",),
    "embviz.sprites": ("pack_tiles",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "PCA",
    "TSNE",
    "UMAP",
    "Answer",
    "Axes",
    "Bookmark",
    "Choice",
    "CompareOptions",
    "Comparison",
    "EmbeddingTable",
    "EmbvizError",
    "Frames",
    "Group",
    "Identity",
    "LoadError",
    "LocalMAP",
    "NeighborIndex",
    "Neighbors",
    "OutputError",
    "PaCMAP",
    "ParameterError",
    "Part",
    "Partition",
    "Placed",
    "Plan",
    "Points",
    "Projection",
    "Quality",
    "Question",
    "Report",
    "ReportOptions",
    "Sharded",
    "Sprite",
    "Step",
    "Steps",
    "StepsPart",
    "SummaryOptions",
    "TensorInfo",
    "add_bookmarks",
    "add_sheet_labels",
    "add_thumbnails",
    "append_rows",
    "append_summary",
    "as_steps",
    "ask",
    "ask_between",
    "build_graph",
    "build_index",
    "choose_points",
    "choose_step_points",
    "compare",
    "comparison_object",
    "export_logdir",
    "find_neighbors",
    "link_images",
    "list_tensors",
    "load_digits_table",
    "load_steps",
    "load_table",
    "make_question",
    "match",
    "measure_quality",
    "measure_steps",
    "neighbors_of_all",
    "open_index",
    "open_points",
    "opening_bookmark",
    "pack_images",
    "pack_tiles",
    "parse_picture_condition",
    "part_points",
    "picture_figures",
    "project",
    "project_shards",
    "project_steps",
    "read_bookmarks",
    "read_coordinates",
    "show",
    "summarize_comparison",
    "summarize_report",
    "to_figure",
    "write_bookmarks",
    "write_changes",
    "write_clusters",
    "write_comparison",
    "write_coordinates",
    "write_figure",
    "write_neighbors",
    "write_preview",
    "write_report",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module
    from importlib.util import find_spec

    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name.startswith("_") or find_spec(f"embviz.{name}") is None:
        raise AttributeError(f"module 'embviz' has no attribute {name!r}")
    return import_module(f"embviz.{name}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
