"""Points placed in two or three dimensions, and more for principal components."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Projection
from embviz.projections.custom import Axes
from embviz.projections.identity import Identity
from embviz.projections.pacmap import LocalMAP, PaCMAP
from embviz.projections.pca import PCA
from embviz.projections.tsne import TSNE
from embviz.projections.umap import UMAP

__all__ = [
    "PCA",
    "PROJECTORS",
    "TSNE",
    "UMAP",
    "Axes",
    "Identity",
    "LocalMAP",
    "PaCMAP",
    "Projector",
]

GROUP = "embviz.projectors"
USUAL_MAP = "tsne"
"""The method of a comparison's maps where none is asked for."""


class Projector(Protocol):
    """A frozen dataclass of its parameters that places points.

    It may have three more methods: `count_neighbors(table)` says how many neighbors of each point
    it looks at, which it is then given in its field `neighbors`; `in_dims(table, dims)` returns
    the projectors that make its pictures of 2, 3 or both dimensions, or of those that are cheap
    where `dims` is empty; `started_at(places)` returns the projector that goes on from a settled
    map, as of the step before in a run, and leaves in it what may stay. Where `project` has a
    parameter `space`, it is given the opened `embviz.space.Space` of the table, whose range and
    moments others have asked for already. An attribute `figures` names the numbers that it leaves
    in `stats`, and `key` its projections where they are not named as it is asked for, so that
    `--fail-if` knows of them before it runs; without `figures` any are taken.
    """

    def project(self, table: EmbeddingTable) -> Projection:
        """Return the coordinates of all points of a table, with the parameters in force."""
        ...


def load_entry(entry: EntryPoint) -> Any:
    """Return what an entry point names.

    Raises:
        ParameterError: If it cannot be loaded, for whatever reason.
    """
    try:
        return entry.load()
    except (Exception, SystemExit) as error:  # Another package's code may fail in any way.
        why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise ParameterError(
            f"projector '{entry.name}'", f"{entry.value} cannot be loaded ({why})"
        ) from error


def check_projector(name: str, loaded: Any) -> type[Any]:
    """Return a projector class.

    Raises:
        ParameterError: If it is none.
    """
    if not callable(getattr(loaded, "project", None)):
        raise ParameterError(f"projector '{name}'", "what it names has no method 'project'")
    if not isinstance(loaded, type):
        raise ParameterError(f"projector '{name}'", "what it names is no class", "name the class")
    return loaded


class _Projectors(Mapping[str, type[Any]]):
    """Projector classes by name: ours, then those of installed packages, loaded when asked for."""

    def __init__(self, ours: dict[str, type[Any]]) -> None:
        self.ours = dict(ours)
        self._known: dict[str, type[Any]] = dict(ours)
        self._others: dict[str, EntryPoint] | None = None

    def _installed(self) -> dict[str, EntryPoint]:
        if self._others is None:
            found = entry_points(group=GROUP)
            self._others = {e.name: e for e in found if e.name not in self._known}
        return self._others

    def __getitem__(self, name: str) -> type[Any]:
        if name not in self._known:
            entry = self._installed()[name]
            self._known[name] = check_projector(entry.name, load_entry(entry))
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._known or name in self._installed()

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys([*self._known, *self._installed()])

    def __len__(self) -> int:
        return len(list(iter(self)))


PROJECTORS = _Projectors(
    {
        "pca": PCA,
        "tsne": TSNE,
        "umap": UMAP,
        "pacmap": PaCMAP,
        "localmap": LocalMAP,
        "custom": Axes,
        "none": Identity,
    }
)
