"""docs/python.md and the README's tour run, and make what the commands beside them make."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.M | re.S)
# Runs the pairs in one process, each side in a folder of its own; says what each printed.
RUN = """
import contextlib, io, json, logging, os, shlex, sys
import embviz, numpy
import embviz.pictures.digits as digits
from embviz.cli import main
# The demo's 1,797 digits take a quarter of a minute; what is done with them is the same for few.
few = digits.load_digits_table().take(numpy.arange(150))
digits.load_digits_table = embviz.load_digits_table = lambda: few
steps, folders, namespace, said = json.load(sys.stdin), sys.argv[1:], {}, []
for kind, text in steps:
    os.chdir(folders[kind == 'python'])
    out = io.TextIOWrapper(io.BytesIO(), encoding='utf-8')
    with contextlib.redirect_stdout(out):
        if kind == 'python':
            exec(text, namespace)
        else:
            for line in text.splitlines():
                assert main(shlex.split(line)[1:]) == 0, line
    out.flush()
    said.append(out.buffer.getvalue().decode('utf-8'))
print(json.dumps(said))
"""


def blocks(path: Path) -> list[tuple[str, str]]:
    """The commands and the Python of a document, in order."""
    return [(kind, text) for kind, text in BLOCK.findall(path.read_text(encoding="utf-8"))]


def make_files(folder: Path) -> None:
    """The small files that the documents speak of."""
    folder.mkdir()
    vectors = np.random.default_rng(6).normal(size=(120, 8)).astype(np.float32)
    np.save(folder / "words.npy", vectors)
    np.save(folder / "other.npy", vectors + np.roll(vectors, 1, axis=1) / 4)
    np.save(folder / "map.npy", vectors[:, :2])
    words = ["worst", "best", "king", *(f"w{i}" for i in range(117))]
    lines = ["word\tkind", *(f"{w}\t{'ab'[i % 2]}" for i, w in enumerate(words))]
    (folder / "words.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "images").mkdir()
    for i in range(120):
        Image.new("L", (8, 8), 2 * i).save(folder / f"images/{i}.png")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the pairs of the document printed, and the two folders that they left."""
    place = tmp_path_factory.mktemp("docs")
    folders = {kind: place / kind for kind in ("sh", "python")}
    for folder in folders.values():
        make_files(folder)
    steps = blocks(ROOT / "docs/python.md")
    ran = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, folders.values())],
        input=json.dumps(steps),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    said = json.loads(ran.stdout)
    return {"steps": steps, "said": said, **folders}


def test_every_command_stands_beside_its_python(done: dict[str, Any]) -> None:
    kinds = [kind for kind, _ in done["steps"]]
    assert kinds == ["python", *["sh", "python"] * (len(kinds) // 2)]
    commands = {
        line.split()[1]
        for kind, t in done["steps"]
        if kind == "sh"
        for line in t.split("\n")
        if line
    }
    assert commands == {
        "project",
        "export",
        "index",
        "neighbors",
        "info",
        "sprite",
        "demo",
        "compare",
    }


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, a page without the note of the command that made it."""
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*"))
             if p.is_file()}  # fmt: skip
    note = re.compile(rb'"command":"(?:[^"\\]|\\.)*"')
    return {n: note.sub(b'"command":""', b) if n.endswith(".html") else b for n, b in found.items()}


def test_python_makes_the_bytes_that_the_commands_make(done: dict[str, Any]) -> None:
    made, wanted = files_of(done["python"]), files_of(done["sh"])
    assert sorted(made) == sorted(wanted)
    assert len([name for name in made if name.endswith(".html")]) >= 7
    assert [name for name in made if made[name] != wanted[name]] == []


def test_python_finds_the_neighbors_that_the_commands_print(done: dict[str, Any]) -> None:
    pairs = list(zip(done["said"][1::2], done["said"][2::2], strict=True))
    asked = [(shown, found) for shown, found in pairs if found.startswith("best\t")]
    ((shown, found),) = asked
    lines = [line for line in shown.splitlines() if not line.startswith("query\t")]
    # A way has a column more.
    assert ["\t".join(line.split("\t")[:4]) for line in lines] == found.splitlines()
    assert len(lines) == 12


def test_the_tour_of_the_readme_runs(tmp_path: Path) -> None:
    make_files(tmp_path / "x")
    python = [text for kind, text in blocks(ROOT / "README.md") if kind == "python"]
    assert python
    ran = subprocess.run(
        [sys.executable, "-c", "\n".join(python)],
        cwd=tmp_path / "x",
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert len(list((tmp_path / "x").glob("*.html"))) == len(python)
