"""The documents say what the program does; `python -m tests.test_docs` makes the reference."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from embviz.cli import COMMANDS, CONTEXT, cli

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs/cli-reference.md"
FOUND = {name: cli.get_command(click.Context(cli), name) for name in COMMANDS}
EVERY = {name: command for name, command in FOUND.items() if command is not None}


def reference() -> str:
    """Return every command's help as Markdown."""
    parts = ["# Command line\n\nMade from `--help`; a test checks that it still is.\n"]
    for name, command in [("", cli), *sorted(EVERY.items())]:
        title = f"embviz {name}".strip()
        context = click.Context(
            command, info_name=title, terminal_width=100, max_content_width=100, **{
                "help_option_names": CONTEXT["help_option_names"]
            }
        )  # fmt: skip
        parts.append(f"## {title}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def test_the_command_line_reference_is_what_help_says() -> None:
    # In a process of its own, whatever other tests have done to this one.
    code = "from tests.test_docs import reference; print(reference(), end='')"
    said = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert REFERENCE.read_text(encoding="utf-8") == said.stdout


@pytest.mark.parametrize("path", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]), ids=str)
def test_every_link_in_a_document_leads_to_a_file(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_the_readme_names_only_options_that_there_are() -> None:
    known = {o for c in EVERY.values() for p in c.params for o in p.opts} | {"--help"}
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for line in re.findall(r"^(?:\$ )?(?:\S*embviz |    --).*", text, re.M):
        assert set(re.findall(r"(?<!\S)--[a-z-]+", line)) <= known


def test_ci_runs_the_test_command_of_the_readme() -> None:
    command = next(
        line
        for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
        if "-m tests.install && " in line
    )
    assert command in (ROOT / ".ci/run").read_text()


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8", newline="\n")
