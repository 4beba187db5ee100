"""No file that a command reads is one that it writes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import load_table
from embviz.neighbors.index.build import build_index
from embviz.pictures.sheets import pack_images
from tests.sprites.pictures import shades

sys.path.insert(0, str(Path(__file__).parent.parent / "loaders/checkpoint"))
from table_writer import write_bundle

VECTORS = np.random.default_rng(4).normal(size=(6, 3)).astype(np.float32)


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """A source of each kind that has several files, settings, and a sheet with labels beside."""
    np.save(tmp_path / "x.npy", VECTORS)
    (tmp_path / "m.tsv").write_text("".join(f"w{i}\n" for i in range(6)))
    for name in ("run", "log"):
        (tmp_path / name).mkdir()
        write_bundle(tmp_path / name / "model.ckpt-1", {"emb": VECTORS})
    (tmp_path / "run/checkpoint").write_text('model_checkpoint_path: "model.ckpt-1"\n')
    np.savetxt(tmp_path / "log/t.tsv", VECTORS, delimiter="\t")
    (tmp_path / "log/m.tsv").write_text("".join(f"w{i}\n" for i in range(6)))
    (tmp_path / "log/projector_config.pbtxt").write_text(
        'embeddings { tensor_name: "t" tensor_path: "t.tsv" metadata_path: "m.tsv" }'
    )
    build_index(load_table(tmp_path / "x.npy"), tmp_path / "index")
    (tmp_path / "c.toml").write_text('method = "pca"\n')
    shades(tmp_path / "photos", 6)
    pack_images(str(tmp_path / "photos"), tmp_path / "s.png", labels=tmp_path / "s.tsv")
    return tmp_path


def refused(run: Any, folder: Path, *arguments: str) -> str:
    """Return what is said of a command that writes nothing."""
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    ran = run(*arguments)
    assert ran.status == 2, ran.stderr
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before
    return str(ran.stderr)


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("run/model.ckpt-1", "run/model.ckpt-1.index"),
        ("run/model.ckpt-1", "run/model.ckpt-1.data-00000-of-00001"),
        ("run", "run/checkpoint"),
        ("log", "log/projector_config.pbtxt"),
        ("log", "log/m.tsv"),
        ("log", "log/model.ckpt-1.index"),
        ("log/projector_config.pbtxt", "log/t.tsv"),
        ("index", "index/vectors.bin"),
        ("x.npy --config c.toml", "c.toml"),
        ("x.npy --sprite s.png", "s.tsv"),
    ],
)
def test_a_report_takes_the_place_of_nothing_that_is_read(
    run: Any, inputs: Path, source: str, output: str
) -> None:
    told = refused(run, inputs, "project", *source.split(), "-o", output)
    assert f"{output}: would overwrite the " in told
    told = refused(run, inputs, "project", *source.split(), "-o", "o.html", "--figure", output)
    assert f"{output}: would overwrite the " in told


def test_settings_that_were_found_are_not_overwritten(run: Any, inputs: Path) -> None:
    (inputs / "embviz.toml").write_text('source = "x.npy"\n')
    told = refused(run, inputs, "project", "-o", "embviz.toml")
    assert "embviz.toml: would overwrite the settings" in told


@pytest.mark.parametrize("output", ["m.tsv", "log/t.tsv", "log/m.tsv"])
def test_neighbors_take_the_place_of_nothing_that_is_read(
    run: Any, inputs: Path, output: str
) -> None:
    source = "log" if output.startswith("log") else "x.npy"
    metadata = "" if source == "log" else 'metadata = "m.tsv"\n'
    (inputs / "embviz.toml").write_text(f'source = "{source}"\n{metadata}')
    told = refused(run, inputs, "neighbors", "--all", "-k", "2", "-o", output)
    assert f"{output}: would overwrite the input" in told


@pytest.mark.parametrize("option", ["-o", "--labels"])
def test_a_sheet_takes_the_place_of_no_settings(run: Any, inputs: Path, option: str) -> None:
    (inputs / "c.png").write_text("quality = 90\n")
    more = () if option == "-o" else ("-o", "new.png")
    told = refused(run, inputs, "sprite", "photos", "--config", "c.png", option, "c.png", *more)
    assert "c.png: would overwrite the settings" in told


def test_a_logdir_takes_the_place_of_nothing_that_is_read(run: Any, inputs: Path) -> None:
    assert run("export", "x.npy", "--metadata", "m.tsv", "-o", "out").status == 0
    for words in ("out/projector_config.pbtxt", "x.npy --metadata out/metadata.tsv"):
        told = refused(run, inputs, "export", *words.split(), "-o", "out")
        assert "out: would overwrite the " in told
    (inputs / "out/raw").mkdir()
    np.save(inputs / "out/raw/tensor.npy", VECTORS)
    assert run("export", "out/raw/tensor.npy", "-o", "out").status == 0


def test_a_report_takes_the_place_of_no_image(run: Any, inputs: Path) -> None:
    image = next(p for p in sorted((inputs / "photos").iterdir()) if p.is_file())
    output = f"photos/{image.name}"
    told = refused(run, inputs, "project", "x.npy", "--images", "photos", "-o", output)
    assert f"{output}: would overwrite a file of photos" in told
