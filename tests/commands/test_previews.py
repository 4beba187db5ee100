"""`--preview` and `--preview-dark`: pictures beside a report, and how the report refers to them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from embviz import ParameterError, ReportOptions
from embviz.outputs.references import relative_url
from tests.conftest import Ran

Run = Callable[..., Ran]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "x.npy", rng.normal(size=(60, 4)).astype(np.float32))
    np.save(tmp_path / "y.npy", rng.normal(size=(60, 4)).astype(np.float32))
    return tmp_path


def test_pictures_lie_beside_the_report_that_refers_to_them(run: Run, source: Path) -> None:
    (source / "a").mkdir()
    (source / "b c").mkdir()
    done = run(
        "project", "x.npy", "-o", "a/out.html", "--preview", 'b c/p"<&\'>,%.PNG',
        "--preview-dark", "a/dark.png",
    )  # fmt: skip
    assert done.status == 0, done.stderr
    assert "Wrote a/dark.png" in done.stderr
    html = (source / "a/out.html").read_text(encoding="utf-8")
    (light,) = re.findall(r'<img src="([^"]*)"', html)
    (dark,) = re.findall(r'srcset="([^"]*)"', html)
    assert dark == "dark.png"
    assert not set(light) & set("\"'<>&, ")
    assert unquote(light) == "../b c/p\"<&'>,%.PNG"
    for name, ground in (("a/" + unquote(light), (255, 255, 255)), ("a/dark.png", (18, 20, 23))):
        image = Image.open(source / name)
        assert image.size == (1200, 800)
        assert image.getpixel((1199, 799)) == ground


def test_a_report_without_pictures_allows_none(run: Run, source: Path) -> None:
    assert run("project", "x.npy", "-o", "out.html").status == 0
    html = (source / "out.html").read_text(encoding="utf-8")
    assert "<img" not in html
    assert "img-src data: blob:" in html


def test_the_same_command_elsewhere_makes_the_same_bytes(
    run: Run, source: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = []
    for _ in range(2):
        folder = tmp_path_factory.mktemp("elsewhere")
        done = run(
            "project", "x.npy", "-o", str(folder / "o.html"), "--preview", str(folder / "p.png")
        )
        assert done.status == 0, done.stderr
        made.append([(folder / name).read_bytes() for name in ("o.html", "p.png")])
    assert made[0] == made[1]
    assert os.fsencode(folder.name) not in made[0][0]


@pytest.mark.parametrize("name", ["p.jpg", "p", "-", "p.png.html"])
def test_another_format_is_refused_by_name_before_anything_is_read(run: Run, name: str) -> None:
    done = run("project", "nowhere.npy", "-o", "out.html", "--preview", name)
    assert done.status == 2
    assert done.stderr.startswith(f"embviz: --preview {name}: ")
    assert ".png" in done.stderr


def test_a_picture_replaces_no_input_and_no_other_output(run: Run, source: Path) -> None:
    Image.new("L", (64, 64)).save(source / "sheet.png")
    done = run(
        "project", "x.npy", "--sprite", "sheet.png", "-o", "o.html", "--preview", "sheet.png"
    )
    assert done.status == 2
    assert "would overwrite the sprite" in done.stderr
    done = run("project", "x.npy", "-o", "o.html", "--preview", "p.png", "--preview-dark", "p.png")
    assert done.status == 2
    assert "is both --preview" in done.stderr
    assert not (source / "o.html").exists()


def test_where_a_picture_cannot_be_written_there_is_no_report_either(
    run: Run, source: Path
) -> None:
    done = run("project", "x.npy", "-o", "o.html", "--preview", "no/p.png")
    assert done.status == 1
    assert not (source / "o.html").exists()


def test_a_report_on_the_standard_output_refers_to_no_picture(run: Run, source: Path) -> None:
    done = run("project", "x.npy", "-o", "-", "--preview", "p.png")
    assert done.status == 0, done.stderr
    assert (source / "p.png").exists()
    assert "<img" not in done.stdout


def test_both_maps_of_a_comparison_are_in_its_picture(run: Run, source: Path) -> None:
    done = run("compare", "x.npy", "y.npy", "--method", "pca", "-o", "c.html", "--preview", "c.png")
    assert done.status == 0, done.stderr
    assert '<img src="c.png"' in (source / "c.html").read_text(encoding="utf-8")
    pixels = np.asarray(Image.open(source / "c.png")).astype(int)
    ink = np.abs(pixels[150:650] - 255).max(axis=2) > 100
    assert ink[:, 120:580].mean() > 0.005
    assert ink[:, 720:1180].mean() > 0.005


def test_a_comparison_without_a_report_has_no_picture(run: Run, source: Path) -> None:
    done = run("compare", "x.npy", "y.npy", "--preview", "c.png")
    assert done.status == 2
    assert "--preview" in done.stderr
    assert "-o" in done.stderr


def test_references_are_relative_and_quoted(tmp_path: Path) -> None:
    page = tmp_path / "a/out.html"
    assert relative_url(tmp_path / "a/p.png", page) == "p.png"
    assert relative_url(tmp_path / "p q.png", page) == "../p%20q.png"
    assert relative_url(tmp_path / "a/http:x/#?.png", page) == "http%3Ax/%23%3F.png"
    assert relative_url(os.fsdecode(b"\xff.png"), "o.html") == "%FF.png"


@pytest.mark.parametrize("url", ["https://x/y.png", "//x/y.png", "/y.png", "data:x", "\\\\x\\y"])
def test_a_report_refers_to_nothing_elsewhere(url: str) -> None:
    with pytest.raises(ParameterError, match="no relative URL"):
        ReportOptions(preview_link=url)
