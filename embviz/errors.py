"""What goes wrong that is not a bug: each error is one line, `what: why; way out`."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def printable(text: str, limit: int = 120) -> str:
    """Return text that is safe on a terminal: control characters escaped, the middle cut."""
    safe = "".join(
        c if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") else repr(c)[1:-1]
        for c in text
    )
    return safe if len(safe) <= limit else f"{safe[: limit // 2]}…{safe[-limit // 2 :]}"


def shell_word(text: str) -> str:
    """Return a text as a word of a command line, quoted where a shell would read it.

    To zsh, the shell of macOS, `=worst` is the path of a command of that name.
    """
    import shlex

    quoted = shlex.quote(text)
    return f"'{text}'" if quoted == text and text[:1] == "=" else quoted


def shell_line(words: Sequence[str]) -> str:
    """Return a command line that POSIX shells and zsh read as these words."""
    return " ".join(map(shell_word, words))


def counted(n: int, noun: str) -> str:
    """Return a number of things: `1 point`, `1,200 points`."""
    return f"{n:,} {noun}{'s' * (n != 1)}"


class EmbvizError(Exception):
    """The user can put this right; shown as one line, without a traceback.

    Args:
        what: The file, option or name at fault, with a line number where there is one.
        why: What is wrong with it, with the numbers found and wanted.
        way_out: What to do instead, where something can be done.
    """

    exit_code = 1

    def __init__(self, what: object, why: str, way_out: str = "") -> None:
        self.what, self.why, self.way_out = str(what), why, way_out
        text = f"{self.what}: {why}" + (f"; {way_out}" if way_out else "")
        super().__init__(printable(text, limit=2000))

    def __reduce__(self) -> tuple[type[EmbvizError], tuple[str, str, str]]:
        """Pickle as the three parts, as an error of another process comes here."""
        return type(self), (self.what, self.why, self.way_out)


class LoadError(EmbvizError):
    """An input is missing, damaged or not what it claims to be."""


class NoRowsError(LoadError):
    """A table is empty; as one of many shards it may be."""


class ParameterError(EmbvizError):
    """A request cannot be obeyed with this input."""

    exit_code = 2


class OutputError(EmbvizError):
    """A result cannot be written where it should go."""


class ConditionError(EmbvizError):
    """A condition under which a command is to fail holds; everything has been written."""

    exit_code = 3
