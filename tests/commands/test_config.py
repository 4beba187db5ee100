"""`--config`: settings of a TOML file as the defaults of `project`, `sprite` and `export`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import load_table
from tests.commands.test_project import block_of, manifest_of
from tests.sprites.pictures import shades, tiles_of

STATE = {"label": "v", "selectedProjection": "pca", "projections": [], "selectedPoints": []}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of its own below the current one: vectors, labels, images, a bookmark."""
    folder = tmp_path / "my data"
    shades(folder / "photos", 5)
    np.save(folder / "x.npy", np.random.default_rng(2).normal(size=(5, 4)).astype(np.float32))
    (folder / "m.tsv").write_text("".join(f"w{i}\n" for i in range(5)))
    (folder / "views.txt").write_text(json.dumps([STATE]))
    return folder


def test_one_file_serves_the_three_commands_and_names_files_from_its_own_folder(
    run: Any, tmp_path: Path, folder: Path
) -> None:
    (folder / "embviz.toml").write_text(
        'source = "x.npy"\nmetadata = "m.tsv"\nimages = "photos"\nseed = 3\n'
        '[sprite]\nsize = "4x4"\noutput = "sheet.png"\nlabels = "l.tsv"\n'
        '[project]\nmethod = "pca"\nbookmark = ["views.txt"]\nsprite-size = "2x2"\n'
        '[export]\noutput = "logdir"\nprojection = ["pca"]\nsprite_size = "8x8"\n'
        'axis = ["=w0", "=w1"]\nbookmark = "views.txt"\n'
    )
    config = ("--config", "my data/embviz.toml")
    ran = run("sprite", *config)
    assert ran.status == 0, ran.stderr
    tiles = tiles_of(folder / "sheet.png", (4, 4), "L")
    assert tiles[:5, 1, 1].tolist() == [5, 25, 45, 65, 85]
    assert (folder / "l.tsv").read_text().split() == [f"{i}.png" for i in range(5)]
    ran = run("project", *config, "-o", "o.html")
    assert ran.status == 0, ran.stderr
    manifest = manifest_of(tmp_path / "o.html")
    assert block_of(tmp_path / "o.html", "column_0") == [f"w{i}" for i in range(5)]
    assert (manifest["sprite"]["tile_width"], manifest["n_points"]) == (2, 5)
    assert [b["label"] for b in block_of(tmp_path / "o.html", "bookmarks")] == ["v"]
    assert str(tmp_path) not in manifest["command"]
    ran = run("export", *config)
    assert ran.status == 0, ran.stderr
    table = load_table(folder / "logdir")
    assert [b.label for b in table.bookmarks] == ["PCA", "Axes", "v"]
    assert table.sprite is not None
    assert table.sprite.tile_width == 8
    assert run("sprite", *config, "--size", "6x6").status == 0  # what is typed comes first
    assert tiles_of(folder / "sheet.png", (6, 6), "L").shape[0] == 9


def test_a_sheet_in_a_table_is_found_beside_the_file(
    run: Any, tmp_path: Path, folder: Path
) -> None:
    (folder / "c.toml").write_text('[project]\nsprite = "s.png"\nsource = "x.npy"\n')
    assert run("sprite", "my data/photos", "-o", "my data/s.png").status == 0
    ran = run("project", "--config", "my data/c.toml", "-o", "o.html")
    assert ran.status == 0, ran.stderr
    assert manifest_of(tmp_path / "o.html")["sprite"]["tile_width"] == 8


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('sze = "4x4"', "'sze' is no option of embviz sprite"),
        ('[sprite]\nsze = "4x4"', "'sze' is no option of embviz sprite"),
        ("[sprite]\nperplexity = 5", "'perplexity' is no option of embviz sprite"),
        ('[sprit]\nsize = "4x4"', "[sprit] is none of the tables [project], [sprite], [export]"),
        ('[[sprite]]\nsize = "4x4"', "[sprite] is none of the tables"),
        ('config = "other.toml"', "'config' is no option"),
        ("[sprite]\nsize = [4, 4]", "'size' is to be one value"),
        ("[sprite]\nsize = 4", "'4' is not WIDTHxHEIGHT"),
        ("[sprite]\nmax-side = 16.5", "'max-side' is to be a whole number"),
        ("[sprite]\nrange = [1]", "'range' is to be a list of 2 values"),
        ("[sprite]\nrange = 1", "'range' is to be a list of 2 values"),
        ("[sprite.size]\nx = 1", "'size' is to be one value"),
        ("[sprite]\nimages = [['a']]", "'images' is to be one value or a list"),
        ('[sprite]\nrecursive = "often"', "not a valid boolean"),
        ('[sprite]\nfit = "crop"', "c.toml: 'fit': 'crop' is not one of"),
        ("size = ", "is not TOML"),
    ],
)
def test_settings_that_cannot_be_obeyed_are_refused(
    run: Any, tmp_path: Path, folder: Path, text: str, said: str
) -> None:
    (tmp_path / "c.toml").write_text(text)
    ran = run("sprite", "my data/photos", "-o", "s.png", "--config", "c.toml")
    assert ran.status == 1
    assert said in ran.stderr
    assert ran.stderr.startswith("embviz: c.toml: ")
    assert not (tmp_path / "s.png").exists()


def test_settings_of_other_commands_are_passed_over(run: Any, tmp_path: Path, folder: Path) -> None:
    (tmp_path / "c.toml").write_text(
        'perplexity = 9\nlabel_by = "x"\n[project]\nmethod = "tsne"\n[export]\nformat = "tsv"\n'
    )
    ran = run("sprite", "my data/photos", "-o", "s.png", "--config", "c.toml")
    assert ran.status == 0, ran.stderr


def test_project_takes_the_source_and_the_settings_of_the_file_here_or_above(
    run: Any, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "embviz.toml").write_text(
        'source = "x.npy"\nmetadata = "m.tsv"\nseed = 3\nmax-side = 8\n'
        '[project]\nmethod = ["pca"]\ntitle = "From the file"\n[export]\noutput = "log"\n'
    )
    (folder / "sub").mkdir()
    monkeypatch.chdir(folder / "sub")
    # As typed by a user there: `run` starts its process in another folder.
    told = subprocess.run(
        [sys.executable, "-m", "embviz", "project", "-o", "o.html", "--title", "Typed"],
        capture_output=True, text=True, check=True,
    ).stderr.replace("\\", "/")  # fmt: skip
    first = told.splitlines()[0]
    assert first == (
        "../embviz.toml: source = ../x.npy, metadata = ../m.tsv, method = pca, seed = 3"
    )
    manifest = manifest_of(folder / "sub/o.html")
    assert (manifest["title"], manifest["n_points"]) == ("Typed", 5)
    assert manifest["command"].replace("\\", "/") == (
        "embviz project -o o.html --metadata ../m.tsv --method pca --seed 3 --title Typed ../x.npy"
    )
    ran = run("project", str(folder / "x.npy"), "-o", "o.html")
    assert "embviz.toml" not in ran.stderr


def test_project_takes_the_source_of_the_environment_without_settings(
    run: Any, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "embviz.toml").write_text('source = "gone.npy"\n[project]\nsample = 2\n')
    monkeypatch.setenv("EMBVIZ_SOURCE", "my data/x.npy")
    ran = run("project", "-o", "o.html")
    assert ran.stderr.splitlines()[0] == "EMBVIZ_SOURCE: source = my data/x.npy"
    assert manifest_of(tmp_path / "o.html")["n_points"] == 5


def test_a_file_that_nobody_named_imports_no_module(
    run_process: Any, tmp_path: Path, folder: Path
) -> None:
    (tmp_path / "x.npy").write_bytes((folder / "x.npy").read_bytes())
    (tmp_path / "trap.py").write_text("open('sprung', 'w')\nclass P: pass\n")
    (tmp_path / "embviz.toml").write_text('source = "x.npy"\nmethod = "trap:P"\n')
    ran = run_process("project", "-o", "o.html")
    assert (ran.status, (tmp_path / "sprung").exists()) == (1, False)
    assert "embviz.toml: method 'trap:P' would import a module" in ran.stderr
    typed = run_process("project", "-o", "o.html", "--method", "pca")
    assert (typed.status, (tmp_path / "sprung").exists()) == (0, False)
    named = run_process("project", "--config", "embviz.toml", "x.npy", "-o", "o.html")
    assert (named.status, (tmp_path / "sprung").exists()) == (2, True)


@pytest.mark.parametrize(
    ("key", "file"),
    [
        ("output", "o.html"),
        ("save-coordinates", "c.tsv"),
        ("save-bookmark", "b.json"),
        ("figure", "f.json"),
        ("summary", "s.md"),
        ("preview", "p.png"),
        ("preview-dark", "d.png"),
    ],
)
def test_a_file_that_nobody_named_writes_in_its_own_folder_alone(
    run: Any, tmp_path: Path, folder: Path, key: str, file: str
) -> None:
    (tmp_path / "x.npy").write_bytes((folder / "x.npy").read_bytes())
    (tmp_path / "way").symlink_to(tmp_path.parent)
    output = () if key == "output" else ("-o", "o.html")
    for place in (f"../{file}", str(tmp_path.parent / file), f"way/{file}"):
        text = f'source = "x.npy"\nmethod = "pca"\n[project]\n{key} = "{place}"\n'
        (tmp_path / "embviz.toml").write_text(text)
        ran = run("project", *output)
        assert (ran.status, "is outside the folder of this file" in ran.stderr) == (1, True)
        assert not (tmp_path.parent / file).exists()
    assert run("project", f"--{key}" if output else "-o", file, *output).status == 0
    named = run("project", "--config", "embviz.toml", "x.npy", *output)
    assert (named.status, (tmp_path.parent / file).exists()) == (0, True)
    (tmp_path.parent / file).unlink()
    (tmp_path / "embviz.toml").write_text(f'source = "x.npy"\nmethod = "pca"\n{key} = "./{file}"')
    (tmp_path / file).unlink()
    assert run("project", *output).status == 0
    assert (tmp_path / file).exists()


@pytest.mark.parametrize("output", [(), ("-o", "o")])
@pytest.mark.parametrize("words", ["project", "index", "export", "info", "neighbors 3", "sprite"])
def test_a_command_that_misses_its_source_is_a_request_that_cannot_be_met(
    run: Any, words: str, output: tuple[str, ...]
) -> None:
    ran = run(*words.split(), *(() if words[:2] in ("in", "ne") else output))
    assert (ran.status, ran.stdout) == (2, "")


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        (None, 2, "source: none is named; name it as SOURCE, in EMBVIZ_SOURCE"),
        ('source = "x.npy"\nsorce = 1', 1, "'sorce' is no option; close to it: source"),
        ('source = "x.npy"\n[project]\nsze = 1', 1, "'sze' is no option of embviz project"),
        ('source = "x.npy"\n[project]\nsample = 1.5', 1, "'sample' is to be a whole number"),
        ('source = "x.npy"\nseed = true', 1, "'seed' is to be a whole number"),
        ('source = "x.npy"\nperplexity = true', 1, "'perplexity' is to be a number"),
        ('source = "x.npy"\niterations = "x"', 1, "embviz.toml: 'iterations': 'x' is not a valid"),
    ],
)
def test_a_source_or_setting_that_is_not_there_is_refused(
    run: Any, tmp_path: Path, text: str | None, status: int, said: str
) -> None:
    if text is not None:
        (tmp_path / "embviz.toml").write_text(text)
    ran = run("project", "-o", "o.html")
    assert (ran.status, said in ran.stderr) == (status, True)
    (tmp_path / "c.toml").write_text("seed = 3")
    ran = run("project", "-o", "o.html", "--config", "c.toml")
    assert (ran.status, "c.toml names no source" in ran.stderr) == (2, True)


def test_a_pyproject_serves_as_an_embviz_toml_does(run: Any, tmp_path: Path, folder: Path) -> None:
    own = 'source = "x.npy"\nmetadata = "m.tsv"\nseed = 3\n'
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "mine"\nversion = "1"\n[tool.other]\nsorce = 1\n'
        f'[tool.embviz]\n{own}[tool.embviz.project]\ntitle = "Mine"\nmethod = "pca"\n'
    )
    (folder / "embviz.toml").write_text(f'{own}[project]\ntitle = "Mine"\nmethod = "pca"\n')
    pages = []
    for name in ("pyproject", "embviz"):
        config = f"my data/{name}.toml"
        ran = run("project", "--config", config, "my data/x.npy", "-o", f"{name}.html")
        assert ran.status == 0, ran.stderr
        pages.append(manifest_of(tmp_path / f"{name}.html"))
        command = pages[-1].pop("command")
        assert str(tmp_path) not in command
    assert pages[0] == pages[1]
    assert (pages[0]["title"], pages[0]["n_points"]) == ("Mine", 5)


def test_a_pyproject_is_found_where_no_embviz_toml_stands_beside_it(
    run: Any, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "pyproject.toml").write_text('[tool.embviz]\nsource = "x.npy"\nmetadata = "m.tsv"\n')
    (folder / "sub").mkdir()
    # Of a package inside, which has no word of embviz.
    (folder / "sub/pyproject.toml").write_text('[project]\nname = "inner"\n')
    monkeypatch.chdir(folder / "sub")
    ran = run("neighbors", "w1", "-k", "4", "--format", "tsv")
    assert ran.status == 0, ran.stderr
    assert {line.split("\t")[1] for line in ran.stdout.splitlines()[1:]} == {"w0", "w2", "w3", "w4"}
    (folder / "embviz.toml").write_text('source = "x.npy"\n')
    assert run("neighbors", "w1").status == 2  # Without the labels of the other file.


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[tool.embviz]\nsorce = "x.npy"\n', "pyproject.toml: 'sorce' is no option; close to it"),
        ("[tool.embviz\n", "pyproject.toml: is not TOML"),
        ('[tool]\nembviz = "x.npy"\n', "source: none is named"),
        ('[project]\ndependencies = ["embviz"]\n', "source: none is named"),
        ("[project\n", "source: none is named"),
    ],
)
def test_a_pyproject_that_says_nothing_to_embviz_is_passed_over(
    run: Any, tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert said in run("project", "-o", "o.html").stderr


def test_a_named_pyproject_without_a_table_of_settings_is_refused(
    run: Any, tmp_path: Path, folder: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "mine"\n')
    ran = run("project", "--config", "pyproject.toml", "my data/x.npy", "-o", "o.html")
    assert (ran.status, "pyproject.toml: has no table [tool.embviz]" in ran.stderr) == (1, True)


def test_a_pyproject_that_nobody_named_imports_no_module_and_writes_beside_itself(
    run: Any, tmp_path: Path, folder: Path
) -> None:
    (tmp_path / "x.npy").write_bytes((folder / "x.npy").read_bytes())
    for line, why in (
        ('method = "trap:P"', "would import a module"),
        ('[tool.embviz.project]\nfigure = "../f.json"', "is outside the folder of this file"),
    ):
        (tmp_path / "pyproject.toml").write_text(f'[tool.embviz]\nsource = "x.npy"\n{line}\n')
        ran = run("project", "-o", "o.html")
        assert (ran.status, why in ran.stderr) == (1, True)
