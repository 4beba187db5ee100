"""A pattern in quotes as a source: which files it names, and what is said where it names none."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import LoadError, load_table
from embviz.loaders.patterns import find_sources

ROWS = np.arange(24, dtype=np.float32).reshape(12, 2)


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    folder = tmp_path / "my shards"
    folder.mkdir()
    for i in range(12):
        np.save(folder / f"emb_{i}.npy", ROWS[i : i + 1])
    return folder


def test_the_files_of_a_pattern_are_one_table_in_natural_order(shards: Path) -> None:
    table = load_table(shards / "emb_*.npy")
    np.testing.assert_array_equal(table.vectors[:], ROWS)
    assert table.metadata["source"][9:11] == tuple(str(shards / f"emb_{i}.npy") for i in (9, 10))


def test_a_pattern_that_one_file_matches_is_that_file(shards: Path) -> None:
    table = load_table(shards / "*_7.npy")
    np.testing.assert_array_equal(table.vectors[:], ROWS[7:8])
    assert table.source == str(shards / "emb_7.npy")
    assert not table.metadata


def test_patterns_may_stand_beside_files_and_go_through_folders(shards: Path) -> None:
    names = [shards / "emb_3.npy", shards.parent / "**" / "emb_[12].npy"]
    np.testing.assert_array_equal(load_table(names).vectors[:], ROWS[[3, 1, 2]])


def test_a_file_of_the_very_name_is_no_pattern(tmp_path: Path) -> None:
    np.save(tmp_path / "a[1].npy", ROWS)
    np.save(tmp_path / "a1.npy", -ROWS)
    np.testing.assert_array_equal(load_table(tmp_path / "a[1].npy").vectors[:], ROWS)


def test_the_prefix_of_a_checkpoint_is_no_pattern(tmp_path: Path) -> None:
    (tmp_path / "model[1].ckpt.index").touch()
    (tmp_path / "model1.ckpt").touch()
    assert find_sources(tmp_path / "model[1].ckpt") == [tmp_path / "model[1].ckpt"]


@pytest.mark.parametrize("folder", ["my shards", "-n"])
def test_the_way_out_of_a_pattern_without_a_file_works_when_typed(
    tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(folder).mkdir()
    np.save(Path(folder) / "a.npy", ROWS)
    with pytest.raises(LoadError, match="no file or folder matches") as caught:
        load_table(f"{folder}/*.npz")
    line = caught.value.way_out.removeprefix("see which are there: ")
    assert subprocess.check_output(line, shell=True, encoding="utf-8") == "a.npy\n"


def test_a_pattern_in_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"there is no folder .*gone; see which are there: ls ."):
        load_table(tmp_path / "gone" / "*.npy")


def test_no_output_replaces_a_file_of_a_pattern(run: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "x1.npy", ROWS)
    done = run("project", "x*.npy", "-o", "x1.npy")
    assert done.status == 2
    assert "would overwrite the source" in done.stderr
