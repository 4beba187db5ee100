"""Where the steps of a run lie, as the programs that train write them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from embviz.errors import LoadError, ParameterError
from embviz.loaders.runs import choose_steps, find_runs, find_steps, name_sources, tell_order

sys.path.insert(0, str(Path(__file__).with_name("weights")))
from model_writer import write_model
from torch_writer import write_bin

VECTORS = np.random.default_rng(3).normal(size=(12, 4)).astype(np.float32)


def names(run: Path, tensor: str | None = None) -> list[str]:
    return [step.name for step in find_steps(run, tensor)]


def write_arrays(folder: Path, *files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        np.save(folder / file, VECTORS)
    return folder


def why(run: Path, tensor: str | None = None) -> str:
    with pytest.raises((LoadError, ParameterError)) as caught:
        find_steps(run, tensor)
    return str(caught.value)


@pytest.mark.parametrize("place", ["tf2_manager", "tf2_manager/ckpt", "tf2_manager/ckpt-"])
def test_tensorflow_s_checkpoints_are_steps_of_their_folder_and_prefix(tf_checkpoints, place):
    steps = find_steps(tf_checkpoints.root / place)
    assert [step.name for step in steps] == ["5", "10", "100"]
    assert [step.path.name for step in steps] == ["ckpt-5", "ckpt-10", "ckpt-100"]
    assert "one source and no run; name its folder" in why(
        tf_checkpoints.root / "tf2_manager/ckpt-10"
    )


def test_checkpoints_of_hugging_face_s_trainer_are_steps(tmp_path):
    for step in (1500, 500, 1000):
        write_model(tmp_path / f"checkpoint-{step}", {"embeddings.weight": VECTORS[:7]}, {})
    write_model(tmp_path, {"embeddings.weight": VECTORS[:7]}, {})
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "events.out.tfevents.1700000000.host.1.0").touch()
    assert names(tmp_path) == ["500", "1000", "1500"]


def test_shards_of_a_model_are_no_steps(tmp_path):
    for i in (1, 2):
        save_file({f"w{i}": VECTORS}, tmp_path / f"model-0000{i}-of-00002.safetensors")
    assert "no steps in it" in why(tmp_path)


def test_lightning_s_files_are_steps_by_the_number_behind_step(tmp_path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for epoch, step in ((0, 900), (1, 1000), (9, 99)):
        write_bin(folder / f"epoch={epoch}-step={step}.ckpt", {"emb.weight": VECTORS})
    write_bin(folder / "last.ckpt", {"emb.weight": VECTORS})
    assert names(folder) == ["99", "900", "1000"]
    assert names(tmp_path) == ["99", "900", "1000"]


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (["emb_10.npy", "emb_9.npy", "emb_0100.npy"], ["9", "10", "100"]),
        (["2024-run-1.npy", "2024-run-2.npy"], ["1", "2"]),
        (["cp-01-0.94.npy", "cp-02-0.91.npy", "cp-10-0.90.npy"], ["1", "2", "10"]),
        (["v2_epoch_7_loss_3.npy", "v2_epoch_3_loss_9.npy"], ["3", "7"]),
        (["7.npy", "1e.npy", "12.npy"], ["7", "12"]),
    ],
)
def test_arrays_are_steps_in_the_order_of_their_numbers(tmp_path, files, found):
    assert names(write_arrays(tmp_path, *files)) == found


def test_numbered_folders_are_steps_where_sources_lie_in_them(tmp_path):
    for step in (20, 100):
        write_arrays(tmp_path / str(step), "vectors.npy")
        (tmp_path / f"logs_{step}").mkdir()
    assert names(tmp_path) == ["20", "100"]


def test_labels_beside_vectors_are_no_steps_but_tables_alone_are(tmp_path):
    write_arrays(tmp_path / "a", "emb_1.npy", "emb_2.npy")
    (tmp_path / "b").mkdir()
    for step in (1, 2):
        (tmp_path / "a" / f"labels_{step}.tsv").write_text("a\nb\n")
        (tmp_path / "b" / f"step{step}.tsv").write_text("a\t1\t2\nb\t3\t4\n")
    assert names(tmp_path / "a") == ["1", "2"]
    assert names(tmp_path / "b") == ["1", "2"]


def test_a_pattern_or_a_beginning_of_names_chooses_one_of_several_runs(tmp_path):
    write_arrays(tmp_path, "a_1.npy", "a_2.npy", "b_1.npy", "b_2.npy", "b_3.npy")
    said = why(tmp_path)
    assert "2 runs: a_*.npy (2 steps), b_*.npy (3 steps)" in said
    assert f"name one, as '{tmp_path / 'a_*.npy'}'" in said
    assert names(tmp_path / "a_*.npy") == ["1", "2"]
    assert names(tmp_path / "b_") == ["1", "2", "3"]
    assert [run.pattern for run in find_runs(tmp_path)] == ["a_*.npy", "b_*.npy"]
    assert "no such file or folder" in why(tmp_path / "c_")


def test_two_steps_of_one_number_are_refused(tmp_path):
    write_arrays(tmp_path, "emb_1.npy", "emb_01.npy")
    assert "emb_01.npy and emb_1.npy are both step 1" in why(tmp_path)


def test_numbers_that_are_no_whole_ones_tell_no_steps(tmp_path):
    write_arrays(tmp_path, "emb_0.1.npy", "emb_0.2.npy")
    assert "no number tells emb_0.1.npy, emb_0.2.npy apart; name them one by one" in why(tmp_path)


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    writer = pytest.importorskip("tensorboardX").SummaryWriter
    folder = tmp_path_factory.mktemp("logs") / "run"
    with writer(str(folder)) as events:
        for step in (0, 2000, 100):
            events.add_embedding(VECTORS, global_step=step, tag="words")
            if step:
                events.add_embedding(VECTORS, global_step=step, tag="layer/1 out")
        events.add_embedding(VECTORS, global_step=7, tag="once")
    return folder


def test_tags_and_steps_of_add_embedding_are_steps(logdir):
    steps = find_steps(logdir, "words")
    assert [(s.name, s.tensor) for s in steps] == [
        ("0", "words:00000"), ("100", "words:00100"), ("2000", "words:02000"),
    ]  # fmt: skip
    assert names(logdir.parent, "layer/1 out") == ["100", "2000"]
    assert "2 tags have steps: words (3 steps), layer/1 out (2 steps); choose by --tensor" in why(
        logdir
    )
    assert "no such tag of several steps; there are words, layer/1 out" in why(logdir, "once")


def test_the_one_tag_of_a_config_needs_no_name(logdir, tmp_path):
    folder = shutil.copytree(logdir, tmp_path / "one")
    config = folder / "projector_config.pbtxt"
    config.write_text(config.read_text().replace("layer/1 out:", "layer/1 out "))
    assert names(folder) == ["0", "100", "2000"]


@pytest.mark.parametrize("kind", ["file", "empty", "missing"])
def test_what_is_no_run_is_refused(tmp_path, kind):
    place = tmp_path / kind
    if kind == "file":
        np.save(tmp_path / "file.npy", VECTORS)
        place = tmp_path / "file.npy"
    if kind == "empty":
        place.mkdir()
    wanted = {"file": "one source and no run", "empty": "no steps in it", "missing": "no such file"}
    assert wanted[kind] in why(place)


@pytest.fixture
def steps(tmp_path: Path) -> Any:
    return find_steps(write_arrays(tmp_path, *(f"e{n}.npy" for n in (1, 2, 3, 10, 20))))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("all", "1 2 3 10 20"),
        ("last:2", "10 20"),
        ("last:99", "1 2 3 10 20"),
        ("20, 1,010", "1 10 20"),
        (" 3,2 ", "2 3"),
    ],
)
def test_steps_are_chosen_by_all_last_or_numbers(steps, asked, found):
    assert " ".join(step.name for step in choose_steps(steps, asked, "run")) == found


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("1,4,5", "run has no step 4 and 1 more; there are 1, 2, 3, 10, 20"),
        ("5", "run has no step 5; there are"),
        ("3", "1 step of the 5 of run; a run has two at least; to project one: SOURCE"),
        ("last:1", "1 step of the 5"),
        ("last:0", "is not understood; such as all, last:10"),
        ("first:2", "is not understood"),
        ("1,,2", "is not understood"),
        ("", "is not understood"),
        ("1,2,1", "names step 1 twice"),
    ],
)
def test_what_is_no_choice_of_steps_is_refused(steps, asked, said):
    with pytest.raises(ParameterError) as caught:
        choose_steps(steps, asked, "run")
    assert said in str(caught.value)


def test_sources_are_called_by_what_tells_them_apart():
    def called(*sources: str) -> list[str]:
        return [step.name for step in name_sources(sources)]

    assert called("x/before.npy", "after.npy") == ["before", "after"]
    assert called("x/v.npy", "x/v.tsv") == ["v.npy", "v.tsv"]
    assert called("x/v.npy", "y/v.npy") == [str(Path("x/v.npy")), str(Path("y/v.npy"))]
    with pytest.raises(ParameterError, match="named twice"):
        called("x.npy", "x.npy")


def test_sources_in_another_order_than_their_numbers_are_told():
    def told(*sources: str) -> str:
        return tell_order(name_sources(sources))

    said = told("run/e1.npy", "run/e10.npy", "run/e9.npy")
    assert said == (
        "the steps are in the order given, 1, 10, 9; a pattern in quotes has them by number"
    )
    assert told("run/e1.npy", "run/e9.npy", "run/e10.npy") == ""
    assert told("b.npy", "a.npy") == told("e2.npy", "f1.npy") == ""
