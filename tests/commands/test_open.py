"""`--open`: a browser is asked to show what was written, and a line says where there is none."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz.cli import cli

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the programs are shell scripts")
NOT_OPENED = "was not opened: there is no browser here that runs scripts"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the PATH with browsers that note what they are asked for; there is no display."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("lynx", "w3m", "links", "www-browser", "mine"):
        program = folder / name
        program.write_text(f'#!/bin/sh\necho "$1" >> "{folder}/{name}.asked"\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TERM", "xterm")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    np.save(tmp_path / "v.npy", np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32))
    return folder


def asked(programs: Path) -> dict[str, list[str]]:
    """What each program was asked for."""
    return {p.stem: p.read_text().split("\n")[:-1] for p in programs.glob("*.asked")}


@pytest.mark.parametrize("command", [["project", "v.npy"], ["compare", "v.npy", "v.npy"]])
def test_the_browser_that_is_named_opens_the_report(
    run_process: Callable[..., Any],
    programs: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
) -> None:
    monkeypatch.setenv("BROWSER", str(programs / "mine"))
    done = run_process(*command, "-o", "my örder#1?.html", "--open")
    assert done.status == 0, done.stderr
    assert asked(programs) == {"mine": [(programs.parent / "my örder#1?.html").as_uri()]}
    assert "not opened" not in done.stderr


@pytest.mark.parametrize("browser", [None, "", "w3m", "/missing:lynx", "lynx -accept %s", "no' %s"])
def test_no_text_browser_takes_the_terminal_and_a_line_says_so(
    run_process: Callable[..., Any],
    programs: Path,
    monkeypatch: pytest.MonkeyPatch,
    browser: str | None,
) -> None:
    if browser is not None:
        monkeypatch.setenv("BROWSER", browser)
    done = run_process("project", "v.npy", "-o", "out.html", "--open")
    assert done.status == 0
    assert (programs.parent / "out.html").stat().st_size > 100_000
    assert [NOT_OPENED in line for line in done.stderr.splitlines()] == [False, True]
    assert asked(programs) == {}


def test_a_browser_behind_a_text_browser_opens_the_report(
    run_process: Callable[..., Any], programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER", f"w3m{os.pathsep}{programs / 'mine'}")
    assert run_process("project", "v.npy", "-o", "out.html", "--open").status == 0
    assert list(asked(programs)) == ["mine"]


@pytest.mark.parametrize("output", ["-", "/dev/stdout", "pipe"])
def test_what_is_no_file_is_not_opened(
    run: Callable[..., Any], programs: Path, tmp_path: Path, output: str
) -> None:
    if output == "pipe":
        os.mkfifo(tmp_path / "pipe")
    done = run("project", "v.npy", "-o", output, "--open")
    assert done.status == 2
    assert done.stdout == ""
    assert re.search(r"^embviz: --open: .* no file that a browser opens; name one", done.stderr)


def test_opening_a_comparison_needs_a_report(run: Callable[..., Any], programs: Path) -> None:
    done = run("compare", "v.npy", "v.npy", "--open")
    assert (done.status, done.stderr) == (
        2,
        "embviz: --open: belongs to the report; add -o FILE, or leave it out\n",
    )


def test_opening_leaves_no_trace_in_the_report(
    run: Callable[..., Any], programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER", str(programs / "mine"))
    for options in ([], ["--open"]):
        assert run("project", "v.npy", "-o", "out.html", *options).status == 0
        os.rename(tmp_path / "out.html", tmp_path / f"{len(options)}.html")
    assert (tmp_path / "0.html").read_bytes() == (tmp_path / "1.html").read_bytes()
    assert os.environ["BROWSER"] == str(programs / "mine")
    assert os.environ["TERM"] == "xterm"


@pytest.mark.parametrize("name", ["project", "compare", "demo"])
def test_every_command_that_writes_a_report_can_open_it(name: str) -> None:
    import click

    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert any("--open" in param.opts for param in command.params)
