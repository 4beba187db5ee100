"""How coordinates and texts are packed, and what comes out of it again."""

from __future__ import annotations

import base64
import gzip
import zlib

import numpy as np
import pytest

from embviz import EmbeddingTable
from embviz.model import Projection
from embviz.report.blocks import compress, json_block, texts_block
from embviz.report.payload import ReportOptions, build_payload
from tests.report.test_payload import blocks_of, unpack


def test_components_beyond_the_third_travel_in_a_quarter_of_the_steps() -> None:
    rng = np.random.default_rng(0)
    table = EmbeddingTable(rng.normal(size=(7000, 10)))
    shown = Projection("x", rng.normal(size=(7000, 10)).astype(np.float32), kind="linear")
    payload = build_payload(table, [shown], ReportOptions(vectors="none"))
    (entry,) = payload.manifest["projections"]
    found = blocks_of(payload)[entry["coordinates"]]
    steps = np.ptp(shown.coordinates, axis=0) / ([65535] * 3 + [16383] * 7)
    error = np.abs(found - shown.coordinates) / steps
    assert error.max(axis=0).min() > 0.49
    assert error.max() < 0.51
    # Places that are equal stay so, and none goes past another.
    for own, sent in zip(shown.coordinates.T, found.T, strict=True):
        assert (np.diff(sent[np.argsort(own)]) >= 0).all()


def test_coordinates_of_few_points_travel_as_they_are() -> None:
    rng = np.random.default_rng(0)
    shown = Projection("x", rng.normal(size=(500, 10)).astype(np.float32), kind="linear")
    payload = build_payload(EmbeddingTable(rng.normal(size=(500, 10))), [shown], ReportOptions())
    (entry,) = payload.manifest["projections"]
    found = blocks_of(payload)[entry["coordinates"]]
    assert found.tobytes() == shown.coordinates.tobytes()


@pytest.mark.parametrize("size", [(1 << 22) + 1, 1 << 23])
def test_much_is_one_gzip_stream_the_same_for_any_number_of_threads(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    data = np.minimum(rng.integers(0, 80, size), rng.integers(0, 90, size)).astype(np.uint8)
    data = np.sort(data, kind="stable").tobytes() if size % 2 else data.tobytes()
    texts = []
    for n_threads in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", n_threads)
        texts.append(compress(data))
    assert texts[0] == texts[1]
    reader = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    found = reader.decompress(base64.b64decode(texts[0]))
    assert found == data
    assert (reader.eof, reader.unused_data) == (True, b"")
    assert len(texts[0]) < 1.34 * len(gzip.compress(data, 6))


@pytest.mark.parametrize("n_texts", [1, 40, 256, 257, 5000])
def test_texts_that_come_again_travel_as_places_among_those_that_differ(n_texts: int) -> None:
    names = [f"{i}</script>\n\u2028é🙂" for i in range(n_texts)]
    values = [names[i] for i in np.random.default_rng(0).integers(0, n_texts, 40 * n_texts)]
    block = texts_block("x", values)
    assert block.entry["dtype"] == "texts"
    assert unpack(block) == values
    assert len(block.text) < len(json_block("x", values).text)
    assert texts_block("x", names).entry == {"dtype": "json"}
