"""The picture of a report's first view: what stands in it, and that it is the same each time."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import embviz
from embviz import PCA, EmbeddingTable, ParameterError, Projection
from embviz.preview import encode_preview, write_preview
from embviz.preview.coloring import color_points
from embviz.preview.discs import Canvas
from embviz.preview.figures import caption, figures, heading
from embviz.preview.frame import open_style
from embviz.preview.legend import legend_rows
from embviz.preview.maps import arranged, draw_map
from embviz.preview.overlays import sequences
from embviz.preview.text import FONTS, can_write, font, spelled
from embviz.preview.theme import DARK, LIGHT
from embviz.preview.tiles import unburied
from embviz.preview.view import first_view


def decoded(data: bytes) -> Any:
    image = Image.open(io.BytesIO(data))
    assert image.format == "PNG"
    return np.asarray(image.convert("RGB")).astype(int)


def placed(table: EmbeddingTable, dims: int = 2, **more: Any) -> Projection:
    rng = np.random.default_rng(3)
    places = rng.normal(size=(table.n_points, dims)).astype(np.float32)
    return Projection("map", places, title="A map", **more)


@pytest.fixture
def table(blobs: EmbeddingTable) -> EmbeddingTable:
    return blobs


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("dark", [False, True])
def test_a_picture_is_1200_by_800_on_the_ground_of_the_page(
    table: EmbeddingTable, dims: int, dark: bool
) -> None:
    pixels = decoded(encode_preview(table, [PCA().project(table)], dark=dark, dims=dims))
    assert pixels.shape == (800, 1200, 3)
    theme = DARK if dark else LIGHT
    assert tuple(pixels[799, 1199]) == theme.background
    assert (np.abs(pixels - theme.background).max(axis=2) > 60).mean() > 0.02


def test_equal_input_makes_equal_bytes_in_any_process(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np, embviz\n"
        "t = embviz.EmbeddingTable(np.random.default_rng(0).normal(size=(900, 5)).astype('f4'),"
        " {'w': [f'w{i}' for i in range(900)], 'g': ['ab c'[i % 4] for i in range(900)]})\n"
        "embviz.write_preview(sys.argv[1], t, [embviz.PCA().project(t)], selected=[4])"
    )
    files = [tmp_path / "1.png", tmp_path / "2.png"]
    for seed, path in enumerate(files):
        environment = {"PYTHONHASHSEED": str(seed), "LC_ALL": "C", "TZ": "Asia/Tokyo"}
        here = str(Path(embviz.__file__).parents[1])
        subprocess.run(
            [sys.executable, "-c", code, str(path)],
            env={"PATH": "", "PYTHONPATH": here, **environment},
            check=True,
        )
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("dims", [2, 3])
def test_each_point_is_in_its_color_where_it_lands(table: EmbeddingTable, dims: int) -> None:
    view = first_view(table, [placed(table, dims)], None, None, {"dims": dims})
    style = open_style(view, LIGHT)
    drawing = arranged(view, view.maps[0], style, (540, 420))
    pixels = np.asarray(draw_map(view, view.maps[0], style, (540, 420))).astype(int)
    x, y = (drawing.xy[drawing.order[-20:]] * style.scale).astype(int).T
    away = np.abs(pixels[y, x] - style.coloring.colors[drawing.order[-20:]]).max(axis=1)
    assert np.median(away) < 20
    assert len({tuple(color) for color in style.coloring.colors}) == 5


def test_what_cannot_be_shown_is_refused_as_in_a_report(table: EmbeddingTable) -> None:
    with pytest.raises(ParameterError, match="there is no point 300"):
        encode_preview(table, [placed(table)], selected=[300])
    with pytest.raises(ParameterError, match="nothing"):
        encode_preview(table, [placed(table)], color_by="nothing")
    with pytest.raises(ParameterError, match="no such projection"):
        encode_preview(table, [placed(table)], first="other")
    for n_components in (1, 4):
        with pytest.raises(ParameterError, match="a picture has 2 or 3"):
            encode_preview(table, [placed(table, n_components)])


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("dims", [2, 3])
def test_few_points_and_points_in_one_place_are_drawn(n: int, dims: int) -> None:
    table = EmbeddingTable(np.ones((n, 3), "f4"), {"w": ["x"] * n})
    for places in (np.zeros((n, dims)), np.full((n, dims), 1e30), np.eye(4)[:n, :dims] * 1e-30):
        made = Projection("m", places.astype("f4"), axes=("a", "b", "c")[:dims])
        pixels = decoded(encode_preview(table, [made], dims=dims))
        assert (np.abs(pixels[100:700] - 255).max(axis=2) > 100).sum() > 20


HOSTILE = [
    "<script>alert(1)</script>", "a\nb\x1b[31m", "\u202eabc", "\ud800", "x" * 5000, "", "%s {0}",
    "猫", "שלום", "مرحبا", "🙂", "e\u0301", "Ж", "ΩΣ", "▁the", "Ġthe", "ﬁ", "a\u0300\u0301\u0302",
]  # fmt: skip


def test_hostile_texts_are_only_pixels_and_change_nothing_else() -> None:
    n = 3 * len(HOSTILE)
    names = [HOSTILE[i // 3] for i in range(n)]
    table = EmbeddingTable(np.arange(2 * n, dtype="f4").reshape(n, 2), {HOSTILE[0]: names})
    made = Projection("m", np.asarray(table.vectors), title=HOSTILE[0], axes=(HOSTILE[1], "猫"))
    for selected in ([], [0, 22]):
        pixels = decoded(encode_preview(table, [made], title="猫" + HOSTILE[4], selected=selected))
        assert pixels.shape == (800, 1200, 3)


def test_letters_that_the_font_lacks_are_code_points_and_never_boxes() -> None:
    assert spelled("cat 猫") == "cat U+732B"
    assert spelled("e\u0301 Ж ▁the → −1") == "é Ж ▁the → −1"
    assert spelled("猫" * 9) == " ".join(["U+732B"] * 4) + " …"
    assert not can_write("猫")
    assert not can_write("\ud800")
    assert can_write("Ġthe ▁Æß Ελλάδα Россия … ×10⁻⁷")


def test_all_characters_that_are_said_to_be_there_have_a_shape_of_their_own() -> None:
    for bold in (False, True):
        missing = bytes(font(24, bold).getmask("\U000e0041"))
        runs = (FONTS / "characters.txt").read_text(encoding="ascii").split()
        assert len(runs) > 20
        for run in runs:
            first, _, last = run.partition("-")
            for code in (int(first, 16), int(last or first, 16)):
                assert bytes(font(24, bold).getmask(chr(code))) != missing


def test_a_label_that_cannot_be_written_is_left_out_and_that_is_said() -> None:
    places = np.float32([[0, 0], [1, 1], [1, 0]])
    table = EmbeddingTable(places, {"w": ["猫", "dog", "cat"]})
    plain = replace(table, metadata={"w": ["mouse", "dog", "cat"]})
    with_cat, without = (
        decoded(encode_preview(t, [Projection("m", places)], title="t")) for t in (table, plain)
    )
    assert (with_cat != without).any()
    note = with_cat[730:] != without[730:]
    assert note.any()


def test_the_heading_says_picture_source_tensor_and_shape(table: EmbeddingTable) -> None:
    view = first_view(table, [placed(table)], None, None, {"title": "T", "total_points": 900})
    title, told = heading(view)
    assert title == "T"
    assert told.startswith("A map in 2D")
    assert f"300 of 900 × {table.n_dims} float32" in told
    assert table.name in told


def test_the_figures_are_those_of_the_picture(table: EmbeddingTable) -> None:
    quality = {"2": {"neighbors_kept": 0.456, "trustworthiness": 0.987, "continuity": 0.9}}
    made = placed(table, params={"perplexity": 30.0}, stats={"quality": quality})
    view = first_view(table, [made], None, None, {})
    assert figures(view) == (
        "perplexity 30 · neighbors kept 46 % · trustworthiness 0.99 · continuity 0.90"
    )
    assert "map" in caption(view).lower()


def test_a_long_legend_says_how_many_more_there_are() -> None:
    values = [f"v{i}" for i in range(60) for _ in range(2)] + [""]
    coloring = color_points(
        EmbeddingTable(np.zeros((121, 2), "f4"), {"c": values}), "c", None, LIGHT
    )
    rows = legend_rows(coloring, 10)
    assert len(rows) == 10
    assert (rows[7].name, rows[7].shown) == ("43 more", 86)
    assert [row.name for row in rows[8:]] == ["10 other values", "missing"]
    assert sum(e.count for e in (*coloring.entries, *coloring.rest)) == 121


def test_the_legend_counts_those_that_are_shown(table: EmbeddingTable) -> None:
    visible = np.arange(300) < 10
    coloring = color_points(table, "group", visible, LIGHT)
    assert [(e.shown, e.count) for e in coloring.entries] == [(2, 60)] * 5


def test_pixels_are_blended_in_the_order_of_the_points() -> None:
    rng = np.random.default_rng(0)
    at = rng.integers(0, 40, 900)
    cover, colors = rng.integers(0, 257, 900) / 256, rng.integers(0, 256, (900, 3), dtype=np.uint8)
    canvas = Canvas(8, 5, 1)
    for part in (slice(0, 500), slice(500, 900)):
        canvas.blend(at[part], cover[part], colors[part])
    expected = np.zeros((40, 4))
    for where, a, color in zip(at, cover, colors, strict=True):
        expected[where] = a * np.array([*color, 255.0]) + (1 - a) * expected[where]
    np.testing.assert_allclose(canvas.pixels.reshape(40, 4), expected, atol=0.01)


def test_sequences_are_followed_as_in_the_page() -> None:
    after = ["1", "2", "", "4", "5", "3", "9", "7", "0.0", " 2 "]
    table = EmbeddingTable(np.zeros((10, 2), "f4"), {"__seq_next__": after})
    assert sequences(table) == [[6, 9, 2], [8, 0, 1, 2], [3, 4, 5, 3]]
    part = table.take([0, 1, 9])
    assert sequences(part) == [[0, 1]]


def test_a_sequence_is_drawn_and_thumbnails_of_two_points_too(tmp_path: Path) -> None:
    from embviz import pack_tiles

    tiles = np.random.default_rng(0).integers(0, 256, (2, 9, 5, 3), dtype=np.uint8)
    two = EmbeddingTable(np.eye(2, dtype="f4"), {"__next__": ["1", ""]}, sprite=pack_tiles(tiles))
    made = Projection("m", np.eye(2, dtype="f4"))
    linked = decoded(encode_preview(two, [made], selected=[1]))
    apart = decoded(encode_preview(replace(two, metadata={}), [made], selected=[1]))
    assert (linked != apart).sum() > 500


def test_a_failed_write_leaves_nothing(table: EmbeddingTable, tmp_path: Path) -> None:
    with pytest.raises(embviz.EmbvizError):
        write_preview(tmp_path / "no" / "x.png", table, [placed(table)])
    size = write_preview(tmp_path / "x.png", table, [placed(table)])
    assert size == (tmp_path / "x.png").stat().st_size
    assert [p.name for p in tmp_path.iterdir()] == ["x.png"]


def test_a_photograph_is_left_out_only_where_others_cover_all_of_it() -> None:
    rng = np.random.default_rng(0)
    corner = rng.integers(-8, 60, (3000, 2))
    kept = unburied(corner, (9, 7), (64, 48), 3)
    layers = np.zeros((48 + 40, 64 + 40), int)
    expected = []
    for x, y in corner[::-1] + 16:
        box = np.s_[y : y + 7, x : x + 9]
        inside = np.zeros_like(layers, bool)
        inside[16:64, 16:80] = True
        expected.append(bool((inside[box] & (layers[box] < 3)).any()))
        layers[box] += 1
    wanted = np.array(expected[::-1])
    assert not (wanted & ~kept).any()
    assert 0 < kept.sum() < wanted.sum() + 600


def test_a_picture_says_what_it_shows_as_the_page_does(
    table: EmbeddingTable, tmp_path: Path
) -> None:
    made = [PCA().project(table)]
    said = Image.open(io.BytesIO(encode_preview(table, made))).info["Description"]
    embviz.write_report(tmp_path / "out.html", table, made)
    assert said.startswith("300 points of 12 dimensions, drawn as PCA in 2D, ")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert f'<meta name="description" content="{said}">' in page
