"""A manifest that is damaged under a right checksum is refused with the key that is wrong."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz.errors import LoadError
from embviz.model import EmbeddingTable
from embviz.neighbors.index.build import build_index
from embviz.neighbors.index.files import MANIFEST, crc32c
from embviz.neighbors.index.index import NeighborIndex, open_index

N = 5200


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "idx"
    points = np.random.default_rng(2).normal(size=(N, 3)).astype(np.float32)
    labels = tuple(f"p{i}" for i in range(N))
    build_index(EmbeddingTable(points, {"word": labels, "n": labels}), folder)
    return folder


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    return shutil.copytree(built, tmp_path / "idx")


def rewrite(folder: Path, path: str, value: Any) -> None:
    """Put another value at a place of the manifest, or take the key away, checksum and all."""
    file = folder / MANIFEST
    whole = json.loads(file.read_text())
    del whole["crc32c"]
    *outer, key = path.split("/")
    inside = whole
    for name in outer:
        inside = inside[name]
    if value is KeyError:
        del inside[key]
    else:
        inside[key] = value
    text = json.dumps(whole, sort_keys=True)
    file.write_text(json.dumps({**whole, "crc32c": crc32c(text.encode())}))


def set_bytes(folder: Path, part: str, array: Any) -> None:
    """Put other entries into a part, with the checksum that they have."""
    raw = np.asarray(array).tobytes()
    (folder / f"{part}.bin").write_bytes(raw)
    blocks = [raw[i : i + (1 << 17)] for i in range(0, len(raw), 1 << 17)]
    packed = np.array([crc32c(block) for block in blocks], "<u4").tobytes()
    rewrite(folder, f"parts/{part}/crc32c", base64.b64encode(packed).decode())


def use(index: NeighborIndex) -> None:
    index.find_neighbors([3], 5, recall=0.9)
    index.columns.find("p3")
    index.table()


VALUES = [KeyError, None, True, -1, 2.5, 1 << 70, "U3", [], [1], {}, {"a": 1}, [[]], "\0"]
MEANT = {  # Values that a key may have.
    "name": ["U3", "\0"],
    "source": ["U3", "\0"],
    "origin": [None],
    "unit": [2.5, 1 << 70],
    "label_column": [None],
    "seed": [1 << 70],
    "recall": [None],
    "recall/shares": [{}],
}
KEYS = [
    "name", "source", "origin", "metric", "unit", "n_cells", "segments", "columns", "label_column",
    "seed", "recall", "parts", "recall/cells", "recall/rows", "recall/shares", "recall/shares/10",
    "recall/sample", *(f"parts/{part}" for part in ("points", "column-0-text", "column-1-ends")),
    *(f"parts/vectors/{key}" for key in ("dtype", "shape", "crc32c")),
]  # fmt: skip


@pytest.mark.parametrize("path", KEYS)
def test_a_value_that_makes_no_sense_is_refused_by_its_key(folder: Path, path: str) -> None:
    before = (folder / MANIFEST).read_bytes()
    for value in VALUES:
        if value in MEANT.get(path, []) and value is not True:
            continue
        (folder / MANIFEST).write_bytes(before)
        if path == "recall/shares/10" and value is KeyError:
            continue
        rewrite(folder, path, value)
        if path == "label_column" and value is None:
            continue
        with pytest.raises(LoadError) as caught:
            use(open_index(folder))
        said = str(caught.value)
        assert f"{MANIFEST}: damaged: '" in said, value
        assert path.split("/")[0] in said or "'parts'" in said, value


@pytest.mark.parametrize(
    ("part", "dtype"),
    [("points", "float64"), ("column-0-ends", "float64"), ("norms", "int32"), ("rows", "float64"),
     ("column-1-text", "int8"), ("checksums", "int32"), ("mean", "int64"), ("sorted", "uint64")],
)  # fmt: skip
def test_a_part_of_another_type_is_refused_by_its_name(folder: Path, part: str, dtype: str) -> None:
    if part == "rows":
        np.arange(N).tofile(folder / "rows.bin")
        points = json.loads((folder / MANIFEST).read_text())["parts"]["places"]
        rewrite(folder, "parts/rows", points)
    rewrite(folder, f"parts/{part}/dtype", dtype)
    with pytest.raises(LoadError, match=rf"'parts': '{part}' is {dtype}"):
        use(open_index(folder))


@pytest.mark.parametrize("part", ["points", "places", "column-0-ends", "sorted", "bounds"])
@pytest.mark.parametrize("entry", [-1, 1 << 20, 1 << 40])
def test_entries_that_point_nowhere_are_refused_by_their_part(
    folder: Path, part: str, entry: int
) -> None:
    array = np.fromfile(folder / f"{part}.bin", np.int64)
    array[:] = entry
    set_bytes(folder, part, array)
    with pytest.raises(LoadError, match=rf"{part}\.bin: damaged"):
        use(open_index(folder))


def test_labels_whose_ends_go_back_are_refused(folder: Path) -> None:
    ends = np.fromfile(folder / "column-1-ends.bin", np.int64)
    ends[[10, 11]] = ends[[11, 10]]
    set_bytes(folder, "column-1-ends", ends)
    with pytest.raises(LoadError, match=r"column-1-ends\.bin: damaged"):
        open_index(folder).table()


def test_points_that_stand_twice_are_refused_in_a_table(folder: Path) -> None:
    points = np.fromfile(folder / "points.bin", np.int64)
    points[0] = points[1]
    set_bytes(folder, "points", points)
    with pytest.raises(LoadError, match=r"points\.bin: damaged: it does not name every point once"):
        open_index(folder).table()
