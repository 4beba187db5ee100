"""Packed numbers are what the gguf package unpacks, to the last bit."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest

from embviz.loaders.weights.gguf_blocks import BLOCK_TYPES, BlockRows, BlockType
from embviz.rows import take_rows

KINDS = pytest.mark.parametrize("number", BLOCK_TYPES, ids=[k.name for k in BLOCK_TYPES.values()])
RNG = np.random.default_rng(5)


def check(raw: np.ndarray, number: int) -> None:
    with np.errstate(all="ignore"):
        wanted = gguf.dequantize(raw, gguf.GGMLQuantizationType(number))
    rows = BlockRows(raw, BLOCK_TYPES[number])
    assert rows.shape == wanted.shape
    found = rows[0 : len(raw)]
    assert found.dtype == np.float32
    # A NaN has many spellings, of which arithmetic may choose another.
    nan = np.isnan(wanted)
    np.testing.assert_array_equal(np.isnan(found), nan)
    assert found[~nan].tobytes() == wanted[~nan].tobytes()


@KINDS
def test_blocks_of_any_bytes_are_unpacked_as_by_gguf(number: int) -> None:
    kind = BLOCK_TYPES[number]
    check(RNG.integers(0, 256, (2000, 3 * kind.n_bytes), np.uint8), number)


@pytest.mark.parametrize("number", [2, 3, 6, 7, 8, 39])
def test_what_gguf_packs_is_unpacked_as_by_gguf(number: int) -> None:
    values = RNG.normal(size=(40, 512)).astype(np.float32)
    values[3] = 0
    check(gguf.quantize(values, gguf.GGMLQuantizationType(number)), number)


@KINDS
def test_the_sizes_of_blocks_are_those_of_gguf(number: int) -> None:
    kind, theirs = BLOCK_TYPES[number], gguf.GGMLQuantizationType(number)
    assert kind.name == theirs.name
    assert (kind.n_values, kind.n_bytes) == gguf.GGML_QUANT_SIZES[theirs]


def test_rows_are_unpacked_a_part_at_a_time_and_only_where_they_are_asked() -> None:
    sizes = []
    unpack = BLOCK_TYPES[8].unpack

    def watched(blocks: np.ndarray) -> np.ndarray:
        sizes.append(len(blocks))
        return unpack(blocks)

    kind = BlockType("Q8_0", 32, 34, watched)
    raw = RNG.integers(0, 100, (9000, 8 * 34), np.uint8)
    rows = BlockRows(raw, kind)
    np.testing.assert_array_equal(rows[0:9000], BlockRows(raw, BLOCK_TYPES[8])[0:9000])
    assert max(sizes) * 32 <= 1 << 19
    sizes.clear()
    assert rows[70:75].shape == (5, 256)
    assert sizes == [5 * 8]
    assert rows[5:5].shape == (0, 256)


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux what is in memory")
def test_taken_rows_of_a_map_leave_none_of_its_pages_in_memory(tmp_path: Path) -> None:
    n_rows, row_bytes = 30_000, 64 * 34
    (tmp_path / "x").write_bytes(bytes(n_rows * row_bytes))
    raw = np.memmap(tmp_path / "x", np.uint8, "r", shape=(n_rows, row_bytes))
    chosen = RNG.permutation(n_rows)[:500]
    before = _mapped_kib()
    found = take_rows(BlockRows(raw, BLOCK_TYPES[8]), chosen)
    assert found.shape == (500, 2048)
    assert _mapped_kib() - before < 4096
    assert raw.max() == 0  # All of it is in memory then, as the figure must tell.
    assert _mapped_kib() - before > 32_768


def _mapped_kib() -> int:
    found = re.search(r"RssFile:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1])
