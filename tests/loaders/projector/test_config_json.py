"""projector_config.json, as the Projector that stands alone has it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import LoadError
from embviz.loaders import list_tensors, load_table
from embviz.loaders.formats import find_format
from embviz.sprites import pack_tiles

VECTORS = np.random.default_rng(2).normal(size=(10, 3)).astype(np.float32)
ENTRY: dict[str, Any] = {
    "tensorName": "W",
    "tensorShape": [10, 3],
    "tensorPath": "t.bytes",
    "metadataPath": "m.tsv",
    "sprite": {"imagePath": "s.png", "singleImageDim": [8, 6]},
    "bookmarksPath": "b.txt",
}
STATE = {"label": "v", "selectedProjection": "pca", "projections": [], "selectedPoints": []}


def write_config(folder: Path, *entries: Any, name: str = "projector_config.json") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "t.bytes").write_bytes(VECTORS.astype("<f4").tobytes())
    (folder / "m.tsv").write_text("".join(f"w{i}\n" for i in range(10)))
    (folder / "b.txt").write_text(json.dumps([STATE]))
    (folder / "s.png").write_bytes(pack_tiles(np.zeros((10, 6, 8), np.uint8)).image)
    config = {"embeddings": list(entries), "modelCheckpointPath": "Demo datasets"}
    (folder / name).write_text(json.dumps(config, indent=2))
    return folder / name


def error(path: Path) -> str:
    with pytest.raises(LoadError) as caught:
        load_table(path)
    return str(caught.value)


@pytest.mark.parametrize("name", ["projector_config.json", "oss.json", "demo.txt"])
def test_a_config_gives_vectors_metadata_sprite_and_bookmarks(tmp_path: Path, name: str) -> None:
    path = write_config(tmp_path / "x", ENTRY, name=name)
    sources = (path, path.parent) if name == "projector_config.json" else (path,)
    for source in sources:
        table = load_table(source)
        np.testing.assert_array_equal(table.vectors, VECTORS)
        assert (table.name, table.metadata) == ("W", {"label": tuple(f"w{i}" for i in range(10))})
        assert table.sprite is not None
        assert table.sprite.tile_width == 8
        assert [bookmark.label for bookmark in table.bookmarks] == ["v"]


def test_of_several_tensors_each_can_be_had(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "t.tsv", VECTORS[:4], delimiter="\t")
    path = write_config(tmp_path, ENTRY, {"tensorName": "V", "tensorPath": "t.tsv", "sprite": None})
    assert [(i.name, i.shape, i.taken) for i in list_tensors(path)] == [
        ("W", (10, 3), True),
        ("V", (4, 3), False),
    ]
    np.testing.assert_array_equal(load_table(path, tensor="V").vectors, VECTORS[:4])


def test_names_may_be_those_of_the_message(tmp_path: Path) -> None:
    entry = {"tensor_name": "W", "tensor_shape": [10, 3], "tensor_path": "t.bytes"}
    assert load_table(write_config(tmp_path, entry)).vectors.shape == (10, 3)


def test_paths_may_begin_with_the_name_of_the_folder(tmp_path: Path) -> None:
    path = write_config(tmp_path / "oss_data", {**ENTRY, "tensorPath": "oss_data/t.bytes"})
    np.testing.assert_array_equal(load_table(path).vectors, VECTORS)


def test_other_json_is_not_taken_for_a_config(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps([{"text": "a", "embedding": [1, 2]}] * 3))
    assert find_format(path).name == "json"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tensorPath": "https://x.org/t.bytes"}, "'https://x.org/t.bytes': a URL, and nothing is"),
        ({"tensorPath": "../t.bytes"}, "leads out of the config's folder"),
        ({"tensorPath": "/etc/passwd"}, "leads out of the config's folder"),
        ({"tensorPath": "gone.bytes"}, "no such file"),
        ({"tensorPath": 3}, "tensor_path is 3, a text is needed"),
        ({"tensorShape": [10, 4]}, "takes 160 bytes of float32, t.bytes has 120"),
        ({"tensorShape": [10]}, "tensor_shape of the raw file t.bytes is"),
        ({"tensorShape": None}, "tensor_shape of the raw file t.bytes is"),
        ({"tensorShape": [10, -3]}, "tensor_shape is [10, -3], a list of counts is needed"),
        ({"tensorShape": "10x3"}, "tensor_shape is 10x3, a list of counts is needed"),
        ({"tensorShape": [True, 3]}, "a list of counts is needed"),
        ({"sprite": "s.png"}, "the sprite of embedding 1 is no object"),
        ({"metadataPath": "../../m.tsv"}, "leads out of the config's folder"),
    ],
)
def test_what_is_unfit_is_refused_in_one_line(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    text = error(write_config(tmp_path / "x", {**ENTRY, **change}))
    assert text.startswith(f"{tmp_path / 'x' / 'projector_config.json'}: ")
    assert said in text


@pytest.mark.parametrize(
    "text", ['{"embeddings": []}', '{"embeddings": 3}', '{"embeddings": [{"tensorPath": 1', "{}"]
)
def test_damaged_json_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "projector_config.json"
    path.write_text(text)
    assert error(tmp_path).startswith(f"{path}: ")


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_links_that_lead_out_are_not_followed(tmp_path: Path) -> None:
    path = write_config(tmp_path / "x", ENTRY)
    (tmp_path / "x" / "t.bytes").rename(tmp_path / "t.bytes")
    (tmp_path / "x" / "t.bytes").symlink_to(tmp_path / "t.bytes")
    assert "leads out of the config's folder" in error(path)


def test_raw_numbers_alone_are_had_as_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_config(tmp_path, ENTRY)
    assert error(tmp_path / "t.bytes").endswith(f"numbers without a shape; name {config} instead")
    load_table(config)
    config.unlink()
    monkeypatch.chdir(tmp_path)
    text = error(tmp_path / "t.bytes")
    exec(text.rpartition("for D dimensions: ")[2], {"numpy": np, "D": 3})
    np.testing.assert_array_equal(load_table("x.npy").vectors, VECTORS)
