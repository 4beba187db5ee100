"""Several files that appear together, and a folder that takes the place of another."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from embviz.errors import OutputError
from embviz.outputs.files import (
    append_file,
    beside,
    check_name,
    check_output,
    followed,
    open_beside,
    takes_bytes,
    told,
    write_file,
)
from embviz.outputs.left import hidden_name, hidden_start, hold
from embviz.outputs.locks import LOCK, alone_in, release, take
from embviz.outputs.unfinished import check_move, moving, undone

log = logging.getLogger("embviz")


class Stage:
    """Files that are written under temporary names until all are there."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._moves: list[tuple[Path, Path]] = []
        self._sent: list[tuple[Path, bytes]] = []
        self._added: list[tuple[Path, bytes]] = []
        self.written: list[tuple[str, int]] = []

    def write(self, path: Path, data: bytes | Iterable[bytes]) -> None:
        """Write a file that will appear with the others; pipes and devices take theirs then.

        Raises:
            OutputError: If it cannot be written.
        """
        check_output(path)
        parts = (data,) if isinstance(data, bytes) else data
        if str(path) == "-" or takes_bytes(path):
            self._sent.append((path, b"".join(parts)))
            self.written.append((str(path), len(self._sent[-1][1])))
            return
        with told(path):
            target = followed(path)
            temporary = self._stack.enter_context(beside(target))
            with open_beside(temporary, target) as out:
                size = sum(out.write(part) for part in parts)
        self._moves.append((temporary, target))
        self.written.append((str(path), size))

    def append(self, path: Path, data: bytes) -> None:
        """Add to the end of a file, as `append_file` does, once the others are in their places.

        Raises:
            OutputError: If it cannot be written.
        """
        check_output(path)
        self._added.append((path, data))

    def make_folder(self, folder: Path) -> None:
        """Make a folder and those above it; what is empty at the end is removed again.

        Raises:
            OutputError: If it cannot be made.
        """
        missing = [place for place in (folder, *folder.parents) if not place.exists()]
        for place in reversed(missing):
            with told(folder):
                self._stack.enter_context(undone(partial(_remove_empty, place)))
                place.mkdir(exist_ok=True)

    def finish(self) -> None:
        """Put every file in its place; where one cannot be, the old ones come back.

        Pipes and devices take theirs before. A reader of standard output that has gone does not
        keep the files back.
        """
        check_move()
        gone: BrokenPipeError | None = None
        for path, data in self._sent:
            try:
                write_file(path, data)
            except BrokenPipeError as error:
                gone = error
        with ExitStack() as kept:
            # Two runs that write the same files leave those of one.
            for folder in sorted({target.parent.resolve() for _, target in self._moves}):
                kept.enter_context(alone_in(folder))
            olds: list[Path | None] = []
            for _, target in self._moves:
                with told(target):
                    olds.append(_keep(target, kept))
            # Nothing but renames and a few bytes, so that it takes no time.
            with moving():
                self._move(olds)
        if gone:
            raise gone

    def _move(self, olds: list[Path | None]) -> None:
        moved: list[tuple[Path | None, Path]] = []
        try:
            for (temporary, target), old in zip(self._moves, olds, strict=True):
                moved.append((old, target))
                with told(target):
                    os.replace(temporary, target)
            for path, data in self._added:
                append_file(path, data)
        except BaseException:
            for old, target in reversed(moved):
                with suppress(OSError):
                    target.unlink() if old is None else os.replace(old, target)
            raise


@contextmanager
def staged() -> Iterator[Stage]:
    """Give a stage whose files appear at the end of the block, all of them or none.

    Raises:
        OutputError: If a file cannot be written; nothing new is left behind.
    """
    with ExitStack() as stack:
        stage = Stage(stack)
        yield stage
        stage.finish()


def stage_files(
    folder: Path, parts: Sequence[tuple[str, bytes | Iterable[bytes]]]
) -> list[tuple[str, int]]:
    """Write files into a folder, all of them or none; the last one appears last.

    Args:
        folder: Made where it is missing; its parent must exist. A link is followed.
        parts: Names with forward slashes, and bytes whole or in parts.

    Returns:
        The names and the sizes in bytes.

    Raises:
        OutputError: If a file cannot be written; nothing new is left behind.
    """
    check_folder(folder)
    with told(folder), staged() as stage:
        folder = followed(folder)
        for name, data in parts:
            place = folder / PurePosixPath(name)
            stage.make_folder(place.parent)
            stage.write(place, data)
    sizes = [size for _, size in stage.written]
    return list(zip([name for name, _ in parts], sizes, strict=True))


@contextmanager
def fresh_folder(path: Path) -> Iterator[Path]:
    """Give a folder that takes a path's place when all went well, and is removed if not.

    It has a temporary name beside the path until then. A link is followed. What a process that
    was killed left there is put right before.

    Raises:
        OutputError: If the folder cannot be written; the old one stays.
    """
    check_folder(path)
    path = followed(path)
    with told(path), ExitStack() as stack:
        recover_folder(path)
        building, lock = _hold_new(path, stack)
        yield building
        if os.name == "nt":
            release(building, lock)  # A folder with an open file cannot be moved there.
        _swap(building, path)


def _hold_new(path: Path, stack: ExitStack) -> tuple[Path, IO[bytes]]:
    """Make a folder beside a path and hold it, until the stack lets go of it or removes it."""
    for _ in range(20):
        building = hidden_name(path, "building")
        stack.enter_context(undone(partial(_remove_tree, building)))
        building.mkdir()
        # Until it is held, another process takes it for what a killed one left.
        with suppress(FileNotFoundError):
            lock = take(building)
            if lock is not None:
                stack.enter_context(undone(partial(_let_go, lock, building, path)))
                return building, lock
    raise OutputError(path, "no folder beside it can be locked")


def _let_go(lock: IO[bytes], building: Path, path: Path) -> None:
    release(building if building.exists() else path, lock)


def check_folder(path: Path) -> None:
    """Refuse a folder that cannot be written, before work is spent on it.

    Raises:
        OutputError: If a file is there, or the folder or the one around it cannot be written.
    """
    check_name(path)
    with told(path):
        target = followed(path)
        if target.exists() and not target.is_dir():
            raise OutputError(path, "a file is there", "name a folder after -o")
        if not target.parent.is_dir():
            raise OutputError(path, f"the folder {target.parent} does not exist", "make it first")
        for place in (target, target.parent):
            if place.exists() and not os.access(place, os.W_OK):
                raise OutputError(path, f"the folder {place} cannot be written")


def recover_folder(path: Path) -> None:
    """Put right what processes that were killed left beside a folder.

    The old folder comes back where its place is empty, and what was being built is removed.
    Processes that still run are left alone.
    """
    path = followed(path)
    with suppress(OSError):
        for old in _left_beside(path, "old"):
            with _left_alone(old) as ours:
                if ours and not path.exists():
                    with moving():
                        os.rename(old, path)
                        (path / LOCK).unlink(missing_ok=True)
                    log.info("%s: put back after a run that was killed", path)
                elif ours:
                    _remove_tree(old)
        for building in _left_beside(path, "building"):
            with _left_alone(building) as ours:
                if ours:
                    # Who has just made it, and holds it not yet, then finds it gone.
                    aside = hidden_name(path, "building")
                    os.rename(building, aside)
                    _remove_tree(aside)


def _left_beside(path: Path, kind: str) -> list[Path]:
    """Return folders of a kind beside a path, the newest first."""
    start = hidden_start(path, kind)
    found = [Path(entry) for entry in os.scandir(path.parent) if entry.name.startswith(start)]
    return sorted(found, key=lambda place: place.stat().st_mtime_ns, reverse=True)


@contextmanager
def _left_alone(folder: Path) -> Iterator[bool]:
    """Hold a folder for a block; False if another process holds it."""
    file = take(folder)
    if file is None:
        yield False
        return
    if os.name == "nt":
        file.close()  # A folder with an open file cannot be moved there.
    try:
        yield True
    finally:
        release(folder, file)


def _swap(building: Path, path: Path) -> None:
    """Put a folder in the place of another; of two that do so at once, the last one stays."""
    for attempt in range(20):
        old = hidden_name(path, "old")
        with undone(partial(_remove_replaced, old, path)):
            try:
                with _at_rest(path), moving():
                    _exchange(building, path, old)
            except OSError:
                # Another builder may have put its folder there in between.
                if attempt == 19 or not path.exists():
                    raise
        if not building.exists():
            return


def _remove_replaced(old: Path, path: Path) -> None:
    """Remove a folder that was moved aside, once there is another in its place."""
    if path.exists():
        _remove_tree(old)


def _exchange(building: Path, path: Path, old: Path) -> None:
    """Move one folder aside and another to its place; where that cannot be, it comes back."""
    try:
        with suppress(FileNotFoundError):
            os.rename(path, old)
        os.rename(building, path)
    finally:
        if old.exists() and not path.exists():
            os.rename(old, path)


@contextmanager
def _at_rest(path: Path) -> Iterator[None]:
    """Wait until nobody adds to a folder, and let nobody begin."""
    waiting = False
    while path.is_dir():
        try:
            file = take(path)
        except FileNotFoundError:
            continue
        if file is not None:
            if os.name == "nt":
                file.close()  # A folder with an open file cannot be moved there.
            try:
                yield
            finally:
                release(path, file)
            return
        if not waiting:
            log.info("%s: waiting for another process that adds to it", path)
            waiting = True
        time.sleep(0.1)
    yield


def _keep(target: Path, kept: ExitStack) -> Path | None:
    """Give a file a second name for a while; None where there is no file."""
    if not target.exists():
        return None
    old = kept.enter_context(beside(target, "old"))
    while True:
        try:
            os.link(target, old)
        except OSError:  # Not every file system has second names.
            shutil.copy2(target, old)
        try:
            with old.open("rb") as file:
                if hold(file.fileno(), old):
                    return old
        except PermissionError:  # It may be written and not read: then nobody else removes it.
            return old
        except FileNotFoundError:
            continue


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _remove_tree(folder: Path) -> None:
    """Remove a folder with all in it, also where another thread still writes into it."""
    for _ in range(5):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
