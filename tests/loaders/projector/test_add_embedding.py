"""Logdirs of `SummaryWriter.add_embedding`, written by tensorboardX in PyTorch's layout."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import text_format

from embviz import list_tensors, load_table
from embviz.sprites import read_tiles

tensorboard_x = pytest.importorskip("tensorboardX")

RNG = np.random.default_rng(3)
N = 11
TAGS = ("default", "layer/1 out", "Ünï")
STEPS = (0, 12, 123456)
IMAGES = RNG.random((N, 3, 6, 6)).astype(np.float32)


def vectors_of(tag: str, step: int) -> np.ndarray:
    rng = np.random.default_rng([len(tag), step])
    return rng.normal(size=(N, 4)).astype(np.float32) * 10.0 ** float(rng.integers(-9, 9))


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tags of three steps, each with its own labels, one with images, one with a header."""
    folder = tmp_path_factory.mktemp("runs") / "a run"
    with tensorboard_x.SummaryWriter(str(folder)) as writer:
        for step in STEPS:
            for tag in TAGS:
                more: dict[str, Any] = {"metadata": [f"{tag} {step} {i}" for i in range(N)]}
                if tag == "layer/1 out":
                    more["metadata"] = [[f"w{i}", i % 3, f"{step}"] for i in range(N)]
                    more["metadata_header"] = ["word", "class", "step"]
                if tag == "default":
                    more["label_img"] = np.roll(IMAGES, STEPS.index(step), axis=0)
                writer.add_embedding(vectors_of(tag, step), global_step=step, tag=tag, **more)
        writer.add_embedding(vectors_of("bare", 1))
    return folder


def test_every_tag_and_step_is_listed(logdir: Path) -> None:
    # What was written twice, default:00000, is listed once.
    names = [f"{tag}:{step:05}" for step in STEPS for tag in TAGS]
    found = list_tensors(logdir)
    assert [info.name for info in found] == names
    assert {info.shape for info in found} == {(N, 4)}
    assert [info.name for info in found if info.taken] == ["default:123456"]


@pytest.mark.parametrize("step", STEPS[1:])
@pytest.mark.parametrize("tag", TAGS)
def test_vectors_and_labels_are_those_of_the_tag_and_step(
    logdir: Path, tag: str, step: int
) -> None:
    table = load_table(logdir, tensor=f"{tag}:{step:05}")
    assert table.name == f"{tag}:{step:05}"
    np.testing.assert_array_equal(np.asarray(table.vectors, np.float32), vectors_of(tag, step))
    if tag == "layer/1 out":
        assert dict(table.metadata) == {
            "word": tuple(f"w{i}" for i in range(N)),
            "class": tuple(str(i % 3) for i in range(N)),
            "step": (str(step),) * N,
        }
    else:
        assert list(table.metadata.values()) == [tuple(f"{tag} {step} {i}" for i in range(N))]
    assert (table.sprite is not None) == (tag == "default")


@pytest.mark.parametrize("step", STEPS)
def test_label_images_become_the_thumbnails_of_their_points(logdir: Path, step: int) -> None:
    sprite = load_table(logdir, tensor=f"default:{step:05}").sprite
    assert sprite is not None
    assert (sprite.tile_width, sprite.tile_height, sprite.columns) == (6, 6, 4)
    wanted = np.roll(IMAGES, STEPS.index(step), axis=0).transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(read_tiles(sprite)[:N], (wanted * 255).astype(np.uint8))


def test_an_embedding_written_again_is_the_last_one(logdir: Path) -> None:
    # The files of a tag and step are written over, and its entry stands twice in the config.
    table = load_table(logdir, tensor="default:00000")
    np.testing.assert_array_equal(np.asarray(table.vectors, np.float32), vectors_of("bare", 1))


def test_the_config_that_pytorch_serializes_reads_the_same(logdir: Path, tmp_path: Path) -> None:
    # PyTorch writes the message by protobuf, and not by hand as tensorboardX does.
    pb = pytest.importorskip("tensorboard.plugins.projector.projector_config_pb2")
    shutil.copytree(logdir, tmp_path / "t")
    config = tmp_path / "t/projector_config.pbtxt"
    message = text_format.Parse(config.read_text("utf-8"), pb.ProjectorConfig())
    config.write_text(text_format.MessageToString(message), "utf-8")
    name = "layer/1 out:00012"
    table = load_table(tmp_path / "t", tensor=name)
    np.testing.assert_array_equal(
        np.asarray(table.vectors, np.float32), vectors_of("layer/1 out", 12)
    )
    assert table.metadata["word"][10] == "w10"
    assert load_table(tmp_path / "t", tensor="Ünï:00012").metadata["label"][0] == "Ünï 12 0"


def test_tensors_that_a_version_of_pytorch_writes_as_npy_are_read(
    logdir: Path, tmp_path: Path
) -> None:
    shutil.copytree(logdir, tmp_path / "t")
    config = tmp_path / "t/projector_config.pbtxt"
    config.write_text(config.read_text("utf-8").replace("tensors.tsv", "tensors.npy"), "utf-8")
    for path in list((tmp_path / "t").rglob("tensors.tsv")):
        np.save(path.with_suffix(".npy"), np.loadtxt(path, delimiter="\t"))
        path.unlink()
    table = load_table(tmp_path / "t", tensor="layer/1 out:00012")
    np.testing.assert_array_equal(table.vectors, vectors_of("layer/1 out", 12).astype(np.float64))
    assert table.metadata["class"] == tuple(str(i % 3) for i in range(N))
    infos = list_tensors(tmp_path / "t")
    assert (infos[0].shape, infos[0].dtype) == ((N, 4), "float64")
