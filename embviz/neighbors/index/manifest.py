"""What the manifest of an index says, checked once against what every index is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, get_args

from embviz.errors import LoadError, printable
from embviz.model import Metric
from embviz.neighbors.index.files import MANIFEST, Part, part_from_json
from embviz.neighbors.index.labels import ends_part, text_part
from embviz.neighbors.index.search import Recall

_MOST = 1 << 48
_ROUNDING = 1e-9  # What a sum of shares may exceed 1 by.


@dataclass(frozen=True, eq=False)
class Manifest:
    """What the manifest of an index says.

    Attributes:
        name: The tensor's name in the source.
        source: The name of the source, as it was typed.
        origin: The file it was made of (`file`), its size (`bytes`) and a checksum of some of it.
        metric: The metric that the cells are made for.
        unit: A power of two that rows are divided by before they are squared.
        n_cells: How many cells there are; 0 where every row is always read.
        segments: How many points were added at a time.
        columns: The columns' names in order.
        label_column: The one that names the points, or None.
        seed: For the sample of points on which the recall is measured.
        recall: What was measured; None where every row is always read.
        parts: The files, each with its dtype, shape and checksums.
    """

    name: str
    source: str
    origin: dict[str, Any] | None
    metric: Metric
    unit: float
    n_cells: int
    segments: tuple[int, ...]
    columns: tuple[str, ...]
    label_column: str | None
    seed: int
    recall: Recall | None
    parts: dict[str, Part]

    @property
    def n_points(self) -> int:
        return sum(self.segments)

    @property
    def n_dims(self) -> int:
        return self.parts["vectors"].shape[1]

    def to_json(self) -> dict[str, Any]:
        """Return what `write_manifest` writes beside the parts, without the recall."""
        return {
            "name": self.name,
            "source": self.source,
            "origin": self.origin,
            "metric": self.metric,
            "unit": self.unit,
            "n_cells": self.n_cells,
            "segments": list(self.segments),
            "columns": list(self.columns),
            "label_column": self.label_column,
            "seed": self.seed,
        }


def parse_manifest(folder: Path, found: Mapping[str, Any]) -> Manifest:
    """Return what a manifest says, every value of the type and size that it must have.

    Args:
        folder: The index, for errors.
        found: The manifest as JSON.

    Raises:
        LoadError: Naming the key that is missing or makes no sense.
    """
    keys = _Keys(folder / MANIFEST, found)
    n_cells = keys.count("n_cells", 0)
    manifest = Manifest(
        name=keys.text("name"),
        source=keys.text("source"),
        origin=keys.origin(),
        metric=keys.metric(),
        unit=keys.number("unit"),
        n_cells=n_cells,
        segments=keys.counts("segments", 1),
        columns=keys.columns(),
        label_column=keys.label_column(),
        seed=keys.seed(),
        recall=keys.recall(n_cells),
        parts=keys.parts(),
    )
    _check_parts(keys, manifest)
    return manifest


def _check_parts(keys: _Keys, manifest: Manifest) -> None:
    """Refuse parts of another dtype or shape than the manifest's numbers ask for."""
    parts, n_points, n_cells = manifest.parts, manifest.n_points, manifest.n_cells
    vectors = parts.get("vectors")
    if vectors is None or len(vectors.shape) != 2 or vectors.shape[1] < 1:
        keys.refuse("parts", "there is no table of vectors in it")
    n_dims, numbers = vectors.shape[1], range(len(manifest.columns))
    wanted: dict[str, tuple[str, tuple[int, ...]]] = {
        "vectors": (vectors.dtype.name, (n_points, n_dims)),
        "norms": ("float32", (n_points,)),
        "points": ("int64", (n_points,)),
        "places": ("int64", (n_points,)),
        "bounds": ("int64", (len(manifest.segments), max(1, n_cells) + 1)),
        "checksums": ("uint32", (len(manifest.segments), max(1, n_cells))),
        "centers": ("float32", (n_cells, n_dims)),
        "mean": ("float64", (n_dims,)),
        **{ends_part(i): ("int64", (n_points,)) for i in numbers},
    }
    if manifest.label_column is not None:
        wanted["sorted"] = ("int64", (n_points,))
    if "rows" in parts:
        wanted["rows"] = ("int64", (n_points,))
    for i in numbers:
        part = parts.get(text_part(i))
        wanted[text_part(i)] = ("uint8", part.shape[:1] if part else (0,))
    for name, (dtype, shape) in wanted.items():
        if name not in parts:
            keys.refuse("parts", f"'{name}' is missing")
        part = parts[name]
        if (part.dtype.name, part.shape) != (dtype, shape):
            why = f"'{name}' is {part.dtype.name} {part.shape}, where {dtype} {shape} is needed"
            keys.refuse("parts", why)
    if not parts.keys() <= wanted.keys():
        keys.refuse("parts", "it names parts that are none")


class _Keys:
    """The values of a manifest by their keys, each checked when it is taken."""

    def __init__(self, file: Path, found: Mapping[str, Any], inside: str = "") -> None:
        self._file, self._found, self._inside = file, found, inside

    def refuse(self, key: str, why: str) -> NoReturn:
        name = printable(f"{self._inside}{key}", 60)
        raise LoadError(self._file, f"damaged: '{name}': {why}", "build it again with embviz index")

    def take(self, key: str) -> Any:
        if key not in self._found:
            self.refuse(key, "it is missing")
        return self._found[key]

    def text(self, key: str) -> str:
        value = self.take(key)
        if not isinstance(value, str):
            self.refuse(key, "a text is needed")
        return value

    def count(self, key: str, least: int) -> int:
        value = self.take(key)
        if type(value) is not int or not least <= value < _MOST:
            self.refuse(key, f"a count of at least {least} is needed")
        return value

    def counts(self, key: str, least: int) -> tuple[int, ...]:
        values = self.take(key)
        if not isinstance(values, list) or not values:
            self.refuse(key, "a list of counts is needed")
        if not all(type(value) is int and least <= value < _MOST for value in values):
            self.refuse(key, f"counts of at least {least} are needed")
        return tuple(values)

    def shares(self, key: str, n: int) -> tuple[float, ...]:
        values = self.take(key)
        if not isinstance(values, list) or len(values) != n:
            self.refuse(key, f"{n} shares are needed")
        if not all(type(v) in (int, float) and 0 <= v <= 1 + _ROUNDING for v in values):
            self.refuse(key, "shares from 0 to 1 are needed")
        return tuple(map(float, values))

    def number(self, key: str) -> float:
        value = self.take(key)
        if type(value) not in (int, float) or not 0 < value <= 2.0**1023:
            self.refuse(key, "a finite number above 0 is needed")
        return float(value)

    def seed(self) -> int:
        value = self.take("seed")
        if type(value) is not int or value < 0:
            self.refuse("seed", "a whole number from 0 on is needed")
        return value

    def metric(self) -> Metric:
        value = self.take("metric")
        if value not in get_args(Metric):
            self.refuse("metric", f"one of {', '.join(get_args(Metric))} is needed")
        return "cosine" if value == "cosine" else "euclidean"

    def columns(self) -> tuple[str, ...]:
        values = self.take("columns")
        texts = isinstance(values, list) and all(isinstance(value, str) for value in values)
        if not texts or len(set(values)) < len(values):
            self.refuse("columns", "a list of different names is needed")
        return tuple(values)

    def label_column(self) -> str | None:
        value = self.take("label_column")
        if value is not None and (not isinstance(value, str) or value not in self.columns()):
            self.refuse("label_column", "null or one of the columns is needed")
        return value

    def origin(self) -> dict[str, Any] | None:
        value = self.take("origin")
        if value is None:
            return None
        inner = self.inner("origin", value)
        return {
            "file": inner.text("file"),
            "bytes": inner.count("bytes", 0),
            "crc32c": inner.count("crc32c", 0),
        }

    def inner(self, key: str, value: Any) -> _Keys:
        if not isinstance(value, dict):
            self.refuse(key, "an object is needed")
        return _Keys(self._file, value, f"{self._inside}{key}.")

    def recall(self, n_cells: int) -> Recall | None:
        value = self.take("recall")
        if value is None:
            return None
        inner = self.inner("recall", value)
        cells = inner.counts("cells", 1)
        if list(cells) != sorted(set(cells)) or cells[-1] != n_cells:
            inner.refuse("cells", f"increasing counts up to {n_cells} are needed")
        shares = inner.inner("shares", inner.take("shares"))
        for k in shares._found:
            if not (k.isascii() and k.isdigit() and len(k) < 10 and k == str(int(k)) != "0"):
                shares.refuse(k, "a number of neighbors is needed")
        return Recall(
            inner.count("sample", 1),
            cells,
            {int(k): shares.shares(k, len(cells)) for k in shares._found},
            inner.shares("rows", len(cells)),
        )

    def parts(self) -> dict[str, Part]:
        inner = self.inner("parts", self.take("parts"))
        parts = {}
        for name, value in inner._found.items():
            try:
                parts[name] = part_from_json(value)
            except (KeyError, TypeError, ValueError, AttributeError, SyntaxError) as error:
                inner.refuse(name, f"it is no part ({printable(str(error), 60)})")
        return parts
