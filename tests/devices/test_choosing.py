"""Which device work is done on, and what is said where there is none."""

from __future__ import annotations

import logging
import subprocess
import sys
import types

import numpy as np
import pytest

from embviz import devices
from embviz.cli import main
from embviz.devices.numpy_arrays import NumPyArrays
from embviz.errors import ParameterError
from embviz.model import EmbeddingTable
from embviz.pictures.plan import Plan, project
from embviz.projections import TSNE
from embviz.space import open_space

TABLE = EmbeddingTable(np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32))


class Card(NumPyArrays):
    title = "a card"


@pytest.fixture
def card(monkeypatch):
    monkeypatch.setattr(devices, "_why_no_card", lambda: ("", ""))
    monkeypatch.setitem(devices.DEVICES, "cuda", Card)


@pytest.fixture
def torch_without_card(monkeypatch):
    torch = types.ModuleType("torch")
    torch.__version__ = "9.9"
    torch.__spec__ = types.SimpleNamespace()
    torch.cuda = types.SimpleNamespace(is_available=lambda: False)
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(devices, "find_spec", lambda name: object())


def test_a_card_is_taken_unasked_beyond_20000_points(card):
    assert devices.choose_device("auto", 20_000) is None
    assert isinstance(devices.choose_device("auto", 20_001), Card)
    assert isinstance(devices.choose_device("cuda", 4), Card)
    assert devices.choose_device("cpu", 10**6) is None


def test_without_pytorch_a_card_is_refused_and_auto_takes_the_processor(monkeypatch):
    monkeypatch.setattr(devices, "find_spec", lambda name: None)
    assert devices.choose_device("auto", 10**6) is None
    with pytest.raises(ParameterError) as refused:
        devices.choose_device("cuda", 10**6)
    assert str(refused.value).startswith("--device cuda: PyTorch is not installed; pip install")


def test_without_a_card_it_is_refused_and_auto_takes_the_processor(torch_without_card):
    assert devices.choose_device("auto", 10**6) is None
    with pytest.raises(ParameterError) as refused:
        devices.choose_device("cuda", 10**6)
    assert str(refused.value) == "--device cuda: PyTorch 9.9 sees no card; give --device cpu"


def test_a_pytorch_that_cannot_be_loaded_is_told(monkeypatch):
    monkeypatch.setattr(devices, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "torch", None)
    assert devices.choose_device("auto", 10**6) is None
    with pytest.raises(ParameterError, match="PyTorch cannot be loaded"):
        devices.choose_device("cuda", 10**6)


def test_the_processor_never_loads_pytorch():
    code = (
        "import sys; from embviz.devices import choose_device; "
        "assert choose_device('cpu', 10**6) is None; assert choose_device('auto', 100) is None; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_plan_says_which_card_it_takes_and_so_does_the_picture(card, caplog):
    caplog.set_level(logging.INFO, "embviz")
    (_, flat) = project(TABLE, Plan(methods=["tsne:iterations=20"], dims=[2], device="cuda"))
    assert flat.params["device"] == "a card"
    said = [r.getMessage() for r in caplog.records if "device" in r.getMessage()]
    assert said == ["device: neighbors, t-SNE and quality on a card; all else on the processor"]
    assert "quality" in flat.stats


def test_a_plan_for_the_processor_leaves_the_card_alone(card):
    (_, flat) = project(TABLE, Plan(methods=["tsne:iterations=20"], dims=[2], device="cpu"))
    assert flat.params["device"] == "cpu"


def test_a_projector_is_obeyed_whatever_its_space_is_opened_for(card):
    space = open_space(TABLE).on("cuda")
    assert TSNE(iterations=5).project(TABLE, space).params["device"] == "a card"
    assert TSNE(iterations=5, device="cpu").project(TABLE, space).params["device"] == "cpu"


@pytest.mark.parametrize("make", [lambda: Plan(device="gpu"), lambda: TSNE(device="gpu")])
def test_a_device_that_is_none_is_refused(make):
    with pytest.raises(ParameterError, match="gpu"):
        make()


def test_a_space_on_a_card_keeps_its_normalization_and_what_was_found(card):
    space = open_space(TABLE, "center")
    space.keep("found", lambda: 1)
    there = space.on("cuda")
    assert there.normalize == "center"
    assert there.keep("found", lambda: 2) == 1
    assert there.seen("none").arrays is there.arrays
    assert there.on("auto") is there


def test_all_neighbors_are_compared_on_a_card_and_the_file_says_exact(
    card, tmp_path, capsys, monkeypatch
):
    source, out = tmp_path / "x.npy", tmp_path / "near.npz"
    np.save(source, TABLE.vectors)
    asked = ["neighbors", "--source", str(source), "--all", "-o", str(out), "-k", "5"]
    assert main([*asked, "--device", "cpu"]) == 0
    here = dict(np.load(out))
    monkeypatch.setattr("embviz.questions.all_points.EXACT_COST", 0)
    capsys.readouterr()
    assert main([*asked, "--device", "cuda"]) == 0
    said = capsys.readouterr().err
    assert "device: neighbors, t-SNE and quality on a card" in said
    assert "exact" in said
    there = dict(np.load(out))
    assert all(np.array_equal(here[name], there[name]) for name in here)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["neighbors", "--source", "x.npy", "3", "--device", "cuda"], "belongs to --all"),
        (["compare", "x.npy", "x.npy", "--device", "cuda"], "belongs to the report"),
    ],
)
def test_a_device_is_refused_where_nothing_is_computed_on_one(
    command, why, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", TABLE.vectors)
    assert main(command) == 2
    assert f"--device: {why}" in capsys.readouterr().err


def test_the_terminal_counts_the_dimensions_of_a_map_on_a_card(card, caplog):
    caplog.set_level(logging.INFO, "embviz")
    TSNE(3, iterations=10, device="cuda").project(TABLE)
    said = [r.getMessage() for r in caplog.records]
    assert any(text.startswith("t-SNE in 3D: 10 iterations, KL") for text in said)


def test_a_map_of_neighbors_from_a_card_says_so(card):
    pytest.importorskip("umap")
    (_, flat) = project(TABLE, Plan(methods=["umap"], dims=[2], device="cuda"))
    assert flat.params["neighbors_device"] == "a card"
