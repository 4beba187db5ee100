"""Archives that are damaged, or lie: each is one line with the file and the member."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from embviz.cli import main
from embviz.errors import LoadError
from embviz.loaders import list_tensors, load_table
from embviz.loaders.bytes import zip_members

VECTORS = np.random.default_rng(5).normal(size=(60, 24)).astype(np.float32)
LABELS = np.array([f"wörd {i}" for i in range(60)])
PACKINGS = {
    "stored": zipfile.ZIP_STORED,
    "deflate": zipfile.ZIP_DEFLATED,
    "bzip2": zipfile.ZIP_BZIP2,
    "lzma": zipfile.ZIP_LZMA,
}


def npy(array: np.ndarray, shape: str | None = None, **fields: object) -> bytes:
    """An array as a .npy file, with another header where one is asked for."""
    values = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape, **fields}
    header = repr(values).replace(repr(array.shape), shape or repr(array.shape)).encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + array.tobytes()


def archive(path: Path, packing: str = "stored", **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", PACKINGS[packing]) as file:
        for name, raw in members.items():
            file.writestr(f"{name}.npy", raw)
    return path


def member(path: Path, name: str) -> tuple[int, int, int]:
    """The places of a member's local header, its bytes and its directory entry."""
    raw = path.read_bytes()
    with zipfile.ZipFile(path) as file:
        info = file.getinfo(f"{name}.npy")
    local = info.header_offset
    n_name, n_extra = struct.unpack_from("<HH", raw, local + 26)
    directory, wanted = raw.index(b"PK\1\2"), f"{name}.npy".encode()
    while raw[directory + 46 : directory + 46 + len(wanted)] != wanted:
        directory = raw.index(b"PK\1\2", directory + 4)
    return local, local + 30 + n_name + n_extra, directory


def patch(path: Path, at: int, new: bytes) -> None:
    raw = bytearray(path.read_bytes())
    raw[at : at + len(new)] = new
    path.write_bytes(raw)


def refused(path: Path, capsys: pytest.CaptureFixture[str], name: str = "emb") -> str:
    """What `project` and `neighbors` say in one line; `info` shows it or lists the others."""
    out = path.with_name("out.html")
    said = set()
    for arguments in (
        ["project", str(path), "--tensor", "emb", "-o", str(out)],
        ["neighbors", "0", "--source", str(path), "--tensor", "emb"],
    ):
        assert main(arguments) == 1
        shown = capsys.readouterr()
        assert shown.out == ""
        (line,) = shown.err.splitlines()
        assert path.name in line
        assert name in line
        said.add(line)
    assert not out.exists()
    assert main(["info", str(path)]) in (0, 1)
    capsys.readouterr()
    return said.pop()


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("name", ["emb", "labels"])
def test_every_packing_is_read(tmp_path: Path, packing: str, name: str) -> None:
    path = archive(tmp_path / "x.npz", packing, emb=npy(VECTORS), labels=npy(LABELS))
    table = load_table(path)
    np.testing.assert_array_equal(table.vectors, VECTORS)
    assert table.metadata["labels"] == tuple(LABELS.tolist())


@pytest.mark.parametrize("packing", ["deflate", "bzip2", "lzma"])
@pytest.mark.parametrize("name", ["emb", "labels"])
@pytest.mark.parametrize("place", ["start", "middle", "checksum", "end"])
def test_a_damaged_member_is_one_line_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], packing: str, name: str, place: str
) -> None:
    path = archive(tmp_path / "x.npz", packing, emb=npy(VECTORS), labels=npy(LABELS))
    _, start, directory = member(path, name)
    size = struct.unpack_from("<I", path.read_bytes(), directory + 20)[0]
    if place == "checksum":
        patch(path, directory + 16, b"\1\2\3\4")
    elif place == "end":
        patch(path, directory + 20, struct.pack("<I", size // 2))
    else:
        patch(path, start + (9 if place == "start" else size // 2), b"\xff\0\xff\0\xff\0")
    assert "damaged" in refused(path, capsys, name)


@pytest.mark.parametrize("name", ["emb", "labels"])
@pytest.mark.parametrize(
    ("field", "new", "said"),
    [
        (8, struct.pack("<H", 1), "encrypted"),
        (8, struct.pack("<H", 1 << 5), "a patch"),
        (10, struct.pack("<H", 9), "packed by Deflate64"),
        (10, struct.pack("<H", 777), "packed by method 777"),
        (20, struct.pack("<I", 1 << 30), "cut off"),
        (24, struct.pack("<I", 1 << 30), "said to be 1073741824"),
        (42, struct.pack("<I", 3), "damaged: its header is not there"),
    ],
)
def test_what_the_directory_says_of_a_member_is_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, field: int, new: bytes, said: str
) -> None:
    path = archive(tmp_path / "x.npz", emb=npy(VECTORS), labels=npy(LABELS))
    local, _, directory = member(path, name)
    patch(path, directory + field, new)
    if field == 10:
        patch(path, local + 8, new)
    if (name, said) == ("labels", "encrypted"):
        assert "labels" not in load_table(path).metadata
        assert [i.note for i in list_tensors(path)] == ["table", "encrypted"]
    else:
        assert said in refused(path, capsys, name)


def test_a_member_that_points_to_another_is_damaged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = archive(tmp_path / "x.npz", emb=npy(VECTORS), other=npy(VECTORS * 2))
    _, _, directory = member(path, "emb")
    other, _, _ = member(path, "other")
    patch(path, directory + 42, struct.pack("<I", other))
    assert "its header in the archive is another" in refused(path, capsys)


@pytest.mark.parametrize("where", ["directory", "local"])
def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path, where: str) -> None:
    path = tmp_path / "x.npz"
    archive(path, emb=npy(VECTORS), é=npy(LABELS))
    raw = path.read_bytes()
    names = [raw.index("é.npy".encode()), raw.rindex("é.npy".encode())]
    patch(path, names[where == "directory"], b"\xff")
    with pytest.raises(LoadError, match=r"x\.npz.*damaged"):
        load_table(path)


@pytest.mark.parametrize("name", ["emb", "labels"])
@pytest.mark.parametrize(
    "shape",
    ["(0x" + "f" * 5000 + ", 24)", "(" + "9" * 400 + ",)", "(9223372036854775808,)", "(1,) * 9",
     "(" + "1, " * 40 + ")", "{60, 24}", "(60, 24.0)"],
)  # fmt: skip
def test_a_shape_that_no_array_has_is_a_damaged_header(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, shape: str
) -> None:
    members = {"emb": npy(VECTORS), "labels": npy(LABELS)}
    members[name] = npy(VECTORS if name == "emb" else LABELS, shape)
    assert "damaged .npy header" in refused(archive(tmp_path / "x.npz", **members), capsys, name)


@pytest.mark.parametrize("header", [b"{'descr', 'fortran_order', 'shape'}", b"[1]", b"1or 2"])
def test_a_header_that_is_no_dictionary_is_damaged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], header: bytes
) -> None:
    raw = b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header
    path = archive(tmp_path / "x.npz", emb=npy(VECTORS), labels=raw)
    assert "damaged .npy header" in refused(path, capsys, "labels")


def test_a_shape_beyond_all_numbers_is_refused_in_a_npy_file(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(npy(VECTORS, "(60, 0x" + "f" * 4500 + ")"))
    with pytest.raises(LoadError, match=r"x\.npy: a damaged \.npy header"):
        list_tensors(path)


@pytest.mark.parametrize("order", "<>")
def test_labels_beyond_unicode_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], order: str
) -> None:
    codes = np.full(60, 0x110000, f"{order}u4")
    labels = npy(codes, descr=f"{order}U1")
    path = archive(tmp_path / "x.npz", emb=npy(VECTORS), labels=labels)
    assert "text that is not Unicode" in refused(path, capsys, "labels")


def test_records_are_no_labels_and_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, emb=VECTORS, rows=np.zeros(60, [("a", "f4")]))
    assert load_table(path).metadata == {}
    assert list_tensors(path)[1].note == "a structured array (records), not numbers"


LIMITED = """
import resource, sys
from embviz.loaders import load_table
import numpy as np
from embviz.errors import LoadError
import embviz.loaders.arrays.npz
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (128 << 20),) * 2)
try:
    print(load_table(sys.argv[1]).vectors.sum())
except LoadError as e:
    print(e)
"""


@pytest.mark.parametrize("bug", [IndexError, ValueError, NotImplementedError])
def test_a_bug_of_ours_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bug: type[Exception]
) -> None:
    def fail(take: object, most: int) -> bytes:
        raise bug("not the file's fault")

    monkeypatch.setattr(zip_members, "_inflate", lambda: fail)
    np.savez_compressed(tmp_path / "x.npz", emb=np.ones((4, 3)))
    with pytest.raises(bug, match="not the file's fault"):
        load_table(tmp_path / "x.npz").vectors[0:4]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is limited by setrlimit")
@pytest.mark.parametrize("kind", ["dictionary", "bzip2", "lzma"])
def test_memory_is_not_taken_before_sizes_are_checked(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.npz"
    if kind == "dictionary":  # LZMA that asks for 4 GiB to unpack 6 kB
        archive(path, "lzma", emb=npy(VECTORS))
        patch(path, member(path, "emb")[1] + 5, b"\xff\xff\xff\xff")
        wanted = str(VECTORS.sum())
    else:  # 256 MB of which the directory says that it is 6 kB
        with zipfile.ZipFile(path, "w", PACKINGS[kind]) as file, file.open("emb.npy", "w") as emb:
            emb.write(npy(VECTORS))
            for _ in range(16):
                emb.write(bytes(16 << 20))
        whole = npy(VECTORS)
        directory = member(path, "emb")[2]
        patch(path, directory + 16, struct.pack("<I", zlib.crc32(whole)))
        patch(path, directory + 24, struct.pack("<I", len(whole)))
        wanted = str(VECTORS.sum())
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, timeout=100,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.stdout.strip() == wanted, done.stderr


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no device without an end")
@pytest.mark.parametrize("kind", ["npz", "npy"])
def test_a_device_is_no_file_of_arrays(capsys: pytest.CaptureFixture[str], kind: str) -> None:
    assert main(["info", "/dev/zero", "--input-format", kind]) == 1
    assert "/dev/zero: " in capsys.readouterr().err


def test_where_no_table_is_left_whole_the_damage_is_told(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.npz", "deflate", emb=npy(VECTORS), labels=npy(LABELS))
    _, start, _ = member(path, "emb")
    patch(path, start, b"\xff\0\xff\0\xff\0")
    with pytest.raises(LoadError, match=r"'emb': damaged"):
        load_table(path)


def test_numbers_of_another_layer_are_no_labels(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "model.npz"
    words = np.array([f"w{i}" for i in range(4)])
    more = {"offset": np.arange(4), "y": words == "w1", "w": words}
    np.savez(path, emb=np.eye(4), dense=np.ones((2, 4)), **more)
    with caplog.at_level("INFO", "embviz"):
        table = load_table(path, tensor="emb")
    assert list(table.metadata) == ["y", "w"]
    assert "numbers that may be another layer's are no labels: offset; --metadata" in caplog.text
    assert list(load_table(path, tensor="emb", metadata=path).metadata) == ["offset", "y", "w"]


@pytest.mark.parametrize(
    ("name", "taken"),
    [("age", True), ("labels", True), ("y_test", True), ("b1", False), ("layer1.bias", False)],
)
def test_numbers_beside_the_one_table_are_columns_unless_a_layer_names_them(
    tmp_path: Path, name: str, taken: bool
) -> None:
    np.savez(tmp_path / "x.npz", **{"emb": np.eye(4), name: np.arange(4)})
    assert list(load_table(tmp_path / "x.npz").metadata) == [name] * taken


@pytest.mark.parametrize("name", ["it's.npy", "it's.npz"])
def test_the_way_out_for_labels_that_are_objects_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    words = np.array(["a", "b"], object)
    np.save("x.npy", np.eye(2))
    if name.endswith(".npy"):
        np.save(name, words)
    else:
        np.savez(name, words=words)
    with pytest.raises(LoadError) as caught:
        load_table("x.npy", metadata=name)
    exec(caught.value.way_out.removeprefix("where you trust it: "), {"numpy": np})
    assert load_table("x.npy", metadata="texts.npy").metadata["label"] == ("a", "b")
