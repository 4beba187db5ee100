"""A projection says what it is: nothing outside the methods' own modules asks for one by name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "embviz"
PAGE = ROOT / "templates/js"
METHODS = {"pca", "tsne", "umap", "custom"}
# Projectors name themselves; TensorBoard's tabs have these names; commands take them as options.
AT_HOME = {"projections", "bookmarks", "commands"}
# The page's: what it computes and how, the words about it, and TensorBoard's tabs.
AT_HOME_IN_PAGE = {"runs/", "numbers/", "data/words.js", "bookmarks/tensorboard.js"}
PYTHON = [p for p in sorted(ROOT.rglob("*.py")) if p.relative_to(ROOT).parts[0] not in AT_HOME]
SCRIPTS = [
    p
    for p in sorted(PAGE.rglob("*.js"))
    if not p.relative_to(PAGE).as_posix().startswith(tuple(AT_HOME_IN_PAGE))
]


def methods_in_python(code: str) -> list[str]:
    """The texts and `.name == "none"` in some code that name a method."""
    tree = ast.parse(code)
    found = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and n.value in METHODS]
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Attribute):
            values = [c.value for c in node.comparators if isinstance(c, ast.Constant)]
            found += [
                v for v in values if node.left.attr in ("name", "method", "key") and v == "none"
            ]
    return found


def methods_in_javascript(code: str) -> list[str]:
    """The texts, keys and members of some code that name a method."""
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", code, flags=re.S)
    names = "|".join(METHODS)
    return re.findall(rf"(['\"`])(?:{names})\1|\b(?:{names}):|\.(?:{names})\b(?!\.js)", code)


@pytest.mark.parametrize("path", PYTHON, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_module_names_a_method(path: Path) -> None:
    assert not methods_in_python(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: str(p.relative_to(PAGE)))
def test_no_script_names_a_method(path: Path) -> None:
    assert not methods_in_javascript(path.read_text(encoding="utf-8"))


def test_a_switch_on_a_method_would_be_seen() -> None:
    assert methods_in_python('if p.name == "tsne": pass')
    assert methods_in_python('if p.name == "none": pass')
    assert methods_in_javascript("if (name === 'umap') run();")
    assert methods_in_javascript("const TITLES = { pca: 'PCA' };")
    assert methods_in_javascript("tabs.custom.entries")
    assert not methods_in_javascript("import { a } from '#js/numbers/pca.js'; // tsne: no")
