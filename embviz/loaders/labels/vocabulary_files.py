"""Vocabularies that are no tokenizer.json, each kind read from its file.

Sources: vocab.txt is a token a line, the line's place the id (BERT); vocab.json is {token: id},
with merges.txt beside it of BPE; tokenizer.model is a ModelProto of sentencepiece, whose pieces are
in the order of their ids, see
https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto, or as that of
Llama 3 a file of tiktoken, whose lines are base64 and ids; tekken.json has base64 too, behind
special tokens. Tokens that were added lie beside: added_tokens.json is {token: id}, and
`added_tokens_decoder` of tokenizer_config.json {id: {content, special}}.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from embviz.errors import LoadError
from embviz.inputs import open_file
from embviz.loaders.bytes.protobuf import FIXED32, LENGTH, VARINT, MalformedError, fields
from embviz.loaders.confined import is_within
from embviz.loaders.labels.tokenizer import MOST_BYTES, check_ids, read_json
from embviz.loaders.labels.tokens import (
    ADDED,
    BYTE_LETTERS,
    NORMAL,
    SINGLE_BYTE,
    SPACE_MARK,
    SPECIAL,
    SPELLINGS,
    TO_LETTERS,
    Spelling,
    Tokens,
    collect_tokens,
    make_tokens,
)

# Of the 256 letters for bytes, 13 are in no UTF-8; plain text has no letters for control bytes.
_MOST_PLAIN = 225
_COUNTED = re.compile(r"\S+ \d+")
# A dictionary of fairseq has counts, and these before its first line (PhoBERT).
_OF_FAIRSEQ = ("<s>", "<pad>", "</s>", "<unk>")
_SPECIAL = re.compile(r"\[[A-Z]+\]|<[a-z_|]+>|</s>|<s>")


def from_json(path: Path, vocabulary: Any) -> Tokens:
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
    """Return the tokens that files beside a vocabulary add to it, and these files."""
    added, files = [], []
    for name, read in (
        ("added_tokens.json", _added_ids),
        ("tokenizer_config.json", _added_in_config),
    ):
        file = path.parent / name
        if file.is_file() and is_within(path.parent, file):
            found = list(read(file))
            added += found
            files += [file] * bool(found)
    return added, tuple(files)


def _added_ids(file: Path) -> Iterator[tuple[int, str, str]]:
    found = read_json(file)
    check_ids(file, found)
    for token, number in found.items():
        yield number, token, SPECIAL if _SPECIAL.fullmatch(token) else ADDED


def _added_in_config(file: Path) -> Iterator[tuple[int, str, str]]:
    config = read_json(file)
    found = config.get("added_tokens_decoder") if isinstance(config, dict) else None
    for number, entry in found.items() if isinstance(found, dict) else ():
        token = entry.get("content") if isinstance(entry, dict) else None
        if not isinstance(token, str) or not number.isdecimal() or len(number) > 18:
            raise LoadError(file, f"the added token {number:.40} is {entry!r:.40}")
        yield int(number), token, SPECIAL if entry.get("special") else ADDED


def from_lines(path: Path) -> Tokens:
    """Read a vocab.txt."""
    raw = read_bytes(path)
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


def from_sentencepiece(path: Path) -> Tokens:
    """Read the pieces of a model of sentencepiece, field 1: text 1, score 2, type 3."""
    raw = read_bytes(path)
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
    tokens = make_tokens(pieces, types, model="llama", source=path.name, files=(path,))
    added, files = _added_beside(path)
    return tokens.with_added(added, SPELLINGS["llama"], files)


def from_ranks(path: Path) -> Tokens:
    """Read a file of tiktoken: on each line the bytes of a token as base64, and its id."""
    pairs = []
    for i, line in enumerate(read_bytes(path).splitlines(), 1):
        token, _, rank = line.partition(b" ")
        try:
            pairs.append((int(rank), _in_letters(token)))
        except ValueError:
            raise LoadError(f"{path}:{i}", "no base64 and number, as tiktoken has them") from None
    added, files = _added_beside(path)
    return collect_tokens(
        path.name, pairs, added, spelling=Spelling(bytes_as_letters=True), files=(path, *files)
    )


def is_tekken(found: Any) -> bool:
    """Tell whether a value of JSON is a vocabulary of Mistral's tekken."""
    return (
        isinstance(found, dict)
        and isinstance(found.get("config"), dict)
        and isinstance(found.get("vocab"), list)
        and "default_num_special_tokens" in found["config"]
    )


def from_tekken(path: Path, found: Any) -> Tokens:
    """Read a tekken.json, whose JSON was read.

    The first ids are those of special tokens, which are named or numbered; the tokens of bytes
    follow in their order, as many as the configured size has place for.
    """
    config, special = found["config"], found.get("special_tokens") or []
    try:
        first = int(config["default_num_special_tokens"])
        n_bytes = max(0, int(config["default_vocab_size"]) - first)
        pairs = [
            (first + int(entry["rank"]), _in_letters(entry["token_bytes"]))
            for entry in found["vocab"][:n_bytes]
        ]
        named = {entry["rank"]: str(entry["token_str"]) for entry in special}
        numbered = [(i, named.get(i, f"<SPECIAL_{i}>"), SPECIAL) for i in range(min(first, 10_000))]
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise LoadError(path, "a damaged vocabulary of tekken") from None
    spelling = Spelling(bytes_as_letters=True)
    return collect_tokens(path.name, pairs, numbered, spelling=spelling, files=(path,))


def _in_letters(token: bytes | str) -> str:
    """Return base64 in the letters of byte-level BPE; raises ValueError if it is none."""
    return "".join(map(TO_LETTERS.__getitem__, b64decode(token, validate=True)))


def read_bytes(path: Path) -> bytes:
    with open_file(path) as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise LoadError(path, f"more than {MOST_BYTES >> 20} MiB, which no vocabulary needs")
    return raw
