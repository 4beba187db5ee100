"""Labels as names are made of them: on one line, short, and in words. docs/clusters.md has all."""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache

LONGEST = 40
"""Characters that a name has at most."""
_BLANKS = re.compile(r"[\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
_UNSEEN = re.compile(r"[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_JOINER = "\u200d"
_ASCII_WORDS = re.compile(r"[0-9A-Za-z]+")


def tidy(text: str) -> str:
    """Return a label on one line, without what is not seen or turns the direction of texts."""
    return _BLANKS.sub(" ", _UNSEEN.sub("", text)).strip(" ")


def find_words(label: str) -> dict[str, str]:
    """Return the words of a label in lower case, in their order, each as it is first spelled."""
    if label.isascii():
        spelled = _ASCII_WORDS.findall(label)
    else:
        spelled = _words().findall(unicodedata.normalize("NFC", label))
    found: dict[str, str] = {}
    for word in spelled:
        found.setdefault(word.lower(), word)
    return found


def can_name(word: str) -> bool:
    """Tell whether a word is neither so short nor so long that it says nothing."""
    return 1 < len(word) <= LONGEST or (len(word) == 1 and not word.isascii())


def cut(text: str) -> str:
    """Return a text that is no longer than a name may be, with an ellipsis where it was."""
    if len(text) <= LONGEST:
        return text
    end = LONGEST - 1
    while end > 1 and (_is_mark(text[end]) or _JOINER in text[end - 1 : end + 1]):
        end -= 1
    return text[:end] + "…"


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


@cache
def _words() -> re.Pattern[str]:
    """Return what a word is: letters and digits, which `re` knows, and marks, which it does not."""
    marks = [code for code in range(0x300, sys.maxunicode + 1) if _is_mark(chr(code))]
    starts = [code for code in marks if not _is_mark(chr(code - 1))]
    ends = [code for code in marks if not _is_mark(chr(code + 1))]
    ranges = "".join(f"{chr(a)}-{chr(b)}" for a, b in zip(starts, ends, strict=True))
    return re.compile(rf"(?:[^\W_]|[{ranges}])+")
