"""Decimal numbers in text, read by whole arrays of tokens.

Eight digits are read at once as one 64-bit word ("SIMD within a register"): subtract the zeros,
then three multiplications add up pairs, quadruples and the whole (W. Muła, "SIMD-ized parsing of
integers", http://0x80.pl/articles/simd-parsing-int-sequences.html). Mantissa and scale are exact in
float64 up to 15 digits and 10**22, so that one division rounds correctly (W. Clinger, "How to read
floating point numbers accurately", PLDI 1990); all else is read with a margin and, where the margin
spans two float32 values, by `float`.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

PAD = 24
"""Bytes that must lie before the first and behind the last token of a text."""

NUMBER = re.compile(rb"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?\Z")
NOT_FINITE = re.compile(rb"[+-]?(?:nan|inf|infinity)\Z", re.IGNORECASE)

_POWERS = np.array([float(f"1e{k}") for k in range(309)])
_KEEP = np.array([(1 << 64) - (1 << (64 - 8 * k)) for k in range(9)], np.uint64)
_ZEROS = np.uint64(0x3030303030303030)
_PLUS, _MINUS, _DOT, _ZERO, _EXPONENT = b"+-.0e"
_FEW = 400
_MARGIN = 8 * float(np.finfo(np.float64).eps)
_EXACT_DIGITS = 15

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int64]


def read_number(token: bytes) -> float:
    """Read one number as `float` does, but only in ASCII decimal notation.

    Raises:
        ValueError: If it is anything else, such as `1_000`, `0x1p3`, a digit of another script.
    """
    if NUMBER.match(token) or NOT_FINITE.match(token):
        return float(token)
    raise ValueError(token)


class Scratch:
    """Arrays that are used again from block to block: fresh pages cost more than the arithmetic."""

    def __init__(self) -> None:
        self._arrays: dict[str, NDArray[Any]] = {}

    def array(self, name: str, n: int, dtype: type[np.generic]) -> NDArray[Any]:
        """Return an array of n elements with whatever was in it; a name is one dtype."""
        held = self._arrays.get(name)
        if held is None or len(held) < n:
            held = self._arrays[name] = np.empty(n + n // 4, dtype)
        return held[:n]


def parse_numbers(
    text: Bytes, starts: Offsets, ends: Offsets, scratch: Scratch | None = None
) -> NDArray[np.float32] | None:
    """Read tokens, each as float32(float(token)).

    Args:
        text: uint8 (n_bytes,), a multiple of eight bytes, with `PAD` bytes before and behind; what
            lies between two tokens holds neither digits nor points.
        starts: int64 (n,), where each token begins, ascending.
        ends: int64 (n,), where it ends, exclusive.
        scratch: Memory to work in.

    Returns:
        float32 (n,), infinity where a number is beyond float32, or None where a token is no number.
    """
    scratch = scratch or Scratch()
    n = len(starts)
    if n == 0:
        return np.empty(0, np.float32)
    lead = text.take(starts, out=scratch.array("lead", n, np.uint8), mode="clip")
    negative = np.equal(lead, _MINUS, out=scratch.array("negative", n, np.bool_))
    first = np.add(starts, negative, out=scratch.array("first", n, np.int64))
    points, odd = _find_points(text, first, ends, scratch)
    n_whole = np.subtract(points, first, out=scratch.array("n_whole", n, np.int64))
    n_fraction = np.subtract(ends, points, out=scratch.array("n_fraction", n, np.int64))
    n_fraction -= 1
    np.maximum(n_fraction, 0, out=n_fraction)
    n_digits = np.add(n_whole, n_fraction, out=scratch.array("n_digits", n, np.int64))
    most_whole = int(n_whole.max())
    if int(n_digits.min()) <= 0 or int(n_digits.max()) > _EXACT_DIGITS or most_whole > 8:
        odd |= (n_digits <= 0) | (n_digits > _EXACT_DIGITS) | (n_whole > 8)
        np.clip(n_whole, 0, 8, out=n_whole)
        np.minimum(n_fraction, _EXACT_DIGITS, out=n_fraction)
    value = scratch.array("value", n, np.float64)
    _read_fraction(text, ends, n_fraction, value, scratch)
    scale = _POWERS.take(n_fraction, out=scratch.array("scale", n, np.float64), mode="clip")
    whole = scratch.array("whole", n, np.float64)
    if most_whole == 1 and int(n_whole.min()) == 1:
        np.subtract(points, 1, out=n_digits)
        digit = text.take(n_digits, out=lead, mode="clip")
        digit -= _ZERO
        np.multiply(digit, scale, out=whole)
    elif most_whole > 0:
        np.copyto(whole, _read_eight(text, points, n_whole, scratch))
        whole *= scale
    else:
        whole.fill(0)
    value += whole
    value /= scale
    np.negative(value, out=value, where=negative)
    with np.errstate(over="ignore"):
        numbers = value.astype(np.float32)
    return _read_odd(text, starts, ends, numbers, odd) if odd.any() else numbers


def _find_points(
    text: Bytes, first: Offsets, ends: Offsets, scratch: Scratch
) -> tuple[Offsets, NDArray[np.bool_]]:
    """Return where each token's decimal point is, its end for none, and which tokens are odd.

    A token is odd when it is more than digits around one point at most.
    """
    n = len(ends)
    odd: NDArray[np.bool_] = scratch.array("odd", n, np.bool_)
    odd.fill(False)
    dots = np.equal(text, _DOT, out=scratch.array("dots", len(text), np.bool_))
    n_dots = int(np.count_nonzero(dots))
    # The point is behind one digit in nearly all numbers of nearly all vectors.
    points = np.add(first, 1, out=scratch.array("points", n, np.int64))
    second = text.take(points, out=scratch.array("second", n, np.uint8), mode="clip")
    there = np.equal(second, _DOT, out=scratch.array("there", n, np.bool_))
    there &= np.less(points, ends, out=scratch.array("inside", n, np.bool_))
    elsewhere = np.flatnonzero(np.logical_not(there, out=there))
    n_points = n - len(elsewhere)
    if len(elsewhere):
        found = np.append(np.flatnonzero(dots), len(text))
        next_point = found[np.searchsorted(found, first[elsewhere])]
        points[elsewhere] = np.minimum(next_point, ends[elsewhere])
        n_points += int(np.count_nonzero(next_point < ends[elsewhere]))
    if n_points != n_dots:
        _, once = _place(np.flatnonzero(dots), first, ends)
        np.logical_not(once, out=odd)
    shifted = np.subtract(text, _ZERO, out=scratch.array("shifted", len(text), np.uint8))
    known = np.less(shifted, 10, out=scratch.array("known", len(text), np.bool_))
    n_digits = int(ends.sum()) - int(first.sum()) - n_points
    if int(np.count_nonzero(known)) != n_digits:
        known |= dots
        known[ends] = True
        known[first - 1] = True
        strange = np.flatnonzero(~known)
        owner = np.searchsorted(ends, strange, side="right")
        strange, owner = strange[owner < n], owner[owner < n]
        odd[owner[strange >= first[owner]]] = True
    return points, odd


def _read_fraction(
    text: Bytes, ends: Offsets, n_digits: Offsets, out: NDArray[np.float64], scratch: Scratch
) -> None:
    """Read the last `n_digits` (0 .. 15) digits before each end; exact."""
    if int(n_digits.max()) <= 8:
        np.copyto(out, _read_eight(text, ends, n_digits, scratch))
        return
    n = len(ends)
    count = np.subtract(n_digits, 8, out=scratch.array("count", n, np.int64))
    np.maximum(count, 0, out=count)
    before = np.subtract(ends, 8, out=scratch.array("before", n, np.int64))
    np.copyto(out, _read_eight(text, before, count, scratch))
    out *= 1e8
    np.minimum(n_digits, 8, out=count)
    out += _read_eight(text, ends, count, scratch)


def _read_eight(
    text: Bytes, ends: Offsets, n_digits: Offsets, scratch: Scratch
) -> NDArray[np.int64]:
    """Read the last `n_digits` (0 .. 8) digits before each end; int64 (n,), in the scratch."""
    words: NDArray[np.uint64] = text.view("<u8")
    n = len(ends)
    shift = np.subtract(ends, 8, out=scratch.array("shift", n, np.int64))
    index = np.right_shift(shift, 3, out=scratch.array("index", n, np.int64))
    shift &= 7
    shift <<= 3
    bits = shift.view(np.uint64)
    word = words.take(index, out=scratch.array("word", n, np.uint64), mode="clip")
    word >>= bits
    index += 1
    rest = words.take(index, out=scratch.array("rest", n, np.uint64), mode="clip")
    np.subtract(64, bits, out=bits)
    rest <<= bits
    word |= rest
    word ^= _ZEROS
    word &= _KEEP.take(n_digits, out=rest, mode="clip")
    # Pairs, then the four pairs by two multiplications.
    np.right_shift(word, 8, out=rest)
    word *= 10
    word += rest
    np.right_shift(word, 16, out=rest)
    word &= 0x000000FF000000FF
    word *= 0x000F424000000064
    rest &= 0x000000FF000000FF
    rest *= 0x0000271000000001
    word += rest
    word >>= 32
    return word.view(np.int64)


def _read_odd(
    text: Bytes, starts: Offsets, ends: Offsets, numbers: NDArray[np.float32], odd: NDArray[Any]
) -> NDArray[np.float32] | None:
    """Fill in the numbers of the odd tokens; None where one is no number."""
    index = np.flatnonzero(odd)
    if len(index) > _FEW:
        numbers[index], sure = _read_with_margin(text, starts[index], ends[index])
        index = index[~sure]
    raw = text.tobytes() if len(index) else b""
    tokens = [raw[a:b] for a, b in zip(starts[index].tolist(), ends[index].tolist(), strict=True)]
    try:
        exact = np.array([read_number(token) for token in tokens], np.float64)
    except ValueError:
        return None
    with np.errstate(over="ignore"):
        numbers[index] = exact
    return numbers


def _read_with_margin(
    text: Bytes, starts: Offsets, ends: Offsets
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Read tokens with exponents and many digits from their first digits, with a margin.

    Returns:
        float32 (n,) and bool (n,): which are sure, because both ends of the margin round to them.
    """
    before = np.zeros(len(text) + 1, np.int64)
    np.cumsum(text - np.uint8(_ZERO) < 10, out=before[1:])
    marks, sure = _place(np.flatnonzero((text | 32) == _EXPONENT), starts, ends)
    points, single = _place(np.flatnonzero(text == _DOT), starts, marks)
    lead, power_lead = text[starts], text[np.minimum(marks + 1, ends)]
    first = starts + ((lead == _MINUS) | (lead == _PLUS))
    power_first = np.minimum(marks + 1, ends)
    power_first = power_first + ((power_lead == _MINUS) | (power_lead == _PLUS)) * (marks < ends)
    n_whole, n_power = points - first, ends - power_first
    n_fraction = np.maximum(marks - points - 1, 0)
    n_digits = before[ends] - before[first]
    sure &= single & (n_digits == n_whole + n_fraction + n_power) & (n_whole + n_fraction > 0)
    sure &= (n_whole >= 0) & (n_whole <= 8) & (n_power <= 3) & ((marks == ends) | (n_power > 0))
    n_read = np.minimum(n_fraction, 15)
    scratch, low = Scratch(), np.empty(len(starts))
    _read_fraction(text, np.minimum(points + 1, marks) + n_read, n_read, low, scratch)
    low += _read_eight(text, points, np.clip(n_whole, 0, 8), scratch) * _POWERS[n_read]
    power = _read_eight(text, ends, np.clip(n_power, 0, 3), scratch).copy()
    np.negative(power, out=power, where=power_lead == _MINUS)
    power[marks == ends] = 0
    power -= n_read
    sure &= np.abs(power) < len(_POWERS)
    scale = _POWERS[np.minimum(np.abs(power), len(_POWERS) - 1)]
    high = (low + (n_fraction > n_read)) * (1 + _MARGIN)
    low *= 1 - _MARGIN
    with np.errstate(over="ignore"):
        bounds = [
            np.where(power < 0, value / scale, value * scale).astype(np.float32)
            for value in (low, high)
        ]
    numbers = np.where(lead == _MINUS, -bounds[0], bounds[0])
    return numbers, sure & (bounds[0] == bounds[1])


def _place(found: Offsets, starts: Offsets, ends: Offsets) -> tuple[Offsets, NDArray[np.bool_]]:
    """Return where a sign is in each token, its end for nowhere, and whether it is there once."""
    owner = np.searchsorted(ends, found, side="right")
    found, owner = found[owner < len(ends)], owner[owner < len(ends)]
    found, owner = found[found >= starts[owner]], owner[found >= starts[owner]]
    where = ends.copy()
    where[owner] = found
    once = np.ones(len(ends), np.bool_)
    once[owner[1:][owner[1:] == owner[:-1]]] = False
    return where, once
