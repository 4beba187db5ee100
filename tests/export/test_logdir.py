"""Logdirs that embviz writes, read back by embviz and by TensorBoard's own rules."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import embviz
from embviz import EmbeddingTable, Projection, load_table
from embviz.errors import LoadError, OutputError, ParameterError
from embviz.export.logdir import format_metadata
from embviz.loaders.projector.config import MetadataNote
from embviz.model import Bookmark
from embviz.outputs.cells import escaped as escape
from embviz.outputs.cells import unescaped
from embviz.sprites import pack_tiles, read_tiles

RNG = np.random.default_rng(6)
VECTORS = RNG.normal(size=(12, 3)).astype(np.float32)
TILES = RNG.integers(0, 256, (12, 5, 4, 3), np.uint8)
METADATA = {"word": tuple(f"w{i}" for i in range(12)), "n": tuple(map(str, range(12)))}
VIEW = {"label": "mine", "selectedProjection": "pca", "projections": [], "selectedPoints": [2]}


def table(**changes: Any) -> EmbeddingTable:
    fields = {"vectors": VECTORS, "metadata": METADATA, "name": "emb", "sprite": pack_tiles(TILES)}
    return EmbeddingTable(**(fields | {"bookmarks": (Bookmark("mine", VIEW),)} | changes))


def same(one: EmbeddingTable, two: EmbeddingTable) -> None:
    np.testing.assert_array_equal(one.vectors, two.vectors)
    assert dict(one.metadata) == dict(two.metadata)
    assert list(one.metadata) == list(two.metadata)
    assert one.name == two.name
    if two.sprite is not None:
        assert one.sprite is not None
        n = one.n_points
        np.testing.assert_array_equal(read_tiles(one.sprite)[:n], read_tiles(two.sprite)[:n])


@pytest.mark.parametrize("tensor_format", ["bytes", "tsv"])
def test_a_table_comes_back_as_it_was(tmp_path: Path, tensor_format: Any) -> None:
    embviz.export_logdir(tmp_path / "run", table(), tensor_format=tensor_format)
    assert (tmp_path / f"run/tensor.{tensor_format}").is_file()
    back = load_table(tmp_path / "run")
    same(back, table())
    assert [b.label for b in back.bookmarks] == ["mine"]
    assert {k: back.bookmarks[0].view[k] for k in VIEW} == VIEW


def test_equal_tables_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        embviz.export_logdir(tmp_path / name, table())
    files = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert files == [
        "bookmarks.txt", "metadata.tsv", "projector_config.pbtxt", "sprite.png", "tensor.bytes",
    ]  # fmt: skip
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_several_tables_come_back_by_name(tmp_path: Path) -> None:
    names = ["a/b:00001", 'q"uo\\te', "ünï\tcode\n", ".."]
    tables = [table(vectors=VECTORS + i, name=name) for i, name in enumerate(names)]
    embviz.export_logdir(tmp_path / "run", tables)
    assert [i.name for i in embviz.list_tensors(tmp_path / "run")] == names
    for one in tables:
        same(load_table(tmp_path / "run", tensor=one.name), one)


def test_the_config_is_what_protobuf_reads(tmp_path: Path) -> None:
    pb2 = pytest.importorskip("tensorboard.plugins.projector.projector_config_pb2")
    name = 'a "b" \\ ü\t\n☃'
    embviz.export_logdir(tmp_path / "run", table(name=name, metadata={"a\tb": ("x\ty",) * 12}))
    text = (tmp_path / "run/projector_config.pbtxt").read_text(encoding="utf-8")
    config = text_format.Parse(text, pb2.ProjectorConfig())
    (entry,) = config.embeddings
    assert entry.tensor_name == name
    assert list(entry.tensor_shape) == [12, 3]
    assert list(entry.sprite.single_image_dim) == [4, 5]


LABEL = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 3).flatmap(
        lambda n: st.tuples(
            st.lists(
                st.text("ab\t\n\\xr", min_size=1, max_size=4), min_size=n, max_size=n, unique=True
            ),
            st.lists(st.tuples(*[LABEL] * n), min_size=2, max_size=6),
        )
    )
)
def test_any_labels_keep_their_rows_in_tensorboard_and_come_back(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[list[str], list[tuple[str, ...]]]
) -> None:
    names, rows = case
    columns = dict(zip(names, map(tuple, zip(*rows, strict=True)), strict=True))
    text, _ = format_metadata(columns, len(rows))
    # TensorBoard's own reading: lines end in \n, blank ones are skipped, a tab makes a header.
    lines = [line for line in text.split("\n")[:-1] if line.replace("\ufeff", "").strip()]
    header = "\t" in lines[0]
    assert len(lines) - header == len(rows)
    assert len({line.count("\t") for line in lines}) == 1
    folder = tmp_path_factory.mktemp("run")
    vectors = np.ones((len(rows), 2), np.float32)
    embviz.export_logdir(folder / "x", EmbeddingTable(vectors, columns))
    assert dict(load_table(folder / "x").metadata) == columns


@pytest.mark.parametrize(
    "columns",
    [
        {"\ufeffa": ("x", "y"), "b": ("1", "2")},
        {"label": ("\ufeffx", "y")},
        {"label": ("x", "\ufeff", " \ufeff ")},
        {"row": ("", "x"), "row number": ("", "y"), "row 2": ("", "z")},
    ],
)
def test_byte_order_marks_and_taken_names_come_back(
    tmp_path: Path, columns: dict[str, tuple[str, ...]]
) -> None:
    n = len(next(iter(columns.values())))
    text, note = format_metadata(columns, n)
    shown = text.removeprefix("\ufeff").split("\n")[:-1]
    assert all(line.replace("\ufeff", "").strip() for line in shown)
    assert len(shown) == n + ("\t" in shown[0])
    embviz.export_logdir(tmp_path / "x", EmbeddingTable(np.ones((n, 2), np.float32), columns))
    assert dict(load_table(tmp_path / "x").metadata) == columns
    assert (note is None) == (len(columns) == 2 or columns == {"label": ("\ufeffx", "y")})


@given(st.text())
def test_an_escaped_field_comes_back(text: str) -> None:
    escaped = escape(text)
    assert not set(escaped) & set("\t\n\r")
    assert unescaped(escaped) == text


def test_plain_labels_are_written_as_they_are() -> None:
    assert format_metadata({"label": ("a\\tb", "c")}, 2) == ("a\\tb\nc\n", None)
    assert format_metadata({"x": ("a", "b"), "y": ("", "1")}, 2) == ("x\ty\na\t\nb\t1\n", None)
    text, note = format_metadata({"word": ("a", "b")}, 2)
    assert text == "word\trow\na\t0\nb\t1\n"
    assert note == MetadataNote(False, "row")


@pytest.mark.parametrize(
    "vectors",
    [
        np.zeros((4, 3), np.float32),
        np.frombuffer(b"\n" * 48, np.float32).reshape(4, 3),
        np.frombuffer(b"ab\ncdefghijk" * 4, np.float32).reshape(4, 3),
    ],
)
def test_bytes_that_tensorboard_would_take_for_text_are_written_as_text(
    tmp_path: Path, vectors: np.ndarray
) -> None:
    embviz.export_logdir(tmp_path / "run", EmbeddingTable(vectors, name="t"))
    assert (tmp_path / "run/tensor.tsv").is_file()
    np.testing.assert_array_equal(load_table(tmp_path / "run").vectors, vectors)


def test_rows_of_small_integers_are_no_header(tmp_path: Path) -> None:
    for vectors in (np.arange(3) + np.zeros((4, 1)), [[10, 2], [1, 2], [3, 4]], [[2, 3], [1, 1]]):
        array = np.array(vectors, np.float32)
        folder = tmp_path / str(array[0, 0])
        embviz.export_logdir(folder, EmbeddingTable(array), tensor_format="tsv")
        np.testing.assert_array_equal(load_table(folder).vectors, array)


def test_other_types_are_rounded_to_float32_and_this_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "embviz")
    vectors = VECTORS.astype(np.float64) + 1e-12
    embviz.export_logdir(tmp_path / "run", EmbeddingTable(vectors, name="t"))
    assert "float64 is rounded to float32" in caplog.text
    np.testing.assert_array_equal(load_table(tmp_path / "run").vectors, vectors.astype(np.float32))


def test_an_oblong_sheet_becomes_a_square(tmp_path: Path) -> None:
    wide = np.concatenate(list(TILES), axis=1)
    buffer = io.BytesIO()
    Image.fromarray(wide).save(buffer, "WEBP", lossless=True)
    sprite = embviz.Sprite(buffer.getvalue(), "image/webp", 4, 5, 12)
    embviz.export_logdir(tmp_path / "run", table(sprite=sprite))
    with Image.open(tmp_path / "run/sprite.png") as image:
        assert image.size == (16, 20)
    back = load_table(tmp_path / "run").sprite
    assert back is not None
    np.testing.assert_array_equal(read_tiles(back)[:12], TILES)


def test_a_part_of_a_table_takes_its_own_tiles(tmp_path: Path) -> None:
    embviz.export_logdir(tmp_path / "run", table(bookmarks=()).take([7, 1, 4]))
    back = load_table(tmp_path / "run")
    assert back.sprite is not None
    np.testing.assert_array_equal(read_tiles(back.sprite)[:3], TILES[[7, 1, 4]])
    assert back.metadata["word"] == ("w7", "w1", "w4")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"vectors": VECTORS[:1], "metadata": {}}, "two rows and two columns"),
        ({"vectors": VECTORS[:, :1]}, "two rows and two columns"),
        ({"sprite": embviz.Sprite(b"", "image/png", 4, 4, 2, (b"",))}, "2 sheets"),
    ],
)
def test_what_tensorboard_cannot_show_is_refused(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ParameterError, match=said):
        embviz.export_logdir(tmp_path / "run", table(**changes))
    assert list(tmp_path.iterdir()) == []


def test_one_name_for_two_tensors_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="given twice"):
        embviz.export_logdir(tmp_path / "run", [table(name="a"), table(name="a:0")])


def test_nan_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    vectors = VECTORS.copy()
    vectors[5, 1] = np.nan
    with pytest.raises(LoadError, match="row 5"):
        embviz.export_logdir(tmp_path / "run", table(vectors=vectors))
    assert list(tmp_path.iterdir()) == []


def test_files_of_others_are_never_replaced(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "events.out").write_text("kept")
    embviz.export_logdir(run, table())
    embviz.export_logdir(run, table(vectors=VECTORS + 1))
    np.testing.assert_array_equal(load_table(run).vectors, VECTORS + 1)
    (run / "projector_config.pbtxt").write_text('embeddings { tensor_name: "theirs" }')
    with pytest.raises(OutputError, match="not written by embviz"):
        embviz.export_logdir(run, table())
    assert (run / "events.out").read_text() == "kept"
    with pytest.raises(OutputError, match="a file is there"):
        embviz.export_logdir(run / "events.out", table())
    with pytest.raises(OutputError, match="does not exist"):
        embviz.export_logdir(tmp_path / "no/run", table())


def test_coordinates_become_bookmarks_of_the_table_they_belong_to(tmp_path: Path) -> None:
    xy = RNG.normal(size=(12, 2)).astype(np.float32)
    made = {"b": [Projection("tsne", xy, params={"perplexity": 3.0, "iterations": 50})]}
    one, two = (table(name=n, vectors=VECTORS / 10, bookmarks=()) for n in ("a", "b"))
    embviz.export_logdir(tmp_path / "run", [one, two], made)
    assert load_table(tmp_path / "run", tensor="a").bookmarks == ()
    still, moving = load_table(tmp_path / "run", tensor="b").bookmarks
    kinds = [mark.view["selectedProjection"] for mark in (still, moving)]
    assert kinds == ["custom", "tsne"]
    for mark, keys in ((still, ("linear-x", "linear-y")), (moving, ("tsne-0", "tsne-1"))):
        stored = [[point[k] for k in keys] for point in mark.view["projections"]]
        np.testing.assert_array_equal(np.array(stored, np.float32), xy)
    with pytest.raises(ParameterError, match="'c'"):
        embviz.export_logdir(tmp_path / "x", table(name="a"), {"c": []})
    with pytest.raises(ParameterError, match="12 placed points for 3"):
        embviz.export_logdir(tmp_path / "x", table(bookmarks=()).take([1, 2, 3]), made["b"])


def test_tsne_is_left_still_where_tensorboard_would_fail_to_go_on(tmp_path: Path) -> None:
    from embviz.export.tensorboard_tsne import most_perplexity

    # 1 - a.b is negative for every pair: TensorBoard drops all neighbors.
    far = EmbeddingTable(np.full((12, 3), 9, np.float32), name="far")
    assert most_perplexity(far) == 0
    xy = RNG.normal(size=(12, 2)).astype(np.float32)
    embviz.export_logdir(tmp_path / "run", far, [Projection("tsne", xy)])
    (mark,) = load_table(tmp_path / "run").bookmarks
    assert mark.view["selectedProjection"] == "custom"
    near = EmbeddingTable(np.full((40, 3), 0.1, np.float32))
    assert most_perplexity(near) == 13


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dataSetDimensions": [9, 3]}, "9 × 3"),
        ({"projections": [{}] * 13}, "13 of 12 points"),
        ({"filteredPoints": [1, 99]}, "row 99"),
        ({"selectedPoints": [12]}, "point 12"),
    ],
)
def test_views_of_other_data_are_refused_or_left_out(
    tmp_path: Path, change: dict[str, Any], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    mark = Bookmark("other", VIEW | change)
    with pytest.raises(ParameterError, match=said):
        embviz.export_logdir(tmp_path / "run", table(), bookmarks=[mark])
    embviz.export_logdir(tmp_path / "run", table(bookmarks=(mark,)))
    assert "bookmark 'other' is left out" in caplog.text
    assert load_table(tmp_path / "run").bookmarks == ()


def test_a_saved_view_of_a_part_is_kept(tmp_path: Path) -> None:
    view = VIEW | {"filteredPoints": [3, 5], "dataSetDimensions": [2, 3], "selectedPoints": [1]}
    embviz.export_logdir(tmp_path / "run", table(bookmarks=(Bookmark("part", view),)))
    written = json.loads((tmp_path / "run/bookmarks.txt").read_text())
    assert {k: written[0][k] for k in view} == view
