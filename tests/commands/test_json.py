"""`--json`: one object a command, as docs/json.md says; `python -m tests.commands.test_json` makes
its examples."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import embviz
from tests.test_python_docs import make_files

PAGE = Path(__file__).parent.parent.parent / "docs/json.md"
COMMANDS = {
    "project": "project words.npy --metadata words.tsv --method tsne --iterations 60 --dims 2"
    ' --select kind:a --axis worst best --fail-if "trustworthiness < 0.5" -o out.html',
    "neighbors": "neighbors king --source words.npy --metadata words.tsv -k 2",
    "index": "index words.npy --metadata words.tsv -o words-index",
    "compare": "compare words.npy other.npy --metadata words.tsv --save-changes changes.tsv",
    "info": "info words.npy",
    "demo": "demo",
    "sprite": "sprite images -o sprite.png --labels labels.txt",
    "export": "export words.npy --metadata words.tsv --method pca -o logdir",
}
EVERY = {
    *("version", "command", "sources", "counts", "parameters", "figures", "timings", "files"),
    "warnings",
}
MEASURED = {"timings", "sha256", "bytes", "warnings"}  # Other on another machine, or long.
FEW = """
import numpy, sys
import embviz.pictures.digits as digits
from embviz.cli import main
few = digits.load_digits_table().take(numpy.arange(100))
digits.load_digits_table = lambda: few
sys.exit(main(sys.argv[1:]))
"""


def embviz_prints(folder: Path, command: str) -> dict[str, Any]:
    """What a command prints with --json, in a process of its own, as bytes of a C locale."""
    ran = subprocess.run(
        [sys.executable, "-c", FEW, *shlex.split(command), "--json"],
        cwd=folder,
        env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr.decode()
    found: dict[str, Any] = json.loads(ran.stdout.decode("utf-8"), parse_constant=pytest.fail)
    return found


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What every command prints."""
    folder = tmp_path_factory.mktemp("json") / "made"
    make_files(folder)
    found = {name: embviz_prints(folder, command) for name, command in COMMANDS.items()}
    for each in found.values():
        for entry in each["files"]:
            data = (folder / entry["path"]).read_bytes()
            assert entry["bytes"] == len(data)
            assert entry["sha256"] == hashlib.sha256(data).hexdigest()
    return found


def examples() -> dict[str, tuple[str, Any]]:
    """The examples of the document by command: the command line and the object."""
    text = PAGE.read_text(encoding="utf-8")
    text = text[text.index("## An example of each") :]
    block = r"^```console\n\$ (embviz [^\n]*) --json\n```\n\n```json\n(.*?)^```$"
    found = re.findall(block, text, re.M | re.S)
    return {line.split()[1]: (line, json.loads(shown)) for line, shown in found}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_prints_the_keys_that_all_have(
    name: str, printed: dict[str, dict[str, Any]]
) -> None:
    found = printed[name]
    assert found.keys() >= EVERY
    assert (found["version"], found["command"]) == (1, name)
    assert found["timings"]["total"] >= max(found["timings"].values()) > 0
    assert "as_json" not in found["parameters"]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_of_a_command_is_what_it_prints(
    name: str, printed: dict[str, dict[str, Any]]
) -> None:
    line, shown = examples()[name]
    assert line == f"embviz {COMMANDS[name]}"
    assert shown.keys() == printed[name].keys()
    assert list(differences(shown, printed[name])) == []


def differences(shown: Any, found: Any, place: str = "") -> Iterator[str]:
    """Yield where an example is not a part of what was printed."""
    name = place.rpartition(".")[2]
    if name in MEASURED or (isinstance(shown, float) and isinstance(found, float)):
        return
    if isinstance(shown, dict) and isinstance(found, dict):
        for key, value in shown.items():
            if key not in found:
                yield f"{place}.{key}"
            else:
                yield from differences(value, found[key], f"{place}.{key}")
    elif isinstance(shown, list) and isinstance(found, list):
        if bool(shown) != bool(found):
            yield place
        for one, other in zip(shown, found, strict=False):
            yield from differences(one, other, place)
    elif shown != found:
        yield f"{place}: {shown!r} for {found!r}"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_document_names_every_key_of_a_command(
    name: str, printed: dict[str, dict[str, Any]]
) -> None:
    named = set(re.findall(r"`([a-z0-9_]+)`", PAGE.read_text(encoding="utf-8")))
    found = printed[name]
    assert found.keys() <= named
    assert found["counts"].keys() <= named
    for entry in (
        e for key in ("sources", "files", "projections", "steps") for e in found.get(key, ())
    ):
        for one in entry if isinstance(entry, list) else [entry]:
            assert one.keys() <= named


def test_figures_are_those_that_python_finds(
    printed: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    make_files(tmp_path / "made")
    table = embviz.load_table(tmp_path / "made/words.npy", metadata=tmp_path / "made/words.tsv")
    part = embviz.choose_points(table, select="kind:a", verify=True)
    plan = embviz.Plan(methods=["tsne"], iterations=60, dims=[2], axes=[("worst", "best")])
    projections = embviz.project(part, plan)
    expected = embviz.picture_figures(projections, "tsne")
    assert printed["project"]["figures"] == expected
    assert printed["project"]["first"] == "tsne"


def test_the_plain_figures_are_those_of_the_picture_shown_first(
    printed: dict[str, dict[str, Any]],
) -> None:
    figures = printed["project"]["figures"]
    assert figures["trustworthiness"] == figures["tsne.2.trustworthiness"]
    assert figures["pca.3.trustworthiness"] != figures["pca.2.trustworthiness"]
    shares = printed["project"]["projections"][0]["found"]["variance_shares"]
    assert figures["pca.3.variance_share"] == pytest.approx(sum(shares[:3]), abs=1e-12)


def trimmed(value: Any, place: str = "") -> Any:
    """What the document shows of an object: the first of long lists, and what is set."""
    if isinstance(value, dict):
        items = value.items()
        if place in ("parameters", "params"):
            items = [(k, v) for k, v in items if v not in (None, [], "", False)][:5]
        if place == "figures":
            items = list(items)[:6]
        return {k: trimmed(v, k) for k, v in items}
    if isinstance(value, list):
        return [trimmed(item, place) for item in value[:2]]
    return round(value, 4) if isinstance(value, float) else value


def compact(value: Any, indent: str = "") -> str:
    """JSON in few lines: what fits in one is in one."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + len(indent) < 110 or not isinstance(value, (dict, list)):
        return line
    inner = indent + "  "
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(k)}: {compact(v, inner)}" for k, v in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + compact(v, inner) for v in value) + f"\n{indent}]"


def write_examples(folder: Path) -> None:
    """Write the examples behind what stands in the document before them."""
    make_files(folder)
    text = PAGE.read_text(encoding="utf-8")
    head = text[: text.index("## An example of each")]
    head += "## An example of each\n\nWhat they print is checked by a test. Lists are cut to two "
    head += "entries, figures to six, and options to five that are set.\n"
    for command in COMMANDS.values():
        shown = compact(trimmed(embviz_prints(folder, command)))
        head += f"\n```console\n$ embviz {command} --json\n```\n\n```json\n{shown}\n```\n"
    PAGE.write_text(head, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        write_examples(Path(place) / "made")
