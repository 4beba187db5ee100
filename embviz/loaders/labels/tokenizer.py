"""tokenizer.json: the vocabulary of a tokenizer as the `tokenizers` library writes it.

Format: `model.vocab` is {token: id} for BPE, WordPiece and WordLevel, and a list of [token, score]
for Unigram, where the place is the id; `added_tokens` are [{id, content, special}] and go before
it. How tokens are spelled is told by the kinds of `pre_tokenizer`, `decoder` and `normalizer`; see
https://github.com/huggingface/tokenizers/tree/main/tokenizers/src/models.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from embviz.errors import LoadError
from embviz.loaders.bytes import json_text
from embviz.loaders.labels.tokens import (
    ADDED,
    SPACE_MARK,
    SPECIAL,
    Spelling,
    Tokens,
    collect_tokens,
)

MOST_BYTES = 96 << 20
_MODELS = ("BPE", "WordPiece", "WordLevel", "Unigram")
_MOST_PARTS = 1000


def read_json(path: Path) -> Any:
    """Read a JSON file that is no larger than any vocabulary.

    Raises:
        LoadError: If it is no JSON, or larger than 96 MiB.
    """
    return json_text.read_json(path, MOST_BYTES)


def is_tokenizer(found: Any) -> bool:
    """Tell whether a value of JSON is a tokenizer."""
    return (
        isinstance(found, dict)
        and isinstance(found.get("model"), dict)
        and "vocab" in found["model"]
    )


def read_tokenizer(path: Path) -> Tokens:
    """Read the tokens of a tokenizer.json.

    Raises:
        LoadError: If it is damaged, or of a model that is not known.
    """
    return parse_tokenizer(path, read_json(path))


def parse_tokenizer(path: Path, found: Any) -> Tokens:
    """Return the tokens of a tokenizer.json whose JSON was read.

    Raises:
        LoadError: If it is damaged, or of a model that is not known.
    """
    if not is_tokenizer(found):
        raise LoadError(path, "no tokenizer.json: it has no model with a vocabulary")
    model = found["model"]
    kind = model.get("type") or _guess_model(model)
    if kind not in _MODELS:
        names = ", ".join(_MODELS)
        raise LoadError(path, f"a tokenizer of type {kind!r:.40}, read are {names}")
    return collect_tokens(
        str(path.name),
        _vocabulary(path, model["vocab"]),
        _added(path, found.get("added_tokens") or []),
        spelling=_spelling(kind, model, found),
        files=(path,),
    )


def check_ids(path: Path, vocabulary: Any) -> None:
    """Refuse a vocabulary that is no {token: id}.

    Raises:
        LoadError: With the first that is none.
    """
    if not isinstance(vocabulary, dict):
        raise LoadError(path, "its vocabulary is no object of tokens and ids")
    if set(map(type, vocabulary.values())) - {int}:
        token, number = next((t, n) for t, n in vocabulary.items() if type(n) is not int)
        raise LoadError(path, f"token '{token:.40}' has no number as its id but {number!r:.40}")


def _vocabulary(path: Path, vocabulary: Any) -> Iterator[tuple[int, str]]:
    if isinstance(vocabulary, list):
        for place, entry in enumerate(vocabulary):
            if not (isinstance(entry, list) and entry and isinstance(entry[0], str)):
                raise LoadError(path, f"token {place} is {entry!r:.40}, no pair of text and score")
            yield place, entry[0]
        return
    check_ids(path, vocabulary)
    for token, number in vocabulary.items():
        yield number, token


def _added(path: Path, added: Any) -> Iterator[tuple[int, str, str]]:
    if not isinstance(added, list):
        raise LoadError(path, "its added_tokens are no list")
    for entry in added:
        if not (
            isinstance(entry, dict)
            and isinstance(entry.get("content"), str)
            and type(entry.get("id")) is int
        ):
            raise LoadError(path, f"the added token {entry!r:.60} has no content and id")
        yield entry["id"], entry["content"], SPECIAL if entry.get("special") else ADDED


def _guess_model(model: dict[str, Any]) -> str:
    """Return the type of a model in a file that does not name it, as old ones do not."""
    if isinstance(model["vocab"], list):
        return "Unigram"
    if "merges" in model:
        return "BPE"
    return "WordPiece" if "continuing_subword_prefix" in model else "WordLevel"


def _spelling(kind: str, model: dict[str, Any], found: dict[str, Any]) -> Spelling:
    parts = list(_parts([found.get(k) for k in ("pre_tokenizer", "decoder", "normalizer")]))
    kinds = {_text(part, "type") for part in parts}
    return Spelling(
        bytes_as_letters="ByteLevel" in kinds,
        space=_space_mark(parts) or SPACE_MARK * (kind == "Unigram"),
        prefix=_text(model, "continuing_subword_prefix") or "##" * (kind == "WordPiece"),
        suffix=_text(model, "end_of_word_suffix"),
        whole_words=kind == "WordLevel",
        byte_fallback=bool(model.get("byte_fallback")) or "ByteFallback" in kinds,
    )


def _parts(found: list[Any]) -> Iterator[dict[str, Any]]:
    """Yield the parts of pre-tokenizers, decoders and normalizers, those in sequences too."""
    waiting = list(found)
    for _ in range(_MOST_PARTS):
        if not waiting:
            return
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, dict):
            waiting.extend(part.get(k) for k in ("pretokenizers", "decoders", "normalizers"))
            yield part


def _space_mark(parts: list[dict[str, Any]]) -> str:
    """Return what stands for a space: of Metaspace, or what a decoder replaces by one."""
    for part in parts:
        if part.get("type") == "Metaspace":
            return _text(part, "replacement") or SPACE_MARK
        pattern = part.get("pattern")
        if part.get("type") == "Replace" and isinstance(pattern, dict):
            marks = (pattern.get("String"), part.get("content"))
            if SPACE_MARK in marks and " " in marks:
                return SPACE_MARK
    return ""


def _text(found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    return value if isinstance(value, str) else ""
