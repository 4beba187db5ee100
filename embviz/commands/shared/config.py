"""Settings in a TOML file, which are the defaults of a command's options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import click

from embviz.commands.shared.settings import CONFIG, PROJECT, TABLE, read_config
from embviz.commands.shared.source import FILE, Values
from embviz.errors import LoadError

COMMANDS = ("project", "sprite", "export")
"""The commands that take settings: of the file's top level, and of the table of their name."""

F = TypeVar("F", bound=Callable[..., Any])


def config_option(function: F) -> F:
    """Add `--config` to a command that stands in `COMMANDS`."""
    option = click.option(
        "--config",
        type=FILE,
        metavar="FILE",
        is_eager=True,
        callback=_apply,
        help=f"Take defaults from {CONFIG}, or {TABLE} of {PROJECT}",
    )
    return option(function)


def _apply(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Take the defaults of the other options from a TOML file."""
    if value is not None:
        ctx.default_map = defaults_from(ctx, value, read_config(Path(value)))
    return value


def defaults_from(ctx: click.Context, value: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the settings of a file give a command.

    Raises:
        LoadError: If one is no option, or has a value that the option does not take.
    """
    own = _options(ctx.command)
    defaults: dict[str, Any] = {}
    table: dict[str, Any] = {}
    for key, item in settings.items():
        if _is_table(item):
            if key not in COMMANDS or isinstance(item, list):
                raise LoadError(value, f"[{key}] is none of {_tables()}")
            if key == ctx.command.name:
                table = item
        elif _plain(key) in own:
            taken = own[_plain(key)]
            defaults[str(taken.name)] = _shape(taken, item, (value, key), ctx)
        elif not _is_known(key):
            raise LoadError(value, f"'{key}' is no option of embviz {ctx.info_name}")
    for key, item in table.items():
        if _plain(key) not in own:
            raise LoadError(value, f"'{key}' is no option of embviz {ctx.info_name}")
        taken = own[_plain(key)]
        defaults[str(taken.name)] = _shape(taken, item, (value, key), ctx)
    return defaults


def unknown_key(key: str, item: Any) -> tuple[str, str] | None:
    """Return why a key of the top level means nothing to any command, and a way out, else None."""
    import difflib

    if _is_table(item):
        known = key in COMMANDS and isinstance(item, dict)
        return None if known else (f"[{key}] is none of {_tables()}", "")
    if _is_known(key):
        return None
    names = {name for command in COMMANDS for name in _options(_command(command))}
    close = difflib.get_close_matches(_plain(key), sorted(names), 1)
    return f"'{key}' is no option", f"close to it: {close[0]}" if close else ""


def _is_table(item: Any) -> bool:
    """Tell whether a value of the file is a table, or a list of them."""
    return isinstance(item, dict) or (
        isinstance(item, list) and any(isinstance(value, dict) for value in item)
    )


def _tables() -> str:
    return "the tables " + ", ".join(f"[{name}]" for name in COMMANDS)


def _command(name: str) -> click.Command:
    command: click.Command = getattr(import_module(f"embviz.commands.{name}"), name)
    return command


def _plain(key: str) -> str:
    return key.replace("_", "-")


def _options(command: click.Command) -> dict[str, click.Parameter]:
    """Return what can be set by its names: options as they are typed, and `output` for -o."""
    found: dict[str, click.Parameter] = {}
    for param in command.params:
        names = [opt.lstrip("-") for opt in param.opts]
        if all(len(name) == 1 for name in names):
            names.append(str(param.name))
        found |= {_plain(name): param for name in names}
    found.pop("config", None)
    return found


def _is_known(key: str) -> bool:
    """Tell whether a key of the top level is an option of another command."""
    return any(_plain(key) in _options(_command(name)) for name in COMMANDS)


def _shape(param: click.Parameter, item: Any, what: tuple[str, str], ctx: click.Context) -> Any:
    """Return a value as click wants it: a list where the option may be given several times.

    Args:
        param: The option.
        item: The value as it stands in the file.
        what: The file and the key.
        ctx: Of the command.

    Raises:
        LoadError: If it is a list or table where one value is meant, or no value of the option.
    """
    path, key = what
    several = isinstance(param, click.Option) and param.multiple
    values = item if isinstance(item, list) else [item]
    nested = any(isinstance(value, list) for value in values)
    if several and param.nargs > 1:
        wanted = f"lists of {param.nargs} values"
        values = values if nested else [values]
        fits = all(isinstance(value, list) and len(value) == param.nargs for value in values)
    elif several or param.nargs == -1:
        fits, wanted = not nested, "one value or a list of them"
    elif param.nargs > 1:
        fits = isinstance(item, list) and not nested and len(item) == param.nargs
        wanted = f"a list of {param.nargs} values"
    elif isinstance(param.type, Values):
        fits = not nested and not any(isinstance(value, bool) for value in values)
        wanted = "a number or a list of numbers"
    else:
        fits, wanted = not isinstance(item, list), "one value"
    if any(isinstance(value, dict) for value in values):
        fits = False
    # click would cut a fraction, and take true for 1.
    if param.type is click.INT and any(isinstance(value, (float, bool)) for value in values):
        fits, wanted = False, "a whole number"
    if param.type is click.FLOAT and any(isinstance(value, bool) for value in values):
        fits, wanted = False, "a number"
    if not fits:
        raise LoadError(path, f"'{key}' is to be {wanted}")
    taken = values if several or param.nargs != 1 else item
    try:
        param.type_cast_value(ctx, taken)
    except click.BadParameter as error:
        raise LoadError(path, f"'{key}': {error.message.rstrip('.')}") from None
    return taken
