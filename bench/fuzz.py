"""What damaged files do: read, refused in one line, or a finding.

    python bench/fuzz.py [--mutants 20000] [--seed 0] [--only npz,index] [--keep DIR]

Small real files of every kind that is read are changed at random: bytes turned, cut, doubled and
inserted, and values within archives, manifests and chunks changed under right checksums. Each is
read as the commands read it, within ten seconds and 4 GB. A finding is an error that is not one of
ours, an error that does not name the file, or vectors and pixels that changed although a checksum
tells; the smallest file of each is kept. A checkpoint is among them where TensorFlow is installed.
"""

from __future__ import annotations

import argparse
import base64
import bz2
import gzip
import io
import json
import logging
import lzma
import os
import random
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from embviz.errors import EmbvizError
from embviz.loaders import list_tensors, load_table
from embviz.loaders.labels.keyed import join_rows
from embviz.loaders.labels.metadata import read_metadata
from embviz.loaders.labels.vocabulary import find_tokens
from embviz.neighbors.index.files import BLOCK, MANIFEST, crc32c
from embviz.questions.points import open_points
from embviz.rows import read_rows
from embviz.sprites import load_sprite, read_tiles

N = 60
SECONDS = 10
MEMORY = 4 << 30
VECTORS = np.random.default_rng(0).normal(size=(N, 8)).astype(np.float32)
LABELS = [f"wörd {i}" for i in range(N)]
ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2.5,
    1 << 40,
    1 << 70,
    "U3",
    "",
    [],
    [1],
    {},
    {"a": 1},
    "\0",
)
INTEGERS = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, (1 << 63) - 1)


PYTORCH = (
    "state_dict.pt",
    "views.pth",
    "epoch=3-step=400.ckpt",
    "whole_module.pt",
    "scripted.pt",
    "legacy.pt",
)


@dataclass(frozen=True)
class Kind:
    """A kind of file: how it is written, changed and read.

    `make` writes it into a folder and returns its files by name; `mutate` changes some of them in
    place and tells whether a checksum must tell; `read` reads the folder and returns what counts.
    """

    make: Callable[[Path], None]
    mutate: Callable[[Path, random.Random], bool]
    read: Callable[[Path], np.ndarray | None]


def mutate_bytes(raw: bytes, rng: random.Random) -> bytes:
    """Change some bytes."""
    data = bytearray(raw)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(data) + 1)
        size = rng.choice((1, 1, 2, 4, 8, 32))
        kind = rng.randrange(8)
        if kind <= 2 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 3:
            data[at : at + size] = rng.randbytes(size)
        elif kind == 4:
            del data[at : at + size]
        elif kind == 5:
            data[at:at] = data[at : at + size] * rng.choice((1, 2, 40))
        elif kind == 6:
            width = rng.choice((1, 2, 4, 8))
            value = rng.choice(INTEGERS) & ((1 << 8 * width) - 1)
            data[at : at + width] = value.to_bytes(width, rng.choice(("little", "big")))
        else:
            del data[at if rng.random() < 0.3 else len(data) - rng.randrange(1, 9) :]
    return bytes(data)


def mutate_files(folder: Path, rng: random.Random) -> bool:
    """Change bytes of one file of a folder; a checksum need not tell."""
    file = rng.choice(sorted(p for p in folder.rglob("*") if p.is_file()))
    file.write_bytes(mutate_bytes(file.read_bytes(), rng))
    return False


def mutate_value(value: Any, rng: random.Random) -> Any:
    """Change one value somewhere in JSON."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(sorted(value))
        if rng.random() < 0.15:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: mutate_value(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.7:
        at = rng.randrange(len(value))
        changed = [] if rng.random() < 0.2 else [mutate_value(value[at], rng)]
        return [*value[:at], *changed, *value[at + 1 :]]
    if isinstance(value, int) and rng.random() < 0.5:
        return value + rng.choice((-1, 1, 8, 1 << 31))
    if isinstance(value, str) and rng.random() < 0.5:
        return mutate_bytes(value.encode(), rng).decode("latin-1")
    return rng.choice(ODD)


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def archive(method: int) -> Kind:
    members = {
        "emb.npy": npy(VECTORS),
        "wörd.npy": npy(np.array(LABELS)),
        "n.npy": npy(np.arange(N)),
    }

    def write(folder: Path, found: dict[str, bytes]) -> None:
        with zipfile.ZipFile(folder / "x.npz", "w", method) as file:
            for name, raw in found.items():
                file.writestr(zipfile.ZipInfo(name), raw, method)

    def mutate(folder: Path, rng: random.Random) -> bool:
        if rng.random() < 0.6:
            mutate_files(folder, rng)
            return True
        name = rng.choice(sorted(members))
        write(folder, {**members, name: mutate_bytes(members[name], rng)})
        return False

    return Kind(lambda folder: write(folder, members), mutate, lambda f: read_table(f / "x.npz"))


def read_table(path: Path, **options: Any) -> np.ndarray | None:
    """List and load a table as the commands do; return its vectors where they were checked."""
    list_tensors(path)
    table = load_table(path, **options)
    read_rows(table.vectors, np.s_[:: max(1, table.n_points // 9)])
    table.label(0)
    if table.verify is not None:
        table.verify()
    size = table.n_points * table.n_dims * table.vectors.dtype.itemsize
    return np.asarray(table.vectors[0 : table.n_points]) if size < 1 << 24 else None


def make_index(folder: Path) -> None:
    import embviz

    columns = {"word": tuple(LABELS), "n": tuple(map(str, range(N)))}
    embviz.build_index(embviz.EmbeddingTable(VECTORS, columns), folder / "idx")


def mutate_index(folder: Path, rng: random.Random) -> bool:
    manifest = folder / "idx" / MANIFEST
    kind = rng.random()
    if kind < 0.2:
        return mutate_files(folder, rng)
    whole = json.loads(manifest.read_text())
    del whole["crc32c"]
    if kind < 0.6:
        whole = mutate_value(whole, rng)
    else:
        name = rng.choice(sorted(whole["parts"]))
        part = folder / "idx" / f"{name}.bin"
        if part.stat().st_size:
            array = bytearray(part.read_bytes())
            at = rng.randrange(len(array))
            size = min(8, len(array) - at)
            array[at : at + size] = rng.choice(INTEGERS).to_bytes(8, "little")[:size]
            part.write_bytes(array)
            blocks = [array[i : i + BLOCK] for i in range(0, len(array), BLOCK)]
            packed = np.array([crc32c(bytes(block)) for block in blocks], "<u4").tobytes()
            whole["parts"][name]["crc32c"] = base64.b64encode(packed).decode()
    if isinstance(whole, dict):
        text = json.dumps(whole, sort_keys=True)
        whole["crc32c"] = crc32c(text.encode())
    manifest.write_text(json.dumps(whole))
    return False


def read_index(folder: Path) -> None:
    from embviz.neighbors.index.index import open_index

    index = open_index(folder / "idx")
    index.columns.find(LABELS[3])
    index.find_neighbors([0, N - 1], 3)
    index.row_number(1)
    index.changed_source()
    read_table(folder / "idx")


def image(kind: str) -> Kind:
    def make(folder: Path) -> None:
        from PIL import Image

        pixels = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "s.img", kind)

    def mutate(folder: Path, rng: random.Random) -> bool:
        raw = (folder / "s.img").read_bytes()
        if kind != "PNG" or rng.random() < 0.5:
            (folder / "s.img").write_bytes(mutate_bytes(raw, rng))
            return kind == "PNG"
        at = 8
        for _ in range(rng.randrange(3)):
            at += struct.unpack_from(">I", raw, at)[0] + 12
        length = struct.unpack_from(">I", raw, at)[0] if at < len(raw) else 0
        body = raw[at + 4 : at + 8] + mutate_bytes(raw[at + 8 : at + 8 + length], rng)
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        (folder / "s.img").write_bytes(raw[:at] + chunk + raw[at + length + 12 :])
        return False

    def read(folder: Path) -> np.ndarray:
        return read_tiles(load_sprite(folder / "s.img", (8, 8), N))

    return Kind(make, mutate, read)


def text(name: str, content: bytes, **options: Any) -> Kind:
    def make(folder: Path) -> None:
        (folder / name).write_bytes(content)

    def read(folder: Path) -> None:
        read_table(folder / name, **options)

    return Kind(make, mutate_files, read)


def rows(start: Callable[[int], str], delimiter: str) -> str:
    return "".join(
        start(i) + delimiter + delimiter.join(f"{x:.5g}" for x in row) + "\n"
        for i, row in enumerate(VECTORS.tolist())
    )


def make_metadata(folder: Path) -> None:
    np.save(folder / "x.npy", VECTORS)
    lines = "".join(f"{label}\t{i}\n" for i, label in enumerate(LABELS))
    (folder / "meta.tsv").write_text("word\tn\n" + lines, encoding="utf-8")


def mutate_metadata(folder: Path, rng: random.Random) -> bool:
    file = folder / "meta.tsv"
    file.write_bytes(mutate_bytes(file.read_bytes(), rng))
    return False


def read_meta(folder: Path) -> None:
    read_metadata(folder / "meta.tsv", N)
    load_table(folder / "x.npy", metadata=folder / "meta.tsv")


def labels(name: str, content: bytes) -> Kind:
    """A file of metadata of any kind, also joined by a key."""

    def make(folder: Path) -> None:
        np.save(folder / "x.npy", VECTORS)
        (folder / name).write_bytes(content)

    def mutate(folder: Path, rng: random.Random) -> bool:
        file = folder / name
        file.write_bytes(mutate_bytes(file.read_bytes(), rng))
        return False

    def read(folder: Path) -> None:
        file = folder / name
        for unlabeled in ("keep", "drop"):
            load_table(folder / "x.npy", metadata=file, unlabeled=unlabeled)
        open_points(folder / "x.npy", metadata=file).columns.find("w")
        with suppress(EmbvizError):
            join_rows(file, "word", {"word": tuple(LABELS)}, "drop")

    return Kind(make, mutate, read)


def make_shards(folder: Path) -> None:
    for i in range(6):
        np.save(folder / f"emb_{i}.npy", VECTORS[10 * i : 10 * i + 10])
        np.save(folder / f"label_{i}.npy", np.array(LABELS[10 * i : 10 * i + 10]))


def zipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


def arrays(**content: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez(out, **content)
    return out.getvalue()


def vocabulary(name: str, write: Callable[[Path], None]) -> Kind:
    """A vocabulary beside an array of as many rows and some more."""

    def make(folder: Path) -> None:
        np.save(folder / "x.npy", VECTORS[:, :2].repeat(8, axis=0))
        write(folder / name)

    def mutate(folder: Path, rng: random.Random) -> bool:
        file = folder / name
        if name.endswith(".json") and rng.random() < 0.6:
            file.write_text(json.dumps(mutate_value(json.loads(file.read_text()), rng)))
        else:
            file.write_bytes(mutate_bytes(file.read_bytes(), rng))
        return False

    def read(folder: Path) -> None:
        load_table(folder / "x.npy", metadata=folder / name)
        found = find_tokens(folder)
        if found is not None:
            found.columns(8 * N)

    return Kind(make, mutate, read)


def write_tokenizer(file: Path, kind: str) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = {
        "BPE": (models.BPE(), trainers.BpeTrainer, pre_tokenizers.ByteLevel(), decoders.ByteLevel()),
        "Unigram": (models.Unigram(), trainers.UnigramTrainer, pre_tokenizers.Metaspace(), decoders.Metaspace()),
        "WordPiece": (models.WordPiece(), trainers.WordPieceTrainer, pre_tokenizers.BertPreTokenizer(), decoders.WordPiece()),
    }  # fmt: skip
    model, trainer, split, decoder = made[kind]
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer, tokenizer.decoder = split, decoder
    tokenizer.train_from_iterator(LABELS, trainer(vocab_size=90, special_tokens=["<unk>"]))
    tokenizer.save(str(file))


def write_pieces(file: Path) -> None:
    import sentencepiece

    with file.open("wb") as out:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(LABELS), model_writer=out, vocab_size=300, model_type="bpe",
            byte_fallback=True, minloglevel=2, hard_vocab_limit=False,
        )  # fmt: skip


def write_vocabulary(file: Path) -> None:
    tokens = ["[PAD]", "[UNK]", *(f"##{label}" for label in LABELS)]
    if file.suffix == ".json":
        file.write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
    else:
        file.write_text("".join(f"{token}\n" for token in tokens), encoding="utf-8")


def make_sheets(folder: Path) -> None:
    from PIL import Image

    for name in ("one.png", "two.png"):
        Image.new("RGB", (64, 32), (9, 9, 9)).save(folder / name)
    note = {"embviz_sprite": 1, "tile_width": 8, "tile_height": 8, "columns": 8, "count": N}
    (folder / "s.json").write_text(json.dumps({**note, "sheets": ["one.png", "two.png"]}))


def mutate_sheets(folder: Path, rng: random.Random) -> bool:
    if rng.random() < 0.5:
        return mutate_files(folder, rng)
    file = folder / "s.json"
    file.write_text(json.dumps(mutate_value(json.loads(file.read_text()), rng)))
    return False


def make_checkpoint(folder: Path) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    tf.train.Checkpoint(emb=tf.Variable(VECTORS)).write(str(folder / "model.ckpt"))


def make_logdir(folder: Path) -> None:
    import embviz
    from embviz.export import export_logdir

    export_logdir(folder, [embviz.EmbeddingTable(VECTORS, {"w": tuple(LABELS)}, name="emb")])


def arrow(name: str, packed: str | None = None) -> Kind:
    """Vectors as lists, some of them null, beside columns of most types."""

    def make(folder: Path) -> None:
        import pyarrow as pa
        from pyarrow import feather, parquet

        lists = [None if i == 7 else row for i, row in enumerate(VECTORS.tolist())]
        notes = {"info": {"features": {"class": {"names": ["a", "b"]}}}}
        table = pa.table({
            "word": pa.array(LABELS).dictionary_encode(),
            "emb": pa.array(lists, pa.list_(pa.float32())),
            "fixed": pa.array(lists, pa.list_(pa.float16(), 8)),
            "counts": pa.array([[i, 2] for i in range(N)], pa.large_list(pa.int16())),
            "class": [i % 2 for i in range(N)],
            "tags": [[{"k": label}] for label in LABELS],
            "when": pa.array(range(N), pa.timestamp("ns", "UTC")),
        }).replace_schema_metadata({"huggingface": json.dumps(notes)})  # fmt: skip
        if name.endswith(".parquet"):
            parquet.write_table(table, folder / name, row_group_size=23, compression=packed)
        elif name.endswith(".feather"):
            feather.write_feather(table, folder / name, packed, chunksize=23)
        else:
            (folder / name).mkdir()
            files = {"_data_files": [{"filename": "data-0.arrow"}]}
            (folder / name / "state.json").write_text(json.dumps(files))
            (folder / name / "dataset_info.json").write_text("{}")
            with pa.ipc.new_stream(folder / name / "data-0.arrow", table.schema) as out:
                out.write_table(table, max_chunksize=23)

    def read(folder: Path) -> None:
        for tensor in ("emb", "fixed", "counts"):
            read_table(folder / name, tensor=tensor)

    return Kind(make, mutate_files, read)


def make_gguf(folder: Path) -> None:
    import gguf

    writer = gguf.GGUFWriter(folder / "x.gguf", "llama")
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(LABELS)
    writer.add_token_types([1] * N)
    writer.add_token_scores([0.5] * N)
    packed = np.random.default_rng(2).integers(0, 99, (N, 144), np.uint8)
    writer.add_tensor("token_embd.weight", packed, raw_dtype=gguf.GGMLQuantizationType.Q4_K)
    writer.add_tensor("output.weight", VECTORS)
    writer.add_tensor("blk.0.ffn_up.weight", VECTORS.astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def mutate_head(folder: Path, rng: random.Random) -> bool:
    """Change bytes of a file's first part, mostly."""
    file = next(p for p in sorted(folder.iterdir()) if p.is_file())
    raw = file.read_bytes()
    end = len(raw) if rng.random() < 0.3 else min(len(raw), 3000)
    file.write_bytes(mutate_bytes(raw[:end], rng) + raw[end:])
    return False


def read_all(path: Path) -> None:
    """Read some rows and the labels of every table of a source."""
    for info in list_tensors(path):
        if len(info.shape) == 2:
            try:
                table = load_table(path, tensor=info.name)
            except EmbvizError as error:
                if not str(error).startswith((str(path), "tensor")):
                    raise
                continue
            next(iter(table.blocks()))
            table.label(table.n_points - 1)


def real(name: str) -> Kind:
    """A small file that PyTorch wrote; half of the time what is pickled in it is changed."""
    file = Path(__file__).parent.parent / "tests" / "data" / "pytorch" / name

    def mutate(folder: Path, rng: random.Random) -> bool:
        if name == "legacy.pt" and rng.random() < 0.7:
            raw = (folder / name).read_bytes()  # The pickles are its first 347 bytes.
            (folder / name).write_bytes(mutate_bytes(raw[:347], rng) + raw[347:])
        if name == "legacy.pt" or rng.random() < 0.4:
            return mutate_files(folder, rng) or name != "legacy.pt"
        with zipfile.ZipFile(file) as old, zipfile.ZipFile(folder / name, "w") as new:
            for info in old.infolist():
                raw = old.read(info)
                changed = info.filename.endswith(".pkl") or rng.random() < 0.1
                new.writestr(info, mutate_bytes(raw, rng) if changed else raw)
        return False

    def read(folder: Path) -> np.ndarray | None:
        best = [info.name for info in list_tensors(folder / name) if len(info.shape) == 2]
        for tensor in best[1:]:
            with suppress(EmbvizError):
                read_table(folder / name, tensor=tensor)
        first = best[0] if best and name == "views.pth" else None
        return read_table(folder / name, tensor=first)

    return Kind(lambda folder: shutil.copy(file, folder) and None, mutate, read)


def hdf5(name: str, tensors: tuple[str, ...]) -> Kind:
    """A file of tests/data/hdf5, as h5py, Keras or anndata wrote it."""

    def make(folder: Path) -> None:
        shutil.copy(Path(__file__).parent.parent / "tests" / "data" / "hdf5" / name, folder)

    def read(folder: Path) -> None:
        for tensor in tensors:
            read_table(folder / name, tensor=tensor)

    return Kind(make, mutate_files, read)


def onnx(*names: str) -> Kind:
    """A model that onnx wrote, with its data file where it has one."""
    files = [Path(__file__).parent.parent / "tests" / "data" / "onnx" / name for name in names]

    def make(folder: Path) -> None:
        for file in files:
            shutil.copy(file, folder)

    def mutate(folder: Path, rng: random.Random) -> bool:
        raw = (folder / names[0]).read_bytes()
        if rng.random() < 0.3:
            return mutate_files(folder, rng)
        at = rng.randrange(0, len(raw), 8)  # Mostly what lies between the values is of interest.
        at = rng.choice((0, raw.find(b"half") - 30, raw.find(b"typed") - 50, at))
        part = mutate_bytes(raw[at : at + 80], rng)
        (folder / names[0]).write_bytes(raw[:at] + part + raw[at + 80 :])
        return False

    def read(folder: Path) -> np.ndarray | None:
        for info in list_tensors(folder / names[0]):
            with suppress(EmbvizError):
                read_table(folder / names[0], tensor=info.name)
        return read_table(folder / names[0])

    return Kind(make, mutate, read)


def write_safetensors(path: Path, tensors: dict[str, tuple[str, np.ndarray]]) -> None:
    header, data = {}, b""
    for name, (code, array) in tensors.items():
        raw = array.tobytes()
        spans = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": code, "shape": list(array.shape), "data_offsets": spans}
        data += raw
    write_header(path, header, data)


def write_header(path: Path, header: Any, data: bytes) -> None:
    raw = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + data)


def make_safetensors(folder: Path) -> None:
    small = np.random.default_rng(1).integers(0, 120, (N, 8)).astype(np.uint8)
    tensors = {
        "embed.weight": ("F8_E4M3", small),
        "embed.weight_scale": ("F32", np.full((N, 1), 0.5, np.float32)),
        "wide.weight": ("BF16", np.full((N, 8), 0x3F80, np.uint16)),
        "norm": ("F32", VECTORS[0]),
        "flags": ("BOOL", small % 2),
    }
    write_safetensors(folder / "x.safetensors", tensors)


def make_model(folder: Path) -> None:
    names = {
        "model.embed_tokens.weight": VECTORS,
        "lm_head.weight": VECTORS,
        "wpe.weight": VECTORS[:9],
    }
    homes = {name: f"{'ab'[i % 2]}.safetensors" for i, name in enumerate(names)}
    for home in sorted(set(homes.values())):
        held = {n: ("F32", array) for n, array in names.items() if homes[n] == home}
        write_safetensors(folder / home, held)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": homes}))
    config = {
        "vocab_size": N,
        "tie_word_embeddings": True,
        "quantization_config": {"weight_block_size": [8, 8]},
    }
    (folder / "config.json").write_text(json.dumps(config))
    modules = [{"path": "", "type": "sentence_transformers.models.Transformer"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "vocab.txt").write_text("\n".join(LABELS), encoding="utf-8")


def make_autoencoder(folder: Path) -> None:
    tensors = {
        "decoder.weight": VECTORS.T,
        "encoder.weight": VECTORS,
        "encoder.bias": VECTORS[:, 0],
    }
    found = {name: ("F32", np.ascontiguousarray(array)) for name, array in tensors.items()}
    write_safetensors(folder / "sae_weights.safetensors", found)
    (folder / "cfg.json").write_text(
        json.dumps({"d_sae": N, "metadata": {"neuronpedia_id": "a/b"}})
    )
    texts = [{"index": str(i), "description": label} for i, label in enumerate(LABELS)]
    (folder / "explanations.json").write_text(json.dumps(texts))


def mutate_weights(folder: Path, rng: random.Random) -> bool:
    """Change a value of JSON, that of a header under its right length too, or bytes."""
    file = rng.choice(sorted(p for p in folder.rglob("*") if p.is_file()))
    if rng.random() < 0.4 or file.suffix == ".txt":
        return mutate_files(folder, rng)
    raw = file.read_bytes()
    if file.suffix == ".json":
        file.write_text(json.dumps(mutate_value(json.loads(raw), rng)), encoding="utf-8")
        return False
    end = 8 + int.from_bytes(raw[:8], "little")
    write_header(file, mutate_value(json.loads(raw[8:end]), rng), raw[end:])
    return False


def zarr_folder(version: int) -> Kind:
    def make(folder: Path) -> None:
        import zarr

        group = zarr.open_group(folder / "x.zarr", mode="w", zarr_format=version)
        group.create_array("emb", data=VECTORS, chunks=(17, 5))
        group.create_array("word", data=np.array(LABELS, np.dtypes.StringDType()))

    def mutate(folder: Path, rng: random.Random) -> bool:
        if rng.random() < 0.5:
            return mutate_files(folder, rng)
        file = rng.choice(
            sorted(p for p in folder.rglob("*") if p.name in ("zarr.json", ".zarray"))
        )
        file.write_text(json.dumps(mutate_value(json.loads(file.read_text()), rng)))
        return False

    return Kind(make, mutate, lambda f: read_table(f / "x.zarr", tensor="emb"))


def kinds() -> dict[str, Kind]:
    packings = {"stored": 0, "deflate": 8, "bzip2": 12, "lzma": 14}
    found = {f"npz-{name}": archive(method) for name, method in packings.items()}
    table = rows(lambda i: f"wörd_{i}", "\t").encode()
    quoted = rows(lambda i: f'"wörd, ""{i}"""', ",").encode()
    records = [
        {"word": w, "n": i, "emb": v}
        for i, (w, v) in enumerate(zip(LABELS, VECTORS.tolist(), strict=True))
    ]
    batch = [
        {
            "custom_id": w,
            "response": {"body": {"data": [{"index": 0, "embedding": v}]}},
            "error": None,
        }
        for w, v in zip(LABELS, VECTORS.tolist(), strict=True)
    ]
    counted = f"{N} 8\n".encode() + rows(lambda i: f"w{i}", " ").encode()
    listed = (f'w{i},"a ""b"",\n{i}",{i},"{row}"\n' for i, row in enumerate(VECTORS.tolist()))
    cells = ("word,text,n,embedding\n" + "".join(listed)).encode()
    decimals = rows(lambda i: f'"w {i}"', " ").replace(".", ",").encode()
    return {
        **found,
        "npy": text("x.npy", npy(VECTORS)),
        "gguf": Kind(make_gguf, mutate_head, lambda f: read_all(f / "x.gguf")),
        **{f"pytorch-{name}": real(name) for name in PYTORCH},
        "onnx-model": onnx("model.onnx"),
        "onnx-external": onnx("external.onnx", "external.onnx.data"),
        "safetensors": Kind(make_safetensors, mutate_weights, lambda f: read_all(f / "x.safetensors")),
        "model": Kind(make_model, mutate_weights, read_all),
        "autoencoder": Kind(make_autoencoder, mutate_weights, read_all),
        "index": Kind(make_index, mutate_index, read_index),
        **{f"image-{kind}": image(kind) for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP")},
        "sheets": Kind(make_sheets, mutate_sheets, lambda f: read_tiles(load_sprite(f / "s.json", None, N))),
        "tsv": text("x.tsv", table),
        "tsv.gz": text("x.tsv.gz", gzip.compress(table)),
        "csv": text("x.csv", quoted),
        "word2vec": text("x.vec", counted),
        "records": text("x.bin", write_records()),
        "records-gzip": text("x.bin.gz", gzip.compress(write_records())),
        **{f"fasttext-{name}": words(name) for name in ("skipgram.bin", "classes.bin", "pruned.ftz")},
        **{f"faiss-{spec}": faiss_index(spec) for spec in ("Flat", "IDMap,HNSW4", "IVF4,Flat")},
        "faiss-beside": faiss_index("IVF4,Flat", beside=True),
        "projector": Kind(make_projector, mutate_projector, lambda f: read_all(f)),
        "cells": text("x.csv", cells),
        "decimals": text("x.txt", decimals),
        "utf-16": text("x.txt", table.decode().encode("utf-16")),
        "json-lines": text("x.jsonl", "".join(json.dumps(r) + "\n" for r in records).encode()),
        "json-array": text("x.json", json.dumps(records, indent=1).encode()),
        "json-names": text("x.json", json.dumps(dict(zip(LABELS, VECTORS.tolist(), strict=True))).encode()),
        "json-batch": text("x.jsonl", "".join(json.dumps(r) + "\n" for r in batch).encode()),
        "metadata": Kind(make_metadata, mutate_metadata, read_meta),
        "metadata-csv": labels("m.csv", ("word,n\n" + "".join(f'"{w}",{i}\n' for i, w in enumerate(LABELS))).encode()),
        "metadata-json": labels("m.json", json.dumps(dict(enumerate(LABELS))).encode()),
        "metadata-jsonl": labels("m.jsonl", "".join(json.dumps({"word": w, "n": [1, None]}) + "\n" for w in LABELS).encode()),
        "metadata-npy": labels("m.npy", npy(np.array(LABELS))),
        "metadata-npz": labels("m.npz", arrays(word=np.array(LABELS), n=np.arange(N))),
        "metadata-xz": labels("m.txt.xz", lzma.compress("\n".join(LABELS).encode())),
        "metadata-utf-16": labels("m.txt", "\n".join(LABELS).encode("utf-16")),
        "npy.gz": text("x.npy.gz", gzip.compress(npy(VECTORS))),
        "npy.bz2": text("x.npy.bz2", bz2.compress(npy(VECTORS))),
        "csv.xz": text("x.csv.xz", lzma.compress(quoted)),
        "csv.zip": text("x.csv.zip", zipped("x.csv", quoted)),
        "shards": Kind(make_shards, mutate_files, lambda f: read_table(f)),
        **{
            f"tokenizer-{kind}": vocabulary("tokenizer.json", partial(write_tokenizer, kind=kind))
            for kind in ("BPE", "Unigram", "WordPiece")
        },
        "tokenizer-model": vocabulary("tokenizer.model", write_pieces),
        "tokenizer-vocab.json": vocabulary("vocab.json", write_vocabulary),
        "tokenizer-vocab.txt": vocabulary("vocab.txt", write_vocabulary),
        "checkpoint": Kind(make_checkpoint, mutate_files, lambda f: read_table(f / "model.ckpt")),
        "parquet": arrow("x.parquet", "none"),
        "parquet-packed": arrow("x.parquet", "zstd"),
        "arrow": arrow("x.feather", "uncompressed"),
        "arrow-packed": arrow("x.feather", "lz4"),
        "arrow-saved": arrow("saved"),
        "zarr-2": zarr_folder(2),
        "zarr-3": zarr_folder(3),
        "hdf5-plain": hdf5("plain.h5", ("emb", "packed", "more/raw")),
        "hdf5-h5ad": hdf5("csr.h5ad", ("X", "obsm/X_pca")),
        "hdf5-keras": hdf5("keras3.keras", ("words",)),
        "hdf5-legacy": hdf5("keras2_weights.h5", ("words",)),
        "logdir": Kind(make_logdir, mutate_files, lambda f: read_table(f)),
    }  # fmt: skip


def write_records() -> bytes:
    records = (w.encode() + b" " + row.tobytes() for w, row in zip(LABELS, VECTORS, strict=True))
    return f"{N} 8\n".encode() + b"".join(records)


def words(name: str) -> Kind:
    """A model that fastText wrote."""
    file = Path(__file__).parent.parent / "tests" / "data" / "words" / name
    return Kind(lambda folder: shutil.copy(file, folder), mutate_head, lambda f: read_all(f / name))


def faiss_index(spec: str, beside: bool = False) -> Kind:
    """An index of vectors, its lists perhaps in a file of their own."""

    def make(folder: Path) -> None:
        import faiss

        index = faiss.index_factory(8, spec)
        index.train(np.tile(VECTORS, (4, 1)))
        if beside:
            lists = faiss.OnDiskInvertedLists(index.nlist, index.code_size, str(folder / "z"))
            index.replace_invlists(lists)
        if spec.startswith("IDMap"):
            index.add_with_ids(VECTORS, np.arange(N) * 3)
        else:
            index.add(VECTORS)
        faiss.write_index(index, str(folder / "x.faiss"))

    return Kind(make, mutate_head, lambda f: read_all(f / "x.faiss"))


def make_projector(folder: Path) -> None:
    VECTORS.tofile(folder / "t.bytes")
    (folder / "m.tsv").write_text("".join(f"{label}\n" for label in LABELS), encoding="utf-8")
    entry = {"tensorName": "W", "tensorShape": [N, 8], "tensorPath": "t.bytes"}
    config = {"embeddings": [{**entry, "metadataPath": "m.tsv"}], "modelCheckpointPath": "x"}
    (folder / "projector_config.json").write_text(json.dumps(config))


def mutate_projector(folder: Path, rng: random.Random) -> bool:
    file = folder / "projector_config.json"
    if rng.random() < 0.6:
        file.write_text(json.dumps(mutate_value(json.loads(file.read_text()), rng)))
        return False
    return mutate_files(folder, rng)


class TooSlowError(Exception):
    pass


def ring(number: int, frame: object) -> None:
    raise TooSlowError


def judge(kind: Kind, folder: Path, right: np.ndarray | None, told: bool) -> tuple[str, str] | None:
    """Read a changed file; return what is wrong and where, or None."""
    timed = hasattr(signal, "setitimer")
    if timed:
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        found = kind.read(folder)
    except EmbvizError as error:
        names = [str(folder), "query", "column", "vectors: "]
        if "\n" in str(error) or not any(name in str(error) for name in names):
            return "Nameless", str(error)[:80]
        return None
    except Exception as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "embviz" in f.filename]
        last = frames[-1] if frames else None
        return type(error).__name__, f"{Path(last.filename).name}:{last.lineno} {error}"[
            :100
        ] if last else ""
    finally:
        if timed:
            signal.setitimer(signal.ITIMER_REAL, 0)
    same = found is None or right is None or found.tobytes() == right.tobytes()
    return ("Wrong", "other values though a checksum tells") if told and not same else None


def limit_memory() -> None:
    """Let the process take 4 GB more than it holds, where the system can say so."""
    if sys.platform.startswith("linux"):
        import resource

        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY,) * 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable()
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, ring)
    chosen = {
        name: kind
        for name, kind in kinds().items()
        if not options.only or name.split("-")[0] in options.only.split(",")
    }
    smallest: dict[tuple[str, str, str], int] = {}
    counts: Counter[tuple[str, str, str]] = Counter()
    with tempfile.TemporaryDirectory() as base:
        made: dict[str, tuple[Path, np.ndarray | None]] = {}
        for name, kind in list(chosen.items()):
            folder = Path(base, "made", name)
            folder.mkdir(parents=True)
            try:
                kind.make(folder)
            except ImportError:
                del chosen[name]
                continue
            made[name] = folder, kind.read(folder)
        limit_memory()
        started = time.monotonic()
        for number in range(options.mutants):
            rng = random.Random(f"{options.seed} {number}")
            name = sorted(chosen)[number % len(chosen)]
            folder = Path(base, "mutant")
            shutil.copytree(made[name][0], folder)
            told = chosen[name].mutate(folder, rng)
            wrong = judge(chosen[name], folder, made[name][1], told)
            if wrong is not None:
                key = (name, wrong[0], wrong[1].split(" ")[0])
                counts[key] += 1
                size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
                if size < smallest.get(key, 1 << 60):
                    smallest[key] = size
                    print(f"{number:7} {name:12} {wrong[0]}: {wrong[1]!a}", flush=True)
                    if options.keep:
                        kept = options.keep / "-".join(key).replace("/", "_")
                        shutil.rmtree(kept, ignore_errors=True)
                        shutil.copytree(folder, kept)
            shutil.rmtree(folder)
    seconds = time.monotonic() - started
    print(
        f"{options.mutants:,} mutants of {len(chosen)} kinds in {seconds:.0f} s, {len(counts)} findings"
    )
    for key, count in sorted(counts.items()):
        print(f"{count:7} {' '.join(key)}")


if __name__ == "__main__":
    main()
