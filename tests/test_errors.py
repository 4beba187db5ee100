"""Command lines that are told, as a shell reads them."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from embviz.errors import shell_line

WORDS = [
    "=worst", "=", "==a", "worst", "/^be.t$/", "column:=x", "*", "*.npy", "two words", "it's", "",
    "!x", "~", "#a", "a=b", "--axis", "$HOME", "a;b", "ß", "{a,b}", "[ab]", "^a", "<b>", "\\",
]  # fmt: skip


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh"])
def test_a_shell_reads_the_words_of_a_command_line_that_is_told(shell: str) -> None:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"no {shell} here")
    line = f"printf '%s\\n' {shell_line(WORDS)}"
    done = subprocess.run([path, "-c", line], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "".join(f"{word}\n" for word in WORDS)


def test_a_word_that_zsh_takes_for_a_commands_path_is_quoted() -> None:
    assert shell_line(["--axis", "=worst", "a=b"]) == "--axis '=worst' a=b"
