"""Text as bytes, by one rule for all that is written, and their number as text."""

from __future__ import annotations

ERRORS = "backslashreplace"
"""How half a surrogate pair is written, which no UTF-8 holds: as its escape, such as \\udcff.

Names of files that are not UTF-8 hold them (PEP 383), and so may JSON and NumPy's texts. In JSON
the escape means the very same text.
"""


def to_utf8(text: str) -> bytes:
    """Return a text as UTF-8, half a surrogate pair as its escape."""
    return text.encode("utf-8", ERRORS)


def writable(text: str) -> str:
    """Return a text as it is written, for writers that take no bytes."""
    return text if text.isascii() else to_utf8(text).decode("utf-8")


def show_size(n_bytes: int) -> str:
    """Return a number of bytes as people read it: `2.1 MB`, `32.5 kB`."""
    return f"{n_bytes / 1e6:,.1f} MB" if n_bytes >= 100_000 else f"{n_bytes / 1e3:.1f} kB"
