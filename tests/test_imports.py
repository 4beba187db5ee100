"""The import order of design: each module knows those below it, and none loads what it need not."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "embviz"
RANKS = [
    {"errors", "signals"},
    {"checks", "inputs", "rows", "kernels", "devices", "expressions"},
    {"model", "regexes", "outputs", "moments"},
    {"space", "queries", "sprites"},
    {"neighbors"},
    {"bookmarks"},
    {"loaders", "projections"},
    {"shards"},
    {"questions", "comparison"},
    {"clusters"},
    {"pictures"},
    {"report"},
    {"preview"},
    {"export"},
    {"commands", "snapshots"},
    {"cli", "pytest_plugin"},
    {"__main__"},
]
RANK = {name: i for i, names in enumerate(RANKS) for name in names}
HEAVY = ["numpy", "scipy", "sklearn", "openTSNE", "faiss", "plotly", "PIL", "jinja2", "tensorflow"]


def part_of(name: str) -> str:
    return name.split(".")[1]


def imported(path: Path) -> set[str]:
    """The parts of embviz that a file imports, also within its functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("embviz."):
            found.add(part_of(node.module or ""))
        if isinstance(node, ast.Import):
            found |= {part_of(a.name) for a in node.names if a.name.startswith("embviz.")}
    return found


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_imports_only_from_ranks_below_its_own(path: Path) -> None:
    own = path.relative_to(ROOT).with_suffix("").parts[0]
    if own == "__init__":
        return
    for other in imported(path) - {own}:
        assert RANK[other] < RANK[own], f"{own} imports {other}"


def third_parties(path: Path) -> set[str]:
    """The packages of others that a file imports, also within its functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").split(".")[0])
        if isinstance(node, ast.Import):
            found |= {a.name.split(".")[0] for a in node.names}
    return found - sys.stdlib_module_names - {"embviz"}


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    declared = [*project["dependencies"]]
    for extra in extras.keys() - {"test", "all"}:
        declared += extras[extra]
    names = {re.split(r"[<>=!~ ;\[]", text)[0].lower().replace("_", "-") for text in declared}
    homes = packages_distributions()
    imported = set()
    for path in ROOT.rglob("*.py"):
        others = {"pytest"} if path.stem == "pytest_plugin" else set()  # Which pytest imports.
        for module in third_parties(path) - others:
            imported |= {name.lower().replace("_", "-") for name in homes.get(module, [module])}
    assert imported - names == set()
    assert names - imported == set()


def modules_after(code: str) -> set[str]:
    listed = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(listed.stdout.split())


@pytest.mark.parametrize("code", ["import embviz", "import embviz.cli"])
def test_nothing_heavy_is_imported_before_it_is_needed(code: str) -> None:
    assert not modules_after(code) & set(HEAVY)


def test_help_needs_nothing_heavy() -> None:
    code = "import sys; sys.argv = ['embviz', '--help']; from embviz.cli import main; main()"
    assert not modules_after(code) & set(HEAVY)


def test_a_pca_report_needs_neither_scipy_nor_scikit_learn(tmp_path: Path) -> None:
    out = (tmp_path / "x.html").as_posix()
    code = (
        "import numpy as np, embviz; t = embviz.EmbeddingTable(np.eye(5, dtype='f4'));"
        f" embviz.write_report('{out}', t, [embviz.PCA().project(t)])"
    )
    assert not modules_after(code) & {"scipy", "sklearn", "openTSNE", "faiss", "tensorflow"}


def test_only_the_kernels_import_faiss() -> None:
    users = {
        path.relative_to(ROOT).parts[0]
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (
            isinstance(node, ast.Import)
            and any(a.name.split(".")[0] == "faiss" for a in node.names)
        )
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "faiss")
    }
    assert users == {"kernels"}


def test_every_public_name_is_there() -> None:
    import embviz

    assert all(getattr(embviz, name) is not None for name in embviz.__all__)
