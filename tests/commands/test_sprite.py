"""`embviz sprite`, typed as a user would, and what `project` makes of its sheets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from embviz import load_table
from embviz.sprites import load_sprite, read_tiles
from tests.commands.test_project import block_of, manifest_of
from tests.sprites.pictures import shades, solid, tiles_of


def left_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.fixture
def vectors(tmp_path: Path) -> np.ndarray:
    array = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    np.save(tmp_path / "x.npy", array)
    return array


def test_a_folder_becomes_a_sheet_with_its_labels(run: Any, tmp_path: Path) -> None:
    shades(tmp_path / "my images", 11)
    ran = run("sprite", "my images", "-o", "sheet.png", "--labels", "labels.tsv")
    assert (ran.status, ran.stdout) == (0, "")
    assert "natural order of their names, 0.png … 10.png" in ran.stderr
    assert "4 x 4 tiles of 8 x 8 pixels for 11 images" in ran.stderr
    labels = (tmp_path / "labels.tsv").read_bytes().decode()
    assert labels == "".join(f"{i}.png\n" for i in range(11))
    tiles = tiles_of(tmp_path / "sheet.png", (8, 8), "L")
    assert tiles[:, 4, 4].tolist() == [20 * i + 5 for i in range(11)] + [0] * 5
    assert left_in(tmp_path) == ["labels.tsv", "my images", "sheet.png"]


def test_project_finds_size_and_labels_with_the_sheet(
    run: Any, tmp_path: Path, vectors: np.ndarray
) -> None:
    shades(tmp_path / "d", 5, (12, 8))
    made = run("sprite", "d", "-o", "s.png", "--size", "6x4", "--labels", "names.tsv")
    assert made.status == 0, made.stderr
    ran = run("project", "x.npy", "--sprite", "s.png", "-o", "o.html")
    assert ran.status == 0, ran.stderr
    assert "s.png: labels from names.tsv" in ran.stderr
    entry = manifest_of(tmp_path / "o.html")["sprite"]
    assert (entry["tile_width"], entry["tile_height"], entry["columns"]) == (6, 4, 3)
    assert block_of(tmp_path / "o.html", "column_0") == [f"{i}.png" for i in range(5)]


@pytest.mark.parametrize("name", ["s.webp", "s.jpg", "S.PNG"])
def test_the_format_follows_the_name_and_the_note_is_in_each(
    run: Any, tmp_path: Path, name: str
) -> None:
    shades(tmp_path / "d", 5)
    assert run("sprite", "d", "-o", name, "--size", "16x8").status == 0
    kinds = {"webp": "WEBP", "jpg": "JPEG", "png": "PNG"}
    with Image.open(tmp_path / name) as image:
        assert image.format == kinds[name.split(".")[1].lower()]
    sprite = load_sprite(tmp_path / name, None, 5)
    assert (sprite.tile_width, sprite.tile_height, sprite.columns) == (16, 8, 3)


@pytest.mark.parametrize("name", ["s", "s.gif", "s.tsv"])
def test_an_output_of_another_format_is_refused(run: Any, tmp_path: Path, name: str) -> None:
    shades(tmp_path / "d", 2)
    ran = run("sprite", "d", "-o", name)
    assert ran.status == 2
    assert ".png, .webp or .jpg" in ran.stderr
    assert left_in(tmp_path) == ["d"]


def test_an_array_becomes_a_sheet(run: Any, tmp_path: Path) -> None:
    array = np.random.default_rng(3).random((6, 5, 7, 3))
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "a.npz", images=array, other=np.zeros((6, 2)))
    for name in ("a.npy", "a.npz"):
        ran = run("sprite", name, "-o", f"{name}.png", "--size", "7x5")
        assert ran.status == 0, ran.stderr
        assert (
            "6 images of 7 x 5 pixels, float64, values 0 … 1 shown as black … white" in ran.stderr
        )
        tiles = tiles_of(tmp_path / f"{name}.png", (7, 5))
        np.testing.assert_array_equal(tiles[:6], np.rint(array * 255).astype(np.uint8))


def test_the_range_of_an_array_can_be_stated(run: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([-10, 0, 10], np.int16).reshape(3, 1, 1))
    assert run("sprite", "a.npy", "-o", "s.png", "--range", "-10", "10").status == 0
    assert tiles_of(tmp_path / "s.png", (1, 1), "L").ravel().tolist() == [0, 128, 255, 0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("d", "--size", "0x5"), "WIDTHxHEIGHT"),
        (("d", "--size", "9000x9000"), "8192 pixels a side"),
        (("d", "--max-side", "0"), "--max-side 0"),
        (("d", "--max-side", "9000"), "8192"),
        (("d", "--background", "nocolor"), "--background 'nocolor'"),
        (("d", "--range", "0", "1"), "--range: belongs to arrays"),
        (("d", "--quality", "80"), "PNG loses nothing"),
        (("d", "--fit", "crop"), "fit"),
        (("a.npy", "--labels", "l.tsv"), "no names"),
        (("a.npy", "--recursive"), "--recursive"),
        (("a.npy", "--range", "1", "0"), "--range 1 0"),
        (("flat.npy",), "2 x 3"),
        (("text.npz",), "no arrays of images"),
        (("gone",), "gone: no such file or folder"),
        (("d/*.jpg",), "no images"),
        (("d", "--labels", "s.png"), "both -o and --labels"),
        (("d", "--labels", "no/l.tsv"), "does not exist"),
    ],
)
def test_a_request_that_cannot_be_obeyed_is_refused(
    run: Any, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    shades(tmp_path / "d", 2)
    np.save(tmp_path / "a.npy", np.zeros((2, 3, 3), np.uint8))
    np.save(tmp_path / "flat.npy", np.zeros((2, 3)))
    np.savez(tmp_path / "text.npz", x=np.zeros((2, 2)))
    before = left_in(tmp_path)
    ran = run("sprite", *arguments, "-o", "s.png")
    assert ran.status in (1, 2)
    assert said in ran.stderr.splitlines()[-1]
    assert "Traceback" not in ran.stderr
    assert left_in(tmp_path) == before


def test_a_broken_image_is_named_and_nothing_is_written(run: Any, tmp_path: Path) -> None:
    paths = shades(tmp_path / "d", 5)
    paths[3].write_bytes(paths[3].read_bytes()[:40])
    (tmp_path / "s.png").write_bytes(b"old")
    (tmp_path / "l.tsv").write_bytes(b"old")
    ran = run("sprite", "d", "-o", "s.png", "--labels", "l.tsv")
    assert ran.status == 1
    assert "d/3.png" in ran.stderr
    assert "--skip-broken" in ran.stderr
    assert (tmp_path / "s.png").read_bytes() == (tmp_path / "l.tsv").read_bytes() == b"old"
    assert left_in(tmp_path) == ["d", "l.tsv", "s.png"]


def test_broken_images_are_marked_and_the_rest_never_shift(run: Any, tmp_path: Path) -> None:
    paths = shades(tmp_path / "d", 6, (16, 16))
    paths[1].write_bytes(b"")
    raw = paths[4].read_bytes()
    paths[4].write_bytes(raw[: raw.index(b"IDAT") + 10])
    ran = run("sprite", "d", "-o", "s.png", "--skip-broken", "--labels", "l.tsv")
    assert ran.status == 0, ran.stderr
    assert "2 of 6 images are broken and marked: 1.png (0 bytes), 4.png (a damaged" in ran.stderr
    tiles = tiles_of(tmp_path / "s.png", (16, 16), "L")
    assert [int(tiles[i, 8, 3]) for i in (0, 2, 3, 5)] == [5, 45, 65, 105]
    for i in (1, 4):
        assert len(np.unique(tiles[i])) == 2
    assert (tmp_path / "l.tsv").read_text().split() == [f"{i}.png" for i in range(6)]


def test_a_sheet_can_list_images_with_a_leading_dash(run: Any, tmp_path: Path) -> None:
    solid(tmp_path / "-d/-1.png", 0)
    ran = run("sprite", "-o", "-s.png", "--", "-d")
    assert ran.status == 0, ran.stderr
    assert (tmp_path / "-s.png").exists()


def test_an_output_that_is_an_input_is_refused(run: Any, tmp_path: Path) -> None:
    path = solid(tmp_path / "a.png", 7)
    raw = path.read_bytes()
    assert run("sprite", "a.png", "-o", "a.png").status == 2
    assert path.read_bytes() == raw


@pytest.mark.parametrize("source", ["d", "d/*", "d/**/*"])
@pytest.mark.parametrize("more", [(), ("--size", "8x8", "--max-side", "16")])
def test_a_sheet_in_the_folder_itself_never_becomes_one_of_its_images(
    run: Any, tmp_path: Path, source: str, more: tuple[str, ...]
) -> None:
    shades(tmp_path / "d", 5)
    assert run("sprite", source, "-o", "d/s.png", *more).status == 0
    written = {path.name: path.read_bytes() for path in (tmp_path / "d").iterdir()}
    ran = run("sprite", source, "-o", "d/s.png", *more)
    assert ran.status == 0, ran.stderr
    assert "a sheet that was written before, left out" in ran.stderr
    assert {path.name: path.read_bytes() for path in (tmp_path / "d").iterdir()} == written


@pytest.mark.parametrize(
    "arguments",
    [
        ("d", "-o", "d/3.png"),
        ("d", "-o", "s.png", "--labels", "d/3.png"),
        ("list.txt", "-o", "d/3.png"),
        ("d/1.png", "d/3.png", "-o", "d/3.png"),
        ("d/*.png", "-o", "link/3.png"),
    ],
)
def test_an_image_is_never_overwritten(
    run: Any, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    shades(tmp_path / "d", 5)
    (tmp_path / "list.txt").write_text("d/1.png\nd/3.png\n")
    try:
        (tmp_path / "link").symlink_to("d", target_is_directory=True)
    except OSError:
        pytest.skip("links cannot be made here")
    before = {path.name: path.read_bytes() for path in (tmp_path / "d").iterdir()}
    ran = run("sprite", *arguments)
    assert ran.status == 2
    assert "overwrit" in ran.stderr
    assert {path.name: path.read_bytes() for path in (tmp_path / "d").iterdir()} == before
    assert not (tmp_path / "s.png").exists()


def test_an_empty_name_is_not_the_current_folder(run: Any, tmp_path: Path) -> None:
    shades(tmp_path, 2)
    ran = run("sprite", "", "-o", "s.png")
    assert ran.status == 2
    assert "an empty name" in ran.stderr


def test_what_one_sheet_cannot_hold_becomes_several(
    run: Any, tmp_path: Path, vectors: np.ndarray
) -> None:
    shades(tmp_path / "d", 5)
    made = run(
        "sprite", "d", "-o", "s.png", "--size", "8x8", "--max-side", "16", "--labels", "l.tsv"
    )
    assert made.status == 0, made.stderr
    assert "need 2 sheets" in made.stderr
    assert left_in(tmp_path) == ["d", "l.tsv", "s-1.png", "s-2.png", "s.json", "x.npy"]
    manifest = json.loads((tmp_path / "s.json").read_text())
    assert manifest["sheets"] == ["s-1.png", "s-2.png"]
    tiles = [tiles_of(tmp_path / f"s-{k}.png", (8, 8), "L")[:, 4, 4].tolist() for k in (1, 2)]
    assert tiles == [[5, 25, 45, 65], [85, 0, 0, 0]]
    ran = run("project", "x.npy", "--sprite", "s.json", "-o", "o.html")
    assert ran.status == 0, ran.stderr
    entry = manifest_of(tmp_path / "o.html")["sprite"]
    assert (entry["sheets"], entry["columns"]) == (2, 2)
    assert block_of(tmp_path / "o.html", "column_0") == [f"{i}.png" for i in range(5)]
    refused = run("export", "x.npy", "--sprite", "s.json", "-o", "logdir")
    assert refused.status == 2
    assert "2 sheets, and TensorBoard shows one of 8192 pixels" in refused.stderr
    assert not (tmp_path / "logdir").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"count": 6}, "6 thumbnails for 5 points"),
        ({"sheets": ["../s-1.png", "s-2.png"]}, "not in the manifest's folder"),
        ({"sheets": ["s-1.png", "gone.png"]}, "gone.png: cannot be read"),
        ({"sheets": []}, "names no sheets"),
        ({"sheets": ["s-1.png"]}, "4 tiles in its sheets for 5 points"),
        ({"columns": 3}, "not as s.json says"),
        ({"tile_width": 0}, "tile_width is 0"),
        ({"tile_width": 10**20}, "tile_width"),
        ({"embviz_sprite": 2}, "version 2"),
    ],
)
def test_a_manifest_that_lies_is_refused(
    run: Any, tmp_path: Path, vectors: np.ndarray, change: dict[str, Any], said: str
) -> None:
    shades(tmp_path / "d", 5)
    run("sprite", "d", "-o", "s.png", "--size", "8x8", "--max-side", "16")
    manifest = json.loads((tmp_path / "s.json").read_text()) | change
    (tmp_path / "s.json").write_text(json.dumps(manifest))
    ran = run("project", "x.npy", "--sprite", "s.json", "-o", "o.html")
    assert ran.status == 1
    assert said in ran.stderr
    assert not (tmp_path / "o.html").exists()


def test_a_sheet_of_other_data_is_refused_with_both_numbers(
    run: Any, tmp_path: Path, vectors: np.ndarray
) -> None:
    for n in (4, 6, 12):
        shades(tmp_path / str(n), n)
        assert run("sprite", str(n), "-o", f"{n}.png").status == 0
        ran = run("project", "x.npy", "--sprite", f"{n}.png", "-o", "o.html")
        assert ran.status == 1
        assert f"{n} thumbnails for 5 points" in ran.stderr
    # Without the note the tiles that show something are counted.
    Image.open(tmp_path / "12.png").convert("RGB").save(tmp_path / "bare.bmp")
    ran = run("project", "x.npy", "--sprite", "bare.bmp", "--sprite-size", "8x8", "-o", "o.html")
    assert "12 thumbnails for 5 points" in ran.stderr


def test_images_become_thumbnails_on_the_way(run: Any, tmp_path: Path, vectors: np.ndarray) -> None:
    shades(tmp_path / "a b", 5, (20, 20))
    ran = run("project", "x.npy", "--images", "a b", "-o", "o.html")
    assert ran.status == 0, ran.stderr
    entry = manifest_of(tmp_path / "o.html")["sprite"]
    assert (entry["tile_width"], entry["tile_height"]) == (20, 20)
    assert "image_links" not in manifest_of(tmp_path / "o.html")["blocks"]
    assert block_of(tmp_path / "o.html", "column_0") == [f"{i}.png" for i in range(5)]
    ran = run("project", "x.npy", "--images", "a b", "--images-linked", "-o", "o.html")
    assert block_of(tmp_path / "o.html", "image_links") == [f"./a%20b/{i}.png" for i in range(5)]
    shades(tmp_path / "six", 6)
    ran = run("project", "x.npy", "--images", "six", "-o", "p.html")
    assert ran.status == 2
    assert "6 images for 5 points" in ran.stderr


def test_a_wasteful_sheet_travels_in_fewer_bytes_and_shows_the_same(
    run: Any, tmp_path: Path, vectors: np.ndarray
) -> None:
    gray = np.random.default_rng(5).integers(0, 4, (96, 96)).astype(np.uint8) * 80
    gray[64:] = 0
    rgba = np.dstack([gray, gray, gray, np.full_like(gray, 255)])
    Image.fromarray(rgba).save(tmp_path / "s.png", compress_level=1)
    ran = run("project", "x.npy", "--sprite", "s.png", "-o", "o.html")
    assert ran.status == 0, ran.stderr
    assert "travel as lossless" in ran.stderr
    block = np.asarray(block_of(tmp_path / "o.html", "sprite"), np.uint8).tobytes()
    assert len(block) < 0.8 * (tmp_path / "s.png").stat().st_size
    sprite = load_table(tmp_path / "x.npy", sprite=tmp_path / "s.png").sprite
    assert sprite is not None
    from dataclasses import replace

    shown = read_tiles(replace(sprite, image=block))
    np.testing.assert_array_equal(shown[..., :3], read_tiles(sprite)[..., :3])
