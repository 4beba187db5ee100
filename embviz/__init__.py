"""Project embeddings and explore them in one self-contained HTML file.

The public names; each is imported when it is first used, so that `import embviz` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embviz.errors import EmbvizError, LoadError, OutputError, ParameterError
    from embviz.export import export_logdir, to_figure
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
    from embviz.neighbors import find_neighbors
    from embviz.neighbors.index.build import append_rows, build_index
    from embviz.neighbors.index.index import NeighborIndex, open_index
    from embviz.pictures.quality import Quality, measure_quality
    from embviz.projections import PCA, TSNE, UMAP, Axes
    from embviz.queries import match
    from embviz.report import write_report

__version__ = "0.1.0"

_HOMES = {
    "embviz.errors": ("EmbvizError", "LoadError", "OutputError", "ParameterError"),
    "embviz.export": ("export_logdir", "to_figure"),
    "embviz.loaders": ("list_tensors", "load_table"),
    "embviz.model": (
        "Bookmark",
        "EmbeddingTable",
        "Frames",
        "Neighbors",
        "Projection",
        "Sprite",
        "TensorInfo",
    ),
    "embviz.neighbors": ("find_neighbors",),
    "embviz.neighbors.index.index": ("NeighborIndex", "open_index"),
    "embviz.neighbors.index.build": ("append_rows", "build_index"),
    "embviz.projections": ("PCA", "TSNE", "UMAP", "Axes"),
    "embviz.pictures.quality": ("Quality", "measure_quality"),
    "embviz.queries": ("match",),
    "embviz.report": ("write_report",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "PCA",
    "TSNE",
    "UMAP",
    "Axes",
    "Bookmark",
    "EmbeddingTable",
    "EmbvizError",
    "Frames",
    "LoadError",
    "NeighborIndex",
    "Neighbors",
    "OutputError",
    "ParameterError",
    "Projection",
    "Quality",
    "Sprite",
    "TensorInfo",
    "append_rows",
    "build_index",
    "export_logdir",
    "find_neighbors",
    "list_tensors",
    "load_table",
    "match",
    "measure_quality",
    "open_index",
    "to_figure",
    "write_report",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module 'embviz' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
