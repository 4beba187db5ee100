"""TensorBoard's bookmark files: a JSON array of saved views (`State` objects).

The fields are those of tensorboard/plugins/projector/vz_projector/data.ts, from 2017 to now.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from embviz.errors import LoadError, printable
from embviz.model import Bookmark, EmbeddingTable, Projection
from embviz.outputs.files import write_file
from embviz.outputs.text import to_utf8
from embviz.queries import ROW, Query, parse_query

_log = logging.getLogger("embviz")

_MOST_BYTES = 200 << 20
_TEXTS = (
    "label",
    "selectedColorOptionName",
    "selectedLabelOption",
    "customSelectedSearchByMetadataOption",
    "customXLeftText",
    "customXRightText",
    "customYUpText",
    "customYDownText",
)
_FLAGS = (
    "isSelected",
    "tSNEis3d",
    "umapIs3d",
    "forceCategoricalColoring",
    "customXLeftRegex",
    "customXRightRegex",
    "customYUpRegex",
    "customYDownRegex",
)
_NUMBERS = (
    "tSNEIteration",
    "tSNEPerplexity",
    "tSNELearningRate",
    "umapNeighbors",
    "umapMinDist",
)
_INDEX = "__index__"  # TensorBoard's column of row numbers.
# Nothing else is escaped, so that every dialect reads the same expression.
_SPECIAL = re.compile(r"[\^$\\.*+?()\[\]{}|/]")
_ESCAPE = r"\\\g<0>"
_INDEX_LISTS = ("selectedPoints", "shuffledDataIndices", "filteredPoints")


def read_bookmarks(path: str | os.PathLike[str]) -> tuple[Bookmark, ...]:
    """Read a bookmark file.

    Returns:
        The views in file order, their JSON values as they are, unknown fields among them.

    Raises:
        LoadError: If it is no JSON array of views, or a field has the wrong type.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise LoadError(path, f"{size} bytes, more than {_MOST_BYTES} are not read")
        raw = path.read_bytes()
    except OSError as e:
        raise LoadError(path, f"cannot be read ({e.strerror})") from None
    states = _parse(path, raw)
    if isinstance(states, dict) and "projections" in states:
        states = [states]
    if not isinstance(states, list):
        raise LoadError(path, "not a JSON array of saved views", "save it in the projector")
    bookmarks = []
    for number, state in enumerate(states, 1):
        where = f"{path}: bookmark {number}"
        if not isinstance(state, dict):
            raise LoadError(where, "not an object", "save it in the projector")
        _check_state(state, where)
        bookmarks.append(Bookmark(state.get("label") or f"bookmark {number}", state))
    return tuple(bookmarks)


def _parse(path: Path, raw: bytes) -> Any:
    def refuse(text: str) -> NoReturn:
        raise LoadError(path, f"{text} is no JSON", "save it in the projector")

    try:
        return json.loads(raw.decode("utf-8-sig"), parse_constant=refuse)
    except UnicodeDecodeError as e:
        raise LoadError(path, f"not UTF-8 (byte {e.start})", "save it as UTF-8") from None
    except json.JSONDecodeError as e:
        raise LoadError(
            f"{path}:{e.lineno}", f"not JSON ({e.msg}, column {e.colno})", "save it again"
        ) from None
    except RecursionError:
        raise LoadError(path, "nested too deep") from None
    except ValueError:
        # int() refuses numbers of more digits than sys.get_int_max_str_digits().
        raise LoadError(path, "a number of thousands of digits") from None


def _check_state(state: Mapping[str, Any], where: str) -> None:
    """Refuse a field of the wrong type; a missing one is left to its default."""
    for key in _TEXTS:
        _check(state, key, lambda v: v is None or isinstance(v, str), "a text", where)
    for key in _FLAGS:
        _check(state, key, lambda v: v is None or isinstance(v, bool), "true or false", where)
    for key in _NUMBERS:
        _check(state, key, lambda v: v is None or _is_number(v), "a number", where)
    for key in _INDEX_LISTS:
        _check(state, key, lambda v: v is None or _is_indices(v), "a list of rows", where)
    tabs = " or ".join([", ".join([*TABS][:-1]), [*TABS][-1]])
    _check(state, "selectedProjection", lambda v: isinstance(v, str) and v in TABS, tabs, where)
    _check(
        state,
        "pcaComponentDimensions",
        lambda v: _is_indices(v) and len(v) in (2, 3) and max(v) < 10_000,
        "two or three components",
        where,
    )
    _check(
        state,
        "dataSetDimensions",
        lambda v: v is None or (_is_indices(v) and len(v) == 2),
        "two counts",
        where,
    )
    _check(state, "projections", _is_projections, "a list of coordinates by name", where)
    _check(state, "cameraDef", lambda v: v is None or _is_camera(v), "a camera", where)
    if "projections" not in state and "selectedProjection" not in state:
        raise LoadError(where, "not a saved view: neither projections nor selectedProjection")


def _check(state: Mapping[str, Any], key: str, fits: Any, wanted: str, where: str) -> None:
    if key in state and not fits(state[key]):
        shown = printable(json.dumps(state[key])[:200], 60)
        raise LoadError(where, f"{key} is {shown}, not {wanted}", "save it in the projector")


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) < 1 << 1023 and math.isfinite(value)


def _is_indices(value: object) -> bool:
    return isinstance(value, list) and all(type(v) is int and 0 <= v < 1 << 53 for v in value)


def _is_projections(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(point, dict) and all(v is None or _is_number(v) for v in point.values())
        for point in value
    )


def _is_camera(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    for key in ("position", "target"):
        place = value.get(key)
        if place is not None and not (
            isinstance(place, list) and len(place) == 3 and all(map(_is_number, place))
        ):
            return False
    zoom, flat = value.get("zoom"), value.get("orthographic")
    return (zoom is None or _is_number(zoom)) and (flat is None or isinstance(flat, bool))


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
        "selectedLabelOption": label_by or table.label_column() or _INDEX,
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


@dataclass(frozen=True)
class _Tab:
    """A tab of TensorBoard, and how a projection is stored for it.

    Attributes:
        name: Its `selectedProjection`.
        keys: The names of the coordinates of a point, in their order.
        shown: How many of them are shown at most.
        settings: Returns what its controls show of a projection in 2 or 3 dimensions.
        choosing: Whether its reader chooses the components shown.
        iterating: Whether it iterates on when a view is applied.
    """

    name: str
    keys: Callable[[int], str]
    shown: int = 3
    settings: Callable[[EmbeddingTable, Projection, int], dict[str, Any]] = lambda *_: {}
    choosing: bool = False
    iterating: bool = False


def _tab_of(projection: Projection) -> _Tab:
    """Return the tab that a projection is stored in: its own, or one that takes any coordinates."""
    other = "custom" if projection.coordinates.shape[1] == 2 else "pca"
    return TABS.get(projection.name, TABS[other])


def _shown_tab(bookmark: Bookmark) -> _Tab:
    return TABS[bookmark.view.get("selectedProjection", "pca")]


def _name_coordinates(projection: Projection, tab: _Tab, n_points: int) -> list[dict[str, float]]:
    """Return a point's coordinates by TensorBoard's names, with the digits that float32 has."""
    n_components = int(projection.coordinates.shape[1])
    if not tab.choosing:
        n_components = min(n_components, tab.shown)
    keys = [tab.keys(i) for i in range(n_components)]
    values = projection.coordinates[:n_points, :n_components].tolist()
    return [{k: float(f"{x:.9g}") for k, x in zip(keys, row, strict=True)} for row in values]


def _known(params: Mapping[str, Any], name: str, default: float) -> float:
    """Return a parameter in force, or what TensorBoard shows at first; 0 is a value."""
    value = params.get(name)
    return default if value is None else float(value)


def _tsne_settings(table: EmbeddingTable, projection: Projection, dims: int) -> dict[str, Any]:
    return {
        "tSNEis3d": dims == 3,
        "tSNEIteration": int(_known(projection.params, "iterations", 0)),
        "tSNEPerplexity": round(_known(projection.params, "perplexity", 30)),
    }


def _umap_settings(table: EmbeddingTable, projection: Projection, dims: int) -> dict[str, Any]:
    return {
        "umapIs3d": dims == 3,
        "umapNeighbors": int(_known(projection.params, "n_neighbors", 15)),
        "umapMinDist": _known(projection.params, "min_dist", 0.1),
    }


def _axis_fields(table: EmbeddingTable, projection: Projection, dims: int) -> dict[str, Any]:
    """Return the ends of axes as TensorBoard's searches, which all look in one column.

    That is the column of the first end; the fields of queries in another column stay empty, and
    this is said.
    """
    params = projection.params
    default = params.get("column")
    default = default if default in (*table.metadata, ROW) else None
    ends = (("XLeft", "from"), ("XRight", "to")), (("YDown", "from"), ("YUp", "to"))
    found: dict[str, Any] = {}
    column, lost = "", []
    for axis, names in zip(params.get("axes", ()), ends, strict=False):
        for field, end in names:
            typed = str(axis.get(end, ""))
            if not typed:
                continue
            query = parse_query(table, typed, default)
            column = column or query.column or _INDEX
            if (query.column or _INDEX) != column:
                lost.append(typed)
                continue
            text, regex = _as_search(query)
            found |= {f"custom{field}Text": text, f"custom{field}Regex": regex}
    if column:
        found["customSelectedSearchByMetadataOption"] = column
    if lost:
        _log.info(
            "axes: TensorBoard searches one column for all their ends, %s: the bookmark's fields "
            "leave out %s; its coordinates are those of all",
            "row numbers" if column == _INDEX else f"'{printable(column, 40)}'",
            " and ".join(printable(query, 40) for query in lost),
        )
    return found


TABS = {
    tab.name: tab
    for tab in (
        _Tab("pca", "pca-{}".format, choosing=True),
        _Tab("tsne", "tsne-{}".format, settings=_tsne_settings, iterating=True),
        _Tab("umap", "umap-{}".format, settings=_umap_settings),
        _Tab("custom", lambda i: f"linear-{'xy'[i]}", shown=2, settings=_axis_fields),
    )
}
"""TensorBoard's tabs; a projection whose method has one of these names is stored in it."""


def _as_search(query: Query) -> tuple[str, bool]:
    """Return a query as TensorBoard's search text, and whether that is a regular expression."""
    if query.kind == "whole":
        return f"^{_SPECIAL.sub(_ESCAPE, query.text)}$", True
    return query.text, query.kind == "regex"


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


def encode_bookmarks(bookmarks: Sequence[Bookmark]) -> bytes:
    """Return a bookmark file: views in TensorBoard's JSON, compact, UTF-8.

    Raises:
        ValueError: If a view holds NaN or infinity, which JSON has not.
    """
    views = [dict(bookmark.view) for bookmark in bookmarks]
    text = json.dumps(views, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # A lone surrogate, which JSON can name and UTF-8 cannot hold, becomes its escape.
    return to_utf8(text)


def write_bookmarks(path: str | os.PathLike[str], bookmarks: Sequence[Bookmark]) -> None:
    """Write views as a bookmark file, which TensorBoard opens too.

    Raises:
        OutputError: If the file cannot be written.
    """
    write_file(Path(path), encode_bookmarks(bookmarks))
