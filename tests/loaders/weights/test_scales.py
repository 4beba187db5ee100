"""Quantized tables: the product with their scales, in every form, or a refusal."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from embviz import LoadError, find_neighbors, list_tensors, load_table
from embviz.loaders import open_source
from embviz.loaders.weights.scaled_rows import ScaledRows
from embviz.rows import take_rows

RNG = np.random.default_rng(6)
F8 = ml_dtypes.float8_e4m3fn
FORMS = {
    "one": ((), "one scale"),
    "one of one": ((1,), "one scale"),
    "one of 1 x 1": ((1, 1), "one scale"),
    "a row": ((320, 1), "a scale a row"),
    "a row in one dimension": ((320,), "a scale a row"),
    "a column": ((1, 256), "a scale a column"),
    "blocks of 128": ((3, 2), "a scale for 128 x 128"),
    "groups of 32 in a row": ((320, 8), "a scale for 1 x 32"),
    "blocks of 80 rows": ((4, 1), "a scale for 80 x 256"),
}


def quantize(values: Any, scales: Any, blocks: tuple[int, int], kind: Any) -> Any:
    """The stored values, and what they stand for, by repeating each scale over its block."""
    full = np.kron(np.atleast_2d(scales).astype(np.float32), np.ones(blocks, np.float32))
    full = full[: values.shape[0], : values.shape[1]]
    stored = (values / full).astype(kind)
    return stored, stored.astype(np.float32) * full


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["w.weight_scale_inv", "w.weight_scale", "w.scale_weight"])
@pytest.mark.parametrize("kind", [F8, ml_dtypes.float8_e5m2, np.int8])
def test_a_table_is_multiplied_by_its_scales(
    tmp_path: Path, form: str, name: str, kind: Any
) -> None:
    shape, said = FORMS[form]
    values = RNG.normal(size=(320, 256)).astype(np.float32)
    scales = np.array(RNG.uniform(0.01, 0.05, size=shape), np.float32)
    n_rows, n_columns = (scales.reshape(-1, 1) if shape == (320,) else np.atleast_2d(scales)).shape
    blocks = {1: 320, 320: 1, 3: 128, 4: 80}[n_rows], {1: 256, 256: 1, 2: 128, 8: 32}[n_columns]
    stored, wanted = quantize(values, scales.reshape(n_rows, n_columns), blocks, kind)
    path = tmp_path / "x.safetensors"
    save_file({"w.weight": stored, name: scales, "w.input_scale": np.ones(1)}, path)
    found = load_table(path, tensor="w.weight")
    np.testing.assert_array_equal(np.asarray(found.vectors[:]), wanted)
    np.testing.assert_array_equal(np.asarray(found.vectors[250:270]), wanted[250:270])
    (info,) = [info for info in list_tensors(path) if info.name == "w.weight"]
    assert (info.dtype, info.shape) == ("float32", (320, 256))
    assert info.note == f"{np.dtype(kind).name} with {said} in {name}"


@pytest.mark.parametrize("scale", [np.float16, ml_dtypes.bfloat16, ml_dtypes.float8_e8m0fnu])
def test_scales_are_of_any_type_of_floats(tmp_path: Path, scale: Any) -> None:
    scales = np.array([[0.25], [2], [4], [0.5]], np.float32).astype(scale)
    stored = RNG.normal(size=(4, 3)).astype(np.float32).astype(F8)
    path = tmp_path / "x.safetensors"
    save_file({"w.weight": stored, "w.weight_scale": scales}, path)
    np.testing.assert_array_equal(
        np.asarray(load_table(path, tensor="w.weight").vectors[:]),
        stored.astype(np.float32) * scales.astype(np.float32),
    )


def test_the_config_of_a_model_tells_the_size_of_blocks(tmp_path: Path) -> None:
    scales = np.array(RNG.uniform(0.1, 1, size=(3, 1)), np.float32)
    tensors = {
        "embed_tokens.weight": np.ones((300, 64), F8),
        "embed_tokens.weight_scale_inv": scales,
    }
    save_file(tensors, tmp_path / "model.safetensors")
    path = tmp_path / "config.json"
    path.write_text("{}")
    with pytest.raises(LoadError, match="not known"):  # 300 rows are 3 blocks of 100 or of 128.
        load_table(tmp_path, tensor="embed_tokens.weight")
    for block, wanted in (([100, 64], 100), ([128, 128], 128)):
        path.write_text(json.dumps({"quantization_config": {"weight_block_size": block}}))
        found = np.asarray(load_table(tmp_path, tensor="embed_tokens.weight").vectors[:])
        assert [int((found[:, 0] == s).sum()) for s in scales[:2, 0]] == [wanted, wanted]
    path.write_text(json.dumps({"quantization_config": {"weight_block_size": [64, 64]}}))
    with pytest.raises(LoadError, match="not known"):
        load_table(tmp_path, tensor="embed_tokens.weight")


def test_scales_are_not_taken_for_the_table(tmp_path: Path) -> None:
    tensors = {"embed.weight": np.ones((9, 4), F8), "embed.weight_scale": np.ones((9, 1))}
    save_file(tensors, tmp_path / "x.safetensors")
    assert load_table(tmp_path / "x.safetensors").name == "embed.weight"
    assert [info.note for info in list_tensors(tmp_path / "x.safetensors")] == [
        "float8_e4m3fn with a scale a row in embed.weight_scale", "scales of embed.weight",
    ]  # fmt: skip


def test_scales_may_lie_in_another_shard(tmp_path: Path) -> None:
    save_file({"w.weight": np.full((4, 2), 3, F8)}, tmp_path / "a.safetensors")
    save_file({"w.weight_scale": np.float32([[2.0]])}, tmp_path / "b.safetensors")
    homes = {"w.weight": "a.safetensors", "w.weight_scale": "b.safetensors"}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": homes}))
    assert load_table(tmp_path, tensor="w.weight").vectors[0:1].tolist() == [[6, 6]]


REFUSED = {
    "unknown name": ({"w.weight": F8, "w.scale_of_my_own": np.float32}, "w.scale_of_my_own"),
    "two scales": ({"w.weight": F8, "w.weight_scale": F8, "w.weight_scale_2": np.float32}, "_2"),
    "zero point": (
        {"w.weight": np.int8, "w.weight_scale": np.float32, "w.weight_zero_point": np.int8},
        "w.weight_zero_point",
    ),
    "integer scales": ({"w.weight": F8, "w.weight_scale": np.uint8}, "w.weight_scale"),
    "mlx": ({"w.weight": np.uint32, "w.scales": np.float16, "w.biases": np.float16}, "w.scales"),
    "bitsandbytes": ({"w.weight": np.uint8, "w.weight.absmax": np.float32}, "w.weight.absmax"),
    "bitsandbytes int8": ({"w.weight": np.int8, "w.SCB": np.float32}, "w.SCB"),
    "gptq": ({"w.qweight": np.int32, "w.qzeros": np.int32, "w.scales": np.float16}, "w.qzeros"),
    "at the top": ({"emb": F8, "scale": np.float32}, "scale"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_values_that_are_packed_or_scaled_otherwise_are_refused_never_wrong(
    tmp_path: Path, case: str
) -> None:
    kinds, said = REFUSED[case]
    path = tmp_path / "x.safetensors"
    save_file({name: np.ones((6, 4), kind) for name, kind in kinds.items()}, path)
    name = next(iter(kinds))
    with pytest.raises(LoadError, match="in a way that is not known, by ") as told:
        load_table(path, tensor=name)
    assert said in str(told.value)
    assert "save the model in bfloat16 or float32" in str(told.value)
    assert name not in [t.name for t in open_source(path).tensors if t.is_candidate]


def test_what_is_not_quantized_is_left_as_it_is(tmp_path: Path) -> None:
    tensors = {
        "w.weight": np.ones((6, 4), np.float32), "w.weight_scale": np.ones((6, 1), np.float32),
        "plain.weight": np.ones((6, 4), F8), "attn.weight": np.ones((6, 4), F8),
        "attn.k_scale": np.ones(1, np.float32), "attn.input_scale": np.ones(1, np.float32),
        "ids": np.ones((6, 2), np.int64), "scale": np.ones(1, np.float32),
    }  # fmt: skip
    path = tmp_path / "x.safetensors"
    save_file(tensors, path)
    for name in ("w.weight", "plain.weight", "attn.weight", "ids"):
        assert load_table(path, tensor=name).vectors.dtype == tensors[name].dtype


@given(st.integers(1, 400), st.integers(1, 400), st.data())
def test_blocks_that_are_taken_are_the_only_ones_that_cover_a_side(
    n: int, block: int, data: st.DataObject
) -> None:
    from embviz.loaders.weights.scales import _find_block

    n_blocks = -(-n // block)
    found = _find_block(n, n_blocks, 0)
    if found:
        assert -(-n // found) == n_blocks
    is_power = block & (block - 1) == 0
    if (is_power or n % block == 0) and 1 < n_blocks < n:
        assert found in (0, block) or n % found == 0
    assert _find_block(n, n_blocks, block) in (block, n, 1)


@pytest.mark.skipif(sys.platform != "linux", reason="what is mapped is told by /proc")
def test_pages_that_were_read_are_let_go(tmp_path: Path) -> None:
    tensors = {"w.weight": np.ones((40_000, 1024), F8), "w.weight_scale": np.ones((40_000, 1))}
    save_file(tensors, tmp_path / "x.safetensors")
    found = load_table(tmp_path / "x.safetensors")
    assert isinstance(found.vectors, ScaledRows)
    passes = {
        "some rows": lambda: take_rows(found.vectors, np.arange(0, 40_000, 40)),
        "blocks": lambda: [None for _ in found.blocks()],
        "neighbors": lambda: find_neighbors(found, [5], 3),
    }
    for name, run in passes.items():
        before = _mapped_mib()
        run()
        assert _mapped_mib() - before < 12, name


def _mapped_mib() -> float:
    """How much of files is mapped into this process."""
    (line,) = [
        line for line in Path("/proc/self/status").read_text().splitlines() if "RssFile" in line
    ]
    return int(line.split()[1]) / 1024
