"""What workers need of a sample to place rows: in files that each of them opens by path."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError
from embviz.kernels import choose_kernels
from embviz.neighbors.landmarks import Coded, Landmarks
from embviz.neighbors.views import View
from embviz.projections.among import middle_of, spacings
from embviz.shards.grid import Grid


@dataclass(frozen=True, eq=False)
class Target:
    """A projection that rows are placed in.

    Attributes:
        key: Its name in the page.
        places: float32 (n_sample, 2), where the points of the sample are.
        grid: On which rows are counted.
        directions: float64 (2, n_dims) and `offset` float64 (2,), where rows are projected by
            themselves: what seen rows are multiplied by and what is then subtracted; None where
            they are placed by their neighbors.
        written: Whether the places are written as shards.
    """

    key: str
    places: NDArray[np.float32]
    grid: Grid
    written: bool
    directions: NDArray[np.float64] | None = None
    offset: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class Staged:
    """What was staged, opened in a worker.

    Attributes:
        landmarks: The points of the sample, to find the nearest of rows among.
        rows: int64 (n_sample,), their numbers among all, ascending.
        targets: The projections.
        spacings: Of the places of each target.
        middles: float32 (2,) of each, where rows without a direction go.
    """

    landmarks: Landmarks
    rows: NDArray[np.int64]
    targets: tuple[Target, ...]
    spacings: tuple[NDArray[np.float64], ...]
    middles: tuple[NDArray[np.float32], ...]


def stage_sample(
    folder: Path, landmarks: Landmarks, rows: NDArray[np.int64], targets: Sequence[Target]
) -> None:
    """Write a sample into a folder that workers read.

    Args:
        folder: That folder, which is there.
        landmarks: Of the sample's points.
        rows: int64 (n_sample,), their numbers among all, ascending.
        targets: Projections of the sample.
    """

    def save(name: str, values: NDArray[np.generic]) -> None:
        np.save(folder / f"{name}.npy", values, allow_pickle=False)

    view, coded = landmarks.view, landmarks.coded
    for name, values in (
        ("raw", np.asarray(landmarks.raw)), ("numbers", landmarks.numbers),
        ("points", landmarks.points), ("rows", rows), ("mean", view.mean), ("middle", view.middle),
    ):  # fmt: skip
        save(name, values)
    said = {
        "view": {"metric": view.metric, "normalize": view.normalize, "exponent": view.exponent},
        "error": landmarks.error,
        "zero": landmarks.zero,
        "coded": None,
        "targets": [],
    }
    if coded is not None:
        (folder / "cells").write_bytes(choose_kernels().pack(coded.cells))
        if coded.directions is not None:
            save("directions", coded.directions)
        said["coded"] = {
            "n_visited": coded.n_visited,
            "n_candidates": coded.n_candidates,
            "recall": coded.recall,
        }
    listed = []
    for i, target in enumerate(targets):
        save(f"places_{i}", target.places)
        if target.directions is not None and target.offset is not None:
            save(f"directions_{i}", target.directions)
            save(f"offset_{i}", target.offset)
        else:
            save(f"spacings_{i}", spacings(target.places))
            save(f"middle_{i}", middle_of(target.places))
        listed.append({"key": target.key, "grid": asdict(target.grid), "written": target.written})
    (folder / "staged.json").write_text(json.dumps({**said, "targets": listed}), encoding="utf-8")


@lru_cache(maxsize=2)
def open_staged(folder: str) -> Staged:
    """Open what `stage_sample` wrote; once a process.

    Raises:
        LoadError: If it is not there.
    """
    place = Path(folder)
    try:
        return _open(place)
    except FileNotFoundError:
        raise LoadError(
            place.parent.name,
            "a worker does not see this folder",
            "name one with --place-all that all workers see under the same path",
        ) from None


def _open(place: Path) -> Staged:
    said = json.loads((place / "staged.json").read_text(encoding="utf-8"))

    def load(name: str, mapped: bool = False) -> NDArray[Any]:
        found: NDArray[Any] = np.load(place / f"{name}.npy", mmap_mode="r" if mapped else None)
        return found

    view = View(**said["view"], mean=load("mean"), middle=load("middle"))
    coded = None
    if said["coded"] is not None:
        cells = choose_kernels().unpack((place / "cells").read_bytes())
        turned = (place / "directions.npy").exists()
        coded = Coded(cells, load("directions") if turned else None, **said["coded"])
    landmarks = Landmarks(
        view, load("raw", mapped=True), load("numbers"), load("points", mapped=True),
        said["error"], coded, said["zero"],
    )  # fmt: skip
    targets, apart, middles = [], [], []
    for i, entry in enumerate(said["targets"]):
        grid = Grid(**{**entry["grid"], "low": tuple(entry["grid"]["low"])})
        target = Target(entry["key"], load(f"places_{i}"), grid, entry["written"])
        if (place / f"offset_{i}.npy").exists():
            directions, offset = load(f"directions_{i}"), load(f"offset_{i}")
            target = replace(target, directions=directions, offset=offset)
        nothing = target.directions is not None
        apart.append(np.empty(0) if nothing else load(f"spacings_{i}"))
        middles.append(np.empty(0, np.float32) if nothing else load(f"middle_{i}"))
        targets.append(target)
    return Staged(landmarks, load("rows"), tuple(targets), tuple(apart), tuple(middles))
