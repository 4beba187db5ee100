"""`embviz index` and asking what it wrote."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """6,000 points in 200 groups, x.npy with two columns in x.tsv, and their index idx."""
    folder = tmp_path_factory.mktemp("made")
    group = np.arange(6000) % 200
    centers = RNG.normal(size=(200, 16)) * 3
    vectors = (centers[group] + RNG.normal(size=(6000, 16))).astype(np.float32)
    np.save(folder / "x.npy", vectors)
    lines = "".join(f"w{i}\t{g}\n" for i, g in enumerate(group.tolist()))
    (folder / "x.tsv").write_text("word\tgroup\n" + lines)
    command = ["index", "x.npy", "--metadata", "x.tsv", "-o", "idx"]
    subprocess.run([sys.executable, "-m", "embviz", *command], cwd=folder, check=True)
    return folder


@pytest.fixture
def words(made: Path, tmp_path: Path) -> Path:
    """The points without an index."""
    for name in ("x.npy", "x.tsv"):
        shutil.copy(made / name, tmp_path)
    return tmp_path


@pytest.fixture
def indexed(made: Path, words: Path) -> Path:
    """The points with their index."""
    shutil.copytree(made / "idx", words / "idx")
    return words


def answered(ran: Any) -> list[list[str]]:
    assert ran.status == 0, ran.stderr
    return [line.split("\t") for line in ran.stdout.splitlines()[1:]]


def test_an_index_answers_as_its_source_does(run: Any, words: Path) -> None:
    made = run("index", "x.npy", "--metadata", "x.tsv", "-o", "idx")
    assert made.status == 0, made.stderr
    assert "6,000 points of 16 dimensions in 155 cells" in made.stderr
    plain = ("--source", "x.npy", "--metadata", "x.tsv", "--column", "group")
    for words_asked in (["w17"], ["w17", "w5999"], ["w3 - w4 + w5"], ["123"]):
        exact = answered(run("neighbors", *words_asked, *plain))
        read = answered(run("neighbors", *words_asked, "--exact", "--column", "group"))
        assert read == exact
        found = answered(run("neighbors", *words_asked, "--recall", "0.999", "--column", "group"))
        assert len({tuple(r) for r in found} & {tuple(r) for r in exact}) >= 0.8 * len(exact)
    for more in (["--farthest"], ["--select", "group:17"], ["--metric", "euclidean", "--exact"]):
        exact = answered(run("neighbors", "w17", *plain, *more))
        assert answered(run("neighbors", "w17", "--column", "group", *more)) == exact


def test_what_was_read_and_its_recall_are_told(run: Any, indexed: Path) -> None:
    ran = run("neighbors", "w17", "--recall", "0.9", "--format", "json")
    assert "of 155 cells are read, recall 0.9" in ran.stderr
    assert 0.9 <= json.loads(ran.stdout)[0]["recall"] < 1
    other = run("neighbors", "w17", "--metric", "euclidean")
    assert "made for cosine, so every vector is read" in other.stderr


def test_an_unknown_label_of_an_index_is_refused_with_the_closest(run: Any, indexed: Path) -> None:
    ran = run("neighbors", "w599x")
    assert (ran.status, ran.stdout) == (2, "")
    assert "close to it: w599" in ran.stderr


DAMAGE = [
    *((part, "changed") for part in ("points", "places", "norms", "bounds", "centers", "mean")),
    *((part, "changed") for part in ("sorted", "checksums", "column-0-text", "column-1-ends")),
    *(("vectors", damage) for damage in ("changed", "cut", "missing")),
    *(("sorted", damage) for damage in ("cut", "missing")),
]


@pytest.mark.parametrize(("part", "damage"), DAMAGE)
def test_a_damaged_part_is_refused_by_name(run: Any, indexed: Path, part: str, damage: str) -> None:
    file = indexed / "idx" / f"{part}.bin"
    raw = bytearray(file.read_bytes())
    if damage == "missing":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(raw[: len(raw) // 2])
    else:
        raw[len(raw) // 2] ^= 1
        file.write_bytes(raw)
    for ran in (run("neighbors", "w17"), run("index", "idx", "--verify")):
        assert (ran.status, ran.stdout) == (1, "")
        assert f"{part}.bin" in ran.stderr
        assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace('"version": 1', '"version": 2'), "format version 2"),
        (lambda text: text.replace('"n_cells": 155', '"n_cells": 154'), "checksum is wrong"),
        (lambda text: text[: len(text) // 2], "not JSON"),
        (lambda text: '{"format": "else"}', "not the manifest"),
    ],
)
def test_a_manifest_that_is_not_ours_is_refused(
    run: Any, words: Path, change: Any, told: str
) -> None:
    run("index", "x.npy", "-o", "idx")
    file = words / "idx/embviz-index.json"
    file.write_text(change(file.read_text()))
    ran = run("neighbors", "17", "--source", "idx")
    assert ran.status == 1
    assert told in ran.stderr
    assert "embviz-index.json" in ran.stderr


def test_points_are_added_and_found(run: Any, words: Path) -> None:
    vectors = np.load(words / "x.npy")
    np.save(words / "a.npy", vectors[:5500])
    np.save(words / "b.npy", vectors[5500:])
    lines = (words / "x.tsv").read_text().splitlines(keepends=True)
    (words / "a.tsv").write_text("".join(lines[:5501]))
    (words / "b.tsv").write_text("".join([lines[0], *lines[5501:]]))
    run("index", "a.npy", "--metadata", "a.tsv", "-o", "idx")
    added = run("index", "b.npy", "--metadata", "b.tsv", "-o", "idx", "--append")
    assert "6,000 points" in added.stderr, added.stderr
    plain = ("--source", "x.npy", "--metadata", "x.tsv")
    for word in ("w17", "w5517", "w5999", "5999"):
        exact = answered(run("neighbors", word, *plain))
        assert answered(run("neighbors", word, "--exact", "--source", "idx")) == exact
        assert len(answered(run("neighbors", word, "--source", "idx"))) == 10
    assert run("index", "idx", "--verify").status == 0
    np.save(words / "wide.npy", np.zeros((5, 17), np.float32))
    refused = run("index", "wide.npy", "-o", "idx", "--append")
    assert "17 dimensions where the points of idx have 16" in refused.stderr
    unnamed = run("index", "b.npy", "-o", "idx", "--append")
    assert "its columns are none, those of idx are word, group" in unnamed.stderr
    assert run("neighbors", "w5999", "--source", "idx").status == 0


def test_a_changed_source_is_told(run: Any, indexed: Path) -> None:
    assert "has changed" not in run("neighbors", "w17").stderr
    np.save(indexed / "x.npy", np.load(indexed / "x.npy")[::-1])
    ran = run("neighbors", "w17", "--source", "idx")
    assert ran.status == 0
    assert "x.npy has changed since this index was built" in ran.stderr


def test_only_an_index_is_replaced(run: Any, words: Path) -> None:
    (words / "mine").mkdir()
    (words / "mine/notes.txt").write_text("keep")
    ran = run("index", "x.npy", "-o", "mine")
    assert ran.status == 1
    assert "a folder with other things in it" in ran.stderr
    assert (words / "mine/notes.txt").read_text() == "keep"
    assert "a file is there" in run("index", "x.npy", "-o", "x.tsv").stderr
    assert "the folder no does not exist" in run("index", "x.npy", "-o", "no/idx").stderr
    assert run("index", "x.npy", "-o", "idx").status == 0
    assert run("index", "x.npy", "--metadata", "x.tsv", "-o", "idx").status == 0
    assert len(answered(run("neighbors", "w17"))) == 10
    assert sorted(p.name for p in words.iterdir()) == ["idx", "mine", "x.npy", "x.tsv"]


def test_bad_rows_are_counted_and_nothing_is_left(run: Any, words: Path) -> None:
    vectors = np.load(words / "x.npy")
    vectors[[7, 9], 3] = np.inf
    np.save(words / "x.npy", vectors)
    ran = run("index", "x.npy", "--metadata", "x.tsv", "-o", "idx")
    assert ran.status == 1
    assert "2 of 6000 rows hold NaN or infinity, the first is row 7" in ran.stderr
    assert sorted(p.name for p in words.iterdir()) == ["x.npy", "x.tsv"]
    assert run("index", "x.npy", "--metadata", "x.tsv", "-o", "idx", "--drop-nonfinite").status == 0
    rows = answered(run("neighbors", "w10", "--exact", "--source", "idx"))
    assert all(row[1] == f"w{row[2]}" for row in rows)
    assert answered(run("neighbors", "10", "--exact", "--source", "idx"))[0][2] == rows[0][2]
    assert run("neighbors", "7", "--source", "idx").status == 2


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("stop", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_an_interrupted_builder_leaves_nothing_that_looks_complete(
    run: Any, tmp_path: Path, stop: str
) -> None:
    np.save(tmp_path / "big.npy", RNG.normal(size=(60_000, 64)).astype(np.float32))
    building = subprocess.Popen(
        [sys.executable, "-m", "embviz", "index", "big.npy", "-o", "idx"],
        cwd=tmp_path, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for _ in range(600):
        if list(tmp_path.glob(".idx.building-*/centers.bin")):
            break
        time.sleep(0.05)
    building.send_signal(getattr(signal, stop))
    assert building.wait(60) != 0
    assert not (tmp_path / "idx").exists()
    assert not list(tmp_path.glob("*/embviz-index.json"))
    if stop != "SIGKILL":
        assert not list(tmp_path.glob(".idx*"))
    np.save(tmp_path / "small.npy", np.eye(5, dtype=np.float32))
    assert run("index", "small.npy", "-o", "idx").status == 0
    assert not list(tmp_path.glob(".idx*"))


def test_of_two_builders_one_whole_index_stays(run: Any, words: Path) -> None:
    command = [sys.executable, "-m", "embviz", "index", "x.npy", "--metadata", "x.tsv", "-o", "idx"]
    both = [
        subprocess.Popen([*command, "--seed", seed], cwd=words, stderr=subprocess.PIPE, text=True)
        for seed in "12"
    ]
    for builder in both:
        assert builder.communicate(timeout=120)[1].startswith("Wrote")
        assert builder.returncode == 0
    assert run("index", "idx", "--verify").status == 0
    assert len(answered(run("neighbors", "w17"))) == 10
    assert sorted(p.name for p in words.iterdir()) == ["idx", "x.npy", "x.tsv"]


def test_a_second_process_cannot_add_at_the_same_time(run: Any, indexed: Path) -> None:
    from embviz.outputs.locks import locked

    with locked(indexed / "idx"):
        ran = run("index", "x.npy", "--metadata", "x.tsv", "-o", "idx", "--append")
    assert ran.status == 1
    assert "another process is writing to it" in ran.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_a_full_disk_is_told_and_leaves_nothing(
    words: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    import embviz
    from embviz.neighbors.index import writer as index_writer

    monkeypatch.chdir(words)
    whole = index_writer.PartWriter.write
    table = embviz.load_table("x.npy", metadata="x.tsv")
    written = 0

    def write(self: Any, rows: Any) -> None:
        nonlocal written
        written += rows.nbytes
        if written > 200_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        whole(self, rows)

    built = embviz.build_index(table, "idx")
    monkeypatch.setattr(index_writer.PartWriter, "write", write)
    with pytest.raises(embviz.OutputError, match="No space left"):
        embviz.build_index(table, "idx2")
    written = 0
    with pytest.raises(embviz.OutputError, match="No space left"):
        embviz.append_rows(table, "idx")
    assert sorted(p.name for p in words.iterdir()) == ["idx", "x.npy", "x.tsv"]
    assert embviz.open_index("idx").n_points == built.n_points
    embviz.open_index("idx").verify()


def test_an_index_is_a_source_of_vectors_with_their_labels(run: Any, indexed: Path) -> None:
    import embviz

    table = embviz.load_table(indexed / "idx")
    vectors = np.load(indexed / "x.npy")
    assert table.rows is not None
    np.testing.assert_array_equal(np.asarray(table.vectors), vectors[table.rows])
    assert table.metadata["word"] == tuple(f"w{i}" for i in table.rows.tolist())
    assert run("info", "idx").stdout.split()[:4] == ["*", "x", "6000", "×"]


def test_an_answer_needs_nothing_heavy_but_numpy(indexed: Path) -> None:
    code = (
        "import sys; from embviz.cli import main;"
        " main(['neighbors', 'w17', '--source', 'idx', '-k', '2']);"
        " print(*sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=indexed, capture_output=True, text=True, check=True
    )
    loaded = set(ran.stdout.splitlines()[-1].split())
    assert not loaded & {"faiss", "scipy", "sklearn", "ml_dtypes", "PIL", "jinja2", "numpy.ma"}
    assert "numpy" in loaded


def test_a_manifest_made_up_with_a_right_checksum_is_refused(run: Any, indexed: Path) -> None:
    from embviz.neighbors.index.files import crc32c

    file = indexed / "idx/embviz-index.json"
    whole = json.loads(file.read_text())
    del whole["crc32c"]
    for key, value in (
        ("n_cells", -5),
        ("segments", [6001, -1]),
        ("unit", 0),
        ("metric", "taxi"),
        ("columns", ["word"] * 9),
        ("parts", {}),
        ("recall", {"sample": 1, "cells": [10**9], "shares": {"10": [1.0]}, "rows": [1.0]}),
    ):
        made = {**whole, key: value}
        text = json.dumps(made, sort_keys=True)
        file.write_text(json.dumps({**made, "crc32c": crc32c(text.encode())}))
        ran = run("neighbors", "w17", "--source", "idx")
        assert (ran.status, ran.stdout) == (1, ""), key
        assert "embviz-index.json: damaged" in ran.stderr
        assert "Traceback" not in ran.stderr


def test_what_is_left_of_a_half_copied_index_is_named(run: Any, words: Path) -> None:
    run("index", "x.npy", "-o", "idx")
    (words / "idx/embviz-index.json").unlink()
    for command in (("neighbors", "5", "--source", "idx"), ("info", "idx")):
        ran = run(*command)
        assert ran.status == 1
        assert "a part of a neighbor index: embviz-index.json is not there" in ran.stderr
    assert "x.npy: no neighbor index" in run("index", "x.npy", "--verify").stderr
    assert run("index", "x.npy", "-o", "idx").status == 0


def test_an_index_with_other_things_beside_it_is_not_replaced(run: Any, words: Path) -> None:
    run("index", "x.npy", "-o", "idx")
    (words / "idx/notes.txt").write_text("keep")
    ran = run("index", "x.npy", "-o", "idx")
    assert (ran.status, "a folder with other things in it (notes.txt)" in ran.stderr) == (1, True)
    assert (words / "idx/notes.txt").read_text() == "keep"


@pytest.mark.skipif(os.name == "nt", reason="an open folder cannot be replaced there")
def test_a_builder_waits_for_an_addition_to_what_it_replaces(indexed: Path) -> None:
    from embviz.outputs.locks import locked

    command = [sys.executable, "-m", "embviz", "index", "x.npy", "-o", "idx"]
    manifest = indexed / "idx/embviz-index.json"
    before = manifest.read_bytes()
    with locked(indexed / "idx"):
        builder = subprocess.Popen(command, cwd=indexed, stderr=subprocess.PIPE, text=True)
        assert builder.stderr is not None
        assert builder.stderr.readline() == ("idx: waiting for another process that adds to it\n")
        assert manifest.read_bytes() == before
    builder.communicate(timeout=60)
    assert builder.returncode == 0
    assert manifest.read_bytes() != before
    assert sorted(p.name for p in indexed.iterdir()) == ["idx", "x.npy", "x.tsv"]
