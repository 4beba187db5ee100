"""Lines that begin with # and are no rows, as `numpy.savetxt` writes above and below numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from embviz.loaders.text.fields import TextLayout, cut, is_number

_FIELD = re.compile(rb"[^\t,;| ]+")
_COMMENT = re.compile(rb"(?m)^#[^\n]*")


def count_comments(lines: Sequence[bytes]) -> int:
    """Count the leading lines that begin with # and are no rows of that name.

    A row ends in a number and has as many fields as the first line below, or more where that
    begins with a name: `# tmax = 160` and `# 1 2 3` over rows without names are comments.
    """
    n = next((i for i, line in enumerate(lines) if not line.startswith(b"#")), len(lines))
    below = _FIELD.findall(lines[n]) if n < len(lines) else []
    for i, line in enumerate(lines[:n]):
        fields = _FIELD.findall(line)
        if is_number(fields[-1]) and len(fields) >= len(below):
            named = not below or not is_number(below[0])
            if named or len(fields) == len(below):
                return i
    return n


def has_comments(layout: TextLayout) -> bool:
    """Tell whether lines that begin with # are no rows: those begin with a number."""
    return bool(layout.columns) and layout.columns[0].kind == "number"


def blank_comments(raw: bytes, layout: TextLayout) -> tuple[bytes, int]:
    """Return lines with nothing in the place of comments, and how many these were."""
    if b"#" not in raw:
        return raw, 0
    n_comments = 0

    def blank(found: re.Match[bytes]) -> bytes:
        nonlocal n_comments
        line = found[0]
        fields = cut(line, layout)
        if len(fields) == layout.n_fields and all(map(is_number, fields[1:])):
            return line  # It may be a row, which is refused.
        n_comments += 1
        return b""

    return _COMMENT.sub(blank, raw), n_comments


def read_names(comment: bytes, layout: TextLayout) -> list[str]:
    """Return the names of columns that a comment above the rows holds, none where it does not."""
    fields = cut(comment.lstrip(b"# "), layout)
    if len(fields) != layout.n_fields or any(map(is_number, fields)):
        return []
    names = [field.decode("utf-8", "replace").strip() for field in fields]
    return names if all(names) and len({*names}) == len(names) else []
