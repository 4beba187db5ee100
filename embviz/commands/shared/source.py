"""Options that several commands share, and where a source comes from when none is named."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from embviz.commands.shared.settings import CONFIG, read_config
from embviz.errors import LoadError, ParameterError

READ = ("source", "tensor", "metadata", "label_by")
"""What `neighbors` takes from the configuration file that names its source."""
F = TypeVar("F", bound=Callable[..., Any])


# The class takes a type only from click 8.2 on, and only for checkers.
if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType


class TileSize(_ParamType):
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


def method_option(*names: str) -> Callable[[F], F]:
    """Add the option that asks for projections."""
    return click.option(
        *names,
        "methods",
        metavar="METHOD",
        multiple=True,
        help="pca, tsne, umap, custom, none, an installed one, or package.module:Class; fields "
        "of it as umap:n_neighbors=30; may be given several times, the first is shown first",
    )


def find_source(named: str | None) -> tuple[str, dict[str, Any]]:
    """Return the source to ask, and the settings of the `embviz.toml` that named it.

    The order is `--source`, `EMBVIZ_SOURCE`, `source` in the `embviz.toml` of this folder or one
    above it, the one index in this folder, the one projector logdir in it.

    Raises:
        LoadError: If none of them names one, or a configuration file has an unknown key.
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
            _check_keys(folder / CONFIG, config)
            if "source" in config:
                _check_texts(folder / CONFIG, config)
                return config["source"], config
    indexes = _folders_with(here, "embviz-index.json")
    logdirs = _folders_with(here, "projector_config.pbtxt")
    if len(indexes) == 1 or (not indexes and len(logdirs) == 1):
        return str((indexes or logdirs)[0]), {}
    why = "none is named"
    if indexes or logdirs:
        several = indexes or logdirs
        kind = "indexes" if indexes else "logdirs"
        names = [str(path) for path in several[:3]] + ["…"] * (len(several) > 3)
        why = f"{len(several)} {kind} are here ({', '.join(names)})"
    raise LoadError(
        "source",
        why,
        'name it with --source FILE, in EMBVIZ_SOURCE, as source = "FILE" in embviz.toml, '
        "or run where one index or projector logdir lies",
    )


def _check_keys(path: Path, config: dict[str, Any]) -> None:
    """Refuse settings that no command knows.

    Raises:
        LoadError: Naming the first and what is written like it.
    """
    others = [key for key in config if key.replace("-", "_") not in READ]
    if not others:
        return
    # The commands are imported to be asked, which takes longer than some answers.
    from embviz.commands.shared.config import unknown_key

    for key in others:
        unknown = unknown_key(key, config[key])
        if unknown is not None:
            raise LoadError(path, *unknown)


def _check_texts(path: Path, config: dict[str, Any]) -> None:
    """Refuse settings that name something and are no text.

    Raises:
        LoadError: Naming the setting.
    """
    for key in READ:
        found = config.get(key, "a text")
        if not isinstance(found, str) or not found:
            raise LoadError(path, f"{key} = {found!r} is no name", f'such as {key} = "NAME"')


def _folders_with(here: Path, name: str) -> list[Path]:
    """Return the folders that hold a file of a name: this one and those in it, but hidden ones."""
    found = [p.parent for p in [*here.glob(name), *here.glob(f"*/{name}")]]
    return sorted(p for p in found if not p.name.startswith("."))


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
            raise ParameterError(
                output, f"would overwrite the {what}", "name another file after -o"
            )
