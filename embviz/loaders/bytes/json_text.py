"""JSON of others, read within bounds: its size, its depth, and each key of an object once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from embviz.errors import LoadError, printable
from embviz.inputs import open_file

_MOST_VALUES = 5_000_000
_NOT_HERE = "fetch or write it again"


def parse_json(raw: bytes, what: object) -> Any:
    """Return the value of JSON text.

    Args:
        raw: UTF-8, of a size that the caller has bounded.
        what: What it is, as it is named to the user.

    Raises:
        LoadError: If it is no JSON, names a key twice, or holds more than 5 million values.
    """
    # A value takes some 100 bytes of memory, and two characters of text.
    if raw.count(b",") + raw.count(b"{") + raw.count(b"[") > _MOST_VALUES:
        raise LoadError(what, f"JSON of more than {_MOST_VALUES:,} values")
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_object)
    except UnicodeDecodeError:
        raise LoadError(what, "JSON that is not UTF-8", _NOT_HERE) from None
    except RecursionError:
        raise LoadError(what, "JSON that is nested too deeply", _NOT_HERE) from None
    except _TwiceError as error:
        raise LoadError(
            what, f"JSON that has the key '{printable(str(error)[:200], 60)}' twice"
        ) from None
    except ValueError as error:
        raise LoadError(what, f"no JSON ({printable(str(error)[:200], 100)})", _NOT_HERE) from None


def read_json(path: Path, most_bytes: int) -> Any:
    """Return the value of a JSON file.

    Raises:
        LoadError: If it is larger than `most_bytes`, or as `parse_json` says.
    """
    with open_file(path) as file:
        raw = file.read(most_bytes + 1)
    if len(raw) > most_bytes:
        raise LoadError(path, f"JSON of more than {most_bytes:,} bytes")
    return parse_json(raw.removeprefix(b"\xef\xbb\xbf"), path)


def read_object(path: Path, most_bytes: int) -> dict[str, Any]:
    """Return the object of a JSON file.

    Raises:
        LoadError: If it is none, or as `read_json` says.
    """
    found = read_json(path, most_bytes)
    if not isinstance(found, dict):
        raise LoadError(path, "no JSON object", _NOT_HERE)
    return found


class _TwiceError(Exception):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _TwiceError(key)
        found[key] = value
    return found
