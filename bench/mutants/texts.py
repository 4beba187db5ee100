"""Kinds of text: tables of vectors, JSON, metadata and vocabularies."""

from __future__ import annotations

import gzip
import json
import lzma
import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from embviz.errors import EmbvizError
from embviz.loaders import load_table
from embviz.loaders.labels.keyed import join_rows
from embviz.loaders.labels.metadata import read_metadata
from embviz.loaders.labels.vocabulary import find_tokens
from embviz.questions.points import open_points
from mutants.changing import (
    LABELS,
    VECTORS,
    Kind,
    N,
    mutate_bytes,
    mutate_value,
)
from mutants.reading import one_file
from mutants.stored import arrays, npy, zipped


def rows(start: Callable[[int], str], delimiter: str) -> str:
    return "".join(
        start(i) + delimiter + delimiter.join(f"{x:.5g}" for x in row) + "\n"
        for i, row in enumerate(VECTORS.tolist())
    )


def write_records() -> bytes:
    records = (w.encode() + b" " + row.tobytes() for w, row in zip(LABELS, VECTORS, strict=True))
    return f"{N} 8\n".encode() + b"".join(records)


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


def text_kinds() -> dict[str, Kind]:
    """Return the kinds of this module by name."""
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
        "tsv": one_file("x.tsv", table),
        "tsv.gz": one_file("x.tsv.gz", gzip.compress(table)),
        "csv": one_file("x.csv", quoted),
        "glove": one_file("x.txt", rows(lambda i: f"w{i}", " ").encode()),
        "word2vec": one_file("x.vec", counted),
        "records": one_file("x.bin", write_records()),
        "records-gzip": one_file("x.bin.gz", gzip.compress(write_records())),
        "cells": one_file("x.csv", cells),
        "decimals": one_file("x.txt", decimals),
        "utf-16": one_file("x.txt", table.decode().encode("utf-16")),
        "json-lines": one_file("x.jsonl", "".join(json.dumps(r) + "\n" for r in records).encode()),
        "json-array": one_file("x.json", json.dumps(records, indent=1).encode()),
        "json-names": one_file("x.json", json.dumps(dict(zip(LABELS, VECTORS.tolist(), strict=True))).encode()),
        "json-batch": one_file("x.jsonl", "".join(json.dumps(r) + "\n" for r in batch).encode()),
        "metadata": Kind(make_metadata, mutate_metadata, read_meta),
        "metadata-csv": labels("m.csv", ("word,n\n" + "".join(f'"{w}",{i}\n' for i, w in enumerate(LABELS))).encode()),
        "metadata-json": labels("m.json", json.dumps(dict(enumerate(LABELS))).encode()),
        "metadata-jsonl": labels("m.jsonl", "".join(json.dumps({"word": w, "n": [1, None]}) + "\n" for w in LABELS).encode()),
        "metadata-npy": labels("m.npy", npy(np.array(LABELS))),
        "metadata-npz": labels("m.npz", arrays(word=np.array(LABELS), n=np.arange(N))),
        "metadata-xz": labels("m.txt.xz", lzma.compress("\n".join(LABELS).encode())),
        "metadata-utf-16": labels("m.txt", "\n".join(LABELS).encode("utf-16")),
        "csv.xz": one_file("x.csv.xz", lzma.compress(quoted)),
        "csv.zip": one_file("x.csv.zip", zipped("x.csv", quoted)),
        **{
            f"tokenizer-{kind}": vocabulary("tokenizer.json", partial(write_tokenizer, kind=kind))
            for kind in ("BPE", "Unigram", "WordPiece")
        },
        "tokenizer-model": vocabulary("tokenizer.model", write_pieces),
        "tokenizer-vocab.json": vocabulary("vocab.json", write_vocabulary),
        "tokenizer-vocab.txt": vocabulary("vocab.txt", write_vocabulary),
    }  # fmt: skip
