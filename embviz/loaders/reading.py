"""How a source is read, as a value: what a user says of it that the source itself leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a user says of how a source is read.

    Attributes:
        tensor: Which tensor, where the source holds several.
        metadata: A file of columns for the points, in place of the source's own.
        input_format: The name of a format; None to find out.
    """

    tensor: str | None = None
    metadata: str | Path | None = None
    input_format: str | None = None


class ReadingOptions(TypedDict, total=False):
    """The fields of `Reading`, for functions that take them by name."""

    tensor: str | None
    metadata: str | Path | None
    input_format: str | None


AS_IT_IS = Reading()
"""Nothing is said: everything is found out."""
