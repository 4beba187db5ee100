"""JPEG written band by band, against Pillow's own encoding of the whole."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from embviz.sprites.jpeg import write_jpeg


def encode_whole(pixels: np.ndarray, quality: int) -> bytes:
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, subsampling=0)
    return out.getvalue()


def decode(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 300),
    width=st.integers(1, 40),
    channels=st.sampled_from([1, 3]),
    quality=st.integers(1, 100),
    steps=st.lists(st.integers(1, 100), min_size=1, max_size=4),
)
def test_bands_make_the_very_pixels_of_the_whole(
    height: int, width: int, channels: int, quality: int, steps: list[int]
) -> None:
    rng = np.random.default_rng(height * 41 + width)
    pixels = rng.integers(0, 256, (height, width, channels)).astype(np.uint8)
    bands, start = [], 0
    while start < height:
        step = steps[len(bands) % len(steps)]
        bands.append(pixels[start : start + step])
        start += step
    data = b"".join(write_jpeg(bands, height, quality))
    np.testing.assert_array_equal(decode(data), decode(encode_whole(pixels, quality)))


def test_the_widest_and_highest_sheet_restarts_more_than_eight_times() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (8192, 8, 3)).astype(np.uint8)
    for sheet in (pixels, np.ascontiguousarray(pixels.swapaxes(0, 1))):
        data = b"".join(write_jpeg([sheet], len(sheet), 60))
        np.testing.assert_array_equal(decode(data), decode(encode_whole(sheet, 60)))
    assert data.count(b"\xff\xdd\x00\x04") == 1  # the interval is stated once


def test_rows_beyond_the_height_are_left_out_and_exif_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "of a sheet"
    pixels = np.full((130, 9, 3), 200, np.uint8)
    data = b"".join(write_jpeg([pixels, pixels], 200, 90, exif.tobytes()))
    with Image.open(io.BytesIO(data)) as image:
        assert (image.size, image.getexif()[0x010E]) == ((9, 200), "of a sheet")
        assert (np.asarray(image) == 200).all()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
@pytest.mark.parametrize("name", ["s.jpg", "s.png"])
def test_the_largest_sheet_takes_less_memory_than_its_pixels(tmp_path: Path, name: str) -> None:
    Image.effect_noise((256, 256), 60).convert("RGB").save(tmp_path / "a.jpg")
    (tmp_path / "list").write_text("a.jpg\n" * 32**2)
    # ru_maxrss would count the process that started this one too.
    script = (
        "from embviz.cli import main; "
        f"assert main(['sprite', 'list', '-o', {name!r}, '--size', '256x256']) == 0; "
        "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    with Image.open(tmp_path / name) as image:
        assert image.size == (8192, 8192)
    assert int(ran.stdout) * 1024 < 8192 * 8192 * 3
