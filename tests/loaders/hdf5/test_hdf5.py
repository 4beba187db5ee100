"""HDF5: data sets as h5py wrote them, Keras models as Keras did, and what is not followed."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import ml_dtypes
import numpy as np
import pytest

from embviz import LoadError, list_tensors, load_table
from embviz.loaders import open_source
from embviz.loaders.hdf5.tree import Window, read_tree
from embviz.loaders.hdf5.types import UnreadTypeError, is_records, read_records, type_bytes

DATA = Path(__file__).parents[2] / "data" / "hdf5"
VECTORS = np.random.default_rng(7).normal(size=(41, 6)).astype(np.float32)
TEXTS = [f"wört {i}" for i in range(41)]
KERAS = ["keras3.keras", "keras3.weights.h5", "keras2.h5", "keras2_weights.h5"]


def write(path: Path, fill: Callable[[Any], object], **options: Any) -> Path:
    with h5py.File(path, "w", **options) as file:
        fill(file)
    return path


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chunks": (7, 4)},
        {"chunks": (50, 6), "maxshape": (None, 6)},
        {"chunks": (7, 6), "compression": "gzip"},
        {"chunks": (10, 3), "compression": "gzip", "shuffle": True, "fletcher32": True},
        {"chunks": (41, 1), "shuffle": True},
    ],
)
@pytest.mark.parametrize("kind", ["<f2", "<f4", ">f4", "<f8", "i1", ">i8", "u2"])
def test_data_sets_are_read_as_h5py_reads_them(
    tmp_path: Path, options: dict[str, Any], kind: str
) -> None:
    values = (VECTORS * 40).astype(kind)
    path = write(tmp_path / "x.h5", lambda f: f.create_dataset("a/v", data=values, **options))
    table = load_table(path)
    assert (table.name, table.vectors.dtype.name) == ("a/v", np.dtype(kind).name)
    with h5py.File(path) as file:
        for rows in (np.s_[0:41], np.s_[5:9], np.s_[6:36], np.s_[40:41], np.s_[3:3]):
            np.testing.assert_array_equal(np.asarray(table.vectors[rows]), file["a/v"][rows])


def test_what_was_never_written_is_the_fill_value(tmp_path: Path) -> None:
    def fill(file: Any) -> None:
        file.create_dataset("a", (9, 4), "f4", fillvalue=2.5)
        chunked = file.create_dataset("b", (9, 4), "f4", fillvalue=1.5, chunks=(2, 2))
        chunked[4:5, 0:1] = 7

    path = write(tmp_path / "x.h5", fill)
    with h5py.File(path) as file:
        for name in ("a", "b"):
            found = load_table(path, tensor=name).vectors[0:9]
            np.testing.assert_array_equal(np.asarray(found), file[name][()])


def test_rows_that_lie_in_one_piece_are_mapped(tmp_path: Path) -> None:
    path = write(tmp_path / "x.h5", lambda f: f.create_dataset("v", data=VECTORS))
    assert isinstance(load_table(path).vectors, np.memmap)


def test_lists_of_the_same_group_and_length_are_metadata(tmp_path: Path) -> None:
    def fill(file: Any) -> None:
        file["g/emb"], file["g/word"], file["g/n"] = VECTORS, TEXTS, np.arange(41)
        file["g/fixed"] = np.array([f"x{i}".encode() for i in range(41)])
        file["g/ok"] = np.arange(41) % 2 == 0
        file["g/short"], file["elsewhere"] = TEXTS[:5], TEXTS
        file["h/square"], file["h/word"] = np.eye(41), TEXTS

    path = write(tmp_path / "x.h5", fill)
    metadata = load_table(path).metadata
    assert set(metadata) == {"word", "n", "fixed", "ok"}
    assert (metadata["word"], metadata["fixed"][40]) == (tuple(TEXTS), "x40")
    assert (metadata["n"][3], metadata["ok"][:2]) == ("3", ("True", "False"))
    assert dict(load_table(path, tensor="h/square").metadata) == {}


def test_texts_in_packed_chunks_are_read(tmp_path: Path) -> None:
    def fill(file: Any) -> None:
        file["v"] = VECTORS
        file.create_dataset(
            "word", data=TEXTS, dtype=h5py.string_dtype(), chunks=(9,), compression="gzip"
        )

    assert load_table(write(tmp_path / "x.h5", fill)).metadata["word"] == tuple(TEXTS)


def test_texts_that_are_not_utf_8_are_refused(tmp_path: Path) -> None:
    def fill(file: Any) -> None:
        file["v"] = VECTORS[:1]
        file["word"] = np.array([b"caf\xe9"])

    with pytest.raises(LoadError, match=r"x\.h5: 'word': text that is not UTF-8; save it again"):
        load_table(write(tmp_path / "x.h5", fill))


def test_a_file_behind_a_user_block_is_known_by_its_content(tmp_path: Path) -> None:
    def fill(file: Any) -> None:
        file["v"] = VECTORS
        file.create_dataset("w", data=VECTORS, chunks=(5, 6), compression="gzip")
        file["word"] = TEXTS

    path = write(tmp_path / "x.dat", fill, userblock_size=512)
    for name in ("v", "w"):
        table = load_table(path, tensor=name)
        np.testing.assert_array_equal(np.asarray(table.vectors[0:41]), VECTORS)
        assert table.label(3) == TEXTS[3]


@pytest.mark.parametrize("name", KERAS)
def test_the_embedding_of_a_keras_model_is_taken_and_known_by_its_name(name: str) -> None:
    wanted = np.load(DATA / "vectors.npy")
    listed = list_tensors(DATA / name)
    assert sum(info.shape == (20, 4) for info in listed) == (1 if name == KERAS[3] else 3)
    for asked in (None, "words"):
        table = load_table(DATA / name, tensor=asked)
        np.testing.assert_array_equal(np.asarray(table.vectors[0:20]), wanted)
        assert "optimizer" not in table.name
    assert open_source(DATA / name).is_model


def test_the_weights_in_a_packed_keras_archive_are_read(tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(DATA / "keras3.keras") as stored,
        zipfile.ZipFile(tmp_path / "x.keras", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in stored.namelist():
            packed.writestr(name, stored.read(name))
    table = load_table(tmp_path / "x.keras", tensor="words")
    np.testing.assert_array_equal(table.vectors[0:20], np.load(DATA / "vectors.npy"))


def refused(path: Path, name: str) -> str:
    with pytest.raises(LoadError) as told:
        load_table(path, tensor=name)
    return str(told.value)


def test_nothing_leads_to_another_file(tmp_path: Path) -> None:
    other = write(tmp_path / "other.h5", lambda f: f.create_dataset("v", data=VECTORS))
    (tmp_path / "raw.bin").write_bytes(VECTORS.tobytes())

    def fill(file: Any) -> None:
        file["mine"] = VECTORS
        file["linked/v"] = h5py.ExternalLink(other, "/v")
        raw = [(str(tmp_path / "raw.bin"), 0, h5py.h5f.UNLIMITED)]
        file.create_dataset("outside", (41, 6), "f4", external=raw)
        layout = h5py.VirtualLayout((41, 6), "f4")
        layout[:] = h5py.VirtualSource(other, "v", shape=(41, 6))
        file.create_virtual_dataset("virtual", layout)

    path = write(tmp_path / "x.h5", fill)
    assert "'linked': holds a link to another file, which is not followed" in refused(
        path, "linked"
    )
    assert "'outside': kept in other files, which are not followed" in refused(path, "outside")
    assert "'virtual': a virtual data set, of other files" in refused(path, "virtual")
    assert load_table(path).name == "mine"


def test_links_within_the_file_end_somewhere(tmp_path: Path) -> None:
    def fill(file: Any) -> None:
        file["a/v"] = VECTORS
        file["a/again"] = file["a"]
        file["soft"] = h5py.SoftLink("/a/v")
        file["circle"] = h5py.SoftLink("/circle")
        file["gone"] = h5py.SoftLink("/nothing")

    path = write(tmp_path / "x.h5", fill)
    np.testing.assert_array_equal(load_table(path, tensor="a/v").vectors, VECTORS)


def test_what_is_packed_or_written_in_another_way_is_refused_by_name(tmp_path: Path) -> None:
    def fill(file: Any) -> None:
        file["mine"] = VECTORS
        file.create_dataset("lzf", data=VECTORS, compression="lzf")
        file.create_dataset("offset", data=VECTORS.astype("i4"), scaleoffset=4)
        file["pointers"] = np.array([[file["mine"].ref] * 2] * 3, h5py.ref_dtype)
        file["records"] = np.zeros((4, 2), [("a", "f4")])
        file["complex"] = np.zeros((4, 2), complex)

    path = write(tmp_path / "x.h5", fill)
    assert "'lzf': packed by the filter LZF, which is not read; write it" in refused(path, "lzf")
    assert "packed by the filter scaleoffset, which is not read" in refused(path, "offset")
    assert "references to other objects" in refused(path, "pointers")
    assert "records" in refused(path, "records")
    assert "complex numbers" in refused(path, "complex")
    assert load_table(path).name == "mine"


def test_a_file_of_the_latest_layout_is_refused_with_a_way_out(tmp_path: Path) -> None:
    def fill(file: Any) -> None:
        file["mine"] = VECTORS
        file.create_dataset("v", data=VECTORS, chunks=(5, 6))

    path = write(tmp_path / "x.h5", fill, libver="latest")
    assert "(libver='latest'); write it again without libver" in refused(path, "v")
    np.testing.assert_array_equal(load_table(path).vectors, VECTORS)


def test_a_file_that_is_cut_off_is_told_by_its_bytes(tmp_path: Path) -> None:
    path = write(tmp_path / "x.h5", lambda f: f.create_dataset("v", data=VECTORS))
    raw = path.read_bytes()
    path.write_bytes(raw[:-1])
    with pytest.raises(LoadError, match=f"cut off: {len(raw) - 1} bytes of {len(raw)} are there"):
        load_table(path)


@pytest.mark.parametrize("options", [{}, {"chunks": (1 << 20, 1)}])
def test_more_values_than_a_file_can_hold_are_refused(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    shape = (1 << 40, 4)
    path = write(tmp_path / "x.h5", lambda f: f.create_dataset("v", shape, "f4", **options))
    with pytest.raises(LoadError, match="'v': damaged: 1099511627776 x 4 values are more than"):
        load_table(path)


def test_without_pyfive_the_command_that_installs_it_is_said(info_without: Any) -> None:
    path = DATA / "keras3.keras"
    told = info_without("pyfive", path)
    assert told.returncode == 1
    assert told.stderr == (
        f"embviz: {path}: HDF5, which is read by the package pyfive, and that is not installed; "
        "pip install 'embviz[hdf5]'\n"
    )


def test_bfloat16_is_read_where_keras_says_so_and_never_taken_for_float16(tmp_path: Path) -> None:
    values = VECTORS.astype(ml_dtypes.bfloat16)

    def fill(file: Any) -> None:
        file["named"] = values.view("V2")
        file["named"].attrs["dtype"] = "bfloat16"
        file["bare"] = values.view("V2")
        kind = h5py.h5t.IEEE_F16LE.copy()
        kind.set_fields(15, 7, 8, 0, 7)
        kind.set_ebias(127)
        h5py.h5d.create(file.id, b"float", kind, h5py.h5s.create_simple(VECTORS.shape))

    path = write(tmp_path / "x.h5", fill)
    found = load_table(path, tensor="named").vectors
    assert found.dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(np.asarray(found[0:41]), values)
    assert "bfloat16 saved by NumPy loses its name" in refused(path, "bare")
    assert "numbers of an unusual type, which is not read; save it" in refused(path, "float")


@pytest.mark.parametrize("version", ["earliest", "latest"])
@pytest.mark.parametrize(
    "members",
    [
        [("a", "<f4"), ("b", "S5"), ("c", ">i2", (3,))],
        [("a", "i1"), ("b", "?"), ("longer name", "<f8", (2, 3)), ("c", [("d", "<u4")])],
    ],
)
def test_types_of_records_are_those_that_h5py_has(
    tmp_path: Path, members: Any, version: str
) -> None:
    values = np.zeros(4, members)
    path = write(tmp_path / "x.h5", lambda f: f.create_dataset("r", data=values), libver=version)
    node = read_tree(path, "x", Window(path)).nodes["r"]
    assert node.dtype.itemsize == values.dtype.itemsize
    assert node.dtype.descr == values.dtype.descr


def test_damaged_types_of_records_are_refused_whatever_is_changed(tmp_path: Path) -> None:
    members = [("a", "<u4"), ("b", h5py.string_dtype()), ("c", "?"), ("d", "<f8", (2, 3))]
    path = write(tmp_path / "x.h5", lambda f: f.create_dataset("r", (4,), members))
    data = read_tree(path, "x", Window(path)).nodes["r"].data
    raw = type_bytes(data.file._get_dataobjects(data.id._meta.offset))
    assert is_records(raw)
    n_refused = 0
    for at in range(len(raw)):
        for width in (1, 4, 8):
            for byte in (b"\0", b"\x7f", b"\xff"):
                try:
                    read_records(raw[:at] + byte * width + raw[at + width :])
                except UnreadTypeError:
                    n_refused += 1
    assert n_refused > len(raw)


@pytest.mark.parametrize("place", ["tree._refusal", "rows._ChunkReader.__init__"])
def test_a_bug_is_not_told_as_damage_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("a bug")

    path = write(tmp_path / "x.h5", lambda f: f.create_dataset("a", data=VECTORS, chunks=(9, 2)))
    monkeypatch.setattr(f"embviz.loaders.hdf5.{place}", fail)
    with pytest.raises(KeyError, match="a bug"):
        load_table(path)


def test_values_within_a_header_are_read_and_refused_where_they_are_too_few(tmp_path: Path) -> None:
    values = np.arange(40, dtype=np.float32).reshape(8, 5)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        layout.set_layout(h5py.h5d.COMPACT)
        space, kind = h5py.h5s.create_simple(values.shape), h5py.h5t.IEEE_F32LE
        h5py.h5d.create(file.id, b"v", kind, space, layout).write(space, space, values)
    np.testing.assert_array_equal(load_table(tmp_path / "x.h5").vectors, values)
    raw = bytearray((tmp_path / "x.h5").read_bytes())
    start = raw.index(values.tobytes()) - 2  # How many bytes there are stands before them.
    assert int.from_bytes(raw[start : start + 2], "little") == values.nbytes
    raw[start : start + 2] = (20).to_bytes(2, "little")
    (tmp_path / "x.h5").write_bytes(raw)
    with pytest.raises(LoadError, match="damaged: 20 bytes of values, not 160"):
        load_table(tmp_path / "x.h5")


def test_values_that_lie_in_no_way_that_is_known_are_refused(tmp_path: Path) -> None:
    values = np.arange(40, dtype=np.float32).reshape(8, 5)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["v"] = values
        place = file["v"].id.get_offset()
    raw = bytearray((tmp_path / "x.h5").read_bytes())
    # Version 3 of the message of the layout, one piece, where it begins.
    start = raw.index(b"\x03\x01" + place.to_bytes(8, "little"))
    raw[start + 1] = 7
    (tmp_path / "x.h5").write_bytes(raw)
    with pytest.raises(LoadError, match="'v': damaged"):
        load_table(tmp_path / "x.h5")
