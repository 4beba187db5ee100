"""Text files that are no vectors, refused for what they look like."""

from __future__ import annotations

import re
from collections.abc import Sequence

from embviz.errors import LoadError, printable

_MARKUP = re.compile(rb"\s*<(?:!doctype|html|head|body|\?xml|svg|script)", re.IGNORECASE)
_SPARSE = re.compile(rb"[0-9]+:[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?")


def refuse_other_text(line: bytes, shown: str) -> None:
    """Refuse a web page, and what Git LFS leaves in the place of a file, by the first line.

    Raises:
        LoadError: Which of these it is.
    """
    if _MARKUP.match(line):
        raise LoadError(
            shown, "a web page (HTML or XML), not vectors", "download the file itself again"
        )
    if line.startswith(b"version https://git-lfs"):
        raise LoadError(shown, "a Git LFS pointer, not the file", "run git lfs pull")


def refuse_sparse(rows: Sequence[Sequence[bytes]], shown: str) -> None:
    """Refuse rows of index:value pairs.

    Raises:
        LoadError: If all rows are such.
    """
    pairs = [any(map(_SPARSE.fullmatch, row[1:])) for row in rows]
    if all(pairs) and all(map(_SPARSE.fullmatch, (f for row in rows for f in row[1:] if f))):
        raise LoadError(
            shown,
            "sparse index:value vectors (SVMlight), which are not read",
            "sklearn.datasets.load_svmlight_file reads them: numpy.save('x.npy', X.toarray())",
        )


def refuse_text_only(rows: Sequence[Sequence[bytes]], shown: str) -> None:
    """Refuse rows of which no column holds numbers.

    Raises:
        LoadError: With how the first begins.
    """
    start = printable(b" ".join(rows[0]).decode("utf-8", "replace"), 60)
    if len(rows) == 1:
        raise LoadError(shown, f"column names and no data ('{start}')")
    raise LoadError(
        shown,
        f"no column of numbers in the first {len(rows)} lines ('{start}')",
        "a file of labels goes to --metadata",
    )
