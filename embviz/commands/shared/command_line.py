"""The command line that makes a report again, as the report shows it."""

from __future__ import annotations

from pathlib import PurePath, PureWindowsPath
from typing import Any

import click
from click.core import ParameterSource

from embviz.commands.shared.settings import FILES
from embviz.commands.shared.source import Values
from embviz.errors import shell_line

_GIVEN = (ParameterSource.COMMANDLINE, ParameterSource.DEFAULT_MAP, ParameterSource.ENVIRONMENT)

_LEFT_OUT = ("config", "opens", "as_json", "summary", "fail_if", "scheduler")
"""What the file does not depend on."""


def shown_command(ctx: click.Context) -> str:
    """Return the command line of a context, with what was given and no absolute path.

    Settings of a configuration file stand in it as options, so that it works without the file.
    """
    words = ["embviz", ctx.info_name or ""]
    tail: list[str] = []
    for param in ctx.command.params:
        name = param.name or ""
        value = ctx.params.get(name)
        if ctx.get_parameter_source(name) not in _GIVEN or value is None or name in _LEFT_OUT:
            continue
        if isinstance(param, click.Argument):
            if isinstance(value, tuple):
                tail += [_shown(param, item) for item in value]
                continue
            text = _shown(param, value)
            tail += ["--", text] if text.startswith("-") and text != "-" else [text]
            continue
        option = max(param.opts, key=len)
        values = list(value) if param.multiple else [value]
        for item in values:
            words += _option(option, param, item)
    return shell_line([*words, *tail])


def _option(option: str, param: click.Parameter, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [option] if value else []
    if param.name == "sprite_size":
        return [option, f"{value[0]}x{value[1]}"]
    if isinstance(param.type, Values):
        from embviz.pictures.series import show_values

        return [option, show_values(value)]
    if isinstance(value, tuple):
        return [option, *(str(item) for item in value)]
    return [option, _shown(param, value)]


def _shown(param: click.Parameter, value: Any) -> str:
    text = str(value)
    names = {opt.lstrip("-").replace("-", "_") for opt in param.opts}
    if names & FILES and (PurePath(text).is_absolute() or PureWindowsPath(text).is_absolute()):
        return PureWindowsPath(text).name if "\\" in text else PurePath(text).name
    return text
