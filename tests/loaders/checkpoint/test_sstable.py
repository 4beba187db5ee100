"""The sorted table: blocks, checksums, compression, and what is refused."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
import table_writer as w
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz.errors import LoadError
from embviz.loaders.bytes.protobuf import MalformedError, fields, read_varint, unpack_varints
from embviz.loaders.checkpoint.sstable import (
    Table,
    decompress_snappy,
    is_table,
    mask_crc,
    read_checksum,
)


def write(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "t.index"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("per_block", [1, 7, 1000])
def test_all_entries_come_back_in_order_and_by_key(tmp_path, per_block, compress):
    entries = [(f"layer/{i:04d}".encode(), bytes([i % 256]) * i) for i in range(100)]
    table = Table(write(tmp_path, w.table(entries, per_block, compress)))
    assert list(table.entries()) == entries
    assert table.lookup(b"layer/0042") == bytes([42]) * 42
    assert table.lookup(b"layer/00421") is None
    assert table.lookup(b"zebra") is None


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.binary(max_size=30), st.binary(max_size=300), max_size=40))
def test_any_sorted_entries_survive(tmp_path_factory, content):
    entries = sorted(content.items())
    path = tmp_path_factory.mktemp("t") / "t.index"
    path.write_bytes(w.table(entries, per_block=5))
    assert list(Table(path).entries()) == entries


def test_every_flipped_bit_is_found(tmp_path):
    """Each bit of a small table: an error, or, in one spare bit of the footer, the same entries."""
    entries = [(b"", w.header()), (b"a", b"1"), (b"ab", b"2")]
    data = w.table(entries)
    errors = []
    for at in range(len(data) * 8):
        changed = bytearray(data)
        changed[at // 8] ^= 1 << (at % 8)
        try:
            assert list(Table(write(tmp_path, bytes(changed))).entries()) == entries
        except LoadError as error:
            errors.append(str(error))
    assert len(errors) >= len(data) * 8 - 1
    assert all("t.index: " in text for text in errors)


@pytest.mark.parametrize("cut", [0, 1, 47, 48, 100, -1])
def test_a_table_that_was_cut_is_refused(tmp_path, cut):
    data = w.table([(b"a%d" % i, b"x" * 20) for i in range(9)])[:cut]
    with pytest.raises(LoadError, match=r"truncated|at least 48"):
        Table(write(tmp_path, data))


def test_keys_that_do_not_ascend_are_refused(tmp_path):
    path = write(tmp_path, w.table([(b"b", b"1"), (b"a", b"2")]))
    with pytest.raises(LoadError, match="do not ascend"):
        list(Table(path).entries())


def test_a_block_that_is_listed_twice_is_refused(tmp_path):
    block = w.stored(w.block([(b"a", b"1")]))
    handle = w.varint(0) + w.varint(len(block) - 5)
    data, handles = block, b""
    for content in (w.block([]), w.block([(b"a", handle), (b"b", handle)], 1)):
        handles += w.varint(len(data)) + w.varint(len(content))
        data += w.stored(content)
    with pytest.raises(LoadError, match="overlaps"):
        Table(write(tmp_path, data + handles.ljust(40, b"\0") + w.MAGIC))


def test_keys_that_grow_without_bound_are_refused(tmp_path):
    """A megabyte of key shared by 100,000 entries of four bytes would take 100 GB."""
    body = bytearray(w.varint(0) + w.varint(1 << 20) + w.varint(0) + b"k" * (1 << 20))
    key_bytes = 1 << 20
    for _ in range(100_000):
        body += w.varint(key_bytes) + w.varint(1) + w.varint(0) + b"k"
        key_bytes += 1
    content = bytes(body) + struct.pack("<II", 0, 1)
    index = w.block([(b"\xff", w.varint(0) + w.varint(len(content)))], 1)
    data, handles = w.stored(content), b""
    for piece in (w.block([]), index):
        handles += w.varint(len(data)) + w.varint(len(piece))
        data += w.stored(piece)
    table = Table(write(tmp_path, data + handles.ljust(40, b"\0") + w.MAGIC))
    with pytest.raises(LoadError, match="longer keys"):
        for _ in table.entries():
            pass


def test_an_unknown_compression_is_named(tmp_path):
    data = w.stored(w.block([]), kind=4)
    handles = (w.varint(0) + w.varint(len(data) - 5)) * 2
    with pytest.raises(LoadError, match="compression type 4"):
        Table(write(tmp_path, data + handles.ljust(40, b"\0") + w.MAGIC))


def test_an_index_over_the_limit_is_refused_by_its_size(tmp_path):
    path = write(tmp_path, w.table([(b"", w.header())]))
    with pytest.raises(LoadError, match=f"{path.stat().st_size} bytes.*at most 50"):
        Table(path, max_bytes=50)


def test_a_folder_or_nothing_is_no_table(tmp_path):
    assert not is_table(tmp_path)
    assert not is_table(tmp_path / "missing")
    with pytest.raises(LoadError, match="no such file"):
        Table(tmp_path / "missing")
    with pytest.raises(LoadError, match="not a file"):
        Table(tmp_path)


def test_the_checksum_is_the_masked_crc32c_of_the_standard_text(tmp_path):
    path = write(tmp_path, b"xx123456789")
    expected = ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) % 2**32
    assert mask_crc(0xE3069283) == expected
    assert read_checksum(path, 2, 9) == read_checksum(path, 2, 9, chunk_bytes=4) == expected
    with pytest.raises(LoadError, match="ends at byte 11, 12"):
        read_checksum(path, 2, 10)


@pytest.mark.parametrize(
    ("packed", "text"),
    [
        ("00", ""),
        ("0b00" + b"a".hex(), None),  # 11 bytes stated, 1 there
        ("0508" + b"abc".hex() + "0103", None),  # a copy of one byte kind, 3 back, 4 long: 7 bytes
        ("0a08" + b"abc".hex() + "1a0300", "abcabcabca"),  # overlapping: 7 bytes from 3 back
        ("0408" + b"abc".hex() + "0204" + "00", None),  # 4 back of 3
        ("ffffffff0f00", None),  # 4 GB from 6 bytes
        ("04f003" + b"abcd".hex(), "abcd"),  # a length in a byte of its own
        ("0408" + b"abc".hex() + "03010000" + "00", "abcc"),  # a copy with a four-byte offset
        ("0908" + b"abc".hex() + "0903", "abcabcabc"),  # the short copy: 6 bytes from 3 back
        ("0808" + b"abc".hex() + "0903", None),  # nine bytes where eight are stated
    ],
)
def test_snappy_by_its_description(packed, text):
    data = bytes.fromhex(packed)
    if text is None:
        with pytest.raises(MalformedError, match="snappy"):
            decompress_snappy(data)
    else:
        assert decompress_snappy(data) == text.encode()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_snappy_of_anything_ends_and_stays_small(data):
    try:
        out = decompress_snappy(data)
    except MalformedError:
        return
    assert len(out) <= 22 * len(data)


@given(st.lists(st.integers(0, 2**64 - 1), max_size=50))
def test_packed_varints_are_read_as_one_by_one(values):
    data = b"".join(map(w.varint, values))
    assert unpack_varints(data).tolist() == values
    at = 0
    for value in values:
        found, at = read_varint(data, at, len(data))
        assert found == value
    if values:
        with pytest.raises(MalformedError):
            unpack_varints(data + b"\x80")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x80" * 11, "longer than 10"),
        (b"\xff" * 9 + b"\x02", "64 bits"),
        (b"\x80", "ends inside"),
        (b"\x0a\x05ab", "5 bytes"),
        (b"\x0b", "wire type 3"),
        (b"\x00\x00", "field number 0"),
        (b"\x0d\x00", "4 bytes"),
    ],
)
def test_a_damaged_message_says_how(data, why):
    with pytest.raises(MalformedError, match=why):
        list(fields(data))
