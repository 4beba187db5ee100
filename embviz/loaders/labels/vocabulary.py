"""Which file has the tokens of a model, and of which kind a file of tokens is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from embviz.inputs import open_file
from embviz.loaders.bytes.protobuf import FIXED32, LENGTH, MalformedError, fields
from embviz.loaders.confined import is_within
from embviz.loaders.labels.tokenizer import MOST_BYTES, is_tokenizer, parse_tokenizer, read_json
from embviz.loaders.labels.tokens import Tokens
from embviz.loaders.labels.vocabulary_files import (
    from_json,
    from_lines,
    from_ranks,
    from_sentencepiece,
    from_tekken,
    is_tekken,
    read_bytes,
)

NAMES = (
    "tokenizer.json", "tekken.json", "tokenizer.model", "spiece.model", "spm.model", "vocab.json",
    "vocab.txt",
)  # fmt: skip
_HEAD = 1 << 16
# The first tokens of tiktoken are single bytes.
_RANKED = re.compile(rb"[A-Za-z0-9+/]{2}== 0\r?\n[A-Za-z0-9+/]{2}== 1\r?\n")
_BERT = re.compile(rb"(?:^|\n)(?:\[PAD\]|\[UNK\]|\[CLS\])\r?\n")
_NUMBERED = re.compile(rb'\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\d+\s*[,}]')
_KEYS = (b'"added_tokens"', b'"vocab"', b'"truncation"', b'"default_num_special_tokens"')
# Folders that hold a part of a model whose tokenizer may lie above them.
_PART = re.compile(r"0_[A-Za-z]+|(?:checkpoint|epoch|step|global_step)[-_]?\d+|onnx|openvino")
# A pipeline of diffusers has text_encoder_2 beside tokenizer_2.
_ENCODER = re.compile(r"text_encoder(_\d+)?")
# Its ids are 103 more than the places of its pieces, and of other special tokens.
_SHIFTED = re.compile(rb'"model_type"\s*:\s*"(?:bigbird_)?pegasus"')


def find_tokens(folder: Path) -> Tokens | None:
    """Read the tokens of a model's folder; None where it has none.

    Taken is the first that is there of tokenizer.json, tekken.json, tokenizer.model, spiece.model,
    spm.model, vocab.json and vocab.txt: in the folder, in a subfolder such as `0_Transformer`, else
    above a part such as `checkpoint-500` or `onnx`, or in `tokenizer` beside `text_encoder`.

    Raises:
        LoadError: If that file is damaged.
    """
    file = find_vocabulary(folder)
    return None if file is None else read_tokens(file)


def find_vocabulary(folder: Path) -> Path | None:
    """Return the file of a folder that `find_tokens` reads, without reading it."""
    inner = (p for p in folder.glob("0_*") if p.is_dir() and is_within(folder, p))
    places = [folder, *sorted(inner)]
    if _PART.fullmatch(folder.name):
        places.append(folder.parent)
    encoder = _ENCODER.fullmatch(folder.name)
    if encoder:
        places.append(folder.parent / f"tokenizer{encoder[1] or ''}")
    for place in places:
        for name in NAMES:
            file = place / name
            if not file.is_file() or not is_within(place, file):
                continue
            if name != "spiece.model" or not _is_shifted(place):
                return file
    return None


def _is_shifted(folder: Path) -> bool:
    """Tell whether a model's ids are no places of pieces in its spiece.model."""
    config = folder / "config.json"
    if not config.is_file() or not is_within(folder, config):
        return False
    with open_file(config) as file:
        return _SHIFTED.search(file.read(_HEAD)) is not None


def read_tokens(path: Path) -> Tokens:
    """Read the tokens of one file, of the kind that its content shows, else a token a line.

    Raises:
        LoadError: If it is damaged, or no vocabulary.
    """
    head = _read_head(path)
    if head.lstrip().startswith(b"{"):
        found = read_json(path)
        if is_tokenizer(found):
            return parse_tokenizer(path, found)
        return from_tekken(path, found) if is_tekken(found) else from_json(path, found)
    if _RANKED.match(head):
        return from_ranks(path)
    if path.suffix in (".model", ".spm") or _has_pieces(head):
        return from_sentencepiece(path)
    return from_lines(path)


def _is_lines(path: Path) -> bool:
    """Tell whether a file that begins with an object of JSON has one on each line."""
    with open_file(path) as file:
        first = b"\n"
        while first and not first.strip():
            first = file.readline(MOST_BYTES)
        return first.rstrip().endswith(b"}") and bool(file.read(_HEAD).strip())


def recognize_tokens(path: Path) -> Tokens | None:
    """Read the tokens of a file that is a vocabulary by its content; None for any other.

    A text file is one if it has the pieces of words that BERT's have: a list of words may as well
    be labels that are out of step with the rows.

    Raises:
        LoadError: If it is one and damaged.
    """
    if not path.is_file():
        return None
    head = _read_head(path)
    if head.lstrip().startswith(b"{"):
        if _is_lines(path):
            return None
        likely = _NUMBERED.match(head.lstrip()) or any(key in head for key in _KEYS)
        found = read_json(path) if likely and path.stat().st_size <= MOST_BYTES else None
        if is_tokenizer(found):
            return parse_tokenizer(path, found)
        if is_tekken(found):
            return from_tekken(path, found)
        return from_json(path, found) if _is_vocabulary(found) else None
    if _RANKED.match(head) or _has_pieces(head):
        return read_tokens(path)
    if b"\t" in head or not _BERT.search(head) or path.stat().st_size > MOST_BYTES:
        return None
    return from_lines(path) if b"\n##" in read_bytes(path) else None


def _is_vocabulary(found: Any) -> bool:
    """Tell whether a value of JSON is {token: id}, and neither counts nor classes by number."""
    if not isinstance(found, dict) or set(map(type, found.values())) != {int}:
        return False
    ids = set(found.values())
    is_dense = min(ids) >= 0 and max(ids) < 2 * len(ids) + 2
    return len(ids) == len(found) and is_dense and not all(map(str.isdecimal, found))


def _read_head(path: Path) -> bytes:
    with open_file(path) as file:
        return file.read(_HEAD).removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r")


def _has_pieces(head: bytes) -> bool:
    """Tell whether a file begins with a piece of sentencepiece: its text, then its score."""
    try:
        tag, start, end = next(fields(head), (0, 0, 0))
        inner = [found for found, _, _ in fields(head, start, end)]
    except MalformedError:
        return False
    return tag == 1 << 3 | LENGTH and inner[:2] == [1 << 3 | LENGTH, 2 << 3 | FIXED32]
