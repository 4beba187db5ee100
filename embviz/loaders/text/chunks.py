"""Text files as chunks of whole lines, unpacked where they are packed."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from embviz.errors import LoadError
from embviz.loaders.bytes.packed import open_unpacked
from embviz.loaders.text.cells import LINE_END
from embviz.loaders.text.fields import hide_in_brackets

CHUNK_BYTES = 1 << 19
LONGEST_LINE = 64 << 20
_LONGEST_QUOTED = 16 << 20
_BOM = b"\xef\xbb\xbf"
_UTF16 = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_HEAD_BYTES = 1 << 16
_END_OF_FILE = b"\x1a"  # Ctrl-Z, with which DOS ended text


class TextSource:
    """One pass over a text file, in chunks that end with a line.

    CRLF becomes LF, as does CR where the file begins without an LF; UTF-16 becomes UTF-8; a byte
    order mark and a Ctrl-Z at the end are left out.

    Args:
        path: The file.
        chunk_bytes: About how much a chunk holds, in bytes.

    Attributes:
        shown: The file as it is named to the user.
        size: The file's size in bytes, as stored.
        packed: Whether it is packed or UTF-16, once its first chunk was read.
    """

    def __init__(self, path: Path, chunk_bytes: int = CHUNK_BYTES) -> None:
        self.path, self.shown, self.chunk_bytes = path, str(path), chunk_bytes
        self.size = path.stat().st_size
        self.packed = False
        self._returns = False

    def chunks(self, quoted: bytes = b"", wrapped: bool = False) -> Iterator[tuple[bytes, int]]:
        """Yield (lines, number of the first line from 1), each line ended by a line feed.

        Args:
            quoted: The delimiters of fields that may stand in quotes. A line end within such quotes
                becomes `LINE_END` and ends no line; what is yielded counts it as one.
            wrapped: Whether the same is true of line ends within brackets.

        Raises:
            LoadError: If it is damaged, a line is longer than 64 MiB, or NUL is in it where
                quotes count.
        """
        number = 1
        held = b""
        for lines in self._lines():
            if not quoted and not wrapped:
                yield lines, number
                number += lines.count(b"\n")
                continue
            if LINE_END in lines:
                at = number + held.count(b"\n") + lines.count(b"\n", 0, lines.index(LINE_END))
                raise LoadError(f"{self.shown}:{at}", "a NUL byte", "the file is damaged")
            whole, held = join_lines(held + lines, quoted, wrapped)
            if len(held) > _LONGEST_QUOTED:  # No field: a quote that opens none.
                whole, held = whole + held, b""
            if whole:
                yield whole, number
                number += whole.count(b"\n") + whole.count(LINE_END)
        if held:
            yield held, number

    def _lines(self) -> Iterator[bytes]:
        """Yield whole lines."""
        rest = b""
        begun = False
        n_lines = 1
        for block in self.blocks():
            raw = rest + block
            if not begun:
                self._returns, begun = b"\n" not in raw[:_HEAD_BYTES], True
            lines, rest = self._cut_at_line_end(raw)
            if lines:
                yield lines
                n_lines += lines.count(b"\n")
            if len(rest) > LONGEST_LINE:
                raise LoadError(f"{self.shown}:{n_lines}", "a line of more than 64 MiB")
        rest = rest.removesuffix(_END_OF_FILE)
        if rest:
            # A CR that ended the last block stayed behind, in case an LF followed.
            yield self._to_line_feeds(rest).removesuffix(b"\n").removesuffix(b"\r") + b"\n"

    def blocks(self) -> Iterator[bytes]:
        """Yield blocks of UTF-8 without a byte order mark, the first of 64 KiB where there are.

        Raises:
            LoadError: If what packed it, or its UTF-16, is damaged.
        """
        blocks = self._stored_blocks()
        head = b""
        for block in blocks:
            head += block
            if len(head) >= _HEAD_BYTES:
                break
        encoding = find_utf16(head)
        if encoding is None:
            yield head.removeprefix(_BOM)
            yield from blocks
            return
        self.packed = True
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            yield decoder.decode(head).removeprefix("\ufeff").encode("utf-8", "replace")
            for block in blocks:
                yield decoder.decode(block).encode("utf-8", "replace")
            yield decoder.decode(b"", final=True).encode("utf-8", "replace")
        except UnicodeDecodeError as e:
            raise LoadError(
                self.shown, f"damaged UTF-16 ({e.reason})", "save the file as UTF-8"
            ) from None

    def _stored_blocks(self) -> Iterator[bytes]:
        with open_unpacked(self.path) as (packing, stream):
            self.packed = bool(packing)
            while block := stream.read(self.chunk_bytes):
                yield block

    def _cut_at_line_end(self, raw: bytes) -> tuple[bytes, bytes]:
        """Return whole lines, ended by line feeds, and what follows the last of them."""
        if b"\r" in raw:
            held = raw[-1:] if raw.endswith(b"\r") else b""
            raw = self._to_line_feeds(raw[: len(raw) - len(held)]) + held
        end = raw.rfind(b"\n") + 1
        return raw[:end], raw[end:]

    def _to_line_feeds(self, raw: bytes) -> bytes:
        raw = raw.replace(b"\r\n", b"\n")
        return raw.replace(b"\r", b"\n") if self._returns else raw


def find_utf16(head: bytes) -> str | None:
    """Return which UTF-16 a file is that begins so: by its mark, or as every second byte is NUL."""
    for bom, encoding in _UTF16:
        if head.startswith(bom):
            return encoding
    first = head[: len(head) // 2 * 2][:4096]
    if len(first) < 16:
        return None
    for even, odd, encoding in ((0, 1, "utf-16-le"), (1, 0, "utf-16-be")):
        nul, text = first[odd::2], first[even::2]
        if b"\0" not in text and nul.count(b"\0") > 0.7 * len(nul) and _all_but_few(nul):
            return encoding
    return None


def _all_but_few(high: bytes) -> bool:
    """Tell whether high bytes of UTF-16 are those of letters, not of numbers in binary."""
    return len(set(high)) <= max(2, len(high) // 16)


def join_lines(text: bytes, quoted: bytes, wrapped: bool) -> tuple[bytes, bytes]:
    """Replace line ends in quotes or brackets; return whole records, and what follows them."""
    if not wrapped:
        return hide_line_ends(text, quoted)
    text = hide_in_brackets(text, b"\n", LINE_END)
    start = text.rfind(b"\n", 0, max(0, text.rfind(b"["))) + 1
    if text.rfind(b"[") > text.rfind(b"]"):
        return text[:start], text[start:]
    return text, b""


def hide_line_ends(text: bytes, delimiters: bytes) -> tuple[bytes, bytes]:
    """Replace line ends in quoted fields, and cut off a last line of which a quote is still open.

    Args:
        text: Whole lines, each ended by a line feed.
        delimiters: What separates fields.

    Returns:
        Whole records, and what follows them.
    """
    if b'"' not in text or _all_closed(text):
        return text, b""
    pieces = []
    at = 0
    for found in _fields_in_quotes(delimiters).finditer(text):
        if found.end() - found.start() == 1:
            start = text.rfind(b"\n", 0, found.start()) + 1
            pieces.append(text[at:start] if start > at else b"")
            done = b"".join(pieces)
            cut = done.rfind(b"\n") + 1
            return done[:cut], done[cut:].replace(LINE_END, b"\n") + text[max(at, start) :]
        if b"\n" in found[0]:
            pieces += [text[at : found.start()], found[0].replace(b"\n", LINE_END)]
            at = found.end()
    return b"".join(pieces) + text[at:], b""


@lru_cache(maxsize=8)
def _fields_in_quotes(delimiters: bytes) -> re.Pattern[bytes]:
    """Return what finds quoted fields, and a quote alone where one is opened and not closed."""
    ends = re.escape(delimiters)
    return re.compile(rb'(?<![^\n%b])"(?:(?:[^"]++|"")*+"(?=[\n%b]))?' % (ends, ends))


def _all_closed(text: bytes) -> bool:
    """Tell whether every line holds an even number of quotes."""
    codes = np.frombuffer(text, np.uint8)
    marks = codes[(codes == 34) | (codes == 10)]
    before = np.cumsum(marks == 34)[marks == 10]
    return not bool((before & 1).any())
