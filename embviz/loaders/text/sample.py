"""Some lines of a text file: its first ones, and others from all of it where that is cheap."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from embviz.errors import LoadError
from embviz.inputs import open_file
from embviz.loaders.text.chunks import TextSource, join_lines
from embviz.loaders.text.fields import is_number

SAMPLE_LINES = 50
_QUOTED = b",;|\t"
_MOST_LINES = 400
_PLACES = 8
_BLOCK_BYTES = 1 << 17
_WRAPPED_LIST = re.compile(
    rb"(?:[^\n\[\]\"]*\n)?[^\n\[\]\"]*\[*(\[[\s0-9.,eE+\-naif]*)(?:\]|\.\.\.)"
)


@dataclass(frozen=True)
class Sample:
    """Lines that are not blank, without their ends.

    Attributes:
        first: The first of the file without a gap, header and all.
        later: Some of the others, in order.
        literal: Whether a quote stands for itself, as a label that is one shows.
        wrapped: Whether line ends within brackets end no line, as NumPy prints arrays.
    """

    first: tuple[bytes, ...]
    later: tuple[bytes, ...] = ()
    literal: bool = False
    wrapped: bool = False

    @property
    def start(self) -> tuple[bytes, ...]:
        """The lines by which a file's layout is found."""
        return self.first[:SAMPLE_LINES]


def take_sample(source: TextSource, *, start_only: bool = False) -> Sample:
    """Read some lines of a file.

    Args:
        source: The file.
        start_only: Whether the first lines are enough.

    Raises:
        LoadError: If it is empty or no text.
    """
    if source.size == 0:
        raise LoadError(source.shown, "0 bytes", "a table of vectors is needed")
    lines: list[bytes] = []
    n_read, literal, wrapped = 0, False, False
    for chunk, number in source.chunks():
        n_read += len(chunk)
        if b"\0" in chunk[:1000] and not chunk[:1000].isascii():
            raise LoadError(source.shown, "binary data, not text")
        if b"\0" in chunk:
            _refuse_nul(chunk, number, source.shown, len(lines))
        literal = literal or _has_literal_quotes(chunk)
        wrapped = wrapped or _is_wrapped(chunk)
        whole, rest = join_lines(chunk, b"" if literal else _QUOTED, wrapped)
        lines += [line for line in (whole + rest).split(b"\n") if line.strip()]
        if len(lines) >= SAMPLE_LINES:
            break
    first = tuple(lines[:_MOST_LINES])
    if start_only:
        return Sample(first, (), literal, wrapped)
    if source.packed or wrapped or source.size <= n_read + 16 or len(lines) < SAMPLE_LINES:
        later = lines[_MOST_LINES:]
        step = -(-len(later) // _MOST_LINES) or 1
        return Sample(first, tuple(later[::step]), literal, wrapped)
    return Sample(first, _later_lines(source, n_read), literal)


def _is_wrapped(chunk: bytes) -> bool:
    """Tell whether the first vector in brackets, which is in no quotes, is on several lines."""
    head = chunk[:_BLOCK_BYTES].lstrip()
    found = _WRAPPED_LIST.match(head)
    # A line that begins with the closing bracket has it for a word: NumPy closes behind a number.
    return found is not None and b"\n" in found[1] and not found[1].endswith(b"\n")


def _has_literal_quotes(chunk: bytes) -> bool:
    """Tell whether lines with a quote that is not closed on them are whole lines all the same."""
    if b'"' not in chunk:
        return False
    lines = [line for line in chunk.split(b"\n")[: 4 * _MOST_LINES] if line.strip()]
    odd = [line for line in lines if line.count(b'"') % 2]
    if not odd:
        return False
    for delimiter in (b"\t", b",", b";", b"|"):
        usual = Counter(line.count(delimiter) for line in lines).most_common(1)[0][0]
        if usual > 1 and all(line.count(delimiter) == usual for line in odd):
            # The two halves of a record have their numbers at different places.
            return len({_number_places(line, delimiter) for line in odd}) == 1
    return False


def _number_places(line: bytes, delimiter: bytes) -> tuple[bool, ...]:
    return tuple(is_number(field.strip(b'" ')) for field in line.split(delimiter))


def _refuse_nul(chunk: bytes, number: int, shown: str, n_lines: int) -> None:
    """Refuse NUL bytes in the lines by which a layout is found; later ones are met in reading."""
    for offset, line in enumerate(chunk.split(b"\n", 4 * SAMPLE_LINES)[: 4 * SAMPLE_LINES]):
        if b"\0" in line:
            where = f"{shown}:{number + offset}"
            raise LoadError(where, "a NUL byte", "the file is damaged")


def _later_lines(source: TextSource, start: int) -> tuple[bytes, ...]:
    """Return lines from several places of a file behind a place."""
    found: list[bytes] = []
    step = max(1, (source.size - start) // _PLACES)
    with open_file(source.path) as file:
        for i in range(_PLACES):
            at = min(start + i * step, source.size)
            if i == _PLACES - 1:
                at = max(start, source.size - _BLOCK_BYTES)
            file.seek(at)
            lines = file.read(_BLOCK_BYTES).replace(b"\r\n", b"\n").split(b"\n")[1:-1]
            found += [line for line in lines if line.strip()][: _MOST_LINES // _PLACES]
    return tuple(found)
