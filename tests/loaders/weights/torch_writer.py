"""Writes PyTorch files without PyTorch: a pickle by Python's own pickler, and a zip archive."""

from __future__ import annotations

import io
import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


class Name:
    """A class or function that is written by its name alone."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self) -> None:
        raise NotImplementedError


@dataclass(eq=False)
class Call:
    """What calling a name makes; with `new`, what its `__new__` makes."""

    by: Any
    args: tuple[Any, ...] = ()
    state: Any = None
    new: bool = False
    items: Any = None
    pairs: Any = None


@dataclass(eq=False)
class Storage:
    """A storage that the archive keeps."""

    kind: str
    key: str
    n_elements: int
    device: str = "cpu"
    module: str = "torch"


@dataclass(eq=False)
class Source:
    """A class whose source the older format kept."""

    by: Name


class _Pickler(pickle._Pickler):  # type: ignore[name-defined,misc]
    more: tuple[Any, ...] = ()
    dispatch = pickle._Pickler.dispatch.copy()  # type: ignore[attr-defined]

    def persistent_id(self, thing: Any) -> Any:
        if isinstance(thing, Source):
            return ("module", thing.by, "x.py", "class X: ...")
        if not isinstance(thing, Storage):
            return None
        kind = named(thing.module, thing.kind)
        return ("storage", kind, thing.key, thing.device, thing.n_elements, *self.more)

    def _save_name(self, thing: Name) -> None:
        if self.proto >= 4:
            self.save(thing.module)
            self.save(thing.name)
            self.write(pickle.STACK_GLOBAL)
        else:
            self.write(pickle.GLOBAL + f"{thing.module}\n{thing.name}\n".encode())
        self.memoize(thing)

    def _save_call(self, thing: Call) -> None:
        self.save(thing.by)
        self.save(thing.args)
        self.write(pickle.NEWOBJ if thing.new else pickle.REDUCE)
        self.memoize(thing)
        for item in thing.items or ():
            self.save(item)
            self.write(pickle.APPEND)
        for key, value in (thing.pairs or {}).items():
            self.save(key)
            self.save(value)
            self.write(pickle.SETITEM)
        if thing.state is not None:
            self.save(thing.state)
            self.write(pickle.BUILD)

    dispatch[Name] = _save_name
    dispatch[Call] = _save_call


_names: dict[tuple[str, str], Name] = {}


def named(module: str, text: str) -> Name:
    """Return the one object of a name, so that the pickle keeps it once."""
    return _names.setdefault((module, text), Name(module, text))


def dump(root: Any, protocol: int = 2, older: bool = False) -> bytes:
    out = io.BytesIO()
    pickler = _Pickler(out, protocol)
    pickler.more = (None,) if older else ()
    pickler.dump(root)
    return out.getvalue()


def tensor(
    storage: Storage,
    shape: tuple[int, ...],
    strides: tuple[int, ...] | None = None,
    offset: int = 0,
    *more: Any,
    by: str = "_rebuild_tensor_v2",
) -> Call:
    """What PyTorch pickles of a tensor; C order without strides."""
    if strides is None:
        strides = tuple(int(np.prod(shape[i + 1 :])) for i in range(len(shape)))
    ordered = Call(named("collections", "OrderedDict"))
    return Call(named("torch._utils", by), (storage, offset, shape, strides, False, ordered, *more))


def floats(*shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(5).normal(size=shape).astype("<f4")


def store(kind: str = "FloatStorage", n: int = 6, key: str = "0", **options: str) -> Storage:
    return Storage(kind, key, n, **options)


def write_zip(
    path: Path,
    root: Any,
    storages: dict[str, bytes],
    protocol: int = 2,
    method: int = zipfile.ZIP_STORED,
    **members: bytes,
) -> Path:
    """Write an archive as `torch.save` does."""
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("archive/data.pkl", dump(root, protocol))
        for member, content in members.items():
            archive.writestr(f"archive/{member}", content)
        for key, content in storages.items():
            archive.writestr(f"archive/data/{key}", content)
        archive.writestr("archive/version", b"3\n")
    return path


def write_older(path: Path, root: Any, storages: dict[str, np.ndarray[Any, Any]]) -> Path:
    """Write a file as PyTorch did before version 1.6."""
    about = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    parts = [dump(0x1950A86A20F9469CFC6C), dump(1001), dump(about), dump(root, older=True)]
    parts.append(dump(list(storages)))
    for array in storages.values():
        parts += [array.size.to_bytes(8, "little"), array.tobytes()]
    path.write_bytes(b"".join(parts))
    return path


def write_bin(path: Path, tensors: dict[str, np.ndarray[Any, Any]]) -> Path:
    """Write tensors of float32 by their names."""
    root, storages = {}, {}
    for key, (name, array) in enumerate(tensors.items()):
        root[name] = tensor(Storage("FloatStorage", str(key), array.size), array.shape)
        storages[str(key)] = array.tobytes()
    return write_zip(path, root, storages)
