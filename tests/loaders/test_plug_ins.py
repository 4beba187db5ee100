"""Formats of other packages: a whole example that is installed, and packages that are broken."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from embviz import LoadError, ParameterError, list_tensors, load_table
from embviz.cli import main
from embviz.loaders.formats import plug_ins

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "docs/example-plugin"
VECTORS = np.random.default_rng(2).normal(size=(20, 3)).astype(np.float32)

READER = """
import numpy as np
from embviz.loaders.opened import Claim, Source, Tensor

class Ones:
    name = "ones"
    def claim(self, start):
        return {claim}
    def open(self, path, reading):
        return Source(path, (Tensor("ones", (4, 2), "float32", lambda: np.ones((4, 2), "f4")),))

ONES = Ones()
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Install a package of one module that offers formats, as pip would leave it."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    modules = []

    def add(package: str, code: str, **formats: str) -> None:
        module = package.replace("-", "_")
        modules.append(module)
        (site / f"{module}.py").write_text(code)
        info = site / f"{module}-3.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 3.1\n")
        lines = "".join(f"{name} = {module}:{what}\n" for name, what in formats.items())
        (info / "entry_points.txt").write_text(f"[embviz.loaders]\n{lines}")
        plug_ins.cache_clear()

    plug_ins.cache_clear()
    yield add
    plug_ins.cache_clear()
    for module in modules:
        sys.modules.pop(module, None)


def by_name(suffix: str, claim: str = "NAME") -> str:
    return READER.format(claim=f'Claim.{claim} if start.suffix == "{suffix}" else None')


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("x.pt", b"PK\x03\x04"),
        ("x.mine", b"nothing that is known"),
    ],
)
def test_a_plug_in_reads_what_is_refused_without_it(
    install, tmp_path: Path, name: str, raw: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(raw)
    with pytest.raises(LoadError):
        load_table(path)
    install("one-reader", by_name(path.suffix), ones="ONES")
    assert load_table(path).vectors.tolist() == [[1, 1]] * 4
    assert [i.name for i in list_tensors(path, input_format="ones")] == ["ones"]


def test_a_plug_in_that_is_surer_reads_a_text_file(install, tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    np.savetxt(path, VECTORS, delimiter="\t")
    install("one-reader", by_name(".tsv", "MAGIC"), ones="ONES")
    assert load_table(path).n_dims == 2
    assert load_table(path, input_format="tsv").n_dims == 3


def test_formats_that_are_equally_sure_are_an_error_with_the_choices(
    install, tmp_path: Path
) -> None:
    path = tmp_path / "x.tsv"
    np.savetxt(path, VECTORS, delimiter="\t")
    install("one-reader", by_name(".tsv", "CONTENT"), ones="ONES")
    with pytest.raises(LoadError, match="--input-format tsv or --input-format ones"):
        load_table(path)
    assert load_table(path, input_format="ones").n_dims == 2


BROKEN = {
    "import": ("import nothing_of_this_name", "ModuleNotFoundError"),
    "syntax": ("def", "SyntaxError"),
    "protocol": ("ONES = object()", "it has no function claim or open"),
    "old": (
        "class ONES:\n accepts = load = list_tensors = staticmethod(print)",
        "it has no function claim or open",
    ),
    "class": ("class ONES:\n def __init__(self, x): pass", "TypeError"),
    "claim": (READER.format(claim="start.no_such_field"), "AttributeError"),
    "answer": (READER.format(claim="True"), "claim returned True and no Claim"),
    "name": (by_name(".mine"), "there is another format of that name"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plug_in_is_told_in_one_line_and_only_where_it_matters(
    install, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    code, said = BROKEN[kind]
    np.save(tmp_path / "x.npy", VECTORS)
    (tmp_path / "x.mine").write_bytes(b"nothing that is known")
    name = "npy" if kind == "name" else "ones"
    install("bad-reader", code, **{name: "ONES"})
    assert load_table(tmp_path / "x.npy").n_points == 20
    assert main(["info", str(tmp_path / "x.npy")]) == 0
    assert "bad-reader" not in capsys.readouterr().err
    assert main(["info", str(tmp_path / "x.mine")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "of no known file type" in line
    assert "bad-reader 3.1" in line
    assert said in line
    if kind not in ("name", "claim", "answer"):
        assert main(["info", str(tmp_path / "x.npy"), "--input-format", "ones"]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert "bad-reader 3.1" in line


@pytest.mark.parametrize("body", ["return 5", "import nothing_of_this_name"])
def test_a_plug_in_that_opens_nothing_is_told_with_its_package(
    install, tmp_path: Path, capsys: pytest.CaptureFixture[str], body: str
) -> None:
    (tmp_path / "x.mine").write_bytes(b"x")
    code = by_name(".mine").replace("return Source", f"{body}\n        return Source")
    install("bad-reader", code, ones="ONES")
    assert main(["info", str(tmp_path / "x.mine")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "the loader 'ones' of bad-reader 3.1" in line


def test_an_unknown_format_is_refused_with_those_of_other_packages(install, tmp_path: Path) -> None:
    install("one-reader", by_name(".mine"), ones="ONES")
    np.save(tmp_path / "x.npy", VECTORS)
    with pytest.raises(ParameterError, match=r"no such format; one of npy, .*, ones"):
        load_table(tmp_path / "x.npy", input_format="nope")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example package, installed by pip into a folder of its own."""
    folder = tmp_path_factory.mktemp("example")
    shutil.copytree(EXAMPLE, folder / "source")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    target = ["--disable-pip-version-check", "--target", str(folder / "site")]
    done = subprocess.run(
        [*pip, *target, str(folder / "source")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "site"


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line where the example package is installed."""
    paths = [str(installed), str(ROOT)]
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        encoding="utf-8",
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        check=False,
    )


def test_the_example_package_reads_its_files_from_the_command_line(
    installed: Path, tmp_path: Path
) -> None:
    words = [f"w{i}" for i in range(20)]
    code = f"import embviz_example as e; e.write('x.exrows', {words}, {VECTORS.tolist()})"
    assert run(installed, tmp_path, "-c", code).returncode == 0
    info = run(installed, tmp_path, "-m", "embviz", "info", "x.exrows", "--format", "json")
    (listed,) = json.loads(info.stdout)
    assert (listed["shape"], listed["dtype"], listed["taken"]) == ([20, 3], "float32", True)
    found = run(
        installed, tmp_path, "-m", "embviz", "neighbors", "w3", "--source", "x.exrows",
        "--metric", "euclidean", "-k", "1", "--format", "json",
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    distances = np.linalg.norm(VECTORS - VECTORS[3], axis=1)
    assert f'"w{np.argsort(distances)[1]}"' in found.stdout
    (tmp_path / "y.exrows").write_bytes((tmp_path / "x.exrows").read_bytes()[:100])
    cut = run(installed, tmp_path, "-m", "embviz", "info", "y.exrows")
    assert (cut.returncode, cut.stderr.count("\n")) == (1, 1)
    assert "y.exrows: cut off" in cut.stderr


def test_the_example_package_places_points_from_the_command_line(
    installed: Path, tmp_path: Path
) -> None:
    np.save(tmp_path / "x.npy", VECTORS)
    done = run(
        installed, tmp_path, "-m", "embviz", "project", "x.npy", "--method", "first_two",
        "--save-coordinates", "xy.npz", "-o", "out.html",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    saved = np.load(tmp_path / "xy.npz")
    np.testing.assert_array_equal(saved["first_two_2"], VECTORS[:, :2])


SLICED = """
import numpy as np
from embviz.loaders.opened import Claim, Source, Tensor, TextColumns

class Rows:
    shape, dtype = (40, 3), np.dtype("f4")
    def __getitem__(self, rows):
        assert isinstance(rows, slice)
        return np.random.default_rng(2).normal(size=self.shape).astype("f4")[rows].tolist()

class Sliced:
    name = "sliced"
    def claim(self, start):
        return Claim.NAME if start.suffix == ".sliced" else None
    def open(self, path, reading):
        labels = lambda: TextColumns({"word": tuple(f"w{i}" for i in range(40))})
        return Source(path, (Tensor("t", (40, 3), "float32", Rows, columns=labels),))

SLICED = Sliced()
"""


def test_rows_that_only_slice_go_through_every_command(
    install, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "x.sliced"
    source.write_bytes(b"x")
    install("slices", SLICED, sliced="SLICED")
    out = str(tmp_path / "o")
    for arguments in (
        ["project", str(source), "--method", "pca", "--axis", "w1", "w2", "-o", out + ".html"],
        ["index", str(source), "-o", out + "-index"],
        ["export", str(source), "-o", out + "-run"],
        ["neighbors", "w7", "--source", str(source), "-k", "3", "--format", "json"],
    ):
        assert main(arguments) == 0, capsys.readouterr().err
    vectors = np.random.default_rng(2).normal(size=(40, 3)).astype("f4").astype(float)
    unit = vectors / np.linalg.norm(vectors, axis=1)[:, None]
    nearest = np.argsort(-(unit @ unit[7]))[1:4]
    found = capsys.readouterr().out
    assert [f'"w{i}"' in found for i in nearest] == [True] * 3
    np.testing.assert_array_equal(load_table(out + "-run").vectors, vectors.astype("f4"))
