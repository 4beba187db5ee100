"""String literals of protobuf's text format.

Source: https://protobuf.dev/reference/protobuf/textformat-spec/#string.
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(
    rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))",
    re.DOTALL,
)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b", b"f": b"\f"} | {
    b"v": b"\v"
}


def unescape(inner: bytes) -> bytes:
    """Return the bytes that stand between the quotes of a literal, without escapes.

    An escape that the format does not have stands for its letter, a code point above U+10FFFF for
    a question mark.
    """
    return _ESCAPE.sub(_meant, inner)


def _meant(match: re.Match[bytes]) -> bytes:
    octal, hexadecimal, short, long, letter = match.groups()
    if octal:
        return bytes([int(octal, 8) & 255])
    if hexadecimal:
        return bytes([int(hexadecimal, 16)])
    if short or long:
        code = int(short or long, 16)
        return chr(code).encode("utf-8", "replace") if code < 0x110000 else b"?"
    return _LETTERS.get(letter, letter)
