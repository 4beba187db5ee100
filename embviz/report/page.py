"""The HTML file: the template, its scripts and styles, and how it is written."""

from __future__ import annotations

import base64
import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Unpack

from embviz.checks import check_kind, check_list, check_path
from embviz.comparison.values import Steps
from embviz.model import EmbeddingTable, Projection
from embviz.outputs.files import write_file
from embviz.outputs.text import to_utf8
from embviz.pictures.selection import Part
from embviz.report.blocks import compress
from embviz.report.options import ReportFields, report_options
from embviz.report.payload import Payload, ReportOptions, build_payload

progress = logging.getLogger("embviz.progress")

TEMPLATES = files("embviz") / "templates"


@cache
def _plotly() -> Future[str]:
    """Start compressing Plotly's script, once a process, beside the other work."""
    from plotly.offline import get_plotlyjs

    pool = ThreadPoolExecutor(1)
    future = pool.submit(lambda: compress(get_plotlyjs().encode("utf-8")))
    pool.shutdown(wait=False)
    return future


def prepare_page() -> None:
    """Begin the part of the page that does not depend on the data, in the background."""
    _plotly()


def render_page(payload: Payload) -> str:
    """Return the whole page: equal text for equal payloads."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    plotly = _plotly()
    environment = Environment(
        loader=FunctionLoader(lambda name: (TEMPLATES / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {
        "sort_keys": True,
        "allow_nan": False,
        "separators": (",", ":"),
    }
    return environment.get_template("report.html.jinja").render(
        title=payload.manifest["title"],
        manifest=payload.manifest,
        blocks=payload.blocks,
        css=_stylesheet(),
        imports={"imports": _modules()},
        plotly=plotly.result(),
    )


def write_report(
    path: str | os.PathLike[str],
    points: EmbeddingTable | Part,
    projections: Sequence[Projection],
    options: ReportOptions | None = None,
    steps: Steps | None = None,
    **fields: Unpack[ReportFields],
) -> int:
    """Write the report of points and their projections as one HTML file.

    Args:
        path: The file to write; an existing regular file is replaced.
        points: The points that travel: a table, or what `choose_points` gave, with what it found.
        projections: Their projections, all of these points.
        options: What the report shows first and says of itself.
        steps: The states of these points, where there are several: a run over time, or two models.
        fields: Fields of `ReportOptions`, in place of one or of some of its own.

    Returns:
        The size of the file in bytes.

    Raises:
        OutputError: If the file cannot be written; nothing is left behind.
        ParameterError: If an option does not fit the table, or the steps are of other points.
    """
    path = check_path("path", path)
    return write_file(path, encode_report(points, projections, options, steps, **fields))


def encode_report(
    points: EmbeddingTable | Part,
    projections: Sequence[Projection],
    options: ReportOptions | None = None,
    steps: Steps | None = None,
    **fields: Unpack[ReportFields],
) -> bytes:
    """Return the HTML file that `write_report` writes.

    Raises:
        ParameterError: If an option does not fit the table, or the steps are of other points.
    """
    check_kind("steps", steps, (Steps, type(None)), "give an embviz.comparison.Steps")
    projections = check_list("projections", projections)
    prepare_page()
    table, options = report_options(points, options, fields)
    space = points.space if isinstance(points, Part) else None
    progress.info("page: packing %s points", f"{table.n_points:,}")
    return to_utf8(render_page(build_payload(table, projections, options, space, steps)))


def _stylesheet() -> str:
    folder = TEMPLATES / "css"
    return "\n".join(
        item.read_text(encoding="utf-8") for item in _sorted(folder) if item.name.endswith(".css")
    )


def _modules() -> dict[str, str]:
    """Return the import map: the very files that the tests import, as data: URLs."""
    found = {}
    for name, item in _scripts(TEMPLATES / "js"):
        source = item.read_text(encoding="utf-8") + f"\n//# sourceURL=embviz/{name}\n"
        text = base64.b64encode(source.encode("utf-8")).decode("ascii")
        found[f"#js/{name}"] = f"data:text/javascript;charset=utf-8;base64,{text}"
    return found


def _scripts(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    """Yield the modules in a folder and those in it, with their paths below the first."""
    for item in _sorted(folder):
        if item.is_dir():
            yield from _scripts(item, f"{prefix}{item.name}/")
        elif item.name.endswith(".js"):
            yield f"{prefix}{item.name}", item


def _sorted(folder: Traversable) -> list[Traversable]:
    return sorted(folder.iterdir(), key=lambda item: item.name)
