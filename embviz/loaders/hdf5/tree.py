"""The objects of an HDF5 file: groups, data sets and attributes, read without their content.

https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html. The structure is read by
pyfive, in Python: the C library can loop for ever on a damaged file. Numbers are read by `rows`.
"""

from __future__ import annotations

import io
import logging
import math
import struct
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from embviz.errors import LoadError
from embviz.inputs import map_file, open_file
from embviz.loaders.extras import first_line
from embviz.loaders.hdf5.types import (
    RecordType,
    UnreadTypeError,
    is_records,
    odd_number,
    read_records,
    type_bytes,
)

MAGIC = b"\x89HDF\r\n\x1a\n"
_MOST_READS = 500_000
MOST_OBJECTS = 20_000
MOST_DEPTH = 32
_LINK, _EXTERNAL_FILES, _EXTERNAL_LINK = 6, 7, 64
_VIRTUAL = 3
_FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32"}
_OTHER_FILTERS = {
    4: "szip", 5: "nbit", 6: "scaleoffset", 32000: "LZF", 32001: "Blosc", 32004: "LZ4",
    32008: "bitshuffle", 32013: "ZFP", 32015: "Zstandard", 32026: "Blosc2",
}  # fmt: skip
# What pyfive raises about bytes that are not what they should be; see `_is_of_pyfive`.
FAILURES = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError,
    NotImplementedError, OSError, RecursionError, RuntimeError, TypeError, ValueError,
    struct.error,
)  # fmt: skip


class Window:
    """Some bytes of a file as a file of their own, never read behind their end.

    Args:
        path: The file.
        start: The first byte.
        size: How many there are.
    """

    closed = False

    def __init__(self, path: Path, start: int = 0, size: int | None = None) -> None:
        self.path, self.start = str(path), start
        self.size = path.stat().st_size - start if size is None else size
        self._file: Any = open_file(path)
        self._at = self._n_reads = 0

    def read(self, n_bytes: int = -1) -> bytes:
        """Return the next bytes, fewer at the end.

        Raises:
            LoadError: If more is read than structure can ask for, as of one that goes in circles.
        """
        self._n_reads += 1
        if self._n_reads > _MOST_READS:
            raise LoadError(self.path, "damaged: its structure has no end", "fetch it again")
        left = max(0, self.size - self._at)
        n_bytes = left if n_bytes < 0 else min(n_bytes, left)
        self._file.seek(self.start + self._at)
        raw: bytes = self._file.read(n_bytes)
        self._at += len(raw)
        return raw

    def seek(self, offset: int, whence: int = 0) -> int:
        start = (0, self._at, self.size)[whence]
        self._at = max(0, start + int(offset))
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        self._file.close()

    def __del__(self) -> None:
        self._file.close()


@dataclass(frozen=True)
class Known:
    """The shape and type of values that are read elsewhere."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


@dataclass(frozen=True, eq=False)
class Node:
    """A data set.

    Attributes:
        name: Its path in the file, without a leading /.
        data: pyfive's data set; None where it could not be opened.
        attributes: Its attributes.
        refusal: Why its numbers cannot be read, a reason and a way out.
        read: Returns its values as an array or `Rows`, where another format has them.
    """

    name: str
    data: Any
    attributes: Mapping[str, Any] = field(default_factory=dict)
    refusal: tuple[str, str] | None = None
    read: Callable[[], Any] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return () if self.data is None else tuple(int(n) for n in self.data.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        found: np.dtype[Any] = np.dtype("O") if self.data is None else self.data.dtype
        named = self.attributes.get("dtype")
        named = named if isinstance(named, str | bytes) else ""
        if found.str[1:] == "V2" and named in ("bfloat16", b"bfloat16"):  # As Keras says it.
            import ml_dtypes

            found = np.dtype(ml_dtypes.bfloat16)
        return found


@dataclass(frozen=True, eq=False)
class Tree:
    """What is in an HDF5 file, or in a folder of the same order of things.

    Attributes:
        path: The file.
        what: The file, or the member of an archive, as it is named to the user.
        groups: The attributes of each group by its path; the root is "".
        nodes: The data sets by their paths, in the file's order.
        refused: Why some groups could not be read, by their paths.
        source: The bytes of a file.
        base: Where addresses in it begin to count, behind a user block.
    """

    path: Path
    what: str
    groups: Mapping[str, Mapping[str, Any]]
    nodes: Mapping[str, Node]
    refused: Mapping[str, tuple[str, str]]
    source: Window | io.BytesIO | None = None
    base: int = 0

    @property
    def size(self) -> int:
        """The bytes behind the base."""
        found = self.source
        assert found is not None
        return (found.size if isinstance(found, Window) else found.getbuffer().nbytes) - self.base

    def piece(self, dtype: np.dtype[Any], shape: tuple[int, ...], start: int) -> Any:
        """Return values that lie in one piece: mapped, or a view of what is in memory.

        Raises:
            LoadError: If they end behind the end of the file.
        """
        n_bytes = math.prod(shape) * dtype.itemsize
        if start < 0 or start + n_bytes > self.size:
            raise LoadError(self.what, f"cut off: {n_bytes} bytes from {start} on are needed")
        if n_bytes == 0:
            return np.empty(shape, dtype)
        found = self.source
        if isinstance(found, Window):
            return map_file(Path(found.path), dtype, found.start + self.base + start, shape)
        assert found is not None
        raw = found.getbuffer()
        return np.frombuffer(raw, dtype, math.prod(shape), self.base + start).reshape(shape)


def read_tree(path: Path, what: str, source: Any) -> Tree:
    """Read the structure of an HDF5 file.

    Args:
        path: The file.
        what: The file or the archive's member, as it is named to the user.
        source: Its bytes, a `Window` or what is unpacked in memory.

    Raises:
        LoadError: If it is damaged, or of more objects than are read.
    """
    import pyfive

    groups: dict[str, Mapping[str, Any]] = {}
    nodes: dict[str, Node] = {}
    refused: dict[str, tuple[str, str]] = {}
    with reading_hdf5(what):
        root = pyfive.File(source)
        tree = Tree(path, what, groups, nodes, refused, source, int(root.userblock_size))
        end = int(root._superblock._contents["end_of_file_address"])
        if tree.size < end - tree.base:
            there = tree.size + tree.base
            raise LoadError(what, f"cut off: {there} bytes of {end} are there", "fetch it again")
        seen: set[int] = set()
        pending: list[tuple[str, Any]] = [("", root)]
        while pending:
            name, group = pending.pop()
            if id(group._dataobjects) in seen or name.count("/") > MOST_DEPTH:
                continue  # A link to a group that was seen, or above this one.
            seen.add(id(group._dataobjects))
            groups[name] = dict(group.attrs)
            below = []
            for key in group:
                if len(nodes) + len(groups) + len(refused) > MOST_OBJECTS:
                    raise LoadError(what, f"more than {MOST_OBJECTS:,} objects", "take it apart")
                child = f"{name}/{key}" if name else key
                found = _open(what, group, key, child, refused)
                if isinstance(found, Node):
                    nodes[child] = found
                elif found is not None:
                    below.append((child, found))
            pending += reversed(below)
    return tree


def _open(what: str, group: Any, key: str, name: str, refused: dict[str, tuple[str, str]]) -> Any:
    """Return a data set or group; None where it cannot be read, and why not is in `refused`."""
    import pyfive

    try:
        _set_records(group, key)
        found = group.get_lazy_view(key)
        if isinstance(found, pyfive.Dataset):
            return Node(name, found, dict(found.attrs), _refusal(found))
        return found if isinstance(found, pyfive.Group) else None
    except LoadError:
        raise
    except (*FAILURES, UnreadTypeError) as error:
        if not isinstance(error, UnreadTypeError) and not _is_of_pyfive(error):
            raise
        refused[name] = _why(group, key, error)
        return None


def _is_of_pyfive(error: BaseException) -> bool:
    """Tell whether an error came out of pyfive or of memory; others are faults of the code here."""
    if isinstance(error, MemoryError):
        return True
    step = error.__traceback__
    while step is not None:
        if str(step.tb_frame.f_globals.get("__name__", "")).partition(".")[0] == "pyfive":
            return True
        step = step.tb_next
    return False


def _set_records(group: Any, key: str) -> None:
    """Let a data set of records have the type that it has, before pyfive looks at it."""
    address = group._links[key]
    if isinstance(address, int):
        objects = group.file._get_dataobjects(address)
        raw = type_bytes(objects)
        if is_records(raw):
            typed = {"ptype": RecordType(read_records(raw))}
            objects.__class__ = type("Records", (type(objects),), typed)


def _why(group: Any, key: str, error: Exception) -> tuple[str, str]:
    """Return why an object cannot be read, and a way out."""
    try:
        objects = group.file._get_dataobjects(group._links[key])
        if any(_is_external(objects, message) for message in objects.find_msg_type(_LINK)):
            return "holds a link to another file, which is not followed", "copy the data in"
    except FAILURES:
        pass
    if "layout class" in str(error):
        return "written for HDF5 1.10 (libver='latest')", "write it again without libver"
    return f"not read ({first_line(error)})", "save the table of vectors as .npy (numpy.save)"


def _is_external(objects: Any, message: Any) -> bool:
    """Tell whether a link message is one to another file (IV.A.2.g of the format)."""
    at = message["offset_to_message"]
    flags = objects.msg_data[at + 1]
    return bool(flags & 8) and objects.msg_data[at + 2] == _EXTERNAL_LINK


def _refusal(found: Any) -> tuple[str, str] | None:
    """Return why the content of a data set is not read, and a way out; None where it is."""
    from pyfive.p5t import P5ReferenceType

    if isinstance(found.id.get_type(), P5ReferenceType):
        return "references to other objects, no numbers", "name one of those: --tensor"
    if found.id.layout_class == _VIRTUAL:
        return "a virtual data set, of other files that are not followed", "copy the data in"
    objects = found.file._get_dataobjects(found.id._meta.offset)
    if objects.find_msg_type(_EXTERNAL_FILES):
        return "kept in other files, which are not followed", "copy the data in"
    if odd_number(type_bytes(objects)):
        return "numbers of an unusual type, which is not read", "save it as float32"
    for step in found.id.filter_pipeline or ():
        number = int(step["filter_id"])
        if number not in _FILTERS:
            kind = _OTHER_FILTERS.get(number, f"number {number}")
            return f"packed by the filter {kind}, which is not read", "write it packed by gzip"
    return None


@contextmanager
def reading_hdf5(what: str) -> Iterator[None]:
    """Turn what pyfive says of a damaged file into one line that names it."""
    import pyfive.core

    log = logging.getLogger("pyfive")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except LoadError:
        raise
    except (*FAILURES, pyfive.core.InvalidHDF5File) as error:
        if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
            raise
        if not _is_of_pyfive(error):
            raise
        raise LoadError(
            what, f"damaged HDF5: {first_line(error)}", "write or fetch it again"
        ) from None
    finally:
        log.setLevel(level)
