"""Requests as values: what was typed, made once into frozen dataclasses that check themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from embviz.commands.shared.source import refuse_overwriting
from embviz.errors import ParameterError

if TYPE_CHECKING:
    from embviz.model import EmbeddingTable

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
    tensor: str | None = None
    metadata: str | None = None
    input_format: str | None = None
    sprite: str | None = None
    sprite_size: tuple[int, int] | None = None
    images: str | None = None
    images_linked: bool = False

    def __post_init__(self) -> None:
        if self.images is not None and self.sprite is not None:
            raise ParameterError("--images", "cannot be combined with --sprite", "give one")
        if self.images_linked and self.images is None:
            raise ParameterError(
                "--images-linked", "links the files of --images", "add --images DIR"
            )

    def read(self) -> EmbeddingTable:
        """Read the points.

        Raises:
            LoadError: If a file is missing or damaged.
            ParameterError: If what is asked for is not there.
        """
        from embviz.loaders import load_table

        table = load_table(
            self.source,
            tensor=self.tensor,
            metadata=self.metadata,
            sprite=self.sprite,
            sprite_size=None if self.images else self.sprite_size,
            input_format=self.input_format,
        )
        if self.sprite is not None and not table.metadata:
            from embviz.pictures.thumbnails import add_sheet_labels

            table = add_sheet_labels(table, self.sprite)
        if self.images is not None:
            from embviz.pictures.thumbnails import add_thumbnails

            table = add_thumbnails(table, self.images, self.sprite_size)
        return table


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """The files that a report is written to."""

    output: str
    save_bookmark: str | None = None
    save_coordinates: str | None = None
    figure: str | None = None

    def check(self, source: Source, bookmarks: tuple[str, ...]) -> None:
        """Refuse outputs that are inputs or cannot be written, before work is spent on them.

        Raises:
            ParameterError: If one would overwrite an input.
            OutputError: If one cannot be written.
        """
        from embviz.outputs.files import check_outputs

        inputs = {"source": source.source, "metadata": source.metadata, "sprite": source.sprite}
        inputs |= {"images": source.images, **{f"bookmarks {name}": name for name in bookmarks}}
        named = {
            "-o": self.output,
            "--save-coordinates": self.save_coordinates,
            "--figure": self.figure,
            "--save-bookmark": self.save_bookmark,
        }
        for name in filter(None, named.values()):
            refuse_overwriting(Path(name), inputs)
        if self.save_coordinates:
            from embviz.export.coordinates import check_coordinates_name

            check_coordinates_name(Path(self.save_coordinates))
        check_outputs({option: Path(name) for option, name in named.items() if name})
