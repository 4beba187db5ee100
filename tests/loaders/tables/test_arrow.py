"""Arrow files, streams, Feather, and the folders of Hugging Face's datasets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather

from embviz import LoadError, list_tensors, load_table

VECTORS = np.random.default_rng(4).normal(size=(60, 5)).astype(np.float32)
TEXTS = [f"täxt {i}" for i in range(60)]
TABLE = pa.table(
    {
        "text": pa.array(TEXTS).dictionary_encode(),
        "emb": pa.array(VECTORS.tolist(), pa.list_(pa.float32())),
        "fixed": pa.array(VECTORS.tolist(), pa.list_(pa.float64(), 5)),
    }
)


def write(path: Path, table: Any, *, stream: bool = True, packed: str | None = None) -> Path:
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    options = pa.ipc.IpcWriteOptions(compression=packed)
    with pa.OSFile(str(path), "wb") as out, new(out, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=13)
    return path


@pytest.mark.parametrize("packed", [None, "lz4", "zstd"])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("name", ["x.arrow", "x.bin"])
def test_files_and_streams_are_known_by_their_content(
    tmp_path: Path, stream: bool, packed: str | None, name: str
) -> None:
    table = load_table(write(tmp_path / name, TABLE, stream=stream, packed=packed))
    assert table.name == "emb"
    np.testing.assert_array_equal(table.vectors[0:60], VECTORS)
    for start, stop in ((40, 60), (0, 3), (12, 30), (59, 60), (5, 5)):
        np.testing.assert_array_equal(table.vectors[start:stop], VECTORS[start:stop])
    assert dict(table.metadata) == {"text": tuple(TEXTS)}
    fixed = load_table(tmp_path / name, tensor="fixed").vectors
    np.testing.assert_array_equal(fixed[7:60], VECTORS[7:].astype(np.float64))


def test_feather_is_read_and_its_first_version_is_refused(tmp_path: Path) -> None:
    feather.write_feather(TABLE, tmp_path / "x.feather")
    np.testing.assert_array_equal(load_table(tmp_path / "x.feather").vectors[0:60], VECTORS)
    (tmp_path / "y.feather").write_bytes(b"FEA1" + b"\0" * 40 + b"FEA1")
    with pytest.raises(LoadError, match=r"Feather version 1; write it again: pyarrow\.feather"):
        load_table(tmp_path / "y.feather")


def test_a_slice_of_a_table_is_read_from_its_own_rows(tmp_path: Path) -> None:
    rows: list[Any] = VECTORS.tolist()
    rows[31] = None
    sliced = pa.table({"t": TEXTS, "v": pa.array(rows, pa.list_(pa.float32(), 5))}).slice(10, 30)
    table = load_table(write(tmp_path / "x.arrow", sliced))
    assert table.nonfinite_rows().tolist() == [21]
    np.testing.assert_array_equal(table.vectors[0:21], VECTORS[10:31])
    assert table.metadata["t"] == tuple(TEXTS[10:40])


def save_to_disk(folder: Path, table: Any, n_files: int, **state: Any) -> Path:
    """Write what `Dataset.save_to_disk` does."""
    folder.mkdir(parents=True)
    names = [f"data-{i:05}-of-{n_files:05}.arrow" for i in range(n_files)]
    size = -(-table.num_rows // n_files)
    features = {"label": {"names": ["no", "yes"], "_type": "ClassLabel"}}
    notes = {"huggingface": json.dumps({"info": {"features": features}})}
    for i, name in enumerate(names):
        write(folder / name, table.slice(i * size, size).replace_schema_metadata(notes))
    files = {"_data_files": [{"filename": name} for name in names], "_format_type": None}
    (folder / "state.json").write_text(json.dumps({**files, **state}))
    (folder / "dataset_info.json").write_text(json.dumps({"features": features}))
    return folder


def test_a_saved_data_set_is_one_table_with_the_names_of_its_classes(tmp_path: Path) -> None:
    table = TABLE.append_column("label", pa.array([i % 2 for i in range(60)]))
    found = load_table(save_to_disk(tmp_path / "ds", table, 3))
    np.testing.assert_array_equal(found.vectors[0:60], VECTORS)
    assert found.metadata["label"] == ("no", "yes") * 30


def test_the_splits_of_a_saved_dictionary_are_offered(tmp_path: Path) -> None:
    table = TABLE.select(["text", "emb"])
    save_to_disk(tmp_path / "train", table, 2)
    save_to_disk(tmp_path / "test", table.slice(0, 9), 1)
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    assert {t.name: t.shape for t in list_tensors(tmp_path)} == {
        "train/emb": (60, 5), "test/emb": (9, 5),
    }  # fmt: skip
    with pytest.raises(LoadError, match=r"train/emb .*, test/emb .*; choose by --tensor"):
        load_table(tmp_path)
    assert load_table(tmp_path, tensor="test/emb").metadata["text"] == tuple(TEXTS[:9])


def test_a_saved_choice_of_rows_is_refused_with_what_makes_it_plain(tmp_path: Path) -> None:
    folder = save_to_disk(tmp_path / "ds", TABLE, 1, _indices_files=[{"filename": "i.arrow"}])
    with pytest.raises(LoadError, match=r"flatten_indices\(\)\.save_to_disk"):
        load_table(folder)


@pytest.mark.parametrize("name", ["../x.arrow", "/etc/passwd", "link.arrow", "..", "a/b.arrow"])
def test_a_saved_data_set_names_files_of_its_own_folder_alone(tmp_path: Path, name: str) -> None:
    write(tmp_path / "x.arrow", TABLE)
    folder = save_to_disk(tmp_path / "ds", TABLE, 1, _data_files=[{"filename": name}])
    (folder / "link.arrow").symlink_to(tmp_path / "x.arrow")
    with pytest.raises(LoadError, match=r"state\.json: .*in .*|link\.arrow: a link to .*, outside"):
        load_table(folder)


def test_of_a_saved_data_set_without_a_list_the_files_can_be_named(tmp_path: Path) -> None:
    folder = save_to_disk(tmp_path / "ds", TABLE, 2, _data_files=None)
    with pytest.raises(LoadError, match="no list of files in it; name them: ") as caught:
        load_table(folder)
    told = Path(str(caught.value).rpartition("name them: ")[2])
    files = sorted(told.parent.glob(told.name))
    np.testing.assert_array_equal(load_table(files).vectors[0:60], VECTORS)


def test_a_folder_of_streams_is_one_table(tmp_path: Path) -> None:
    for i in range(3):
        write(tmp_path / f"cache-{i}.arrow", TABLE.slice(i * 20, 20))
    np.testing.assert_array_equal(load_table(tmp_path).vectors[0:60], VECTORS)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    table = TABLE.append_column("text", pa.array(range(60)))
    with pytest.raises(LoadError, match=r"x\.arrow: two columns are named 'text'; rename one"):
        load_table(write(tmp_path / "x.arrow", table))


def test_a_name_of_a_column_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.arrow", TABLE)
    path.write_bytes(path.read_bytes().replace(b"fixed", b"fix\xffd"))
    with pytest.raises(LoadError, match=r"x\.arrow: damaged: .*utf-8"):
        load_table(path)


def test_a_data_set_whose_state_names_no_files_is_read_by_their_names(tmp_path: Path) -> None:
    folder = save_to_disk(tmp_path / "ds", TABLE, 2)
    (folder / "state.json").write_text("{}")
    np.testing.assert_array_equal(load_table(folder).vectors[0:60], VECTORS)
    (folder / "state.json").write_text('{"_data_files": []}')
    with pytest.raises(LoadError, match=r"state\.json: no list of files in it"):
        load_table(folder)


def test_a_time_zone_whose_name_is_not_utf_8_is_told(tmp_path: Path) -> None:
    times = pa.array([1, 2, 3], pa.timestamp("ns", "Mars/Zone"))
    rows = pa.array([[1.0, 2.0]] * 3, pa.list_(pa.float32()))
    path = tmp_path / "x.feather"
    feather.write_feather(pa.table({"when": times, "emb": rows}), path, "uncompressed")
    path.write_bytes(path.read_bytes().replace(b"Mars/Zone", b"Mars/\xfeone"))
    with pytest.raises(LoadError, match=r"x\.feather: damaged: .*utf-8"):
        load_table(path)
