"""Index folders as sources: what a user gives beside one is in the order of row numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embviz import (
    EmbeddingTable,
    ParameterError,
    add_thumbnails,
    build_index,
    load_table,
    read_coordinates,
)
from embviz.loaders import choose_tensor, open_columns, open_source
from embviz.loaders.reading import Reading

N = 5000  # The fewest that are put into cells.
VECTORS = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index whose rows lie in the order of its cells."""
    path = tmp_path_factory.mktemp("index") / "x.index"
    columns = {"x": tuple(map(str, VECTORS[:, 0])), "y": tuple(map(str, VECTORS[:, 1]))}
    build_index(EmbeddingTable(VECTORS, columns), path)
    assert np.any(np.diff(load_table(path).rows) < 0)
    return path


def test_labels_of_a_file_are_those_of_the_row_numbers(index: Path, tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text("".join(f"w{i}\n" for i in range(N)))
    table = load_table(index, metadata=tmp_path / "l.txt")
    assert table.metadata["label"] == tuple(f"w{i}" for i in table.rows)
    np.testing.assert_array_equal(table.vectors[0:N], VECTORS[table.rows])
    source = open_source(index)
    reading = Reading(metadata=tmp_path / "l.txt")
    columns = open_columns(source, choose_tensor(source), N, reading)
    assert columns is not None
    assert columns.column("label") == table.metadata["label"]


@pytest.mark.parametrize("unlabeled", ["keep", "drop"])
def test_rows_beyond_the_labels_are_kept_or_left_out(
    index: Path, tmp_path: Path, unlabeled: str
) -> None:
    (tmp_path / "l.txt").write_text("".join(f"w{i}\n" for i in range(100)))
    table = load_table(index, metadata=tmp_path / "l.txt", unlabeled=unlabeled)
    assert table.n_points == (N if unlabeled == "keep" else 100)
    wanted = tuple(f"w{i}" if i < 100 else "" for i in table.rows)
    assert table.metadata["label"] == wanted
    np.testing.assert_array_equal(table.vectors[0:N], VECTORS[table.rows])


def test_tokens_are_those_of_the_row_numbers(index: Path, tmp_path: Path) -> None:
    (tmp_path / "vocab.json").write_text(json.dumps({f"w{i}": i for i in range(N)}))
    table = load_table(index, metadata=tmp_path / "vocab.json")
    assert table.metadata["token"][7] == f"w{table.rows[7]}"


def test_coordinates_are_those_of_the_row_numbers(index: Path, tmp_path: Path) -> None:
    table = load_table(index)
    np.save(tmp_path / "xy.npy", VECTORS[:, :2])
    for place in (tmp_path / "xy.npy", "x,y"):
        placed = read_coordinates(place, table).coordinates
        np.testing.assert_allclose(placed, VECTORS[:, :2], rtol=1e-6)


def test_rows_that_were_left_out_do_not_shift_coordinates() -> None:
    columns = {"x": ("4", "1", "2"), "y": ("0", "0", "0")}
    table = EmbeddingTable(np.eye(3), columns, rows=np.array([4, 1, 2]))
    placed = read_coordinates("x,y", table).coordinates
    np.testing.assert_array_equal(placed[[4, 1, 2], 0], [4, 1, 2])
    assert np.isnan(placed[[0, 3]]).all()


def test_names_of_images_are_those_of_the_row_numbers(tmp_path: Path) -> None:
    for i in range(3):
        Image.new("RGB", (4, 4), (80 * i, 0, 0)).save(tmp_path / f"{i}.png")
    table = EmbeddingTable(np.eye(3), rows=np.array([2, 0, 1]))
    assert add_thumbnails(table, tmp_path).metadata["label"] == ("2.png", "0.png", "1.png")
    part = EmbeddingTable(np.eye(3), rows=np.array([0, 2, 3]))
    with pytest.raises(ParameterError, match="leaves out rows of its source"):
        add_thumbnails(part, tmp_path)
