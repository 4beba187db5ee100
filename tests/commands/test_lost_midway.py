"""Sources of every kind that are cut or rewritten in the midst of a command: one line, no trace."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

DATA = Path(__file__).parents[1] / "data"
HURT_AT = """
import os, sys
from embviz.cli import main
def hurt(frame, event, arg):
    code = frame.f_code
    if event == "call" and code.co_name == "{1}" and code.co_filename.endswith("{0}"):
        sys.setprofile(None)
        {2}
sys.argv = ["embviz", *{3}]
sys.setprofile(hurt)
sys.exit(main())
"""
ROWS = ("rows.py", "read_rows")
EMPTIED, CUT = 'os.truncate("{0}", 0)', 'os.truncate("{0}", os.path.getsize("{0}") // 2)'
GROWN = 'open("{0}", "ab").write(b"more")'
OTHERWISE = 'open("{0}", "r+b").write(b"otherwise")'


def copied(*names: str) -> Callable[[Path], str]:
    """Return what copies files of tests/data, the source first."""

    def make(folder: Path) -> str:
        for name in names:
            shutil.copy(DATA / name, folder)
        return Path(names[0]).name

    return make


def write_npy(folder: Path) -> str:
    np.save(folder / "x.npy", np.random.default_rng(0).normal(size=(300, 16)).astype("<f4"))
    return "x.npy"


def write_npz(folder: Path) -> str:
    values = np.random.default_rng(0).normal(size=(300, 16)).astype("<f4")
    np.savez(folder / "x.npz", emb=values, word=np.arange(300).astype(str))
    return "x.npz"


def write_arrow(folder: Path) -> str:
    import pyarrow as pa
    from pyarrow import feather

    lists = pa.array(np.ones((300, 8), np.float32).tolist(), pa.list_(pa.float32()))
    feather.write_feather(pa.table({"emb": lists}), folder / "x.feather", "uncompressed")
    return "x.feather"


def write_shards(folder: Path) -> str:
    (folder / "parts").mkdir()
    for i in range(3):
        np.save(folder / "parts" / f"{i}.npy", np.ones((40, 8), "<f4") * i)
    return "parts"


SOURCES = {
    "npz": (write_npz, "x.npz"),
    "pytorch": (copied("pytorch/state_dict.pt"), "state_dict.pt"),
    "pytorch-legacy": (copied("pytorch/legacy.pt"), "legacy.pt"),
    "safetensors": (copied("hugging_face/types.safetensors"), "types.safetensors"),
    "onnx": (copied("onnx/external.onnx", "onnx/external.onnx.data"), "external.onnx.data"),
    "hdf5": (copied("hdf5/plain.h5"), "plain.h5"),
    "word2vec": (copied("words/gensim.bin"), "gensim.bin"),
    "arrow": (write_arrow, "x.feather"),
    "folder": (write_shards, "parts/1.npy"),
}


def check(folder: Path, arguments: list[str], at: tuple[str, str], hurt: tuple[str, str]) -> None:
    """Run a command that hurts a file at the first call of a function, beside an older output."""
    (folder / "out").mkdir()
    (folder / "out" / "old").write_text("as it was")
    before = {path for path in folder.rglob("*") if path.is_file()}
    file, how = hurt
    script = HURT_AT.format(*at, how.format(file), arguments)
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, timeout=300
    )
    said = ran.stderr.splitlines()[-1]
    assert said.startswith("embviz: ")
    assert Path(file).name in said
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert {path for path in folder.rglob("*") if path.is_file()} == before
    assert (folder / "out" / "old").read_text() == "as it was"


@pytest.mark.parametrize("kind", SOURCES)
def test_a_source_of_any_kind_that_is_hurt_ends_a_command_in_one_line(
    tmp_path: Path, kind: str
) -> None:
    make, file = SOURCES[kind]
    source = make(tmp_path)
    how = (EMPTIED, CUT, OTHERWISE)[list(SOURCES).index(kind) % 3]
    check(tmp_path, ["export", source, "-o", "out/log"], ROWS, (file, how))


def test_vectors_that_are_cut_while_tsne_descends_end_it(tmp_path: Path) -> None:
    arguments = ["project", write_npy(tmp_path), "--method", "tsne", "-o", "out/page.html"]
    check(tmp_path, arguments, ("projections/tsne.py", "_run"), ("x.npy", CUT))


BESIDE = {
    "metadata": (["--metadata", "m.tsv"], "m.tsv", GROWN),
    "sheet": (["--sprite", "s.png", "--sprite-size", "4x4"], "s.png", EMPTIED),
    "image": (["--images", "images"], "images/007.png", CUT),
    "bookmarks": (["--bookmark", "b.json"], "b.json", OTHERWISE),
}


@pytest.mark.parametrize(("options", "file", "how"), BESIDE.values(), ids=BESIDE.keys())
def test_what_is_named_beside_a_source_and_hurt_ends_a_command(
    tmp_path: Path, options: list[str], file: str, how: str
) -> None:
    from PIL import Image

    lines = "".join(f"word{i}\t{i}\n" for i in range(300))
    (tmp_path / "m.tsv").write_text(f"word\tn\n{lines}")
    (tmp_path / "images").mkdir()
    Image.new("L", (80, 60), 9).save(tmp_path / "s.png")
    for i in range(300 if "--images" in options else 0):
        Image.new("L", (4, 4), i % 200).save(tmp_path / "images" / f"{i:03}.png")
    (tmp_path / "b.json").write_text('[{"label": "a", "selectedProjection": "pca"}]')
    arguments = ["project", write_npy(tmp_path), *options, "-o", "out/page.html"]
    check(tmp_path, arguments, ("report/page.py", "encode_report"), (file, how))


def test_the_other_side_of_a_comparison_is_watched_too(tmp_path: Path) -> None:
    write_npy(tmp_path)
    shutil.copy(tmp_path / "x.npy", tmp_path / "y.npy")
    arguments = ["compare", "x.npy", "y.npy", "-o", "out/page.html"]
    check(tmp_path, arguments, ROWS, ("y.npy", EMPTIED))


WORKER = """
import os, sys
from embviz.shards import files
if __name__ == "__main__":
    from embviz.cli import main
    sys.argv = ["embviz", "project", "parts/*.npy", "--sample", "50", "--place-all", "out/placed",
                "-o", "out/page.html", "--scheduler", "processes:1"]
    sys.exit(main())
opened = files.open_rows
def cut(path, *more):
    rows = opened(path, *more)
    os.truncate(path, 0)
    return rows
files.open_rows = cut
"""


@pytest.mark.skipif(os.name != "posix", reason="an open file cannot be cut here")
def test_a_worker_that_dies_of_lost_pages_is_not_started_for_ever(tmp_path: Path) -> None:
    write_shards(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "run.py").write_text(WORKER)
    ran = subprocess.run(
        [sys.executable, "run.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert ran.stderr.splitlines()[-1].startswith("embviz: parts/")
    # What a worker that is started anew finds may come first.
    assert re.search("became shorter|: 0 bytes", ran.stderr)
    assert not list((tmp_path / "out").iterdir())
