"""What a request may hold: each check names the request, what it holds, and what it may hold.

A list is a list: where several values are meant, one alone is refused, since a text would be taken
for a list of letters.
"""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeVar

from embviz.errors import ParameterError

MOST_SEED = 2**32 - 1
"""The largest seed that every engine takes: umap-learn and scikit-learn hold it in 32 bits."""
T = TypeVar("T")
_UNSEEN = re.compile(r"[\x00-\x20]")


def check_whole(
    name: str,
    value: Any,
    least: int = 0,
    most: int | None = None,
    *,
    what: str = "",
    way_out: str = "",
) -> int:
    """Return a whole number of Python or NumPy in a range as an int; a truth is none.

    Args:
        name: What is asked for, as the reader knows it.
        value: What it is to be.
        least, most: The range, both ends in it; without `most` it has no upper end.
        what: What the number is to be, where "a whole number from 1 up" does not say it.
        way_out: What to do instead.

    Raises:
        ParameterError: If it is none.
    """
    if isinstance(value, Integral) and not isinstance(value, bool):
        number = int(value)
        if least <= number and (most is None or number <= most):
            return number
    span = f"from {least} up" if most is None else f"in {least} .. {most}"
    raise ParameterError(
        name, f"{_shown(value)} is not {what or f'a whole number {span}'}", way_out
    )


def check_seed(name: str, value: Any) -> int:
    """Return what every random generator takes, 0 .. 2^32 - 1; raises as `check_whole` does."""
    return check_whole(name, value, 0, MOST_SEED)


def check_number(name: str, value: Any, least: float, most: float = math.inf) -> float:
    """Return a finite number in a range as a float.

    Raises:
        ParameterError: If it is none.
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        number = float(value)
        if math.isfinite(number) and least <= number <= most:
            return number
    span = f"from {least:g} up" if most == math.inf else f"in {least:g} .. {most:g}"
    raise ParameterError(name, f"{_shown(value)} is not a number {span}")


def check_one_of(name: str, value: Any, known: Sequence[Any]) -> None:
    """Refuse what is not one of some values.

    Raises:
        ParameterError: With those.
    """
    if not any(type(value) is type(one) and value == one for one in known):
        way_out = f"one of {', '.join(map(str, known))}"
        raise ParameterError(name, f"there is no {_shown(value)}", way_out)


def check_text(name: str, value: Any, way_out: str = "") -> str:
    """Return a text.

    Raises:
        ParameterError: If it is none.
    """
    if not isinstance(value, str):
        raise ParameterError(name, f"{_shown(value)} is not a text", way_out)
    return value


def check_relative(name: str, value: Any) -> str:
    """Return a relative URL, or "".

    Raises:
        ParameterError: If it is none.
    """
    text = check_text(name, value)
    # Browsers take spaces and control characters away.
    read = _UNSEEN.sub("", text)
    if ":" in read.split("/")[0] or read.startswith(("/", "\\")):
        raise ParameterError(name, f"{_shown(value)} is no relative URL", "give one, quoted")
    return text


def check_truth(name: str, value: Any) -> None:
    """Refuse what is neither True nor False.

    Raises:
        ParameterError: With what it is.
    """
    if not isinstance(value, bool):
        raise ParameterError(name, f"{_shown(value)} is neither True nor False")


def check_list(name: str, values: Any) -> tuple[Any, ...]:
    """Return the values of a list, a tuple or an array.

    Raises:
        ParameterError: If it is none: one value alone, a text, or None.
    """
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        raise ParameterError(name, f"{_shown(values)} is not a list", f"[{_shown(values)}] is one")
    return tuple(values)


def check_n_neighbors(value: Any) -> int:
    """Return the number of neighbors that -k asks for.

    Raises:
        ParameterError: If it is no whole number from 1 up.
    """
    what = "a number of neighbors"
    return check_whole("-k", value, 1, what=what, way_out="ask for 1 or more")


def check_recall(value: Any) -> None:
    """Refuse what is no share of true neighbors.

    Raises:
        ParameterError: If it is no number above 0 and at most 1.
    """
    if not (isinstance(value, Real) and 0 < float(value) <= 1):
        raise ParameterError(f"--recall {value}", "must be above 0 and at most 1")


def check_megabytes(name: str, value: Any) -> float:
    """Return a size in megabytes.

    Raises:
        ParameterError: If it is no finite number above 0.
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        number = float(value)
        if math.isfinite(number) and number > 0:
            return number
    raise ParameterError(
        name, f"{_shown(value)} is not a number of megabytes above 0", "such as 40"
    )


def check_column(name: str, column: Any, known: Iterable[str]) -> None:
    """Refuse a metadata column that is not there.

    Raises:
        ParameterError: With those that are.
    """
    names = list(known)
    if column not in names:
        there = ", ".join(f"'{other}'" for other in names) or "none"
        raise ParameterError(name, f"no metadata column '{column}'", f"there are: {there}")


def check_path(name: str, value: Any) -> Path:
    """Return the path of a file or folder.

    Raises:
        ParameterError: If it is none.
    """
    if not isinstance(value, (str, os.PathLike)):
        raise ParameterError(name, f"{_shown(value)} is not the name of a file", "give a text")
    if not os.fspath(value):  # which would be this folder
        raise ParameterError(name, "an empty name")
    return Path(value)


def check_kind(name: str, value: Any, kinds: type[Any] | tuple[type[Any], ...], way: str) -> None:
    """Refuse what is of another class.

    Raises:
        ParameterError: With its class and the way to one that fits.
    """
    if not isinstance(value, kinds):
        raise ParameterError(name, f"cannot be of {type(value).__name__}", way)


def check_keywords(caller: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse keywords that a function does not have.

    Raises:
        ParameterError: With the first, and what is written like it.
    """
    names = tuple(known)
    for name in given:
        if name not in names:
            close = difflib.get_close_matches(name, names, 1)
            way_out = f"close to it: {close[0]}" if close else f"one of {', '.join(names)}"
            raise ParameterError(f"{caller}: {name}", "there is no such keyword", way_out)


def changed(caller: str, value: T, given: Mapping[str, Any]) -> T:
    """Return a request with some of its fields changed by the keywords of a function.

    Raises:
        ParameterError: If one is no field, or the request refuses it.
    """
    check_keywords(caller, given, [f.name for f in fields(value) if f.init])  # type: ignore[arg-type]
    return replace(value, **given)  # type: ignore[type-var]


def _shown(value: Any) -> str:
    """Return a value as it is typed, a long one cut."""
    text = value.__name__ if isinstance(value, type) else repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
