"""Several files appear together, and a folder takes the place of another, or nothing changes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from embviz.errors import OutputError
from embviz.outputs import folders, unfinished
from embviz.outputs.folders import fresh_folder, recover_folder, stage_files, staged
from embviz.outputs.left import hidden_name
from embviz.outputs.locks import alone_in, locked
from embviz.outputs.unfinished import is_moving


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under a folder with its bytes, and empty folders."""
    return {
        str(p.relative_to(folder)): b"" if p.is_dir() else p.read_bytes()
        for p in sorted(folder.rglob("*"))
    }


class Interrupter:
    """Raises at the n-th move, before or after it is done."""

    def __init__(self, at: int, after: bool, error: type[BaseException]) -> None:
        self.at, self.after, self.error = at, after, error
        self.count = 0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self.count += 1
            stops = self.count == self.at
            if stops and not self.after:
                raise self.error
            done = function(*arguments)
            if stops:
                raise self.error
            return done

        return call


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Interrupter]:
    def begin(at: int, after: bool, error: type[BaseException]) -> Interrupter:
        made = Interrupter(at, after, error)
        for name in ("replace", "rename", "link"):
            monkeypatch.setattr(os, name, made.around(getattr(os, name)))
        return made

    return begin


ERRORS = [KeyboardInterrupt, OSError]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 8))
def test_of_several_files_all_are_replaced_or_none(
    tmp_path: Path, interrupt: Any, at: int, after: bool, error: type[BaseException]
) -> None:
    parts = [("a", b"new a"), ("sub/b", b"new b"), ("new/c", b"new c"), ("d", b"new d")]
    (tmp_path / "out/sub").mkdir(parents=True)
    (tmp_path / "out/a").write_bytes(b"old a")
    (tmp_path / "out/sub/b").write_bytes(b"old b")
    (tmp_path / "out/mine").write_bytes(b"mine")
    before = contents(tmp_path)
    made = interrupt(at, after, error)
    try:
        stage_files(tmp_path / "out", parts)
    except (KeyboardInterrupt, OutputError):
        assert contents(tmp_path) == before
        assert made.count >= at
    else:
        # A second name that cannot be had is a copy.
        assert made.count < at or error is OSError
        after_all = {f"out/{name}": data for name, data in parts}
        folders_ = {"out": b"", "out/sub": b"", "out/new": b"", "out/mine": b"mine"}
        assert contents(tmp_path) == after_all | folders_


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("there", [True, False])
def test_a_folder_is_replaced_whole_or_stays(
    tmp_path: Path,
    interrupt: Any,
    there: bool,
    at: int,
    after: bool,
    error: type[BaseException],
) -> None:
    path = tmp_path / "i"
    if there:
        path.mkdir()
        (path / "x").write_bytes(b"old")
    before = contents(tmp_path)
    made = interrupt(at, after, error)
    try:
        with fresh_folder(path) as building:
            (building / "x").write_bytes(b"new")
    except (KeyboardInterrupt, OutputError):
        # What was moved before the interruption came may stay.
        assert contents(tmp_path) in (before, {"i": b"", "i/x": b"new"})
        assert not there or path.is_dir()
        assert made.count >= at
    else:
        assert contents(tmp_path) == {"i": b"", "i/x": b"new"}


def test_a_folder_that_a_killed_run_moved_aside_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "i"
    old = hidden_name(path, "old")
    old.mkdir()
    (old / "x").write_bytes(b"old")
    building = hidden_name(path, "building")
    building.mkdir()
    other = hidden_name(tmp_path / "i2", "old")
    other.mkdir()
    recover_folder(path)
    assert contents(tmp_path) == {"i": b"", "i/x": b"old", other.name: b""}


def test_what_a_running_process_moves_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "i"
    building = hidden_name(path, "building")
    building.mkdir()
    with locked(building):
        recover_folder(path)
        assert building.is_dir()
    recover_folder(path)
    assert contents(tmp_path) == {}


def test_a_new_folder_that_is_taken_for_a_killed_run_s_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir, left = Path.mkdir, [2]

    def make(folder: Path, *arguments: Any, **options: Any) -> None:
        mkdir(folder, *arguments, **options)
        if left[0]:
            left[0] -= 1
            recover_folder(tmp_path / "i")  # As another process that builds one does.

    monkeypatch.setattr(Path, "mkdir", make)
    with fresh_folder(tmp_path / "i") as building:
        (building / "x").write_bytes(b"new")
    assert left == [0]
    assert contents(tmp_path) == {"i": b"", "i/x": b"new"}


def test_a_folder_is_held_until_it_is_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = folders._exchange

    def slow(building: Path, path: Path, old: Path) -> None:
        recover_folder(path)
        exchange(building, path, old)

    monkeypatch.setattr(folders, "_exchange", slow)
    for text in (b"old", b"new"):
        with fresh_folder(tmp_path / "i") as building:
            (building / "x").write_bytes(text)
    assert contents(tmp_path) == {"i": b"", "i/x": b"new"}


@pytest.mark.parametrize("linked", [True, False])
def test_the_end_of_a_process_waits_for_nothing_but_renames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linked: bool
) -> None:
    calls = []

    def seen(function: Callable[..., Any], works: bool = True) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            calls.append((function.__name__, is_moving()))
            if not works:
                raise OSError
            return function(*arguments)

        return call

    monkeypatch.setattr(os, "link", seen(os.link, linked))
    monkeypatch.setattr(shutil, "copy2", seen(shutil.copy2))
    monkeypatch.setattr(os, "replace", seen(os.replace))
    for name in "ab":
        (tmp_path / name).write_bytes(b"old")
    stage_files(tmp_path, [("a", b"new"), ("b", b"new")])
    kept = [("link", False)] if linked else [("link", False), ("copy2", False)]
    assert calls == [*kept, *kept, ("replace", True), ("replace", True)]


def test_what_a_move_needs_is_not_taken_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "_moving", threading.RLock())
    for name in "ab":
        (tmp_path / name).write_bytes(b"old")
    replace = os.replace

    def slow(*names: Any) -> None:
        if names[1] == tmp_path / "b":
            ending = threading.Thread(target=unfinished.undo_all, args=(0.01,))
            ending.start()
            ending.join()
            monkeypatch.setattr(os, "replace", replace)
            raise OSError("no such name")
        replace(*names)

    monkeypatch.setattr(os, "replace", slow)
    with pytest.raises(OutputError, match="no such name"):
        stage_files(tmp_path, [("a", b"new"), ("b", b"new")])
    assert contents(tmp_path) == {"a": b"old", "b": b"old"}


def test_a_linked_folder_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far/i").mkdir()
    for name, target in [("near", "far/i"), ("fresh", "far/new")]:
        (tmp_path / name).symlink_to(target)
        with fresh_folder(tmp_path / name) as building:
            (building / "x").write_bytes(b"new")
        stage_files(tmp_path / name, [("y", b"new")])
        assert (tmp_path / name).is_symlink()
        assert contents(tmp_path / target) == {"x": b"new", "y": b"new"}
    assert sorted(p.name for p in (tmp_path / "far").iterdir()) == ["i", "new"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("file", "a file is there"),
        ("circle", "Too many levels of symbolic links"),
        ("no/x", "the folder .*no does not exist"),
        ("n" * 305, "too long"),
        ("a\0b", "NUL"),
    ],
)
def test_a_name_where_no_folder_can_be_is_refused(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to("circle2")
    (tmp_path / "circle2").symlink_to("circle")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(OutputError, match=why), fresh_folder(tmp_path / name):
        raise AssertionError("work was spent")
    with pytest.raises(OutputError, match=why):
        stage_files(tmp_path / name, [("x", b"new")])
    assert sorted(os.listdir(tmp_path)) == before


def test_a_name_of_250_bytes_can_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 250)
    for text in (b"old", b"new"):
        with fresh_folder(path) as building:
            (building / "x").write_bytes(text)
    assert contents(tmp_path) == {path.name: b"", f"{path.name}/x": b"new"}


def test_files_of_a_stage_appear_together_in_several_folders(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with staged() as stage:
        stage.write(tmp_path / "a/x", b"1")
        stage.write(tmp_path / "y", b"22")
        assert not (tmp_path / "a/x").exists()
    assert (tmp_path / "a/x").read_bytes() == b"1"
    assert [size for _, size in stage.written] == [1, 2]


TWO_RUNS = """
import os, sys, time
from pathlib import Path
from embviz.outputs.folders import stage_files
replace = os.replace
def slow(*names):
    time.sleep(0.01)
    replace(*names)
os.replace = slow
sys.stdin.readline()
for _ in range(4):
    stage_files(Path("run"), [(f"{i % 2}/part-{i}", sys.argv[1].encode()) for i in range(8)])
"""


@pytest.mark.skipif(os.name == "nt", reason="no locks of folders there")
def test_of_two_runs_into_one_folder_all_files_are_of_one(tmp_path: Path) -> None:
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", TWO_RUNS, name], cwd=tmp_path, stdin=subprocess.PIPE
        )
        for name in ("a", "b")
    ]
    for run in runs:
        assert run.stdin is not None
        run.stdin.write(b"\n")
        run.stdin.flush()
    mixed = 0
    while any(run.poll() is None for run in runs):
        time.sleep(0.005)
        if (tmp_path / "run" / "1").is_dir():
            with alone_in(tmp_path / "run" / "0"), alone_in(tmp_path / "run" / "1"):
                files = [p.read_bytes() for p in (tmp_path / "run").glob("*/part-*")]
                mixed += len(set(files)) > 1
    assert [run.wait() for run in runs] == [0, 0]
    assert not mixed
    assert len({file.read_bytes() for file in (tmp_path / "run").rglob("part-*")}) == 1
    assert sorted(p.name for p in (tmp_path / "run").rglob("*")) == sorted(
        ["0", "1", *(f"part-{i}" for i in range(8))]
    )
