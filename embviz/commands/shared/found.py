"""Where a source comes from that is not named on the command line, and what comes with it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from embviz.commands.shared.config import defaults_from, unknown_key
from embviz.commands.shared.settings import OUTPUTS, find_config
from embviz.commands.shared.source import FILE
from embviz.errors import LoadError, ParameterError, printable, shell_word
from embviz.loaders.reading import Reading

SWITCHES = (*(f.name for f in fields(Reading) if isinstance(f.default, bool)), "drop_nonfinite")
READ = ("source", *(f.name for f in fields(Reading)), "label_by", "drop_nonfinite")
"""What `neighbors` takes from the configuration file that names its source."""
F = TypeVar("F", bound=Callable[..., Any])
log = logging.getLogger("embviz")
_FOUND = "embviz.found"


@dataclass(frozen=True)
class FoundSource:
    """A source that was not named on the command line.

    Attributes:
        source: Its name, as seen from here.
        place: What named it: an environment variable, a configuration file, or this folder.
        file: That configuration file, if it was one.
        settings: What it says.
    """

    source: str
    place: str = ""
    file: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def setting(self, name: str) -> Any:
        """Return what the file says of an option, written with `_` or `-`, or None."""
        return self.settings.get(name, self.settings.get(name.replace("_", "-")))


def find_source(how: str, questions: Sequence[str] = ()) -> FoundSource:
    """Return the source where none is named on the command line.

    The order is `EMBVIZ_SOURCE`; `source` in the `embviz.toml` of this folder or one above it, or
    in the table `[tool.embviz]` of the `pyproject.toml` there; the one index in this folder, the
    one projector logdir in it.

    Args:
        how: How it is named on the command line.
        questions: What was taken for questions, one of which may have been meant as the source.

    Raises:
        ParameterError: If none of them names one.
        LoadError: If a configuration file has an unknown key.
    """
    if os.environ.get("EMBVIZ_SOURCE"):
        return FoundSource(os.environ["EMBVIZ_SOURCE"], "EMBVIZ_SOURCE")
    here = Path()
    folders = [here, *(Path(*[".."] * i) for i in range(1, len(Path.cwd().parents) + 1))]
    for folder in folders:
        config = find_config(folder)
        if config is not None:
            file, settings = config
            _check_keys(file, settings)
            if "source" in settings:
                _check_texts(file, settings)
                return FoundSource(settings["source"], str(file), file, settings)
    indexes = _folders_with(here, "embviz-index.json")
    logdirs = _folders_with(here, "projector_config.pbtxt")
    if len(indexes) == 1 or (not indexes and len(logdirs) == 1):
        return FoundSource(str((indexes or logdirs)[0]), "this folder")
    for question in questions:
        if os.path.lexists(question):
            raise ParameterError(
                "source",
                f"none is named, and {printable(question)} was taken for a question",
                f"to look in that file, write --source {shell_word(question)}",
            )
    why = "none is named"
    if indexes or logdirs:
        several = indexes or logdirs
        kind = "indexes" if indexes else "logdirs"
        names = [str(path) for path in several[:3]] + ["…"] * (len(several) > 3)
        why = f"{len(several)} {kind} are here ({', '.join(names)})"
    raise ParameterError(
        "source",
        why,
        f'name it {how}, in EMBVIZ_SOURCE, as source = "FILE" in embviz.toml, '
        "or run where one index or projector logdir lies",
    )


def _check_keys(path: Path, config: dict[str, Any]) -> None:
    """Refuse settings that no command knows.

    Raises:
        LoadError: Naming the first and what is written like it.
    """
    for key, item in config.items():
        unknown = None if key.replace("-", "_") in READ else unknown_key(key, item)
        if unknown is not None:
            raise LoadError(path, *unknown)


def _check_texts(path: Path, config: dict[str, Any]) -> None:
    """Refuse settings that name something and are no text, and switches that are not on or off.

    Raises:
        LoadError: Naming the setting.
    """
    for key, found in config.items():
        option = key.replace("-", "_")
        if option in SWITCHES and not isinstance(found, bool):
            raise LoadError(path, f"{key} = {found!r} is neither true nor false")
        if option in SWITCHES or option not in READ:
            continue
        if not isinstance(found, str) or not found:
            raise LoadError(path, f"{key} = {found!r} is no name", f'such as {key} = "NAME"')


def _folders_with(here: Path, name: str) -> list[Path]:
    """Return the folders that hold a file of a name: this one and those in it, but hidden ones."""
    found = [p.parent for p in [*here.glob(name), *here.glob(f"*/{name}")]]
    return sorted(p for p in found if not p.name.startswith("."))


def source_argument(function: F) -> F:
    """Add the argument SOURCE, which `embviz.toml` and the places of `neighbors` name else."""
    # Eager, so that the settings which come with the source are the defaults of what follows.
    argument = click.argument("source", type=FILE, required=False, is_eager=True, callback=_find)
    return argument(function)


def _find(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Find a source that is not named, and take the settings that stand beside it as defaults."""
    if value is not None or ctx.resilient_parsing:
        return value
    swallowed = ctx.params.get("clusters")
    if swallowed not in (None, "map", "none") and Path(swallowed).exists():
        name = printable(swallowed, 60)
        way = f"put SOURCE first, or write --clusters map {name}"
        raise ParameterError(f"--clusters {name}", "was taken for a column, and is a file", way)
    if ctx.params.get("config"):
        raise click.UsageError(f"{ctx.params['config']} names no source, and none is given", ctx)
    found = find_source("as SOURCE")
    if found.file is not None:
        ctx.default_map = defaults_from(ctx, str(found.file), found.settings)
    ctx.set_parameter_source("source", ParameterSource.DEFAULT_MAP)
    ctx.meta[_FOUND] = found
    return found.source


def settings_file(ctx: click.Context) -> str | None:
    """Return the file whose settings are in force: it was named, or found with the source."""
    if ctx.params.get("config"):
        return str(ctx.params["config"])
    found: FoundSource | None = ctx.meta.get(_FOUND)
    return str(found.file) if found is not None and found.file is not None else None


def _refuse_reach(path: Path, in_force: Mapping[str, Any]) -> None:
    """Refuse settings that reach out of a file that nobody named: code, and files elsewhere.

    Whoever runs a command in a folder of others does not mean to run their code, nor to write
    where they say.

    Args:
        path: The file.
        in_force: What it sets, by parameter, and nobody has typed.

    Raises:
        LoadError: Naming the first.
    """
    from embviz.projections.methods import imports_module

    for key in OUTPUTS:
        name = in_force.get(key)
        if name and not Path(name).resolve().is_relative_to(path.parent.resolve()):
            raise LoadError(
                path,
                f"{key} '{printable(name, 60)}' is outside the folder of this file, which was "
                "found and not named",
                f"name it with --config {path}, or the output itself",
            )
    scheduler = str(in_force.get("scheduler") or "")
    if scheduler and not scheduler.startswith("processes:"):
        raise LoadError(
            path,
            f"scheduler '{printable(scheduler, 60)}' would have others compute, in a file found "
            "here",
            f"name it with --config {path}, or the scheduler with --scheduler",
        )
    for text in in_force.get("methods", ()):
        if imports_module(str(text)):
            raise LoadError(
                path,
                f"method '{printable(str(text), 60)}' would import a module, in a file found here",
                f"name it with --config {path}, or the method with --method",
            )


def tell_settings(ctx: click.Context) -> None:
    """Say in one line what was not typed but found with a source that was not named.

    Raises:
        LoadError: If it would import a module, or write outside the folder of its file.
    """
    if _FOUND not in ctx.meta:
        return
    found: FoundSource = ctx.meta[_FOUND]
    in_force = {
        param: ctx.params[param.name or ""]
        for param in ctx.command.params
        if ctx.get_parameter_source(param.name or "") is ParameterSource.DEFAULT_MAP
    }
    if found.file is not None:
        _refuse_reach(found.file, {param.name or "": value for param, value in in_force.items()})
    said = [f"{max(p.opts, key=len).lstrip('-')} = {_told(v)}" for p, v in in_force.items()]
    log.info("%s: %s", found.place, ", ".join(said))


def _told(value: Any) -> str:
    several = isinstance(value, (tuple, list))
    return " ".join(map(_told, value)) if several else printable(str(value), 60)
