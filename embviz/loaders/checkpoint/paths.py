"""What users pass for a checkpoint, and which files it means.

A prefix `P` stands for `P.index` and `P.data-SSSSS-of-NNNNN` (V2), for the file `P` or for
`P-SSSSS-of-NNNNN` (V1). People also pass one of these files, `P.meta`, the state file, the folder.
"""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path

from embviz.errors import LoadError, printable
from embviz.loaders.checkpoint.sstable import FOOTER_BYTES, MAGIC, is_table
from embviz.loaders.checkpoint.state import LATEST_FIELD, STATE_NAME, is_state_file, read_latest
from embviz.loaders.confined import check_within
from embviz.loaders.opened import Claim, Start, list_some, read_start

logger = logging.getLogger("embviz")
PROJECTOR_CONFIG = "projector_config.pbtxt"
SAVED_MODEL_MARKS = ("saved_model.pb", "saved_model.pbtxt")
DATA_PART = r"\.data(?:-[\d?*]{5}-of-[\d?*]{5})?"
FILE_OF_PREFIX = re.compile(rf"(?P<prefix>.+?)(?:\.|\.index|\.meta|{DATA_PART})(?:\.tempstate\w*)?")
V1_SHARD = re.compile(
    r"(?P<prefix>.+)(?<!\.data)-(?P<shard>\d{5}|\?{5}|\*)-of-(?P<count>\d{5}|\?{5}|\*)"
)
STEP = re.compile(r"(?P<stem>.+)-(?P<step>\d{1,18})")
PIECE = re.compile(r"\.(?:index|data-\d{5}-of-\d{5}|meta)(?:\.tempstate\w*)?")
MAX_OPENED = 2000  # files of a folder that are opened to see what they are


@dataclass(frozen=True)
class Location:
    """The files of one checkpoint.

    Attributes:
        prefix: The prefix of a V2 checkpoint, or None.
        v1_files: The files of a V1 checkpoint.
        source: Its name as it is shown.
    """

    prefix: Path | None
    v1_files: tuple[Path, ...]
    source: str

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that are there of it."""
        if self.prefix is None:
            return self.v1_files
        return tuple(self.prefix.with_name(name) for name in _pieces(self.prefix))


def list_names(folder: Path) -> list[str]:
    """Return the sorted names in a folder, none where it cannot be read."""
    try:
        return sorted(os.listdir(folder))
    except (OSError, ValueError):
        return []


def claim_path(start: Start) -> Claim | None:
    """Tell by names and the first and last bytes how sure it is that a path leads to a checkpoint.

    A folder that a projector's config lies in is none, whatever else it holds.
    """
    path = start.path
    try:
        if start.kind == "folder":
            if PROJECTOR_CONFIG in start.names:
                return None
            found = _folder_looks_right(path) or _has_index(path)
            return Claim.CONTENT if found else None
        if start.kind == "file":
            return _claim_file(start)
        return Claim.CONTENT if start.kind == "missing" and _missing_looks_right(path) else None
    except LoadError:  # recognized, and incomplete: the error is told on opening
        return Claim.CONTENT
    except OSError:  # such as a name that is too long
        return None


def _has_index(prefix: Path) -> bool:
    return bool(prefix.name) and prefix.with_name(prefix.name + ".index").is_file()


def _folder_looks_right(folder: Path) -> bool:
    names = list_names(folder)
    if any((folder / mark).is_file() for mark in (*SAVED_MODEL_MARKS, STATE_NAME)):
        return True
    if (folder / "variables" / "variables.index").is_file():
        return True
    if any(re.search(rf"{DATA_PART}(\.tempstate\w*)?$", name) for name in names):
        return True
    if any(name.endswith(".index") and _is_index(folder / name) for name in names):
        return True
    return bool(_v1_prefixes(folder, names))


def _is_index(path: Path) -> bool:
    claim = _claim_file(read_start(path)) if path.is_file() else None
    return claim is not None and claim > Claim.NAME


def _claim_file(start: Start) -> Claim | None:
    path, name = start.path, start.path.name
    if start.size >= FOOTER_BYTES and start.tail.endswith(MAGIC):
        return Claim.MAGIC
    # A projector's config, in the same notation, begins as a state file may.
    if start.head.startswith(LATEST_FIELD) and start.suffix != ".pbtxt":
        return Claim.CONTENT
    begins_as_table = start.head.startswith(b"\0\0")
    if name.endswith(".index"):  # other programs use this ending too
        of_prefix = begins_as_table or len(_pieces(_prefix_of(path))) > 1
        return Claim.CONTENT if of_prefix else None
    if begins_as_table and _pieces(path):
        return Claim.CONTENT
    named = re.search(rf"{DATA_PART}(\.tempstate\w*)?$", name) or name.endswith(".meta")
    return Claim.NAME if named or name == STATE_NAME else None


def _missing_looks_right(path: Path) -> bool:
    prefix = _prefix_of(path)
    if _pieces(prefix):
        return True
    return bool(_v1_shards(prefix) or _v1_shards(path) or _later_steps(prefix))


def _prefix_of(path: Path) -> Path:
    """Return the prefix that a checkpoint's file name belongs to."""
    match = FILE_OF_PREFIX.fullmatch(path.name)
    return path.with_name(match["prefix"]) if match else path


def _pieces(prefix: Path) -> list[str]:
    """Return the names of a prefix's files, finished or not."""
    start = prefix.name
    names = list_names(prefix.parent)
    return [n for n in names if n.startswith(start) and PIECE.fullmatch(n[len(start) :])]


def _later_steps(prefix: Path) -> list[str]:
    """Return the prefixes P-STEP beside a prefix P, in order of their steps."""
    found = []
    for name in list_names(prefix.parent):
        match = STEP.fullmatch(name.removesuffix(".index"))
        if name.endswith(".index") and match and match["stem"] == prefix.name:
            found.append((int(match["step"]), match[0]))
    return [name for _, name in sorted(found)]


def locate(path: Path) -> Location:
    """Find the checkpoint that a path stands for.

    Raises:
        LoadError: If there is none, it is incomplete, or several are equally meant.
    """
    try:
        if path.is_dir():
            if not _folder_looks_right(path) and _has_index(path):
                return _locate_prefix(path, path.name)
            return _within(path, _locate_in_folder(path))
        is_state = path.name == STATE_NAME or is_state_file(path)
        if is_state and path.is_file() and not is_table(path):
            return _within(path.parent, _locate_latest(path))
        return _locate_prefix(path, path.name)
    except OSError as error:
        raise LoadError(path, f"cannot be opened: {error.strerror or error}") from error


def _within(folder: Path, found: Location) -> Location:
    """Return a checkpoint that was found in a folder, of which no file is a link out of it."""
    for file in found.files:
        check_within(folder, file)
    return found


def _locate_in_folder(folder: Path) -> Location:
    names = list_names(folder)
    shown = folder.name or folder.resolve().name
    if (folder / STATE_NAME).is_file():
        return _locate_latest(folder / STATE_NAME)
    if (folder / "variables" / "variables.index").is_file():
        return _locate_prefix(folder / "variables" / "variables", shown)
    if any(mark in names for mark in SAVED_MODEL_MARKS):
        raise LoadError(
            folder, "a SavedModel without variables/variables.index", "its variables are needed"
        )
    prefixes = _prefixes_in(folder)
    if not prefixes:
        data = [name for name in names if ".data-" in name or name.endswith(".meta")]
        if data:
            return _locate_prefix(_prefix_of(folder / data[0]), shown)
        raise LoadError(folder, "holds no checkpoint (no .index file, no file `checkpoint`)")
    chosen = prefixes[0]
    if len(prefixes) > 1:
        chosen = _highest_step(folder, prefixes)
    return _locate_prefix(folder / chosen, f"{shown}/{chosen}")


def _highest_step(folder: Path, prefixes: list[str]) -> str:
    """Return the prefix of the highest step, where the prefixes differ by nothing else."""
    matches = {name: STEP.fullmatch(name) for name in prefixes}
    stems = {match["stem"] if match else None for match in matches.values()}
    if len(stems) != 1 or None in stems:
        raise LoadError(
            folder,
            f"holds {len(prefixes)} checkpoints and no file `checkpoint` that chooses: "
            f"{list_some(prefixes)}",
            "name one of them",
        )
    steps = {int(match["step"]): name for name, match in matches.items() if match}
    chosen = steps[max(steps)]
    text = f"{folder}: no file `checkpoint`; taking {chosen}, the highest step of {len(prefixes)}"
    logger.info("%s", printable(text, limit=1000))
    return chosen


def _prefixes_in(folder: Path) -> list[str]:
    """Return the checkpoints in a folder: V2 by their index, else V1 by their content."""
    names = list_names(folder)
    found = [n[: -len(".index")] for n in names if n.endswith(".index") and (folder / n).is_file()]
    tables = [name for name in found if is_table(folder / f"{name}.index")]
    return tables or found or _v1_prefixes(folder, names)


def _v1_prefixes(folder: Path, names: list[str]) -> list[str]:
    """Return V1 checkpoints, the shards of one under its prefix."""
    found: dict[str, None] = {}
    for name in names[:MAX_OPENED]:
        if not name.endswith(".index") and is_table(folder / name):
            shard = V1_SHARD.fullmatch(name)
            found[shard["prefix"] if shard else name] = None
    return list(found)


def _locate_latest(state: Path) -> Location:
    """Follow a state file, but never out of its folder: a moved folder holds old paths."""
    folder = state.parent
    written = read_latest(state)
    base = re.split(r"[\\/]", written)[-1]
    inside = folder / written  # an absolute path stays what it is
    if folder.resolve() not in inside.resolve().parents or not _exists(inside):
        inside = folder / base
    if not base or base in (".", "..") or not _exists(inside):
        present = _prefixes_in(folder)
        raise LoadError(
            state,
            f"it names {base or written}, which is not in its folder",
            f"there: {list_some(present)}; name one of them"
            if present
            else "no checkpoint is there",
        )
    shown = folder.name or folder.resolve().name
    return _locate_prefix(inside, f"{shown}/{base}")


def _exists(prefix: Path) -> bool:
    index = prefix.with_name(prefix.name + ".index")
    return index.is_file() or is_table(prefix) or bool(_v1_shards(prefix))


def _v1_shards(path: Path) -> list[Path]:
    """Return the V1 shards that a prefix, a glob or one shard stands for, checked to be complete.

    Raises:
        LoadError: If some are missing, or there are sets of different sizes.
    """
    given = V1_SHARD.fullmatch(path.name)
    prefix = given["prefix"] if given else path.name
    sets: dict[str, list[str]] = {}
    for name in list_names(path.parent):
        shard = V1_SHARD.fullmatch(name)
        if shard and shard["prefix"] == prefix and shard["shard"].isdecimal():
            sets.setdefault(shard["count"], []).append(name)
    if given and given["count"].isdecimal():
        sets = {count: names for count, names in sets.items() if count == given["count"]}
    if not sets:
        return []
    if len(sets) > 1:
        raise LoadError(path, f"sets of {list_some(sorted(sets))} shards are there", "name one set")
    count, names = next(iter(sets.items()))
    if len(names) != int(count):
        raise LoadError(path, f"{len(names)} of {int(count)} shards are there, {names[0]} first")
    return [path.with_name(name) for name in names]


def _locate_prefix(path: Path, source: str) -> Location:
    """Find the files of a prefix, or of a file that belongs to one."""
    # P.index ends as a V1 file does, and is none.
    names = (path, _prefix_of(path)) if path.suffix != ".index" else (_prefix_of(path),)
    for prefix in dict.fromkeys(names):
        if prefix.with_name(prefix.name + ".index").is_file():
            return Location(prefix, (), source)
        if is_table(prefix):
            shards = _v1_shards(prefix) if V1_SHARD.fullmatch(prefix.name) else []
            return Location(None, tuple(shards) or (prefix,), source)
        shards = _v1_shards(prefix)
        if shards:
            return Location(None, tuple(shards), source)
    raise _missing(_prefix_of(path))


def _missing(prefix: Path) -> LoadError:
    """Return the error that says what of a checkpoint is not there."""
    index = prefix.with_name(prefix.name + ".index")
    there = _pieces(prefix)
    finished = [name for name in there if ".tempstate" not in name]
    if there and not finished:
        return LoadError(
            prefix,
            f"an interrupted save: only {list_some(there)} was written",
            "use an earlier checkpoint",
        )
    if prefix.is_file():
        return LoadError(prefix, "truncated or not a checkpoint: it does not end as a V1 file does")
    steps = _later_steps(prefix)
    if steps:
        return LoadError(prefix, "no such checkpoint", f"there is {list_some(steps)}")
    if there:
        return LoadError(
            index, f"missing; there is {list_some(there)}", "copy the .index file beside it"
        )
    return LoadError(prefix, "no such checkpoint: no .index file of this name")
