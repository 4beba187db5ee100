"""The same commands twice, in two places that differ in all that should not matter: equal files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import embviz
from embviz.cli import COMMANDS

N = 1200  # So many that t-SNE shares its work among threads.
WORDS = "--metadata m.tsv"
LINES = [
    f"project x.npy {WORDS} --method tsne --method umap --iterations 40 --axis =a =b"
    " --color-by kind -o all.html --preview all.png --preview-dark dark.png --summary all.md"
    " --save-coordinates all.npz --figure all.json --save-bookmark view.json",
    f"project x.npy {WORDS} --method tsne --perplexity 5,40 --dims 2 --dims 3 --iterations 40"
    " --sample 1100 --seed 3 -o part.html --save-coordinates part.tsv",
    f"project x.npy y.npy --steps all {WORDS} --method tsne --iterations 40 -o run.html"
    " --save-coordinates run.npz",
    "project images.npy --images images --images-linked -o images.html",
    f"compare x.npy y.npy {WORDS} --group-by kind --method tsne --iterations 40 -o both.html"
    " --save-changes both.tsv --preview both.png --summary both.md",
    "sprite images -o sheet.png --labels names.tsv",
    "sprite images -o sheet.webp --quality 70",
    f"index x.npy {WORDS} --label-by word -o index",
    f"export x.npy {WORDS} --projection tsne --axis =a =b -o log",
    f"neighbors --source x.npy {WORDS} --all -k 5 -o near.npz",
    f"neighbors --source x.npy {WORDS} --all -k 5 -o near.tsv",
    "info x.npy",
    "demo -o demo.html",
]
RUN = """
import json, os, shlex, sys
umask, lines = json.load(sys.stdin)
os.umask(umask)
import embviz
from embviz.cli import main
from embviz.snapshots import as_table, encode_reference, make_reference
import numpy as np
for line in lines:
    status = main([*shlex.split(line), "--json"])
    assert status == 0, line
with open("reference.npz", "wb") as out:
    out.write(encode_reference(make_reference(as_table(np.load("x.npy")))))
print(os.fsencode(embviz.__file__).hex(), file=sys.stderr)
"""


def make_inputs(folder: Path) -> None:
    """Write the same files anew."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    kinds = rng.integers(12, size=N)
    vectors = 2 * rng.normal(size=(12, 40))[kinds] + rng.normal(size=(N, 40))
    np.save(folder / "x.npy", vectors.astype(np.float32))
    moved = vectors + rng.normal(size=vectors.shape) / 2
    np.save(folder / "y.npy", moved.astype(np.float32))
    names = ["a", "b", *(f"wört {i}" for i in range(N - 2))]
    rows = [f"{name}\tk{kind}\n" for name, kind in zip(names, kinds, strict=True)]
    (folder / "m.tsv").write_text("word\tkind\n" + "".join(rows), encoding="utf-8")
    np.save(folder / "images.npy", vectors[:30].astype(np.float32))
    (folder / "images").mkdir()
    # In another order on the disk the second time.
    for i in range(30)[:: 1 if folder.name == "first" else -1]:
        pixels = np.random.default_rng(i).integers(0, 256, (20 + i % 3, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"images/é{i:02}.png")


def written(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def run_in(folder: Path, checkout: Path, threads: int, umask: int, **more: str) -> tuple[Any, Any]:
    """Run all lines; return what was written and what was printed."""
    make_inputs(folder)
    before = set(written(folder))
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "EMBVIZ"))}
    limits = {f"{name}_NUM_THREADS": str(threads) for name in ("OMP", "OPENBLAS", "NUMBA", "MKL")}
    ran = subprocess.run(
        [sys.executable, "-P", "-c", RUN],
        cwd=folder,
        env={**kept, **limits, "PYTHONPATH": str(checkout), **more},
        input=json.dumps([umask, LINES]),
        capture_output=True,
        encoding="utf-8",
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    imported = bytes.fromhex(ran.stderr.splitlines()[-1])
    assert imported == os.fsencode(checkout / "embviz/__init__.py")
    printed, rest = [], ran.stdout
    while rest:
        found, end = json.JSONDecoder().raw_decode(rest)
        printed.append(found)
        rest = rest[end:].lstrip()
    return {k: v for k, v in written(folder).items() if k not in before}, printed


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, Any]]:
    """What two places wrote and printed."""
    root = tmp_path_factory.mktemp("equal")
    checkout = Path(embviz.__file__).parent.parent
    other = root / "another checkout é"
    shutil.copytree(
        checkout / "embviz", other / "embviz", ignore=shutil.ignore_patterns("__pycache__")
    )
    return [
        run_in(
            root / "first", checkout, 1, 0o022, LC_ALL="C.UTF-8", TZ="UTC", PYTHONHASHSEED="1"
        ),
        run_in(
            root / "deep/er/second", other, 2, 0o077, LC_ALL="C", TZ="Asia/Kathmandu",
            PYTHONHASHSEED="77", COLUMNS="40", HOME=str(root),
        ),
    ]  # fmt: skip


def test_every_command_is_among_them() -> None:
    assert {line.split()[0] for line in LINES} == set(COMMANDS)


def test_files_are_equal_in_another_place_locale_and_number_of_threads(twice: Any) -> None:
    (first, _), (second, _) = twice
    assert list(first) == list(second)
    assert len(first) > 30
    differing = [name for name, data in first.items() if second[name] != data]
    assert differing == []


def test_no_file_holds_the_place_or_the_time_of_its_making(twice: Any) -> None:
    (first, _), _ = twice
    for name, data in first.items():
        assert b"equal0" not in data, name
        assert str(Path.home()).encode() not in data or str(Path.home()) == "/", name


def test_what_is_printed_differs_in_its_timings_alone(twice: Any) -> None:
    (_, first), (_, second) = twice
    assert len(first) == len(LINES)
    for a, b in zip(first, second, strict=True):
        assert set(a["timings"]) == set(b["timings"])
        assert {**a, "timings": None} == {**b, "timings": None}
