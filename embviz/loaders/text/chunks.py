"""Text files as chunks of whole lines, unpacked where they are gzip."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from embviz.errors import LoadError

CHUNK_BYTES = 1 << 19
LONGEST_LINE = 64 << 20
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_FREE_BYTES = 64 << 20
_MOST_EXPANSION = 200


class TextSource:
    """One pass over a text file, in chunks that end with a line.

    CRLF and CR become LF and a byte order mark is left out.

    Args:
        path: The file.
        chunk_bytes: About how much a chunk holds, in bytes.

    Attributes:
        shown: The file as it is named to the user.
        size: The file's size in bytes, as stored.
        packed: Whether it is gzip, once its first chunk was read.
    """

    def __init__(self, path: Path, chunk_bytes: int = CHUNK_BYTES) -> None:
        self.path, self.shown, self.chunk_bytes = path, str(path), chunk_bytes
        self.size = path.stat().st_size
        self.packed = False

    def chunks(self) -> Iterator[tuple[bytes, int]]:
        """Yield (lines, number of the first line from 1), each line ended by a line feed.

        Raises:
            LoadError: If it is damaged gzip, UTF-16, or a line is longer than 64 MiB.
        """
        number = 1
        rest = b""
        begun = False
        for block in self._blocks():
            raw = rest + block
            if not begun and len(raw) < len(_BOM):
                rest = raw
                continue
            if not begun:
                raw, begun = self._strip_bom(raw), True
            lines, rest = _cut_at_line_end(raw)
            if lines:
                yield lines, number
                number += lines.count(b"\n")
            if len(rest) > LONGEST_LINE:
                raise LoadError(f"{self.shown}:{number}", "a line of more than 64 MiB")
        if rest:
            # A CR that ended the last block stayed behind, in case an LF followed.
            yield _to_line_feeds(rest).removesuffix(b"\n") + b"\n", number

    def _strip_bom(self, raw: bytes) -> bytes:
        for bom, name in ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16")):
            if raw.startswith(bom):
                raise LoadError(self.shown, f"{name} text", "save the file as UTF-8")
        return raw.removeprefix(_BOM)

    def _blocks(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            self.packed = file.peek(2)[:2] == _GZIP
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if self.packed else file
            total = 0
            while True:
                try:
                    block = stream.read(self.chunk_bytes)
                except (EOFError, zlib.error, gzip.BadGzipFile) as e:
                    raise LoadError(self.shown, f"damaged gzip ({e})", "fetch it again") from None
                if not block:
                    return
                total += len(block)
                if self.packed and total > max(_FREE_BYTES, _MOST_EXPANSION * self.size):
                    raise LoadError(
                        self.shown,
                        f"gzip that unpacks to more than {_MOST_EXPANSION} times its {self.size} "
                        "bytes",
                        "if it is what it should be, unpack it first",
                    )
                yield block


def _cut_at_line_end(raw: bytes) -> tuple[bytes, bytes]:
    """Return whole lines, ended by line feeds, and what follows the last of them."""
    if b"\r" in raw:
        held = raw[-1:] if raw.endswith(b"\r") else b""
        raw = _to_line_feeds(raw[: len(raw) - len(held)]) + held
    end = raw.rfind(b"\n") + 1
    return raw[:end], raw[end:]


def _to_line_feeds(raw: bytes) -> bytes:
    return raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
