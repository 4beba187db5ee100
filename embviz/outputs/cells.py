"""Texts in tables of tabs and line ends."""

from __future__ import annotations


def escaped(text: str) -> str:
    """Return a text that stays within one cell of a table."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
