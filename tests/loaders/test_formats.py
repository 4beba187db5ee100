"""The contract of every format, held by real files of each."""

from __future__ import annotations

import json
import shutil
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx_writer
import pyarrow as pa
import pytest
import table_writer
import torch_writer
import zarr
from pyarrow import parquet
from safetensors.numpy import save_file

from embviz import EmbeddingTable, EmbvizError, LoadError, ParameterError, build_index, open_index
from embviz.loaders import list_tensors, load_table, open_columns, open_source, read_table
from embviz.loaders.formats import FORMATS, find_format
from embviz.loaders.opened import Claim, read_start
from embviz.loaders.reading import Reading

RNG = np.random.default_rng(8)
N = 200
VECTORS = RNG.normal(size=(N, 6)).astype(np.float32)
WORDS = tuple(f"wörd{i}" for i in range(N))
TEXT = ("word2vec", "glove", "tsv", "csv")
BARE = ("npy", "pytorch", "onnx", "safetensors", "checkpoint", "faiss")  # Without words in them.


def write_text(path: Path, delimiter: str, first: str = "") -> Path:
    lines = [
        delimiter.join([word, *map(str, row)]) + "\n"
        for word, row in zip(WORDS, VECTORS, strict=True)
    ]
    path.write_text(first + "".join(lines), encoding="utf-8")
    return path


def write_npy(folder: Path) -> Path:
    np.save(folder / "x.npy", VECTORS)
    return folder / "x.npy"


def write_npz(folder: Path) -> Path:
    np.savez(folder / "x.npz", emb=VECTORS, word=np.array(WORDS), other=VECTORS[:3])
    return folder / "x.npz"


def write_safetensors(folder: Path) -> Path:
    save_file({"emb": VECTORS, "norm": VECTORS[0]}, folder / "x.safetensors")
    return folder / "x.safetensors"


def write_pytorch(folder: Path) -> Path:
    key = torch_writer.Storage("FloatStorage", "0", N * 6)
    root = {"emb.weight": torch_writer.tensor(key, (N, 6))}
    return torch_writer.write_zip(folder / "x.pt", root, {"0": VECTORS.tobytes()})


def write_gguf(folder: Path) -> Path:
    import gguf

    writer = gguf.GGUFWriter(folder / "x.gguf", "llama")
    writer.add_token_list(WORDS)
    writer.add_tensor("token_embd.weight", VECTORS)
    writer.add_tensor("blk.0.attn_k.weight", VECTORS[:9])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return folder / "x.gguf"


def write_sparse_autoencoder(folder: Path) -> Path:
    sae = folder / "sae"
    sae.mkdir()
    encoder = np.ascontiguousarray(VECTORS.T)
    save_file({"W_dec": VECTORS, "W_enc": encoder}, sae / "sae_weights.safetensors")
    (sae / "cfg.json").write_text('{"d_sae": 200}')
    (sae / "explanations.json").write_text(json.dumps(dict(enumerate(WORDS))))
    return sae


def write_hugging_face(folder: Path) -> Path:
    model = folder / "model"
    model.mkdir()
    tensors = {"model.embed_tokens.weight": VECTORS, "model.embed_positions.weight": VECTORS[:9]}
    save_file(tensors, model / "model.safetensors")
    (model / "config.json").write_text('{"vocab_size": 200}')
    (model / "vocab.txt").write_text("".join(f"{word}\n" for word in WORDS), encoding="utf-8")
    return model


def write_onnx(folder: Path) -> Path:
    tensors = [onnx_writer.raw("emb.weight", VECTORS), onnx_writer.raw("bias", VECTORS[0])]
    return onnx_writer.write(folder / "x.onnx", tensors)


def write_checkpoint(folder: Path) -> Path:
    table_writer.write_bundle(
        folder / "m.ckpt", {"emb": VECTORS, "emb/Adam": VECTORS * 0, "step": np.array(3)}
    )
    return folder / "m.ckpt.index"


def write_parquet(folder: Path) -> Path:
    parquet.write_table(arrow_table(), folder / "x.parquet", row_group_size=70)
    return folder / "x.parquet"


def write_arrow(folder: Path) -> Path:
    table = arrow_table()
    with pa.ipc.new_stream(folder / "x.arrow", table.schema) as stream:
        stream.write_table(table, max_chunksize=70)
    return folder / "x.arrow"


def write_hdf5(folder: Path) -> Path:
    with h5py.File(folder / "x.h5", "w") as file:
        file.create_dataset("emb", data=VECTORS, chunks=(70, 4), compression="gzip", shuffle=True)
        file.create_dataset("raw", data=VECTORS)
        file["word"] = list(WORDS)
    return folder / "x.h5"


def write_zarr(folder: Path) -> Path:
    group = zarr.open_group(folder / "x.zarr", mode="w")
    group.create_array("emb", data=VECTORS)
    group.create_array("word", data=np.array(WORDS, np.dtypes.StringDType()))
    return folder / "x.zarr"


def arrow_table() -> Any:
    lists = pa.array(VECTORS.tolist(), pa.list_(pa.float32()))
    return pa.table({"n": range(N), "word": WORDS, "emb": lists, "half": lists})


def write_index(folder: Path) -> Path:
    build_index(EmbeddingTable(VECTORS, {"word": WORDS}, source="x"), folder / "index")
    return folder / "index"


def write_logdir(folder: Path) -> Path:
    run = folder / "run"
    run.mkdir()
    np.savetxt(run / "t.tsv", VECTORS, delimiter="\t", fmt="%.9g")
    VECTORS.astype("<f4").tofile(run / "t.bytes")
    (run / "m.tsv").write_text("".join(f"{word}\n" for word in WORDS), encoding="utf-8")
    (run / "projector_config.pbtxt").write_text(
        'embeddings { tensor_name: "t" tensor_path: "t.tsv" metadata_path: "m.tsv" }\n'
        'embeddings { tensor_name: "raw" tensor_path: "t.bytes" tensor_shape: [200, 6] }\n'
    )
    return run


def write_faiss(folder: Path) -> Path:
    import faiss

    index = faiss.index_factory(6, "IDMap,Flat")
    index.add_with_ids(VECTORS, np.arange(N)[::-1])
    faiss.write_index(index, str(folder / "x.faiss"))
    return folder / "x.faiss"


def write_fasttext(folder: Path) -> Path:
    header = struct.pack("<14id3i2q", 793712314, 12, 6, *[1] * 6, 1, 0, 0, 0, 1, 0, N, N, 0, 9, -1)
    entries = b"".join(word.encode() + struct.pack("<Bqb", 0, 7, 0) for word in WORDS)
    matrix = struct.pack("<B2q", 0, *VECTORS.shape) + VECTORS.tobytes()
    (folder / "m.bin").write_bytes(header + entries + 2 * matrix)
    return folder / "m.bin"


def write_word2vec_binary(folder: Path) -> Path:
    records = [
        word.encode() + b" " + row.tobytes() for word, row in zip(WORDS, VECTORS, strict=True)
    ]
    (folder / "w.bin").write_bytes(b"200 6\n" + b"".join(records))
    return folder / "w.bin"


def write_json(folder: Path) -> Path:
    rows = [{"word": w, "vector": v.tolist()} for w, v in zip(WORDS, VECTORS, strict=True)]
    (folder / "x.json").write_text(json.dumps(rows))
    return folder / "x.json"


def write_arrays(folder: Path) -> Path:
    shards = folder / "shards"
    shards.mkdir()
    for i, start in enumerate(range(0, N, 20)):
        np.save(shards / f"emb_{i}.npy", VECTORS[start : start + 20])
        np.save(shards / f"word_{i}.npy", np.array(WORDS[start : start + 20]))
    return shards


WRITERS: dict[str, Callable[[Path], Path]] = {
    "npy": write_npy,
    "npz": write_npz,
    "safetensors": write_safetensors,
    "pytorch": write_pytorch,
    "gguf": write_gguf,
    "onnx": write_onnx,
    "checkpoint": write_checkpoint,
    "index": write_index,
    "logdir": write_logdir,
    "parquet": write_parquet,
    "arrow": write_arrow,
    "arrays": write_arrays,
    "faiss": write_faiss,
    "fasttext": write_fasttext,
    "word2vec_binary": write_word2vec_binary,
    "sparse_autoencoder": write_sparse_autoencoder,
    "hugging_face": write_hugging_face,
    "json": write_json,
    "hdf5": write_hdf5,
    "zarr": write_zarr,
    "word2vec": lambda folder: write_text(folder / "w.vec", " ", f"{N} 6\n"),
    "glove": lambda folder: write_text(folder / "g.txt", " "),
    "tsv": lambda folder: write_text(folder / "x.tsv", "\t"),
    "csv": lambda folder: write_text(folder / "x.csv", ","),
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A real source of each format, each in a folder of its own."""
    return {name: write(tmp_path_factory.mktemp(name)) for name, write in WRITERS.items()}


def test_every_format_has_a_source_here() -> None:
    assert list(FORMATS) == list(WRITERS)
    assert all(format.name == name for name, format in FORMATS.items())


@pytest.mark.parametrize("name", WRITERS)
def test_no_other_format_is_as_sure_of_a_source_as_its_own(
    sources: dict[str, Path], name: str
) -> None:
    start = read_start(sources[name])
    claims = {other: format.claim(start) or 0 for other, format in FORMATS.items()}
    assert claims[name] >= Claim.CONTENT
    assert all(claim < claims[name] for other, claim in claims.items() if other != name)
    assert find_format(sources[name]).name == name


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_listed_is_what_is_loaded(sources: dict[str, Path], name: str) -> None:
    listed = [info for info in list_tensors(sources[name]) if len(info.shape) == 2]
    (taken,) = [info for info in listed if info.taken]
    assert load_table(sources[name]).name == taken.name
    for info in listed:
        table = load_table(sources[name], tensor=info.name)
        assert (table.name, table.vectors.shape) == (info.name, info.shape)
        assert table.vectors.dtype.name == info.dtype
    np.testing.assert_array_equal(_in_order(load_table(sources[name])), VECTORS)


def _in_order(table: EmbeddingTable) -> np.ndarray[Any, Any]:
    vectors = np.asarray(table.vectors[0 : table.n_points])
    return vectors if table.rows is None else vectors[np.argsort(table.rows)]


@pytest.mark.parametrize("name", WRITERS)
def test_a_slice_is_the_slice_of_the_whole(sources: dict[str, Path], name: str) -> None:
    (tensor,) = [t for t in open_source(sources[name]).tensors if t.name == _taken(sources[name])]
    whole = np.asarray(tensor.rows()[0:N])
    for start, stop in ((0, 1), (7, 60), (150, N), (N, N)):
        np.testing.assert_array_equal(np.asarray(tensor.rows()[start:stop]), whole[start:stop])
    assert tensor.rows().shape == tensor.shape == whole.shape


def _taken(path: Path) -> str:
    return next(info.name for info in list_tensors(path) if info.taken)


@pytest.mark.parametrize("name", [name for name in WRITERS if name not in BARE])
def test_columns_read_one_by_one_are_those_of_the_table(
    sources: dict[str, Path], name: str
) -> None:
    source = open_source(sources[name])
    tensor = next(t for t in source.tensors if t.name == _taken(sources[name]))
    columns = open_columns(source, tensor, N)
    assert columns is not None
    table = load_table(sources[name])
    assert columns.names == tuple(table.metadata)
    label = columns.label
    assert label == table.label_column()
    assert columns.column(label) == table.metadata[label]
    assert columns.value(label, 17) == table.label(17)
    assert columns.find(WORDS[17]) == [table.metadata[label].index(WORDS[17])]
    assert read_table(source, tensor, bare=True).metadata == {}


@pytest.mark.parametrize("name", [name for name in WRITERS if name != "index"])
def test_a_metadata_file_is_read_line_by_line_as_it_is_read_whole(
    sources: dict[str, Path], tmp_path: Path, name: str
) -> None:
    file = tmp_path / "m.tsv"
    file.write_text("n\tw\n" + "".join(f"{i}\t{word}!\n" for i, word in enumerate(WORDS)))
    source = open_source(sources[name])
    tensor = next(t for t in source.tensors if t.name == _taken(sources[name]))
    columns = open_columns(source, tensor, N, Reading(metadata=file))
    assert columns is not None
    assert {n: columns.column(n) for n in columns.names} == dict(
        load_table(sources[name], metadata=file).metadata
    )
    assert columns.find("wörd9!") == [9]


def _pieces(source: Path) -> list[Path]:
    """The files of a source."""
    if source.is_dir():
        return [path for path in sorted(source.rglob("*")) if path.is_file()]
    return sorted(source.parent.iterdir()) if source.suffix == ".index" else [source]


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("part", range(4))
def test_what_is_cut_off_is_read_as_far_as_it_is_whole_or_is_one_line(
    sources: dict[str, Path], tmp_path: Path, name: str, part: int
) -> None:
    whole = sources[name]
    folder = tmp_path / "cut"
    shutil.copytree(whole if whole.is_dir() else whole.parent, folder)
    source = folder if whole.is_dir() else folder / whole.name
    refused = 0
    for piece in _pieces(source):
        raw = piece.read_bytes()
        for cut in range(part, 64, 4):
            piece.write_bytes(raw[: len(raw) * cut // 64])
            refused += _refusal(source) != ""
        piece.write_bytes(raw)
    assert _refusal(source) == ""
    assert refused >= {**dict.fromkeys(TEXT, 1), "word2vec_binary": 0}.get(name, 16)


def _refusal(source: Path) -> str:
    """Read everything of a source; return the line that refuses it, "" for none."""
    said = ""
    try:
        for info in list_tensors(source):
            if len(info.shape) == 2:
                table = load_table(source, tensor=info.name)
                if table.verify is not None:
                    table.verify()
                list(table.blocks())
    except (LoadError, ParameterError) as error:
        said = str(error)
    assert "\n" not in said
    return said


_opened: list[str] = []
_watched = ""


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched and event == "open" and str(arguments[0]).startswith(_watched):
        _opened.append(str(arguments[0]))


sys.addaudithook(_watch)


@contextmanager
def opens(path: Path) -> Iterator[list[str]]:
    """Count how often files below a path are opened."""
    global _watched
    _opened.clear()
    _watched = str(path)
    try:
        yield _opened
    finally:
        _watched = ""


@pytest.mark.parametrize("name", ["npy", *TEXT])
@pytest.mark.parametrize("suffix", ["", ".dat"])
def test_a_file_is_opened_a_few_times_to_be_read(
    sources: dict[str, Path], tmp_path: Path, name: str, suffix: str
) -> None:
    path = shutil.copy(sources[name], tmp_path / (sources[name].name + suffix))
    with opens(path) as opened:
        load_table(path)
    # To see what it is, for its header or layout, and for its content; text asks for both twice.
    assert len(opened) <= (3 if name == "npy" else 4)


@pytest.mark.parametrize("name", TEXT)
def test_a_text_file_is_listed_without_reading_its_numbers(
    sources: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embviz.loaders.text.tables._read", lambda *_: pytest.fail("read"))
    (info,) = list_tensors(sources[name])
    assert info.shape == (N, 6)


def test_blank_lines_are_no_rows_in_the_list(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    path.write_text("# a comment\n\na\tb\n\n1\t2\n \t\n\n\n3\t4\r\n\r\n5\t6")
    assert list_tensors(path)[0].shape == load_table(path).vectors.shape == (3, 2)


def test_a_logdir_is_listed_without_reading_its_numbers(
    sources: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embviz.loaders.text.tables._read", lambda *_: pytest.fail("read"))
    assert [info.shape for info in list_tensors(sources["logdir"])] == [(N, 6)] * 2


def test_a_question_for_neighbors_reads_no_thumbnails(
    sources: dict[str, Path], tmp_path: Path
) -> None:
    from embviz.questions.points import open_points

    run = Path(shutil.copytree(sources["logdir"], tmp_path / "run"))
    config = run / "projector_config.pbtxt"
    sprite = 'sprite { image_path: "gone.png" single_image_dim: [8, 8] } bookmarks_path: "gone" }'
    config.write_text(config.read_text().replace("}", sprite, 1))
    with pytest.raises(LoadError, match=r"gone\.png"):
        load_table(run)
    assert open_points(run).columns.find(WORDS[5]) == [5]


@pytest.mark.parametrize("name", ["npy", "npz", "checkpoint", "index", "logdir"])
def test_columns_of_a_format_that_has_none_to_name_are_refused(
    sources: dict[str, Path], name: str
) -> None:
    with pytest.raises(ParameterError, match=rf"--columns: .* is read as {name}, .*; leave it out"):
        load_table(sources[name], columns="1-3")


CHOICES = [(file, asked) for file in TEXT for asked in TEXT if file != asked]


@pytest.mark.parametrize(("file", "asked"), CHOICES)
def test_a_text_format_that_is_asked_for_is_not_another(
    sources: dict[str, Path], file: str, asked: str
) -> None:
    with pytest.raises(EmbvizError):
        load_table(sources[file], input_format=asked)


def test_a_text_format_that_is_asked_for_says_what_separates_numbers(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("".join(f"{i},5\t{i}.5\t{i}\n" for i in range(9)))
    assert load_table(path, input_format="tsv").vectors[3].tolist() == [3.5, 3]
    (tmp_path / "y.txt").write_text("".join(f"a b,{i},{i}.5,{i} {i}\n" for i in range(9)))
    assert load_table(tmp_path / "y.txt", input_format="csv").vectors[3].tolist() == [3, 3.5]


def test_a_pipe_is_not_opened_to_be_known(tmp_path: Path) -> None:
    import os

    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes here")
    os.mkfifo(tmp_path / "x.tsv")
    with pytest.raises(LoadError, match="neither a file nor a folder"):
        find_format(tmp_path / "x.tsv")


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux only")
def test_the_name_of_a_source_can_be_shown_whatever_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "b\udce9\x1b.npy"
    np.save(path, VECTORS)
    table = load_table(path)
    assert table.n_points == N
    table.source.encode("utf-8")
    assert table.source.isprintable()


def test_a_name_with_a_nul_character_is_no_path(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.eye(3, dtype=np.float32))
    asked = (
        lambda: load_table("x\0.npy"),
        lambda: load_table("x\0.npy", input_format="npy"),
        lambda: load_table(tmp_path / "x.npy", metadata="m\0.tsv"),
        lambda: open_index("w\0"),
    )
    for ask in asked:
        with pytest.raises(LoadError, match=r": not a path$"):
            ask()
