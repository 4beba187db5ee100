"""`--max-size` on the command line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz.report.shell import shell_size
from tests.report.test_changes import manifest_of

N = 1500


@pytest.fixture
def words(tmp_path: Path) -> tuple[str, str]:
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        np.save(tmp_path / f"{name}.npy", rng.normal(size=(N, 100)).astype(np.float32))
    (tmp_path / "labels.tsv").write_text("".join(f"{rng.bytes(40).hex()}\n" for _ in range(N)))
    return "a.npy", "labels.tsv"


def test_a_page_keeps_within_the_size_and_tells_what_was_left_out(
    run: Any, words: tuple[str, str], tmp_path: Path
) -> None:
    size = f"{shell_size() / 1e6 + 0.21:.2f}"
    asked = ("project", words[0], "--metadata", words[1], "-o", "out.html", "--max-size", size)
    ran = run(*asked)
    assert ran.status == 0, ran.stderr
    assert (tmp_path / "out.html").stat().st_size <= float(size) * 1e6
    assert "1,500 × 100 would make the page larger than" in ran.stderr
    assert "nearest of each point by cosine travel instead, at distances within 0.4 %" in ran.stderr
    manifest = manifest_of(tmp_path / "out.html")
    assert manifest["neighbors"]["k"] == 10
    (least,) = re.findall(r"--max-size (\d+) puts them in", ran.stderr)
    assert run(*asked[:-1], least).status == 0
    assert manifest_of(tmp_path / "out.html")["spaces"][0]["vectors"] is not None


@pytest.mark.parametrize("size", ["0", "-1", "nan", "inf", "many", ""])
def test_a_size_that_is_none_is_refused(run: Any, words: tuple[str, str], size: str) -> None:
    for command in (("project", words[0]), ("compare", *words[:1], "b.npy")):
        ran = run(*command, "-o", "out.html", "--max-size", size)
        assert ran.status == 2
        assert "--max-size" in ran.stderr


def test_a_page_too_small_for_its_labels_is_refused_before_pictures_are_made(
    run: Any, words: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embviz.pictures.plan.project", None)
    ran = run(
        *("project", words[0], "--metadata", words[1], "-o", "out.html"),
        *("--max-size", f"{shell_size() / 1e6 + 0.05:.2f}"),
    )
    assert ran.status == 2
    assert "pictures are to come; --max-size 2 is enough" in ran.stderr
    assert not (tmp_path / "out.html").exists()


def test_the_size_of_a_page_needs_a_page(run: Any, words: tuple[str, str]) -> None:
    ran = run("compare", words[0], "b.npy", "--max-size", "9")
    assert ran.status == 2
    assert "--max-size: belongs to the report; add -o FILE" in ran.stderr


def test_a_comparison_keeps_within_the_size(
    run: Any, words: tuple[str, str], tmp_path: Path
) -> None:
    size = shell_size() / 1e6 + 0.45
    ran = run(
        *("compare", words[0], "b.npy", "--method", "pca", "-o", "out.html"),
        *("--max-size", f"{size:.2f}"),
    )
    assert ran.status == 0, ran.stderr
    assert (tmp_path / "out.html").stat().st_size <= size * 1e6 + 1e4
    manifest = manifest_of(tmp_path / "out.html")
    assert {space["vectors"] for space in manifest["spaces"]} == {None}
    assert manifest["neighbors"]["k"] >= 3
    assert "those of both sides would make the page larger" in ran.stderr
