"""PyTorch files: what PyTorch itself wrote, and what a writer without it does."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch_reading import found, read, refusal
from torch_writer import (
    Call,
    Source,
    Storage,
    dump,
    floats,
    named,
    store,
    tensor,
    write_older,
    write_zip,
)

from embviz.loaders import list_tensors, load_table, open_source

REAL = Path(__file__).parents[2] / "data" / "pytorch"
EXPECTED: dict[str, dict[str, Any]] = json.loads((REAL / "expected.json").read_text())
RNG = np.random.default_rng(5)
KINDS = {
    "Double": "f8", "Float": "f4", "Half": "f2", "Long": "i8", "Int": "i4", "Short": "i2",
    "Char": "i1", "Byte": "u1",
}  # fmt: skip


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


def test_the_older_format_is_read_with_storages_of_every_type(tmp_path: Path) -> None:
    """Storages that no table needs are gone past by their size; a module is one of a source."""
    arrays = {
        "0": floats(3, 2),
        "1": np.arange(6, dtype="<i8").reshape(3, 2),
        "2": np.zeros(5, "<c16"),
        "3": np.zeros(7, "i1"),
        "4": floats(3, 2).astype(ml_dtypes.bfloat16),
    }
    parameters = {"weight": tensor(store(key="0"), (3, 2))}
    state = {"_parameters": parameters, "_buffers": {}, "_modules": {}}
    root = {
        "model": Call(Source(named("mine", "Model")), state=state, new=True),
        "odd": Call(named("mine", "Odd"), (store("ComplexDoubleStorage", 5, "2"),)),
        "q": store("QInt8Storage", 7, "3"),
        "ints": tensor(store("LongStorage", key="1"), (3, 2)),
        "brain": tensor(store("BFloat16Storage", key="4"), (3, 2)),
    }
    path = write_older(tmp_path / "x.pth", root, arrays)
    for name, key in (("model/weight", "0"), ("ints", "1"), ("brain", "4")):
        np.testing.assert_array_equal(read(path, name), arrays[key])
    assert found(path)["odd"].note.startswith("it is made by mine.Odd")
    unknown = {"w": tensor(store("NewStorage"), (3, 2))}
    path = write_older(tmp_path / "y.pth", unknown, {"0": arrays["0"]})
    assert "damaged: a storage of torch.NewStorage" in refusal(path)


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


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_view_is_what_numpy_makes_of_it(data: st.DataObject) -> None:
    """Slices, steps, transposes and reshapes of a base, each as its strides say."""
    base = np.arange(120, dtype="<i4").reshape(data.draw(st.sampled_from([(10, 12), (4, 5, 6)])))
    view = base
    for _ in range(data.draw(st.integers(0, 3))):
        axis = data.draw(st.integers(0, view.ndim - 1))
        cut = slice(data.draw(st.integers(0, 2)), None, data.draw(st.integers(1, 3)))
        view = np.moveaxis(view[(slice(None),) * axis + (cut,)], axis, 0)
    assume(view.size)
    view = view if view.ndim == 2 else view[0]
    strides = tuple(step // 4 for step in view.strides)
    address = view.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    root = [tensor(store("IntStorage", 120), view.shape, strides, address // 4)]
    with tempfile.TemporaryDirectory() as folder:
        path = write_zip(Path(folder, "x.pt"), root, {"0": base.tobytes()})
        np.testing.assert_array_equal(read(path, "0"), view)


SMALL = {
    "bfloat16": ml_dtypes.bfloat16,
    "float8_e4m3fn": ml_dtypes.float8_e4m3fn,
    "float8_e5m2": ml_dtypes.float8_e5m2,
    "uint16": np.uint16,
    "uint64": np.uint64,
}


@pytest.mark.parametrize("dtype", SMALL)
def test_new_types_lie_in_storages_of_bytes(tmp_path: Path, dtype: str) -> None:
    array = np.arange(6).reshape(3, 2).astype(SMALL[dtype])
    bytes_of = store("UntypedStorage", array.nbytes, module="torch.storage")
    root = {"w": tensor(bytes_of, (3, 2), None, 0, named("torch", dtype), by="_rebuild_tensor_v3")}
    path = write_zip(tmp_path / "x.pt", root, {"0": array.tobytes()})
    vectors = read(path)
    assert vectors.dtype == array.dtype
    assert vectors.tobytes() == array.tobytes()
    assert [t.dtype for t in open_source(path).tensors] == [dtype]


@pytest.mark.parametrize("kind", ["F8", "I8"])
@pytest.mark.parametrize("shape", [(), (1,), (8,), (8, 1), (1, 4), (2, 4)])
@pytest.mark.parametrize("byteorder", [b"little", b"big"])
def test_a_table_whose_scales_lie_beside_it_is_multiplied_by_them(
    tmp_path: Path, kind: str, shape: tuple[int, ...], byteorder: bytes
) -> None:
    dtype, name = {
        "F8": (ml_dtypes.float8_e4m3fn, "float8_e4m3fn"), "I8": (np.int8, "int8")
    }[kind]  # fmt: skip
    values = (np.random.default_rng(1).normal(size=(4, 8)) * 40).astype(dtype)  # Lies turned.
    scales = np.asarray(1 + floats(*shape) ** 2, ml_dtypes.bfloat16)
    bits = scales.view(np.uint16)
    stored = bits.byteswap() if byteorder == b"big" else bits
    of_bytes = store("UntypedStorage", values.nbytes, module="torch.storage")
    root = {
        "e.weight": tensor(
            of_bytes, (8, 4), (1, 8), 0, named("torch", name), by="_rebuild_tensor_v3"
        ),
        "e.weight_scale": tensor(store("BFloat16Storage", scales.size, "1"), shape),
    }
    storages = {"0": values.tobytes(), "1": stored.tobytes()}
    path = write_zip(tmp_path / "x.pt", root, storages, byteorder=byteorder)
    factors = scales.astype(np.float32).reshape(shape if len(shape) != 1 else (-1, 1))
    spread = np.repeat(factors, 4, axis=0) if shape == (2, 4) else factors
    vectors = read(path)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, values.T.astype(np.float32) * spread)
    listed = {t.name: t for t in open_source(path).tensors}
    assert listed["e.weight"].note.startswith(f"{name} with ")
    assert (listed["e.weight_scale"].role, listed["e.weight"].dtype) == ("slot", "float32")


@pytest.mark.parametrize("kind", ["Float", "Double", "Half", "Long", "BFloat16", "Byte"])
def test_the_other_byte_order_is_read_where_the_file_says_so(tmp_path: Path, kind: str) -> None:
    dtype = np.dtype({**KINDS, "BFloat16": ml_dtypes.bfloat16}[kind])
    array = np.arange(20).reshape(10, 2).astype(dtype)
    words = array.view(f"u{dtype.itemsize}")
    root = {"w": tensor(store(f"{kind}Storage", 20), (10, 2))}
    swapped = words.byteswap().tobytes()
    path = write_zip(tmp_path / "x.pt", root, {"0": swapped}, byteorder=b"big")
    np.testing.assert_array_equal(read(path).astype("f8"), array.astype("f8"))
    table = load_table(path)
    blocks = np.concatenate([np.asarray(block) for _, block in table.blocks()])
    np.testing.assert_array_equal(blocks, array.astype("f4"))
    same = write_zip(tmp_path / "y.pt", root, {"0": array.tobytes()}, byteorder=b"little")
    np.testing.assert_array_equal(read(same).astype("f8"), array.astype("f8"))
    odd = write_zip(tmp_path / "z.pt", root, {"0": array.tobytes()}, byteorder=b"middle")
    assert "byte order" in refusal(odd)


def test_an_archive_that_was_packed_again_is_read(tmp_path: Path) -> None:
    array = floats(50, 4)
    root = {"w": tensor(store(n=200), (50, 4))}
    path = write_zip(tmp_path / "x.pt", root, {"0": array.tobytes()}, method=zipfile.ZIP_DEFLATED)
    np.testing.assert_array_equal(read(path), array)


def test_zip64_is_read(tmp_path: Path) -> None:
    array, path = floats(3, 2), tmp_path / "x.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", dump({"w": tensor(store(), (3, 2))}))
        with archive.open("x/data/0", "w", force_zip64=True) as member:
            member.write(array.tobytes())
    np.testing.assert_array_equal(read(path), array)


def nested(value: Any) -> dict[str, Any]:
    return {"a": {"b": [0, {"c": (1, value)}]}, 5: value, "hyper": {"lr": 0.1}}


def test_names_are_keys_and_places_down_to_the_tensor(tmp_path: Path) -> None:
    root = nested(tensor(store(), (3, 2)))
    path = write_zip(tmp_path / "x.pt", root, {"0": floats(3, 2).tobytes()})
    assert list(found(path)) == ["a/b/1/c/1", "5"]
    alone = write_zip(tmp_path / "y.pt", tensor(store(), (3, 2)), {"0": floats(3, 2).tobytes()})
    assert list(found(alone)) == ["y"]


def test_an_ordered_dict_of_python_2_is_a_dictionary(tmp_path: Path) -> None:
    pairs = [["w", tensor(store(), (3, 2))], ("b", tensor(store(), (6,)))]
    ordered = Call(named("collections", "OrderedDict"), (pairs,))
    path = write_zip(tmp_path / "x.pt", ordered, {"0": floats(3, 2).tobytes()})
    assert list(found(path)) == ["w", "b"]


def test_constants_of_torchscript_are_read(tmp_path: Path) -> None:
    array, other = floats(3, 2), floats(4, 2) + 1
    root = Call(named("__torch__", "M"), state={"w": tensor(store(), (3, 2))}, new=True)
    constants = {
        "constants.pkl": dump((tensor(store(n=8), (4, 2)),)),
        "constants/0": other.tobytes(),
    }
    path = write_zip(tmp_path / "x.pt", root, {"0": array.tobytes()}, **constants)
    np.testing.assert_array_equal(read(path, "w"), array)
    np.testing.assert_array_equal(read(path, "constants/0"), other)


def module(name: str, **parts: Any) -> Call:
    state = {"training": True, "_parameters": {}, "_buffers": {}, "_modules": {}, **parts}
    return Call(named("mine", name), state=state, new=True)


def test_a_module_is_named_as_its_state_dict_is(tmp_path: Path) -> None:
    parameter = Call(
        named("torch._utils", "_rebuild_parameter"), (tensor(store(), (3, 2)), True, None)
    )
    hidden = Call(named("builtins", "set"), (["cache"],))
    embed = module("Embed", _parameters={"weight": parameter, "bias": None})
    block = module(
        "Block",
        _modules={"embed": embed, "none": None},
        _buffers={"cache": tensor(store(), (6,)), "mean": tensor(store(), (6,))},
        _non_persistent_buffers_set=hidden,
    )
    model = module("Model", _modules={"0": block})
    content = {"0": floats(3, 2).tobytes()}
    path = write_zip(tmp_path / "x.pt", model, content)
    assert list(found(path)) == ["0.mean", "0.embed.weight"]
    path = write_zip(tmp_path / "y.pt", {"model": model, "ema": [block]}, content)
    assert list(found(path)) == [
        "model/0.mean",
        "model/0.embed.weight",
        "ema/0/mean",
        "ema/0/embed.weight",
    ]


def test_one_table_under_two_names_is_listed_as_a_duplicate(tmp_path: Path) -> None:
    same = tensor(store(), (3, 2))
    view = tensor(store(), (2, 2), (2, 1), 2)
    root = {"lm_head.weight": same, "embed.weight": tensor(store(), (3, 2)), "part": view}
    path = write_zip(tmp_path / "x.pt", root, {"0": floats(3, 2).tobytes()})
    roles = {name: t.role for name, t in found(path).items()}
    assert roles == {"lm_head.weight": "duplicate", "embed.weight": "table", "part": "table"}
    assert found(path)["lm_head.weight"].note == "the same as embed.weight"
    np.testing.assert_array_equal(read(path, "lm_head.weight"), read(path, "embed.weight"))


def test_an_optimizer_is_known_by_what_it_holds_or_how_it_is_called(tmp_path: Path) -> None:
    def table(key: str) -> Call:
        return tensor(store(key=key), (3, 2))

    root = {
        "weight": table("0"),
        "opt_g": {"state": {0: {"exp_avg": table("1")}}, "param_groups": [{"lr": 1}]},
        "optimizers": [{"momentum": table("2")}],
        "optimism.weight": table("3"),
    }
    content = {str(i): floats(3, 2).tobytes() for i in range(4)}
    tensors = found(write_zip(tmp_path / "x.pt", root, content))
    assert [name for name, t in tensors.items() if t.role == "slot"] == [
        "opt_g/state/0/exp_avg",
        "optimizers/0/momentum",
    ]


def test_what_lies_beside_a_table_may_be_of_any_class(tmp_path: Path) -> None:
    scalar = Call(named("numpy.core.multiarray", "scalar"), (named("numpy", "dtype"), b"\0" * 8))
    root = {
        "loss": np.float64(1.5),
        "best": scalar,
        "args": Call(named("argparse", "Namespace"), state={"lr": 1}),
        "config": Call(named("omegaconf", "DictConfig"), new=True, pairs={"a": 1}),
        "mine": Call(named("my.code", "Thing"), (1, "x")),
        "w": tensor(store(), (3, 2)),
    }
    path = write_zip(tmp_path / "x.pt", root, {"0": floats(3, 2).tobytes()})
    assert list(found(path)) == ["w"]
    assert read(path).shape == (3, 2)


V2 = "_rebuild_tensor_v2"
PARAMETERS = {
    "with_state": Call(
        named("torch._utils", "_rebuild_parameter_with_state"),
        (tensor(store(), (3, 2)), True, None, {"tag": Call(named("x", "Y"))}),
    ),
    "new": Call(
        named("torch.nn.parameter", "Parameter"), (tensor(store(), (3, 2)), True), new=True
    ),
    "of_type": Call(
        named("torch._tensor", "_rebuild_from_type_v2"),
        (named("torch._utils", V2), named("torch.nn.parameter", "Parameter"),
         tensor(store(), (3, 2)).args, {}),
    ),
    "of_device": Call(
        named("torch._utils", "_rebuild_device_tensor_from_cpu_tensor"),
        (tensor(store(), (3, 2)), named("torch", "float32"), "xla:0", False),
    ),
    "older": tensor(store(), (3, 2), by="_rebuild_tensor"),
    "of_size": tensor(store(), Call(named("torch", "Size"), ((3, 2),)), (2, 1)),  # type: ignore[arg-type]
    "of_cuda": tensor(store(device="cuda:0", module="torch.cuda"), (3, 2)),
}  # fmt: skip


@pytest.mark.parametrize("kind", PARAMETERS)
def test_every_way_in_which_a_tensor_is_pickled_is_read(tmp_path: Path, kind: str) -> None:
    array = floats(3, 2)
    path = write_zip(tmp_path / "x.pt", {"w": PARAMETERS[kind]}, {"0": array.tobytes()})
    np.testing.assert_array_equal(read(path), array)


@pytest.mark.parametrize(
    "beside",
    [
        {"itos": ["x", "y", "z"]},
        {"stoi": {"z": 2, "x": 0, "y": 1}},
        {"id2label": {0: "x", 2: "z", 1: "y"}},
        {"vocab": Call(named("collections", "OrderedDict"), pairs={"y": 1, "x": 0, "z": 2})},
    ],
)
def test_words_that_were_saved_with_a_table_are_its_labels(
    tmp_path: Path, beside: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "embviz")
    (name,) = beside
    others = {"few": ["a", "b"], "numbers": [1, 2, 3], "gaps": {"a": 0, "b": 2, "c": 3}}
    root = {**others, **beside, "model": {"w": tensor(store(), (3, 2))}, "same": ["x", "y", "z"]}
    path = write_zip(tmp_path / "x.pt", root, {"0": floats(3, 2).tobytes()})
    assert load_table(path).metadata == {name: ("x", "y", "z")}
    assert found(path)["model/w"].note == f"table, with labels ({name})"
    assert f"{path}: with the labels that were saved beside 'model/w' ({name})" in caplog.text


def test_vectors_of_torchtext_have_their_words(tmp_path: Path) -> None:
    words = ["x", "y", "z"]
    root = (words, {word: i for i, word in enumerate(words)}, tensor(store(), (3, 2)), 2)
    path = write_zip(tmp_path / "glove.txt.pt", root, {"0": floats(3, 2).tobytes()})
    table = load_table(path)
    assert (table.name, dict(table.metadata)) == ("2", {"label": ("x", "y", "z")})
    assert found(path)["2"].note == "table, with labels"
