"""GGUF files that the gguf package wrote are read as it reads them; damaged ones are one line."""

from __future__ import annotations

import os
import shutil
import struct
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import ml_dtypes
import numpy as np
import pytest
from gguf import GGMLQuantizationType as Kind

from embviz import LoadError, ParameterError
from embviz.loaders import choose_tensor, list_tensors, load_table, open_source

RNG = np.random.default_rng(3)
N, D = 64, 256
VECTORS = RNG.normal(size=(N, D)).astype(np.float32)
TOKENS = [f"word{i}" for i in range(N)]


def write(
    path: Path,
    tensors: Mapping[str, tuple[np.ndarray[Any, Any], Kind | None]],
    tokens: list[str] | None = None,
    **options: Any,
) -> Path:
    """Write a file by the gguf package; tensors are packed already."""
    writer = gguf.GGUFWriter(path, "llama", **options)
    if tokens is not None:
        writer.add_tokenizer_model("gpt2")
        writer.add_token_list(tokens)
        writer.add_token_types([1] * len(tokens))
    for name, (array, kind) in tensors.items():
        writer.add_tensor(name, array, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small model: its token table as Q8_0, with tokens."""
    return write(
        tmp_path / "m.gguf",
        {
            "blk.0.ffn_up.weight": (RNG.normal(size=(2 * N, D)).astype(np.float32), None),
            "output.weight": (VECTORS, None),
            "position_embd.weight": (VECTORS[:9], None),
            "token_embd.weight": (gguf.quantize(VECTORS, Kind.Q8_0), Kind.Q8_0),
            "per_layer_token_embd.weight": (VECTORS.repeat(2, axis=1), None),
            "output_norm.weight": (VECTORS[0], None),
        },
        TOKENS,
    )


def refusal(path: Path, tensor: str | None = None) -> str:
    with pytest.raises(LoadError) as caught:
        load_table(path, tensor=tensor)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_token_table_is_taken_and_the_others_can_be_had(
    model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "embviz"):
        table = load_table(model)
    assert table.name == "token_embd.weight"
    assert "also there: per_layer_token_embd.weight, output.weight, position_embd" in caplog.text
    assert "'token_embd.weight' is quantized: its values are those of Q8_0" in caplog.text
    wanted = gguf.dequantize(gguf.quantize(VECTORS, Kind.Q8_0), Kind.Q8_0)
    np.testing.assert_array_equal(np.asarray(table.vectors[0:N]), wanted)
    assert np.abs(wanted - VECTORS).max() < 0.02
    np.testing.assert_array_equal(load_table(model, tensor="output.weight").vectors, VECTORS)


def test_tokens_are_the_labels_of_their_tables_alone(model: Path) -> None:
    table = load_table(model)
    assert [table.label(i) for i in range(N)] == TOKENS
    assert load_table(model, tensor="output.weight").label(9) == TOKENS[9]
    assert load_table(model, tensor="position_embd.weight").metadata == {}


@pytest.mark.parametrize(
    ("model", "raw", "shown"),
    [
        ("gpt2", ["Ġthe", "ĊĊ", "å", "<|end|>"], [" the", "\n\n", "⟨e5⟩", "<|end|>"]),
        ("llama", ["▁the", "ing", "<0x0A>", "<s>"], [" the", "ing", "⟨0a⟩", "<s>"]),
        ("bert", ["▁the", "ing", "x", "[CLS]"], [" the", "ing", "x", "[CLS]"]),
        ("rwkv", ["Ġthe", "▁", "x", "y"], ["Ġthe", "▁", "x", "y"]),
    ],
)
def test_tokens_are_shown_as_the_text_that_they_stand_for(
    tmp_path: Path, model: str, raw: list[str], shown: list[str]
) -> None:
    writer = gguf.GGUFWriter(tmp_path / "x.gguf", "llama")
    writer.add_tokenizer_model(model)
    writer.add_token_list(raw)
    writer.add_token_types([1, 1, 6, 3] if model == "llama" else [1, 1, 1, 3])
    writer.add_tensor("token_embd.weight", VECTORS[:5])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    table = load_table(tmp_path / "x.gguf")
    assert [table.label(i) for i in range(5)] == [*shown, "[unused 4]"]
    assert table.metadata["id"] == ("0", "1", "2", "3", "4")
    assert table.metadata["kind"][3:] == ("special", "unused")
    if model != "rwkv":
        assert table.metadata["raw"][:4] == tuple(raw)


def test_types_of_tokens_that_are_no_whole_numbers_are_refused(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "x.gguf", "llama")
    writer.add_token_list(TOKENS)
    writer.add_array("tokenizer.ggml.token_type", [1.5] * N)
    writer.add_tensor("token_embd.weight", VECTORS)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert "damaged: an array of the header is of no whole numbers" in refusal(tmp_path / "x.gguf")


def test_tensors_are_listed_with_what_they_are(model: Path) -> None:
    listed = {info.name: info for info in list_tensors(model)}
    assert next(iter(listed)) == "token_embd.weight"
    taken = listed["token_embd.weight"]
    assert (taken.shape, taken.dtype, taken.taken) == ((N, D), "float32", True)
    assert taken.note == "quantized: Q8_0, 64 labels in tokenizer.ggml.tokens"
    assert listed["output_norm.weight"].shape == (D,)
    assert listed["blk.0.ffn_up.weight"].note == ""


@pytest.mark.parametrize(
    "kind",
    [k for k in Kind if k.name in ("F32", "F16", "F64", "I8", "I16", "I32", "I64", "BF16")],
    ids=lambda kind: kind.name,
)
@pytest.mark.parametrize("order", [gguf.GGUFEndian.LITTLE, gguf.GGUFEndian.BIG])
def test_plain_numbers_are_mapped_in_either_order(
    tmp_path: Path, kind: Kind, order: gguf.GGUFEndian
) -> None:
    dtypes = {"F32": "f4", "F16": "f2", "F64": "f8", "I8": "i1", "I16": "i2", "I32": "i4"}
    raw = None
    if kind == Kind.BF16:
        wanted = VECTORS.astype(ml_dtypes.bfloat16)
        halves = wanted.view(np.uint16)  # The package takes the bytes as they shall lie.
        stored = (halves.byteswap() if order == gguf.GGUFEndian.BIG else halves).view(np.uint8)
        raw = kind
    else:
        wanted = stored = (VECTORS * 30).astype(dtypes.get(kind.name, "i8"))
    path = write(tmp_path / "x.gguf", {"token_embd.weight": (stored, raw)}, endianess=order)
    vectors = load_table(path).vectors
    assert list_tensors(path)[0].dtype == vectors.dtype.name == wanted.dtype.name
    np.testing.assert_array_equal(np.asarray(vectors[0:N]), wanted)
    assert vectors[3:9].tolist() == wanted[3:9].tolist()
    base: Any = getattr(vectors, "mapped", vectors)
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)


@pytest.mark.skipif(os.name == "nt", reason="files there are written out")
def test_rows_cost_their_own_bytes_in_a_file_of_ten_gigabytes(tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.gguf",
        {"token_embd.weight": (gguf.quantize(VECTORS, Kind.Q4_0), Kind.Q4_0)},
    )
    n_rows = 75_000_000
    raw = path.read_bytes()
    shape = struct.pack("<QQ", D, N)
    assert raw.count(shape) == 1
    path.write_bytes(raw.replace(shape, struct.pack("<QQ", D, n_rows)))
    row_bytes = D // 32 * 18
    size = len(raw) + (n_rows - N) * row_bytes
    with path.open("r+b") as file:
        file.truncate(size)  # Zeros that take no place on the disk.
    assert path.stat().st_size > 10e9
    tracemalloc.start()
    try:
        tensor = choose_tensor(open_source(path))
        rows = tensor.rows()
        last = np.asarray(rows[n_rows - 10_000 : n_rows])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows.shape == (n_rows, D)
    np.testing.assert_array_equal(
        np.asarray(rows[0:N]), gguf.dequantize(gguf.quantize(VECTORS, Kind.Q4_0), Kind.Q4_0)
    )
    assert not last.any()
    assert peak < 3 * last.nbytes


def test_a_type_that_is_not_read_is_named_and_the_way_out_works(tmp_path: Path) -> None:
    blocks = RNG.integers(0, 50, (N, 66), np.uint8)
    path = write(
        tmp_path / "x.gguf",
        {"token_embd.weight": (blocks, Kind.IQ2_XXS), "output.weight": (VECTORS, None)},
        TOKENS,
    )
    said = refusal(path)
    assert "'token_embd.weight': quantized as IQ2_XXS, which is not read; save it by" in said
    assert load_table(path, tensor="output.weight").n_points == N
    (t,) = [t for t in gguf.GGUFReader(path).tensors if t.name == "token_embd.weight"]
    np.save(tmp_path / "x.npy", gguf.dequantize(t.data, t.tensor_type))
    assert "numpy.save('x.npy', gguf.dequantize(t.data, t.tensor_type))" in said
    assert load_table(tmp_path / "x.npy").vectors.shape == (N, 256)


def test_quantized_numbers_in_big_endian_files_are_refused(tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.gguf",
        {"token_embd.weight": (gguf.quantize(VECTORS, Kind.Q8_0), Kind.Q8_0)},
        endianess=gguf.GGUFEndian.BIG,
    )
    assert "quantized as Q8_0 in a big-endian file, which is not read" in refusal(path)


@pytest.mark.parametrize("alignment", [8, 64, 4096])
def test_the_alignment_that_the_file_names_is_kept(tmp_path: Path, alignment: int) -> None:
    writer = gguf.GGUFWriter(tmp_path / "x.gguf", "llama")
    writer.add_custom_alignment(alignment)
    writer.add_tensor("token_embd.weight", VECTORS[:, :3].copy())
    writer.add_tensor("output.weight", VECTORS[:, 3:6].copy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    np.testing.assert_array_equal(load_table(tmp_path / "x.gguf").vectors, VECTORS[:, :3])
    second = load_table(tmp_path / "x.gguf", tensor="output.weight")
    np.testing.assert_array_equal(second.vectors, VECTORS[:, 3:6])


def test_more_rows_than_tokens_are_named_unused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.gguf", {"token_embd.weight": (VECTORS, None)}, TOKENS[:60])
    assert list_tensors(path)[0].note == "60 labels in tokenizer.ggml.tokens, 4 rows unused"
    table = load_table(path)
    assert table.label(59) == "word59"
    assert table.label(60) == "[unused 60]"


def test_fewer_rows_than_tokens_are_refused_and_the_way_out_works(tmp_path: Path) -> None:
    path = write(tmp_path / "x.gguf", {"token_embd.weight": (VECTORS[:60], None)}, TOKENS)
    assert "64 tokens in tokenizer.ggml.tokens for 60 rows" in refusal(path)
    (tmp_path / "labels.tsv").write_text("".join(f"{i}\n" for i in range(60)))
    assert load_table(path, metadata=tmp_path / "labels.tsv").label(59) == "59"


@pytest.fixture
def parts(tmp_path: Path) -> list[Path]:
    """A model in three parts; the first holds the settings alone, the second the table."""
    writer = gguf.GGUFWriter(
        tmp_path / "m.gguf",
        "llama",
        split_max_tensors=2,
        small_first_shard=True,
    )
    writer.add_token_list(TOKENS)
    for name in ("token_embd.weight", "output.weight", "blk.0.attn_q.weight"):
        writer.add_tensor(name, VECTORS + len(name))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    found = sorted(tmp_path.glob("*.gguf"))
    assert [path.name for path in found] == [f"m-0000{i}-of-00003.gguf" for i in (1, 2, 3)]
    return found


@pytest.mark.parametrize("given", range(3))
def test_any_part_opens_them_all(parts: list[Path], given: int) -> None:
    source = open_source(parts[given])
    assert {tensor.name for tensor in source.tensors} == {
        "token_embd.weight",
        "output.weight",
        "blk.0.attn_q.weight",
    }
    assert sorted([*source.files, source.path]) == parts
    table = load_table(parts[given])
    np.testing.assert_array_equal(table.vectors, VECTORS + len("token_embd.weight"))
    assert table.label(7) == TOKENS[7]


def test_a_folder_of_one_model_is_that_model(parts: list[Path], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "tokenizer.json").write_text("{}")
    write(tmp_path / "mmproj-F16.gguf", {"v.patch_embd.weight": (VECTORS, None)})
    source = open_source(tmp_path)
    assert sorted(source.files) == parts
    assert load_table(tmp_path).label(7) == TOKENS[7]
    write(tmp_path / "other-Q4_0.gguf", {"token_embd.weight": (VECTORS, None)})
    said = refusal(tmp_path)
    assert f"holds 2 models; name one: {parts[0]}, {tmp_path / 'other-Q4_0.gguf'}" in said
    for path in said.partition("name one: ")[2].split(", "):
        assert load_table(path).n_points == N


def test_a_missing_part_is_named(parts: list[Path]) -> None:
    parts[1].unlink()
    assert f"of which {parts[1].name} is missing; fetch it" in refusal(parts[0])


def test_a_part_of_another_name_is_told_how_to_name_it(parts: list[Path]) -> None:
    other = parts[2].rename(parts[2].with_name("x.gguf"))
    assert "part 3 of 3 by its header" in refusal(other)
    assert "name it NAME-00003-of-00003.gguf" in refusal(other)
    other.rename(parts[2])
    assert load_table(parts[2]).n_points == N


def test_parts_in_the_wrong_order_are_refused(parts: list[Path]) -> None:
    shutil.copy(parts[2], parts[1])
    assert "its header says that it is part 3" in refusal(parts[0])


def test_a_part_that_leads_out_of_the_folder_is_refused(parts: list[Path], tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside.gguf"
    shutil.move(parts[1], outside)
    try:
        parts[1].symlink_to(outside)
    except OSError:
        pytest.skip("no links here")
    assert "a link to" in refusal(parts[0])


def test_parts_in_a_cache_of_links_are_read(parts: list[Path], tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshot").mkdir()
    try:
        for number, part in enumerate(parts):
            blob = shutil.move(part, tmp_path / "blobs" / f"{number:x}0f")
            (tmp_path / "snapshot" / part.name).symlink_to(os.path.relpath(blob, part.parent / "x"))
    except OSError:
        pytest.skip("no links here")
    assert load_table(tmp_path / "snapshot" / parts[0].name).n_points == N


def header(*pieces: bytes, version: int = 3, tensors: int = 0, settings: int = 0) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, settings) + b"".join(pieces)


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def entry(name: str | bytes, *dims: int, kind: int = 0, at: int = 0) -> bytes:
    sides = struct.pack(f"<{len(dims)}Q", *dims)
    return text(name) + struct.pack("<I", len(dims)) + sides + struct.pack("<IQ", kind, at)


DAMAGED = {
    "an old version": (header(version=1), "GGUF version 1; 2 and 3 are read; convert the model"),
    "a later version": (header(version=4), "GGUF version 4; 2 and 3 are read"),
    "no tensors": (header(), "no tensor in it is rows of numbers; there is none"),
    "counts beyond the file": (header(tensors=1 << 60), "announces 1152921504606846976 tensors"),
    "a name beyond the file": (header(struct.pack("<Q", 1 << 63), settings=1), "cut off within"),
    "a long name": (header(text("n" * 70_000), settings=1), "damaged: a text of 70000 bytes"),
    "a setting twice": (
        header(*(text("a") + struct.pack("<IB", 0, 1),) * 2, settings=2),
        "setting 'a' is there twice",
    ),
    "an unknown type of setting": (
        header(text("a") + struct.pack("<I", 77), settings=1),
        "a setting of the unknown type 77",
    ),
    "an array beyond the file": (
        header(text("a") + struct.pack("<IIQ", 9, 5, 1 << 61), settings=1),
        "cut off within its header",
    ),
    "texts beyond the file": (
        header(text("a") + struct.pack("<IIQ", 9, 8, 1 << 22), settings=1),
        "an array of 4194304 items",
    ),
    "a text of the array beyond the file": (
        header(text("a") + struct.pack("<IIQQ", 9, 8, 1, 1 << 62), settings=1),
        "cut off within its header",
    ),
    "arrays in arrays": (
        header(text("a") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 90, settings=1),
        "arrays within arrays",
    ),
    "an alignment of 0": (
        header(text("general.alignment") + struct.pack("<II", 4, 0), settings=1),
        "general.alignment is 0 and no power of two",
    ),
    "an alignment that is a text": (
        header(text("general.alignment") + struct.pack("<I", 8) + text("32"), settings=1),
        "general.alignment is '32' and no power of two",
    ),
    "a tensor off its alignment": (
        header(entry("a", 2, 2, at=8), bytes(99), tensors=1),
        "tensor 'a' begins off its alignment",
    ),
    "a tensor twice": (
        header(entry("a", 2, 2), entry("a", 2, 2), bytes(99), tensors=2),
        "tensor 'a' is there twice",
    ),
    "a name that is not UTF-8": (header(entry(b"\xff", 2), tensors=1), "a name at byte 24"),
    "many axes": (header(entry("a", *[1] * 90), tensors=1), "tensor 'a' has 90 axes"),
    "numbers beyond the file": (
        header(entry("a", 64, 1 << 40), bytes(99), tensors=1),
        "cut off: it takes 281474976710656 bytes, ",
    ),
    "more numbers than can be": (
        header(entry("a", 1 << 62, 1 << 62), bytes(99), tensors=1),
        "tensor 'a' announces",
    ),
    "blocks that do not fill a row": (
        header(entry("a", 33, 2, kind=8), bytes(200), tensors=1),
        "rows of 33 in blocks of 32 numbers",
    ),
    "tensors over each other": (
        header(entry("a", 16, 2), entry("b", 16, 2, at=32), bytes(400), tensors=2),
        "'a': damaged: it runs into another tensor",
    ),
    "an empty table": (header(entry("a", 4, 0), bytes(64), tensors=1), "'a' is empty (0 x 4)"),
    "a type of the future": (
        header(entry("a", 4, 4, kind=99), bytes(200), tensors=1),
        "quantized as type 99, which is not read",
    ),
    "nothing behind the mark": (b"GGUF", "cut off within its header (4 bytes are there)"),
}


def test_texts_of_all_arrays_are_counted_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = [text(key) + struct.pack("<IIQ", 9, 8, 6) + text("x") * 6 for key in "ab"]
    (tmp_path / "x.gguf").write_bytes(header(*arrays, settings=2))
    assert "no tensor in it" in refusal(tmp_path / "x.gguf")
    monkeypatch.setattr("embviz.loaders.weights.gguf_header._MOST_TEXTS", 10)
    assert "an array of 6 items" in refusal(tmp_path / "x.gguf")


def test_a_setting_of_a_long_text_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = text("general.name") + struct.pack("<I", 8) + text("x" * 20)
    (tmp_path / "x.gguf").write_bytes(header(key, settings=1))
    assert "no tensor in it" in refusal(tmp_path / "x.gguf")
    monkeypatch.setattr("embviz.loaders.weights.gguf_header._MOST_TEXT", 19)
    assert "a text of 20 bytes" in refusal(tmp_path / "x.gguf")


def test_version_2_is_read_and_arrays_in_arrays_are_passed_by(tmp_path: Path) -> None:
    inner = struct.pack("<IQ", 0, 2) + b"\1\2"
    array = text("nested") + struct.pack("<IIQ", 9, 9, 3) + inner * 3
    key = text("general.name") + struct.pack("<I", 8) + text("x")
    start = header(array, key, entry("a", 2, 3), version=2, tensors=1, settings=2)
    start += bytes(-len(start) % 32)
    values = np.arange(6, dtype="<f4").reshape(3, 2)
    (tmp_path / "x.gguf").write_bytes(start + values.tobytes())
    np.testing.assert_array_equal(load_table(tmp_path / "x.gguf").vectors, values)


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_told_in_one_line(tmp_path: Path, name: str) -> None:
    content, said = DAMAGED[name]
    path = tmp_path / "x.gguf"
    path.write_bytes(content)
    tensor = "a" if name == "tensors over each other" else None
    assert said in refusal(path, tensor)


def test_what_is_only_named_so_is_told_for_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
    assert "no GGUF file but a Git LFS pointer" in refusal(path)


def test_a_cut_file_gives_the_tables_that_are_whole(model: Path) -> None:
    raw = model.read_bytes()
    model.write_bytes(raw[: len(raw) - 2000])
    assert "'per_layer_token_embd.weight': cut off: it takes" in refusal(
        model, "per_layer_token_embd.weight"
    )
    assert {i.name for i in list_tensors(model) if "not read" in i.note} == {
        "per_layer_token_embd.weight",
        "output_norm.weight",
    }
    assert load_table(model).n_points == N


def test_a_name_that_is_not_there_is_answered_with_those_that_are(model: Path) -> None:
    with pytest.raises(ParameterError, match=r"did you mean token_embd\.weight"):
        load_table(model, tensor="token_emb.weight")
