"""GGUF: the weights of one model as llama.cpp runs it, with its tokens, in one file or in parts."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from embviz.errors import LoadError, counted, printable
from embviz.inputs import map_file
from embviz.loaders.confined import check_within
from embviz.loaders.opened import Claim, Columns, Source, Start, Tensor, list_some
from embviz.loaders.reading import Reading
from embviz.loaders.weights.gguf_blocks import BLOCK_TYPES, BlockRows
from embviz.loaders.weights.gguf_header import (
    MAGIC,
    STRING,
    GgufHeader,
    Order,
    PackedArray,
    TensorEntry,
    read_header,
    read_integers,
    read_texts,
)
from embviz.loaders.weights.number_types import SwappedRows, numpy_type
from embviz.rows import Rows

_log = logging.getLogger("embviz")

_PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<suffix>\.gguf)", re.I)
_MOST_PARTS = 10_000
_OTHER_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".index", ".npy", ".npz", ".onnx")
_TABLE = "token_embd.weight"
# Rows of these are tokens; the other tables of names that every architecture shares.
_OF_TOKENS = (_TABLE, "per_layer_token_embd.weight", "output.weight")
_FIRST = (*_OF_TOKENS, "position_embd.weight", "token_types.weight")
_PLAIN = {
    0: "float32",
    1: "float16",
    24: "int8",
    25: "int16",
    26: "int32",
    27: "int64",
    28: "float64",
    30: "bfloat16",
}
_OTHER = {
    9: "Q8_1",
    15: "Q8_K",
    16: "IQ2_XXS",
    17: "IQ2_XS",
    18: "IQ3_XXS",
    19: "IQ1_S",
    21: "IQ3_S",
    22: "IQ2_S",
    29: "IQ1_M",
    34: "TQ1_0",
    35: "TQ2_0",
    40: "NVFP4",
    41: "Q1_0",
}
_BY_GGUF = (
    "by the package gguf: numpy.save('x.npy', gguf.dequantize(t.data, t.tensor_type)), "
    "t among gguf.GGUFReader(FILE).tensors"
)


@dataclass(frozen=True)
class _Part:
    """One file of a model and its header."""

    path: Path
    header: GgufHeader


class GgufFormat:
    """Reads GGUF files; packed numbers are unpacked row by row, and tokens are the labels."""

    name = "gguf"

    def claim(self, start: Start) -> Claim | None:
        """Claim what begins as a GGUF file or is named so, and folders of such weights alone."""
        if start.kind == "folder":
            others = any(name.lower().endswith(_OTHER_WEIGHTS) for name in start.names)
            return Claim.MAGIC if _list_models(start.names) and not others else None
        if start.head.startswith(MAGIC):
            return Claim.MAGIC
        return Claim.NAME if start.path.suffix.lower() == ".gguf" else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Read the header of a GGUF file, and of all parts of a model where it is one of them.

        Raises:
            LoadError: If it is damaged, of a version that is not read, a part is missing, or a
                folder holds several models.
        """
        parts = _open_parts(_find_file(path) if path.is_dir() else path)
        tokens = _find_tokens(parts[0])
        found: dict[str, Tensor] = {}
        for part in parts:
            for entry, end in zip(part.header.tensors, _ends(part.header), strict=True):
                if entry.name in found:
                    raise LoadError(
                        part.path,
                        f"tensor '{printable(entry.name, 60)}' is in another part too",
                        "fetch all parts of one model",
                    )
                found[entry.name] = _as_tensor(part, entry, end, tokens)
        first = [found[name] for name in _FIRST if name in found]
        rest = [tensor for name, tensor in found.items() if name not in _FIRST]
        files = tuple(part.path for part in parts if part.path != path)
        return Source(path, (*first, *rest), is_model=True, files=files)


GGUF = GgufFormat()


def _list_models(names: Iterable[str]) -> list[str]:
    """Return the GGUF files among names, of a model in parts the first there is."""
    first: dict[str, str] = {}
    for name in sorted(names):
        part = _PART.fullmatch(name)
        if name.lower().endswith(".gguf"):
            first.setdefault(part["stem"] + part["count"] if part else name, name)
    return list(first.values())


def _find_file(folder: Path) -> Path:
    """Return the one model of a folder; what reads pictures for a model (mmproj) is none."""
    found = _list_models(path.name for path in folder.iterdir())
    models = [name for name in found if not name.lower().startswith("mmproj")] or found
    if not models:
        raise LoadError(folder, "a folder without GGUF files")
    if len(models) > 1:
        names = list_some([printable(str(folder / name), 200) for name in models])
        raise LoadError(folder, f"holds {len(models)} models", f"name one: {names}")
    check_within(folder, folder / models[0])
    return folder / models[0]


def _open_parts(path: Path) -> list[_Part]:
    """Return the parts of a model in order, the one that was given among them."""
    header = read_header(path)
    count = header.integer("split.count", 1)
    if count <= 1:
        return [_Part(path, header)]
    found = _PART.fullmatch(path.name)
    number = header.integer("split.no") + 1
    if found is None or int(found["number"]) != number or int(found["count"]) != count:
        named = f"NAME-{number:05d}-of-{count:05d}.gguf"
        why = f"part {number} of {count} by its header, which its name does not say"
        raise LoadError(path, why, f"name it {named}, and the others alike, in one folder")
    if count > _MOST_PARTS:
        raise LoadError(path, f"a part of {count}, more than {_MOST_PARTS} are not read")
    parts = []
    for other in range(1, count + 1):
        name = f"{found['stem']}-{other:05d}-of-{found['count']}{found['suffix']}"
        parts.append(_Part(path, header) if other == number else _open_part(path, name, other))
    return parts


def _open_part(path: Path, name: str, number: int) -> _Part:
    other = path.with_name(name)
    if not other.is_file():
        why = f"a part of a model, of which {printable(name)} is missing"
        raise LoadError(path, why, "fetch it into the same folder")
    _check_link(path, other)
    header = read_header(other)
    if header.integer("split.no") + 1 != number:
        says = header.integer("split.no") + 1
        raise LoadError(other, f"its header says that it is part {says}", "name it so")
    return _Part(other, header)


def _check_link(path: Path, other: Path) -> None:
    """Refuse a part that is a link out of the folder, unless the one that was given is alike.

    The cache of the Hugging Face hub holds links to the files in one other folder.
    """
    if other.resolve().parent != path.resolve().parent:
        check_within(path.parent, other)


def _ends(header: GgufHeader) -> list[int]:
    """Return for each tensor where the next one begins, or the file ends."""
    starts = [*sorted({entry.start for entry in header.tensors}), header.size]
    following = dict(pairwise(starts))
    return [following.get(entry.start, header.size) for entry in header.tensors]


def _as_tensor(part: _Part, entry: TensorEntry, end: int, tokens: _Tokens | None) -> Tensor:
    packed = BLOCK_TYPES.get(entry.kind)
    dtype = "float32" if packed else _PLAIN.get(entry.kind) or _type_name(entry.kind)
    refusal = _refusal(part, entry, end)
    notes = [f"quantized: {packed.name}"] if packed else []
    if refusal is not None:
        notes.append("not read")
    columns = None
    if tokens is not None and entry.name in _OF_TOKENS and len(entry.shape) == 2:
        notes.append(_describe_tokens(tokens.texts.count, entry.shape[0]))

        def columns() -> Columns:
            assert tokens is not None
            return _read_tokens(tokens, entry.shape[0])

    return Tensor(
        entry.name,
        entry.shape,
        dtype,
        rows=lambda: _open_rows(part, entry),
        note=", ".join(notes),
        preferred=entry.name == _TABLE,
        refusal=refusal,
        columns=columns,
    )


def _describe_tokens(n_tokens: int, n_rows: int) -> str:
    text = f"{counted(n_tokens, 'label')} in tokenizer.ggml.tokens"
    if n_tokens > n_rows:
        return f"{text}, more than rows"
    return f"{text}, {counted(n_rows - n_tokens, 'row')} unused" if n_tokens < n_rows else text


def _type_name(kind: int) -> str:
    return _OTHER.get(kind, f"type {kind}")


def _row_bytes(entry: TensorEntry) -> int:
    """Return what a row takes; the type is one that is read."""
    packed, n_dims = BLOCK_TYPES.get(entry.kind), entry.shape[-1] if entry.shape else 1
    if packed:
        return n_dims // packed.n_values * packed.n_bytes
    return n_dims * _numpy_dtype(entry.kind, "<").itemsize


def _refusal(part: _Part, entry: TensorEntry, end: int) -> LoadError | None:
    """Return why a tensor is not read, None where it is."""
    what = f"{part.path}: '{printable(entry.name, 60)}'"
    packed = BLOCK_TYPES.get(entry.kind)
    if packed is None and entry.kind not in _PLAIN:
        return LoadError(
            what, f"quantized as {_type_name(entry.kind)}, which is not read", f"save it {_BY_GGUF}"
        )
    if packed and part.header.order == ">":
        why = f"quantized as {packed.name} in a big-endian file, which is not read"
        return LoadError(what, why, "give the model's little-endian file")
    if packed and entry.shape[-1:] and entry.shape[-1] % packed.n_values:
        why = f"damaged: rows of {entry.shape[-1]} in blocks of {packed.n_values} numbers"
        return LoadError(what, why, "write or fetch it again")
    wanted = math.prod(entry.shape[:-1]) * _row_bytes(entry)
    if wanted > max(0, part.header.size - entry.start):
        there = max(0, part.header.size - entry.start)
        why = f"cut off: it takes {wanted} bytes, {there} are there"
        return LoadError(what, why, "write or fetch it again")
    if wanted > end - entry.start:
        return LoadError(what, "damaged: it runs into another tensor", "write or fetch it again")
    return None


def _numpy_dtype(kind: int, order: Order) -> np.dtype[Any]:
    found = numpy_type(_PLAIN[kind])
    assert found is not None
    return found.newbyteorder(order)


def _open_rows(part: _Part, entry: TensorEntry) -> Rows:
    """Map a table that `_refusal` let pass."""
    packed = BLOCK_TYPES.get(entry.kind)
    if packed is None:
        dtype = _numpy_dtype(entry.kind, part.header.order)
        if dtype.kind == "V" and not dtype.isnative:
            whole = np.dtype(np.uint16).newbyteorder(part.header.order)
            raw = map_file(part.path, whole, entry.start, entry.shape)
            return SwappedRows(raw, dtype.newbyteorder("="))
        return map_file(part.path, dtype, entry.start, entry.shape)
    name = printable(entry.name, 60)
    _log.info("%s: '%s' is quantized: its values are those of %s", part.path, name, packed.name)
    shape = (entry.shape[0], _row_bytes(entry))
    return BlockRows(map_file(part.path, np.uint8, entry.start, shape), packed)


@dataclass(frozen=True)
class _Tokens:
    """Where the vocabulary lies."""

    part: _Part
    texts: PackedArray


def _find_tokens(part: _Part) -> _Tokens | None:
    texts = part.header.settings.get("tokenizer.ggml.tokens")
    if not isinstance(texts, PackedArray) or texts.kind != STRING or not texts.count:
        return None
    return _Tokens(part, texts)


def _read_tokens(tokens: _Tokens, n_rows: int) -> Columns:
    """Read the vocabulary as the labels of a table of so many rows."""
    from embviz.loaders.labels.tokens import make_tokens

    part, settings = tokens.part, tokens.part.header.settings
    if tokens.texts.count > n_rows:
        why = f"{tokens.texts.count} tokens in tokenizer.ggml.tokens for {n_rows} rows"
        raise LoadError(part.path, why, "give labels of your own: --metadata FILE")
    raw = read_texts(part.path, part.header, tokens.texts)
    types = settings.get("tokenizer.ggml.token_type")
    model = settings.get("tokenizer.ggml.model")
    return make_tokens(
        [text.decode("utf-8", "replace") for text in raw],
        read_integers(part.path, part.header, types) if isinstance(types, PackedArray) else None,
        model=model if isinstance(model, str) else "",
        source=str(part.path),
    ).columns(n_rows)
