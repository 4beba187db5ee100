"""Bookmark files, read and checked, and written."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from embviz.bookmarks.tabs import TABS
from embviz.errors import LoadError, printable
from embviz.inputs import read_file
from embviz.model import Bookmark
from embviz.outputs.files import write_file
from embviz.outputs.text import to_utf8

_MOST_BYTES = 200 << 20
_MOST_DEPTH = 100
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
        raw = read_file(path, _MOST_BYTES)
    except (OSError, ValueError) as e:
        raise LoadError(path, f"cannot be read ({getattr(e, 'strerror', None) or e})") from None
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
        try:
            _check_state(state, where)
            _check_depth(list(state.values()), where)
        except RecursionError:
            raise _too_deep(where) from None
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
        raise _too_deep(path) from None
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
    for key, value in state.items():
        if not _is_json(value):
            shown = printable(key, 40)
            raise LoadError(
                where, f"{shown} holds a number beyond what JSON is read with", "save it again"
            )
    if "projections" not in state and "selectedProjection" not in state:
        raise LoadError(where, "not a saved view: neither projections nor selectedProjection")


def _check(state: Mapping[str, Any], key: str, fits: Any, wanted: str, where: str) -> None:
    if key in state and not fits(state[key]):
        shown = printable(json.dumps(state[key])[:200], 60)
        raise LoadError(where, f"{key} is {shown}, not {wanted}", "save it in the projector")


def _check_depth(values: list[Any], where: str) -> None:
    """Refuse what is nested deeper than every reader and writer of JSON takes."""
    for _ in range(_MOST_DEPTH):
        values = [
            inner
            for value in values
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
            if isinstance(inner, dict | list)
        ]
    if values:
        raise _too_deep(where)


def _too_deep(where: object) -> LoadError:
    return LoadError(where, "nested too deep", "save it in the projector")


def _is_json(value: Any) -> bool:
    """Tell whether a value that was read can be written again: 1e999 was read as infinity."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


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
