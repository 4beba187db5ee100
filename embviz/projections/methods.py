"""Projectors by name, with their fields as options: `umap`, `umap:n_neighbors=30`, `mine.maps:MDS`.

A projector is a frozen dataclass, so that its fields are what can be asked of it; those of numbers,
texts and truths can be written in a line.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import sys
import types
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from embviz.errors import ParameterError
from embviz.projections import PROJECTORS, check_projector, load_entry

_EXAMPLE = "such as: tsne, or umap:n_neighbors=30"
_SPEC = re.compile(r"(?P<name>[^:=]+(?::[\w.]+)?)(?::(?P<options>\w+=.*))?", re.DOTALL)
_TRUTHS = {"true": True, "yes": True, "false": False, "no": False}


@dataclasses.dataclass(frozen=True)
class Method:
    """A projector that is asked for by name.

    Attributes:
        text: As it was typed.
        projector: The class.
        options: Fields of it that were typed, with their values.
        series: The option whose list of values it has one of; empty for none.
    """

    text: str
    projector: type[Any]
    options: Mapping[str, Any]
    series: str = ""


def parse_method(text: str) -> Method:
    """Read `NAME`, `package.module:Class`, or one of them and `:field=value,field=value`.

    Raises:
        ParameterError: If there is no such projector or field, or a value is not of its type.
    """
    found = _SPEC.fullmatch(text.strip())
    if found is None:
        raise ParameterError(f"--method {text or repr(text)}", "is not understood", _EXAMPLE)
    name, colon, item = found["name"].partition(":")
    if colon and name in PROJECTORS:
        raise ParameterError(f"--method {text}", f"'{item}' is no field=value", _EXAMPLE)
    projector = find_projector(found["name"])
    known = option_types(projector)
    options: dict[str, Any] = {}
    for item in (found["options"] or "").split(",") if found["options"] else ():
        name, sign, value = item.partition("=")
        name = name.strip().replace("-", "_")
        if not sign:
            raise ParameterError(
                f"--method {text}", f"'{item}' is no field=value", "a comma stands between two"
            )
        if name not in known:
            raise ParameterError(
                f"--method {text}", f"no field '{name}'", f"one of {', '.join(known) or 'none'}"
            )
        if name in options:
            raise ParameterError(f"--method {text}", f"{name} is given twice", "give it once")
        options[name] = _parse_value(f"--method {text}", name, known[name], value.strip())
    return Method(text, projector, options)


def imports_module(text: str) -> bool:
    """Tell whether a method is named as `package.module:Class`, whose module would be imported."""
    found = _SPEC.fullmatch(text.strip())
    name, colon, _ = found["name"].partition(":") if found else ("", "", "")
    return bool(colon) and name not in PROJECTORS


def find_projector(name: str) -> type[Any]:
    """Return a projector class by its name in `PROJECTORS`, or as `package.module:Class`.

    Raises:
        ParameterError: If there is none, or it cannot be loaded.
    """
    if name in PROJECTORS:
        return PROJECTORS[name]
    if ":" in name:
        from importlib.metadata import EntryPoint

        _look_here_too(name.partition(":")[0])
        return check_projector(name, load_entry(EntryPoint(name, name, "embviz.projectors")))
    names = {known.lower(): known for known in PROJECTORS}
    close = difflib.get_close_matches(name.lower(), list(names), 1)
    meant = f"; close to it: {names[close[0]]}" if close else ""
    raise ParameterError(
        f"--method {name}",
        "there is no such method" + meant,
        f"one of {', '.join(PROJECTORS)}, or package.module:Class",
    )


def _look_here_too(module: str) -> None:
    """Let a module of the current folder be found that is installed nowhere, as `python -m` does.

    The folder comes last, so that no file in it stands in for a module that is installed.
    """
    try:
        found = find_spec(module.partition(".")[0])
    except (ImportError, ValueError):
        found = None
    if found is None:
        sys.path.append(os.getcwd())


def field_names(projector: type[Any]) -> tuple[str, ...]:
    """Return the fields that a projector is made with."""
    if not dataclasses.is_dataclass(projector):
        return ()
    return tuple(f.name for f in dataclasses.fields(projector) if f.init)


def option_types(projector: type[Any]) -> dict[str, Any]:
    """Return the fields of a projector that can be written in a line, with their types."""
    try:
        hints = get_type_hints(projector)
    except Exception as error:  # Whatever stands in another package's annotations.
        raise ParameterError(
            projector.__name__, f"its fields have no types that can be read ({error})"
        ) from error
    found = {name: hints.get(name) for name in field_names(projector)}
    return {name: kind for name, kind in found.items() if _choices(kind)}


def _choices(kind: Any) -> tuple[Any, ...]:
    """Return what a type may be written as: bool, int, float, str, None, or Literal types.

    Empty where a part of it cannot be written in a line.
    """
    if get_origin(kind) in (Union, types.UnionType):
        parts = [_choices(part) for part in get_args(kind)]
        return tuple(c for part in parts for c in part) if all(parts) else ()
    if kind in (bool, int, float, str, type(None)) or get_origin(kind) is Literal:
        return (kind,)
    return ()


def _parse_value(what: str, name: str, kind: Any, text: str) -> Any:
    """Return the value that a text means for a type.

    Raises:
        ParameterError: If it means none.
    """
    choices = _choices(kind)
    wanted = []
    for choice in choices:
        if choice is type(None):
            if text.lower() == "none":
                return None
            wanted.append("none")
        elif get_origin(choice) is Literal:
            for value in get_args(choice):
                if text == str(value):
                    return value
            wanted += map(str, get_args(choice))
        elif choice is bool:
            if text.lower() in _TRUTHS:
                return _TRUTHS[text.lower()]
            wanted.append("true or false")
        elif choice is str:
            return text
        else:
            try:
                return choice(text)
            except ValueError:
                wanted.append("a whole number" if choice is int else "a number")
    raise ParameterError(what, f"{name} is to be {', '.join(wanted)}, not '{text}'")
