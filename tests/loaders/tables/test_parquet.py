"""Parquet: vectors in lists and in plain columns, what names them, and what is refused."""

from __future__ import annotations

import datetime
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from embviz import LoadError, ParameterError, list_tensors, load_table
from embviz.loaders import open_columns, open_source
from embviz.loaders.opened import read_start
from embviz.loaders.reading import Reading
from embviz.loaders.tables.metadata import is_table_file, open_table_columns

VECTORS = np.random.default_rng(3).normal(size=(50, 6))
TEXTS = [f"täxt {i}" for i in range(50)]


def write(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    parquet.write_table(pa.table(columns), path, **options)
    return path


def lists(kind: Any, size: int = -1, rows: Any = VECTORS) -> Any:
    return pa.array(
        [list(row) for row in rows.astype(kind.to_pandas_dtype())], pa.list_(kind, size)
    )


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
@pytest.mark.parametrize("size", [-1, 6])
def test_a_column_of_lists_is_a_tensor_in_its_own_type(
    tmp_path: Path, kind: str, size: int
) -> None:
    column = lists(getattr(pa, kind)(), size)
    path = write(tmp_path / "x.parquet", {"text": TEXTS, "v": column}, row_group_size=17)
    table = load_table(path)
    assert table.vectors.dtype.name == kind
    np.testing.assert_array_equal(table.vectors[0:50], VECTORS.astype(kind))
    assert dict(table.metadata) == {"text": tuple(TEXTS)}


def test_large_lists_and_lists_of_integers_are_tensors(tmp_path: Path) -> None:
    rows = (VECTORS * 40).astype(np.int8)
    columns = {
        "a": pa.array(VECTORS.tolist(), pa.large_list(pa.float32())),
        "i": pa.array(rows.tolist(), pa.list_(pa.int8())),
    }
    path = write(tmp_path / "x.parquet", columns)
    assert [(t.name, t.shape, t.dtype) for t in list_tensors(path)] == [
        ("a", (50, 6), "float32"), ("i", (50, 6), "int8"),
    ]  # fmt: skip
    np.testing.assert_array_equal(load_table(path, tensor="i").vectors[0:50], rows)


def test_rows_are_read_in_any_order_across_row_groups(tmp_path: Path) -> None:
    path = write(tmp_path / "x.parquet", {"v": lists(pa.float32())}, row_group_size=7)
    rows = load_table(path).vectors
    wanted = VECTORS.astype(np.float32)
    for start, stop in ((40, 50), (0, 3), (3, 30), (29, 31), (10, 10), (49, 50), (0, 50)):
        np.testing.assert_array_equal(rows[start:stop], wanted[start:stop])


def test_null_vectors_are_counted_and_left_out_with_their_labels(tmp_path: Path) -> None:
    values: list[Any] = VECTORS.tolist()
    values[3], values[20], values[4] = None, [], [*VECTORS[4][:5], None]
    for kind in (pa.list_(pa.float32()), pa.large_list(pa.float64())):
        path = write(tmp_path / "x.parquet", {"t": TEXTS, "v": pa.array(values, kind)})
        table = load_table(path)
        assert table.nonfinite_rows().tolist() == [3, 4, 20]
        with pytest.raises(
            LoadError, match=r"3 of 50 rows .* the first is row 3; --drop-nonfinite"
        ):
            list(table.blocks())
    fixed = pa.array([None, *VECTORS.tolist()[1:]], pa.list_(pa.float32(), 6))
    table = load_table(write(tmp_path / "y.parquet", {"t": TEXTS, "v": fixed}))
    assert table.nonfinite_rows().tolist() == [0]
    np.testing.assert_array_equal(table.vectors[1:50], VECTORS[1:].astype(np.float32))


def test_nulls_make_integers_floats(tmp_path: Path) -> None:
    column = pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int8()))
    table = load_table(write(tmp_path / "x.parquet", {"vec": column}))
    assert table.vectors.dtype == np.float32
    assert table.vectors[0:3].tolist()[::2] == [[1, 2], [3, 4]]
    assert table.nonfinite_rows().tolist() == [1]


@pytest.mark.parametrize("at", [1, 5, 4000])
def test_lists_of_different_lengths_are_refused_with_the_first_row(tmp_path: Path, at: int) -> None:
    rows: list[Any] = [[1.0, 2.0]] * 7000
    rows[at] = [1.0, 2.0, 3.0]
    columns = {"v": pa.array(rows, pa.list_(pa.float32())), "w": pa.array([[1.0, 2.0]] * 7000)}
    path = write(tmp_path / "x.parquet", columns)
    with pytest.raises(LoadError, match=f"'v': row {at} has 3 numbers, the rows before it 2"):
        load_table(path, tensor="v")
    assert load_table(path).name == "w"


def test_a_list_of_another_length_is_found_when_it_is_read(tmp_path: Path) -> None:
    rows: list[Any] = [[1.0, 2.0]] * 7000
    rows[6000] = [1.0, 2.0, 3.0]
    vectors = load_table(write(tmp_path / "x.parquet", {"v": rows})).vectors
    assert vectors[5990:6000].shape == (10, 2)
    with pytest.raises(LoadError, match="row 6000 has 3 numbers, the rows before it 2"):
        vectors[5000:6500]


def test_lists_that_are_all_null_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.parquet", {"v": pa.array([None, []], pa.list_(pa.float32()))})
    with pytest.raises(LoadError, match="'v': 2 rows, all of them null or empty"):
        load_table(path)


def test_the_other_columns_are_metadata_as_people_read_them(tmp_path: Path) -> None:
    when = datetime.datetime(2024, 5, 6, 7, 8, 9)
    columns = {
        "n": pa.array([1, None], pa.int32()),
        "x": pa.array([0.1, None], pa.float32()),
        "ok": [True, False],
        "day": [when.date(), None],
        "at": pa.array([when, when.replace(microsecond=250000)], pa.timestamp("ns")),
        "zone": pa.array([when, None], pa.timestamp("us", "Europe/Berlin")),
        "kind": pa.array(["a", None]).dictionary_encode(),
        "tags": [["p", "é"], None],
        "more": [{"k": 1}, {"k": None}],
        "raw": [b"\xff", b""],
        "picture": [{"bytes": b"\xff", "path": "x"}] * 2,
        "v": [[1.0, 2.0]] * 2,
        "w": [[1.0, 2.0]] * 2,
    }
    metadata = load_table(write(tmp_path / "x.parquet", columns), tensor="v").metadata
    assert {name: list(values) for name, values in metadata.items()} == {
        "n": ["1", ""],
        "x": ["0.1", ""],
        "ok": ["True", "False"],
        "day": ["2024-05-06", ""],
        "at": ["2024-05-06 07:08:09", "2024-05-06 07:08:09.25"],
        "zone": ["2024-05-06 07:08:09Z", ""],
        "kind": ["a", ""],
        "tags": ['["p", "é"]', ""],
        "more": ['{"k": 1}', '{"k": null}'],
    }


def test_columns_of_bytes_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path / "x.parquet", {"raw": [b"a"] * 2, "v": [[1.0, 2.0]] * 2})
    with caplog.at_level(logging.INFO):
        load_table(path)
    assert "raw holds bytes and is left out of the metadata" in caplog.text


def test_classes_have_the_names_that_datasets_gave_them(tmp_path: Path) -> None:
    features = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
    notes = {"huggingface": json.dumps({"info": {"features": features}})}
    table = pa.table({"label": [1, 0, -1], "v": [[1.0, 2.0]] * 3}).replace_schema_metadata(notes)
    parquet.write_table(table, tmp_path / "x.parquet")
    found = load_table(tmp_path / "x.parquet")
    assert found.metadata["label"] == ("dog", "cat", "-1")
    assert found.label(0) == "dog"


def test_plain_columns_of_numbers_are_one_vector(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frame = pd.DataFrame(VECTORS, columns=[f"d{i}" for i in range(6)])
    frame.insert(0, "user_id", range(50))
    frame["label"] = [i % 3 for i in range(50)]
    frame["text"] = TEXTS
    frame.to_parquet(tmp_path / "x.parquet")
    with caplog.at_level(logging.INFO):
        table = load_table(tmp_path / "x.parquet")
    np.testing.assert_array_equal(table.vectors[0:50], VECTORS)
    assert list(table.metadata) == ["user_id", "label", "text"]
    assert table.label(4) == TEXTS[4]
    assert "6 columns as one vector (d0, d1, d2, d3 and 2 more)" in caplog.text
    assert "kept as metadata: user_id, label" in caplog.text


def test_the_index_of_a_data_frame_is_no_dimension(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2, None], "b": [4, 5, 6]}, index=pd.Index([7, 8, 9]))
    frame.astype({"a": "Int64"}).to_parquet(tmp_path / "x.parquet")
    table = load_table(tmp_path / "x.parquet")
    assert table.metadata["__index_level_0__"] == ("7", "8", "9")
    np.testing.assert_array_equal(table.vectors[0:3], [[1, 4], [2, 5], [np.nan, 6]])


def test_one_column_of_numbers_is_no_vector(tmp_path: Path) -> None:
    path = write(tmp_path / "x.parquet", {"t": TEXTS, "score": range(50)})
    with pytest.raises(LoadError, match=r"no column holds vectors.*t \(string\), score \(int64\)"):
        load_table(path)


def test_parts_in_a_folder_are_one_table_in_natural_order(tmp_path: Path) -> None:
    for number in range(12):
        rows = VECTORS[number * 4 : number * 4 + 4]
        columns = {"n": [number] * 4, "v": lists(pa.float32(), rows=rows)}
        write(tmp_path / f"part-{number}.parquet", columns)
    (tmp_path / "_SUCCESS").touch()
    table = load_table(tmp_path)
    np.testing.assert_array_equal(table.vectors[0:48], VECTORS[:48].astype(np.float32))
    np.testing.assert_array_equal(table.vectors[30:33], VECTORS[30:33].astype(np.float32))
    assert table.metadata["n"] == tuple(str(i // 4) for i in range(48))
    assert len(open_source(tmp_path).files) == 12


def test_files_of_several_splits_are_tables_of_their_own(tmp_path: Path) -> None:
    for name in ("train-00000-of-00002", "train-00001-of-00002", "test-00000-of-00001"):
        write(tmp_path / f"{name}.parquet", {"v": lists(pa.float32())})
    assert {t.name: t.shape[0] for t in list_tensors(tmp_path)} == {"test/v": 50, "train/v": 100}
    with pytest.raises(LoadError, match=r"equally good: test/v .*, train/v .*; choose by --tensor"):
        load_table(tmp_path)
    assert load_table(tmp_path, tensor="train").n_points == 100


def test_parts_of_different_columns_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", {"v": lists(pa.float32())})
    write(tmp_path / "b.parquet", {"v": lists(pa.float64())})
    with pytest.raises(LoadError, match=r"b\.parquet: column 'v' is list.*double.*, in a\.parquet"):
        load_table(tmp_path)


def test_without_pyarrow_the_command_that_installs_it_is_said(
    tmp_path: Path, info_without: Any
) -> None:
    path = write(tmp_path / "x.parquet", {"v": lists(pa.float32())})
    told = info_without("pyarrow", path)
    assert told.returncode == 1
    assert told.stderr == (
        f"embviz: {path}: Parquet, which is read by the package pyarrow, and that is not "
        "installed; pip install 'embviz[parquet]'\n"
    )


def test_a_file_that_is_named_so_and_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"\0\1\2" * 50)
    with pytest.raises(LoadError, match="does not begin with PAR1"):
        load_table(tmp_path / "x.parquet")
    (tmp_path / "y.parquet").write_bytes(b"PARE" + b"\0" * 50 + b"PARE")
    with pytest.raises(LoadError, match="encrypted Parquet; write it without encryption"):
        load_table(tmp_path / "y.parquet")


@pytest.mark.parametrize("kind", [pa.string(), pa.dictionary(pa.int8(), pa.string())])
def test_texts_that_are_not_utf_8_are_refused(tmp_path: Path, kind: Any) -> None:
    raw = pa.array([b"a", b"caf\xe9"])
    texts = pa.StringArray.from_buffers(2, *raw.buffers()[1:]).cast(kind)
    path = write(tmp_path / "x.parquet", {"t": texts, "v": [[1.0, 2.0]] * 2})
    with pytest.raises(LoadError, match=r"x\.parquet: damaged: .*UTF8"):
        load_table(path)


def test_the_columns_of_a_table_are_metadata_for_vectors_of_elsewhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "x.parquet", {"n": range(50), "t": TEXTS, "v": lists(pa.float32())})
    start = read_start(path)
    with caplog.at_level(logging.INFO):
        columns, n_rows = open_table_columns(path, start)
    assert (is_table_file(start), n_rows, columns.names) == (True, 50, ("n", "t"))
    assert (columns.label, columns.value("t", 3), columns.find(TEXTS[7])) == ("t", TEXTS[3], [7])
    assert "vectors are no metadata and are left out: v" in caplog.text


MIXED = {
    "n": range(50),
    "text": TEXTS,
    "v": lists(pa.float32()),
    "w": lists(pa.float64()),
    "x": VECTORS[:, 0],
    "y": VECTORS[:, 1].astype(np.float32),
}


@pytest.mark.parametrize(
    ("asked", "shape", "dtype", "columns", "label"),
    [
        ("v", (50, 6), "float32", ["n", "text", "x", "y"], "text"),
        ("4,label=n", (50, 6), "float64", ["n", "text", "x", "y"], "n"),
        ("-v", (50, 6), "float64", ["n", "text", "x", "y"], "text"),
        ("x,y", (50, 2), "float64", ["n", "text"], "text"),
        ("all,label=x", (50, 3), "float64", ["x", "text"], "x"),
    ],
)
def test_columns_are_taken_as_the_user_says(
    tmp_path: Path, asked: str, shape: Any, dtype: str, columns: list[str], label: str
) -> None:
    path = write(tmp_path / "x.parquet", MIXED)
    source = open_source(path, Reading(columns=asked))
    (tensor,) = source.tensors
    found = open_columns(source, tensor, 50)
    assert (tensor.shape, tensor.dtype) == (shape, dtype)
    assert found is not None
    assert (sorted(found.names), found.label) == (sorted(columns), label)
    assert tensor.rows()[3:9].shape == (6, shape[1])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("text", "column 'text' of .* is string, no numbers; of numbers are v, w, n, x, y"),
        ("v,x", "'v' holds vectors by itself; name it alone"),
        ("v,w", "'v' holds vectors by itself; name it alone"),
        ("z", "has no column 'z'"),
    ],
)
def test_columns_that_are_no_vector_are_refused(tmp_path: Path, asked: str, said: str) -> None:
    path = write(tmp_path / "x.parquet", MIXED)
    with pytest.raises(ParameterError, match=f"^--columns {asked}: .*{said}"):
        open_source(path, Reading(columns=asked))


def test_what_only_a_person_can_know_is_refused_with_both_ways_out(tmp_path: Path) -> None:
    columns: dict[str, Any] = {f"dim_{c}": VECTORS[:, i] for i, c in enumerate("abcdef")}
    columns["stars"] = [1 + i % 5 for i in range(50)]
    path = write(tmp_path / "x.parquet", columns)
    with pytest.raises(LoadError, match="column 'stars' may be a dimension or a class") as told:
        load_table(path)
    assert "--columns=-stars leaves it out, --columns all takes it" in str(told.value)
    assert load_table(path, columns="-stars").n_dims == 6
    assert load_table(path, columns="all").n_dims == 7


def test_a_part_that_is_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "secret.parquet", {"v": lists(pa.float32())})
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "a.parquet").symlink_to(tmp_path / "secret.parquet")
    with pytest.raises(LoadError, match=r"a\.parquet: a link to .*, outside"):
        load_table(tmp_path / "parts")


def test_a_data_set_of_the_hub_has_its_parts_in_a_folder_data(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "README.md").write_text("# A data set\n")
    for part in range(2):
        rows = VECTORS[part * 25 : part * 25 + 25]
        columns = {"v": lists(pa.float32(), rows=rows)}
        write(tmp_path / "data" / f"train-0000{part}-of-00002.parquet", columns)
    table = load_table(tmp_path)
    np.testing.assert_array_equal(table.vectors[0:50], VECTORS.astype(np.float32))
    (tmp_path / "data" / "train-00001-of-00002.parquet").unlink()
    with pytest.raises(LoadError, match=r"1 of 2 files are there; fetch the others"):
        load_table(tmp_path)
    assert load_table(tmp_path / "data" / "train-00000-of-00002.parquet").n_points == 25


def test_lists_of_whole_numbers_are_vectors_where_a_name_says_so(tmp_path: Path) -> None:
    ids = pa.array([[101, i, 102] for i in range(9)], pa.list_(pa.int64()))
    path = write(tmp_path / "x.parquet", {"input_ids": ids})
    with pytest.raises(LoadError, match=r"may be ids or counts; .* --tensor input_ids"):
        load_table(path)
    assert load_table(path, tensor="input_ids").vectors[0:1].tolist() == [[101, 0, 102]]
    beside = write(
        tmp_path / "y.parquet", {"input_ids": ids, "v": lists(pa.float32(), rows=VECTORS[:9])}
    )
    assert load_table(beside).name == "v"
