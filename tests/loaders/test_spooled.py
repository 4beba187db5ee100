"""Standard input and pipes as sources and metadata."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest

from embviz import LoadError, ParameterError, list_tensors, load_table
from embviz.loaders.bytes import spooled

VECTORS = np.random.default_rng(5).normal(size=(20, 4)).astype(np.float32)
WORDS = tuple(f"w{i}" for i in range(20))
TEXT = "".join(",".join([w, *map(str, v)]) + "\n" for w, v in zip(WORDS, VECTORS, strict=True))
ARRAY = io.BytesIO()
np.save(ARRAY, VECTORS)
pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")


class Input(io.TextIOWrapper):
    def __init__(self, raw: bytes) -> None:
        super().__init__(io.BytesIO(raw))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands run and temporary files go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("raw", [TEXT.encode(), ARRAY.getvalue()], ids=["text", "array"])
def test_the_standard_input_is_a_source(
    folder: Path, raw: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Input(raw))
    table = load_table("-")
    np.testing.assert_array_equal(table.vectors, VECTORS)
    assert table.source == "-"
    assert table.name == "stdin"
    monkeypatch.setattr(sys, "stdin", Input(raw))
    assert list_tensors("-")[0].shape == (20, 4)


def test_what_is_kept_goes_when_it_is_not_needed_any_more(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Input(b"a"))
    path = spooled.as_file(Path("-"))
    assert (path.read_bytes(), str(path), path.suffix) == (b"a", "-", "")
    assert len(list(folder.glob("embviz-*/stdin"))) == 1
    del path
    assert not list(folder.glob("embviz-*"))


def test_the_standard_input_is_metadata(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save("x.npy", VECTORS)
    monkeypatch.setattr(sys, "stdin", Input("\n".join(WORDS).encode()))
    assert load_table("x.npy", metadata="-").metadata == {"label": WORDS}
    monkeypatch.setattr(sys, "stdin", Input(b"a\nb\n"))
    with pytest.raises(LoadError, match=r"^-: 2 rows of metadata for 20 points"):
        load_table("x.npy", metadata="-")


def test_the_standard_input_is_read_once(folder: Path) -> None:
    with pytest.raises(ParameterError, match="--metadata /dev/stdin: the standard input is read"):
        load_table("-", metadata="/dev/stdin")


def test_what_is_wrong_with_the_standard_input_is_told_by_its_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for raw, said in ((b"", "-: 0 bytes"), (ARRAY.getvalue()[:200], "-: cut off: 20 x 4")):
        monkeypatch.setattr(sys, "stdin", Input(raw))
        with pytest.raises(LoadError) as caught:
            load_table("-")
        assert str(caught.value).startswith(said)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(LoadError, match="-: the standard input is closed"):
        load_table("-")


def test_no_more_is_kept_than_there_is_room_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooled, "_MOST_BYTES", 500)
    monkeypatch.setattr(spooled, "_BLOCK_BYTES", 100)
    monkeypatch.setattr(sys, "stdin", Input(bytes(501)))
    with pytest.raises(LoadError, match=r"-: what comes does not fit into .*TMPDIR=FOLDER"):
        load_table("-")


@pipes
def test_a_named_pipe_is_read(folder: Path) -> None:
    os.mkfifo("p")
    np.save("x.npy", VECTORS)

    def fill(raw: bytes) -> threading.Thread:
        thread = threading.Thread(target=lambda: Path("p").write_bytes(raw))
        thread.start()
        return thread

    for raw, ask in (
        (TEXT.encode(), lambda: load_table("p")),
        ("\n".join(WORDS).encode(), lambda: load_table("x.npy", metadata="p")),
    ):
        thread = fill(raw)
        table = ask()
        thread.join()
        assert table.label(3) == "w3"
        del table


@pipes
def test_a_pipe_of_the_shell_is_read(folder: Path) -> None:
    (folder / "v.csv").write_text(TEXT)
    python = f"{sys.executable} -m embviz"
    commands = (
        f"cat v.csv | {python} info -",
        f"cat v.csv | {python} neighbors w3 --source /dev/stdin -k 1",
        f"{python} export <(cat v.csv) -o logdir",
    )
    script = "set -e -o pipefail; " + "; ".join(commands)
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    assert done.returncode == 0, done.stderr
    assert "20 × 4" in done.stdout.replace(" x ", " × ")
    assert load_table("logdir").label(7) == "w7"
    assert not list(folder.glob("embviz-*"))


def test_questions_and_vectors_are_not_both_read_from_the_standard_input(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "embviz", "neighbors", "--source", "-"],
        input=TEXT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "--source -: the standard input is read as the questions already" in done.stderr
