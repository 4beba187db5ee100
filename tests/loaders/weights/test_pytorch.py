"""PyTorch files: what PyTorch itself wrote, and what a writer without it does."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch_writer import Call, Storage, named, tensor, write_zip

from embviz import LoadError
from embviz.loaders import list_tensors, load_table, open_source
from embviz.loaders.opened import Tensor

REAL = Path(__file__).parents[2] / "data" / "pytorch"
EXPECTED: dict[str, dict[str, Any]] = json.loads((REAL / "expected.json").read_text())
RNG = np.random.default_rng(5)
_events: list[str] = []
_watched: tuple[str, ...] = ()


def _hook(event: str, _: object) -> None:
    if event in _watched:
        _events.append(event)


sys.addaudithook(_hook)


@contextmanager
def watched(*names: str) -> Iterator[list[str]]:
    """Note which of these events Python announces."""
    global _watched
    _events.clear()
    _watched = names
    try:
        yield _events
    finally:
        _watched = ()


KINDS = {
    "Double": "f8", "Float": "f4", "Half": "f2", "Long": "i8", "Int": "i4", "Short": "i2",
    "Char": "i1", "Byte": "u1",
}  # fmt: skip


def read(path: Path, tensor: str | None = None) -> np.ndarray[Any, Any]:
    return np.asarray(load_table(path, tensor=tensor).vectors[:])


def found(path: Path) -> dict[str, Tensor]:
    return {t.name: t for t in open_source(path).tensors}


def refusal(path: Path, tensor: str | None = None) -> str:
    with pytest.raises(LoadError) as caught:
        load_table(path, tensor=tensor)
    return str(caught.value)


@pytest.mark.parametrize(
    ("file", "tensor"), [(file, name) for file, names in EXPECTED.items() for name in names]
)
def test_what_pytorch_wrote_is_what_is_read(file: str, tensor: str) -> None:
    wanted = EXPECTED[file][tensor]
    table = load_table(REAL / file, tensor=tensor)
    array = np.concatenate([np.asarray(block) for _, block in table.blocks()]).astype("<f4")
    assert list(array.shape) == wanted["shape"]
    assert hashlib.sha256(array.tobytes()).hexdigest() == wanted["sha256_float32"]
    if table.verify is not None:
        table.verify()


@pytest.mark.parametrize(
    ("file", "taken"),
    [
        ("state_dict.pt", "embed.weight"),
        ("epoch=3-step=400.ckpt", "state_dict/0.weight"),
        ("whole_module.pt", "weight"),
        ("scripted.pt", "0.weight"),
        ("legacy.pt", "embed.weight"),
    ],
)
def test_the_table_of_a_model_is_taken(file: str, taken: str) -> None:
    assert [info.name for info in list_tensors(REAL / file) if info.taken] == [taken]
    assert load_table(REAL / file).name == taken


def test_what_an_optimizer_keeps_is_listed_as_slots() -> None:
    tensors = found(REAL / "epoch=3-step=400.ckpt")
    slots = [t for name, t in tensors.items() if name.startswith("optimizer_states/0/state/")]
    assert len(slots) == 9
    assert {t.role for t in slots} == {"slot"}
    assert read(REAL / "epoch=3-step=400.ckpt", "optimizer_states/0/state/0/exp_avg").any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_type_is_read_from_every_protocol(tmp_path: Path, kind: str, protocol: int) -> None:
    array = RNG.integers(0, 99, (7, 3)).astype(KINDS[kind])
    root = {"w": tensor(Storage(f"{kind}Storage", "0", 21), (7, 3))}
    path = write_zip(tmp_path / "x.pt", root, {"0": array.tobytes()}, protocol)
    vectors = read(path)
    assert vectors.dtype == array.dtype
    np.testing.assert_array_equal(vectors, array)


def test_a_truth_is_0_or_1(tmp_path: Path) -> None:
    root = {"w": tensor(Storage("BoolStorage", "0", 6), (3, 2))}
    path = write_zip(tmp_path / "x.pt", root, {"0": b"\0\1\1\0\0\1"})
    assert read(path).tolist() == [[0, 1], [1, 0], [0, 1]]
    assert [t.dtype for t in open_source(path).tensors] == ["uint8"]


VIEWS = {
    "whole": ((6, 4), (4, 1), 0),
    "rows": ((3, 4), (4, 1), 8),
    "columns": ((6, 2), (4, 1), 1),
    "every_second": ((3, 4), (8, 1), 4),
    "transposed": ((4, 6), (1, 4), 0),
    "one": ((1, 4), (99, 1), 20),
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_what_its_offset_and_strides_say(tmp_path: Path, view: str) -> None:
    base = RNG.normal(size=24).astype("<f4")
    shape, strides, offset = VIEWS[view]
    storage = Storage("FloatStorage", "0", 24)
    root = {"all": tensor(storage, (24,)), "view": tensor(storage, shape, strides, offset)}
    path = write_zip(tmp_path / "x.pt", root, {"0": base.tobytes()})
    right = np.lib.stride_tricks.as_strided(base[offset:], shape, [4 * s for s in strides])
    np.testing.assert_array_equal(read(path, "view"), right)
    np.testing.assert_array_equal(read(path, "view")[1:], right[1:])


def test_nothing_is_imported_or_called(tmp_path: Path) -> None:
    """`os.system` and others are calls that PyTorch's own loader would make."""
    touched = tmp_path / "touched"
    calls = [
        Call(named("os", "system"), (f"touch {touched}",)),
        Call(named("posix", "system"), (f"touch {touched}",), new=True),
        Call(named("builtins", "eval"), ("1/0",)),
        Call(named("antigravity", "fly"), state={"a": 1}),
    ]
    root = {"calls": calls, "w": tensor(Storage("FloatStorage", "0", 6), (3, 2))}
    path = write_zip(tmp_path / "x.pt", root, {"0": np.arange(6, dtype="<f4").tobytes()})
    loaded = set(sys.modules)
    with watched("import", "exec", "os.system", "compile", "pickle.find_class") as events:
        open_source(path)
    assert events == []
    assert set(sys.modules) == loaded
    assert "antigravity" not in sys.modules
    assert read(path).tolist() == [[0, 1], [2, 3], [4, 5]]
    assert not touched.exists()
