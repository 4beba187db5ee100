"""The tokens of a model's folder: which file has them, and vocabularies of other kinds.

Sources: vocab.txt is a token a line, the line's place the id (BERT); vocab.json is {token: id},
with merges.txt beside it of BPE; added_tokens.json is {token: id}; tokenizer.model is a ModelProto
of sentencepiece, whose pieces are in the order of their ids, see
https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto, or as that of
Llama 3 a file of tiktoken, whose lines are base64 and ids.
"""

from __future__ import annotations

import re
from base64 import b64decode
from pathlib import Path
from typing import Any

from embviz.errors import LoadError
from embviz.loaders.bytes.protobuf import FIXED32, LENGTH, VARINT, MalformedError, fields
from embviz.loaders.confined import is_within
from embviz.loaders.labels.tokenizer import (
    MOST_BYTES,
    check_ids,
    is_tokenizer,
    parse_tokenizer,
    read_json,
)
from embviz.loaders.labels.tokens import (
    ADDED,
    BYTE_LETTERS,
    NORMAL,
    SINGLE_BYTE,
    SPACE_MARK,
    SPECIAL,
    TO_LETTERS,
    Spelling,
    Tokens,
    collect_tokens,
    make_tokens,
)

NAMES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")
_HEAD = 1 << 16
# The first tokens of tiktoken are single bytes.
_RANKED = re.compile(rb"[A-Za-z0-9+/]{2}== 0\r?\n[A-Za-z0-9+/]{2}== 1\r?\n")
_COUNTED = re.compile(r"\S+ \d+")
_BERT = re.compile(rb"(?:^|\n)(?:\[PAD\]|\[UNK\]|\[CLS\])\r?\n")
_NUMBERED = re.compile(rb'\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\d+\s*[,}]')
_TOKENIZER_KEYS = (b'"added_tokens"', b'"vocab"', b'"pre_tokenizer"', b'"truncation"')
# Of the 256 letters for bytes, 13 are in no UTF-8; plain text has no letters for control bytes.
_MOST_PLAIN = 225
# A dictionary of fairseq has counts, and these before its first line (PhoBERT).
_OF_FAIRSEQ = ("<s>", "<pad>", "</s>", "<unk>")
# Folders that hold a part of a model whose tokenizer may lie above them.
_PART = re.compile(r"0_[A-Za-z]+|checkpoint-\d+|onnx|openvino")
_SPECIAL = re.compile(r"\[[A-Z]+\]|<[a-z_|]+>|</s>|<s>")


def find_tokens(folder: Path) -> Tokens | None:
    """Read the tokens of a model's folder; None where it has none.

    Taken is the first that is there of tokenizer.json, tokenizer.model, vocab.json and vocab.txt:
    in the folder, in a subfolder such as `0_Transformer`, else above a part such as
    `checkpoint-500` or `onnx`.

    Raises:
        LoadError: If that file is damaged.
    """
    file = find_vocabulary(folder)
    return None if file is None else read_tokens(file)


def find_vocabulary(folder: Path) -> Path | None:
    """Return the file of a folder that `find_tokens` reads, without reading it."""
    places = [folder, *sorted(p for p in folder.glob("0_*") if p.is_dir())]
    if _PART.fullmatch(folder.name):
        places.append(folder.parent)
    for place in places:
        for name in NAMES:
            file = place / name
            if file.is_file() and is_within(place, file):
                return file
    return None


def read_tokens(path: Path) -> Tokens:
    """Read the tokens of one file, of the kind that its content shows, else a token a line.

    Raises:
        LoadError: If it is damaged, or no vocabulary.
    """
    head = _read_head(path)
    if head.lstrip().startswith(b"{"):
        found = read_json(path)
        return parse_tokenizer(path, found) if is_tokenizer(found) else _from_json(path, found)
    if _RANKED.match(head):
        return _from_ranks(path)
    if path.suffix in (".model", ".spm") or _has_pieces(head):
        return _from_sentencepiece(path)
    return _from_lines(path)


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
        first, _, rest = head.lstrip().partition(b"\n")
        if first.rstrip().endswith(b"}") and rest.strip():  # JSON lines
            return None
        likely = _NUMBERED.match(head.lstrip()) or any(key in head for key in _TOKENIZER_KEYS)
        found = read_json(path) if likely and path.stat().st_size <= MOST_BYTES else None
        if is_tokenizer(found):
            return parse_tokenizer(path, found)
        is_vocabulary = isinstance(found, dict) and set(map(type, found.values())) == {int}
        return _from_json(path, found) if is_vocabulary else None
    if _RANKED.match(head) or _has_pieces(head):
        return read_tokens(path)
    if b"\t" in head or not _BERT.search(head) or path.stat().st_size > MOST_BYTES:
        return None
    return _from_lines(path) if b"\n##" in _read(path) else None


def _read_head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD).removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r")


def _has_pieces(head: bytes) -> bool:
    """Tell whether a file begins with a piece of sentencepiece: its text, then its score."""
    try:
        tag, start, end = next(fields(head), (0, 0, 0))
        inner = [found for found, _, _ in fields(head, start, end)]
    except MalformedError:
        return False
    return tag == 1 << 3 | LENGTH and inner[:2] == [1 << 3 | LENGTH, 2 << 3 | FIXED32]


def _from_json(path: Path, vocabulary: Any) -> Tokens:
    """Read a vocab.json, and the added tokens beside it."""
    check_ids(path, vocabulary)
    added, files = _added_beside(path)
    taken = {token for _, token, _ in added}
    tokens = [t for t in vocabulary if t not in taken and not _SPECIAL.fullmatch(t)]
    letters = set().union(*tokens)
    spelling = Spelling(
        bytes_as_letters=letters <= BYTE_LETTERS and len(letters) > _MOST_PLAIN,
        space=SPACE_MARK if SPACE_MARK in letters else "",
        suffix="</w>" if any(token.endswith("</w>") for token in tokens) else "",
        whole_words=not (path.parent / "merges.txt").is_file() and SPACE_MARK not in letters,
    )
    named = ((n, t, SPECIAL) for t, n in vocabulary.items() if _SPECIAL.fullmatch(t))
    pairs = ((number, token) for token, number in vocabulary.items())
    return collect_tokens(
        path.name, pairs, [*named, *added], spelling=spelling, files=(path, *files)
    )


def _added_beside(path: Path) -> tuple[list[tuple[int, str, str]], tuple[Path, ...]]:
    """Return the tokens of an added_tokens.json beside a vocabulary, and what was read."""
    file = path.parent / "added_tokens.json"
    if not file.is_file() or not is_within(path.parent, file):
        return [], ()
    found = read_json(file)
    check_ids(file, found)
    return [(number, text, ADDED) for text, number in found.items()], (file,)


def _from_lines(path: Path) -> Tokens:
    """Read a vocab.txt."""
    raw = _read(path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise LoadError(f"{path}:{line}", "not UTF-8", "save the file as UTF-8") from None
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if all(map(_COUNTED.fullmatch, lines)):
        lines = [*_OF_FAIRSEQ, *(line.rpartition(" ")[0] for line in lines)]
    pieces = any(line.startswith("##") for line in lines)
    spelling = Spelling(prefix="##" if pieces else "", whole_words=not pieces)
    added, files = _added_beside(path)
    named = ((i, t, SPECIAL) for i, t in enumerate(lines) if _SPECIAL.fullmatch(t))
    return collect_tokens(
        path.name, enumerate(lines), [*named, *added], spelling=spelling, files=(path, *files)
    )


def _from_sentencepiece(path: Path) -> Tokens:
    """Read the pieces of a model of sentencepiece, field 1: text 1, score 2, type 3."""
    raw = _read(path)
    pieces: list[str] = []
    types: list[int] = []
    try:
        for tag, start, end in fields(raw):
            if tag != 1 << 3 | LENGTH:
                continue
            piece, type = "", NORMAL
            for inner, a, b in fields(raw, start, end):
                if inner == 1 << 3 | LENGTH:
                    piece = raw[a:b].decode("utf-8")
                elif inner == 3 << 3 | VARINT:
                    type = a
                elif inner & 7 not in (FIXED32, LENGTH, VARINT):
                    raise MalformedError(f"piece {len(pieces)} has a field of another kind")
            pieces.append(piece)
            types.append(type)
    except MalformedError as error:
        raise LoadError(path, f"no model of sentencepiece ({error})") from None
    except UnicodeDecodeError:
        raise LoadError(path, f"piece {len(pieces)} is not UTF-8") from None
    if not pieces or not set(types) <= set(range(NORMAL, SINGLE_BYTE + 1)):
        raise LoadError(path, "no model of sentencepiece: it has no pieces of its types")
    return make_tokens(pieces, types, model="llama", source=path.name, files=(path,))


def _from_ranks(path: Path) -> Tokens:
    """Read a file of tiktoken: on each line the bytes of a token as base64, and its id."""
    pairs = []
    for i, line in enumerate(_read(path).splitlines(), 1):
        token, _, rank = line.partition(b" ")
        try:
            letters = "".join(map(TO_LETTERS.__getitem__, b64decode(token, validate=True)))
            pairs.append((int(rank), letters))
        except ValueError:
            raise LoadError(f"{path}:{i}", "no base64 and number, as tiktoken has them") from None
    spelling = Spelling(bytes_as_letters=True)
    return collect_tokens(path.name, pairs, spelling=spelling, files=(path,))


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise LoadError(path, f"more than {MOST_BYTES >> 20} MiB, which no vocabulary needs")
    return raw
