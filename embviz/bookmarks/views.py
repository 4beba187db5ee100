"""Projections as views that TensorBoard shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from embviz.bookmarks.tabs import INDEX, TABS, Tab
from embviz.model import Bookmark, EmbeddingTable, Projection

MOST_POINTS = 100_000
"""The points that TensorBoard shows: a view of more is an error there (data-provider-server.ts)."""
_CAMERAS: dict[int, dict[str, Any]] = {
    2: {"orthographic": True, "position": [0, 0, 4], "target": [0, 0, 0], "zoom": 1},
    3: {"orthographic": False, "position": [0.45, 0.9, 1.6], "target": [0, 0, 0], "zoom": 1},
}


def make_bookmark(
    table: EmbeddingTable,
    projection: Projection,
    *,
    label: str = "",
    still: bool = False,
    label_by: str | None = None,
    color_by: str | None = None,
) -> Bookmark:
    """Return a projection as a view that TensorBoard shows, with all that it requires.

    Args:
        table: The points; of more than `MOST_POINTS` the first ones are taken, as TensorBoard does.
        projection: Its coordinates are stored; the first 2 or 3 components are shown.
        label: The view's name; the method's where it is empty.
        still: Store the first two components as custom coordinates, whatever the method: on
            applying a t-SNE view TensorBoard goes on iterating, on applying these it does not.
        label_by, color_by: Metadata columns; None for the label column, and for no color.
    """
    n_points = min(table.n_points, MOST_POINTS)
    n_components = int(projection.coordinates.shape[1])
    tab = TABS["custom"] if still else _tab_of(projection)
    dims = 3 if min(tab.shown, n_components) == 3 else 2
    view: dict[str, Any] = {
        "label": label or projection.title,
        "selectedProjection": tab.name,
        "projections": _name_coordinates(projection, tab, n_points),
        "dataSetDimensions": [n_points, table.n_dims],
        "cameraDef": dict(_CAMERAS[dims]),
        "selectedColorOptionName": color_by or "No color map",
        "selectedLabelOption": label_by or table.label_column() or INDEX,
    }
    if projection.name in TABS:
        view |= TABS[projection.name].settings(table, projection, dims)
    if tab.choosing:
        view["pcaComponentDimensions"] = list(range(dims))
    return Bookmark(str(view["label"]), complete_view(view, n_points, table.n_dims))


def show_components(bookmark: Bookmark, dims: int) -> Bookmark:
    """Return a view of the first 2 or 3 components where TensorBoard has a choice, else itself."""
    if not _shown_tab(bookmark).choosing:
        return bookmark
    chosen = {"pcaComponentDimensions": list(range(dims)), "cameraDef": dict(_CAMERAS[dims])}
    return Bookmark(bookmark.label, {**bookmark.view, **chosen})


def chooses_components(bookmark: Bookmark) -> bool:
    """Tell whether TensorBoard lets the reader choose the components that a view shows."""
    return _shown_tab(bookmark).choosing


def moves_on(bookmark: Bookmark) -> bool:
    """Tell whether TensorBoard iterates on when it applies a view."""
    return _shown_tab(bookmark).iterating


def _tab_of(projection: Projection) -> Tab:
    """Return the tab that a projection is stored in: its own, or one that takes any coordinates."""
    other = "custom" if projection.coordinates.shape[1] == 2 else "pca"
    return TABS.get(projection.name, TABS[other])


def _shown_tab(bookmark: Bookmark) -> Tab:
    return TABS[bookmark.view.get("selectedProjection", "pca")]


def _name_coordinates(projection: Projection, tab: Tab, n_points: int) -> list[dict[str, float]]:
    """Return a point's coordinates by TensorBoard's names, with the digits that float32 has."""
    n_components = int(projection.coordinates.shape[1])
    if not tab.choosing:
        n_components = min(n_components, tab.shown)
    keys = [tab.keys(i) for i in range(n_components)]
    values = projection.coordinates[:n_points, :n_components].tolist()
    return [{k: float(f"{x:.9g}") for k, x in zip(keys, row, strict=True)} for row in values]


def complete_view(view: Mapping[str, Any], n_points: int, n_dims: int) -> dict[str, Any]:
    """Return a view with the fields of TensorBoard's `State`, in the order in which it saves them.

    The order of points in which it draws samples, `shuffledDataIndices`, is left to it.

    What the view has stays, but for null where that is not allowed; further fields follow.

    Args:
        view: One `State`, perhaps of an older version or another program.
        n_points, n_dims: What the view is of, where it does not say.
    """
    three = len(view.get("pcaComponentDimensions") or ()) != 2
    dims = 3 if view.get("selectedProjection", "pca") == "pca" and three else 2
    full: dict[str, Any] = {
        "label": "",
        "isSelected": False,
        "tSNEIteration": 0,
        "tSNEPerplexity": 30,
        "tSNELearningRate": 1,
        "tSNEis3d": False,
        "umapIs3d": False,
        "umapNeighbors": 15,
        "umapMinDist": 0.1,
        "pcaComponentDimensions": [0, 1, 2],
        "projections": [],
        "selectedPoints": [],
        "selectedProjection": "pca",
        "dataSetDimensions": [n_points, n_dims],
        "filteredPoints": None,
        "cameraDef": dict(_CAMERAS[dims]),
        "selectedColorOptionName": "No color map",
        "forceCategoricalColoring": False,
        "selectedLabelOption": "label",
        "customSelectedSearchByMetadataOption": "label",
    }
    for field in ("XLeft", "XRight", "YUp", "YDown"):
        full |= {f"custom{field}Text": "", f"custom{field}Regex": False}
    given = {k: v for k, v in view.items() if v is not None or k not in full or full[k] is None}
    if "selectedLabelOption" in given:
        full["customSelectedSearchByMetadataOption"] = given["selectedLabelOption"]
    return full | given
