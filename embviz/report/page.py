"""The HTML file: the template, its scripts and styles, and how it is written."""

from __future__ import annotations

import base64
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from embviz.errors import OutputError
from embviz.model import EmbeddingTable, Projection
from embviz.report.blocks import compress
from embviz.report.payload import Payload, ReportOptions, build_payload

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
    table: EmbeddingTable,
    projections: Sequence[Projection],
    **options: Any,
) -> int:
    """Write the report of a table and its projections as one HTML file.

    Args:
        path: The file to write; an existing regular file is replaced.
        table: The points that travel.
        projections: Their projections, all with table.n_points points.
        options: The fields of `ReportOptions`.

    Returns:
        The size of the file in bytes.

    Raises:
        OutputError: If the file cannot be written; nothing is left behind.
        ParameterError: If an option does not fit the table.
    """
    prepare_page()
    page = render_page(build_payload(table, projections, ReportOptions(**options)))
    return write_file(Path(path), page.encode("utf-8"))


def write_file(path: Path, data: bytes | Iterable[bytes]) -> int:
    """Write a file under a temporary name beside it and move it there; return its size.

    The path `-` is the standard output.

    Args:
        path: The file; an existing regular one is replaced.
        data: Its bytes, whole or in parts; what making a part raises passes through.

    Raises:
        OutputError: If the folder or the file cannot be written; the old file stays.
    """
    check_output(path)
    parts = (data,) if isinstance(data, bytes) else data
    if str(path) == "-":
        size = sum(sys.stdout.buffer.write(part) for part in parts)
        sys.stdout.flush()
        return size
    if path.exists() and not path.is_file():  # a device, such as /dev/stdout
        return _write_device(path, parts)
    temporary, size = None, 0
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name[:40]}.", delete=False
        ) as out:
            temporary = Path(out.name)
            for part in parts:
                size += out.write(part)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        raise OutputError(path, f"cannot be written: {error.strerror}") from error
    finally:
        if temporary is not None and temporary.exists():
            temporary.unlink()
    return size


def check_output(path: Path) -> None:
    """Refuse an output that cannot be written, before work is spent on it.

    Raises:
        OutputError: If the path is a folder, or its folder is missing or not writable.
    """
    if str(path) == "-":
        return
    if path.is_dir():
        raise OutputError(path, "is a folder; name a file in it")
    if not path.parent.is_dir():
        raise OutputError(path, f"the folder {path.parent} does not exist", "make it first")
    if not os.access(path.parent, os.W_OK) and not (path.exists() and not path.is_file()):
        raise OutputError(path, f"the folder {path.parent} cannot be written")


def _write_device(path: Path, parts: Iterable[bytes]) -> int:
    try:
        with path.open("wb") as out:
            return sum(out.write(part) for part in parts)
    except OSError as error:
        raise OutputError(path, f"cannot be written: {error.strerror}") from error


def _umask() -> int:
    value = os.umask(0)
    os.umask(value)
    return value


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
