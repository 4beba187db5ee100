"""What travels in the page, read back without the page."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from embviz import PCA, EmbeddingTable, Frames, ParameterError, Projection
from embviz.report.blocks import (
    Block,
    array_block,
    coordinates_block,
    frames_block,
    json_block,
)
from embviz.report.payload import Payload, ReportOptions, build_payload
from embviz.report.shell import shell_size
from tests.report.sent import pack_vectors


def unpack(block: Block) -> Any:
    data = gzip.decompress(base64.b64decode(block.text))
    if block.entry["dtype"] == "json":
        return json.loads(data)
    if block.entry["dtype"] == "texts":
        texts, _, places = data.partition(b"\n")
        size = len(places) // block.entry["shape"][0]
        planes = np.frombuffer(places, np.uint8).reshape(size, -1)
        known = json.loads(texts)
        return [known[i] for i in planes.T @ 256 ** np.arange(size)]
    name = block.entry["dtype"]
    dtype = np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name).newbyteorder("<")
    planes = np.frombuffer(data, np.uint8).reshape(dtype.itemsize, -1)
    array = np.ascontiguousarray(planes.T).view(dtype).reshape(block.entry["shape"])
    if "by_axis" in block.entry:
        array = array.reshape(array.shape[::-1]).T
    if "delta" in block.entry:
        array = np.cumsum(array.view(np.uint16), axis=0, dtype=np.uint16).view(dtype)
    if "values" in block.entry:
        return np.array(block.entry["values"], np.float32)[array]
    if "step" in block.entry:
        return array * np.array(block.entry["step"]) + np.array(block.entry["offset"])
    return array


def blocks_of(payload: Payload) -> dict[str, Any]:
    return {block.name: unpack(block) for block in payload.blocks}


def placed(table: EmbeddingTable, name: str = "pca", n: int = 2, **more: Any) -> Projection:
    return Projection(name, np.zeros((table.n_points, n), np.float32), **more)


@settings(deadline=None)
@given(
    arrays.arrays(
        st.sampled_from(["uint8", "int8", "uint16", "int32", "float16", "float32"]),
        st.tuples(st.integers(1, 20), st.integers(1, 4)),
    )
)
def test_an_array_block_gives_back_the_same_bytes(array: np.ndarray) -> None:
    assert unpack(array_block("x", array)).tobytes() == array.tobytes()


def test_a_json_block_keeps_any_text() -> None:
    texts = ["</script>", "\u2028", "\x00", "🙂", "עברית", '"\\']
    assert unpack(json_block("x", texts)) == texts


def test_coordinates_of_many_points_are_exact_to_a_hundred_thousandth_of_the_span() -> None:
    exact = np.random.default_rng(0).normal(size=(1000, 3)).astype(np.float32)
    span = exact.max(axis=0) - exact.min(axis=0)
    error = np.abs(unpack(coordinates_block("x", exact)) - exact)
    assert (error / span).max() < 1e-5
    assert (np.abs(unpack(frames_block("x", exact[None])) - exact) / span).max() < 1e-5


def test_constant_coordinates_travel_without_dividing_by_zero() -> None:
    same = np.full((4, 2), 3, np.float32)
    assert np.array_equal(unpack(coordinates_block("x", same)), same)


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int8", "int16", "uint16", "float16", "bfloat16", "float32"]
)
def test_vectors_of_small_types_travel_exactly(dtype: str) -> None:
    kind = np.dtype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    vectors = np.random.default_rng(0).integers(0, 2 if dtype == "bool" else 100, (50, 6))
    table = EmbeddingTable(vectors.astype(kind))
    packed = pack_vectors(table, "auto", 10_000_000)
    assert packed.entry is not None
    assert packed.entry["exact"]
    assert np.array_equal(unpack(packed.blocks[0]).astype(float), vectors)


def test_vectors_of_few_values_travel_exactly_in_a_byte_each() -> None:
    vectors = (np.random.default_rng(0).integers(0, 256, (400, 50)) / 255).astype(np.float32)
    packed = pack_vectors(EmbeddingTable(vectors), "auto", 10_000_000)
    assert packed.blocks[0].entry["dtype"] == "uint8"
    assert unpack(packed.blocks[0]).tobytes() == vectors.tobytes()


def test_vectors_that_do_not_fit_travel_at_the_next_precision_and_the_error_is_true() -> None:
    vectors = np.random.default_rng(0).normal(size=(4000, 100)).astype(np.float32)
    table = EmbeddingTable(vectors)
    found = {}
    for budget in (3_000_000, 1_200_000, 600_000, 100_000):
        packed = pack_vectors(table, "auto", budget)
        found[budget] = packed.entry and packed.entry["precision"]
        assert sum(len(block.text) for block in packed.blocks) <= budget * 1.02
    assert list(found.values()) == ["float32", "float16", "int8", None]
    for precision in ("float16", "int8"):
        packed = pack_vectors(table, precision, 0)
        back = unpack(packed.blocks[0]).astype(float)
        if precision == "int8":
            back *= unpack(packed.blocks[1])[:, None]
        error = np.linalg.norm(back - vectors, axis=1) / np.linalg.norm(vectors, axis=1)
        assert packed.entry is not None
        assert error.max() == pytest.approx(packed.entry["error"], rel=0.06)


def test_a_long_column_is_named_where_it_leaves_no_room_for_the_vectors(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rng = np.random.default_rng(3)
    room = ReportOptions(max_size=round(shell_size() / 1e6 + 2.46, 2))
    words = tuple(rng.bytes(1_500).hex() for _ in range(400))
    short = tuple(map(str, range(400)))
    table = EmbeddingTable(rng.normal(size=(400, 200)), {"n": short, "story": words})
    with caplog.at_level("INFO", "embviz"):
        payload = build_payload(table, [placed(table)], room)
    assert "column 'story' takes" not in caplog.text
    assert payload.manifest["spaces"][0]["vectors"] is not None
    words = tuple(rng.bytes(4_000).hex() for _ in range(400))
    table = EmbeddingTable(rng.normal(size=(400, 200)), {"n": short, "story": words})
    with caplog.at_level("INFO", "embviz"):
        build_payload(table, [placed(table)], room)
    assert "column 'story' takes 2 MB" in caplog.text
    assert "puts them in, or shorten that column or leave it out of the metadata" in caplog.text


def distributions() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    plain = rng.normal(size=(1500, 24))
    huge = plain.copy()
    huge[7] *= 1e3
    return {
        "gaussian": plain,
        "far from zero": plain + rng.choice([0, 1000, -1000], 24),
        "narrow": 0.01 * plain + 1,
        "lognormal": np.exp(2 * plain),
        "cauchy": rng.standard_cauchy((1500, 24)),
        "sparse": plain * (rng.random(plain.shape) < 0.15),
        "one huge row": huge,
        "scales": plain * np.logspace(-4, 4, 24),
    }


@pytest.mark.parametrize("name", distributions())
def test_an_axis_from_vectors_at_float16_is_right_to_1e_4_of_its_span(name: str) -> None:
    vectors = distributions()[name].astype(np.float32)
    packed = pack_vectors(EmbeddingTable(vectors), "float16", 0)
    assert packed.entry is not None
    back = unpack(packed.blocks[0]).astype(np.float32).astype(float) * packed.entry["scale"]
    exact = vectors.astype(float)
    rng = np.random.default_rng(1)
    groups = [(rng.integers(0, 1500, size), rng.integers(0, 1500, size)) for size in (1, 1, 1, 9)]
    for start, end in groups:
        coordinates = []
        for points in (exact, back):
            direction = points[end].mean(axis=0) - points[start].mean(axis=0)
            coordinates.append(points @ (direction / np.linalg.norm(direction)))
        off = np.abs(coordinates[1] - coordinates[0]).max() / np.ptp(coordinates[0])
        assert off < 1e-4
    if name == "gaussian":
        assert packed.blocks[0].entry["dtype"] == "uint16"


@pytest.mark.parametrize(
    ("budget", "kind"), [(1_400_000, "float32"), (1_000_000, "uint32"), (800_000, "float16")]
)
def test_three_bytes_a_number_give_way_to_two_where_the_page_would_be_too_large(
    budget: int, kind: str
) -> None:
    vectors = np.exp(2 * np.random.default_rng(0).normal(size=(12_000, 24))).astype(np.float32)
    packed = pack_vectors(EmbeddingTable(vectors), "auto", budget)
    assert packed.blocks[0].entry["dtype"] == kind
    assert len(packed.blocks[0].text) <= budget * 1.02
    assert ("of their span" in packed.note) is (kind == "float16")


@pytest.mark.parametrize(
    ("dtype", "number", "exact"),
    [
        ("int32", 2**24, True), ("int32", 2**24 + 1, False), ("uint32", 2**32 - 2**9, True),
        ("int64", 2**53 + 1, False), ("int64", -(2**60), False), ("float64", 0.5, True),
        ("float64", 0.1, False), ("float64", 2.0**-700, True), ("float64", 1e-200, False),
        ("float32", 1e-42, True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("precision", ["auto", "float32", "float16"])
def test_exactly_is_said_where_decoding_gives_the_numbers_back(
    dtype: str, number: float, exact: bool, precision: str
) -> None:
    vectors = np.array([[number, 0], [0, number], [number, number]], dtype)
    packed = pack_vectors(EmbeddingTable(vectors), precision, 1_000_000)
    assert packed.entry is not None
    back = unpack(packed.blocks[0]).astype(np.float64) * packed.entry["scale"]
    same = all(
        int(a) == int(b) if vectors.dtype.kind in "iu" else a == b
        for a, b in zip(back.ravel().tolist(), vectors.ravel().tolist(), strict=True)
    )
    assert packed.entry["exact"] <= same
    assert packed.entry["exact"] == ("exactly" in packed.note)
    if precision == "float32":
        assert packed.entry["exact"] == exact
    if not packed.entry["exact"]:
        assert f"within {packed.entry['error']:.2g} of its length" in packed.note


def test_float16_is_exact_where_that_is_no_larger() -> None:
    vectors = np.random.default_rng(0).normal(size=(12_000, 24)) + np.linspace(-900, 900, 24)
    packed = pack_vectors(EmbeddingTable(vectors.astype(np.float32)), "float16", 0)
    assert packed.entry is not None
    assert packed.entry["exact"]
    assert unpack(packed.blocks[0]).tobytes() == vectors.astype(np.float32).tobytes()


def test_values_beyond_float32_travel_divided_by_a_power_of_two() -> None:
    vectors = np.array([[1e200, -2e200], [0, 3e200], [1e199, 0]])
    packed = pack_vectors(EmbeddingTable(vectors), "auto", 1_000_000)
    assert packed.entry is not None
    back = unpack(packed.blocks[0]).astype(float) * packed.entry["scale"]
    np.testing.assert_allclose(back, vectors, rtol=1e-6)


@pytest.mark.parametrize("precision", ["float16", "int8"])
@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_any_size_of_values_travels_at_a_lower_precision(precision: str, size: float) -> None:
    vectors = np.random.default_rng(0).normal(size=(60, 8)) * size
    packed = pack_vectors(EmbeddingTable(vectors), precision, 0)
    assert packed.entry is not None
    back = unpack(packed.blocks[0]).astype(float)
    if precision == "int8":
        back *= unpack(packed.blocks[1]).astype(float)[:, None]
    error = np.linalg.norm(back * (packed.entry["scale"] / size) - vectors / size, axis=1)
    assert (error / np.linalg.norm(vectors / size, axis=1)).max() < 0.02


def test_the_payload_is_the_same_for_the_same_input(blobs: EmbeddingTable) -> None:
    projections = [placed(blobs)]
    first = build_payload(blobs, projections, ReportOptions(title="t"))
    again = build_payload(blobs, projections, ReportOptions(title="t"))
    assert first.manifest == again.manifest
    assert first.blocks == again.blocks


def test_columns_rows_and_frames_travel_as_they_are(blobs: EmbeddingTable) -> None:
    part = blobs.take([5, 9, 200])
    places = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    frames = Frames(("1", "300"), places, {"kl_divergence": (2.5, float("nan"))}, "iteration")
    payload = build_payload(part, [placed(part, "tsne", frames=frames)], ReportOptions())
    found = blocks_of(payload)
    assert found["rows"].tolist() == [5, 9, 200]
    assert found["column_0"] == ["w5", "w9", "w200"]
    assert [c["kind"] for c in payload.manifest["columns"]] == ["text", "number"]
    # A map's first step lies where its last does.
    np.testing.assert_allclose(found["tsne_2_frames"], places[[1, 1]], atol=1e-3)
    assert payload.manifest["projections"][0]["frames"] == {
        "block": "tsne_2_frames",
        "unit": "iteration",
        "steps": ["1", "300"],
        "figures": {"kl_divergence": [2.5, None]},
    }


def test_steps_of_a_map_travel_as_large_as_its_last_and_others_as_they_are(
    blobs: EmbeddingTable,
) -> None:
    rng = np.random.default_rng(3)
    last = rng.normal(size=(300, 2)).astype(np.float32) * 40 + [5, -3]
    # The first steps of t-SNE are a ten-thousandth as large as its last.
    first = rng.normal(size=(300, 2)).astype(np.float32) * 1e-4
    same = np.full((300, 2), 7, np.float32)
    places = np.stack([first, same, last]).astype(np.float32)
    frames = Frames(("0", "1", "9"), places, {}, "iteration")
    for kind in ("map", "linear"):
        given = replace(placed(blobs, "tsne", frames=frames), kind=kind)
        found = blocks_of(build_payload(blobs, [given], ReportOptions()))["tsne_2_frames"]
        if kind == "linear":
            np.testing.assert_allclose(found, places, atol=5e-3)
            continue
        side = np.ptp(last, axis=0).max()
        np.testing.assert_allclose(np.ptp(found[[0, 2]], axis=1).max(axis=1), side, rtol=1e-4)
        assert len(np.unique(found[0], axis=0)) == 300
        larger = (first - first.mean(axis=0)) * side / np.ptp(first, axis=0).max()
        np.testing.assert_allclose(found[0] - found[0].mean(axis=0), larger, atol=1e-2)
        middle = (last.min(axis=0) + last.max(axis=0)) / 2
        np.testing.assert_allclose(found[1], np.tile(middle, (300, 1)), atol=1e-2)
        np.testing.assert_allclose(found[2], last, atol=5e-3)


def test_frames_of_many_points_are_thinned_and_keep_both_ends() -> None:
    table = EmbeddingTable(np.ones((20_000, 2), np.float32))
    steps = tuple(map(str, range(31)))
    figures = {"kl_divergence": tuple(map(float, range(31)))}
    places = np.random.default_rng(0).random((31, 20_000, 2), np.float32)
    frames = Frames(steps, places, figures)
    given, options = (
        [placed(table, "tsne", frames=frames)],
        ReportOptions(max_size=shell_size() / 1e6 + 2),
    )
    payload = build_payload(table, given, options)
    entry = payload.manifest["projections"][0]["frames"]
    kept = entry["steps"]
    assert (kept[0], kept[-1]) == ("0", "30")
    assert entry["figures"]["kl_divergence"] == [float(step) for step in kept]
    assert 5 <= len(kept) < 31


@pytest.mark.parametrize("option", ["label_by", "color_by"])
def test_a_column_that_is_not_there_is_refused_with_those_that_are(
    blobs: EmbeddingTable, option: str
) -> None:
    with pytest.raises(ParameterError, match="no metadata column 'x'; there are: 'word', 'group'"):
        build_payload(blobs, [placed(blobs)], ReportOptions(**{option: "x"}))


def test_a_projection_of_another_number_of_points_is_refused(blobs: EmbeddingTable) -> None:
    projection = Projection("pca", np.zeros((3, 2), np.float32))
    with pytest.raises(ParameterError, match="3 placed points for 300"):
        build_payload(blobs, [projection], ReportOptions())


def test_the_manifest_has_spaces_and_projections_that_name_theirs(blobs: EmbeddingTable) -> None:
    shown = placed(blobs, axes=("x", "y"), title="Two axes")
    manifest = build_payload(blobs, [shown], ReportOptions()).manifest
    assert manifest["version"] == 2
    (space,) = manifest["spaces"]
    assert {k: v for k, v in space.items() if not k.startswith("vectors")} == {
        "key": "input",
        "tensor": "emb",
        "n_dims": 12,
        "dtype": "float32",
        "blocks": ["vectors"],
    }
    assert space["vectors"]["precision"] == "float32"
    (entry,) = manifest["projections"]
    told = ("key", "method", "title", "kind", "space", "n_components")
    assert [entry[k] for k in told] == ["pca", "pca", "Two axes", "linear", "input", 2]


def test_two_projections_of_one_method_travel_under_names_of_their_own(
    blobs: EmbeddingTable,
) -> None:
    made = [
        Projection("tsne", np.full((300, 2), p, np.float32), title="t-SNE",
                   params={"perplexity": p}, per_point={"kept": np.full(300, p, np.float32)})
        for p in (5.0, 15.0)
    ]  # fmt: skip
    payload = build_payload(blobs, made, ReportOptions(first="tsne"))
    found = blocks_of(payload)
    entries = payload.manifest["projections"]
    assert [e["key"] for e in entries] == ["tsne", "tsne-2"]
    assert [e["title"] for e in entries] == ["t-SNE, perplexity 5", "t-SNE, perplexity 15"]
    assert [found[e["coordinates"]][0, 0] for e in entries] == [5, 15]
    names = [e["per_point"][0]["name"] for e in entries]
    assert names == ["kept t-SNE, perplexity 5", "kept t-SNE, perplexity 15"]
    assert [found[e["per_point"][0]["block"]][0] for e in entries] == [5, 15]
    assert payload.manifest["first"] == "tsne"
    assert build_payload(blobs, made, ReportOptions()).manifest["first"] == "tsne-2"
    assert len({block.name for block in payload.blocks}) == len(payload.blocks)


def test_the_projection_shown_first_is_one_that_there_is(blobs: EmbeddingTable) -> None:
    with pytest.raises(ParameterError, match="first: 'tsne': no such projection; there are: pca"):
        build_payload(blobs, [placed(blobs)], ReportOptions(first="tsne"))


def test_without_a_projection_there_is_pca(blobs: EmbeddingTable) -> None:
    payload = build_payload(blobs, [], ReportOptions())
    assert [p["key"] for p in payload.manifest["projections"]] == ["pca"]
    expected = PCA().project(blobs).coordinates
    np.testing.assert_array_equal(blocks_of(payload)["pca_10_coordinates"], expected)
    with pytest.raises(ParameterError, match="1 row cannot be projected"):
        build_payload(blobs.take([0]), [], ReportOptions())


@pytest.mark.parametrize(("n", "kind"), [(1, "map"), (1, "linear"), (4, "map")])
def test_a_projection_that_cannot_be_drawn_is_refused(
    blobs: EmbeddingTable, n: int, kind: Any
) -> None:
    with pytest.raises(ParameterError, match=f"projection own: {n} components?, and a picture"):
        build_payload(blobs, [placed(blobs, "own", n, kind=kind)], ReportOptions())
    build_payload(blobs, [placed(blobs, "own", 4, kind="linear")], ReportOptions())
