"""Which files the rows of a source lie in, how they are cut, and what is wrong with them."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from embviz import LoadError, ParameterError
from embviz.loaders.reading import Reading
from embviz.shards import values
from embviz.shards.blocks import open_shards
from tests.shards.conftest import Cut

ROWS = np.random.default_rng(3).normal(size=(50, 3)).astype(np.float32)


@pytest.mark.parametrize("lengths", [[50], [1] * 50, [7, 1, 30, 12]])
@pytest.mark.parametrize("rows_a_block", [1, 8, 17, 50, 99])
def test_blocks_hold_all_rows_in_order_wherever_files_are_cut(
    cut: Cut, lengths: list[int], rows_a_block: int
) -> None:
    sharded = open_shards(cut(ROWS, lengths))
    blocks = sharded.blocks(rows_a_block)
    assert [block.first for block in blocks] == list(range(0, 50, rows_a_block))
    np.testing.assert_array_equal(np.concatenate([block.read() for block in blocks]), ROWS)
    np.testing.assert_array_equal(sharded.rows[11:37], ROWS[11:37])


def test_a_block_travels_as_paths_and_numbers(cut: Cut) -> None:
    block = open_shards(cut(np.repeat(ROWS, 100, axis=0), [5000])).block(17, 4017)
    sent = pickle.dumps(block)
    assert len(sent) < 1000
    np.testing.assert_array_equal(pickle.loads(sent).read(), np.repeat(ROWS, 100, axis=0)[17:4017])


def test_files_of_a_pattern_and_a_folder_are_taken_in_natural_order(cut: Cut) -> None:
    pattern = cut(ROWS, [4] * 12 + [2])
    folder = Path(pattern).parent
    for source in (pattern, folder):
        sharded = open_shards(source)
        np.testing.assert_array_equal(sharded.rows[:], ROWS)
        assert sharded.tell(9) == f"{folder / 'part-2.npy'}, row 1"


def test_files_that_are_named_are_taken_in_that_order(cut: Cut) -> None:
    folder = Path(cut(ROWS, [20, 10, 20])).parent
    named = [folder / f"part-{i}.npy" for i in (2, 0, 1)]
    sharded = open_shards(named)
    np.testing.assert_array_equal(sharded.rows[:], np.concatenate([ROWS[30:], ROWS[:30]]))
    assert sharded.tell(20) == f"{named[1]}, row 0"


def test_of_a_folder_of_several_tables_the_files_of_the_one_that_is_named_are_taken(
    here: Path,
) -> None:
    for i in range(3):
        np.save(f"emb_{i}.npy", ROWS[10 * i : 10 * i + 10])
        np.save(f"other_{i}.npy", -ROWS[:5])
    np.save("labels.npy", np.arange(30))
    sharded = open_shards(here, Reading(tensor="emb"))
    np.testing.assert_array_equal(sharded.rows[:], ROWS[:30])
    assert sharded.tell(11) == f"{here / 'emb_1.npy'}, row 1"


def test_files_of_any_format_that_gives_rows_are_shards(here: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet
    from safetensors.numpy import save_file

    for i in range(2):
        part = ROWS[25 * i : 25 * i + 25]
        save_file({"other": part * 0, "emb": part}, f"a{i}.safetensors")
        values = pa.FixedSizeListArray.from_arrays(pa.array(part.ravel()), 3)
        parquet.write_table(pa.table({"vector": values}), f"b{i}.parquet", row_group_size=10)
        np.savez(f"c{i}.npz", emb=part)
        np.savetxt(f"d{i}.tsv", part, delimiter="\t")
    for pattern, tensor in (
        ("a*.safetensors", "emb"), ("b*.parquet", None), ("c*.npz", None), ("d*.tsv", None),
    ):  # fmt: skip
        sharded = open_shards(pattern, Reading(tensor=tensor))
        np.testing.assert_allclose(sharded.block(20, 30).read(), ROWS[20:30], rtol=1e-6)


def test_a_worker_finds_files_from_any_folder(
    here: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    np.save("x.npy", ROWS)
    block = open_shards("x.npy").block(0, 50)
    os.chdir(tmp_path_factory.mktemp("elsewhere"))
    np.testing.assert_array_equal(block.read(), ROWS)
    assert block.tell(3) == "x.npy, row 3"


def test_a_ragged_last_shard_is_read_and_one_of_another_width_refused(cut: Cut) -> None:
    pattern = cut(ROWS, [24, 24, 2])
    assert open_shards(pattern).n_rows == 50
    np.save(Path(pattern).parent / "part-2.npy", ROWS[:2, :2])
    with pytest.raises(LoadError, match=r"part-2.npy: is 2 wide, and .*part-0.npy is 3 wide"):
        open_shards(pattern)


def test_a_shard_of_another_dtype_is_named_with_the_first(cut: Cut) -> None:
    pattern = cut(ROWS, [24, 24, 2])
    np.save(Path(pattern).parent / "part-1.npy", ROWS[:24].astype(np.float64))
    with pytest.raises(LoadError, match=r"part-1.npy: is float64, and .*part-0.npy is float32"):
        open_shards(pattern)


def test_a_shard_that_was_cut_off_is_named(cut: Cut) -> None:
    pattern = cut(ROWS, [24, 26])
    last = Path(pattern).parent / "part-1.npy"
    last.write_bytes(last.read_bytes()[:-4])
    with pytest.raises(LoadError, match=r"part-1.npy: cut off"):
        open_shards(pattern)


def test_a_shard_that_shrinks_while_it_is_read_is_named_as_it_was_typed(here: Path) -> None:
    np.save("a.npy", ROWS)
    block = open_shards("a.npy").block(20, 30)
    np.save("a.npy", ROWS[:25])
    with pytest.raises(LoadError, match=r"^a.npy: has 25 rows where 30 were"):
        block.read()
    Path("a.npy").unlink()
    with pytest.raises(LoadError, match=r"^a.npy: no such file"):
        open_shards("a.npy")


@pytest.mark.parametrize(("value", "kind"), [(np.nan, "NaN"), (-np.inf, "infinity")])
def test_a_value_that_is_no_number_is_told_with_its_file_and_row(
    cut: Cut, value: float, kind: str
) -> None:
    rows = ROWS.copy()
    rows[[30, 41], 1] = value
    block = open_shards(cut(rows, [24, 26])).block(20, 50)
    with pytest.raises(LoadError, match=rf"part-1.npy, row 6: holds {kind}"):
        block.read_finite(np.float32)


def test_the_standard_input_is_no_shard() -> None:
    with pytest.raises(ParameterError, match="workers open files by their paths"):
        open_shards("-")


def test_a_file_that_is_named_twice_is_refused(here: Path) -> None:
    np.save("a.npy", ROWS)
    with pytest.raises(ParameterError, match=r"a.npy is named twice"):
        open_shards(["a.npy", "./a.npy"])


def test_a_file_that_was_written_anew_is_read_anew(here: Path) -> None:
    for rows in (ROWS, -ROWS, ROWS[:, :2]):
        np.save("new.npy", rows)
        os.replace("new.npy", "a.npy")
        np.testing.assert_array_equal(open_shards("a.npy").block(3, 9).read(), rows[3:9])


@pytest.mark.parametrize("limit", [1, 100, 10**9])
def test_leaves_are_the_same_however_much_is_read_at_once(
    cut: Cut, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(values, "BLOCK_BYTES", limit)
    block = open_shards(cut(ROWS, [7, 1, 30, 12])).block(4, 50)
    found = list(block.leaves(4, np.float64))
    assert [first for first, _ in found] == list(range(4, 50, 4))
    for first, rows in found:
        np.testing.assert_array_equal(rows, ROWS[first : min(first + 4, 50)])


def test_an_empty_file_among_others_is_passed_over_and_told(
    cut: Cut, caplog: pytest.LogCaptureFixture
) -> None:
    pattern = cut(ROWS, [30, 0, 20])
    with caplog.at_level("INFO", "embviz"):
        sharded = open_shards(pattern)
    np.testing.assert_array_equal(sharded.rows[:], ROWS)
    assert "part-1.npy: no rows, passed over" in caplog.text
    with pytest.raises(LoadError, match="0 rows of 3 columns: nothing to show"):
        open_shards(Path(pattern).parent / "part-1.npy")
