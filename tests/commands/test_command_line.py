"""The command line as a whole: its help, what it says of mistakes, and its streams."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embviz.cli import main
from embviz.errors import shell_word

POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX shell")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(5)
    np.save(tmp_path / "x.npy", rng.normal(size=(30, 4)).astype(np.float32))
    (tmp_path / "x.tsv").write_text("".join(f"w{i}\n" for i in range(30)))
    (tmp_path / "run").mkdir()
    return tmp_path


@POSIX
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_a_shown_word_is_that_word_to_a_shell_and_no_command_to_zsh(text: str) -> None:
    word = shell_word(text)
    assert shlex.split(word) == [text]
    assert not word.startswith("=")  # To zsh the path of a command.


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_the_command_alone_prints_its_help(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert said.out.startswith("Usage: embviz [OPTIONS] [COMMAND]")
    assert "neighbors" in said.out
    assert said.err == ""


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("projct", "No such command 'projct'. Did you mean 'project'?"),
        ("neighbours", "Did you mean 'neighbors'?"),
        ("x.npy", "x.npy: a file where a command is expected, such as: embviz project x.npy -o"),
        ("run", "run: a folder where a command is expected, such as: embviz project run -o"),
        ("gone/model.ckpt", "a file where a command is expected"),
        ("zzz", "No such command 'zzz'. There are: compare, demo, export, index, info"),
    ],
)
def test_a_word_that_is_no_command_is_answered_with_what_may_be_meant(
    here: Path, capsys: pytest.CaptureFixture[str], word: str, answer: str
) -> None:
    assert main([word, "-o", "out.html"]) == 2
    said = capsys.readouterr()
    assert answer in said.err
    assert said.err.endswith("; see embviz --help\n")
    assert said.err.count("\n") == 1
    assert said.out == ""


TABLE = ("x.npy", "--metadata", "x.tsv")
PROJECT = ("project", *TABLE, "-o", "o.html")
EXPORT = ("export", *TABLE, "-o", "logdir")
INDEX = ("index", *TABLE, "-o", "idx")
ASK = ("neighbors", "w1", "--source", *TABLE)
ALL = ("neighbors", "--all", "-o", "n.npz", "--source", *TABLE)
SPRITE = ("sprite", "run", "-o", "s.png")
MISTAKES = [
    *((command, ("--tensor", "gone")) for command in (PROJECT, EXPORT, INDEX, ASK, ALL)),
    *((command, ("--input-format", "no")) for command in (PROJECT, EXPORT, INDEX, ASK, ALL)),
    *((command, ("--label-by", "gone")) for command in (PROJECT, EXPORT, INDEX, ASK, ALL)),
    *((command, ("--metric", "taxi")) for command in (PROJECT, EXPORT, INDEX, ASK, ALL)),
    *((command, ("--select", "/[/")) for command in (PROJECT, EXPORT, ASK)),
    *((command, ("--select", "gone")) for command in (PROJECT, EXPORT, ASK)),
    *((command, ("-k", "0")) for command in (PROJECT, ASK, ALL)),
    *((command, ("--seed", "-1")) for command in (PROJECT, EXPORT, INDEX)),
    *((command, ("-o", "x.npy")) for command in (PROJECT, EXPORT, INDEX, ALL)),
    *((command, ("--gone",)) for command in (PROJECT, EXPORT, INDEX, ASK, ALL, SPRITE)),
    *((ALL, option) for option in (("--column", "x"), ("--format", "tsv"), ("--recall", "1"))),
    *((command, ("-o", "o.foo")) for command in (ALL, SPRITE)),
    (PROJECT, ("--save-coordinates", "o.foo")),
    (PROJECT, ("--figure", "./o.html")),
    (PROJECT, ("--color-by", "gone")),
    (ASK, ("--column", "gone")),
]


@pytest.mark.parametrize(("command", "mistake"), MISTAKES)
def test_a_mistake_in_a_request_is_status_2_in_every_command(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
    mistake: tuple[str, ...],
) -> None:
    before = sorted(here.rglob("*"))
    assert main([*command, *mistake]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("embviz: ")
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize("command", [PROJECT, EXPORT, INDEX, ALL, SPRITE])
def test_a_command_without_its_output_is_status_2(
    here: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    at = command.index("-o")
    assert main([*command[:at], *command[at + 2 :]]) == 2
    assert "-o" in capsys.readouterr().err


LONG = "n" * 305


@pytest.mark.parametrize(
    "arguments",
    [
        [LONG],
        ["info", LONG],
        ["project", LONG, "-o", "o.html"],
        *(
            [*PROJECT, option, LONG]
            for option in (
                "-o", "--metadata", "--sprite", "--images", "--bookmark", "--config",
                "--figure", "--save-bookmark",
            )
        ),
        [*PROJECT, "--save-coordinates", f"{LONG}.npz"],
        [*PROJECT, "--sample", "3", "--place-all", LONG],
        [*PROJECT, "--sample", "3", "--scheduler", LONG],
        [*EXPORT, "-o", LONG],
        [*INDEX, "-o", LONG],
        ["index", LONG, "--verify"],
        ["neighbors", "w1", "--source", LONG],
        ["neighbors", "--batch", LONG, "--source", "x.npy"],
        [*ALL, "-o", f"{LONG}.npz"],
        ["sprite", LONG, "-o", "s.png"],
        ["sprite", LONG, LONG, "-o", "s.png"],
        ["sprite", "run", "-o", f"{LONG}.png"],
        ["sprite", "run", "-o", "s.png", "--labels", LONG],
    ],
    ids=lambda arguments: " ".join(a if len(a) < 305 else "LONG" for a in arguments),
)  # fmt: skip
def test_a_name_of_305_characters_is_refused_in_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(arguments) in (1, 2)
    said = capsys.readouterr()
    assert said.err.startswith("embviz: ")
    assert said.err.count("\n") == 1
    assert not (here / "o.html").exists()


def test_images_of_a_long_name_are_refused_beside_an_output_that_is_there(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "o.html").write_text("old")
    assert main([*PROJECT, "--images", LONG]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "setting",
    [
        f'{name} = "a\\u0000b"'
        for name in ("output", "metadata", "sprite", "images", "figure", "save-bookmark")
    ]
    + ['bookmark = ["a\\u0000b"]'],
)
def test_a_name_with_a_nul_character_is_refused_in_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], setting: str
) -> None:
    (here / "nul.toml").write_text(setting)
    output = [] if "output" in setting else ["-o", "o.html"]
    assert main(["project", "x.npy", *output, "--config", "nul.toml"]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("embviz: ")
    assert said.err.count("\n") == 1
    assert not (here / "o.html").exists()


Shell = Callable[[str], "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def shell(here: Path) -> Shell:
    """Run a line of a shell in which $embviz is the command."""

    def call(line: str) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, "embviz": f"{sys.executable} -m embviz"}
        return subprocess.run(
            ["bash", "-c", line], cwd=here, capture_output=True, env=environment, check=False
        )

    return call


@POSIX
@pytest.mark.parametrize(
    "command", ["", "--help", "info x.npy", "neighbors 1 --source x.npy", "project x.npy -o -"]
)
@pytest.mark.parametrize(
    ("stream", "why"), [(">/dev/full", "No space left on device"), (">&-", "is closed")]
)
def test_a_standard_output_that_takes_nothing_is_told(
    shell: Shell, command: str, stream: str, why: str
) -> None:
    for unbuffered in ("", "PYTHONUNBUFFERED=1 "):
        ran = shell(f"{unbuffered}$embviz {command} {stream}")
        assert ran.returncode == 1
        assert ran.stderr.decode().startswith("embviz: standard output: ")
        assert ran.stderr.decode().endswith(f"{why}\n")
        assert ran.stderr.count(b"\n") == 1


@POSIX
def test_closed_streams_do_not_keep_an_output_from_being_written(shell: Shell, here: Path) -> None:
    assert shell("$embviz project x.npy -o a.html").returncode == 0
    ran = shell("$embviz project x.npy -o b.html <&- >&- 2>&-")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")
    whole, shown = ((here / name).read_bytes() for name in ("a.html", "b.html"))
    assert shown.replace(b"b.html", b"a.html") == whole
    assert shell("$embviz project gone.npy -o c.html 2>&-").returncode == 1
    assert shell("$embviz info x.npy 2>/dev/full").returncode == 0
    assert shell("$embviz neighbors --batch - --source x.npy <&-").returncode == 1


@POSIX
def test_pipes_and_devices_take_a_report(shell: Shell, here: Path) -> None:
    assert shell("$embviz project x.npy -o a.html").returncode == 0
    size = (here / "a.html").stat().st_size
    for line in (
        "PYTHONUNBUFFERED=1 $embviz project x.npy -o - | (sleep 1; wc -c)",
        "$embviz project x.npy -o /dev/stdout | wc -c",
        "$embviz project x.npy -o /dev/stdout >b.html; wc -c <b.html",
        "$embviz project x.npy -o >(wc -c >size) && sleep 0.5; cat size",
        "mkfifo p; (wc -c <p >q) & $embviz project x.npy -o p; wait; cat q; test -p p",
    ):
        ran = shell(line)
        # The command line in the page names another output.
        assert abs(int(ran.stdout) - size) < 40, line
        assert ran.returncode == 0
    assert shell("$embviz project x.npy -o /dev/full").stderr.count(b"\n") == 1


@POSIX
def test_a_reader_that_leaves_is_no_error(shell: Shell) -> None:
    for command in ("--help", "neighbors 1 --source x.npy", "project x.npy -o -"):
        ran = shell(f"set -o pipefail; $embviz {command} | head -c 1 >/dev/null")
        assert (ran.returncode, ran.stderr) in (
            (0, b""),
            (0, b"Wrote to the standard output (2.6 MB)\n"),
        )


@POSIX
def test_a_reader_that_leaves_does_not_keep_the_other_files_back(shell: Shell, here: Path) -> None:
    ran = shell("set -o pipefail; $embviz project x.npy -o - --figure f.json | head -c 1 >a")
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert (here / "f.json").read_bytes().startswith(b"{")


@POSIX
def test_an_encoding_with_few_characters_shows_what_it_can(shell: Shell) -> None:
    ran = shell("PYTHONIOENCODING=ascii $embviz info x.npy")
    assert ran.stdout == b"*  x  30 x 4  float32  array\n"
    ran = shell("LANG=C LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 $embviz info x.npy")
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert b"30 x 4" in ran.stdout


@pytest.mark.parametrize(
    "words",
    [
        "project '' -o a.html",
        "project x.npy -o ''",
        "project x.npy -o a.html --metadata ''",
        "project x.npy -o a.html --figure ''",
        "export x.npy -o ''",
        "index x.npy -o ''",
        "neighbors 1 --source ''",
        "neighbors --all --source x.npy -o ''",
        "info ''",
        "sprite '' -o a.png",
        "sprite x.npy -o a.png --labels ''",
        "demo -o ''",
    ],
)
def test_an_empty_name_is_not_this_folder(run: Any, tmp_path: Path, words: str) -> None:
    np.save(tmp_path / "x.npy", np.eye(4, 3, dtype=np.float32))
    ran = run(*shlex.split(words))
    assert (ran.status, ": an empty name; see embviz" in ran.stderr) == (2, True), ran.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["x.npy"]
