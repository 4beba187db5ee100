"""What a shell completes: commands, options, files, and the names that are in a source."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.shell_completion import ShellComplete

from embviz.cli import cli


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two tensors of four rows in one file, and a table of columns, one with a hostile name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EMBVIZ_SOURCE", raising=False)
    np.savez(tmp_path / "two.npz", first=np.eye(4), second=np.ones((4, 3)))
    (tmp_path / "m.tsv").write_text("name\tkind\tto be\t$(touch x)\n" + "a\tb\tc\td\n" * 4)
    return tmp_path


def completed(line: str, begun: str = "") -> list[str]:
    found = ShellComplete(cli, {}, "embviz", "_EMBVIZ_COMPLETE").get_completions(
        line.split(), begun
    )
    return [item.value for item in found]


@pytest.mark.parametrize(
    ("line", "begun", "names"),
    [
        ("project two.npz --tensor", "", ["first", "second"]),
        ("project two.npz -o x.html --dims 2 --tensor", "s", ["second"]),
        ("export two.npz --tensor first --tensor", "", ["first", "second"]),
        ("index two.npz --tensor", "f", ["first"]),
        ("neighbors king --source two.npz --tensor", "", ["first", "second"]),
        ("compare two.npz gone.npz --tensor", "", ["first", "second"]),
        ("compare gone.npz two.npz --tensor-b", "", ["first", "second"]),
        ("compare gone.npz two.npz --tensor", "", []),
        ("project gone.npz --tensor", "", []),
        ("project --tensor", "", []),
        ("project two.npz --tensor first --metadata m.tsv --color-by", "", ["name", "kind"]),
        ("project two.npz --metadata m.tsv --tensor first --label-by", "k", ["kind"]),
        ("neighbors --source two.npz --tensor first --metadata m.tsv --column", "n", ["name"]),
        ("project two.npz --color-by", "", []),
        ("project two.npz --method", "t", ["tsne"]),
        ("project two.npz --input-format", "np", ["npy", "npz"]),
    ],
)
def test_names_that_are_in_the_typed_source_are_completed(
    folder: Path, line: str, begun: str, names: list[str]
) -> None:
    assert completed(line, begun) == names


def test_a_source_that_the_settings_name_is_looked_into(folder: Path) -> None:
    (folder / "embviz.toml").write_text(
        'source = "two.npz"\nmetadata = "m.tsv"\ntensor = "second"\n'
    )
    assert completed("project --tensor") == ["first", "second"]
    assert completed("project --color-by") == ["name", "kind"]


def test_files_are_completed_by_the_shell(folder: Path) -> None:
    found = ShellComplete(cli, {}, "embviz", "_EMBVIZ_COMPLETE").get_completions(["project"], "tw")
    assert [(item.type, item.value) for item in found] == [("file", "tw")]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_the_line_of_the_readme_makes_bash_complete_in_silence(folder: Path) -> None:
    line = 'eval "$(_EMBVIZ_COMPLETE=bash_source embviz)"'
    readme = Path(__file__).parents[2] / "README.md"
    assert line in readme.read_text(encoding="utf-8")
    script = (
        f"{line}\n"
        "COMP_WORDS=(embviz project two.npz --tensor ''); COMP_CWORD=4\n"
        "_embviz_completion embviz; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    folders = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ran = subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, "PATH": folders},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (ran.stdout.split(), ran.stderr) == (["first", "second"], "")
