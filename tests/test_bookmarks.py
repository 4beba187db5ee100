from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz.bookmarks import read_bookmarks
from embviz.errors import LoadError

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
