"""NumPy archives (.npz): a zip of .npy members, mapped where they are stored uncompressed."""

from __future__ import annotations

import logging
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, ParameterError, printable
from embviz.loaders.arrays.npy import check_size, check_table, map_array
from embviz.loaders.arrays.npy_header import NpyHeader, read_header
from embviz.loaders.arrays.texts import array_texts, is_label, is_text_or_number, object_way_out
from embviz.loaders.bytes.zip_members import (
    MAGIC,
    check_member,
    data_offset,
    first_member,
    most_unpacked,
    open_archive,
    open_member,
    read_into,
    verify_member,
)
from embviz.loaders.opened import Claim, Source, Start, Tensor, TextColumns, list_some
from embviz.loaders.reading import Reading
from embviz.loaders.weights.features import with_features
from embviz.rows import drop_unit_axes, tell_unit_axes, why_not_numbers

_log = logging.getLogger("embviz")

_EMPTY = b"PK\x05\x06"
_MOST_MEMBERS = 10_000


@dataclass(frozen=True)
class _Member:
    """One array of the archive.

    Attributes:
        name: Without .npy.
        what: As it is named to the user.
        info: What the archive's directory says.
        header: None where it cannot be read.
        reason: Why it is no table of numbers, where it is none.
        damage: What is wrong with its header, where something is.
    """

    name: str
    what: str
    info: zipfile.ZipInfo
    header: NpyHeader | None
    reason: str = ""
    damage: LoadError | None = None


class NpzFormat:
    """Reads archives of .npy members; those of one value a row become metadata columns."""

    name = "npz"

    def claim(self, start: Start) -> Claim | None:
        """Claim zip archives whose first member, or any, is an array, and what is named .npz."""
        if start.kind != "file":
            return None
        if start.head.startswith(MAGIC) and first_member(start.head).endswith(b".npy"):
            return Claim.MAGIC
        if start.head.startswith((MAGIC, _EMPTY)) and _holds_arrays(start.path):
            return Claim.CONTENT
        return Claim.NAME if start.path.suffix.lower() == ".npz" else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Read the directory of an archive and the headers of its arrays.

        Returns:
            Its arrays in order; rows are mapped into memory where they are stored uncompressed.

        Raises:
            LoadError: If it is no whole archive of arrays.
        """
        with open_archive(path) as archive:
            members = _list_members(path, archive)
        tensors = tuple(_as_tensor(path, members, member) for member in members)
        found = with_features(tensors, path.parent)
        return Source(path, found.tensors, files=found.files)


NPZ = NpzFormat()


def _holds_arrays(path: Path) -> bool:
    """Tell whether an archive has an array among its members, or none at all."""
    try:
        with open_archive(path) as archive:
            names = archive.namelist()[:_MOST_MEMBERS]
    except LoadError:
        return False
    return not names or any(name.endswith(".npy") for name in names)


def _as_tensor(path: Path, members: list[_Member], member: _Member) -> Tensor:
    stored = member.header
    header = stored and replace(stored, shape=drop_unit_axes(stored.shape))
    told = tell_unit_axes(stored.shape) if stored else ""
    refusal = _refusal(replace(member, header=header))
    shape = header.shape if header else ()
    dtype = ""
    if header:
        dtype = "records" if header.dtype.names else str(header.dtype)

    def rows() -> NDArray[Any]:
        assert header is not None
        for other in members:
            if other.damage is not None:
                raise other.damage  # Labels may be in it.
        _check_member(path, member, header)
        return _map_or_read(path, member, header)

    plain = member.info.compress_type == zipfile.ZIP_STORED
    others = any(m.header and len(m.header.shape) == 2 and not m.reason for m in members)
    return Tensor(
        member.name,
        shape,
        dtype,
        rows=rows,
        role="other" if refusal else "duplicate" if told and others else "table",
        aliases=(f"{member.name}.npy",),
        note=member.reason or (f"{len(shape)}-D" if refusal else told or "table"),
        told=told,
        refusal=refusal,
        columns=lambda: TextColumns(_read_columns(path, members, shape[0])),
        verify=(lambda: verify_member(path, member.info, member.what)) if plain else None,
    )


def _refusal(member: _Member) -> LoadError | None:
    """Return why a member is no table, None where it is one."""
    if member.damage is not None:
        return member.damage
    if member.header is None:
        return LoadError(member.what, member.reason, "write it without a password")
    try:
        check_table(member.header, member.what)
    except LoadError as error:
        return error
    return None


def load_array(
    path: Path, tensor: str | None, fits: Callable[[tuple[int, ...]], bool]
) -> NDArray[Any]:
    """Read one array of numbers whose shape fits, by its name or as the only one.

    Raises:
        LoadError: If there is no such array, or several and none was named.
        ParameterError: If no member has the name.
    """
    with open_archive(path) as archive:
        members = _list_members(path, archive)
    known = [m for m in members if m.header is not None and not m.reason]
    named = [m for m in known if tensor in (None, m.name, f"{m.name}.npy")]
    if tensor is not None and not named:
        raise ParameterError(
            f"tensor '{tensor}'", f"{path} holds {_names(members)}", "name one of these"
        )
    fitting = [m for m in named if m.header is not None and fits(m.header.shape)]
    if len(fitting) != 1:
        shapes = "they are numbers of n x height x width, or n x height x width x 1, 3 or 4"
        way_out = "name one: --tensor" if fitting else shapes
        why = f"{len(fitting) or 'no'} arrays of images among {_names(members)}"
        raise LoadError(path, why, way_out)
    header = fitting[0].header
    assert header is not None
    _check_member(path, fitting[0], header)
    array = _map_or_read(path, fitting[0], header)
    return array.view(np.bool_) if header.dtype.kind == "b" else array


def _list_members(path: Path, archive: zipfile.ZipFile) -> list[_Member]:
    infos = archive.infolist()
    if len(infos) > _MOST_MEMBERS:
        raise LoadError(path, f"{len(infos)} members, more than {_MOST_MEMBERS} are not read")
    members = []
    # Of members of one name the last counts, as in NumPy.
    for info in {info.filename: info for info in infos}.values():
        if not info.filename.endswith(".npy"):
            continue
        name = info.filename.removesuffix(".npy")
        what = f"{path}: '{printable(name)}'"
        if info.flag_bits & 1:
            members.append(_Member(name, what, info, None, "encrypted"))
            continue
        try:
            with open_member(path, info, what) as file:
                header = read_header(file, what)
        except LoadError as e:
            members.append(_Member(name, what, info, None, e.why, e))
            continue
        reason = why_not_numbers(header.dtype)
        members.append(_Member(name, what, info, header, reason[0] if reason else ""))
    if not members:
        names = ", ".join(printable(i.filename, 40) for i in infos[:5]) or "nothing"
        raise LoadError(
            path, f"a zip archive without .npy members (it holds {names})", "unpack it first"
        )
    return members


def _names(members: list[_Member]) -> str:
    shown = [
        f"{printable(m.name, 60)} ({' x '.join(map(str, m.header.shape))})" if m.header else m.name
        for m in members[:20]
    ]
    return ", ".join(shown) + (" …" if len(members) > 20 else "")


def _check_member(path: Path, member: _Member, header: NpyHeader) -> None:
    """Check sizes before memory is taken."""
    check_size(header, member.info.file_size, member.what)
    check_member(path, member.info, member.what)


def _map_or_read(path: Path, member: _Member, header: NpyHeader) -> NDArray[Any]:
    """Return the array of a member whose sizes were checked, mapped where it is stored."""
    if member.info.compress_type == zipfile.ZIP_STORED:
        return map_array(path, header, data_offset(path, member.info, member.what))
    return _read_array(path, member, header)


def _read_array(path: Path, member: _Member, header: NpyHeader) -> NDArray[Any]:
    """Unpack a member whose sizes were checked."""
    raw = np.empty(header.n_bytes, np.uint8)
    with open_member(path, member.info, member.what) as file:
        file.skip(header.offset)
        read_into(file, raw)
    array = raw.view(header.dtype).reshape(header.shape, order="F" if header.fortran_order else "C")
    return array.view(np.uint8) if header.dtype.kind == "b" else array


def _read_columns(path: Path, members: list[_Member], n_points: int) -> dict[str, tuple[str, ...]]:
    """Return the members of one value a point that are surely labels as texts, by their names."""
    fitting = []
    for member in members:
        header = member.header
        if header is None or header.dtype.kind == "O":
            why = "is encrypted" if header is None else "holds Python objects"
            way_out = ""
            if header is not None and header.shape == (n_points,):
                way_out = f"; {object_way_out(path.name, member.name)}, then --metadata texts.npy"
            _log.info("%s: '%s' %s and is left out%s", path, printable(member.name), why, way_out)
        elif header.shape == (n_points,) and is_text_or_number(header.dtype):
            fitting.append(member)
    several = sum(m.header is not None and len(m.header.shape) > 1 for m in members) > 1
    left_out = [m for m in fitting if m.header and not is_label(m.name, m.header.dtype, several)]
    if left_out:
        names = list_some([printable(m.name, 40) for m in left_out])
        _log.info(
            "%s: numbers that may be another layer's are no labels: %s; --metadata %s takes them",
            path, names, path,
        )  # fmt: skip
    others = {m.name for m in left_out}
    return _columns_of(path, [m for m in fitting if m.name not in others])


def read_label_arrays(path: Path, n_points: int | None) -> dict[str, tuple[str, ...]]:
    """Read the arrays of one value a row in an archive that was given for labels.

    Args:
        path: The archive.
        n_points: How many values are wanted; None for as many as most have.

    Returns:
        The columns by name: those of n_points values, else all that are equally long.

    Raises:
        LoadError: If there is none, or it is damaged.
    """
    with open_archive(path) as archive:
        members = _list_members(path, archive)
    flat = [m for m in members if m.header is not None and len(m.header.shape) == 1]
    known = [m for m in flat if m.header is not None and is_text_or_number(m.header.dtype)]
    lengths = Counter(m.header.shape[0] for m in known if m.header is not None)
    if not lengths:
        objects = [m for m in flat if m.header is not None and m.header.dtype.kind == "O"]
        way_out = object_way_out(path.name, objects[0].name) if objects else "save such an array"
        kind = "Python objects, which are never read" if objects else "no array of one value a row"
        raise LoadError(path, kind, way_out)
    wanted = n_points if n_points in lengths else lengths.most_common(1)[0][0]
    return _columns_of(path, [m for m in known if m.header and m.header.shape == (wanted,)])


def _columns_of(path: Path, members: list[_Member]) -> dict[str, tuple[str, ...]]:
    columns: dict[str, tuple[str, ...]] = {}
    left = most_unpacked(path.stat().st_size)
    for member in members:
        header = member.header
        assert header is not None
        if header.n_bytes:
            _check_member(path, member, header)
        left -= header.n_bytes
        if left < 0:
            raise LoadError(member.what, "members that unpack to more than the archive can hold")
        if header.n_bytes == 0:
            columns[member.name] = ("",) * header.shape[0]
        else:
            columns[member.name] = array_texts(_read_array(path, member, header), member.what)
    return columns
