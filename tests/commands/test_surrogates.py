"""Labels and names that no UTF-8 holds: nothing stops at them, and all that is written is UTF-8."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from embviz.loaders import load_table

LONE = "w\udcff"
LABELS = [LONE, "\ud800x", "plain", "é", "🙂", "a\ud83d", *(f"w{i}" for i in range(6))]
VECTORS = np.random.default_rng(3).normal(size=(12, 5)).astype(np.float32)
ESCAPED = [label.encode("utf-8", "backslashreplace").decode() for label in LABELS]


def bash(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command line as a process, whose own streams encode what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "embviz", *arguments], cwd=folder, capture_output=True, timeout=100
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    done.stdout.decode("utf-8")
    done.stderr.decode("utf-8")
    return done


@pytest.fixture
def source(tmp_path: Path) -> str:
    np.savez(tmp_path / "x.npz", emb=VECTORS, word=np.array(LABELS))
    return "x.npz"


def test_the_page_holds_the_very_labels(tmp_path: Path, source: str) -> None:
    done = bash(tmp_path, "project", source, "--title", "t", "-o", "out.html")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "out.html").read_bytes().decode("utf-8")
    texts = [
        json.loads(gzip.decompress(base64.b64decode(block)))
        for block in re.findall(r">\s*(H4sI[A-Za-z0-9+/=]+)\s*<", page)
        if gzip.decompress(base64.b64decode(block))[:1] == b"["
    ]
    assert LABELS in texts


@pytest.mark.parametrize("style", ["text", "tsv", "json"])
def test_neighbors_answers_for_them(tmp_path: Path, source: str, style: str) -> None:
    done = bash(tmp_path, "neighbors", "0", "--source", source, "-k", "11", "--format", style)
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode("utf-8")
    if style == "json":
        (found,) = json.loads(shown)
        assert sorted(n["label"] for n in found["neighbors"]) == sorted(LABELS[1:])
    else:
        for label in ESCAPED[1:]:
            assert label in shown.replace("\\\\", "\\")


@pytest.mark.parametrize("name", ["a.tsv", "a.parquet", "a.npz"])
def test_neighbors_of_all_are_written(tmp_path: Path, source: str, name: str) -> None:
    assert bash(tmp_path, "neighbors", "--all", "--source", source, "-o", name).returncode == 0
    raw = (tmp_path / name).read_bytes()
    if name == "a.tsv":
        labels = {line.split("\t")[1] for line in raw.decode("utf-8").splitlines()[1:]}
        assert {label.replace("\\\\", "\\") for label in labels} == set(ESCAPED)


@pytest.mark.parametrize("option", ["--save-coordinates=c.tsv", "--save-coordinates=c.npz",
                                    "--figure=f.json", "--save-bookmark=b.json"])  # fmt: skip
def test_what_project_writes_beside_the_page_is_utf_8(
    tmp_path: Path, source: str, option: str
) -> None:
    done = bash(tmp_path, "project", source, "-o", "out.html", option)
    assert done.returncode == 0, done.stderr
    written = tmp_path / option.partition("=")[2]
    if written.suffix == ".npz":
        assert np.load(written)["labels"].tolist() == LABELS
        return
    text = written.read_bytes().decode("utf-8")
    if written.suffix == ".tsv":
        cells = [line.split("\t")[1].replace("\\\\", "\\") for line in text.splitlines()[1:]]
        assert cells == ESCAPED
    else:
        json.loads(text)


def test_export_writes_a_logdir_with_as_many_rows(tmp_path: Path, source: str) -> None:
    assert bash(tmp_path, "export", source, "-o", "log").returncode == 0
    table = load_table(tmp_path / "log")
    np.testing.assert_array_equal(table.vectors, VECTORS)
    (labels,) = table.metadata.values()
    assert [label.replace("\\\\", "\\") for label in labels] == ESCAPED


def test_an_index_keeps_them(tmp_path: Path, source: str) -> None:
    assert bash(tmp_path, "index", source, "-o", "idx").returncode == 0
    table = load_table(tmp_path / "idx")
    assert table.rows is not None
    (labels,) = table.metadata.values()
    assert [labels[i] for i in np.argsort(table.rows)] == LABELS
    assert bash(tmp_path, "neighbors", "0", "--source", "idx").returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="names are UTF-8 or UTF-16 there")
def test_a_file_whose_name_is_not_utf_8_is_used_as_any_other(tmp_path: Path) -> None:
    name = os.fsdecode(b"x\xff.npy")
    np.save(tmp_path / name, VECTORS)
    for arguments in (
        ["info", name],
        ["info", name, "--format", "json"],
        ["project", name, "-o", "out.html", "--figure", "f.json", "--save-bookmark", "b.json"],
        ["project", name, "-o", os.fsdecode(b"o\xfe.html")],
        ["neighbors", "0", "--source", name],
        ["neighbors", "0", "--source", name, "--format", "json"],
        ["export", name, "-o", "log"],
        ["index", name, "-o", os.fsdecode(b"idx\xff")],
        ["neighbors", "0", "--source", os.fsdecode(b"idx\xff"), "--format", "tsv"],
    ):
        done = bash(tmp_path, *arguments)
        assert done.returncode == 0, (arguments, done.stderr)
    for written in ("out.html", "f.json", "b.json", os.fsdecode(b"o\xfe.html")):
        (tmp_path / written).read_bytes().decode("utf-8")
    assert "x\\udcff" in (tmp_path / "out.html").read_text(encoding="utf-8")
    np.testing.assert_array_equal(load_table(tmp_path / "log").vectors, VECTORS)
    done = bash(tmp_path, "info", os.fsdecode(b"no\xff.npy"))
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert b"no\\udcff.npy" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="names are UTF-8 or UTF-16 there")
def test_thumbnails_whose_names_are_not_utf_8_are_packed(tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "img").mkdir()
    for i in range(12):
        name = os.fsdecode(b"i\xff%02d.png" % i)
        Image.new("RGB", (8, 8), (i, 0, 0)).save(tmp_path / "img" / name)
    assert bash(tmp_path, "sprite", "img", "-o", "s.png", "--labels", "l.tsv").returncode == 0
    np.save(tmp_path / "x.npy", VECTORS)
    done = bash(
        tmp_path, "project", "x.npy", "--images", "img", "-o", "out.html",
        "--save-coordinates", "c.tsv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "i\\udcff00" in (tmp_path / "c.tsv").read_bytes().decode("utf-8").replace("\\\\", "\\")
