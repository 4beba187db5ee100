"""What many tests share: a table, a way to run the command line, and a page in Chromium."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # Each of the processes has a processor of its own.
    for library in ("OMP", "OPENBLAS"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np

from embviz import EmbeddingTable
from embviz.cli import main
from tests.engines.launch import LAUNCH, missing_engine


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the tests of the page run in other engines."""
    told = "the engine that every test of the page runs in that can, or all"
    parser.addoption("--engine", choices=[*LAUNCH, "all"], help=told)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test in the engines that are chosen, else in all where it is marked so."""
    if "engine" not in metafunc.fixturenames:
        return
    chosen = metafunc.config.getoption("--engine")
    mark = metafunc.definition.get_closest_marker
    engines: list[str] = []
    if chosen == "all" or (chosen is None and mark("everywhere")):
        engines = [] if mark("chromium") else list(LAUNCH)
    elif chosen in ("firefox", "webkit"):
        engines = [chosen]
    elif chosen is None and mark("also"):
        engines = ["chromium", *mark("also").args]
    if engines:
        metafunc.parametrize("engine", engines, indirect=True, scope="session")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip in other engines what is marked to be of Chromium."""
    mark = item.get_closest_marker("chromium")
    if mark and item.config.getoption("--engine") in ("firefox", "webkit"):
        pytest.skip(f"runs in Chromium only: {mark.args[0]}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what opens a page in a browser, so that `-m "not page"` leaves it out."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("page")


@dataclass(frozen=True)
class Ran:
    """How a command line ended."""

    status: int
    stdout: str
    stderr: str


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run the command line within this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EMBVIZ_SOURCE", raising=False)

    def call(*arguments: str) -> Ran:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with monkeypatch.context() as patch, open(os.devnull) as nothing, _as_started():
            patch.setattr(sys, "stdin", nothing)
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            try:
                status = main(arguments)
            except Exception:
                status = 1
                traceback.print_exc(file=err)
        texts = []
        for stream in (out, err):
            stream.flush()
            texts.append(stream.buffer.getvalue().decode("utf-8").replace("\r\n", "\n"))
        return Ran(status, *texts)

    return call


@contextmanager
def _as_started() -> Iterator[None]:
    """Undo what the command line changes of its process."""
    loggers = [logging.getLogger(name) for name in ("embviz", "embviz.progress")]
    kept = [(log.level, log.propagate, log.handlers[:]) for log in loggers]
    environment = dict(os.environ)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            yield
    finally:
        for log, (level, propagate, handlers) in zip(loggers, kept, strict=True):
            log.setLevel(level)
            log.propagate, log.handlers[:] = propagate, handlers
        os.environ.clear()
        os.environ.update(environment)


@pytest.fixture
def run_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run the command line as a process of its own, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EMBVIZ_SOURCE", raising=False)

    def call(*arguments: str, timeout: float = 120) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "embviz", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture
def blobs() -> EmbeddingTable:
    """300 points of 12 dimensions around 5 centers, with two columns."""
    rng = np.random.default_rng(7)
    centers = rng.normal(size=(5, 12)) * 4
    group = np.arange(300) % 5
    vectors = (centers[group] + rng.normal(size=(300, 12))).astype(np.float32)
    metadata = {
        "word": tuple(f"w{i}" for i in range(300)),
        "group": tuple(str(g) for g in group.tolist()),
    }
    return EmbeddingTable(vectors, metadata, name="emb", source="blobs.npy")


@dataclass
class Opened:
    """A page in Chromium, with what it asked for and complained of."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def call(self, source: str) -> Any:
        """Evaluate an expression with the page's API as `e`, typed arrays as lists."""
        return self.page.evaluate(
            "async () => { const e = window.embviz; await e.ready;"
            " const plain = (v) => ArrayBuffer.isView(v) ? [...v] : v && typeof v === 'object'"
            " && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).map("
            f"([k, x]) => [k, plain(x)])) : v; return plain(await ({source})); }}"
        )

    def wait(self, source: str, seconds: float = 20) -> None:
        """Wait until an expression holds."""
        end = time.monotonic() + seconds
        while not self.call(source):
            assert time.monotonic() < end, f"{source} does not come true"
            self.page.wait_for_timeout(50)

    def bring_plotly(self) -> None:
        """Let the hand rest, so that Plotly is loaded, and wait until it is."""
        self.page.evaluate("() => clearInterval(window.restless)")
        self.page.wait_for_function("() => performance.getEntriesByName('embviz-plotly').length")


# A hand that never rests: the page does not load Plotly meanwhile.
RESTLESS = """window.restless = setInterval(
  () => window.dispatchEvent(new PointerEvent('pointermove')), 50);"""


# The page waits 900 ms for the hand to rest (main.js); most tests need not.
HASTY = """const later = window.setTimeout;
window.setTimeout = (run, ms, ...rest) => later(run, ms === 900 ? 20 : ms, ...rest);"""


@pytest.fixture(scope="session")
def launched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    """Start an engine once for all tests of a process."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, ExitStack() as stack:

        @cache
        def launch(engine: str) -> Any:
            browser = LAUNCH[engine](playwright, tmp_path_factory.mktemp(engine))
            stack.callback(browser.close)
            return browser

        yield launch


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> str:
    """The engine that a test runs in: Chromium, or as `--engine` and the mark `everywhere` say."""
    return str(getattr(request, "param", "chromium"))


@pytest.fixture(scope="session")
def browser(engine: str, launched: Callable[[str], Any]) -> Any:
    """A browser of that engine, one for all tests of a process."""
    missing = missing_engine(engine)
    if missing and engine != "chromium" and "CI" not in os.environ:
        pytest.skip(missing)
    assert not missing, missing
    return launched(engine)


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Opened]]:
    """Open a report from disk; every request to anywhere is noted and stopped."""
    contexts = []

    def start(path: Path, wait: bool = True, plotly: bool = False, **options: Any) -> Opened:
        options = {"viewport": {"width": 1280, "height": 840}, **options}
        context = browser.new_context(**options)
        contexts.append(context)
        context.add_init_script(HASTY if plotly else RESTLESS)
        opened = Opened(context.new_page())
        url = path.resolve().as_uri()

        def route(route: Any) -> None:
            asked = route.request.url
            if asked.split("#")[0] == url or asked.startswith(("data:", "blob:")):
                route.continue_()
            else:
                opened.requests.append(asked)
                route.abort()

        context.route("**/*", route)
        opened.page.on(
            "console",
            lambda m: opened.complaints.append(m.text) if m.type in ("error", "warning") else None,
        )
        opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.page.goto(url)
        if wait:
            opened.page.evaluate("() => window.embviz.ready")
        if wait and plotly:
            opened.bring_plotly()
        return opened

    yield start
    for context in contexts:
        context.close()
