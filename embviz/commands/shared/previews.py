"""Pictures of the first view beside a report: `--preview` and `--preview-dark`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from embviz.commands.shared.source import FILE
from embviz.errors import ParameterError

if TYPE_CHECKING:
    from embviz.comparison.values import Steps
    from embviz.model import EmbeddingTable, Projection
    from embviz.pictures.selection import Part
    from embviz.report import ReportOptions

F = TypeVar("F", bound=Callable[..., Any])


def preview_options(function: F) -> F:
    """Add the options that ask for pictures of the first view."""
    for option, what in (("--preview-dark", "The same in dark colors"), ("--preview", _HELP)):
        function = click.option(option, type=FILE, metavar="FILE.png", help=what)(function)
    return function


_HELP = "Write a picture of the first view too, which the page shows where scripts are off"


@dataclass(frozen=True, kw_only=True)
class Previews:
    """The pictures that are asked for beside a report."""

    output: str | None
    preview: str | None = None
    preview_dark: str | None = None

    @property
    def named(self) -> Mapping[str, str]:
        """Return the files by the options that name them."""
        both = {"--preview": self.preview, "--preview-dark": self.preview_dark}
        return {option: name for option, name in both.items() if name}

    def check(self) -> None:
        """Refuse what is no PNG by its name.

        Raises:
            ParameterError: Naming the option.
        """
        for option, name in self.named.items():
            if name == "-" or Path(name).suffix.lower() != ".png":
                raise ParameterError(
                    f"{option} {name}", "the picture is a PNG file", "name a file that ends in .png"
                )

    def referred(self, options: ReportOptions) -> ReportOptions:
        """Return what a report shows, with the pictures that it refers to.

        A report on the standard output is in no folder, and refers to none.
        """
        from embviz.outputs.references import relative_url

        if self.output in (None, "-"):
            return options
        urls = [
            relative_url(name, self.output) if name else ""
            for name in (self.preview, self.preview_dark)
        ]
        return replace(options, preview_link=urls[0], preview_dark_link=urls[1])

    def encoded(
        self,
        points: EmbeddingTable | Part,
        projections: Sequence[Projection],
        options: ReportOptions,
        steps: Steps | None,
    ) -> Iterator[tuple[str, bytes]]:
        """Yield the name and the bytes of each picture."""
        from embviz.preview import encode_preview

        for name, dark in ((self.preview, False), (self.preview_dark, True)):
            if name:
                yield name, encode_preview(points, projections, options, steps, dark)
