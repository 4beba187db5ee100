"""Quantized tables of ONNX models, scaled as the operator's page defines it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_writer import node, raw, write
from torch_reading import found, read

from embviz.loaders import load_table

RNG = np.random.default_rng(6)
TABLE = RNG.normal(size=(9, 4)).astype(np.float32)
QUANTIZED = RNG.integers(-128, 128, (9, 4)).astype(np.int8)
SCALES = {
    "one": (np.float32(0.5), {}),
    "one_in_a_list": (np.array([0.5], np.float32), {}),
    "columns": (RNG.uniform(0.1, 1, 4).astype(np.float32), {"axis": 1}),
    "columns_by_default": (RNG.uniform(0.1, 1, 4).astype(np.float16), {}),
    "rows": (RNG.uniform(0.1, 1, 9).astype(np.float32), {"axis": 0}),
    "rows_from_behind": (RNG.uniform(0.1, 1, 9).astype(np.float32), {"axis": -2}),
    "blocks_of_columns": (
        RNG.uniform(0.1, 1, (9, 2)).astype(np.float32),
        {"axis": 1, "block_size": 3},
    ),
    "blocks_of_rows": (
        RNG.uniform(0.1, 1, (3, 4)).astype(np.float32),
        {"axis": 0, "block_size": 4},
    ),
}


def spread(scale: Any, options: dict[str, int]) -> Any:
    """The scale of each element, as the operator's page defines it."""
    scale = np.asarray(scale, np.float32)
    axis, block = options.get("axis", 1) % 2, options.get("block_size", 1)
    if scale.size == 1:
        return np.full((9, 4), scale.reshape(()))
    if scale.ndim == 1:
        return np.broadcast_to(scale[:, None] if axis == 0 else scale, (9, 4))
    return np.repeat(scale, block, axis)[:9, :4]


@pytest.mark.parametrize("kind", SCALES)
@pytest.mark.parametrize("with_zero", [False, True])
def test_a_quantized_table_is_scaled(
    tmp_path: Path, kind: str, with_zero: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "embviz")
    scale, options = SCALES[kind]
    zero = RNG.integers(-9, 9, np.shape(scale)).astype(np.int8)
    nodes = [node("DequantizeLinear", "q s z" if with_zero else "q s", "w", **options),
             node("Gather", "w ids", "y")]  # fmt: skip
    tensors = [raw("other", TABLE), raw("q", QUANTIZED), raw("s", np.asarray(scale)),
               raw("z", np.asarray(zero))]  # fmt: skip
    path = write(tmp_path / "x.onnx", tensors, nodes)
    zeros = spread(zero, options) if with_zero else 0
    right = (QUANTIZED.astype(np.float32) - zeros) * spread(scale, options)
    table = load_table(path)
    assert (table.name, table.vectors.dtype) == ("q", np.float32)
    np.testing.assert_array_equal(np.asarray(table.vectors[:]), right)
    np.testing.assert_array_equal(np.asarray(table.vectors[3:7]), right[3:7])
    assert np.asarray(table.vectors[5:5]).shape == (0, 4)
    assert found(path)["q"].note == "quantized: int8, its scale in 's'"
    assert "'q' is quantized: its values are those of int8 times their scale" in caplog.text


def test_rows_that_are_looked_up_and_then_scaled_are_scaled(tmp_path: Path) -> None:
    tensors = [raw("q", QUANTIZED.view(np.uint8)), raw("s", np.array(0.5, np.float32)),
               raw("z", np.array(7, np.uint8))]  # fmt: skip
    nodes = [node("Gather", "q ids", "rows"), node("DequantizeLinear", "rows s z", "y")]
    path = write(tmp_path / "x.onnx", tensors, nodes)
    right = (QUANTIZED.view(np.uint8).astype(np.float32) - 7) * np.float32(0.5)
    np.testing.assert_array_equal(read(path), right)
