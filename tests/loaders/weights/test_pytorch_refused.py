"""PyTorch files that are damaged or hostile, and tensors that cannot be read."""

from __future__ import annotations

import re
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch_reading import read, refusal
from torch_writer import Call, Storage, dump, floats, named, store, tensor, write_zip

from embviz import LoadError
from embviz.loaders import list_tensors, load_table, open_source

REAL = Path(__file__).parents[2] / "data" / "pytorch"
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
    # The formats are imported when a path is first asked of them.
    open_source(write_zip(tmp_path / "y.pt", {"w": root["w"]}, {"0": bytes(24)}))
    loaded = set(sys.modules)
    with watched("import", "exec", "os.system", "compile", "pickle.find_class") as events:
        open_source(path)
    assert events == []
    assert set(sys.modules) == loaded
    assert "antigravity" not in sys.modules
    assert read(path).tolist() == [[0, 1], [2, 3], [4, 5]]
    assert not touched.exists()


V2 = "_rebuild_tensor_v2"
UNREADABLE: dict[str, tuple[Any, str]] = {
    "quantized": (
        tensor(store("QInt8Storage"), (3, 2), None, 0, by="_rebuild_qtensor"),
        "it is made by torch._utils._rebuild_qtensor, which is not read",
    ),
    "sparse": (
        Call(
            named("torch._utils", "_rebuild_sparse_tensor"),
            (named("torch", "sparse_coo"), (tensor(store(), (3, 2)),)),
        ),
        "_rebuild_sparse_tensor, which is not read; in PyTorch: .*to_dense",
    ),
    "complex": (tensor(store("ComplexFloatStorage", 1), (1, 1)), "it is complex64, real numbers"),
    "int4": (tensor(store("QUInt4x2Storage"), (3, 2)), "it is quint4x2"),
    "of_a_class": (
        Call(
            named("torch._tensor", "_rebuild_from_type_v2"),
            (named("torch._utils", V2), named("bnb.nn", "Params4bit"),
             tensor(store(), (3, 2)).args, {}),
        ),
        "it is a bnb.nn.Params4bit, which is not read",
    ),
    "made_by_others": (
        Call(named("mine", "Wrapped"), (tensor(store(), (3, 2)), 2)),
        "it is made by mine.Wrapped, which is not read",
    ),
    "negated": (tensor(store(), (3, 2), None, 0, {"neg": True}), "with the sign turned"),
    "meta": (tensor(store(device="meta"), (3, 2)), r"no values \(device meta\)"),
    "without_storage": (Call(named("torch._utils", V2), (None, 0, (3, 2), (2, 1))), "no storage"),
    "elsewhere": (tensor(store(key="9"), (3, 2)), "its bytes '9' are not in the file"),
    "outside": (tensor(store(), (3, 2), (2, 1), 1), "damaged: element 6 of a storage of 6"),
    "far_outside": (tensor(store(), (3, 2), (1 << 59, 1), 0), "damaged: element"),
    "negative": (tensor(store(), (3, 2), (-2, 1), 4), "no whole numbers"),
    "odd_sides": (tensor(store(), (3, 2), (1,)), "do not belong together"),
    "huge": (tensor(store(), (1 << 62, 2)), "no whole numbers"),
    "expanded": (tensor(store(), (1 << 40, 2), (0, 1)), "lie over each other"),
    "cut_off": (tensor(store(n=1 << 50), (3, 2)), "its storage takes .* bytes, 24 are there"),
    "changed": (
        Call(named("torch._utils", V2), tensor(store(), (3, 2)).args, state={"a": 1}),
        "changed after it was made",
    ),
    "cast": (
        Call(
            named("torch._utils", "_rebuild_device_tensor_from_cpu_tensor"),
            (tensor(store(), (3, 2)), named("torch", "bfloat16"), "xla:0", False),
        ),
        "it is float32 that becomes bfloat16",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_tensor_that_cannot_be_read_is_refused_by_itself(tmp_path: Path, kind: str) -> None:
    node, said = UNREADABLE[kind]
    root = {"odd": node, "w": tensor(store(), (3, 2))}
    path = write_zip(tmp_path / "x.pt", root, {"0": floats(3, 2).tobytes()})
    assert load_table(path, tensor="w").name == "w"
    assert re.search(rf"^{path}: tensor 'odd': .*{said}", refusal(path, "odd"))


FACTORS = [
    "w.weight_scale",
    "w.weight_scale_inv",
    "w.SCB",
    "w.scales",
    "w.weight.absmax",
    "w.weight.quant_state.bitsandbytes__nf4",
    "w.weight_zero_point",
]


@pytest.mark.parametrize("factors", FACTORS)
def test_numbers_of_a_byte_with_factors_beside_them_are_refused(
    tmp_path: Path, factors: str
) -> None:
    root = {
        "w.weight": tensor(store("CharStorage"), (3, 2)),
        factors: tensor(store(key="1"), (6,)),
        "other.weight": tensor(store("CharStorage"), (2, 2)),
    }
    path = write_zip(tmp_path / "x.pt", root, {"0": b"abcdef", "1": floats(6).tobytes()})
    assert f"int8, of which '{factors}' has the factors" in refusal(path, "w.weight")
    assert read(path, "other.weight").shape == (2, 2)


@pytest.mark.parametrize("other", ["v.weight_scale", "scale", "w.weight_scaled", "wscale", "w"])
def test_factors_of_other_weights_are_no_factors(tmp_path: Path, other: str) -> None:
    root = {
        "w.weight": tensor(store("CharStorage"), (3, 2)),
        other: tensor(store(key="1"), (6,)),
    }
    path = write_zip(tmp_path / "x.pt", root, {"0": b"abcdef", "1": floats(6).tobytes()})
    assert read(path, "w.weight").shape == (3, 2)


def test_an_array_of_numpy_is_listed_and_refused_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    array = np.arange(6.0).reshape(3, 2)
    path = write_zip(tmp_path / "x.pt", {"vectors": array, "state": array[0]}, {})
    assert [(t.name, t.shape) for t in open_source(path).tensors] == [("vectors", (3, 2))]
    text = refusal(path)
    assert "tensor 'vectors': it is an array of NumPy within the pickle" in text
    eval(text.rpartition("save it: ")[2], {"numpy": np, "array": array})
    np.testing.assert_array_equal(load_table(tmp_path / "x.npy").vectors, array)


def test_no_other_table_is_taken_for_one_that_cannot_be_read(tmp_path: Path) -> None:
    root = {"embed.weight": tensor(store(key="gone"), (3, 2)), "fc.weight": tensor(store(), (3, 2))}
    path = write_zip(tmp_path / "x.pt", root, {"0": floats(3, 2).tobytes()})
    assert "'embed.weight': its bytes 'gone' are not in the file" in refusal(path)
    assert "or take another table: --tensor NAME" in refusal(path)
    assert [info.taken for info in list_tensors(path)] == [False, False]
    assert load_table(path, tensor="fc.weight").name == "fc.weight"


def test_a_checksum_is_compared_when_it_is_asked_for(tmp_path: Path) -> None:
    content = {"0": floats(3, 2).tobytes()}
    path = write_zip(tmp_path / "x.pt", {"w": tensor(store(), (3, 2))}, content)
    raw = bytearray(path.read_bytes())
    raw[raw.index(content["0"])] ^= 1
    path.write_bytes(raw)
    table = load_table(path)
    assert table.verify is not None
    with pytest.raises(LoadError, match="'archive/data/0': damaged: it does not match its check"):
        table.verify()
    raw[raw.index(b"_rebuild_tensor_v2")] ^= 1
    path.write_bytes(raw)
    assert "'archive/data.pkl': damaged: it does not match its checksum" in refusal(path)


def test_checksums_that_pytorch_was_told_to_leave_out_are_not_compared(tmp_path: Path) -> None:
    array = floats(3, 2)
    path = write_zip(tmp_path / "x.pt", {"w": tensor(store(), (3, 2))}, {"0": array.tobytes()})
    raw = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            crc = info.CRC.to_bytes(4, "little")
            while (at := raw.find(crc)) >= 0:
                raw[at : at + 4] = bytes(4)
    path.write_bytes(raw)
    np.testing.assert_array_equal(read(path), array)
    assert load_table(path).verify is None


def test_storages_that_lie_over_each_other_take_no_memory(tmp_path: Path) -> None:
    array = floats(3, 2)
    root = {f"w{i}": tensor(store(key=str(i)), (3, 2)) for i in range(50)}
    path = write_zip(tmp_path / "x.pt", root, {str(i): b"" for i in range(50)})
    with zipfile.ZipFile(path) as archive:
        first = archive.getinfo("archive/data/0")
    raw = path.read_bytes()
    at = first.header_offset + 30 + len(first.filename)
    spread = raw[:at] + array.tobytes()
    path.write_bytes(spread)  # The directory is gone.
    assert "damaged zip archive" in refusal(path)
    content = {str(i): array.tobytes() for i in range(50)}
    path = write_zip(tmp_path / "y.pt", root, content)
    whole = bytearray(path.read_bytes())
    directory = whole.index(b"PK\x01\x02")
    offset = whole.index(b"archive/data/0", directory) - 4
    for i in range(1, 50):  # All entries of the directory point to the first member.
        name = b"archive/data/%d" % i
        entry = whole.index(name, directory)
        whole[entry - 4 : entry] = whole[offset : offset + 4]
    path.write_bytes(whole)
    assert "its header in the archive is another" in refusal(path, "w7")
    np.testing.assert_array_equal(read(path, "w0"), array)


def test_an_archive_of_two_models_or_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", dump({}))
        archive.writestr("b/data.pkl", dump({}))
    assert "2 members data.pkl" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/other", b"")
    assert "which is not read; unpack it first" in refusal(path)
    with pytest.raises(LoadError, match=r"no members data\.pkl"):
        load_table(path, input_format="pytorch")


@pytest.mark.parametrize("raw", [b"", b"text\n", b"\x80\x02}.", b"<html>"])
def test_what_is_no_pytorch_file_is_not_read_as_one(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "x.bin").write_bytes(raw)
    with pytest.raises(LoadError, match=r"x\.bin: (no PyTorch file|0 bytes)"):
        load_table(tmp_path / "x.bin", input_format="pytorch")


def test_the_older_format_is_refused_where_it_is_cut_off(tmp_path: Path) -> None:
    raw = (REAL / "legacy.pt").read_bytes()
    path = tmp_path / "x.pt"
    for cut in (*range(15, 400, 7), 5000, len(raw) - 1):
        path.write_bytes(raw[:cut])
        assert re.search(r"x\.pt: (damaged|cut off|a PyTorch file of an unk)", refusal(path))


def test_nothing_but_data_pkl_is_needed(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.pt", {"lr": 0.1}, {})
    assert "no tensor in it is rows of numbers; there is none" in refusal(path)


class Weight:
    """What PyTorch's tensors answer: only plain ones on the CPU become arrays."""

    def __init__(self, *steps: str) -> None:
        self.needed = list(steps)

    def __getattr__(self, step: str) -> Any:
        def call() -> Any:
            if step == "numpy":
                assert not self.needed, f"Can't call numpy() before {self.needed}"
                return np.eye(3, 2, dtype=np.float32)
            return Weight(*(other for other in self.needed if other != step))

        return call


def test_the_way_out_works_for_parameters_of_bfloat16_on_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_zip(tmp_path / "x.pt", {"w": UNREADABLE["of_a_class"][0]}, {"0": bytes(24)})
    line = refusal(path, "w").rpartition("in PyTorch: ")[2]
    weight = Weight("detach", "float", "cpu")
    eval(line, {"numpy": np, "weight": weight})
    assert load_table(tmp_path / "x.npy").vectors.shape == (3, 2)
