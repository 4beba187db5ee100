"""PyTorch files: the zip archives of `torch.save` and TorchScript, and the older format.

An archive has one folder, in it `data.pkl`, the storages as `data/0`, `data/1`, … and, since
version 2.1, `byteorder` (https://pytorch.org/docs/stable/notes/serialization.html). They are
stored uncompressed, so that they are mapped into memory. Nothing is unpickled.
"""

from __future__ import annotations

import zipfile
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError
from embviz.inputs import open_file
from embviz.loaders.bytes.zip_members import (
    MAGIC,
    check_member,
    data_offset,
    first_member,
    open_archive,
    open_member,
    read_into,
    verify_member,
)
from embviz.loaders.opened import Claim, Source, Start, Tensor
from embviz.loaders.reading import Reading
from embviz.loaders.refusals import describe_start
from embviz.loaders.weights import pytorch_legacy
from embviz.loaders.weights.features import with_features
from embviz.loaders.weights.pickle_machine import read_pickle
from embviz.loaders.weights.pickle_nodes import Dict, PickleError
from embviz.loaders.weights.pickled_tensors import find_tensors
from embviz.loaders.weights.pytorch_legacy import map_bytes, read_legacy
from embviz.loaders.weights.stored_tensors import AS_NPY, Piece, Store, as_tensors

MOST_PICKLE = 256 << 20
_PICKLE = "data.pkl"
_CONSTANTS = "constants.pkl"


class PytorchFormat:
    """Reads what `torch.save` and TorchScript wrote, by our own reading of the pickle in it."""

    name = "pytorch"

    def claim(self, start: Start) -> Claim | None:
        """Claim archives with a data.pkl in their folder, and the older format."""
        if start.kind != "file":
            return None
        if start.head.startswith(pytorch_legacy.MAGIC):
            return Claim.MAGIC
        if start.head.startswith(MAGIC):
            if first_member(start.head).endswith(b"/" + _PICKLE.encode()):
                return Claim.MAGIC
            if _has_pickle(start.path):
                return Claim.CONTENT
        return None

    def open(self, path: Path, reading: Reading) -> Source:
        """Read the pickle of a file, and where the storages lie; no value is read.

        Returns:
            Its tensors as `state_dict()` names them, behind the keys of the dictionaries and the
            places in the lists that they lie in. What an optimizer keeps is a slot, and a tensor
            of the same elements a duplicate.

        Raises:
            LoadError: If it is no PyTorch file, or damaged.
        """
        found = with_features(open_tensors(path), path.parent)
        return Source(path, found.tensors, is_model=True, files=found.files)


PYTORCH = PytorchFormat()


def open_tensors(path: Path) -> tuple[Tensor, ...]:
    """Return the tensors of a PyTorch file, in order.

    Raises:
        LoadError: If it is no PyTorch file, or damaged.
    """
    with open_file(path) as file:
        head = file.read(64)
    try:
        if head.startswith(pytorch_legacy.MAGIC):
            root, pieces = read_legacy(path)
            return as_tensors(Store(path, pieces), find_tensors(root, path.stem))
        if head.startswith(MAGIC):
            return _open_archive(path)
    except PickleError as error:
        raise LoadError(path, f"damaged: {error}", "fetch or write it again") from None
    if not head:
        raise LoadError(path, "0 bytes", "a PyTorch file is needed")
    raise LoadError(path, f"no PyTorch file: {describe_start(head)}", AS_NPY)


def _has_pickle(path: Path) -> bool:
    try:
        with open_archive(path) as archive:
            return any(_is_pickle(name) for name in archive.namelist())
    except LoadError:
        return False


def _is_pickle(name: str) -> bool:
    """Tell whether a member is the pickle of what was saved, in the one folder or in none."""
    return name.rpartition("/")[2] == _PICKLE and name.count("/") <= 1


def _open_archive(path: Path) -> tuple[Tensor, ...]:
    with open_archive(path) as archive:
        members = {info.filename: info for info in archive.infolist()}
    names = [name for name in members if _is_pickle(name)]
    if len(names) != 1:
        why = f"{len(names) or 'no'} members {_PICKLE} in a zip archive, a PyTorch file has one"
        raise LoadError(path, why, AS_NPY)
    folder = names[0].removesuffix(_PICKLE)
    big_endian = False
    if folder + "byteorder" in members:
        order = _read_member(path, members[folder + "byteorder"])
        if order not in (b"little", b"big"):
            raise LoadError(path, "damaged: neither little nor big is its byte order")
        big_endian = order == b"big"
    tensors: list[Tensor] = []
    for name in (folder + _PICKLE, folder + _CONSTANTS):
        if name in members:
            root, _ = read_pickle(_read_member(path, members[name]))
            of = name.removesuffix(".pkl") + "/"
            pieces = {
                other.removeprefix(of): _piece(path, info)
                for other, info in members.items()
                if other.startswith(of)
            }
            if name.endswith(_CONSTANTS):  # What TorchScript's code uses, by number.
                root = Dict([("constants", root)])
            tensors += as_tensors(Store(path, pieces, big_endian), find_tensors(root, path.stem))
    return tuple(tensors)


def _what(path: Path, info: zipfile.ZipInfo) -> str:
    return f"{path}: '{info.filename}'"


def _read_member(path: Path, info: zipfile.ZipInfo) -> bytes:
    """Read a whole member of bounded size."""
    what = _what(path, info)
    if info.file_size > MOST_PICKLE:
        raise LoadError(what, f"{info.file_size} bytes, more than {MOST_PICKLE} are not read")
    check_member(path, info, what)
    if not info.CRC and info.compress_type == zipfile.ZIP_STORED:
        with open_file(path) as raw:
            raw.seek(data_offset(path, info, what))
            return raw.read(info.file_size)
    with open_member(path, info, what) as file:
        return file.read(info.file_size)


def _piece(path: Path, info: zipfile.ZipInfo) -> Piece:
    stored = info.compress_type == zipfile.ZIP_STORED
    checked = stored and info.CRC != 0  # 0 where PyTorch was told to leave it out.
    verify = partial(verify_member, path, info, _what(path, info)) if checked else None
    return Piece(info.file_size, partial(_load, path, info), verify)


def _load(path: Path, info: zipfile.ZipInfo) -> NDArray[np.uint8]:
    """Map a member that is stored as it is, unpack another one."""
    what = _what(path, info)
    check_member(path, info, what)
    if info.compress_type == zipfile.ZIP_STORED:
        return map_bytes(path, data_offset(path, info, what), info.file_size)
    raw = np.empty(info.file_size, np.uint8)
    with open_member(path, info, what) as file:
        read_into(file, raw)
    return raw
