"""What a value of JSON holds: records, each with its vectors and its other fields.

A record is an object with a vector among its fields, or a bare vector. OpenAI's answers
(https://platform.openai.com/docs/api-reference/embeddings, .../batch) hold one for each text that
was asked for; an object may be a vector a name, or a list a column.
"""

from __future__ import annotations

import base64
import binascii
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, printable
from embviz.loaders.opened import list_some
from embviz.loaders.text.chunks import TextSource
from embviz.loaders.text.json_values import Found, Infinite, parse, read_values

_log = logging.getLogger("embviz")

BARE = ""
"""The field of a vector that has no name."""
NAME_FIELD = "word"
VECTOR_NAME = re.compile(r"emb|vec|values|feat", re.IGNORECASE)
_SURE_NAME = re.compile(r"emb|vec", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")
_NUMBERS = frozenset({int, float, Infinite, type(None)})
_BEYOND = float(np.finfo(np.float64).max)
_MOST_WRAPPED = 3
_MOST_EXPECTED = 1e6


@dataclass(frozen=True)
class Record:
    """A record of a file.

    Attributes:
        line: Where it begins.
        fields: Its values by name; None where it could not be read.
        why: Why it could not.
    """

    line: int
    fields: dict[str, Any] | None
    why: str = ""


def read_records(source: TextSource, tell: bool = False) -> Iterator[Record]:
    """Yield the records of a file in order, those that cannot be read too.

    Args:
        source: The file.
        tell: Whether to say what of an object of columns is none.

    Raises:
        LoadError: If it is no JSON from some place on, or one object without a table in it.
    """
    values = read_values(source)
    first = next(values, None)
    if first is None:
        raise LoadError(source.shown, "nothing in it", "vectors are needed")
    second = next(values, None)
    if second is not None or first.kind != "value":
        for found in chain((first,), (second,) if second is not None else (), values):
            yield from _records_of_found(found)
        return
    try:
        value = parse(first.raw)
    except ValueError as error:
        where = f"{source.shown}:{first.line}"
        raise LoadError(where, f"damaged JSON: {error}", "write it again") from None
    if isinstance(value, list) and to_numbers(value) is None:
        yield from records_of(value, first)
        return
    alone = _alone(value, first, 0) if isinstance(value, dict) else None
    if alone is None:
        raise LoadError(source.shown, _describe(value), NEEDED)
    records, left = alone
    if tell and left:
        names = list_some([f"'{printable(name, 40)}'" for name in left])
        _log.info("%s: %s left out, no lists of a value a row", source.shown, names)
    yield from records


NEEDED = "a vector is a list of numbers, such as {'text': …, 'embedding': [0.1, …]} a line"


def _describe(value: Any) -> str:
    """Say what a value is that is all there is in a file, and no table."""
    if isinstance(value, list):
        return f"JSON of one vector of {len(value)} numbers, where a table of several is needed"
    names = ", ".join(printable(str(key), 30) for key in list(value)[:6])
    more = f" and {len(value) - 6} more" if len(value) > 6 else ""
    return f"JSON without vectors: an object with {names or 'nothing'}{more}"


def to_numbers(value: Any) -> NDArray[np.float64] | None:
    """Return the numbers of a vector; None for what is none.

    A vector is a list of two numbers or more (null is NaN), such a list alone in another, or its
    text. Numbers beyond float64 become its largest, so that they differ from infinity.
    """
    if isinstance(value, str) and value.startswith("[") and value.endswith("]"):
        try:
            value = parse(value.encode("utf-8", "replace"))
        except ValueError:
            return None
    for _ in range(_MOST_WRAPPED):
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
            value = value[0]
    if not isinstance(value, list) or len(value) < 2 or not set(map(type, value)) <= _NUMBERS:
        return None
    try:
        numbers = np.array(value, np.float64)
    except OverflowError:
        return np.array([_to_float(x) for x in value])
    return np.array([_to_float(x) for x in value]) if np.isinf(numbers).any() else numbers


def _to_float(value: float | None) -> float:
    if value is None or isinstance(value, Infinite):
        return float("nan") if value is None else float(value)
    try:
        return min(max(float(value), -_BEYOND), _BEYOND) if value == value else float(value)
    except OverflowError:
        return _BEYOND if value > 0 else -_BEYOND


def from_base64(value: Any) -> NDArray[np.float64] | None:
    """Return the numbers of float32 in base64; None for a text that is likely none."""
    if not isinstance(value, str) or not _BASE64.fullmatch(value):
        return None
    try:
        raw = base64.b64decode(value, validate=True)
    except binascii.Error:
        return None
    if len(raw) % 4 or len(raw) < 8:
        return None
    numbers = np.frombuffer(raw, "<f4").astype(np.float64)
    size = np.abs(numbers)
    # Text that is read so has numbers of all orders of magnitude.
    return numbers if np.isfinite(size).all() and size.max() < _MOST_EXPECTED else None


def find_vectors(fields: dict[str, Any], depth: int = 0) -> dict[tuple[str, ...], int]:
    """Return the number of dimensions of the vectors in a record, by the keys that lead to them."""
    found: dict[tuple[str, ...], int] = {}
    for key, value in fields.items():
        if isinstance(value, dict):
            inner = find_vectors(value, depth + 1) if depth < _MOST_WRAPPED else {}
            found |= {(key, *path): n for path, n in inner.items()}
        elif isinstance(value, (list, str)):
            numbers = to_numbers(value)
            if numbers is None and VECTOR_NAME.search(key):
                numbers = from_base64(value)
            if numbers is not None:
                found[(key,)] = len(numbers)
    return found


def _records_of_found(found: Found) -> Iterator[Record]:
    try:
        value = parse(found.raw)
    except ValueError as error:
        yield Record(found.line, None, f"no JSON ({error})")
        return
    if found.kind != "member":
        yield from records_of(value, found)
    elif to_numbers(value) is not None:
        yield Record(found.line, {NAME_FIELD: found.key, BARE: value})
    elif isinstance(value, list) and value:
        yield Record(found.line, None, f"a list beside the vectors ('{printable(found.key, 40)}')")


def records_of(value: Any, found: Found) -> Iterator[Record]:
    """Yield the records that a value holds, one in most files."""
    if isinstance(value, dict):
        yield from _of_object(value, found)
    elif to_numbers(value) is not None:
        yield Record(found.line, {BARE: value})
    elif isinstance(value, list) and len(value) > 1 and isinstance(value[0], str):
        rest = value[1] if len(value) == 2 else value[1:]
        if to_numbers(rest) is None:
            yield Record(found.line, None, "an array without a vector")
        else:
            yield Record(found.line, {"label": value[0], BARE: rest})
    elif isinstance(value, list) and value and isinstance(value[0], (dict, list)):
        if found.kind == "element" and len(value) > 1:
            yield Record(found.line, None, "several arrays, where one vector is needed")
        else:
            for item in value:
                yield from records_of(item, Found(found.line, found.raw, "element"))
    else:
        yield Record(found.line, None, "no vector")


def _of_object(value: dict[str, Any], found: Found) -> Iterator[Record]:
    answers = _answers(value)
    if answers is not None:
        yield from _of_answers(answers, {}, found)
    elif "response" in value and ("error" in value or "custom_id" in value):
        others = {k: v for k, v in value.items() if k not in ("response", "error")}
        response = value["response"] if isinstance(value["response"], dict) else {}
        body = response.get("body")
        answers = _answers(body) if isinstance(body, dict) else None
        if answers is None:
            yield Record(found.line, None, _why_failed(value.get("error"), response, body))
        else:
            yield from _of_answers(answers, others, found)
    else:
        yield Record(found.line, value)


def _answers(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the vectors of an answer of OpenAI in the order of what was asked, else None."""
    data = value.get("data")
    if not isinstance(data, list) or not data:
        return None
    if not all(isinstance(item, dict) and "embedding" in item for item in data):
        return None
    if all(type(item.get("index")) is int for item in data):
        return sorted(data, key=lambda item: int(item["index"]))
    return data


def _of_answers(
    answers: list[dict[str, Any]], others: dict[str, Any], found: Found
) -> Iterator[Record]:
    for item in answers:
        own = {k: v for k, v in item.items() if k != "object"}
        if len(answers) == 1:
            own.pop("index", None)
        yield Record(found.line, {**others, **own})


def _why_failed(error: Any, response: dict[str, Any], body: Any) -> str:
    for holder in (error, body.get("error") if isinstance(body, dict) else None):
        if holder:
            message = holder.get("message") if isinstance(holder, dict) else holder
            return f"a failed request ({printable(str(message), 60)})"
    code = response.get("status_code")
    if isinstance(code, int) and code >= 400:
        return f"a failed request (status {code})"
    return "a response without vectors"


def _alone(
    value: dict[str, Any], found: Found, depth: int
) -> tuple[list[Record], list[str]] | None:
    """Return the records of an object that is all there is in a file, and what was left out.

    None stands for an object in which there is no table.
    """
    if _answers(value) is not None or "custom_id" in value:
        return list(_of_object(value, found)), []
    for shape in (
        _split,
        _lists_of_objects,
        _lists_as_columns,
        _objects_as_columns,
        _objects_by_name,
        _vectors_by_name,
    ):
        rows = shape(value)
        if rows:
            kept = {key for row in rows[:1] for key in row}
            columns = shape is _lists_as_columns
            left = [
                k for k, v in value.items() if columns and isinstance(v, list) and k not in kept
            ]
            return [Record(found.line, row) for row in rows], left
    if depth < _MOST_WRAPPED:
        inner = {k: v for k, v in value.items() if isinstance(v, dict)}
        tables = {k: t for k, v in inner.items() if (t := _alone(v, found, depth + 1)) is not None}
        if len(tables) == 1:
            ((key, (records, left)),) = tables.items()
            around = {k: v for k, v in value.items() if k != key and isinstance(v, list)}
            return _with_columns(records, left, around)
    return _as_one_record(value, found) if not depth else None


def _with_columns(
    records: list[Record], left: list[str], around: dict[str, list[Any]]
) -> tuple[list[Record], list[str]]:
    """Add the lists around a table to its records, as `texts` stand beside `{"float": [[…], …]}`.

    Those of other lengths are left out, as within one.
    """
    columns = {k: v for k, v in around.items() if len(v) == len(records)}
    left = [*left, *(k for k in around if k not in columns)]
    added = [
        record if record.fields is None else replace(record, fields=own | record.fields)
        for i, record in enumerate(records)
        for own in [{k: v[i] for k, v in columns.items()}]
    ]
    return added, left


def _as_one_record(value: dict[str, Any], found: Found) -> tuple[list[Record], list[str]] | None:
    """Read {"text": "a", "embedding": […]}, where a file of such has one.

    A file of settings has lists too: of fractions under the name of a vector it has none.
    """
    vectors = [path for path in find_vectors(value) if _SURE_NAME.search(".".join(path))]
    if len(vectors) != 1:
        return None
    inner: Any = value
    for key in vectors[0]:
        inner = inner[key]
    numbers = to_numbers(inner)
    if numbers is not None and bool((numbers == np.rint(numbers)).all()):
        return None
    return [Record(found.line, value)], []


def _split(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Read {"columns": ["text", "embedding"], "index": [0, …], "data": [["a", […]], …]}."""
    names, data, index = (value.get(key) for key in ("columns", "data", "index"))
    if not isinstance(names, list) or not isinstance(data, list) or not data:
        return None
    if not all(isinstance(row, list) and len(row) == len(names) for row in data):
        return None
    keys = index if isinstance(index, list) and len(index) == len(data) else None
    starts: list[dict[str, Any]] = [{} if keys is None else {"index": key} for key in keys or data]
    if all(to_numbers(row) is not None for row in data):
        return [{**start, BARE: row} for start, row in zip(starts, data, strict=True)]
    fields = [str(name) for name in names]
    return [
        {**start, **dict(zip(fields, row, strict=True))}
        for start, row in zip(starts, data, strict=True)
    ]


def _lists_of_objects(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Read {"points": [{"id": …, "vector": […]}, …], …}, where one list has vectors."""
    found = [
        items
        for items in value.values()
        if isinstance(items, list)
        and items
        and all(isinstance(item, dict) for item in items)
        and any(map(find_vectors, items))
    ]
    return found[0] if len(found) == 1 else None


def _lists_as_columns(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Read {"texts": ["a", …], "embeddings": [[…], …]}; lists of other lengths are left out."""
    lists = {k: v for k, v in value.items() if isinstance(v, list)}
    tables = [
        v for v in lists.values() if len(v) > 1 and all(to_numbers(row) is not None for row in v)
    ]
    n_rows = {len(table) for table in tables}
    if len(n_rows) != 1:
        return None
    (n,) = n_rows
    columns = {k: v for k, v in lists.items() if len(v) == n}
    return [{k: v[i] for k, v in columns.items()} for i in range(n)]


def _objects_as_columns(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Read {"text": {"0": "a", …}, "embedding": {"0": […], …}}, as pandas writes a table."""
    columns = {k: v for k, v in value.items() if isinstance(v, dict)}
    if len(columns) != len(value) or len({tuple(v) for v in columns.values()}) != 1:
        return None
    vectors = [
        v for v in columns.values() if v and all(to_numbers(x) is not None for x in v.values())
    ]
    if not vectors or (len(columns) > 1 and len(vectors) == len(columns)):
        return None
    return [{k: v[row] for k, v in columns.items()} for row in vectors[0]]


def _objects_by_name(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Read {"a": {"text": …, "embedding": […]}, "b": …}."""
    rows = {k: v for k, v in value.items() if isinstance(v, dict) and find_vectors(v)}
    if len(rows) < 2 or 2 * len(rows) < len(value):
        return None
    return [{NAME_FIELD: k, **v} for k, v in rows.items()]


def _vectors_by_name(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Read {"king": […], "queen": […]}; a file of settings may have two lists, but others too."""
    n_vectors = sum(to_numbers(v) is not None for v in value.values())
    n_others = len(value) - n_vectors
    if n_vectors < 2 or n_others * 10 > n_vectors:
        return None
    return [{NAME_FIELD: k, BARE: v} for k, v in value.items()]
