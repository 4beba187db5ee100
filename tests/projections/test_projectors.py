"""The table of projectors, and how other packages add to it."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from embviz import projections
from embviz.errors import ParameterError
from embviz.projections import PCA, PROJECTORS, TSNE, UMAP, Axes, Identity, LocalMAP, PaCMAP


def test_projectors_have_the_names_that_the_command_line_takes():
    assert dict(PROJECTORS) == {
        "pca": PCA, "tsne": TSNE, "umap": UMAP, "pacmap": PaCMAP, "localmap": LocalMAP,
        "custom": Axes, "none": Identity,
    }  # fmt: skip
    assert "mds" not in PROJECTORS


def registry_with(monkeypatch, *entries):
    monkeypatch.setattr(projections, "entry_points", lambda group: entries)
    return projections._Projectors({"pca": PCA})


def test_an_installed_package_adds_a_projector_but_replaces_none(monkeypatch):
    group = "embviz.projectors"
    registry = registry_with(
        monkeypatch,
        EntryPoint("mine", "embviz.projections.identity:Identity", group),
        EntryPoint("pca", "embviz.projections.identity:Identity", group),
    )
    assert list(registry) == ["pca", "mine"]
    assert registry["mine"] is Identity
    assert registry["pca"] is PCA


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("embviz.nowhere:X", "cannot be loaded"),
        ("json:dumps", "no method 'project'"),
        ("broken:X", r"broken:X cannot be loaded \(ZeroDivisionError: division by zero\)"),
    ],
)
def test_a_broken_projector_of_a_package_is_told_when_asked_for(monkeypatch, tmp_path, value, why):
    (tmp_path / "broken.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    registry = registry_with(monkeypatch, EntryPoint("mine", value, "embviz.projectors"))
    assert "pca" in registry
    assert "mine" in registry
    with pytest.raises(ParameterError, match=f"projector 'mine'.*{why}"):
        registry["mine"]


def test_projecting_on_components_loads_numpy_alone():
    code = (
        "import sys, numpy as np\n"
        "from embviz.model import EmbeddingTable\n"
        "from embviz.projections import PCA, Axes\n"
        "t = EmbeddingTable(np.eye(5), {'a': tuple('vwxyz')})\n"
        "PCA().project(t), Axes((('v', 'w'),)).project(t)\n"
        "heavy = {'scipy', 'sklearn', 'openTSNE', 'faiss', 'umap', 'ml_dtypes'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
