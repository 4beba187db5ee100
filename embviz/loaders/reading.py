"""How a source is read, as a value: what a user says of it that the source itself leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict, get_args

from embviz.checks import check_one_of

Unlabeled = Literal["keep", "drop"]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a user says of how a source is read.

    Attributes:
        tensor: Which tensor, where the source holds several.
        metadata: A file of columns for the points, in place of the source's own.
        input_format: The name of a format; None to find out.
        columns: Which columns are the vector, as `--columns` takes them; None to find out.
        strict: Whether lines that can be read in part are refused.
        drop_unused: Whether rows of a vocabulary that no token has are left out.
        metadata_key: A column of the metadata file by which its rows are joined to the points,
            whose own column of that name, or label, says the same; None for rows in order.
        unlabeled: What is done with points that the metadata has no row for: `keep` them with
            empty texts, or `drop` them; None refuses metadata of another number of rows.
    """

    tensor: str | None = None
    metadata: str | Path | None = None
    input_format: str | None = None
    columns: str | None = None
    strict: bool = False
    drop_unused: bool = False
    metadata_key: str | None = None
    unlabeled: Unlabeled | None = None

    def __post_init__(self) -> None:
        if self.unlabeled is not None:
            check_one_of("--unlabeled", self.unlabeled, get_args(Unlabeled))


class ReadingOptions(TypedDict, total=False):
    """The fields of `Reading`, for functions that take them by name."""

    tensor: str | None
    metadata: str | Path | None
    input_format: str | None
    columns: str | None
    strict: bool
    drop_unused: bool
    metadata_key: str | None
    unlabeled: Unlabeled | None


OF_SOME_FORMATS = {"columns": "--columns"}
"""Fields that only formats take which name them in `takes`, and the options that set them."""

AS_IT_IS = Reading()
"""Nothing is said: everything is found out."""
