"""The kinds of files that `bench/fuzz.py` changes and reads, by their names."""

from __future__ import annotations

from mutants.changing import Kind
from mutants.requests import request_kinds
from mutants.stored import stored_kinds
from mutants.texts import text_kinds
from mutants.weights import weight_kinds

__all__ = ["Kind", "all_kinds"]


def all_kinds() -> dict[str, Kind]:
    """Return all kinds by name; one whose package is not installed fails when it is made."""
    return {**stored_kinds(), **weight_kinds(), **text_kinds(), **request_kinds()}
