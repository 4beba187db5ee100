"""Names in the order in which the page puts them: class 2 before class 10, é beside e.

The page compares with the Unicode Collation Algorithm of CLDR (https://www.unicode.org/reports/tr35/
tr35-collation.html), numbers by value. The same order here: signs before digits before letters;
accents count where the letters are equal, and capitals where the accents are.
"""

from __future__ import annotations

import re
import unicodedata

_SIGNS = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$"
"""Of ASCII, in the order of the algorithm; blanks come before."""
_NUMBERS = re.compile(r"([0-9]+)")
_DIGITS, _LETTERS = 1000, 2000
Key = tuple[list[tuple[int, int]], list[int], list[int], list[int]]


def natural_key(name: str) -> Key:
    """Return what names are put in order by."""
    primary: list[tuple[int, int]] = []
    accents: list[int] = []
    capitals: list[int] = []
    for part in _NUMBERS.split(unicodedata.normalize("NFKD", name)):
        if part.isascii() and part.isdigit():
            primary.append((_DIGITS, int(part) if len(part) < 4000 else 10**4000))
            accents.append(0)
            capitals.append(0)
            continue
        for character in part:
            _add(character, primary, accents, capitals)
    return primary, accents, capitals, _units(name)


def _add(
    character: str, primary: list[tuple[int, int]], accents: list[int], capitals: list[int]
) -> None:
    kind = unicodedata.category(character)
    if kind.startswith("M"):
        if accents:
            accents[-1] = 100 * accents[-1] + ord(character)
        return
    if kind in ("Cc", "Cf", "Cs") and character not in "\t\n\r\v\f":
        return
    lower = character.casefold()  # Of ß two letters.
    accents += [0] * len(lower)
    capitals += [int(character != character.lower())] * len(lower)
    if character.isspace():
        primary.append((0, ord(character)))
    elif character in _SIGNS:
        primary.append((1, _SIGNS.index(character)))
    elif kind[0] in "PS":
        primary.append((2 if kind[0] == "P" else 3, ord(character)))
    elif kind == "Nd":
        primary.append((_DIGITS, int(character)))
    else:
        primary += [(_LETTERS, ord(letter)) for letter in lower]


def _units(name: str) -> list[int]:
    """Return the 16-bit units that scripts compare texts by."""
    raw = name.encode("utf-16-be", "surrogatepass")
    return [raw[i] << 8 | raw[i + 1] for i in range(0, len(raw), 2)]
