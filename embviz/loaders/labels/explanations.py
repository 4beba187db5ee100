"""Explanations of a dictionary's features, by the features' numbers.

`{"17": "mentions of cats"}`, or objects in a JSON array or a line each, as Neuronpedia exports
them: `{"index": "17", "description": "mentions of cats", …}`. Features without one have none; of
several that one feature has, all are kept. Source: https://docs.neuronpedia.org/api.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from embviz.errors import LoadError, counted, printable
from embviz.loaders.bytes.json_text import parse_json
from embviz.loaders.bytes.packed import read_unpacked
from embviz.loaders.confined import is_within
from embviz.loaders.opened import list_some

NAMES = (
    "explanations.json", "explanations.jsonl", "explanations.jsonl.gz",
    "feature_explanations.json", "feature_explanations.jsonl",
)  # fmt: skip
_NUMBERS = ("index", "feature", "feature_id", "feature_index", "feature_idx", "latent", "latent_id")
_TEXTS = ("description", "explanation", "label", "text", "summary", "interpretation")
_MOST_BYTES = 256 << 20
_MOST_JOINED = 4

_log = logging.getLogger("embviz")


def find_explanations(folder: Path) -> Path | None:
    """Return the one file of explanations in a folder; None for none, or for several, then told."""
    found = [
        file for name in NAMES if (file := folder / name).is_file() and is_within(folder, file)
    ]
    if len(found) > 1:
        shown = list_some([file.name for file in found])
        _log.info(
            "%s: several files of explanations, none is read: %s; --metadata FILE", folder, shown
        )
    return found[0] if len(found) == 1 else None


def names_features(path: Path) -> bool:
    """Tell whether a file is JSON whose first value names a feature by its number."""
    try:
        first = next(iter(_values(path)), None)
        return first is not None and bool(list(_pairs(path, [first])))
    except LoadError:
        return False


def read_explanations(path: Path, n_features: int) -> tuple[str, ...]:
    """Read the explanations of features, in the order of their numbers, "" for none.

    Raises:
        LoadError: If the file is no such JSON, or a number is not that of a feature.
    """
    by_number: dict[int, dict[str, None]] = {}
    for number, text in _pairs(path, _values(path)):
        if not 0 <= number < n_features:
            why = f"an explanation of feature {number:,}, of {n_features:,} there are"
            raise LoadError(path, why, "give those of this dictionary: --metadata FILE")
        texts = by_number.setdefault(number, {})
        if text:
            texts.setdefault(text)
    if not any(by_number.values()):
        raise LoadError(path, "no explanations in it")
    n_more = sum(len(texts) > 1 for texts in by_number.values())
    more = f", {n_more:,} by several" if n_more else ""
    n = sum(bool(texts) for texts in by_number.values())
    _log.info("%s: explains %s of %s%s", path, f"{n:,}", counted(n_features, "feature"), more)
    return tuple(" | ".join([*by_number.get(i, ())][:_MOST_JOINED]) for i in range(n_features))


def _values(path: Path) -> Iterable[Any]:
    """Return the value of a JSON file as pairs, or the values in it, or of each of its lines."""
    raw = read_unpacked(path, _MOST_BYTES).removeprefix(b"\xef\xbb\xbf")
    first, _, rest = raw.lstrip().partition(b"\n")
    if rest.strip() and first.rstrip().startswith(b"{") and first.rstrip().endswith(b"}"):
        lines = (line for line in raw.splitlines() if line.strip())
        return (parse_json(line, f"{path}:{i}") for i, line in enumerate(lines, 1))
    value = parse_json(raw, path)
    if isinstance(value, dict):
        inner = value.get("explanations")
        if isinstance(inner, (list, dict)):
            value = inner
    return (
        list(value.items()) if isinstance(value, dict) else value if isinstance(value, list) else ()
    )


def _pairs(path: Path, values: Iterable[Any]) -> Iterator[tuple[int, str]]:
    for place, value in enumerate(values):
        if isinstance(value, tuple):
            number, text = value
        elif isinstance(value, dict):
            number = next((value[key] for key in _NUMBERS if key in value), None)
            text = next((value[key] for key in _TEXTS if key in value), None)
        else:
            number, text = None, None
        if isinstance(text, dict):
            text = next((text[key] for key in _TEXTS if key in text), None)
        digits = str(number) if type(number) in (int, str) else ""
        if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
            raise LoadError(
                path,
                f"value {place} has no feature's number, but {printable(repr(number)[:200], 40)}",
                f"write {{number: text}}, or objects with {_NUMBERS[0]} and {_TEXTS[0]}",
            )
        yield int(digits), text if isinstance(text, str) else ""
