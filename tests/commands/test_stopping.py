"""A command that is stopped says one line, leaves what was there, and ends within two seconds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tomllib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")

BEGIN = """
import importlib, os, signal, sys, threading, time
module, name, number, way = "{module}", "{name}", {number}, "{way}"
home = importlib.import_module(module)
*owners, last = name.split(".")
for owner in owners:
    home = getattr(home, owner)
whole = getattr(home, last)
main_thread = threading.get_ident()

def kill():
    frame = sys._current_frames()[main_thread]
    with open("{mark}", "w") as out:
        out.write(f"{{time.monotonic()!r}} {{frame.f_globals['__name__']}}")
    os.kill(os.getpid(), number)

class Dropping:
    def __del__(self):
        kill()

def call(*arguments, **options):
    setattr(home, last, whole)
    if way == "later":
        threading.Timer(0.5, kill).start()
    elif way == "dropped":
        Dropping()
    elif way == "held":
        signal.pthread_sigmask(signal.SIG_BLOCK, [number])
        threading.Timer(0.5, kill).start()
        time.sleep(9)
    else:
        kill()
    return whole(*arguments, **options)

setattr(home, last, call)
from embviz.cli import main
sys.exit(main())
"""
"""Runs the command line and sends it a signal when a function is entered, or half a second later.

What the signal raises may be dropped, as in `__del__`; or the main thread does not see the signal
for nine seconds, as within one long step of a library.
"""


def listing(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


@pytest.fixture
def points(tmp_path: Path) -> Path:
    """A folder with words.npy, words.tsv, images.npy and earlier outputs."""
    from PIL import Image

    folder = tmp_path / "here"
    folder.mkdir()
    rng = np.random.default_rng(5)
    np.save(folder / "words.npy", rng.normal(size=(6000, 24)).astype(np.float32))
    (folder / "words.tsv").write_text("".join(f"w{i}\n" for i in range(6000)))
    (folder / "images").mkdir()
    for i in range(9):
        Image.new("L", (8, 8), i * 20).save(folder / f"images/{i}.png")
    for name in ("out.html", "figure.json", "out.tsv", "out.png", "labels.tsv"):
        (folder / name).write_text("old")
    return folder


def stop(
    folder: Path, at: str, number: int, *arguments: str, way: str = "now", kept: bool = True
) -> tuple[float, str]:
    """Stop a command at a function, and check how it ends.

    Returns:
        How many seconds it took, and the module that the main thread was in at the signal.
    """
    module, _, name = at.partition(":")
    mark = folder.parent / "mark"
    code = BEGIN.format(module=module, name=name, number=int(number), way=way, mark=mark)
    before = listing(folder)
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder, capture_output=True, text=True, timeout=100, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    at_signal, within = mark.read_text().split()
    took = time.monotonic() - float(at_signal)
    assert done.stderr.splitlines()[-1:] == ["embviz: stopped"], done.stderr
    assert done.stderr.count("stopped") == 1
    assert "Traceback" not in done.stderr
    assert done.returncode == 128 + number
    assert (listing(folder) == before) is kept
    return took, within


SOURCE = ("words.npy", "--metadata", "words.tsv")
PROJECT = ("project", *SOURCE, "--sample", "50", "--method", "tsne", "-o", "out.html")
EXPORT = ("export", *SOURCE, "--sample", "50", "--projection", "pca", "-o", "logdir")
NEIGHBORS = ("neighbors", "--all", "-k", "3", "-o", "out.tsv", "--source", *SOURCE)
SPRITE = ("sprite", "images", "-o", "out.png", "--labels", "labels.tsv")
INDEX = ("index", *SOURCE, "-o", "idx")
STAGES = [
    ("embviz.loaders:read_table", PROJECT),
    ("embviz.projections:TSNE.project", PROJECT),
    ("embviz.outputs.files:open_beside", PROJECT),
    ("embviz.pictures.digits:load_digits_table", ("demo", "-o", "out.html")),
    ("embviz.loaders:list_tensors", ("info", "words.npy")),
    ("embviz.loaders:read_table", EXPORT),
    ("embviz.projections:PCA.project", EXPORT),
    ("embviz.outputs.folders:open_beside", EXPORT),
    ("embviz.questions.points:open_points", NEIGHBORS),
    ("embviz.neighbors.all_rows:open_rows", NEIGHBORS),
    ("embviz.export.neighbors:_columns", NEIGHBORS),
    ("embviz.sprites.listing:find_images", SPRITE),
    ("embviz.sprites.packing:encode_sheet", SPRITE),
    ("embviz.sprites.listing:iter_names", SPRITE),
    ("embviz.loaders:read_table", INDEX),
    ("faiss:Kmeans.train", INDEX),
    ("embviz.neighbors.index.build:measure_recall", INDEX),
]


@pytest.mark.parametrize(("at", "command"), STAGES)
def test_a_command_stopped_at_any_stage_leaves_what_was_there(
    points: Path, at: str, command: tuple[str, ...]
) -> None:
    stage = STAGES.index((at, command))
    number = (signal.SIGINT, signal.SIGTERM, signal.SIGTERM, signal.SIGINT)[stage % 4]
    assert stop(points, at, number, *command)[0] < 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("dropped", [False, True])
@pytest.mark.parametrize("script", [False, True])
def test_a_signal_is_heeded_while_the_command_line_is_imported(
    tmp_path: Path, script: bool, dropped: bool, number: int
) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, name = project["scripts"]["embviz"].split(":")
    code = f"import sys; from {module} import {name}; sys.exit({name}())"
    kill = f"import os; os.kill(os.getpid(), {int(number)})"
    if dropped:
        kill = f"class Dropping:\n    def __del__(self):\n        {kill}\nDropping()"
    (tmp_path / "click.py").write_text(f"{kill}\nimport time; time.sleep(5)")
    done = subprocess.run(
        [sys.executable, *(("-c", code) if script else ("-m", "embviz")), "--version"],
        cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (128 + number, "embviz: stopped\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_while_signals_begin_to_be_heeded_is_answered_then(
    points: Path, number: int
) -> None:
    stop(points, "threading:Thread.start", number, "info", "words.npy")


@pytest.mark.parametrize(
    ("at", "command"),
    [
        ("embviz.export.neighbors:_columns", NEIGHBORS),
        ("embviz.outputs.folders:open_beside", EXPORT),
        ("embviz.neighbors.index.build:write_manifest", INDEX),
        ("embviz.outputs.folders:open_beside", PROJECT),
    ],
)
def test_nothing_is_put_in_its_place_after_a_signal_whose_exception_was_dropped(
    points: Path, at: str, command: tuple[str, ...]
) -> None:
    assert stop(points, at, signal.SIGINT, *command, way="dropped")[0] < 4


def test_an_index_that_was_replaced_is_removed_by_a_run_that_is_stopped(points: Path) -> None:
    from embviz import build_index, load_table, open_index

    np.save(points / "few.npy", np.eye(20, dtype=np.float32))
    build_index(load_table(points / "few.npy"), points / "idx")
    names = set(os.listdir(points))
    stop(points, "embviz.outputs.folders:_remove_tree", signal.SIGTERM, *INDEX, kept=False)
    assert set(os.listdir(points)) == names
    assert open_index(points / "idx").n_points == 6000


def test_files_that_are_being_moved_are_moved_to_the_end(points: Path) -> None:
    (points / "logdir").mkdir()
    (points / "logdir/metadata.tsv").write_text("old")
    (points / "logdir/projector_config.pbtxt").write_text("# Written by embviz export.")
    stop(points, "os:replace", signal.SIGINT, *EXPORT, kept=False)
    assert len(listing(points / "logdir")) == 4
    assert "tensor.bytes" in (points / "logdir/projector_config.pbtxt").read_text()


def test_a_closed_terminal_stops_a_command_too(points: Path) -> None:
    assert stop(points, "embviz.projections:TSNE.project", signal.SIGHUP, *PROJECT)[0] < 4


@pytest.mark.parametrize(
    ("stage", "way"),
    [("take_rows", "now"), ("measure_recall", "now"), ("write_manifest", "held")],
)
def test_an_addition_to_an_index_that_is_stopped_leaves_the_index(
    points: Path, stage: str, way: str
) -> None:
    from embviz import build_index, load_table

    build_index(load_table(points / "words.npy", metadata=points / "words.tsv"), points / "idx")
    at = f"embviz.neighbors.index.build:{stage}"
    assert stop(points, at, signal.SIGTERM, *INDEX, "--append", way=way)[0] < 4
    from embviz import open_index

    open_index(points / "idx").verify()


@pytest.mark.parametrize(
    ("at", "method", "number"),
    [
        ("faiss:knn", "tsne", 15),
        ("openTSNE:_tsne.estimate_positive_gradient_nn", "tsne", 15),
        ("umap:UMAP.fit_transform", "umap", 2),
    ],
)
def test_a_library_that_keeps_the_main_thread_does_not_hold_the_end_up(
    points: Path, at: str, method: str, number: int
) -> None:
    if find_spec(at.partition(":")[0]) is None:
        pytest.skip("it is not installed")
    source, sample = "words.npy", ("--sample", "500") if method == "umap" else ()
    if at == "faiss:knn":  # As many as are compared all with all: seconds within one step.
        source, sample = "many.npy", ()
        rng = np.random.default_rng(5)
        np.save(points / source, rng.normal(size=(15_000, 1_100)).astype(np.float32))
    command = ("project", source, *sample, "--method", method, "-o", "out.html")
    took, within = stop(points, at, number, *command, way="later")
    assert took < 4
    assert at != "faiss:knn" or within.startswith("faiss.")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_ends_where_the_main_thread_does_not_see_the_signal(
    points: Path, number: int
) -> None:
    at = "embviz.projections:PCA.project"
    took, _ = stop(points, at, number, "project", *SOURCE, "-o", "out.html", way="held")
    assert 1 < took < 4


def test_an_ignored_signal_stays_ignored(points: Path) -> None:
    code = BEGIN.format(
        module="embviz.loaders", name="list_tensors", number=int(signal.SIGHUP), way="now",
        mark=points.parent / "mark",
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code, "info", "words.npy"],
        cwd=points, capture_output=True, text=True, check=False,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("*  words")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_after_the_work_ends_a_run_with_the_status_of_its_work(
    points: Path, number: int
) -> None:
    code = (
        "import os, sys, time; from embviz.cli import main; status = main();"
        f"os.kill(os.getpid(), {int(number)}); time.sleep(5); sys.exit(9)"
    )
    for source, status in (("words.npy", 0), ("gone.npy", 1)):
        done = subprocess.run(
            [sys.executable, "-c", code, "info", source],
            cwd=points, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == status
        assert done.stdout.startswith("*  words") or status
        assert "stopped" not in done.stderr
