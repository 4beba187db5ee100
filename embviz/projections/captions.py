"""What may be read from a picture by each method, and what not, in a sentence or two.

`{of}` and `{variance}` are filled in by `embviz.pictures.captions`, and a sentence goes whose
`{variance}` is not known.
"""

from __future__ import annotations

from collections.abc import Mapping

CAPTIONS: Mapping[str, str] = {
    "pca": (
        "PCA: distances{of} are shortened, never lengthened. {variance} of the variance is shown."
    ),
    "tsne": (
        "t-SNE: near means near. Sizes of clusters, gaps between them and empty space mean nothing."
    ),
    "umap": (
        "UMAP: near means near. Sizes of clusters, gaps between them and empty space mean nothing."
    ),
    "densmap": (
        "densMAP: near means near, denser mostly means denser. "
        "Gaps between clusters and empty space mean nothing."
    ),
    "pacmap": (
        "PaCMAP: near means near. Sizes of clusters, gaps between them and empty space mean little."
    ),
    "localmap": (
        "LocalMAP: near means near. Groups are drawn apart: gaps are wider than in the vectors."
    ),
    "custom": (
        "Axes: a point's position along an axis is its projection on the axis's direction, "
        "nothing else."
    ),
    "none": (
        "The vectors as they are: distances are their own, shortened where a dimension is left out."
    ),
}
