"""The numbers along an axis (drawing/ticks.js)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

_MOST_DECIMALS = 4
_MOST_EXACT = 2**53 - 1
_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_MINUS = "−"


@dataclass(frozen=True)
class Tick:
    """A number on an axis; `index` is which multiple of the step."""

    value: float
    index: int
    text: str


def ticks_of(low: float, high: float, most: float) -> list[Tick]:
    """Return multiples of 1, 2 or 5 times a power of ten between two ends, in either order.

    Args:
        low, high: The ends that are seen.
        most: About how many there is room for.
    """
    low, high = min(low, high), max(low, high)
    span = high - low
    if not span > 0 or not math.isfinite(span) or most < 1:
        return []
    rough = span / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(k for k in (1, 2, 5, 10) if k * power >= rough * (1 - 1e-9)) * power
    first, last = low / step - 1e-9, high / step + 1e-9
    if max(abs(first), abs(last)) > _MOST_EXACT:
        return []
    first, last = math.ceil(first), math.floor(last)
    if last - first > 2 * most + 2:
        return []
    # One number alone is no scale.
    if last <= first and most < 16:
        return ticks_of(low, high, 1.5 * most)
    write = _writer(max(abs(first), abs(last)) * step, step)
    return [Tick(i * step, i, write(i * step)) for i in range(first, last + 1)]


def _writer(largest: float, step: float) -> Callable[[float], str]:
    """Return how all numbers of one axis are written: with as many decimals as the step has."""
    decimals = max(0, -_place(step))
    if largest < 1e6 and decimals <= _MOST_DECIMALS:
        return lambda value: f"{value + 0.0:,.{decimals}f}".replace("-", _MINUS)
    power = _place(largest)
    digits = max(0, power - _place(step))
    return lambda value: (
        "0"
        if value == 0
        else f"{value / 10.0**power:.{digits}f}×10{_raised(power)}".replace("-", _MINUS)
    )


def _place(x: float) -> int:
    return math.floor(math.log10(x) + 1e-9)


def _raised(n: int) -> str:
    return ("⁻" if n < 0 else "") + "".join(_SUPERSCRIPTS[int(digit)] for digit in str(abs(n)))
