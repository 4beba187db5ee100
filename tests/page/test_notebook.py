"""A report in a real JupyterLab, and in the page that nbconvert makes of the notebook."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import TimeoutError as Late

ROOT = Path(__file__).parents[2]
CELL = """import embviz, numpy
words = [f'w{i} <img src=x onerror="top.hurt = 1"></iframe>' for i in range(40)]
embviz.show(numpy.random.default_rng(0).normal(size=(40, 5)), words, height=700)"""


def environment(folder: Path) -> dict[str, str]:
    """Return what Jupyter is started with: nothing of this account is read or written."""
    return {
        **os.environ,
        **{f"JUPYTER_{kind}_DIR": str(folder / kind) for kind in ("CONFIG", "DATA", "RUNTIME")},
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }


@contextmanager
def lab(folder: Path) -> Iterator[str]:
    """Start JupyterLab on a folder; give its address."""
    assert find_spec("jupyterlab"), "there is no JupyterLab; pip install '.[test]' brings it"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "IdentityProvider.token": "",
        "ServerApp.root_dir": folder / "notebooks",
        "LabApp.news_url": None,
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *words],
            env=environment(folder),
            cwd=folder,
            stdout=log,
            stderr=log,
        )
        try:
            end = time.monotonic() + 120
            while time.monotonic() < end:
                assert server.poll() is None, (folder / "log").read_text()[-2000:]
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/lab/tree/try.ipynb"
        finally:
            server.terminate()
            server.wait(60)


def write_notebook(path: Path) -> None:
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "execution_count": None, "outputs": []}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {
        "cells": [{**cell, "source": CELL}],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(notebook), encoding="utf-8")


def check_frame(page: Any, frame: Any) -> None:
    """Click a point in the frame and see its neighbors; what labels say is text."""
    frame.wait_for_function("() => window.embviz", timeout=60_000)
    frame.evaluate("() => window.embviz.ready")
    box = frame.locator(".plot").bounding_box()
    at = frame.evaluate("() => [...window.embviz.screenPositions().slice(0, 2)]")
    page.mouse.click(box["x"] + at[0], box["y"] + at[1])
    assert frame.evaluate("() => [...window.embviz.selected()]") == [0]
    want = frame.evaluate("() => [...window.embviz.neighbors(0, 10).indices].map(i => `w${i} `)")
    names = frame.locator(".row-name").all_text_contents()
    assert [name[: len(w)] for name, w in zip(names, want, strict=False)] == want
    assert "</iframe>" in names[0]
    assert frame.locator("img").count() == 0
    assert page.evaluate("() => window.hurt") is None


def run_first_cell(page: Any) -> Any:
    """Run the first cell as soon as there is a kernel; return the frame that it shows."""
    idle = page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
    output = page.locator(".jp-OutputArea iframe")
    for _ in range(4):
        page.locator(".jp-Cell .cm-content").first.click(timeout=120_000)
        with suppress(Late):
            idle.first.wait_for(timeout=60_000)
        page.keyboard.press("Shift+Enter")  # A kernel that is only being found takes no notice.
        with suppress(Late):
            output.wait_for(timeout=60_000)
            break
    return output


def test_a_report_works_in_jupyterlab_and_in_what_nbconvert_makes(
    browser: Any, tmp_path: Path
) -> None:
    (tmp_path / "notebooks").mkdir()
    notebook = tmp_path / "notebooks" / "try.ipynb"
    write_notebook(notebook)
    page = browser.new_page(viewport={"width": 1700, "height": 1000})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    with lab(tmp_path) as address:
        page.goto(address)
        output = run_first_cell(page)
        assert re.search(
            r"\d\.\d MB of this notebook", page.locator(".jp-OutputArea").first.inner_text()
        )
        assert output.bounding_box()["height"] == pytest.approx(700, abs=4)
        check_frame(page, output.element_handle().content_frame())
        page.get_by_text("File", exact=True).first.click()
        page.get_by_text("Save Notebook", exact=True).click()
        end = time.monotonic() + 60
        while "srcdoc" not in notebook.read_text(encoding="utf-8"):
            assert time.monotonic() < end
            page.wait_for_timeout(200)
    assert errors == []
    subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", str(notebook)],
        env=environment(tmp_path),
        check=True,
        capture_output=True,
    )
    # Its template would ask for scripts from elsewhere.
    page.route("**/*", lambda route: route.continue_() if "file:" in route.request.url else route.abort())  # fmt: skip
    page.goto(notebook.with_suffix(".html").as_uri())
    check_frame(page, page.locator("iframe").element_handle().content_frame())
    page.close()
