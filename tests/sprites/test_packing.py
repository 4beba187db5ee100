"""Images into tiles and sheets, against Pillow's own decoding and scaling."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from embviz.errors import LoadError, ParameterError
from embviz.sprites.fitting import fit_tile, parse_color, scaled_size
from embviz.sprites.images import open_image
from embviz.sprites.listing import ImageFile, find_images
from embviz.sprites.packing import SheetOptions, encode_sheet, plan_sheets
from embviz.sprites.png import compress_band, join_checksums, png_band, png_end, png_start
from embviz.sprites.sheet import divide_sheets
from embviz.sprites.sources import ArraySource, FileSource
from tests.sprites.pictures import shades, solid

CLEAR = (0, 0, 0, 0)
RNG = np.random.default_rng(9)


def pack(folder: Path, kind: Any = "PNG", **options: Any) -> np.ndarray:
    """Pack a folder and decode the sheet with Pillow, as RGBA."""
    plan = plan_sheets(FileSource(find_images([str(folder)])), SheetOptions(**options), kind)
    data = b"".join(encode_sheet(plan, 0, kind))
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


def tile_of(image: Image.Image, tile: tuple[int, int], **options: Any) -> np.ndarray:
    buffer = io.BytesIO()
    image.save(buffer, options.pop("kind", "PNG"), **options.pop("save", {}))
    settings = {"fit": "contain", "ground": CLEAR, "mode": "RGBA"} | options
    return fit_tile(open_image(buffer.getvalue(), "x"), "x", tile, **settings)


def test_images_stand_row_by_row_in_a_square(tmp_path: Path) -> None:
    shades(tmp_path, 5)
    sheet = pack(tmp_path)
    assert sheet.shape == (24, 24, 4)
    centers = sheet[4::8, 4::8, 0].ravel()
    assert centers.tolist() == [5, 25, 45, 65, 85, 0, 0, 0, 0]


def test_an_image_of_the_tiles_size_keeps_every_pixel(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, (7, 9, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    sheet = pack(tmp_path, tile_size=(9, 7))
    np.testing.assert_array_equal(sheet[..., :3], pixels)


def test_the_default_tile_is_the_largest_that_fits_and_never_larger_than_the_images(
    tmp_path: Path,
) -> None:
    shades(tmp_path, 10, (30, 20))
    source = FileSource(find_images([str(tmp_path)]))
    assert plan_sheets(source, SheetOptions()).tile == (30, 30)
    plan = plan_sheets(source, SheetOptions(max_side=100))
    assert (plan.tile, plan.columns, plan.n_sheets) == ((25, 25), 4, 1)


def test_contain_shows_all_of_an_image_in_the_middle() -> None:
    tile = tile_of(Image.new("RGB", (40, 10), (200, 0, 0)), (20, 20))
    opaque = tile[..., 3] == 255
    assert opaque.any(axis=1).nonzero()[0].tolist() == [7, 8, 9, 10, 11] or opaque.sum() == 100
    assert (tile[opaque][:, :3] == [200, 0, 0]).all()
    assert (tile[~opaque] == 0).all()


def test_cover_fills_the_tile_with_the_middle() -> None:
    image = Image.new("RGB", (30, 10), (0, 0, 255))
    image.paste((255, 0, 0), (10, 0, 20, 10))
    tile = tile_of(image, (10, 10), fit="cover", mode="RGB")
    assert (tile == [255, 0, 0]).mean() > 0.99


def test_stretch_fills_the_tile_with_all() -> None:
    image = Image.new("L", (40, 10), 0)
    image.paste(255, (20, 0, 40, 10))
    tile = tile_of(image, (8, 8), fit="stretch", mode="L")[..., 0]
    assert (tile[:, :3] < 10).all()
    assert (tile[:, 5:] > 245).all()


@given(
    size=st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
    tile=st.tuples(st.integers(1, 300), st.integers(1, 300)),
)
def test_contain_never_exceeds_the_tile_and_cover_never_falls_short(
    size: tuple[int, int], tile: tuple[int, int]
) -> None:
    inner, outer = scaled_size(size, tile, "contain"), scaled_size(size, tile, "cover")
    assert inner[0] == tile[0] or inner[1] == tile[1]
    assert inner[0] <= tile[0]
    assert inner[1] <= tile[1]
    assert outer[0] == tile[0] or outer[1] == tile[1]
    assert outer[0] >= tile[0]
    assert outer[1] >= tile[1]


WAYS = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE"}
WAYS |= {6: "ROTATE_270", 7: "TRANSVERSE", 8: "ROTATE_90"}


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_turned_upright(
    tmp_path: Path, kind: str, orientation: int
) -> None:
    pixels = np.kron(RNG.integers(0, 256, (6, 4, 3), np.uint8), np.ones((16, 16, 1), np.uint8))
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = orientation
    save = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    path = tmp_path / "a"
    image.save(path, kind, exif=exif.tobytes(), **save)
    way = WAYS.get(orientation)
    upright = image.transpose(Image.Transpose[way]) if way else image
    facts = FileSource([ImageFile("a", path)]).facts(0)
    assert (facts.width, facts.height) == upright.size
    tile = fit_tile(open_image(path.read_bytes(), "x"), "x", upright.size, "contain", CLEAR, "RGB")
    difference = np.abs(tile.astype(int) - np.asarray(upright)).max()
    assert difference <= (1 if kind == "JPEG" else 0)


def test_the_default_tile_knows_the_turned_sides(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    solid(tmp_path / "a.jpg", (9, 99, 199), (40, 20), exif=exif.tobytes())
    facts = FileSource(find_images([str(tmp_path)])).facts(0)
    assert (facts.width, facts.height) == (20, 40)


@pytest.mark.parametrize(
    ("mode", "color", "shown"),
    [
        ("1", 1, (255, 255, 255, 255)),
        ("L", 77, (77, 77, 77, 255)),
        ("LA", (77, 128), (77, 77, 77, 128)),
        ("P", 0, (0, 0, 0, 255)),
        ("RGB", (1, 2, 3), (1, 2, 3, 255)),
        ("RGBA", (1, 2, 3, 99), (1, 2, 3, 99)),
        ("I;16", 0x8080, (128, 128, 128, 255)),
    ],
)
def test_every_mode_of_png_is_shown_as_it_is(mode: str, color: Any, shown: Any) -> None:
    tile = tile_of(Image.new(mode, (4, 4), color), (4, 4))
    assert tuple(tile[0, 0].tolist()) == shown


def test_cmyk_is_shown_as_its_color() -> None:
    cyan = tile_of(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), (8, 8), kind="JPEG", mode="RGB")
    assert np.abs(cyan.astype(int) - [0, 255, 255]).max() < 12


def test_float_and_sixteen_bit_tiff_are_scaled() -> None:
    half = tile_of(Image.new("F", (4, 4), 0.5), (4, 4), kind="TIFF", mode="L")
    deep = tile_of(Image.new("I;16", (4, 4), 65535), (4, 4), kind="TIFF", mode="L")
    assert (half[0, 0, 0], deep[0, 0, 0]) == (128, 255)


def test_a_palette_with_a_clear_color_keeps_it_clear() -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 250, 100, 50])
    image.putpixel((0, 0), 0)
    tile = tile_of(image, (4, 4), save={"transparency": 0})
    assert tile[0, 0, 3] == 0
    assert tuple(tile[1, 1].tolist()) == (250, 100, 50, 255)


def test_clear_pixels_lend_no_color_to_their_neighbors() -> None:
    image = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 4, 8))
    tile = tile_of(image, (3, 3))
    shown = tile[tile[..., 3] > 8]
    assert (shown[:, 0] < 10).all()
    assert (shown[:, 2] > 240).all()


def test_a_background_is_under_clear_parts_and_beside_the_image() -> None:
    image = Image.new("RGBA", (8, 4), (0, 0, 0, 0))
    tile = tile_of(image, (8, 8), ground=parse_color("#ff8000"), mode="RGB")
    assert (tile == [255, 128, 0]).all()


@pytest.mark.parametrize("text", ["", "nocolor", "#12", "rgb(1,2)"])
def test_a_background_that_is_no_color_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="--background"):
        parse_color(text)


def test_a_jpeg_at_a_fraction_of_its_size_is_near_the_full_decoding() -> None:
    y, x = np.mgrid[0:256, 0:256]
    pixels = np.stack([x, y, 255 - x], axis=2).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95)
    full = Image.open(buffer).convert("RGB").resize((32, 32), Image.Resampling.BICUBIC)
    tile = fit_tile(open_image(buffer.getvalue(), "x"), "x", (32, 32), "contain", CLEAR, "RGB")
    assert np.abs(tile.astype(int) - np.asarray(full)).max() <= 6


def test_the_mode_of_the_sheet_is_the_narrowest_that_fits(tmp_path: Path) -> None:
    def mode(folder: str, **options: Any) -> str:
        source = FileSource(find_images([str(tmp_path / folder)]))
        return plan_sheets(source, SheetOptions(**options), options.pop("kind", "PNG")).mode

    shades(tmp_path / "gray", 2)
    solid(tmp_path / "mixed/a.png", 3, mode="L")
    solid(tmp_path / "mixed/b.png", (1, 2, 3))
    solid(tmp_path / "clear/a.png", (1, 2, 3, 4), mode="RGBA")
    assert mode("gray") == "L"
    assert mode("gray", tile_size=(8, 16)) == "LA"
    assert mode("gray", tile_size=(8, 16), background="white") == "L"
    assert mode("gray", tile_size=(8, 16), background="red") == "RGB"
    assert mode("mixed") == "RGB"
    assert mode("clear") == "RGBA"
    assert mode("clear", background="#fff") == "RGB"


@pytest.mark.parametrize("kind", ["WEBP", "JPEG"])
def test_other_formats_show_the_same_tiles(tmp_path: Path, kind: Any) -> None:
    for i in range(3):
        solid(tmp_path / f"{i}.png", (60 * i, 100, 200 - 60 * i), (16, 16))
    sheet = pack(tmp_path, kind)
    wanted = pack(tmp_path)
    assert np.abs(sheet[:16].astype(int) - wanted[:16]).max() <= (0 if kind == "WEBP" else 4)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 2, 3, 4])),
    cuts=st.lists(st.integers(1, 11), max_size=3),
    plain=st.booleans(),
    seed=st.integers(0, 9),
)
def test_png_written_band_by_band_is_read_by_pillow(
    shape: tuple[int, int, int], cuts: list[int], plain: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 2 if plain else 256, shape).astype(np.uint8)
    edges = sorted({0, *[c for c in cuts if c < shape[0]], shape[0]})
    parts, checksum = [png_start(shape[1], shape[0], shape[2], 'a "note"')], 1
    for low, high in itertools.pairwise(edges):
        band = compress_band(pixels[low:high])
        checksum = join_checksums(checksum, band.checksum, band.n_bytes)
        parts.append(png_band(band, low == 0))
    image = Image.open(io.BytesIO(b"".join([*parts, png_end(checksum)])))
    decoded = np.asarray(image).reshape(shape)
    np.testing.assert_array_equal(decoded, pixels)
    assert image.info["embviz"] == 'a "note"'


def test_the_joined_checksum_is_zlibs() -> None:
    one, two = RNG.bytes(1000), RNG.bytes(70_000)
    joined = join_checksums(zlib.adler32(one), zlib.adler32(two), len(two))
    assert joined == zlib.adler32(one + two)


@given(n=st.integers(1, 200_000), side=st.integers(1, 400), most=st.integers(1, 8192))
def test_sheets_hold_all_tiles_within_their_sides(n: int, side: int, most: int) -> None:
    if side > most:
        with pytest.raises(ParameterError):
            divide_sheets(n, (side, 1), most)
        return
    columns, n_sheets = divide_sheets(n, (side, 1), most)
    assert columns * side <= most
    assert columns**2 * (n_sheets - 1) < n <= columns**2 * n_sheets


def test_equal_images_give_equal_bytes(tmp_path: Path) -> None:
    for i in range(30):
        pixels = RNG.integers(0, 256, (20, 20, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    source = FileSource(find_images([str(tmp_path)]))

    def sheet() -> bytes:
        return b"".join(encode_sheet(plan_sheets(source, SheetOptions()), 0, "PNG"))

    assert sheet() == sheet()


def bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 99))


@pytest.mark.parametrize("size", [(60_000, 60_000), (15_000, 15_000)])
def test_a_bomb_is_refused_by_its_header(tmp_path: Path, size: tuple[int, int]) -> None:
    (tmp_path / "b.png").write_bytes(bomb(*size))
    with pytest.raises(LoadError, match=r"b\.png.*178,000,000 pixels"):
        plan_sheets(FileSource(find_images([str(tmp_path)])), SheetOptions())


def test_an_image_that_changes_while_it_is_read_is_named(tmp_path: Path) -> None:
    shades(tmp_path, 3)
    plan = plan_sheets(FileSource(find_images([str(tmp_path)])), SheetOptions())
    solid(tmp_path / "1.png", 200, (9, 9), "L")
    with pytest.raises(LoadError, match=r"1\.png: changed while it was read"):
        list(encode_sheet(plan, 0, "PNG"))


def test_an_image_that_goes_while_it_is_read_is_named(tmp_path: Path) -> None:
    shades(tmp_path, 3)
    plan = plan_sheets(FileSource(find_images([str(tmp_path)])), SheetOptions())
    (tmp_path / "2.png").unlink()
    with pytest.raises(LoadError, match=r"2\.png: cannot be read"):
        list(encode_sheet(plan, 0, "PNG"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM"])
@settings(max_examples=25, deadline=None)
@given(
    edits=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4)), max_size=4),
    cut=st.floats(0.1, 1),
)
def test_a_mutated_image_gives_a_tile_or_is_refused(
    kind: str, edits: list[tuple[float, bytes]], cut: float
) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.arange(300, dtype=np.uint8).reshape(10, 10, 3)).save(buffer, kind)
    raw = buffer.getvalue()
    for where, new in edits:
        at = int(where * len(raw))
        raw = raw[:at] + new + raw[at + len(new) :]
    try:
        image = open_image(raw[: max(1, int(cut * len(raw)))], "the image")
        if image.size[0] * image.size[1] > 4_000_000:
            return
        tile = fit_tile(image, "the image", (5, 5), "contain", CLEAR, "RGBA")
        said = "the image"
        assert tile.shape == (5, 5, 4)
    except LoadError as error:
        said = str(error)
    assert "the image" in said


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        (np.array([0, 255], np.uint8), 0, 255),
        (np.array([0, 9], np.uint8), 0, 255),
        (np.array([False, True]), 0, 1),
        (np.array([0, 1000], np.uint16), 0, 65535),
        (np.array([0, 255], np.uint16), 0, 255),
        (np.array([0, 1000], ">u2"), 0, 65535),
        (np.array([-1.7e308, 1.6e308]), -1.7e308, 1.6e308),
        (np.array([0, 1.0]), 0, 1),
        (np.array([-1, 0.9]), -1, 1),
        (np.array([0, 254.0]), 0, 255),
        (np.array([0, 16.0]), 0, 16),
        (np.array([-3, 5], np.int64), -3, 5),
        (np.array([2, 2], np.int32), 0, 2),
        (np.array([0.0, 0.0]), 0, 1),
    ],
)
def test_the_range_of_an_array_follows_its_type_and_values(
    values: np.ndarray, low: float, high: float, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "embviz")
    source = ArraySource(values.reshape(-1, 1, 1), "x.npy")
    assert f"values {low:g} … {high:g} shown" in caplog.text
    shown = np.asarray(source.open(0, source.facts(0)))[0, 0]
    expected = (float(values[0]) / 2 - low / 2) / (high / 2 - low / 2) * 255
    assert shown == round(expected)


def test_a_stated_range_is_taken_and_values_beyond_it_are_cut() -> None:
    source = ArraySource(np.array([-5, 5, 10, 20.0]).reshape(4, 1, 1), "x", (0, 10))
    shown = [int(np.asarray(source.open(i, source.facts(i)))[0, 0]) for i in range(4)]
    assert shown == [0, 128, 255, 255]


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((3, 4)), "3 x 4"),
        (np.zeros((3, 4, 4, 2)), "3 x 4 x 4 x 2"),
        (np.zeros((2, 3, 4, 5)), r"channels come last: save array.transpose\(0, 2, 3, 1\)"),
        (np.zeros((0, 4, 4)), "no pixels"),
        (np.zeros((2, 2, 2), complex), "complex"),
    ],
)
def test_arrays_that_are_no_images_are_refused(array: np.ndarray, said: str) -> None:
    with pytest.raises(LoadError, match=said):
        ArraySource(array, "x.npy")


def test_nan_in_an_image_is_named() -> None:
    array = np.zeros((3, 2, 2))
    array[1, 0, 0] = np.nan
    plan = plan_sheets(ArraySource(array, "x.npy"), SheetOptions())
    with pytest.raises(LoadError, match="image 1: holds NaN"):
        list(encode_sheet(plan, 0, "PNG"))
