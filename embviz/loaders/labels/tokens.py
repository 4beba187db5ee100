"""Tokens of a language model as labels: what each row's token is, as text, and of what kind.

A tokenizer spells a token in marks of its own: byte-level BPE in a letter for each byte (`Ġthe`),
sentencepiece with `▁` for a space and `<0x0A>` for a byte. What is shown is the text that the token
stands for; the raw token is kept beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, counted
from embviz.loaders.opened import TextColumns, list_some

WORD_START, WORD_END, CONTINUATION, WORD = "word start", "word end", "continuation", "word"
SPECIAL, ADDED, BYTE, UNUSED, MIXED = "special", "added", "byte", "unused", "mixed"
SPACE_MARK = "▁"
_MOST_JOINED = 8
_MOST_ID = 1 << 31
_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
# Kept free for users: [unused12] of BERT, <unused12> of Gemma, [PAD151936] of GGUF converters.
_FREE = re.compile(r"\[unused\d+\]|<unused\d+>|<\|?unused_token_?\d+\|?>|\[PAD\d+\]")
_PARTIAL = re.compile("[\udc80-\udcff]")


def _byte_letters() -> dict[int, str]:
    """Return the letter that byte-level BPE writes for each byte.

    Printable ones stand for themselves, the other 68 in order for U+0100 and on; see
    bytes_to_unicode in https://github.com/openai/gpt-2/blob/master/src/encoder.py.
    """
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    letters = {byte: chr(byte) for byte in plain}
    return letters | {byte: chr(256 + i) for i, byte in enumerate(others)}


TO_LETTERS = _byte_letters()
"""The letters of byte-level BPE, by their bytes."""
BYTE_LETTERS = frozenset(TO_LETTERS.values())

_TO_LATIN = {
    # What is no letter of a byte becomes what Latin-1 does not have.
    **dict.fromkeys(range(256), 0xFFFF),
    **{ord(letter): byte for byte, letter in TO_LETTERS.items()},
}


def name_unused(row: int) -> str:
    """Return the label of a row that no token has."""
    return f"[unused {row}]"


@dataclass(frozen=True)
class Spelling:
    """How a tokenizer spells its tokens.

    Attributes:
        bytes_as_letters: Whether each letter stands for a byte (byte-level BPE).
        space: What stands for a space, "" for a space itself.
        prefix: What begins a token that continues a word (`##`), "" for nothing.
        suffix: What ends a token that ends a word (`</w>`), "" for nothing.
        whole_words: Whether tokens are words, and not parts of them.
        byte_fallback: Whether `<0x0A>` stands for a byte.
    """

    bytes_as_letters: bool = False
    space: str = ""
    prefix: str = ""
    suffix: str = ""
    whole_words: bool = False
    byte_fallback: bool = False

    def read_added(self, token: str, kind: str) -> tuple[str, str]:
        """Return the text of a token that is not of the vocabulary proper, and its kind.

        It is text as it is but for spaces: runs of them are added tokens of Gemma's.
        """
        if _FREE.fullmatch(token):
            return token, UNUSED
        if kind == ADDED and self.space:
            return token.replace(self.space, " "), kind
        return token, kind

    def read(self, token: str) -> tuple[str, str]:
        """Return the text that a raw token stands for, and its kind."""
        if token.startswith(("[", "<")):
            if _FREE.fullmatch(token):
                return token, UNUSED
            byte = _BYTE.fullmatch(token) if self.byte_fallback else None
            if byte:
                return f"⟨{byte[1].lower()}⟩", BYTE
        ends_word = bool(self.suffix) and token.endswith(self.suffix) and token != self.suffix
        text = token.removesuffix(self.suffix) if ends_word else token
        if self.bytes_as_letters:
            text, is_whole = _from_letters(text)
            if not is_whole:
                return text, BYTE
        elif self.space:
            text = text.replace(self.space, " ")
        if self.whole_words:
            return text, WORD
        if self.suffix:
            return (text + " ", WORD_END) if ends_word else (text, CONTINUATION)
        if self.prefix:
            return text, CONTINUATION if text.startswith(self.prefix) else WORD_START
        return text, WORD_START if text.startswith(" ") else CONTINUATION


def _from_letters(token: str) -> tuple[str, bool]:
    """Return the text of a token of byte-level BPE, and whether its bytes are whole characters.

    Bytes that are none are shown as ⟨e6⟩. A token with a letter of no byte is text as it is.
    """
    spaced = token.replace("Ġ", " ")
    if spaced.isascii() and spaced.isprintable() and " " not in token:
        return spaced, True  # what most tokens are: letters that stand for themselves
    try:
        raw = token.translate(_TO_LATIN).encode("latin-1")
    except UnicodeEncodeError:
        return token, True
    try:
        return raw.decode("utf-8"), True
    except UnicodeDecodeError:
        text = raw.decode("utf-8", "surrogateescape")
        return _PARTIAL.sub(lambda m: f"⟨{ord(m[0]) - 0xDC00:02x}⟩", text), False


@dataclass(frozen=True, eq=False)
class Tokens:
    """The tokens of a vocabulary, in the order of their ids.

    Attributes:
        source: The name of the file that they are from, as it is shown.
        ids: int64 (n_tokens,), ascending; there may be gaps.
        texts: What each stands for.
        raw: Each as the tokenizer spells it.
        kinds: The kind of each, one of the constants of this module.
        n_needed: How many rows the vocabulary needs; tokens that were added to it may have none.
        files: What was read.
    """

    source: str
    ids: NDArray[np.int64]
    texts: tuple[str, ...]
    raw: tuple[str, ...]
    kinds: tuple[str, ...]
    n_needed: int
    files: tuple[Path, ...] = ()

    @property
    def n_tokens(self) -> int:
        """How many ids have a token."""
        return len(self.ids)

    def fits(self, n_rows: int, mapping: NDArray[np.integer[Any]] | None = None) -> bool:
        """Tell whether a table of so many rows has one for each token of the vocabulary."""
        if mapping is None:
            return self.n_needed <= n_rows
        return self.n_needed <= len(mapping) and bool(np.all((mapping >= 0) & (mapping < n_rows)))

    def describe(self, n_rows: int | None = None) -> str:
        """Say how many there are, and how many of a table's rows have none."""
        text = f"{counted(self.n_tokens, 'label')} in {self.source}"
        if n_rows is None:
            return text
        without = self.n_tokens - self._n_within(n_rows)
        unused = n_rows - self._n_within(n_rows) + self._n_named_unused(n_rows)
        text += f", {counted(unused, 'row')} unused" if unused else ""
        return text + (f", {counted(without, 'token')} without a row" if without else "")

    def columns(self, n_rows: int, mapping: NDArray[np.integer[Any]] | None = None) -> TextColumns:
        """Return the columns of a table: `token`, `id`, `raw` where it says more, and `kind`.

        A row that no token has is named `[unused 151669]` by its number and is of kind `unused`. A
        row of several tokens has them all, with commas, the tail counted when there are many.

        Args:
            n_rows: How many rows the table has.
            mapping: int (n_ids,), the row of each id, where that is not the id itself.

        Raises:
            LoadError: If the vocabulary has more tokens than the table has rows, or the mapping
                leads beyond them.
        """
        if not self.fits(n_rows, mapping):
            raise LoadError(_shown(self.files, self.source), self._why_not(n_rows, mapping))
        texts = list(map(name_unused, range(n_rows)))
        ids = list(map(str, range(n_rows))) if mapping is None else [""] * n_rows
        raw, kinds = [""] * n_rows, [UNUSED] * n_rows
        if mapping is None:
            places = zip(self.ids.tolist(), self.texts, self.raw, self.kinds, strict=True)
            for row, text, token, kind in islice(places, self._n_within(n_rows)):
                texts[row], raw[row], kinds[row] = text, token, kind
        else:
            for row, several in self._places(mapping):
                texts[row] = list_some([self.texts[i] for i in several], _MOST_JOINED)
                raw[row] = list_some([self.raw[i] for i in several], _MOST_JOINED)
                ids[row] = list_some([str(self.ids[i]) for i in several], _MOST_JOINED)
                found = {self.kinds[i] for i in several}
                kinds[row] = found.pop() if len(found) == 1 else MIXED
        columns = {"token": tuple(texts), "id": tuple(ids)}
        if any(a and a != b for a, b in zip(raw, texts, strict=True)):
            columns["raw"] = tuple(raw)
        return TextColumns({**columns, "kind": tuple(kinds)}, named_by="token")

    def with_added(
        self,
        added: Iterable[tuple[int, str, str]],
        spelling: Spelling,
        files: tuple[Path, ...] = (),
    ) -> Tokens:
        """Return these and tokens that were added to them.

        Args:
            added: Triples of id, raw token and kind, each in place of the token of that id.
            spelling: How spaces are spelled.
            files: What was read for them.

        Raises:
            LoadError: If an id is negative or out of all proportion.
        """
        more = _added(added, spelling)
        if not more:
            return self
        known = zip(self.texts, self.raw, self.kinds, strict=True)
        found = dict(zip(self.ids.tolist(), known, strict=True)) | more
        return _tokens(self.source, found, self.n_needed, self.files + files)

    def _places(self, mapping: NDArray[np.integer[Any]]) -> Iterable[tuple[int, list[int]]]:
        """Yield each row that has a token, and where its tokens are."""
        rows = np.asarray(mapping)[self.ids[: self._n_within(len(mapping))]]
        order = np.argsort(rows, kind="stable").tolist()
        in_order = rows[order].tolist()
        for row, pairs in groupby(zip(in_order, order, strict=True), key=lambda pair: pair[0]):
            yield row, [place for _, place in pairs]

    def _n_within(self, n_rows: int) -> int:
        return int(np.searchsorted(self.ids, n_rows))

    def _n_named_unused(self, n_rows: int) -> int:
        return self.kinds[: self._n_within(n_rows)].count(UNUSED)

    def _why_not(self, n_rows: int, mapping: NDArray[np.integer[Any]] | None) -> str:
        if mapping is None:
            return f"a vocabulary of {self.n_needed:,} tokens for {counted(n_rows, 'row')}"
        if self.n_needed > len(mapping):
            return f"a vocabulary of {self.n_needed:,} tokens, {len(mapping):,} are mapped to rows"
        return f"the mapping of tokens leads beyond the {counted(n_rows, 'row')}"


def _shown(files: tuple[Path, ...], source: str) -> str:
    return str(files[0]) if files else source


def collect_tokens(
    source: str,
    vocabulary: Iterable[tuple[int, str]],
    added: Iterable[tuple[int, str, str]] = (),
    *,
    spelling: Spelling,
    files: tuple[Path, ...] = (),
) -> Tokens:
    """Return the tokens of a vocabulary and those that were added to it.

    Args:
        source: The name of the file, for errors and to be shown.
        vocabulary: Pairs of id and raw token. Several of one id are all its label.
        added: Triples of id, raw token and kind, each in place of what the vocabulary has there.
        spelling: How the vocabulary's tokens are spelled.
        files: What was read.

    Raises:
        LoadError: If an id is negative or out of all proportion.
    """
    found: dict[int, tuple[str, str, str]] = {}
    twice: dict[int, list[str]] = {}
    for number, token in vocabulary:
        if number in found:
            twice.setdefault(number, [found[number][1]]).append(token)
        else:
            text, kind = spelling.read(token)
            found[number] = (text, token, kind)
    for number, several in twice.items():
        read = [spelling.read(token) for token in several]
        kinds = {kind for _, kind in read}
        found[number] = (
            list_some([text for text, _ in read], _MOST_JOINED),
            list_some(several, _MOST_JOINED),
            kinds.pop() if len(kinds) == 1 else MIXED,
        )
    n_needed = max(found, default=-1) + 1
    return _tokens(source, found | _added(added, spelling), n_needed, files)


def _added(
    added: Iterable[tuple[int, str, str]], spelling: Spelling
) -> dict[int, tuple[str, str, str]]:
    found = {}
    for number, token, kind in added:
        text, kind = spelling.read_added(token, kind)
        found[number] = (text, token, kind)
    return found


def _tokens(
    source: str, found: dict[int, tuple[str, str, str]], n_needed: int, files: tuple[Path, ...]
) -> Tokens:
    """Return tokens of text, raw token and kind by id; refuse ids that no table can have."""
    for number in (min(found, default=0), max(found, default=0)):
        if not 0 <= number < _MOST_ID:
            raise LoadError(
                _shown(files, source), f"token '{found[number][1]:.40}' has id {number}"
            )
    ids = sorted(found)
    return Tokens(
        source,
        np.array(ids, np.int64),
        texts=tuple([found[number][0] for number in ids]),
        raw=tuple([found[number][1] for number in ids]),
        kinds=tuple([found[number][2] for number in ids]),
        n_needed=n_needed,
        files=files,
    )


NORMAL, UNKNOWN, CONTROL, USER_DEFINED, NOT_USED, SINGLE_BYTE = range(1, 7)
_KIND_OF_TYPE = {
    UNKNOWN: SPECIAL, CONTROL: SPECIAL, USER_DEFINED: ADDED, NOT_USED: UNUSED, SINGLE_BYTE: BYTE,
}  # fmt: skip
SPELLINGS = {
    "gpt2": Spelling(bytes_as_letters=True),
    "llama": Spelling(space=SPACE_MARK, byte_fallback=True),
    "t5": Spelling(space=SPACE_MARK, byte_fallback=True),
    "bert": Spelling(space=SPACE_MARK),  # its converter writes ▁the for the, and ing for ##ing
    "gemma4": Spelling(space=SPACE_MARK, byte_fallback=True),
}


def make_tokens(
    raw: Sequence[str],
    types: Sequence[int] | None = None,
    *,
    model: str = "llama",
    source: str,
    files: tuple[Path, ...] = (),
) -> Tokens:
    """Return tokens that are kept elsewhere, in the order of their ids.

    Args:
        raw: The raw tokens.
        types: The type of each as sentencepiece counts: 1 normal, 2 unknown, 3 control, 4 user
            defined, 5 unused, 6 byte; None where there are none.
        model: How they are spelled, by GGUF's `tokenizer.ggml.model`: `gpt2`, `llama`, `t5`,
            `bert`; under another name they are taken as they are.
        source: The name of the file that they are from.
        files: What was read.

    Raises:
        LoadError: If there is another number of types than of tokens.
    """
    if types is not None and len(types) != len(raw):
        raise LoadError(
            _shown(files, source), f"{len(raw)} tokens and {len(types)} types of tokens"
        )
    spelling = SPELLINGS.get(model, Spelling())
    texts, kinds = [], []
    for place, token in enumerate(raw):
        known = _KIND_OF_TYPE.get(NORMAL if types is None else types[place])
        if known in (None, BYTE):
            text, kind = spelling.read(token)
        else:
            text, kind = spelling.read_added(token, known)
        texts.append(text)
        kinds.append(kind)
    ids = np.arange(len(raw))
    return Tokens(source, ids, tuple(texts), tuple(raw), tuple(kinds), len(raw), files)
