"""What a shell completes behind an option: tensors and columns of the source that was typed."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from embviz.errors import EmbvizError
from embviz.loaders.reading import Reading

if TYPE_CHECKING:
    from embviz.loaders.opened import Source

_MOST_READ = 64_000_000
"""Bytes of a table whose rows are only known by reading it; beyond, completion would wait."""
_PLAIN = re.compile(r"[\w@%+:,./][\w@%+=:,./-]*")
"""What no shell reads as anything but text. Shells put a completed word into the line as it is, so
that a column named `$(…)` would be run."""


def complete_tensor(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the names of a source's tensors, with their shapes as help."""

    def names() -> Iterable[CompletionItem]:
        opened, _ = _opened(ctx, second=param.name == "tensor_b")
        return [
            CompletionItem(t.name, help=t.describe().removeprefix(t.name).strip(" ()"))
            for t in opened.tensors
            if t.is_table
        ]

    return _offered(names, incomplete)


def complete_column(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the names of the metadata columns of a source."""

    def names() -> Iterable[CompletionItem]:
        from embviz.loaders import choose_tensor, open_columns

        opened, reading = _opened(ctx)
        tensor = choose_tensor(opened, reading.tensor)
        if callable(tensor.sides) and sum(map(_size, (opened.path, *opened.files))) > _MOST_READ:
            return []
        columns = open_columns(opened, tensor, tensor.shape[0], reading)
        return [CompletionItem(name) for name in columns.names] if columns is not None else []

    return _offered(names, incomplete)


def complete_method(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the names of the projectors that are installed."""
    from embviz.projections import PROJECTORS

    return _offered(lambda: [CompletionItem(name) for name in PROJECTORS], incomplete)


def complete_format(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the names of the formats that can be read."""
    from embviz.loaders.formats import FORMATS

    return _offered(lambda: [CompletionItem(name) for name in FORMATS], incomplete)


def _offered(names: Callable[[], Iterable[CompletionItem]], begun: str) -> list[CompletionItem]:
    """Return those that begin as typed; none where the source cannot be read, in silence."""
    logger = logging.getLogger("embviz")
    logger.disabled = True  # A line between the letters that are typed helps nobody.
    try:
        found = list(names())
    except (EmbvizError, OSError):
        return []
    finally:
        logger.disabled = False
    return [item for item in found if item.value.startswith(begun) and _PLAIN.fullmatch(item.value)]


def _opened(ctx: click.Context, second: bool = False) -> tuple[Source, Reading]:
    """Open the source that is typed so far, else the one that would be found.

    Raises:
        LoadError, ParameterError: If there is none, or it cannot be read.
    """
    from embviz.commands.shared.requests import take
    from embviz.loaders import open_source

    given = {name: value for name, value in ctx.params.items() if value is not None}
    reading = take(Reading, given)
    source = _sources(ctx)
    if any(param.name == "b" for param in ctx.command.params):
        source = source[1:2] if second else source[:1]
    if not source:
        from embviz.commands.shared.found import find_source

        found = find_source("as SOURCE")
        known = {k: found.setting(k) for k in ("tensor", "metadata") if k not in given}
        reading = replace(reading, **{k: v for k, v in known.items() if v is not None})
        source = [found.source]
    return open_source(source, reading), reading


def _sources(ctx: click.Context) -> list[str]:
    """Return the sources that are typed: by option, or as arguments, which click leaves in args."""
    typed = ctx.params.get("sources") or ctx.params.get("source") or ()
    if any(isinstance(p, click.Option) and p.name == "sources" for p in ctx.command.params):
        return [typed] if isinstance(typed, str) else [*typed]
    names: list[Any] = [typed] if isinstance(typed, str) else [*typed]
    names += [*(ctx.params.get("more") or ())]
    return [str(name) for name in names or ctx.args]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
