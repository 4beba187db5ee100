"""Projectors of other packages: what they may do wrong, each told in one line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import EmbeddingTable, ParameterError, project
from embviz.pictures.steps import project_steps

ROOT = Path(__file__).parents[2]
CLASSES = """
from dataclasses import dataclass
import numpy as np
from embviz import Projection

class NoFields:
    def project(self, table):
        return Projection("no_fields", np.arange(2.0 * table.n_points).reshape(-1, 2))

class NeedsMore:
    def __init__(self, more):
        pass
    def project(self, table):
        pass

@dataclass(frozen=True)
class Raises:
    at: str = "project"
    def __post_init__(self):
        if self.at == "init":
            raise RuntimeError("not today")
    def project(self, table):
        raise ValueError("first line\\nsecond line")

@dataclass(frozen=True)
class Returns:
    what: str = ""
    n_components: int = 2
    def project(self, table):
        n, random = table.n_points, np.random.default_rng(0).normal
        places = {
            "many": np.zeros((n, 7)),
            "one": np.zeros((n, 1)),
            "few": np.zeros((n - 1, 2)),
            "none": np.zeros((0, 2)),
            "nan": np.where(np.arange(n)[:, None] == 3, np.nan, np.zeros((n, 2))),
            "huge": np.full((n, 2), 1e300),
            "flat": np.zeros(n),
            "text": np.full((n, 2), "a"),
            "list": [[0.0, 1.0]] * n,
        }.get(self.what, random(size=(n, 2)))
        if self.what == "array":
            return places
        if self.what == "nothing":
            return None
        params = {"f": print} if self.what == "params" else {"ok": np.float32(1), "l": [1, None]}
        per_point = {"a": np.zeros(3)} if self.what == "per_point" else {}
        name = "" if self.what == "nameless" else "mine"
        return Projection(name, places, params=params, per_point=per_point)

def function(table):
    pass

instance = NoFields()
"""


@pytest.fixture(scope="module")
def module(tmp_path_factory: Any) -> Any:
    """The name of a module with the classes above, to be imported."""
    folder = tmp_path_factory.mktemp("classes")
    (folder / "odd_classes.py").write_text(CLASSES)
    (folder / "odd_quits.py").write_text("raise SystemExit(0)")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield "odd_classes"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("odd_classes:NeedsMore", "cannot be made, with TypeError: .*argument: 'more'$"),
        (
            "odd_classes:Raises:at=init",
            r"made, with RuntimeError: not today \(odd_classes.py, line",
        ),
        ("odd_classes:Raises", r"project fails with ValueError: first line\\nsecond line \(odd_cl"),
        ("odd_classes:function", "what it names has no method 'project'"),
        ("odd_classes:instance", "what it names is no class; name the class"),
        ("odd_classes:Nope", "cannot be loaded .*has no attribute 'Nope'"),
        ("odd_nowhere:X", "cannot be loaded .*No module named 'odd_nowhere'"),
        ("odd_quits:X", r"cannot be loaded \(SystemExit: 0\)"),
        ("odd_classes:NoFields:x=1", "no field 'x'"),
        ("many", "7 components where n_components is 2; make as many"),
        ("one", "1 component where n_components is 2"),
        ("few", "places 299 points where there are 300"),
        ("none", "places 0 points where there are 300"),
        ("nan", "1 of 300 points are placed not finite, the first is 3"),
        ("huge", "300 of 300 points are placed beyond float32"),
        ("flat", "1-D coordinates, 2-D wanted"),
        ("text", "coordinates of type <U1; numbers are needed"),
        ("list", r"project fails with AttributeError: .*\(odd_classes.py, line"),
        ("array", "project returns a ndarray; return an embviz.Projection"),
        ("nothing", "project returns a NoneType; return an embviz.Projection"),
        ("params", "params hold a builtin_function_or_method"),
        ("per_point", r"per_point 'a' has shape \(3,\)"),
        ("nameless", "its projection has no name; name it"),
    ],
)
def test_what_a_class_does_wrong_is_one_line(blobs, module, asked, told):
    method = asked if ":" in asked else f"{module}:Returns:what={asked}"
    with pytest.raises(ParameterError, match=told) as found:
        project(blobs, methods=[method])
    assert len(str(found.value).splitlines()) == 1


def test_a_class_that_does_not_heed_its_number_of_components_is_refused(blobs, module):
    with pytest.raises(ParameterError, match="2 components where n_components is 3; make as many"):
        project(blobs, methods=[f"{module}:Returns"], dims=[3])


def test_a_class_without_fields_and_one_that_is_right_are_shown(blobs, module):
    methods = [f"{module}:NoFields", f"{module}:Returns"]
    first, second = project(blobs, methods=methods, with_pca=False)
    np.testing.assert_array_equal(first.coordinates[:, 0], np.arange(0, 600, 2))
    assert first.coordinates.dtype == second.coordinates.dtype == np.float32
    assert (first.title, second.title, second.params["ok"]) == ("no_fields", "mine", 1)


def test_a_failure_in_a_step_is_told_too(blobs, module):
    from embviz.comparison.values import Step, Steps

    steps = Steps((Step("1", blobs), Step("2", blobs)), blobs)
    with pytest.raises(ParameterError, match="300 of 300 points are placed beyond float32"):
        project_steps(steps, methods=[f"{module}:Returns:what=huge"])


def test_a_class_in_the_current_folder_and_one_of_an_installed_package_are_found(
    tmp_path: Path, blobs: EmbeddingTable
) -> None:
    """As strangers have them: no folder of theirs is where Python looks."""
    (tmp_path / "mine_here.py").write_text(CLASSES)
    np.save(tmp_path / "p.npy", blobs.vectors)
    site = tmp_path / "site"
    shutil.copytree(ROOT / "docs/example-plugin", site)
    info = site / "embviz_example-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: embviz-example\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[embviz.projectors]\nfirst_two = embviz_example:FirstTwo\n"
    )
    code = "import sys; sys.path.remove(''); from embviz.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "project", "p.npy", "-o", "o.html",
         "--method", "mine_here:NoFields", "--method", "first_two"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(site)])},
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr
    page = (tmp_path / "o.html").read_text(encoding="utf-8")
    assert '"no_fields"' in page
    assert '"first_two"' in page
