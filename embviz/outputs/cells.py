"""Texts in tables of tabs and line ends."""

from __future__ import annotations

import re

# What a spreadsheet takes for a formula begins so, full-width too and in quotes, which it takes
# away, and says something.
_FORMULA = re.compile(r'"*[=+\-@＝＋－＠](?=.*\w)', re.DOTALL)
_WRITTEN = re.compile(r'\\"*[=+\-@＝＋－＠]')
_WORD = re.compile(r"[+\-@＋－＠][^\W\d_][\w.'’-]*|[=＝][^\W\d_]+")
_NUMBER = re.compile(r"[+\-＋－][\d., ]*(?:[eE][+-]?\d+)?%?")


def escaped(text: str) -> str:
    """Return a text that stays within one cell of a table."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def cell(text: str) -> str:
    """Return a text that stays within one cell and that no spreadsheet runs.

    `=HYPERLINK("…")` becomes `\\=HYPERLINK("…")`, which is text there. Numbers, and words with a
    sign before them such as `-ing`, `@name` and `=best`, stay as they are. `unescaped` gives the
    text back.
    """
    safe = escaped(text)
    if not _FORMULA.match(safe):
        return safe
    bare = safe.strip('"')
    return safe if _WORD.fullmatch(bare) or _NUMBER.fullmatch(bare) else "\\" + safe


def restored(text: str) -> str:
    """Return what `cell` was given where a text is a formula's that it wrote, else the text itself.

    That is a backslash before what `cell` puts one before, the rest as it writes it; any other
    text may be another's own, such as `\\=o` and `C:\\new`.
    """
    if not _WRITTEN.match(text):
        return text
    given = unescaped(text)
    return given if cell(given) == text else text


def unescaped(text: str) -> str:
    """Return the text that `escaped` or `cell` was given."""
    marks = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}
    return re.sub(r"\\[\\tnr]|\\(?=[\"=+\-@＝＋－＠])", lambda m: marks.get(m[0], ""), text)
