"""The part of the page that is the same for all data: styles, scripts and Plotly; and its size."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from embviz.report.blocks import Block, compress

TEMPLATES = files("embviz") / "templates"
PAGE = "report.html.jinja"
PLOTLY = TEMPLATES / "plotly" / "plotly-gl3d.min.js"
"""Plotly's own bundle of 3D scenes and 2D axes, npm's `plotly.js-gl3d-dist-min`, as it is there."""
JSON_KINDS: dict[str, Any] = {"sort_keys": True, "allow_nan": False, "separators": (",", ":")}
"""How the manifest is written."""
_TAG = len('<script type="application/octet-stream" id="block-"></script>\n')
_TEXT_SIZE, _THIN = 16, 3  # Pixels.
_SPARE = 2_000  # What the template makes of a few numbers and names.


@cache
def plotly() -> Future[str]:
    """Start compressing Plotly's script, once a process, beside the other work."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(lambda: compress(PLOTLY.read_bytes()))
    pool.shutdown(wait=False)
    return future


def stylesheet() -> str:
    """Return all styles, whose lengths follow the reader's text size."""
    folder = TEMPLATES / "css"
    texts = [item.read_text(encoding="utf-8") for item in _sorted(folder)]
    return follow_text_size("\n".join(texts))


def follow_text_size(css: str) -> str:
    """Return styles that are written in pixels, 16 of them the browser's own text size, in `rem`.

    Lines of up to three pixels stay as thin as they are, and so do the widths of screens that
    media queries ask for.
    """

    def length(found: re.Match[str]) -> str:
        pixels = float(found[1])
        return found[0] if abs(pixels) <= _THIN else f"{pixels / _TEXT_SIZE:.6g}rem"

    parts = re.split(r"(@media[^{]*)", css)
    return "".join(
        part if part.startswith("@media") else re.sub(r"(?<![\w.#-])(-?[\d.]+)px\b", length, part)
        for part in parts
    )


@cache
def modules() -> str:
    """Return the very files that the tests import, by their names, compressed as JSON."""
    found = {
        f"#js/{name}": item.read_text(encoding="utf-8") + f"\n//# sourceURL=embviz/{name}\n"
        for name, item in _scripts(TEMPLATES / "js")
    }
    return compress(json.dumps(found, ensure_ascii=False, **JSON_KINDS).encode("utf-8"))


@cache
def shell_size() -> int:
    """Return the bytes of a page without data."""
    template = (TEMPLATES / PAGE).read_text(encoding="utf-8")
    texts = (template, stylesheet(), modules(), plotly().result())
    return sum(len(text.encode("utf-8")) for text in texts) + _SPARE


def json_size(value: Any) -> int:
    """Return the bytes at most that a JSON value takes in the manifest."""
    text = json.dumps(value, ensure_ascii=True, **JSON_KINDS)
    # These are written as six characters within a script.
    return len(text) + 5 * sum(text.count(c) for c in "<>&'")


def block_size(block: Block) -> int:
    """Return the bytes at most that a block takes in the page, with its entry in the manifest."""
    name = 6 * len(block.name.encode("utf-8", "surrogatepass"))
    return _TAG + name + len(block.text) + json_size({block.name: block.entry})


def heading_size(
    manifest: Mapping[str, Any], blocks: Sequence[Block], links: Sequence[str] = ()
) -> int:
    """Return the bytes at most of a page of a manifest, without its `blocks`, and of blocks.

    Args:
        manifest, blocks: What the page has.
        links: What it refers to where scripts are switched off.
    """
    said = " ".join(manifest.get("summary", {}).get("sentences", ()))
    texts = [*[str(manifest["title"])] * 3, *[said] * 3, *links]
    escaped = sum(6 * len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return shell_size() + escaped + json_size(manifest) + sum(map(block_size, blocks))


def _scripts(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    """Yield the modules in a folder and those in it, with their paths below the first."""
    for item in _sorted(folder):
        if item.is_dir():
            yield from _scripts(item, f"{prefix}{item.name}/")
        elif item.name.endswith(".js"):
            yield f"{prefix}{item.name}", item


def _sorted(folder: Traversable) -> list[Traversable]:
    return sorted(folder.iterdir(), key=lambda item: item.name)
