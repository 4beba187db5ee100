"""Sheets from images: the plan (tile, grid, mode), and the sheets as bytes, band by band."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict, TypeVar

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, ParameterError
from embviz.sprites.fitting import CLEAR, Color, Fit, fit_tile, mark_broken, parse_color
from embviz.sprites.images import MOST_SIDE
from embviz.sprites.jpeg import write_jpeg
from embviz.sprites.manifest import DESCRIPTION, KEY, SheetNote
from embviz.sprites.png import compress_band, join_checksums, png_band, png_end, png_start
from embviz.sprites.sheet import divide_sheets
from embviz.sprites.sources import ImageFacts, TileSource

SheetFormat = Literal["PNG", "WEBP", "JPEG"]
CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
_FACTS_AT_ONCE = 64
# Above this many pixels the search for a smaller lossless WebP takes longer than all else.
_WEBP_PIXELS = 1 << 24
_log = logging.getLogger("embviz")
_progress = logging.getLogger("embviz.progress")
T = TypeVar("T")


class SheetFields(TypedDict, total=False):
    """The fields of `SheetOptions`, as `pack_images` takes them."""

    tile_size: tuple[int, int] | None
    fit: Fit
    background: str | None
    max_side: int
    quality: int | None
    skip_broken: bool


@dataclass(frozen=True)
class SheetOptions:
    """What sheets shall be like.

    Attributes:
        tile_size: Width and height in pixels; None for the largest image's longer side, or less
            where one sheet of at most `max_side` could not hold them.
        fit: How an image fills its tile.
        background: A CSS color or `transparent`; None for transparent, white in JPEG.
        max_side: The longest side of a sheet in pixels, at most 8192.
        quality: 1 .. 100 for JPEG and lossy WebP; None for JPEG 90 and lossless WebP.
        skip_broken: Whether a marked tile stands for an image that cannot be read.
    """

    tile_size: tuple[int, int] | None = None
    fit: Fit = "contain"
    background: str | None = None
    max_side: int = MOST_SIDE
    quality: int | None = None
    skip_broken: bool = False


@dataclass(frozen=True, eq=False)
class SheetPlan:
    """How images are laid out: `columns` x `columns` tiles a sheet, and the mode of its pixels."""

    source: TileSource
    facts: tuple[ImageFacts | None, ...]
    tile: tuple[int, int]
    columns: int
    n_sheets: int
    mode: str
    ground: Color
    options: SheetOptions
    broken: dict[int, str] = field(default_factory=dict)

    @property
    def note(self) -> SheetNote:
        return SheetNote(*self.tile, self.columns, len(self.source))


def plan_sheets(source: TileSource, options: SheetOptions, kind: SheetFormat = "PNG") -> SheetPlan:
    """Read every image's header and lay out the sheets; nothing is decoded.

    Raises:
        LoadError: If an image is none or too large, unless broken ones are skipped.
        ParameterError: If an option is out of its range, or a tile is larger than a sheet.
    """
    if not 1 <= options.max_side <= MOST_SIDE:
        raise ParameterError(
            f"--max-side {options.max_side}",
            f"a side is 1 to {MOST_SIDE} pixels, more is shown by no TensorBoard",
        )
    if options.quality is not None and not 1 <= options.quality <= 100:
        raise ParameterError(f"--quality {options.quality}", "not a quality from 1 to 100")
    if options.quality is not None and kind == "PNG":
        raise ParameterError("--quality", "PNG loses nothing", "name a .jpg or .webp file after -o")
    ground = _choose_ground(options, kind)
    broken: dict[int, str] = {}
    facts = tuple(_read_facts(source, options.skip_broken, broken))
    known = [fact for fact in facts if fact is not None]
    if not known:
        raise LoadError(source.name(0), f"none of {len(facts)} images can be read: {broken[0]}")
    tile = options.tile_size or _choose_tile(known, len(facts), options.max_side)
    try:
        columns, n_sheets = divide_sheets(len(facts), tile, options.max_side)
    except ParameterError:
        raise ParameterError(
            f"--size {tile[0]}x{tile[1]}", f"a sheet has {options.max_side} pixels a side at most"
        ) from None
    mode = _choose_mode(known, tile, options.fit, ground, kind)
    return SheetPlan(source, facts, tile, columns, n_sheets, mode, ground, options, broken)


def encode_sheet(
    plan: SheetPlan, number: int, kind: SheetFormat, note: str = ""
) -> Iterator[bytes]:
    """Yield the bytes of one sheet; PNG and JPEG are made band by band and never held whole.

    Args:
        plan: The layout.
        number: Which sheet, from 0.
        kind: The format.
        note: A line for the file itself, as `SheetNote.encode` makes it.

    Raises:
        LoadError: If an image is damaged or has changed, unless broken ones are skipped.
    """
    ways = {"PNG": _encode_png, "JPEG": _encode_jpeg, "WEBP": _encode_webp}
    yield from ways[kind](plan, number, note)


def _choose_ground(options: SheetOptions, kind: SheetFormat) -> Color:
    if options.background is None:
        return (255, 255, 255, 255) if kind == "JPEG" else CLEAR
    ground = parse_color(options.background)
    if kind == "JPEG" and ground[3] < 255:
        raise ParameterError(
            f"--background '{options.background}'", "JPEG has no transparency", "take PNG or WebP"
        )
    return ground


def _read_facts(
    source: TileSource, skip: bool, broken: dict[int, str]
) -> Iterator[ImageFacts | None]:
    def read(start: int) -> list[ImageFacts | LoadError]:
        found: list[ImageFacts | LoadError] = []
        for i in range(start, min(start + _FACTS_AT_ONCE, len(source))):
            try:
                found.append(source.facts(i))
            except LoadError as error:
                found.append(error)
        return found

    starts = range(0, len(source), _FACTS_AT_ONCE)
    report = _Report(len(source), "images looked at")
    for start, part in zip(starts, _in_order(read, starts), strict=True):
        for i, fact in enumerate(part, start):
            if isinstance(fact, LoadError):
                if not skip:
                    raise _with_way_out(fact)
                broken[i] = fact.why
                yield None
            else:
                yield fact
        report(start + len(part))


def _with_way_out(error: LoadError) -> LoadError:
    way_out = "; or --skip-broken" if error.way_out else "--skip-broken puts a mark in its place"
    return LoadError(error.what, error.why, f"{error.way_out}{way_out}")


def _choose_tile(facts: list[ImageFacts], n_images: int, max_side: int) -> tuple[int, int]:
    """Return the largest tile that one sheet holds, a square as TensorBoard draws it."""
    columns, _ = divide_sheets(n_images, (1, 1), max(max_side, 1))
    largest = max(max(fact.width, fact.height) for fact in facts)
    side = max(1, min(largest, max_side // columns))
    return side, side


def _choose_mode(
    facts: list[ImageFacts], tile: tuple[int, int], fit: Fit, ground: Color, kind: SheetFormat
) -> str:
    """Return the narrowest mode that all tiles fit."""
    from embviz.sprites.fitting import scaled_size

    padded = fit == "contain" and any(
        scaled_size(size, tile, fit) != tile for size in {(f.width, f.height) for f in facts}
    )
    clear = any(fact.alpha for fact in facts)
    alpha = kind != "JPEG" and ground[3] < 255 and (padded or clear)
    ground_is_gray = ground[0] == ground[1] == ground[2] or not (padded or clear)
    gray = all(fact.gray for fact in facts) and ground_is_gray
    if kind == "WEBP":  # which has no gray
        gray = False
    return ("L" if gray else "RGB") + ("A" if alpha else "")


def _make_band(plan: SheetPlan, sheet: int, row: int) -> tuple[NDArray[np.uint8], dict[int, str]]:
    """Return one row of tiles as pixels (tile height, width, channels), and what was broken."""
    width = plan.tile[0]
    band = _empty_band(plan)
    first = sheet * plan.columns**2 + row * plan.columns
    broken: dict[int, str] = {}
    for i in range(first, min(first + plan.columns, len(plan.source))):
        left = (i - first) * width
        band[:, left : left + width] = _make_tile(plan, i, broken)
    return band, broken


def _empty_band(plan: SheetPlan) -> NDArray[np.uint8]:
    """Return a row of tiles that no image fills."""
    channels = CHANNELS[plan.mode]
    band = np.zeros((plan.tile[1], plan.columns * plan.tile[0], channels), np.uint8)
    if plan.ground[3] == 255 and plan.mode in ("L", "RGB"):
        band[:] = plan.ground[:channels]
    return band


def _make_tile(plan: SheetPlan, i: int, broken: dict[int, str]) -> NDArray[np.uint8]:
    fact = plan.facts[i]
    if fact is not None:
        try:
            image = plan.source.open(i, fact)
            what = plan.source.name(i)
            return fit_tile(image, what, plan.tile, plan.options.fit, plan.ground, plan.mode)
        except LoadError as error:
            if not plan.options.skip_broken:
                raise _with_way_out(error) from None
            broken[i] = error.why
    return mark_broken(plan.tile, CHANNELS[plan.mode])


def _rows_of(plan: SheetPlan, sheet: int) -> range:
    """Return the rows of a sheet that hold tiles."""
    n_tiles = min(len(plan.source) - sheet * plan.columns**2, plan.columns**2)
    return range(-(-n_tiles // plan.columns))


def _encode_png(plan: SheetPlan, sheet: int, note: str) -> Iterator[bytes]:
    width, height = plan.tile[0] * plan.columns, plan.tile[1] * plan.columns
    yield png_start(width, height, CHANNELS[plan.mode], note)
    checksum = 1
    for row, band in enumerate(_bands(plan, sheet, compress_band)):
        checksum = join_checksums(checksum, band.checksum, band.n_bytes)
        yield png_band(band, row == 0)
    yield png_end(checksum)


def _encode_jpeg(plan: SheetPlan, sheet: int, note: str) -> Iterator[bytes]:
    bands = _bands(plan, sheet, lambda pixels: pixels)
    height = plan.tile[1] * plan.columns
    yield from write_jpeg(bands, height, plan.options.quality or 90, _exif(note))


def _encode_webp(plan: SheetPlan, sheet: int, note: str) -> Iterator[bytes]:
    from PIL import Image

    size = (plan.tile[0] * plan.columns, plan.tile[1] * plan.columns)
    picture = Image.new(plan.mode, size)
    for row, pixels in enumerate(_bands(plan, sheet, lambda pixels: pixels)):
        picture.paste(Image.fromarray(pixels), (0, row * plan.tile[1]))
    quality = plan.options.quality
    options: dict[str, Any] = {"lossless": True, "quality": 50, "method": 2, "exact": True}
    if size[0] * size[1] > _WEBP_PIXELS:
        options |= {"quality": 0, "method": 0}
    if quality is not None:
        options = {"quality": quality, "method": 4}
    with tempfile.TemporaryFile() as out:  # the sheet is in memory, its code need not be
        picture.save(out, "WEBP", exif=_exif(note), **options)
        del picture
        out.seek(0)
        while part := out.read(1 << 20):
            yield part


def _exif(note: str) -> bytes:
    from PIL import Image

    exif = Image.Exif()
    if note:
        exif[DESCRIPTION] = note
    return exif.tobytes()


def _bands(plan: SheetPlan, sheet: int, encode: Callable[[NDArray[np.uint8]], T]) -> Iterator[T]:
    """Yield a sheet's rows of tiles from the top, as `encode` makes them, the empty ones too."""

    def make(row: int) -> tuple[T, dict[int, str]]:
        pixels, broken = _make_band(plan, sheet, row)
        return encode(pixels), broken

    rows = _rows_of(plan, sheet)
    report = _Report(len(plan.source), "images packed")
    for row, (band, broken) in zip(rows, _in_order(make, rows), strict=True):
        plan.broken.update(broken)
        yield band
        report(min(len(plan.source), (sheet * plan.columns + row + 1) * plan.columns))
    if len(rows) < plan.columns:
        empty = encode(_empty_band(plan))
        for _ in range(len(rows), plan.columns):
            yield empty


def _in_order(function: Callable[[int], T], items: range) -> Iterator[T]:
    """Yield results in order, computed by as many threads as there are cores, few ahead.

    Decoding, scaling and deflating leave the interpreter lock.
    """
    n_threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    n_threads = max(1, n_threads or 1)
    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(n_threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > n_threads + 1:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


class _Report:
    """Tells how far the work is, at most ten times a second."""

    def __init__(self, total: int, what: str) -> None:
        self._total, self._what, self._last = total, what, time.monotonic()

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now - self._last >= 0.1:
            self._last = now
            _progress.info("%s of %s %s", f"{done:,}", f"{self._total:,}", self._what)


__all__ = ["KEY", "SheetFormat", "SheetOptions", "SheetPlan", "encode_sheet", "plan_sheets"]
