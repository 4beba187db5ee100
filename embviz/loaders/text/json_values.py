"""JSON as it lies in files: a value a line, one large array or object, or one behind another.

A file is cut into the values that hold one record each, which are few bytes; only these are parsed.
So a file of any size takes the memory of a block and of its largest record.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NoReturn

from embviz.errors import LoadError, counted, printable
from embviz.loaders.opened import Start
from embviz.loaders.text.chunks import TextSource, find_utf16

LONGEST_VALUE = 64 << 20
_MOST_DEPTH = 100
_SAMPLE_LINES = 10
_TRIM_BYTES = 1 << 20
_CUT = 24  # a number, a literal or an escape that the end of a block may cut takes fewer bytes
_BOM = b"\xef\xbb\xbf"
_MARK = re.compile(rb'["\[\]{}]')
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_MARK_OR_STRING = re.compile(_STRING.pattern + rb"|[\[\]{}]", re.DOTALL)
_SCALAR = re.compile(rb'[^\s,\[\]{}"]+')
_SPACE = re.compile(rb"[\s\x1a]*+")  # Ctrl-Z ended files once
# What NumPy prints, and what str() makes of a list of its numbers.
_PRINTED = re.compile(rb"\[[\s\d.,eE+\-naifNI]*+\]")
_ELIDED = re.compile(rb"\n[ \t]*\.\.\.,?[ \t]*\r?\n")  # Rows that printing left out.
_AROUND = re.compile(rb"\A\[\s*(?=\[)")
_SCALAR_OF_NUMPY = re.compile(rb"np\.(?:float|int)\d+\(([^()]*)\)")

Kind = Literal["value", "element", "member"]


@dataclass(frozen=True)
class Found:
    """A value of JSON text, not parsed yet.

    Attributes:
        line: The line that it begins on, from 1.
        raw: Its bytes.
        kind: A `value` stands by itself; an `element` is of an array around it, a `member` of an
            object that is too large to be read at once.
        key: The member that it is, or is an element of; "" for none.
    """

    line: int
    raw: bytes
    kind: Kind = "value"
    key: str = ""


@lru_cache(maxsize=4)
def looks_like_json(start: Start) -> bool:
    """Tell whether a file begins as JSON arrays or objects, or as arrays that NumPy prints."""
    raw = start.unpacked
    encoding = find_utf16(raw)
    if encoding is not None:
        raw = raw.decode(encoding, "replace").removeprefix("\ufeff").encode("utf-8", "replace")
    raw = raw.removeprefix(_BOM).lstrip()
    if not raw.startswith((b"{", b"[")) or _ELIDED.search(raw):
        return False
    printed = _PRINTED.match(_AROUND.sub(b"", raw))
    if printed and b"," not in printed[0] and len(printed[0].split()) > 1:
        return printed.string[printed.end() : printed.end() + 1] in (b"", b"\n", b"\r", b"]")
    text = raw.decode("utf-8", "replace")
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except RecursionError:
        return True
    except json.JSONDecodeError as error:
        return error.pos >= len(text) - _CUT or error.msg.startswith("Unterminated string")
    except ValueError:
        return True
    return text[end:].lstrip(" \t,")[:1] in ("", "\n", "\r", "{", "[")


def read_values(source: TextSource) -> Iterator[Found]:
    """Yield the values of a file in order, each of 64 MiB at most.

    Of an array whose items are arrays or objects each item is yielded as an `element`; an object
    of more than 64 MiB is yielded by its members, and by the elements of those that are arrays of
    such.

    Raises:
        LoadError: If it is no JSON from some place on, or ends within a value.
    """
    yield from _read_lines(source) if _is_lines(source) else _read_stream(source)


def parse(raw: bytes) -> Any:
    """Return a value of JSON, or of an array as NumPy prints it.

    Raises:
        ValueError: If it is neither, saying why.
    """
    if raw.count(b"[") + raw.count(b"{") > _MOST_DEPTH and _is_deep(raw):
        raise ValueError(f"nested more than {_MOST_DEPTH} deep")
    try:
        return _DECODER.decode(raw.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except json.JSONDecodeError as error:
        plain = _SCALAR_OF_NUMPY.sub(rb"\1", raw.strip())
        if plain.startswith(b"[") and b"..." in plain:
            raise ValueError("an array printed in part (…), whose other numbers are lost") from None
        if _PRINTED.fullmatch(plain):
            return _parse_printed(plain)
        raise ValueError(error.msg[:1].lower() + error.msg[1:]) from None


def _is_deep(raw: bytes) -> bool:
    """Tell whether arrays and objects lie deeper in each other than is read."""
    depth = 0
    for mark in _MARK_OR_STRING.finditer(raw):
        first = mark[0][:1]
        depth += (first in (b"[", b"{")) - (first in (b"]", b"}"))
        if depth > _MOST_DEPTH:
            return True
    return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object whose keys differ; of two alike, one would be lost."""
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key, n in Counter(key for key, _ in pairs).items() if n > 1)
        raise ValueError(f"the key '{printable(twice, 40)}' twice in an object")
    return found


class Infinite(float):
    """Infinity as it was written; a number beyond float64 is read as a plain infinity."""


_CONSTANTS = {"NaN": float("nan"), "Infinity": Infinite("inf"), "-Infinity": Infinite("-inf")}
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_CONSTANTS.__getitem__)


def _parse_printed(raw: bytes) -> list[float]:
    try:
        tokens = raw[1:-1].replace(b",", b" ").split()
        return [Infinite(t) if b"i" in t.lower() else float(t) for t in tokens]
    except ValueError:
        raise ValueError("an array with what is no number") from None


def _is_lines(source: TextSource) -> bool:
    """Tell from the first lines whether each line is a value, so that a bad one hurts no other."""
    for block in source.blocks():
        lines = block.replace(b"\r", b"\n").split(b"\n")
        if len(block) < source.chunk_bytes and block.endswith((b"\n", b"\r")):
            lines.pop()
        some = [line.strip() for line in lines[: 4 * _SAMPLE_LINES] if line.strip()]
        if len(some) < 2 or not all(line.startswith((b"{", b"[")) for line in some[:_SAMPLE_LINES]):
            return False
        whole = some[:-1][:_SAMPLE_LINES]
        if whole[0].startswith(b"[[") and not _is_value(whole[0]):
            return False  # It begins an array of arrays.
        return sum(map(_is_value, whole)) * 2 >= len(whole)
    return False


def _is_value(line: bytes) -> bool:
    try:
        return isinstance(parse(line), (dict, list))
    except ValueError:
        return False


def _read_lines(source: TextSource) -> Iterator[Found]:
    for chunk, first in source.chunks():
        for number, line in enumerate(chunk.split(b"\n"), first):
            if line.strip(b"\x1a \t\r"):
                yield Found(number, line)


def _read_stream(source: TextSource) -> Iterator[Found]:
    stream = _Stream(source)
    while stream.next_byte():
        start = stream.next_byte()
        if start == b"[" and stream.next_byte(1) in (b"[", b"{"):
            yield from _elements(stream)
        elif start in (b"[", b"{"):
            found = stream.value()
            if found is None:
                yield from _members(stream)
            else:
                yield Found(*found)
        elif start == b",":
            stream.pass_by(b",")
        else:
            stream.refuse("no JSON array or object")


def _elements(stream: _Stream, key: str = "") -> Iterator[Found]:
    """Yield the items of an array, at whose bracket the stream is."""
    stream.pass_by(b"[")
    n_items = 0
    while stream.next_byte() != b"]":
        if not stream.next_byte():
            stream.refuse(f"ends within an array, behind {counted(n_items, 'item')}")
        found = stream.value()
        if found is None:
            stream.refuse(f"an item of more than {LONGEST_VALUE >> 20} MiB")
        yield Found(*found, "element", key)
        n_items += 1
        if stream.next_byte() == b",":
            stream.pass_by(b",")
    stream.pass_by(b"]")


def _members(stream: _Stream) -> Iterator[Found]:
    """Yield the members of an object, at whose brace the stream is."""
    stream.pass_by(b"{")
    while stream.next_byte() != b"}":
        if stream.next_byte() != b'"':
            stream.refuse("ends within an object" if stream.at_end() else "no name of a member")
        name = stream.value()
        assert name is not None
        key = _read_key(stream, name[1])
        stream.pass_by(b":")
        if stream.next_byte() == b"[" and stream.next_byte(1) in (b"[", b"{"):
            yield from _elements(stream, key)
        else:
            found = stream.value()
            if found is None:
                stream.refuse(f"'{printable(key, 40)}' is of more than {LONGEST_VALUE >> 20} MiB")
            yield Found(*found, "member", key)
        if stream.next_byte() == b",":
            stream.pass_by(b",")
    stream.pass_by(b"}")


def _read_key(stream: _Stream, raw: bytes) -> str:
    try:
        return str(json.loads(raw))
    except ValueError:
        stream.refuse("the name of a member is no JSON")


class _Stream:
    """A place in JSON text that moves on; what lies before it is forgotten."""

    def __init__(self, source: TextSource) -> None:
        self._shown, self._blocks = source.shown, source.blocks()
        self._data, self._at = b"", 0
        self._line, self._counted = 1, 0  # the line of the place up to which lines were counted
        self._ended = False

    def refuse(self, why: str) -> NoReturn:
        raise LoadError(f"{self._shown}:{self._here()}", f"damaged JSON: {why}", "write it again")

    def at_end(self) -> bool:
        return not self.next_byte()

    def _here(self) -> int:
        """Return the line of the place."""
        self._line += self._data.count(b"\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _forget(self) -> None:
        """Let go of what lies before the place, once it is much."""
        if self._at > _TRIM_BYTES:
            self._here()
            self._data, self._at, self._counted = self._data[self._at :], 0, 0

    def _more(self) -> bool:
        """Read on, more where much is held already; tell whether there was more."""
        self._forget()
        pieces, n_bytes, held = [self._data], 0, len(self._data)
        for block in self._blocks:
            pieces.append(block)
            n_bytes += len(block)
            if n_bytes >= held:
                break
        else:
            self._ended = True
        self._data = b"".join(pieces)
        return n_bytes > 0

    def next_byte(self, ahead: int = 0) -> bytes:
        """Return the byte behind blanks, or the next one behind that; b"" at the end."""
        if not ahead:
            self._pass_blanks()
            return self._data[self._at : self._at + 1]
        place = self._pass_space(self._at + ahead) - self._at
        return self._data[self._at + place : self._at + place + 1]

    def _pass_blanks(self) -> None:
        """Move on behind blanks, which are not kept."""
        while True:
            found = _SPACE.match(self._data, self._at)
            self._at = found.end() if found else len(self._data)
            if self._at < len(self._data) or self._ended or not self._more():
                return

    def _pass_space(self, place: int) -> int:
        """Return the place behind blanks; what is held may have moved, and the place with it."""
        ahead = place - self._at
        while True:
            found = _SPACE.match(self._data, self._at + ahead)
            ahead = (found.end() if found else len(self._data)) - self._at
            if self._at + ahead < len(self._data) or self._ended:
                return self._at + ahead
            if ahead > LONGEST_VALUE:
                self.refuse("nothing but blanks")
            self._more()

    def pass_by(self, byte: bytes) -> None:
        if self.next_byte() != byte:
            self.refuse(f"{byte.decode()} is missing")
        self._at += 1

    def value(self) -> tuple[int, bytes] | None:
        """Return a value's line and bytes and pass by it; None where it is too long."""
        self.next_byte()
        length = self._length()
        if length is None:
            return None
        self._forget()
        line, raw = self._here(), self._data[self._at : self._at + length]
        self._at += length
        return line, raw

    def _length(self) -> int | None:
        first = self._data[self._at : self._at + 1]
        if first not in (b"[", b"{", b'"'):
            return self._scalar_length()
        depth, done = 0, 0  # `done` counts from the place, which does not move here
        while True:
            mark = _MARK.search(self._data, self._at + done)
            if mark is None:
                done = len(self._data) - self._at
            elif mark[0] == b'"':
                text = _STRING.match(self._data, mark.start())
                done = (text.end() if text else mark.start()) - self._at
                mark = text
            else:
                done = mark.end() - self._at
                depth += 1 if mark[0] in b"[{" else -1
            if mark is not None and depth <= 0:
                return done if done <= LONGEST_VALUE else None
            if depth > _MOST_DEPTH:
                self.refuse(f"nested more than {_MOST_DEPTH} deep")
            held = len(self._data) - self._at if mark is None else done
            if held > LONGEST_VALUE:
                return None
            if mark is None and not self._more():
                self.refuse("ends within a value")

    def _scalar_length(self) -> int:
        while True:
            found = _SCALAR.match(self._data, self._at)
            if found is None:
                self.refuse("a value is missing")
            length = found.end() - self._at
            if found.end() < len(self._data) or not self._more():
                return length
            if length > _TRIM_BYTES:
                self.refuse("no JSON value")
