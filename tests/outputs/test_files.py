"""A file is written whole or not at all, whatever stands under its name."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from embviz.errors import OutputError
from embviz.outputs import files
from embviz.outputs.files import check_output, fresh_file, write_file


def listing(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_file_is_written_in_parts_and_its_size_returned(tmp_path: Path) -> None:
    assert write_file(tmp_path / "x", (b"a" * n for n in range(4))) == 6
    assert (tmp_path / "x").read_bytes() == b"a" * 6
    assert listing(tmp_path) == ["x"]


def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"old")

    def parts() -> Iterator[bytes]:
        yield b"new"
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        write_file(tmp_path / "x", parts())
    assert (tmp_path / "x").read_bytes() == b"old"
    assert listing(tmp_path) == ["x"]


def test_an_interrupted_move_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    (tmp_path / "x").write_bytes(b"old")
    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_file(tmp_path / "x", b"new")
    assert (tmp_path / "x").read_bytes() == b"old"
    assert listing(tmp_path) == ["x"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_permissions_are_kept_and_new_ones_follow_the_umask(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"old")
    (tmp_path / "x").chmod(0o664)
    earlier = os.umask(0o027)
    try:
        write_file(tmp_path / "x", b"new")
        write_file(tmp_path / "y", b"new")
    finally:
        os.umask(earlier)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o664
    assert stat.S_IMODE((tmp_path / "y").stat().st_mode) == 0o640


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_written_through(tmp_path: Path, there: bool) -> None:
    (tmp_path / "far").mkdir()
    if there:
        (tmp_path / "far/x").write_bytes(b"old")
    (tmp_path / "near").symlink_to("middle")
    (tmp_path / "middle").symlink_to("far/x")
    write_file(tmp_path / "near", b"new")
    assert (tmp_path / "near").is_symlink()
    assert (tmp_path / "middle").is_symlink()
    assert (tmp_path / "far/x").read_bytes() == b"new"
    assert listing(tmp_path) == ["far", "middle", "near"]
    assert listing(tmp_path / "far") == ["x"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("folder", "is a folder"),
        ("to_folder", "is a folder"),
        ("circle", "Too many levels of symbolic links"),
        ("no/x", "the folder .*no does not exist"),
        ("to_nowhere", "the folder .*gone does not exist"),
        ("file/x", "Not a directory|does not exist"),
        ("n" * 305, "too long"),
        ("a\0b", "NUL"),
    ],
)
def test_a_name_that_cannot_be_written_is_refused_beforehand(
    tmp_path: Path, name: str, why: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "to_folder").symlink_to("folder")
    (tmp_path / "circle").symlink_to("circle2")
    (tmp_path / "circle2").symlink_to("circle")
    (tmp_path / "to_nowhere").symlink_to("gone/x")
    before = listing(tmp_path)
    for write in (check_output, lambda path: write_file(path, b"new")):
        with pytest.raises(OutputError, match=why):
            write(tmp_path / name)
    assert listing(tmp_path) == before


def test_a_name_of_255_bytes_is_written(tmp_path: Path) -> None:
    name = "é" * 127 + "x"
    assert len(os.fsencode(name)) == 255
    write_file(tmp_path / name, b"new")
    assert listing(tmp_path) == [name]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_takes_the_bytes_and_stays_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    assert write_file(tmp_path / "pipe", b"new" * 100_000) == 300_000
    reader.join(10)
    assert read == [b"new" * 100_000]
    assert (tmp_path / "pipe").is_fifo()
    assert listing(tmp_path) == ["pipe"]


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="needs /dev/fd")
def test_an_open_file_takes_the_bytes_where_it_stands(tmp_path: Path) -> None:
    with (tmp_path / "x").open("wb") as out:
        out.write(b"before ")
        out.flush()
        write_file(Path(f"/dev/fd/{out.fileno()}"), b"new")
    assert (tmp_path / "x").read_bytes() == b"before new"
    with pytest.raises(OutputError, match="is closed"):
        check_output(Path("/dev/fd/987"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_a_full_device_is_told() -> None:
    with pytest.raises(OutputError, match="No space left"):
        write_file(Path("/dev/full"), b"new")


def test_a_file_that_may_not_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").write_bytes(b"old")
    # Whoever runs the tests as root may write everything.
    monkeypatch.setattr(files.os, "access", lambda path, mode: Path(path).name != "x")
    with pytest.raises(OutputError, match="is write-protected"):
        write_file(tmp_path / "x", b"new")
    monkeypatch.setattr(files.os, "access", lambda path, mode: Path(path) != tmp_path)
    with pytest.raises(OutputError, match="cannot be written"):
        write_file(tmp_path / "x", b"new")
    assert (tmp_path / "x").read_bytes() == b"old"


def test_nothing_is_seen_under_the_name_before_all_is_there(tmp_path: Path) -> None:
    with fresh_file(tmp_path / "x") as out:
        out.write(b"part")
        out.flush()
        assert not (tmp_path / "x").exists()
    assert (tmp_path / "x").read_bytes() == b"part"


KILLED = """
import os, signal, sys
from pathlib import Path
from embviz.outputs.{} import {}
with {} as out:
    {}
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name == "nt", reason="nothing can be held there")
@pytest.mark.parametrize(
    ("module", "name", "call", "write"),
    [
        ("files", "fresh_file", 'fresh_file(Path("a.tsv"))', 'out.write(b"half"); out.flush()'),
        ("folders", "staged", "staged()", 'out.write(Path("a.tsv"), b"half")'),
    ],
)
def test_what_a_killed_run_left_is_removed_by_the_next_and_by_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, name: str, call: str, write: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.tsv").write_bytes(b"old")
    others = [".a.tsv.0123456", ".a.tsv.0123456g", ".b.tsv.01234567", ".a.tsv.dir-01234567"]
    for other in others:
        Path(other).write_bytes(b"kept")
    script = KILLED.format(module, name, call, write)
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=False)
    assert len(list(tmp_path.iterdir())) == len(others) + 2
    assert Path("a.tsv").read_bytes() == b"old"
    with fresh_file(Path("a.tsv")) as first:
        first.write(b"first")
        first.flush()
        write_file(Path("a.tsv"), b"second")  # Another run meanwhile, which leaves ours alone.
    assert Path("a.tsv").read_bytes() == b"first"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*others, "a.tsv"])
