from __future__ import annotations

import io
import json
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from embviz.errors import EmbvizError, LoadError, ParameterError
from embviz.sprites import average_tile_kind, load_sprite, pack_tiles, read_tiles, take_tiles

RNG = np.random.default_rng(2)
TILES = RNG.integers(0, 256, (10, 6, 8, 3), np.uint8)


def write(
    path: Path, kind: str = "PNG", size: tuple[int, int] = (32, 24), mode: str = "RGB"
) -> Path:
    pixels = RNG.integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(path, kind)
    return path


def error(path: Path, size: tuple[int, int] | None, n_points: int) -> str:
    with pytest.raises(LoadError) as caught:
        load_sprite(path, size, n_points)
    assert path.name in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_images_are_known_by_their_content(tmp_path: Path, kind: str) -> None:
    sprite = load_sprite(write(tmp_path / "s.img", kind), (8, 6), 16)
    assert sprite.mime == f"image/{kind.lower()}"
    assert (sprite.tile_width, sprite.tile_height, sprite.columns) == (8, 6, 4)
    assert sprite.image == (tmp_path / "s.img").read_bytes()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_is_decoded(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "s.png"
    if mode == "I;16":
        Image.fromarray(RNG.integers(0, 65535, (24, 32), np.uint16)).save(path)
    else:
        write(path, "PNG", mode=mode)
    assert read_tiles(load_sprite(path, (8, 6), 16)).shape[:3] == (16, 6, 8)


@pytest.mark.parametrize(
    ("size", "n_points", "said"),
    [
        ((7, 6), 10, "32 pixels wide, not a multiple of the tile's 7"),
        ((8, 7), 3, "24 pixels high, not a multiple of the tile's 7"),
        ((8, 6), 17, "4 x 4 = 16 tiles for 17 points"),
        ((10**11, 8), 1, "not a multiple"),
        (None, 16, "--sprite-size"),
    ],
)
def test_a_sheet_that_does_not_fit_its_tiles_is_refused(
    tmp_path: Path, size: tuple[int, int] | None, n_points: int, said: str
) -> None:
    assert said in error(write(tmp_path / "s.png"), size, n_points)


def test_a_logdirs_sheet_may_be_higher_than_its_rows_of_whole_tiles(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "s.png", size=(120, 120))
    with pytest.raises(LoadError, match="not a multiple of the tile's 25"):
        load_sprite(path, (30, 25), 10)
    with caplog.at_level("INFO", "embviz"):
        sheet = load_sprite(path, (30, 25), 13, refuse_surplus=False)
    assert (sheet.columns, len(read_tiles(sheet))) == (4, 16)
    assert "20 below the last row of whole tiles are no thumbnails" in caplog.text
    with pytest.raises(LoadError, match="not a multiple"):
        load_sprite(path, (30, 25), 17, refuse_surplus=False)


@pytest.mark.parametrize("size", [(0, 0), (-8, 8), (8, 0)])
def test_a_tile_of_no_pixels_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    with pytest.raises(ParameterError, match="sprite-size"):
        load_sprite(write(tmp_path / "s.png"), size, 4)


def test_the_projectors_square_needs_no_tile_size(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40)).save(tmp_path / "s.png")
    sprite = load_sprite(tmp_path / "s.png", None, 14)
    assert (sprite.tile_width, sprite.tile_height, sprite.columns) == (10, 10, 4)


def sheet_of(path: Path, shown: int, columns: int, rows: int, **save: Any) -> Path:
    """Write a sheet of noisy tiles of 16 x 16 pixels, black behind the first `shown`."""
    image = Image.new("RGB", (16 * columns, 16 * rows))
    for i in range(shown):
        tile = Image.fromarray(RNG.integers(0, 256, (16, 16, 3)).astype(np.uint8))
        image.paste(tile, (i % columns * 16, i // columns * 16))
    image.save(path, **save)
    return path


@pytest.mark.parametrize("name", ["s.png", "s.jpg", "s.webp"])
@pytest.mark.parametrize(("columns", "rows"), [(3, 3), (3, 2), (5, 1), (4, 4), (2, 3), (10, 10)])
def test_a_sheet_with_room_for_more_is_taken(
    tmp_path: Path, name: str, columns: int, rows: int
) -> None:
    path = sheet_of(tmp_path / name, 5, columns, rows)
    assert load_sprite(path, (16, 16), 5).columns == columns


@pytest.mark.parametrize("name", ["s.png", "s.jpg", "s.webp"])
@pytest.mark.parametrize(
    ("shown", "columns", "rows"),
    [(7, 3, 3), (9, 3, 3), (16, 4, 4), (7, 2, 4), (6, 1, 6)],
)
def test_a_sheet_that_shows_more_is_refused_with_both_numbers(
    tmp_path: Path, name: str, shown: int, columns: int, rows: int
) -> None:
    path = sheet_of(tmp_path / name, shown, columns, rows)
    assert f"{shown} thumbnails for 5 points" in error(path, (16, 16), 5)


@pytest.mark.parametrize(
    ("shown", "columns", "rows"), [(6, 3, 3), (6, 3, 2), (6, 6, 1), (6, 10, 10), (8, 4, 4)]
)
def test_what_fills_up_the_last_points_row_is_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, shown: int, columns: int, rows: int
) -> None:
    sprite = load_sprite(sheet_of(tmp_path / "s.png", shown, columns, rows), (16, 16), 5)
    assert sprite.columns == columns
    assert f"s.png: {shown} thumbnails for 5 points, the first 5 are taken" in caplog.text


def test_what_is_transparent_is_empty_whatever_its_color(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, (24, 24, 4)).astype(np.uint8)
    pixels[16:, :, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "s.png")
    assert load_sprite(tmp_path / "s.png", (8, 8), 5).columns == 3
    pixels[20, 4, 3] = 9
    Image.fromarray(pixels).save(tmp_path / "s.png")
    assert "7 thumbnails for 5 points" in error(tmp_path / "s.png", (8, 8), 5)


def test_in_the_projectors_square_other_writers_may_leave_rubbish(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load_sprite(sheet_of(tmp_path / "s.png", 9, 3, 3), (16, 16), 5, refuse_surplus=False)
    assert "s.png: 9 thumbnails for 5 points, the first 5 are taken" in caplog.text
    with pytest.raises(LoadError, match="16 thumbnails for 5 points"):
        load_sprite(sheet_of(tmp_path / "s.png", 16, 4, 4), (16, 16), 5, refuse_surplus=False)


def test_a_header_that_claims_a_huge_image_is_refused_before_decoding(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0))
    path = tmp_path / "s.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 99)))
    assert "178,000,000 pixels" in error(path, (8, 8), 4)


@pytest.mark.parametrize("size", [(8200, 8), (8, 8200)])
def test_a_side_beyond_what_browsers_show_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    assert "8192" in error(write(tmp_path / "s.png", size=size), (8, 8), 4)


@pytest.mark.parametrize(
    ("raw", "said"),
    [(b"", "0 bytes"), (b"text", "not a PNG"), (b"<svg xmlns='x'/>", "SVG")],
)
def test_what_is_no_image_is_refused(tmp_path: Path, raw: bytes, said: str) -> None:
    path = tmp_path / "s.png"
    path.write_bytes(raw)
    assert said in error(path, (8, 8), 4)


def test_a_cut_image_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "s.png")
    path.write_bytes(path.read_bytes()[:500])
    assert "damaged" in error(path, (8, 6), 4)


def chunks(raw: bytes) -> list[tuple[bytes, int, int]]:
    """The chunks of a PNG file: kind, where the data begin and how long they are."""
    found, at = [], 8
    while at < len(raw):
        length, kind = struct.unpack_from(">I4s", raw, at)
        found.append((kind, at + 8, length))
        at += length + 12
    return found


@pytest.mark.parametrize("place", ["data", "checksum", "length"])
@pytest.mark.parametrize("kind", [b"IHDR", b"PLTE", b"tEXt", b"gAMA", b"IDAT", b"IEND"])
def test_a_png_chunk_that_does_not_match_its_checksum_is_refused(
    tmp_path: Path, kind: bytes, place: str
) -> None:
    image = Image.fromarray(RNG.integers(0, 256, (24, 32), np.uint8), "L").convert("P")
    out = io.BytesIO()
    info = PngImagePlugin.PngInfo()
    info.add_text("a", "b")
    info.add(b"gAMA", struct.pack(">I", 45455))
    image.save(out, "PNG", pnginfo=info, compress_level=0)
    raw = bytearray(out.getvalue())
    (start, length), *_ = [(at, size) for name, at, size in chunks(bytes(raw)) if name == kind]
    path = tmp_path / "s.png"
    path.write_bytes(raw)
    before = read_tiles(load_sprite(path, (8, 6), 16))
    at = {"data": start + length // 2, "checksum": start + length + 1, "length": start - 5}[place]
    raw[at] ^= 1
    path.write_bytes(raw)
    said = error(path, (8, 6), 16)
    assert "damaged image (its chunk" in said
    assert place == "length" or not length or kind.decode() in said
    assert before.shape == (16, 6, 8, 3)


def test_pixels_of_a_sheet_beside_others_are_compared_too(tmp_path: Path) -> None:
    write(tmp_path / "one.png")
    raw = bytearray(write(tmp_path / "two.png").read_bytes())
    ((start, length),) = [(at, size) for name, at, size in chunks(bytes(raw)) if name == b"IDAT"]
    raw[start + length + 3] ^= 1
    (tmp_path / "two.png").write_bytes(raw)
    note = {"embviz_sprite": 1, "tile_width": 8, "tile_height": 6, "columns": 4, "count": 32}
    manifest = tmp_path / "s.json"
    manifest.write_text(json.dumps({**note, "sheets": ["one.png", "two.png"]}))
    with pytest.raises(LoadError, match=r"two\.png: a damaged image \(its chunk IDAT"):
        load_sprite(manifest, None, 32)


@pytest.mark.parametrize("exif", [b"II*\0", b"MM\0*\0", b"II*\0\x08\0\0\0\xff\xff", b"Exif\0\0"])
def test_notes_that_are_no_exif_are_passed_over(tmp_path: Path, exif: bytes) -> None:
    path = tmp_path / "s.png"
    raw = write(path).read_bytes()
    chunk = struct.pack(">I", len(exif)) + b"eXIf" + exif
    path.write_bytes(raw[:33] + chunk + struct.pack(">I", zlib.crc32(chunk[4:])) + raw[33:])
    assert load_sprite(path, (8, 6), 16).columns == 4


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
@settings(max_examples=40, deadline=None)
@given(edits=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4)), min_size=1, max_size=4))
def test_a_mutated_image_is_read_or_refused(
    tmp_path_factory: Any, kind: str, edits: list[tuple[float, bytes]]
) -> None:
    path = tmp_path_factory.getbasetemp() / f"fuzz.{kind}"
    raw = write(path, kind).read_bytes()
    for where, new in edits:
        at = int(where * len(raw))
        raw = raw[:at] + new + raw[at + len(new) :]
    path.write_bytes(raw)
    said = path.name
    try:
        load_sprite(path, (8, 6), 4)
    except EmbvizError as e:
        said = str(e)
    assert path.name in said


@pytest.mark.parametrize("tiles", [TILES, TILES[..., 0], TILES[:, :5]])
def test_tiles_come_back_as_they_were_packed(tiles: np.ndarray) -> None:
    tiles = np.ascontiguousarray(tiles)
    sprite = pack_tiles(tiles)
    assert sprite.columns == 4
    assert Image.open(io.BytesIO(sprite.image)).size == (4 * tiles.shape[2], 4 * tiles.shape[1])
    np.testing.assert_array_equal(read_tiles(sprite)[: len(tiles)], tiles)
    assert pack_tiles(tiles).image == sprite.image


def test_rgba_tiles_keep_their_transparency() -> None:
    tiles = RNG.integers(0, 256, (5, 4, 4, 4), np.uint8)
    np.testing.assert_array_equal(read_tiles(pack_tiles(tiles))[:5], tiles)


def test_some_tiles_are_taken_in_the_order_asked() -> None:
    some = take_tiles(pack_tiles(TILES), np.array([7, 0, 7]))
    assert some.columns == 2
    np.testing.assert_array_equal(read_tiles(some)[:3], TILES[[7, 0, 7]])
    for rows in ([16], [-1], []):
        with pytest.raises(ParameterError):
            take_tiles(pack_tiles(TILES), np.array(rows, int))


def test_arrays_that_are_no_tiles_are_refused() -> None:
    for array in (np.zeros((3, 4, 4)), np.zeros((3, 4), np.uint8), np.zeros((0, 4, 4), np.uint8)):
        with pytest.raises(ParameterError):
            pack_tiles(array)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="8192"):
        pack_tiles(np.zeros((1, 9000, 1), np.uint8))


def test_digits_are_ink_and_noise_is_a_photograph() -> None:
    from sklearn.datasets import load_digits

    digits = (load_digits().images * 15).astype(np.uint8)
    padded = np.pad(255 - digits, ((0, 0), (2, 2), (2, 2)), constant_values=255)
    assert average_tile_kind(pack_tiles(padded), len(padded)) == "ink"
    assert average_tile_kind(pack_tiles(TILES), 10) == "photo"
    colorful = np.full((9, 12, 12, 3), 255, np.uint8)
    colorful[:, 3:9, 3:9] = [200, 30, 30]
    assert average_tile_kind(pack_tiles(colorful), 9) == "photo"


def png_chunks(raw: bytes) -> list[tuple[bytes, bytes]]:
    """Return the chunks of a PNG file, by name and content."""
    found, at = [], 8
    while at < len(raw):
        length = struct.unpack_from(">I", raw, at)[0]
        found.append((raw[at + 4 : at + 8], raw[at + 8 : at + 8 + length]))
        at += length + 12
    return found


def join_chunks(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """Return a PNG file of chunks, each under a right checksum."""
    packed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("fault", ["end check", "cut off", "no end", "two parts"])
def test_a_png_whose_stream_of_pixels_does_not_end_right_is_refused(
    tmp_path: Path, mode: str, fault: str
) -> None:
    path = tmp_path / "s.png"
    if mode == "I;16":
        Image.fromarray(RNG.integers(0, 65535, (24, 32), np.uint16)).save(path)
    else:
        write(path, mode=mode)
    chunks = dict(png_chunks(path.read_bytes()))
    stream = bytearray(chunks[b"IDAT"])
    if fault in ("end check", "two parts"):
        stream[-1] ^= 1
    rest = [(k, v) for k, v in chunks.items() if k not in (b"IDAT", b"IEND")]
    end = [] if fault == "no end" else [(b"IEND", b"")]
    cut = stream[:-4] if fault == "cut off" else stream
    parts = [bytes(cut[:9]), bytes(cut[9:])] if fault == "two parts" else [bytes(cut)]
    path.write_bytes(join_chunks([*rest, *((b"IDAT", part) for part in parts), *end]))
    assert "damaged image" in error(path, (8, 6), 16)
    stream[-1] ^= fault in ("end check", "two parts")
    path.write_bytes(join_chunks([*rest, (b"IDAT", bytes(stream)), (b"IEND", b"")]))
    assert read_tiles(load_sprite(path, (8, 6), 16)).shape[:3] == (16, 6, 8)


def test_no_bit_of_a_png_turns_unseen(tmp_path: Path) -> None:
    path = write(tmp_path / "s.png", size=(16, 12))
    raw, right = path.read_bytes(), read_tiles(load_sprite(path, (8, 6), 4))
    for bit in RNG.permutation(len(raw) * 8)[:300].tolist():
        turned = bytearray(raw)
        turned[bit // 8] ^= 1 << bit % 8
        path.write_bytes(turned)
        try:
            found = read_tiles(load_sprite(path, (8, 6), 4))
        except LoadError:
            continue
        assert np.array_equal(found, right)


def manifest(path: Path, names: list[str], tile: int, columns: int, count: int) -> Path:
    note = {"embviz_sprite": 1, "tile_width": tile, "tile_height": tile, "columns": columns}
    path.write_text(json.dumps({**note, "count": count, "sheets": names}))
    return path


def test_a_manifest_that_names_a_sheet_twice_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.png", size=(16, 16))
    path = manifest(tmp_path / "s.json", ["a.png", "a.png"], 8, 2, 8)
    assert "names the sheet 'a.png' twice" in error(path, None, 8)


def test_a_manifest_names_no_more_sheets_than_its_thumbnails_need(tmp_path: Path) -> None:
    names = [write(tmp_path / f"{i}.png", size=(16, 16)).name for i in range(3)]
    assert len(load_sprite(manifest(tmp_path / "s.json", names, 8, 2, 9), None, 9).sheets) == 3
    said = error(manifest(tmp_path / "s.json", names, 8, 2, 8), None, 8)
    assert "3 sheets of 16 x 16 pixels for 8 thumbnails" in said


def test_sheets_of_more_pixels_than_are_decoded_are_refused_at_the_first(tmp_path: Path) -> None:
    Image.new("1", (8192, 8192)).save(tmp_path / "0.png")
    names = ["0.png", *(f"{i}.png" for i in range(1, 17))]
    said = error(manifest(tmp_path / "s.json", names, 8192, 1, 17), None, 17)
    assert "1,140,850,688 pixels in its 17 sheets, more than 1,073,741,824" in said


@pytest.mark.parametrize("n_points", [None, 1, 700, 799])
def test_the_kind_of_tiles_is_told_from_the_same_sample_sheet_by_sheet(
    n_points: int | None,
) -> None:
    from embviz.sprites.sheet import sample_tiles

    tiles = RNG.integers(0, 256, (800, 4, 4, 3), np.uint8)
    sheets = [pack_tiles(tiles[at : at + 400]) for at in (0, 400)]
    sprite = replace(sheets[0], more=(sheets[1].image,))
    every = tiles[:n_points]
    assert np.array_equal(sample_tiles(sprite, n_points, 256), every[:: max(1, len(every) // 256)])


def test_a_sheet_that_is_a_link_out_of_its_manifests_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "sheets"
    folder.mkdir()
    write(tmp_path / "a.png", size=(16, 16))
    (folder / "a.png").symlink_to(tmp_path / "a.png")
    path = manifest(folder / "s.json", ["a.png"], 8, 2, 4)
    with pytest.raises(LoadError, match=r"a\.png: a link to .*, outside"):
        load_sprite(path, None, 4)
    (folder / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    (folder / "a.png").unlink()
    (folder / "a.png").symlink_to("b.png")
    assert len(load_sprite(path, None, 4).sheets) == 1
