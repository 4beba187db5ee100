"""docs/compare.md: its script and its commands run, and its figures are those that they give."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trained import Run, train_digits

PAGE = (Path(__file__).parent.parent / "docs/compare.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
SHOWN = re.findall(r"^\$ (embviz .*)\n((?:(?!\$ |```).*\n)*)", PAGE, re.M)
"""Each command of the page, and what it is said to print."""

# Runs the page in one process: few digits take seconds, and what is done with them is the same.
RUN = """
import json, shlex, sys
from dataclasses import replace
import numpy, sklearn.datasets, embviz
from embviz.cli import main
few = numpy.arange(200)
every = sklearn.datasets.load_digits(return_X_y=True)
tiles = embviz.pack_tiles(numpy.uint8(16 * every[0][few]).reshape(-1, 8, 8))
table = replace(embviz.load_digits_table(), sprite=tiles)
sklearn.datasets.load_digits = lambda return_X_y: (every[0][few], every[1][few])
embviz.load_digits_table = lambda: table
script, commands, more = json.load(sys.stdin)
exec(script)
print(json.dumps([main(shlex.split(command)[1:]) for command in commands]), file=sys.stderr)
for text in more:
    exec(text)
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, str]:
    """The folder that the page makes, how its commands ended, and what they printed."""
    folder = tmp_path_factory.mktemp("compare")
    script, *more = PYTHON
    ran = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=folder,
        input=json.dumps([script, [command for command, _ in SHOWN], more]),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    statuses = next(line for line in ran.stderr.splitlines() if re.fullmatch(r"\[[\d, ]+\]", line))
    return folder, json.loads(statuses), ran.stdout


def test_every_command_of_the_page_ends_as_it_says(done: Any) -> None:
    folder, statuses, _ = done
    assert len(SHOWN) >= 7
    expected = [3 if "--fail-if" in command else 0 for command, _ in SHOWN]
    assert statuses == expected
    written = {word for c, _ in SHOWN for o, word in pairs(c) if o in ("-o", "--save-changes")}
    assert written == {"changes.html", "changes.tsv", "run.html"}
    assert all((folder / name).stat().st_size for name in written)
    assert (folder / "sheet.png").exists()


def pairs(command: str) -> list[tuple[str, str]]:
    words = shlex.split(command)
    return list(pairwise(words))


def test_the_tests_train_as_the_page_does(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", PYTHON[0]], cwd=tmp_path, check=True)
    run = train_digits()
    for step, vectors in run.states.items():
        np.testing.assert_array_equal(np.load(tmp_path / f"hidden-{step}.npy"), vectors)
    lines = (tmp_path / "labels.tsv").read_text().splitlines()
    assert lines[0] == "image\tdigit"
    assert [line.split("\t") for line in lines[1:]] == [
        [f"{digit}-{i}", digit] for i, digit in enumerate(run.labels)
    ]


def save_states(run: Run, folder: Path) -> None:
    for step, vectors in run.states.items():
        np.save(folder / f"hidden-{step}.npy", vectors)
    lines = [f"{digit}-{i}\t{digit}\n" for i, digit in enumerate(run.labels)]
    (folder / "labels.tsv").write_text("image\tdigit\n" + "".join(lines))


NUMBER = re.compile(r"\d[\d,.]*")


def test_what_the_page_shows_is_what_its_command_prints(run: Any, tmp_path: Path) -> None:
    save_states(train_digits(), tmp_path)
    command, shown = SHOWN[0]
    printed = run(*shlex.split(command)[1:]).stdout
    # Labels below depend on the last digits of what is trained, which processors round as they do.
    of_page, of_command = (text.split("changed together")[0] for text in (shown, printed))
    assert NUMBER.sub("0", of_page).split() == NUMBER.sub("0", of_command).split()
    for one, other in zip(of_page.splitlines(), of_command.splitlines(), strict=True):
        found = [
            [float(n.rstrip(".,").replace(",", "")) for n in NUMBER.findall(x)]
            for x in (one, other)
        ]
        np.testing.assert_allclose(*found, rtol=0.05, atol=2, err_msg=one)


def test_a_condition_that_holds_says_what_the_page_shows(run: Any, tmp_path: Path) -> None:
    save_states(train_digits(), tmp_path)
    command, shown = next(pair for pair in SHOWN if "--fail-if" in pair[0])
    ran = run(*shlex.split(command)[1:])
    assert ran.status == 3
    assert NUMBER.sub("0", ran.stderr) == NUMBER.sub("0", shown)


def names_in(heading: str) -> list[str]:
    """The names in the first column of the first table below a heading."""
    section = re.split(r"^#+ ", PAGE.split(f"\n## {heading}\n")[1], flags=re.M)[0]
    firsts = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return [name for first in firsts for name in re.findall(r"`(\w+)`", first)]


def test_every_figure_key_and_column_is_defined(run: Any, tmp_path: Path) -> None:
    from embviz.comparison.figures import NAMES
    from embviz.export.changes import COLUMNS

    assert sorted(names_in("The figures")) == sorted(NAMES)
    assert names_in("The table of changes") == list(COLUMNS)
    save_states(train_digits(), tmp_path)
    found = json.loads(run(*shlex.split(SHOWN[0][0])[1:], "--json").stdout)
    of_others = {"command", "sources", "counts", "parameters", "timings", "files", "warnings"}
    assert sorted(names_in("The JSON object")) == sorted(found.keys() - of_others - {"fail_if"})
    assert set(found["figures"]) == set(NAMES)
    listed = re.findall(r"`(\w+)`", PAGE.split("`most_changed` |")[1].split("\n")[0])
    assert listed == list(found["most_changed"][0])
    listed = re.findall(r"`(\w+)`", PAGE.split("| `groups` |")[1].split("\n")[0])
    assert set(listed) == set(found["groups"][0])
