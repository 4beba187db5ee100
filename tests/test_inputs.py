"""Files of others: nothing is waited for without end, and what changes while it is read is told."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from embviz import inputs
from embviz.bookmarks import read_bookmarks
from embviz.commands.shared.settings import read_config
from embviz.errors import LoadError
from embviz.inputs import (
    changed_input,
    check_inputs,
    map_file,
    open_file,
    open_pipe,
    read_file,
    watch_inputs,
)
from embviz.loaders import list_tensors, load_table

unix = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")


@pytest.fixture
def watched() -> Iterator[None]:
    watch_inputs()
    yield
    inputs._watch.on = False
    inputs._watch.known.clear()


@pytest.fixture
def fifo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(inputs, "WAIT", 0.5)
    os.mkfifo(tmp_path / "p")
    return tmp_path / "p"


@unix
def test_a_pipe_that_nobody_writes_to_is_refused_after_a_while(fifo: Path) -> None:
    for read in (open_pipe, list_tensors, load_table, read_bookmarks, read_config):
        with pytest.raises(LoadError, match="a pipe that nobody writes to"):
            read(fifo)


@unix
@pytest.mark.parametrize("sent", [b"", b"x", b"some text" * 20_000])
@pytest.mark.parametrize("silent", [0.0, 0.8])
def test_a_pipe_is_read_whole_however_long_its_writer_is_silent(
    fifo: Path, sent: bytes, silent: float
) -> None:
    def write() -> None:
        with fifo.open("wb", buffering=0) as out:
            time.sleep(silent)
            for at in range(0, len(sent), 50_000):
                out.write(sent[at : at + 50_000])

    writer = threading.Thread(target=write)
    writer.start()
    with open_pipe(fifo) as pipe:
        assert pipe.read() == sent
    writer.join()


@unix
def test_a_pipe_where_a_file_is_meant_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p")
    with pytest.raises(LoadError, match="p: a pipe or device, where a file is needed"):
        open_file(tmp_path / "p")


@unix
@pytest.mark.parametrize("name", ["a.npy", "config.json", "model.safetensors", "a.index", "x.pt"])
def test_a_pipe_within_a_folder_does_not_hang(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(LoadError):
        list_tensors(tmp_path)


@unix
@pytest.mark.parametrize("part", ["embviz-index.json", "norms.bin", "vectors.bin"])
def test_a_pipe_for_a_part_of_an_index_does_not_hang(tmp_path: Path, part: str) -> None:
    import embviz

    embviz.build_index(embviz.EmbeddingTable(np.eye(5, dtype=np.float32)), tmp_path / "ix")
    (tmp_path / "ix" / part).unlink()
    os.mkfifo(tmp_path / "ix" / part)
    with pytest.raises(LoadError, match=part):
        load_table(tmp_path / "ix").label(0)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no such device here")
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full"])
def test_a_device_is_no_file(device: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.eye(4))
    for read in (
        lambda: read_file(Path(device), 1000),
        lambda: read_bookmarks(device),
        lambda: read_config(Path(device)),
        lambda: load_table(tmp_path / "x.npy", metadata=device),
        lambda: load_table(device),
    ):
        with pytest.raises(LoadError, match="device"):
            read()


def test_no_more_is_read_than_was_allowed(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x" * 10)
    assert read_file(tmp_path / "x", 10) == b"x" * 10
    with pytest.raises(LoadError, match="more than 9 bytes"):
        read_file(tmp_path / "x", 9)


@pytest.mark.usefixtures("watched")
def test_a_file_that_is_written_into_is_told_and_one_that_is_replaced_is_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"0123456789")
    open_file(path).close()
    assert changed_input() is None
    (tmp_path / "new").write_bytes(b"012345")
    os.replace(tmp_path / "new", path)
    assert changed_input() is None
    with pytest.raises(LoadError, match="x: changed while it was read"):
        open_file(path)


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"9876543210", "changed while it was read"),
        (b"0123456789a", "changed while it was read"),
        (b"012", "became shorter while it was read, 3 of 10 bytes are left"),
    ],
)
def test_other_content_in_the_same_file_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"0123456789")
    open_file(path).close()
    time.sleep(0.02)  # The system's clock of files has steps.
    path.write_bytes(content)
    with pytest.raises(LoadError, match=said):
        check_inputs()


@pytest.mark.usefixtures("watched")
def test_a_file_that_grows_by_its_nature_is_told_only_where_it_becomes_shorter(
    tmp_path: Path,
) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"0123456789")
    open_file(path, grows=True).close()
    path.write_bytes(b"0123456789a")
    assert changed_input() is None
    os.truncate(path, 5)
    assert "5 of 10 bytes" in str(changed_input())


def test_a_file_that_became_shorter_is_not_mapped(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"0123456789abcdef")
    assert map_file(tmp_path / "x", "<f4", 4, (3,)).tobytes() == b"456789abcdef"
    with pytest.raises(LoadError, match="became shorter while it was read"):
        map_file(tmp_path / "x", "<f4", 4, (4,))


@unix
@pytest.mark.parametrize("device", ["/dev/zero", ""])
def test_queries_from_a_device_or_a_silent_pipe_are_refused(fifo: Path, device: str) -> None:
    from embviz.commands.neighbors.batch import read_groups

    with pytest.raises(LoadError, match=r"device|nobody writes"):
        next(iter(read_groups(device or str(fifo), 10)))


def write_rows(path: Path, values: np.ndarray) -> None:
    """Write vectors in the format of the name, and perhaps labels."""
    if path.suffix == ".parquet":
        import pyarrow as pa
        from pyarrow import parquet

        lists = pa.array(values.tolist(), pa.list_(pa.float32()))
        parquet.write_table(pa.table({"emb": lists}), path, use_dictionary=False)
    else:
        pack = np.savez_compressed if path.name == "packed.npz" else np.savez
        pack(path, emb=values, word=values[:, 0].astype(str))


@pytest.mark.parametrize("name", ["x.parquet", "packed.npz", "stored.npz"])
def test_a_file_that_another_takes_the_place_of_gives_its_own_rows_or_none(
    tmp_path: Path, watched: None, name: str
) -> None:
    path, values = tmp_path / name, np.arange(400, dtype=np.float32).reshape(50, 8)
    write_rows(path, values)
    table = load_table(path)
    (tmp_path / "later").mkdir()
    write_rows(tmp_path / "later" / name, values + 1000)
    os.replace(tmp_path / "later" / name, path)
    try:
        found = np.asarray(table.vectors[0:50]).tolist()
    except LoadError as error:
        found = str(error)
    said = f"{path}: changed while it was read; run again when it is written"
    assert found in (said, values.tolist())
