"""Several files, shards of a folder and parts of a variable as one table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz import (
    EmbeddingTable,
    LoadError,
    ParameterError,
    build_index,
    list_tensors,
    load_table,
)
from embviz.rows import JoinedRows, keep_rows, read_rows, take_rows

sys.path.insert(0, str(Path(__file__).with_name("checkpoint")))
from table_writer import write_bundle

RNG = np.random.default_rng(6)
VECTORS = RNG.normal(size=(60, 5)).astype(np.float32)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=6).filter(any),
    st.integers(-30, 30),
    st.integers(-30, 30),
    st.lists(st.integers(0, 29), max_size=8),
)
def test_joined_rows_are_those_of_one_array(
    lengths: list[int], start: int, stop: int, chosen: list[int]
) -> None:
    whole = RNG.normal(size=(sum(lengths), 3))
    rows = JoinedRows(np.split(whole, np.cumsum(lengths)[:-1]))
    assert rows.shape == whole.shape
    np.testing.assert_array_equal(rows[start:stop], whole[start:stop])
    numbers = np.array(chosen, np.int64) % len(whole)
    np.testing.assert_array_equal(read_rows(rows, numbers), whole[numbers])
    np.testing.assert_array_equal(take_rows(rows, numbers), whole[numbers])
    kept = np.unique(numbers)
    if len(kept):
        np.testing.assert_array_equal(read_rows(keep_rows(rows, kept), np.s_[0:99]), whole[kept])


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    folder = tmp_path / "shards"
    folder.mkdir()
    for i in range(12):
        np.save(folder / f"emb_{i}.npy", VECTORS[5 * i : 5 * i + 5])
    return folder


def test_shards_are_one_table_in_natural_order(shards: Path) -> None:
    (info,) = list_tensors(shards)
    assert (info.name, info.shape, info.dtype) == ("emb", (60, 5), "float32")
    assert info.note == "12 parts: emb_0.npy … emb_11.npy"
    np.testing.assert_array_equal(load_table(shards).vectors[0:60], VECTORS)
    np.testing.assert_array_equal(load_table(shards).vectors[8:23], VECTORS[8:23])


def test_shards_of_other_lengths_keep_their_labels(tmp_path: Path) -> None:
    for i, (start, stop) in enumerate([(0, 7), (7, 8), (8, 60)]):
        np.save(tmp_path / f"v-{i}.npy", VECTORS[start:stop])
        np.save(tmp_path / f"label-{i}.npy", np.array([f"w{k}" for k in range(start, stop)]))
    np.save(tmp_path / "year.npy", np.arange(60))
    table = load_table(tmp_path)
    assert table.metadata["label"] == tuple(f"w{k}" for k in range(60))
    assert table.metadata["year"][59] == "59"


def test_a_shard_that_is_no_part_of_the_table_is_refused(shards: Path) -> None:
    np.save(shards / "emb_12.npy", VECTORS[:, :4])
    with pytest.raises(LoadError, match=r"emb_0.npy is 5 wide, emb_12.npy 4 wide"):
        load_table(shards)
    np.save(shards / "emb_12.npy", VECTORS.astype(float))
    with pytest.raises(LoadError, match=r"emb_0.npy is float32, emb_12.npy float64"):
        load_table(shards)


def test_a_shard_that_is_missing_is_told(shards: Path, caplog: pytest.LogCaptureFixture) -> None:
    (shards / "emb_4.npy").unlink()
    with caplog.at_level("WARNING", "embviz"):
        assert load_table(shards).n_points == 55
    assert "number 4 is missing between emb_0.npy and emb_11.npy" in caplog.text


def test_arrays_of_other_names_are_tables_of_their_own(shards: Path) -> None:
    np.save(shards / "query.npy", VECTORS[:3])
    assert [info.name for info in list_tensors(shards)] == ["emb", "query"]
    assert load_table(shards).n_points == 60
    assert load_table(shards, tensor="query").n_points == 3


def test_a_link_out_of_a_folder_is_not_followed(shards: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "secret.npy", VECTORS)
    try:
        (shards / "emb_12.npy").symlink_to(tmp_path / "secret.npy")
    except OSError:
        pytest.skip("no links here")
    with pytest.raises(LoadError, match=r"a link to .*, outside"):
        load_table(shards)


def test_a_folder_keeps_its_labels_beside_its_array(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    np.save(tmp_path / "embeddings.npy", VECTORS)
    labels = tuple(f"w{i}" for i in range(60))
    (tmp_path / "labels.txt").write_text("\n".join(labels))
    with caplog.at_level("INFO", "embviz"):
        assert load_table(tmp_path).metadata == {"label": labels}
        assert "its labels are those of labels.txt" in caplog.text
        (tmp_path / "labels.txt").write_text("\n".join(labels[1:]))
        assert load_table(tmp_path).metadata == {}
    assert "labels.txt is left aside: 59 rows of metadata for 60 points" in caplog.text


def test_several_sources_are_one_table_that_tells_them_apart(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", VECTORS[:20])
    text = "".join(",".join([f"w{i}", *map(str, v)]) + "\n" for i, v in enumerate(VECTORS[20:]))
    (tmp_path / "b.csv").write_text(text)
    names = [tmp_path / "a.npy", tmp_path / "b.csv"]
    table = load_table(names)
    np.testing.assert_array_equal(table.vectors[0:60], VECTORS)
    assert table.metadata["label"] == ("",) * 20 + tuple(f"w{i}" for i in range(40))
    assert [Path(text).name for text in table.metadata["source"][19:21]] == ["a.npy", "b.csv"]
    assert list_tensors(names)[0].shape == (60, 5)
    assert load_table(names, metadata=names[1], unlabeled="keep").n_points == 60


def test_sources_that_make_no_table_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", VECTORS)
    np.save(tmp_path / "b.npy", VECTORS[:, 1:])
    with pytest.raises(LoadError, match=r"a.npy is 5 wide, .*b.npy 4 wide: no parts of one table"):
        load_table([tmp_path / "a.npy", tmp_path / "b.npy"])
    with pytest.raises(ParameterError, match="is named twice"):
        load_table([tmp_path / "a.npy", tmp_path / "a.npy"])


def test_every_command_takes_several_sources(run: Any, tmp_path: Path) -> None:
    for name in ("a", "b"):
        np.save(tmp_path / f"{name}.npy", VECTORS[:30])
    assert "60" in run("info", "a.npy", "b.npy").stdout
    assert run("project", "a.npy", "b.npy", "-o", "o.html", "--color-by", "source").status == 0
    assert "a.npy b.npy" in (tmp_path / "o.html").read_text(encoding="utf-8")
    assert run("index", "a.npy", "b.npy", "-o", "words").status == 0
    assert run("export", "a.npy", "b.npy", "-o", "logdir").status == 0
    assert load_table(tmp_path / "logdir").metadata["source"][30] == "b.npy"
    told = run("project", "a.npy", "b.npy", "-o", "b.npy")
    assert "would overwrite the source" in told.stderr


def test_neighbors_are_found_among_several_sources(run: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", VECTORS[:30])
    np.save(tmp_path / "b.npy", VECTORS[:30] + 0.001)
    ran = run("neighbors", "3", "--source", "a.npy", "--source", "b.npy", "-k", "1")
    assert ran.stdout.splitlines()[1].split("\t")[:3] == ["3", "b.npy", "33"]


def test_row_numbers_of_indexes_count_on(tmp_path: Path) -> None:
    for name in ("a", "b"):
        table = EmbeddingTable(VECTORS[:30], {"w": [f"{name}{i}" for i in range(30)]})
        build_index(table, tmp_path / name)
    table = load_table([tmp_path / "a", tmp_path / "b"])
    where = table.metadata["w"].index("b7")
    assert table.row_number(where) == 37
    np.testing.assert_array_equal(table.vectors[where : where + 1][0], VECTORS[7])


PARTS = {f"shared/weights_{i}": VECTORS[6 * i : 6 * i + 6] for i in range(10)}


@pytest.mark.parametrize("asked", [None, "shared", "weights", "shared/weights_*"])
def test_parts_of_a_variable_that_were_saved_one_by_one_are_joined(
    tmp_path: Path, asked: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    write_bundle(tmp_path / "m", {**PARTS, "body/kernel": VECTORS[:4]})
    with caplog.at_level("INFO", "embviz"):
        table = load_table(tmp_path / "m.index", tensor=asked)
    np.testing.assert_array_equal(table.vectors[0:60], VECTORS)
    assert "shared/weights is its 10 parts weights_0 … weights_9, one behind" in caplog.text
    assert load_table(tmp_path / "m.index", tensor="weights_3").n_points == 6


def test_parts_with_a_gap_or_of_other_widths_are_not_joined(tmp_path: Path) -> None:
    gap = {name: value for name, value in PARTS.items() if name != "shared/weights_4"}
    write_bundle(tmp_path / "gap", gap)
    assert len(list_tensors(tmp_path / "gap.index")) == 9
    layers = {"weights_0": VECTORS, "weights_1": VECTORS[:5, :4]}
    write_bundle(tmp_path / "layers", layers)
    assert len(list_tensors(tmp_path / "layers.index")) == 2


def test_axes_of_length_1_are_dropped_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    np.save(tmp_path / "x.npy", VECTORS[:, None])
    np.savez(tmp_path / "x.npz", x=VECTORS[None])
    write_bundle(tmp_path / "m", {"x": VECTORS[:, None, None]})
    for name in ("x.npy", "x.npz", "m.index"):
        caplog.clear()
        with caplog.at_level("INFO", "embviz"):
            table = load_table(tmp_path / name)
        np.testing.assert_array_equal(np.asarray(table.vectors), VECTORS)
        assert "its axes of length 1 are dropped" in caplog.text


def test_a_table_goes_before_what_has_axes_of_length_1(tmp_path: Path) -> None:
    convolution = RNG.normal(size=(1, 1, 90, 5)).astype(np.float32)
    write_bundle(tmp_path / "m", {"conv": convolution, "dense": VECTORS})
    np.savez(tmp_path / "m.npz", conv=convolution, dense=VECTORS)
    for name in ("m.index", "m.npz"):
        assert load_table(tmp_path / name).name == "dense"
        assert load_table(tmp_path / name, tensor="conv").n_points == 90


def test_what_is_told_of_objects_makes_a_table_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    objects: dict[str, Any] = {
        "dict": {"a": VECTORS[0], "b": VECTORS[1]},
        "numbers": VECTORS.astype(object),
    }
    lists = np.empty(2, object)
    lists[:] = [list(VECTORS[0]), list(VECTORS[1])]
    for name, value in {**objects, "lists": lists}.items():
        np.save(f"{name}.npy", value)
        with pytest.raises(LoadError) as caught:
            load_table(f"{name}.npy")
        line = str(caught.value).partition(": d = " if name == "dict" else "long: ")[2]
        line = line or str(caught.value).partition("trust it: ")[2]
        exec(("d = " if name == "dict" else "") + line, {"numpy": np})
        made = Path("x.npz" if name == "dict" else "x.npy")
        table = load_table(made)
        np.testing.assert_array_equal(np.asarray(table.vectors)[1], VECTORS[1])
        if name == "dict":
            assert table.metadata == {"word": ("a", "b")}


def test_an_array_of_three_axes_is_reshaped_as_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("cube.npy", VECTORS.reshape(6, 10, 5))
    with pytest.raises(LoadError) as caught:
        load_table("cube.npy")
    exec(str(caught.value).rpartition("; ")[2], {"numpy": np})
    assert load_table("x.npy").vectors.shape == (6, 50)


def test_one_number_a_row_is_no_vector(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(9.0))
    with pytest.raises(LoadError, match="values for each point go to --metadata"):
        load_table(tmp_path / "x.npy")
