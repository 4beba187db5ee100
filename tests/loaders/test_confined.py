"""Nothing in a folder leads out of it: by a name in a file, or by a link."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from embviz.errors import LoadError
from embviz.loaders import open_source
from embviz.loaders.confined import find_within
from embviz.loaders.labels.vocabulary import find_vocabulary

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of a model that is not the one that is given."""
    folder = tmp_path / "outside"
    folder.mkdir()
    save_file({"wte.weight": np.ones((5, 3), np.float32)}, folder / "model.safetensors")
    (folder / "config.json").write_text('{"vocab_size": 5}')
    (folder / "vocab.txt").write_text("a\nb\nc\nd\ne\n")
    return folder


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "C:x", "a\\x", "a\0", ""])
def test_a_name_that_may_lead_out_of_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LoadError, match="nothing outside it is read"):
        find_within(tmp_path, name, "an index")


def test_a_loop_of_links_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(LoadError, match="cannot be resolved"):
        find_within(tmp_path, "a/c", "an index")


@pytest.mark.parametrize("named", [False, True])
def test_a_snapshot_of_the_hub_s_cache_that_is_a_link_is_not_followed(
    tmp_path: Path, outside: Path, named: bool
) -> None:
    cache = tmp_path / "hub" / "models--org--name"
    (cache / "snapshots").mkdir(parents=True)
    (cache / "refs").mkdir()
    if named:
        (cache / "refs" / "main").write_text("abc")
    (cache / "snapshots" / "abc").symlink_to(outside)
    with pytest.raises(LoadError, match=r"a link to .*outside, outside"):
        open_source(cache)


def test_the_gguf_file_of_a_folder_that_is_a_link_is_not_followed(
    tmp_path: Path, outside: Path
) -> None:
    (outside / "x.gguf").write_bytes(b"GGUF")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.gguf").symlink_to(outside / "x.gguf")
    with pytest.raises(LoadError, match=r"a link to .*x\.gguf, outside"):
        open_source(tmp_path / "in")


def test_a_folder_of_a_model_s_part_that_is_a_link_has_no_tokens(
    tmp_path: Path, outside: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "0_Transformer").symlink_to(outside)
    assert find_vocabulary(tmp_path / "in") is None
    (tmp_path / "in" / "0_Transformer").unlink()
    shutil.copytree(outside, tmp_path / "in" / "0_Transformer")
    assert find_vocabulary(tmp_path / "in") == tmp_path / "in" / "0_Transformer" / "vocab.txt"
