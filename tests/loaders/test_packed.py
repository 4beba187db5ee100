"""Sources that were packed whole: text and arrays, by any packer, known by their content."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz import LoadError, list_tensors, load_table
from embviz.loaders.bytes import packed
from embviz.loaders.bytes.packed import read_unpacked, unpack_start

VECTORS = np.random.default_rng(3).normal(size=(40, 5)).astype(np.float32)


def zipped(raw: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("x.csv", raw)
    return out.getvalue()


def zstandard(raw: bytes) -> bytes:
    module = packed.find_zstandard()
    if module is None:
        pytest.skip("no Zstandard here")
    return bytes(module.compress(raw))


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard,
    "zip": zipped,
    "stored": lambda raw: zipped(raw, zipfile.ZIP_STORED),
}
TEXT = "".join(",".join([f"w{i}", *map(str, row)]) + "\n" for i, row in enumerate(VECTORS)).encode()


def npy(array: np.ndarray) -> bytes:  # type: ignore[type-arg]
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


@pytest.mark.parametrize("name", ["v.csv", "v"])
@pytest.mark.parametrize("kind", PACKERS)
def test_packed_text_is_unpacked(tmp_path: Path, kind: str, name: str) -> None:
    path = tmp_path / f"{name}.{kind}"
    path.write_bytes(PACKERS[kind](TEXT))
    table = load_table(path)
    np.testing.assert_array_equal(table.vectors, VECTORS)
    assert table.label(7) == "w7"
    assert load_table(path, input_format="csv").n_points == 40


@pytest.mark.parametrize("kind", PACKERS)
def test_what_is_packed_in_large_blocks_is_known_by_its_content(tmp_path: Path, kind: str) -> None:
    vectors = np.random.default_rng(5).normal(size=(2000, 8)).astype(np.float32)
    lines = (" ".join([f"w{i}", *map(str, row)]) + "\n" for i, row in enumerate(vectors))
    text, array = tmp_path / f"words.{kind}", tmp_path / f"array.{kind}"
    text.write_bytes(PACKERS[kind]("".join(lines).encode()))
    np.testing.assert_array_equal(load_table(text).vectors, vectors)
    if not kind.startswith(("zip", "stored")):
        array.write_bytes(PACKERS[kind](npy(vectors)))
        np.testing.assert_array_equal(load_table(array).vectors, vectors)


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zst"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_packed_array_is_read_into_memory(tmp_path: Path, kind: str, order: str) -> None:
    path = tmp_path / f"x.npy.{kind}"
    path.write_bytes(PACKERS[kind](npy(np.asarray(VECTORS, order=order))))  # type: ignore[call-overload]
    (info,) = list_tensors(path)
    assert (info.shape, info.dtype) == ((40, 5), "float32")
    assert "read into memory" in info.note
    np.testing.assert_array_equal(load_table(path).vectors, VECTORS)


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zst"])
def test_a_packed_file_that_is_cut_off_is_one_line(tmp_path: Path, kind: str) -> None:
    for name, raw in (("x.npy", npy(VECTORS)), ("v.csv", TEXT)):
        whole = PACKERS[kind](raw)
        for part in range(1, 16):
            path = tmp_path / f"{name}.{kind}"
            path.write_bytes(whole[: len(whole) * part // 16])
            with pytest.raises(LoadError) as caught:
                load_table(path).check_finite()
            assert "\n" not in str(caught.value)


def test_sizes_are_checked_before_memory_is_taken(tmp_path: Path) -> None:
    header = npy(np.zeros((2, 3))).replace(b"(2, 3), ", b"(9999999999, 9999), ")[:128]
    (tmp_path / "x.npy.gz").write_bytes(gzip.compress(header))
    with pytest.raises(LoadError, match="more than 200 times as much"):
        load_table(tmp_path / "x.npy.gz")


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zst"])
def test_no_more_is_unpacked_than_a_file_of_its_size_may_hold(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "v.tsv").write_bytes(PACKERS[kind](b"1\t2\n" * 1000))
    assert load_table(tmp_path / "v.tsv").n_points == 1000
    monkeypatch.setattr(packed, "most_unpacked", lambda n_bytes: 3999)
    with pytest.raises(LoadError, match="that unpacks to more than 200 times its size"):
        load_table(tmp_path / "v.tsv", input_format="tsv")


def test_a_packed_file_in_pieces_is_one(tmp_path: Path) -> None:
    for kind in ("gz", "bz2", "xz", "zst"):
        path = tmp_path / kind
        path.write_bytes(PACKERS[kind](TEXT[:99]) + PACKERS[kind](TEXT[99:]))
        assert read_unpacked(path, 1 << 20) == TEXT


def test_what_a_tar_archive_holds_is_read_once_it_is_unpacked_as_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess

    monkeypatch.chdir(tmp_path)
    Path("v.csv").write_bytes(TEXT)
    with tarfile.open("v.tar.gz", "w:gz") as archive:
        archive.add("v.csv")
    Path("v.csv").unlink()
    with pytest.raises(LoadError, match="a tar archive in gzip") as caught:
        load_table("v.tar.gz")
    command = str(caught.value).partition("; ")[2].partition(",")[0]
    subprocess.run(command.split(), check=True)
    assert load_table("v.csv").n_points == 40


def test_an_archive_of_several_files_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "v.zip", "w") as archive:
        archive.writestr("a.csv", TEXT)
        archive.writestr("b.csv", TEXT)
    with pytest.raises(LoadError, match=r"a zip archive of 2 files \(a.csv, …\).*unpack it first"):
        load_table(tmp_path / "v.zip")


def test_a_word_that_begins_as_bzip2_does_is_a_word(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("BZh9 1.5 2\nBZh 2.5 3\n")
    assert load_table(tmp_path / "v.txt").label(0) == "BZh9"


def test_without_zstandard_the_way_to_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "v.csv.zst").write_bytes(zstandard(TEXT))
    monkeypatch.setattr(packed, "find_zstandard", lambda: None)
    with pytest.raises(LoadError, match=r"pip install 'embviz\[zstd\]'"):
        load_table(tmp_path / "v.csv.zst", input_format="csv")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(sorted(PACKERS)), st.integers(0, 400))
def test_the_start_of_a_packed_file_is_the_start_of_its_content(
    raw: bytes, kind: str, most: int
) -> None:
    start = PACKERS[kind](raw)
    assert unpack_start(start, 1 << 16)[: len(raw)] == raw
    unpack_start(start[:most], 1 << 16)


def test_a_member_without_a_name_is_refused_as_others_are(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Q.bin", b"\0\1")
        archive.writestr("second.bin", b"\0\2")
    path.write_bytes(path.read_bytes().replace(b"Q.bin", b"\0.bin"))
    with pytest.raises(LoadError, match="a zip archive of 2 files"):
        load_table(path)
