"""Which images are taken, and in which order."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embviz.errors import EmbvizError, LoadError, ParameterError
from embviz.sprites.listing import find_images, iter_names, natural_key
from tests.sprites.pictures import shades, solid


def names(*sources: Path | str, recursive: bool = False) -> list[str]:
    return [file.name for file in find_images([str(s) for s in sources], recursive)]


def test_numbers_in_names_count_as_numbers(tmp_path: Path) -> None:
    for name in ("10.png", "9.png", "1.png", "B2.png", "a10.png", "a9.png", "02.png"):
        solid(tmp_path / name, 0)
    assert names(tmp_path) == ["1.png", "02.png", "9.png", "10.png", "a9.png", "a10.png", "B2.png"]


@given(st.lists(st.integers(0, 10**30), unique=True))
def test_natural_order_is_the_order_of_the_numbers(numbers: list[int]) -> None:
    ordered = sorted((f"x{n}.png" for n in numbers), key=natural_key)
    assert ordered == [f"x{n}.png" for n in sorted(numbers)]


def test_the_order_and_what_is_left_out_are_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "embviz")
    shades(tmp_path, 3)
    for name in (".DS_Store", "Thumbs.db", "notes.txt"):
        (tmp_path / name).write_bytes(b"junk")
    (tmp_path / "._1.png").write_bytes(b"a resource fork")
    (tmp_path / "more").mkdir()
    assert names(tmp_path) == ["0.png", "1.png", "2.png"]
    assert "3 images in the natural order of their names, 0.png … 2.png" in caplog.text
    assert "notes.txt, Thumbs.db" in caplog.text
    assert "1 folder in it left out; --recursive" in caplog.text


def test_folders_are_looked_into_when_asked(tmp_path: Path) -> None:
    shades(tmp_path / "b", 1)
    shades(tmp_path / "a10", 1)
    shades(tmp_path / "a9", 2)
    with pytest.raises(LoadError, match="no images"):
        names(tmp_path)
    assert names(tmp_path, recursive=True) == ["a9/0.png", "a9/1.png", "a10/0.png", "b/0.png"]


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    shades(tmp_path / "a", 1)
    (tmp_path / "a/loop").symlink_to(tmp_path / "a", target_is_directory=True)
    assert names(tmp_path / "a", recursive=True) == ["0.png"]


def test_names_with_blanks_signs_and_no_extension(tmp_path: Path) -> None:
    for name in ("a b.png", "-x.png", "🦊.png", "ünï.png", "x[1].png", "plain"):
        solid(tmp_path / name, 0, format="PNG")
    assert set(names(tmp_path)) == {"a b.png", "-x.png", "🦊.png", "ünï.png", "x[1].png", "plain"}
    assert names(tmp_path / "plain") == ["plain"]
    assert names(tmp_path / "x[1].png") == ["x[1].png"]


def test_a_glob_is_expanded(tmp_path: Path) -> None:
    shades(tmp_path / "d", 12)
    solid(tmp_path / "d/x.jpg", 0)
    assert names(f"{tmp_path}/d/1*.png") == ["1.png", "10.png", "11.png"]
    assert names(f"{tmp_path}/**/x.jpg") == ["d/x.jpg"]
    with pytest.raises(LoadError, match="no images"):
        names(f"{tmp_path}/d/z*.png")
    with pytest.raises(EmbvizError):
        names(f"{tmp_path}/gone/*.png")


@pytest.mark.parametrize("other", [True, False])
def test_a_folder_that_is_there_by_the_very_name_is_meant(tmp_path: Path, other: bool) -> None:
    for name, n in (("run[1]", 2), ("run1", 5))[: 1 + other]:
        (tmp_path / name).mkdir()
        for i in range(n):
            solid(tmp_path / name / f"{i}.png", 0)
    assert names(tmp_path / "run[1]" / "*.png") == ["0.png", "1.png"]


def test_several_names_are_sorted_as_a_glob_is(tmp_path: Path) -> None:
    paths = shades(tmp_path, 11)
    found = [file.path for file in find_images([str(p) for p in sorted(paths)])]
    assert found == paths
    with pytest.raises(ParameterError, match="is a folder"):
        names(paths[0], tmp_path)
    with pytest.raises(LoadError, match="no such file"):
        names(paths[0], tmp_path / "gone.png")


def test_a_list_gives_its_own_order(tmp_path: Path) -> None:
    shades(tmp_path / "d", 3)
    listed = tmp_path / "order.txt"
    listed.write_bytes("\ufeffd/2.png\r\nd/0.png\r\nd/2.png\r\n\r\n".encode())
    assert names(listed) == ["d/2.png", "d/0.png", "d/2.png"]


def test_a_list_may_be_relative_to_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shades(tmp_path / "d", 2)
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/order").write_text("d/1.png\nd/0.png\n")
    monkeypatch.chdir(tmp_path)
    assert names("lists/order") == ["d/1.png", "d/0.png"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"d/0.png\nd/gone.png\n", "order:2: d/gone.png: no such file"),
        (b"d/0.png\n\nd/1.png\n", "order:2: an empty line"),
        (b"d\n", "order:1: d: a folder"),
        (b"", "names no images"),
        (b"\xff\xfe\x00", "neither an image nor a list"),
        (b"a\0b\n", "neither an image nor a list"),
        (b"x" * 5000 + b"\n", "no such file"),
    ],
)
def test_a_list_that_cannot_be_followed_names_its_line(
    tmp_path: Path, text: bytes, said: str
) -> None:
    shades(tmp_path / "d", 2)
    (tmp_path / "order").write_bytes(text)
    with pytest.raises(LoadError, match=said):
        names(tmp_path / "order")


@pytest.mark.parametrize("name", ["x.svg", "x.heic", "X.AVIF"])
def test_an_image_of_a_kind_that_is_not_read_is_no_silent_gap(tmp_path: Path, name: str) -> None:
    shades(tmp_path, 2)
    (tmp_path / name).write_bytes(b"<svg/>")
    with pytest.raises(LoadError, match="which is not read"):
        names(tmp_path)


def test_a_link_to_nothing_is_named(tmp_path: Path) -> None:
    shades(tmp_path, 2)
    (tmp_path / "x.png").symlink_to(tmp_path / "gone")
    with pytest.raises(LoadError, match=r"x\.png: cannot be read \(a link to nothing"):
        names(tmp_path)
    with pytest.raises(LoadError, match="a link to nothing"):
        names(tmp_path / "x.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.png")
    with pytest.raises(LoadError, match="not a regular file"):
        names(tmp_path)


def test_recursive_belongs_to_folders(tmp_path: Path) -> None:
    path = shades(tmp_path, 1)[0]
    with pytest.raises(ParameterError, match="--recursive"):
        names(path, recursive=True)


def test_tabs_and_line_ends_in_names_do_not_shift_the_labels(tmp_path: Path) -> None:
    solid(tmp_path / "a\tb\nc.png", 0)
    solid(tmp_path / "z\\n.png", 0)
    assert list(iter_names(find_images([str(tmp_path)]))) == ["a\\tb\\nc.png", "z\\n.png"]
