"""Requests as values: what was typed, made once into frozen dataclasses that check themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from embviz.commands.shared.previews import Previews
from embviz.commands.shared.source import refuse_overwriting
from embviz.errors import ParameterError
from embviz.loaders.reading import AS_IT_IS, Reading

if TYPE_CHECKING:
    from embviz.comparison.run import OpenedRun
    from embviz.comparison.values import Steps
    from embviz.loaders.opened import Source as OpenedSource
    from embviz.model import EmbeddingTable
    from embviz.projections.placed import Placed

T = TypeVar("T")


def take(kind: type[T], given: Mapping[str, Any], **more: Any) -> T:
    """Make a request of the options that have the names of its fields, and of more fields.

    Args:
        kind: A dataclass.
        given: Options by name, as click hands them over.
        more: Fields that are no options, or are other than what was typed.
    """
    names = [f.name for f in fields(kind) if f.init]  # type: ignore[arg-type]
    return kind(**{name: given[name] for name in names if name in given} | more)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Which vectors are read, with which labels and thumbnails.

    Raises:
        ParameterError: If two of them contradict each other.
    """

    source: str
    more: tuple[str, ...] = ()
    """Sources whose rows follow those of the first."""
    reading: Reading = AS_IT_IS
    sprite: str | None = None
    sprite_size: tuple[int, int] | None = None
    images: str | None = None
    images_linked: bool = False
    coordinates: tuple[str, ...] = ()
    steps: str | None = None
    """Which steps of a run are read; None for no run."""
    match: str | None = None
    drop_nonfinite: bool = False
    config: str | None = None
    """The file of settings that is in force."""

    def __post_init__(self) -> None:
        if self.images is not None and self.sprite is not None:
            raise ParameterError("--images", "cannot be combined with --sprite", "give one")
        for option, there in (
            ("--drop-unused", self.reading.drop_unused),
            ("--unlabeled drop", self.reading.unlabeled == "drop"),
        ):
            if self.images is not None and there:
                raise ParameterError("--images", f"cannot be combined with {option}", "give one")
        if self.images_linked and self.images is None:
            raise ParameterError(
                "--images-linked", "links the files of --images", "add --images DIR"
            )

        if self.steps is None and self.match is not None:
            raise ParameterError("--match", "belongs to --steps", "add --steps all")
        if self.steps is not None and self.coordinates:
            raise ParameterError(
                "--coordinates", "are places of one step", "leave out --steps, or --coordinates"
            )

    @cached_property
    def run(self) -> OpenedRun:
        """The steps that are asked for, their headers read; raises as `opened`."""
        from embviz.comparison.run import open_run

        return open_run((self.source, *self.more), self.steps or "all", self.reading)

    @cached_property
    def opened(self) -> OpenedSource:
        """The source, its headers read; of a run the last step, with the files of all.

        Raises:
            LoadError: If it is missing or damaged.
            ParameterError: If there is no format of the name.
        """
        from embviz.loaders import open_source

        if self.steps is not None:
            return replace(self.run.last.source, files=self.run.files)
        return open_source((self.source, *self.more), self.reading)

    def inputs(self, bookmarks: Sequence[str] = ()) -> Iterator[tuple[str, Path | str | None]]:
        """Yield what each file that is read is, and its path; the source is opened for the last.

        Raises:
            LoadError: If the source is missing or damaged.
            ParameterError: If there is no format of the name.
        """
        yield "settings", self.config
        for name in (self.source, *self.more):
            yield "source", name
        yield "metadata", self.reading.metadata
        yield "sprite", self.sprite
        yield "images", self.images
        for place in self.coordinates:
            from embviz.pictures.coordinates import split_place

            yield f"coordinates {place}", split_place(place)[0]
        for name in bookmarks:
            yield f"bookmarks {name}", name
        if self.sprite is not None:
            from embviz.sprites import find_files

            for file in find_files(Path(self.sprite)):
                yield "sprite", file
        for file in (self.opened.path, *self.opened.files):
            yield "source", file

    def read(self, tensor: str | None = None) -> EmbeddingTable:
        """Read the points.

        Args:
            tensor: The tensor, in place of the one that was typed.

        Raises:
            LoadError: If a file is missing or damaged.
            ParameterError: If what is asked for is not there.
        """
        from embviz.loaders import choose_tensor, read_table

        chosen = self.run.last.tensor if self.steps is not None else None
        table = read_table(
            self.opened,
            chosen or choose_tensor(self.opened, tensor or self.reading.tensor),
            self.reading,
            sprite=self.sprite,
            sprite_size=None if self.images else self.sprite_size,
        )
        if self.sprite is not None and not table.metadata:
            from embviz.pictures.thumbnails import add_sheet_labels

            table = add_sheet_labels(table, self.sprite)
        if self.images is not None:
            from embviz.pictures.thumbnails import add_thumbnails

            table = add_thumbnails(table, self.images, self.sprite_size)
        return table

    def read_steps(self) -> Steps:
        """Read the points at all steps; thumbnails are those of the last.

        Raises:
            LoadError: If a file is damaged, or it cannot be told which points are the same.
            ParameterError: If what is asked for is not there.
        """
        from embviz.comparison.run import match_steps

        return match_steps(self.run, self.read(), self.match, self.drop_nonfinite)

    def read_coordinates(self, table: EmbeddingTable) -> list[Placed]:
        """Read the coordinates that were computed elsewhere.

        Args:
            table: The points, as `read` gives them.

        Raises:
            LoadError: If a file is missing or damaged, or has other rows.
            ParameterError: If what is asked for is not there.
        """
        from embviz.pictures.coordinates import read_coordinates

        return [read_coordinates(place, table, self.opened) for place in self.coordinates]


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """The files that a report is written to."""

    output: str
    save_bookmark: str | None = None
    save_coordinates: str | None = None
    save_clusters: str | None = None
    figure: str | None = None
    summary: str | None = None
    previews: Previews

    @property
    def named(self) -> dict[str, str]:
        """The files by the options that name them."""
        named = {
            "-o": self.output,
            "--save-coordinates": self.save_coordinates,
            "--save-clusters": self.save_clusters,
            "--figure": self.figure,
            "--save-bookmark": self.save_bookmark,
            "--summary": self.summary,
            **self.previews.named,
        }
        return {option: name for option, name in named.items() if name}

    def clusters_wanted(self, clusters: str | None) -> str | None:
        """Return which clusters are looked for: those of the map where they are to be saved.

        Raises:
            ParameterError: If they are to be saved, and there are to be none.
        """
        if self.save_clusters and clusters == "none":
            raise ParameterError(
                "--save-clusters", "there are none by --clusters none", "leave out one of them"
            )
        return "map" if self.save_clusters and clusters is None else clusters

    def check(self, source: Source, bookmarks: tuple[str, ...]) -> None:
        """Refuse outputs that are inputs or cannot be written, before work is spent on them.

        Raises:
            LoadError: If an output is there, and the source is missing or damaged.
            ParameterError: If one would overwrite an input.
            OutputError: If one cannot be written.
        """
        from embviz.outputs.files import check_outputs

        self.previews.check()
        if self.save_coordinates:
            from embviz.export.coordinates import check_coordinates_name

            check_coordinates_name(Path(self.save_coordinates))
        if self.save_clusters:
            from embviz.export.clusters import check_clusters_name

            check_clusters_name(Path(self.save_clusters))
        if source.steps is not None:
            self._check_steps()
        check_outputs({option: Path(name) for option, name in self.named.items()})
        for name in self.named.values():
            refuse_overwriting(name, source.inputs(bookmarks))
            if source.images is not None:
                _refuse_in(Path(name), Path(source.images))

    def _check_steps(self) -> None:
        """Refuse outputs that hold one step only.

        Raises:
            ParameterError: Naming the option.
        """
        if self.figure is not None:
            raise ParameterError(
                "--figure", "is a picture of one step", "leave it out, or leave out --steps"
            )
        if self.save_coordinates and Path(self.save_coordinates).suffix.lower() != ".npz":
            raise ParameterError(
                f"--save-coordinates {self.save_coordinates}",
                "a line a point has room for one step",
                "name a .npz file, which holds all",
            )


def _refuse_in(output: Path, images: Path) -> None:
    """Refuse an output that is there already and lies in the folder of the images.

    Raises:
        ParameterError: If it does.
    """
    # Unlike a path's own, these answer for names that no file can have.
    if not os.path.isfile(output) or not os.path.isdir(images):
        return
    if images.resolve() in output.resolve().parents:
        raise ParameterError(output, f"would overwrite a file of {images}", "name another after -o")
