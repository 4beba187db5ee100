"""What ruff, mypy, Prettier, ESLint and TypeScript say of the code: nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_javascript import find_node

ROOT = Path(__file__).parent.parent
PAGE = ["embviz/templates/js", "tests/js"]


def assert_clean(*command: str) -> None:
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


@pytest.mark.parametrize("command", ["check", "format --check"])
def test_ruff_finds_nothing(command: str) -> None:
    assert_clean(sys.executable, "-m", "ruff", *command.split(), ".")


def test_mypy_finds_nothing() -> None:
    assert_clean(sys.executable, "-m", "mypy")


def installed(name: str) -> Path:
    """Return the script of a program that `python -m tests.install` installs."""
    scripts = {
        "prettier": "prettier/bin/prettier.cjs",
        "eslint": "eslint/bin/eslint.js",
        "tsc": "typescript/bin/tsc",
    }
    script = ROOT / "node_modules" / scripts[name]
    assert script.exists(), f"no {name} was found; python -m tests.install installs it"
    return script


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("prettier", ["--check", *PAGE]),
        ("eslint", ["--max-warnings=0", *PAGE]),
        ("tsc", ["--project", "."]),
    ],
)
def test_the_checkers_of_the_page_find_nothing(program: str, arguments: list[str]) -> None:
    assert_clean(find_node(), str(installed(program)), *arguments)
