"""The methods of a plan: how they are understood, and the projectors that each asks for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from embviz.errors import EmbvizError, ParameterError
from embviz.pictures.placing import tell_failure
from embviz.projections import PCA, PROJECTORS, Projector
from embviz.projections.methods import Method, field_names, parse_method

if TYPE_CHECKING:
    from embviz.model import EmbeddingTable


def is_pca(method: Method | Projector) -> bool:
    """Tell whether a method is PCA."""
    return method.projector is PCA if isinstance(method, Method) else isinstance(method, PCA)


def fields_to_fill(method: Method | Projector) -> tuple[str, ...]:
    """Return the fields of a method asked for by name that were not typed with it."""
    if not isinstance(method, Method):
        return ()
    return tuple(n for n in field_names(method.projector) if n not in method.options)


def takes_field(field: str, method: Method | Projector) -> bool:
    """Tell whether a method takes a field from the plan."""
    return field in fields_to_fill(method)


def understand(method: Any) -> Method | Projector:
    """Return a method as it is understood: a name is read, a projector stays.

    Raises:
        ParameterError: If it is neither.
    """
    if isinstance(method, str):
        return parse_method(method)
    if isinstance(method, type) or not callable(getattr(method, "project", None)):
        name = method.__name__ if isinstance(method, type) else f"{method!r:.40}"
        why = "is a class" if isinstance(method, type) else "is neither a name nor a projector"
        raise ParameterError(f"methods: {name}", why, 'such as "tsne", or embviz.TSNE()')
    projector: Projector = method
    return projector


def check_options(method: Method, options: Mapping[str, Any]) -> None:
    """Refuse what a projector of ours refuses, before anything is read."""
    if method.projector in PROJECTORS.ours.values():
        try:
            method.projector(**options)
        except ParameterError as error:
            why = f"{error.what}: {error.why}"
            raise ParameterError(f"--method {method.text}", why, error.way_out) from None


def make(method: Method, options: Mapping[str, Any]) -> Any:
    """Return the projector of a method.

    Raises:
        ParameterError: If another package's cannot be made.
    """
    try:
        return method.projector(**options)
    except Exception as error:  # Another's code may fail in any way.
        if isinstance(error, EmbvizError) or method.projector in PROJECTORS.ours.values():
            raise
        why = f"cannot be made, with {tell_failure(error)}"
        raise ParameterError(f"--method {method.text}", why) from error


def check_complete(method: Method, offered: Mapping[str, Any]) -> None:
    """Refuse a method that lacks a value which it cannot do without."""
    for name in fields_to_fill(method):
        found = next(f for f in dataclasses.fields(method.projector) if f.name == name)
        has_default = (
            found.default is not dataclasses.MISSING
            or found.default_factory is not dataclasses.MISSING
        )
        if name in offered or has_default:
            continue
        if name == "axes":
            raise ParameterError(f"--method {method.text}", "needs an axis", "add --axis FROM TO")
        raise ParameterError(
            f"--method {method.text}", f"needs {name}", f"such as: {method.text}:{name}=…"
        )


def in_dims(
    method: Method, projector: Any, table: EmbeddingTable, dims: Sequence[int]
) -> Sequence[Any]:
    """Return a projector once for each number of dimensions that it is to be drawn in."""
    if "n_components" in method.options:
        return [projector]
    if hasattr(projector, "in_dims"):
        found: Sequence[Any] = projector.in_dims(table, dims)
        return found
    if getattr(projector, "n_components", 3) < max(dims, default=0):
        return [replace(projector, n_components=d) for d in sorted(set(dims))]
    return [projector]
