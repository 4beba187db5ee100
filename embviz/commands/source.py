"""Options that several commands share, and where a source comes from when none is named."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from embviz.errors import LoadError, ParameterError

CONFIG = "embviz.toml"
F = TypeVar("F", bound=Callable[..., Any])


class TileSize(click.ParamType):
    """WIDTHxHEIGHT in pixels, such as 28x28."""

    name = "WxH"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        found = re.fullmatch(r"([1-9]\d{0,4})[x×]([1-9]\d{0,4})", str(value).strip().lower())
        if not found:
            self.fail(f"'{value}' is not WIDTHxHEIGHT in pixels, such as 28x28", param, ctx)
        return int(found[1]), int(found[2])


def table_options(function: F) -> F:
    """Add the options that say how a source is read."""
    options = [
        click.option("--tensor", metavar="NAME", help="The tensor in a source that has several"),
        click.option("--metadata", metavar="FILE", help="Labels: a TSV with a row for each point"),
        click.option(
            "--input-format", metavar="NAME", help="Read the source as this, such as tsv or npy"
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def read_config(path: Path) -> dict[str, Any]:
    """Read an `embviz.toml`; file names in it are relative to its folder.

    Raises:
        LoadError: If it cannot be read or is not TOML.
    """
    try:
        with path.open("rb") as file:
            found = tomllib.load(file)
    except OSError as error:
        raise LoadError(path, f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LoadError(path, f"is not TOML: {error}") from error
    for key in ("source", "metadata", "sprite"):
        if isinstance(found.get(key), str):
            named = Path(found[key])
            if not named.is_absolute() and path.parent != Path():
                named = path.parent / named
            found[key] = str(named)
    return found


def find_source(named: str | None) -> tuple[str, dict[str, Any]]:
    """Return the source to ask, and the settings of the `embviz.toml` that named it.

    The order is `--source`, `EMBVIZ_SOURCE`, `source` in the `embviz.toml` of this folder or one
    above it, the one projector logdir in this folder.

    Raises:
        LoadError: If none of them names one.
    """
    if named:
        return named, {}
    if os.environ.get("EMBVIZ_SOURCE"):
        return os.environ["EMBVIZ_SOURCE"], {}
    here = Path()
    folders = [here, *(Path(*[".."] * i) for i in range(1, len(Path.cwd().parents) + 1))]
    for folder in folders:
        if (folder / CONFIG).is_file():
            config = read_config(folder / CONFIG)
            if isinstance(config.get("source"), str):
                return config["source"], config
            break
    logdirs = [p.parent for p in [*here.glob("projector_config.pbtxt"), *here.glob("*/projector_config.pbtxt")]]
    if len(logdirs) == 1:
        return str(logdirs[0]), {}
    why = "none is named" if not logdirs else f"{len(logdirs)} logdirs are here"
    raise LoadError(
        "source",
        why,
        "name it with --source FILE, in EMBVIZ_SOURCE, as source = \"FILE\" in embviz.toml, "
        "or run where one projector logdir lies",
    )


def refuse_overwriting(output: Path, inputs: dict[str, str | None]) -> None:
    """Refuse an output that is one of the inputs.

    Raises:
        ParameterError: Naming the input.
    """
    for what, name in inputs.items():
        if name is None:
            continue
        try:
            same = output.exists() and Path(name).exists() and output.samefile(name)
        except OSError:
            same = False
        if same:
            raise ParameterError(output, f"would overwrite the {what}", "name another file after -o")
