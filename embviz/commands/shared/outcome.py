"""What a command did, as the one object that `--json` prints: `docs/json.md` has its schema."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click

from embviz.commands.shared.source import FILE
from embviz.commands.shared.terminal import end_progress, hear
from embviz.errors import OutputError, ParameterError
from embviz.outputs.files import is_standard_output, takes_bytes
from embviz.outputs.standard import check_standard_output, standard_bytes
from embviz.outputs.text import to_utf8

F = TypeVar("F", bound=Callable[..., Any])
VERSION = 1
_CHUNK = 1 << 20


def json_option(function: F) -> F:
    """Add `--json`."""
    help = "Print one JSON object of what was done"
    return click.option("--json", "as_json", is_flag=True, help=help)(function)


def summary_option(function: F) -> F:
    """Add `--summary`."""
    help = "Add the figures and what changed most to a file, as Markdown"
    return click.option("--summary", type=FILE, metavar="FILE", help=help)(function)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a command did.

    Attributes:
        command: Its name.
        sources: The tables that were read, as `source_entry` describes them.
        counts: How many points were read, left out, chosen and matched, by name.
        parameters: Options in force, by name.
        figures: What was measured, by name; None where it could not be.
        timings: Seconds of each stage, and `total`.
        files: What was written, as `file_entry` describes it.
        warnings: The lines that went to the standard error output before the files were written.
        more: What only this command has, by name.
    """

    command: str
    sources: Sequence[Mapping[str, Any]] = ()
    counts: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    files: Sequence[Mapping[str, Any]] = ()
    warnings: Sequence[str] = ()
    more: Mapping[str, Any] = field(default_factory=dict)

    def as_object(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        from embviz.report.blocks import plain

        own = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "more"}
        found: dict[str, Any] = plain({"version": VERSION, **own, **self.more})
        return found


class Account:
    """Keeps account of a command while it runs: how long its stages take, and what it says."""

    def __init__(self, wanted: bool) -> None:
        self.wanted = wanted
        """Whether an object is to be printed."""
        self._begun = time.monotonic()
        self._seconds: dict[str, float] = {}
        self._said: list[str] = []
        if wanted:
            check_standard_output()
            hear(self._said)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Count the time of a block to a stage."""
        begun = time.monotonic()
        try:
            yield
        finally:
            taken = time.monotonic() - begun
            self._seconds[stage] = self._seconds.get(stage, 0.0) + taken

    def stop_hearing(self) -> None:
        """Take what is said from now on for no warning: it says what the object has."""
        hear(None)

    def print(self, make: Callable[[], Outcome], written: Iterable[str | Path] = ()) -> None:
        """Print the object, if one is wanted.

        Args:
            make: Makes the outcome, all but its timings, files and warnings.
            written: The names of the files that were written, as they were typed.

        Raises:
            OutputError: If standard output takes no more, or a file that was written is gone.
        """
        if not self.wanted:
            return
        files = [file_entry(name) for name in written]
        timings = {**self._seconds, "total": time.monotonic() - self._begun}
        rounded = {stage: round(seconds, 6) for stage, seconds in timings.items()}
        outcome = dataclasses.replace(
            make(), timings=rounded, files=files, warnings=tuple(self._said)
        )
        print_object(outcome.as_object())


def begin_account(wanted: bool, outputs: Mapping[str, Any] | None = None) -> Account:
    """Begin to keep account of a command.

    Args:
        wanted: Whether `--json` was given.
        outputs: The files that the command writes, by the options that name them; None is none.

    Raises:
        ParameterError: If one of them is the standard output, which is to have the object.
        OutputError: If the standard output is closed.
    """
    for option, name in (outputs or {}).items() if wanted else ():
        if name and is_standard_output(Path(name)):
            raise ParameterError(
                f"{option} {name}", "the standard output has the object of --json", "name a file"
            )
    return Account(wanted)


def refuse_format(style: str | None, wanted: bool) -> None:
    """Refuse `--format` beside `--json`.

    Raises:
        ParameterError: If both are given.
    """
    if wanted and style is not None:
        raise ParameterError("--format", "cannot be combined with --json", "give one")


def print_object(found: Mapping[str, Any]) -> None:
    """Print plain JSON values on the standard output, as UTF-8 in every locale.

    Raises:
        OutputError: If standard output takes no more.
        BrokenPipeError: If its reader has gone.
    """
    text = json.dumps(found, ensure_ascii=False, allow_nan=False, indent=1, default=str)
    end_progress()
    with standard_bytes() as out:
        out.write(to_utf8(text + "\n"))


def source_entry(
    named: Sequence[str], tensor: str, shape: Sequence[int], dtype: object
) -> dict[str, Any]:
    """Return what is said of a table that was read.

    Args:
        named: What was named as its source, as it was typed.
        tensor: Its name there, "" where it has none.
        shape: Rows and columns, before any rows were left out.
        dtype: As it is stored.
    """
    return {"source": list(named), "tensor": tensor, "shape": list(shape), "dtype": str(dtype)}


def file_entry(name: str | Path) -> dict[str, Any]:
    """Return the name, the size and the SHA-256 of a file; of a pipe or device the name alone.

    Raises:
        OutputError: If it cannot be read.
    """
    path = Path(name)
    entry: dict[str, Any] = {"path": str(name), "bytes": None, "sha256": None}
    if takes_bytes(path):  # What went into it cannot be read again.
        return entry
    found, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while part := file.read(_CHUNK):
                found.update(part)
                size += len(part)
    except OSError as error:
        raise OutputError(path, f"cannot be read again: {error.strerror or error}") from error
    return {**entry, "bytes": size, "sha256": found.hexdigest()}


def list_files(folder: str | Path) -> list[str]:
    """Return the files in a folder and those in it, with its name before theirs, in order."""
    place = Path(folder)
    found = sorted(p.relative_to(place) for p in place.rglob("*") if p.is_file())
    return [os.path.join(str(folder), str(path)) for path in found]


def options_in_force(ctx: click.Context, **chosen: Any) -> dict[str, Any]:
    """Return the options of a command with their values, typed, set or by default.

    Args:
        ctx: Of the command.
        chosen: Values that were found out where an option left them open.
    """
    found: dict[str, Any] = {}
    for param in ctx.command.params:
        if isinstance(param, click.Argument) or param.name in ("as_json", None):
            continue
        value = ctx.params.get(param.name or "")
        if param.name in ("sprite_size", "tile_size") and value is not None:
            value = f"{value[0]}x{value[1]}"
        if param.name == "dims" and value is not None:
            value = list(map(int, value))
        found[option_name(param)] = value
    return {**found, **chosen}


def option_name(param: click.Parameter) -> str:
    """Return an option's longest name as a key: `color_by` for --color-by, `output` for -o."""
    longest = max(param.opts, key=len).lstrip("-").replace("-", "_")
    return longest if len(longest) > 1 else str(param.name)
