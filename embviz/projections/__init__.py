"""Points placed in two or three dimensions, and more for principal components."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Projection
from embviz.projections.custom import Axes
from embviz.projections.identity import Identity
from embviz.projections.pca import PCA
from embviz.projections.tsne import TSNE
from embviz.projections.umap import UMAP

__all__ = ["PCA", "PROJECTORS", "TSNE", "UMAP", "Axes", "Identity", "Projector"]

GROUP = "embviz.projectors"


class Projector(Protocol):
    """A frozen dataclass of its parameters that places points."""

    def project(self, table: EmbeddingTable) -> Projection:
        """Return the coordinates of all points of a table, with the parameters in force."""
        ...


class _Projectors(Mapping[str, type[Any]]):
    """Projector classes by name: ours, then those of installed packages, loaded when asked for."""

    def __init__(self, ours: dict[str, type[Any]]) -> None:
        self._known: dict[str, type[Any]] = dict(ours)
        self._others: dict[str, EntryPoint] | None = None

    def _installed(self) -> dict[str, EntryPoint]:
        if self._others is None:
            found = entry_points(group=GROUP)
            self._others = {e.name: e for e in found if e.name not in self._known}
        return self._others

    def __getitem__(self, name: str) -> type[Any]:
        if name not in self._known:
            self._known[name] = self._load(self._installed()[name])
        return self._known[name]

    @staticmethod
    def _load(entry: EntryPoint) -> type[Any]:
        try:
            loaded = entry.load()
        except (ImportError, AttributeError) as error:
            raise ParameterError(
                f"projector '{entry.name}'", f"{entry.value} cannot be loaded ({error})"
            ) from error
        if not callable(getattr(loaded, "project", None)):
            raise ParameterError(
                f"projector '{entry.name}'", f"{entry.value} has no method 'project'"
            )
        return loaded  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys([*self._known, *self._installed()])

    def __len__(self) -> int:
        return len(list(iter(self)))


PROJECTORS: Mapping[str, type[Any]] = _Projectors(
    {"pca": PCA, "tsne": TSNE, "umap": UMAP, "custom": Axes, "none": Identity}
)
