"""Formats by name, those of other packages among them, and which of them reads a path."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embviz.errors import LoadError, ParameterError
from embviz.loaders.opened import Claim, Format, Source, Start, read_start
from embviz.loaders.reading import AS_IT_IS, OF_SOME_FORMATS, Reading

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINTS = "embviz.loaders"


@dataclass(frozen=True)
class _BuiltIn:
    """A format of this package, whose module is imported when it is asked of a kind it may be."""

    name: str
    module: str
    kinds: tuple[str, ...]

    def _format(self) -> Format:
        found: Format = getattr(import_module(f"embviz.loaders.{self.module}"), self.name.upper())
        return found

    @property
    def takes(self) -> tuple[str, ...]:
        return options_of(self._format())

    def claim(self, start: Start) -> Claim | None:
        return self._format().claim(start) if start.kind in self.kinds else None

    def open(self, path: Path, reading: Reading) -> Source:
        return self._format().open(path, reading)


FORMATS: dict[str, Format] = {
    name: _BuiltIn(name, module, tuple(kinds.split()))
    for name, module, kinds in (
        ("npy", "arrays.npy", "file"),
        ("npz", "arrays.npz", "file"),
        ("safetensors", "weights.safetensors", "file"),
        ("pytorch", "weights.pytorch", "file"),
        ("gguf", "weights.gguf", "file folder"),
        ("onnx", "weights.onnx", "file"),
        ("checkpoint", "checkpoint.checkpoint", "file folder missing"),
        ("index", "indexes.folder", "folder"),
        ("logdir", "projector.logdir", "file folder"),
        ("parquet", "tables.parquet", "file folder"),
        ("arrow", "tables.arrow", "file folder"),
        ("arrays", "arrays.folder", "folder"),
        ("faiss", "indexes.faiss_file", "file"),
        ("fasttext", "words.fasttext", "file"),
        ("word2vec_binary", "words.word2vec_binary", "file"),
        ("sparse_autoencoder", "weights.sparse_autoencoder", "folder"),
        ("hugging_face", "weights.hugging_face", "file folder"),
        ("json", "text.json_table", "file"),
        ("hdf5", "hdf5.hdf5", "file"),
        ("zarr", "arrays.zarr_folder", "folder"),
        ("word2vec", "text.tables", "file"),
        ("glove", "text.tables", "file"),
        ("tsv", "text.tables", "file"),
        ("csv", "text.tables", "file"),
    )
}
"""The formats of this package by the name that `--input-format` takes."""


@dataclass(frozen=True)
class PlugIn:
    """A format of another package; `fault` says why it cannot be used, "" where it can."""

    name: str
    package: str
    format: Format | None = None
    fault: str = ""

    def describe(self) -> str:
        """Say which it is, and what is wrong with it."""
        return f"the loader '{self.name}' of {self.package}" + (
            f" is broken ({self.fault})" if self.fault else ""
        )

    def claim(self, start: Start) -> Claim | None:
        """Ask the format.

        Raises:
            PlugInError: If it fails, or answers something else.
        """
        assert self.format is not None
        try:
            claim = self.format.claim(start)
        except Exception as error:
            raise PlugInError(_failure(error)) from error
        if claim is not None and not isinstance(claim, Claim):
            raise PlugInError(f"claim returned {claim!r:.40} and no Claim")
        return claim

    def open(self, path: Path, reading: Reading) -> Source:
        """Open a path by the format; what is wrong with the plug-in itself is one line."""
        if self.format is None:
            raise LoadError(path, f"{self.describe()}", "mend or remove that package")
        try:
            source = self.format.open(path, reading)
        except ImportError as error:
            raise LoadError(path, f"{self.describe()} needs what is not there: {error}") from error
        if not isinstance(source, Source):
            raise LoadError(path, f"{self.describe()} returned {source!r:.40} and no Source")
        return source


class PlugInError(Exception):
    """What is wrong with a format of another package, in a few words."""


@lru_cache(maxsize=1)
def plug_ins() -> tuple[PlugIn, ...]:
    """Return the formats that other packages offer under `embviz.loaders`, found once."""
    from importlib.metadata import entry_points

    found: list[PlugIn] = []
    for entry in entry_points(group=ENTRY_POINTS):
        taken = {*FORMATS, *(plug_in.name for plug_in in found)}
        found.append(_plug_in(entry, taken))
    return tuple(found)


def _plug_in(entry: EntryPoint, taken: set[str]) -> PlugIn:
    package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
    if entry.name in taken:
        return PlugIn(entry.name, package, fault="there is another format of that name")
    try:
        loaded: Any = entry.load()
        if isinstance(loaded, type):
            loaded = loaded()
    except Exception as error:
        return PlugIn(entry.name, package, fault=_failure(error))
    missing = [name for name in ("claim", "open") if not callable(getattr(loaded, name, None))]
    if missing:
        return PlugIn(entry.name, package, fault=f"it has no function {' or '.join(missing)}")
    return PlugIn(entry.name, package, loaded)


def _failure(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def open_path(path: Path, reading: Reading = AS_IT_IS) -> Source:
    """Open a path by the format of a name, or by the one that claims it most surely.

    Raises:
        LoadError: If it is missing or damaged, no format claims it or several do alike.
        ParameterError: If there is no such format, or it does not take an option.
    """
    with telling(path):
        format = find_format(path, reading.input_format)
        _check_options(path, format, reading)
        return format.open(path, reading)


def options_of(format: object) -> tuple[str, ...]:
    """Return the fields of `Reading` that a format takes beyond those that all take."""
    return tuple(getattr(format, "takes", ()))


def _check_options(path: Path, format: Format | PlugIn, reading: Reading) -> None:
    """Refuse an option that would be passed over.

    Raises:
        ParameterError: Naming the format.
    """
    of = format.format if isinstance(format, PlugIn) else format
    for field, option in OF_SOME_FORMATS.items():
        if getattr(reading, field) != getattr(AS_IT_IS, field) and field not in options_of(of):
            raise ParameterError(
                option,
                f"{path} is read as {format.name}, which has no such columns",
                "leave it out",
            )


def find_format(path: Path, input_format: str | None = None) -> Format | PlugIn:
    """Return the format of a name, or the one that claims a path most surely.

    All formats are asked; of this package's only until one finds a mark of its own, since no two
    have the same.

    Raises:
        LoadError: If it does not exist, no format claims it or several do alike.
        ParameterError: If there is no such format.
    """
    if input_format is not None:
        return _named(path, input_format)
    with telling(path):
        start = read_start(path)
        claims: dict[str, Claim] = {}
        for name, format in FORMATS.items():
            claim = format.claim(start)
            if claim is not None:
                claims[name] = claim
            if claim == Claim.MAGIC:
                break
        broken = _ask_plug_ins(start, claims)
        if not claims:
            check_exists(path)
            raise _refusal(start, broken)
    best = max(claims.values())
    first, *others = [name for name, claim in claims.items() if claim == best]
    if others:
        names = [first, *others]
        options = " or ".join(f"--input-format {name}" for name in names)
        raise LoadError(path, f"may be {' and '.join(names)} alike", f"choose by {options}")
    return _all_formats()[first]


def _all_formats() -> dict[str, Format | PlugIn]:
    usable = {p.name: p for p in plug_ins() if p.name not in FORMATS}
    return {**FORMATS, **usable}


def _ask_plug_ins(start: Start, claims: dict[str, Claim]) -> list[PlugIn]:
    """Add the claims of other packages' formats; return those that cannot be asked."""
    broken = []
    for plug_in in plug_ins():
        if plug_in.fault:
            broken.append(plug_in)
            continue
        try:
            claim = plug_in.claim(start)
        except PlugInError as error:
            broken.append(PlugIn(plug_in.name, plug_in.package, fault=str(error)))
            continue
        if claim is not None:
            claims[plug_in.name] = claim
    return broken


def _refusal(start: Start, broken: list[PlugIn]) -> LoadError:
    """Return what is said of a path that nobody claims, and which formats could not be asked."""
    from embviz.loaders.refusals import refuse

    error = refuse(start)
    if not broken:
        return error
    faults = "; ".join(plug_in.describe() for plug_in in broken)
    way_out = f"{error.way_out}; {faults}" if error.way_out else faults
    return LoadError(error.what, error.why, way_out)


def _named(path: Path, name: str) -> Format | PlugIn:
    found = FORMATS.get(name) or _all_formats().get(name)
    if found is None:
        names = ", ".join(_all_formats())
        raise ParameterError(f"--input-format '{name}'", "no such format", f"one of {names}")
    # The prefix of a checkpoint is a source and no file, and a plug-in may have such too.
    if name in FORMATS and name != "checkpoint":
        check_exists(path)
    return found


def check_exists(path: Path) -> None:
    """Refuse a path where nothing is, or a link that leads nowhere.

    Raises:
        LoadError: Which of these it is.
    """
    if "\0" in str(path):
        raise LoadError(path, "not a path")
    try:
        if os.path.lexists(path) and not path.exists():
            if path.is_symlink():
                target = os.readlink(path)
                raise LoadError(path, f"a link to {target}, which does not exist")
            raise LoadError(path, "cannot be read (permission denied)")
        if path.exists():
            return
    except (OSError, ValueError) as e:
        reason = getattr(e, "strerror", None) or "not a path"
        raise LoadError(path, f"cannot be read ({reason})") from None
    way_out = ""
    with suppress(OSError, ValueError, NotImplementedError):
        if set("*?[") & set(path.name) and any(path.parent.glob(path.name)):
            way_out = "a shell puts the files in its place where it is not in quotes"
    raise LoadError(path, "no such file or folder", way_out)


@contextmanager
def telling(path: Path) -> Iterator[None]:
    """Turn what the system refuses into a LoadError that names the file."""
    try:
        yield
    except OSError as e:
        if e.filename is not None or e.errno is not None:
            raise LoadError(path, f"cannot be read ({e.strerror or e})") from None
        raise
    except ValueError as e:
        if "embedded null" in str(e):
            raise LoadError(path, "not a path") from None
        raise
