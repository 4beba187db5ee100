from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz.bookmarks import (
    MOST_POINTS,
    complete_view,
    encode_bookmarks,
    make_bookmark,
    read_bookmarks,
    show_components,
)
from embviz.errors import LoadError
from embviz.model import Bookmark, EmbeddingTable, Projection

# The keys and types of a view that TensorBoard 2.21 saved.
STATE: dict[str, Any] = {
    "label": "State 0",
    "isSelected": True,
    "tSNEIteration": 12,
    "tSNEPerplexity": 25,
    "tSNELearningRate": 1,
    "tSNEis3d": False,
    "umapIs3d": True,
    "umapNeighbors": 15,
    "umapMinDist": 0.1,
    "pcaComponentDimensions": [0, 1, 2],
    "projections": [{"pca-0": 0.5, "pca-1": None, "linear-x": -1e-5}, {}],
    "selectedPoints": [1],
    "shuffledDataIndices": [1, 0],
    "selectedProjection": "pca",
    "dataSetDimensions": [2, 3],
    "filteredPoints": None,
    "cameraDef": {"orthographic": True, "position": [0, 0, 1.5], "target": [0, 0, 0], "zoom": 1.2},
    "selectedColorOptionName": "No color map",
    "forceCategoricalColoring": False,
    "selectedLabelOption": "word",
    "customXLeftText": "^bad$",
    "customXLeftRegex": True,
}


def write(tmp_path: Path, value: Any) -> Path:
    path = tmp_path / "state.txt"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def test_a_saved_view_is_kept_with_fields_of_others(tmp_path: Path) -> None:
    state = STATE | {"embviz": {"k": [1, "x"]}}
    first, second = read_bookmarks(write(tmp_path, [state, STATE | {"label": ""}]))
    assert first.label == "State 0"
    assert dict(first.view) == state
    assert second.label == "bookmark 2"


def test_a_file_without_views_has_none(tmp_path: Path) -> None:
    assert read_bookmarks(write(tmp_path, [])) == ()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("label", 3),
        ("isSelected", "yes"),
        ("tSNEPerplexity", "25"),
        ("tSNEPerplexity", True),
        ("pcaComponentDimensions", [0]),
        ("pcaComponentDimensions", [0, -1]),
        ("pcaComponentDimensions", [0, 10**9]),
        ("pcaComponentDimensions", None),
        ("projections", {}),
        ("projections", [[1, 2]]),
        ("projections", [{"pca-0": "x"}]),
        ("selectedPoints", [1.5]),
        ("selectedPoints", [-1]),
        ("selectedPoints", [True]),
        ("filteredPoints", "all"),
        ("selectedProjection", "lda"),
        ("selectedProjection", []),
        ("dataSetDimensions", [1, 2, 3]),
        ("cameraDef", []),
        ("cameraDef", {"position": [0, 0]}),
        ("cameraDef", {"zoom": "1"}),
        ("customXLeftText", ["a"]),
        ("customXLeftRegex", 1),
    ],
)
def test_a_field_of_the_wrong_type_is_named(tmp_path: Path, key: str, value: Any) -> None:
    with pytest.raises(LoadError, match=f"bookmark 2: {key} is "):
        read_bookmarks(write(tmp_path, [STATE, STATE | {key: value}]))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("[", "not JSON"),
        ("3", "not a JSON array"),
        ('{"a": 1}', "not a JSON array"),
        ("[3]", "bookmark 1: not an object"),
        ("[{}]", "not a saved view"),
        ("[" * 100_000, "nested too deep"),
        ('[{"projections": [{"pca-0": NaN}]}]', "NaN is no JSON"),
        ('[{"projections": [{"pca-0": 1e999}]}]', "projections is"),
        ('[{"tSNEIteration": ' + "9" * 5000 + "}]", "thousands of digits"),
        ('[{"tSNEIteration": ' + "9" * 400 + "}]", "tSNEIteration is"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(LoadError) as caught:
        read_bookmarks(write(tmp_path, text))
    assert "state.txt" in str(caught.value)
    assert said in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"gone\.txt"):
        read_bookmarks(tmp_path / "gone.txt")


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(STATE)), json_values)
def test_any_json_in_any_field_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: Any
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.txt"
    path.write_text(json.dumps([STATE | {key: value}]))
    said = ""
    try:
        (bookmark,) = read_bookmarks(path)
    except LoadError as e:
        said = str(e)
    if said:
        assert key in said
        return
    assert bookmark.view[key] == json.loads(json.dumps(value))


# What TensorBoard 2.21 fails without (a TypeError on applying, or "Unexpected fallthrough").
REQUIRED = {
    "tSNEIteration": int,
    "tSNEPerplexity": int,
    "tSNELearningRate": int,
    "pcaComponentDimensions": list,
    "projections": list,
    "selectedPoints": list,
    "selectedProjection": str,
    "dataSetDimensions": list,
    "cameraDef": dict,
    "selectedColorOptionName": str,
    "selectedLabelOption": str,
    "customXLeftText": str,
    "customXRightText": str,
    "customYUpText": str,
    "customYDownText": str,
}
TABLE = EmbeddingTable(np.eye(4, dtype=np.float32), {"word": ("a", "b", "c", "d")}, name="t")


def projection(name: str, n_components: int, **params: Any) -> Projection:
    rng = np.random.default_rng(n_components)
    return Projection(name, rng.normal(size=(4, n_components)).astype(np.float32), params=params)


@pytest.mark.parametrize(
    ("made", "kind", "keys"),
    [
        (projection("pca", 10), "pca", [f"pca-{i}" for i in range(10)]),
        (projection("pca", 2), "pca", ["pca-0", "pca-1"]),
        (projection("tsne", 2), "tsne", ["tsne-0", "tsne-1"]),
        (projection("tsne", 3), "tsne", ["tsne-0", "tsne-1", "tsne-2"]),
        (projection("umap", 2), "umap", ["umap-0", "umap-1"]),
        (projection("umap", 3), "umap", ["umap-0", "umap-1", "umap-2"]),
        (projection("custom", 2), "custom", ["linear-x", "linear-y"]),
        (projection("custom", 3), "custom", ["linear-x", "linear-y"]),
        (projection("none", 2), "custom", ["linear-x", "linear-y"]),
        (projection("none", 3), "pca", ["pca-0", "pca-1", "pca-2"]),
        (projection("phate", 2), "custom", ["linear-x", "linear-y"]),
    ],
)
def test_a_projection_becomes_a_view_with_all_that_tensorboard_needs(
    made: Projection, kind: str, keys: list[str], tmp_path: Path
) -> None:
    view = make_bookmark(TABLE, made).view
    assert view["selectedProjection"] == kind
    assert view["dataSetDimensions"] == [4, 4]
    for key, wanted in REQUIRED.items():
        assert isinstance(view[key], wanted), key
    assert all(list(point) == keys for point in view["projections"])
    stored = np.array([list(p.values()) for p in view["projections"]], np.float32)
    np.testing.assert_array_equal(stored, made.coordinates[:, : len(keys)])
    path = tmp_path / "b.txt"
    path.write_bytes(encode_bookmarks([make_bookmark(TABLE, made)]))
    assert [dict(b.view) for b in read_bookmarks(path)] == [view]


def test_dimensions_shown_follow_the_components() -> None:
    def shown(made: Projection) -> tuple[Any, ...]:
        view = make_bookmark(TABLE, made).view
        flat = view["cameraDef"]["orthographic"]
        return view["pcaComponentDimensions"], view["tSNEis3d"], view["umapIs3d"], flat

    assert shown(projection("pca", 10))[0] == [0, 1, 2]
    assert shown(projection("pca", 2))[0::3] == ([0, 1], True)
    assert shown(projection("tsne", 3))[1:] == (True, False, False)
    assert shown(projection("umap", 3))[1:] == (False, True, False)
    assert shown(projection("custom", 3))[3] is True


def test_parameters_and_axes_stand_in_tensorboards_fields() -> None:
    view = make_bookmark(TABLE, projection("tsne", 2, perplexity=12.4, iterations=300)).view
    assert (view["tSNEPerplexity"], view["tSNEIteration"]) == (12, 300)
    view = make_bookmark(TABLE, projection("umap", 2, n_neighbors=4, min_dist=0.0)).view
    assert (view["umapNeighbors"], view["umapMinDist"]) == (4, 0)
    axes = [{"from": "=a.b", "to": "/^c/"}, {"from": "x", "to": "y"}]
    view = make_bookmark(TABLE, projection("custom", 2, axes=axes, column="word")).view
    assert (view["customXLeftText"], view["customXLeftRegex"]) == (r"^a\.b$", True)
    assert (view["customXRightText"], view["customXRightRegex"]) == ("^c", True)
    assert (view["customYDownText"], view["customYUpText"]) == ("x", "y")
    assert (view["customYDownRegex"], view["customYUpRegex"]) == (False, False)
    assert view["customSelectedSearchByMetadataOption"] == "word"


TWO = EmbeddingTable(
    np.eye(4, dtype=np.float32), {"word": ("a", "b", "c", "d"), "class": ("1 x", "2", "2", "1 x")}
)


@pytest.mark.parametrize(
    ("column", "ends", "searched", "texts"),
    [
        (None, ("class:=1 x", "class:/2/"), "class", ["^1 x$", "2"]),
        ("class", ("=1 x", "2"), "class", ["^1 x$", "2"]),
        ("class", ("word:=a", "word:b"), "word", ["^a$", "b"]),
        (None, ("a", "=b"), "word", ["a", "^b$"]),
        (None, ("row:=1", "row:2"), "__index__", ["^1$", "2"]),
        ("row", ("=1", "2"), "__index__", ["^1$", "2"]),
    ],
)
def test_tensorboard_searches_the_column_that_all_ends_of_axes_name(
    column: str | None, ends: tuple[str, str], searched: str, texts: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level("INFO", "embviz")
    axes = [{"from": ends[0], "to": ends[1]}, {"filled": True, "share": 0.5}]
    view = make_bookmark(TWO, projection("custom", 2, axes=axes, column=column)).view
    assert view["customSelectedSearchByMetadataOption"] == searched
    assert [view["customXLeftText"], view["customXRightText"]] == texts
    assert caplog.text == ""


def test_ends_of_axes_in_another_column_are_left_out_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "embviz")
    axes = [{"from": "class:=2", "to": "=a"}, {"from": "class:1", "to": "row:3"}]
    view = make_bookmark(TWO, projection("custom", 2, axes=axes, column=None)).view
    names = [f"custom{end}Text" for end in ("XLeft", "XRight", "YDown", "YUp")]
    assert [view[name] for name in names] == ["^2$", "", "1", ""]
    assert view["customSelectedSearchByMetadataOption"] == "class"
    assert "one column" in caplog.text
    assert "leave out =a and row:3" in caplog.text


def test_the_components_that_a_view_shows_can_be_chosen() -> None:
    made = make_bookmark(TABLE, projection("pca", 10))
    view = show_components(made, 2).view
    assert view["pcaComponentDimensions"] == [0, 1]
    assert view["cameraDef"]["orthographic"] is True
    assert len(view["projections"][0]) == 10
    other = make_bookmark(TABLE, projection("tsne", 3))
    assert show_components(other, 2) is other


def test_a_still_view_stores_any_method_as_custom_coordinates() -> None:
    made = projection("tsne", 3)
    view = make_bookmark(TABLE, made, still=True, label="t").view
    assert (view["label"], view["selectedProjection"]) == ("t", "custom")
    stored = np.array([[p["linear-x"], p["linear-y"]] for p in view["projections"]], np.float32)
    np.testing.assert_array_equal(stored, made.coordinates[:, :2])


def test_no_more_points_are_stored_than_tensorboard_shows() -> None:
    n = MOST_POINTS + 1
    table = EmbeddingTable(np.zeros((n, 2), np.float32))
    view = make_bookmark(table, Projection("none", np.zeros((n, 2), np.float32))).view
    assert len(view["projections"]) == MOST_POINTS
    assert view["dataSetDimensions"] == [MOST_POINTS, 2]


def test_an_old_view_gets_what_it_lacks_and_keeps_what_it_has() -> None:
    old = {k: v for k, v in STATE.items() if not k.startswith("umap")} | {"embviz": {"k": 3}}
    old["pcaComponentDimensions"] = [4, 2]
    full = complete_view(old, 2, 3)
    assert set(REQUIRED) <= set(full)
    assert {k: full[k] for k in old} == old
    assert complete_view({"cameraDef": None, "filteredPoints": None}, 2, 3)["cameraDef"]


def test_nan_never_gets_into_a_file() -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode_bookmarks([Bookmark("x", {"tSNEIteration": float("nan")})])


@pytest.mark.parametrize("number", ["1e999", "-1e999", '[0, {"a": 1e400}]'])
def test_a_number_beyond_json_in_a_field_of_any_name_is_refused(
    tmp_path: Path, number: str
) -> None:
    path = tmp_path / "s.txt"
    path.write_text(f'[{{"projections": []}}, {{"projections": [], "zz": {number}}}]')
    with pytest.raises(LoadError, match="bookmark 2: zz holds a number beyond what JSON"):
        read_bookmarks(path)


@pytest.mark.parametrize("depth", [200, 900, 980])
def test_a_field_nested_too_deep_to_be_written_again_is_refused(tmp_path: Path, depth: int) -> None:
    path = tmp_path / "s.txt"
    path.write_text(f'[{{"projections": [], "zz": {"[" * depth}{"]" * depth}}}]')
    with pytest.raises(LoadError, match="nested too deep"):
        read_bookmarks(path)
