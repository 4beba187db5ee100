from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest

from embviz.errors import LoadError, ParameterError
from embviz.loaders import choose_tensor, list_tensors, load_table, open_columns, open_source
from embviz.neighbors.index.build import build_index
from embviz.sprites import pack_tiles

VECTORS = np.arange(24, dtype=np.float32).reshape(6, 4)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def error(source: str | Path, **options: object) -> str:
    with pytest.raises(LoadError) as caught:
        load_table(source, **options)  # type: ignore[arg-type]
    return str(caught.value)


def test_metadata_and_sprite_are_added() -> None:
    np.save("x.npy", VECTORS)
    Path("meta.tsv").write_text("w\tn\n" + "".join(f"a{i}\t{i}\n" for i in range(6)))
    Path("s.png").write_bytes(pack_tiles(np.zeros((6, 5, 5), np.uint8)).image)
    table = load_table("x.npy", metadata="meta.tsv", sprite="s.png", sprite_size=(5, 5))
    np.testing.assert_array_equal(table.vectors, VECTORS)
    assert table.metadata["w"] == tuple(f"a{i}" for i in range(6))
    assert table.sprite is not None
    assert table.source == "x.npy"


def test_the_column_that_the_source_says_names_the_points_does(tmp_path: Path) -> None:
    with h5py.File("x.h5ad", "w") as file:
        file["X"], file["var/_index"] = VECTORS, [b"g"] * 4
        file["obs/cell"], file["obs/kind"] = [b"7", b"5", b"3"] * 2, [b"T"] * 6
        file["obs"].attrs.update({"_index": "cell", "column-order": ["kind"]})
    table = load_table("x.h5ad")
    assert (table.label_column(), table.keep([1, 2]).label(0)) == ("cell", "5")
    source = open_source("x.h5ad")
    columns = open_columns(source, choose_tensor(source), 6)
    assert columns is not None
    assert columns.label == "cell"
    build_index(table, "x.index", label_column="kind")
    assert load_table("x.index").label(0) == "T"


def test_labels_of_a_file_go_before_what_the_source_says() -> None:
    Path("x.json").write_text(json.dumps([{"id": str(i), "v": [i / 7, 1.5]} for i in range(6)]))
    Path("meta.tsv").write_text("n\tid\tw\n" + "".join(f"{i}\t{i}\ta{i}\n" for i in range(6)))
    assert load_table("x.json", metadata="meta.tsv").label_column() == "w"


def test_nothing_is_guessed_for_an_array_that_stands_alone() -> None:
    np.save("x.npy", VECTORS)
    Path("metadata.tsv").write_text("a\n" * 6)
    assert load_table("x.npy").metadata == {}


def test_a_sprite_size_without_a_sprite_is_refused() -> None:
    np.save("x.npy", VECTORS)
    with pytest.raises(ParameterError, match="--sprite"):
        load_table("x.npy", sprite_size=(5, 5))


@pytest.mark.parametrize("name", ["gone.npy", "-x.npy", "gone/x.npy", "a" * 300, "x\0.npy"])
def test_a_missing_file_is_named(name: str) -> None:
    text = error(name)
    assert name[:10].replace("\0", "\\x00") in text
    assert "\0" not in text


def test_a_name_that_begins_with_a_dash_is_a_name() -> None:
    np.save("-x.npy", VECTORS)
    assert load_table("-x.npy").n_points == 6


def test_a_dangling_link_says_where_it_leads() -> None:
    Path("x.npy").symlink_to("gone.npy")
    assert "a link to gone.npy, which does not exist" in error("x.npy")
    np.save("y.npy", VECTORS)
    Path("m.tsv").symlink_to("gone.tsv")
    assert "m.tsv: a link to gone.tsv" in error("y.npy", metadata="m.tsv")


def test_a_folder_named_as_a_file_is_said() -> None:
    Path("x.npy").mkdir()
    assert "x.npy: a folder named .npy" in error("x.npy")
    Path("y").mkdir()
    assert "y: a folder without a checkpoint, weights or projector_config.pbtxt" in error("y")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_a_file_without_permission_is_said() -> None:
    np.save("x.npy", VECTORS)
    Path("x.npy").chmod(0)
    assert "x.npy: cannot be read" in error("x.npy")


def test_a_refusal_of_the_system_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    np.save("x.npy", VECTORS)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "x.npy")

    monkeypatch.setattr("embviz.inputs._open_at_once", refuse)
    assert "x.npy: cannot be read (Permission denied)" in error("x.npy")


@pytest.mark.parametrize(
    ("name", "raw", "said"),
    [
        ("x.h5", b"\x89HDF\r\n\x1a\n", "HDF5"),
        ("x.dat", b"\x89HDF\r\n\x1a\n", "HDF5"),
        ("x.pkl", pickle.dumps([1.0]), "pickle"),
        ("x.bin", pickle.dumps([1.0], 2), "pickle"),
        ("x.kv", pickle.dumps([1.0]), "pickle"),
        ("x.pt", b"PK\x03\x04", "no whole PyTorch file by its content, which is not read; fetch"),
        ("x.pt", b"pickle".ljust(257, b"\0") + b"ustar", "a PyTorch file of before 0.1.10"),
        ("x.png", b"\x89PNG\r\n\x1a\n", "PNG"),
        ("x.xyz", b"nothing known\n", "no known file type; what is read: TensorFlow"),
        ("x", b"\1\2\3\4", "no known file type"),
        ("x.xyz", b"", "0 bytes"),
    ],
)
def test_a_file_of_another_program_is_refused_by_name(name: str, raw: bytes, said: str) -> None:
    Path(name).write_bytes(raw)
    text = error(name)
    assert text.startswith(f"{name}: ")
    assert said in text


def test_text_of_vectors_is_read_whatever_it_is_named() -> None:
    np.savetxt("x.dat", VECTORS)
    np.testing.assert_array_equal(load_table("x.dat").vectors, VECTORS)


def test_a_format_can_be_named() -> None:
    with Path("x.dat").open("wb") as file:
        np.save(file, VECTORS)
    np.testing.assert_array_equal(load_table("x.dat", input_format="npy").vectors, VECTORS)
    with pytest.raises(ParameterError, match=r"one of npy, npz, .*checkpoint, .*csv"):
        load_table("x.dat", input_format="nope")
    assert "binary" in error("x.dat", input_format="tsv")


def test_an_array_is_listed_before_it_is_read() -> None:
    np.save("x.npy", VECTORS)
    (info,) = list_tensors("x.npy")
    assert (info.name, info.shape, info.dtype, info.taken) == ("x", (6, 4), "float32", True)
