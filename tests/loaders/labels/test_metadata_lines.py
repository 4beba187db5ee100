"""Metadata read where it is asked, against the reader of whole files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz.errors import LoadError
from embviz.loaders.labels import metadata_lines
from embviz.loaders.labels.metadata import read_metadata
from embviz.loaders.labels.metadata_lines import open_metadata_lines
from embviz.model import EmbeddingTable


def check(path: Path, n_points: int) -> None:
    lines = open_metadata_lines(path, n_points)
    if lines is None:
        return
    whole = read_metadata(path, n_points)
    assert lines.names == tuple(whole)
    for name, values in whole.items():
        assert [lines.value(name, i) for i in range(n_points)] == list(values)
    import numpy as np

    assert lines.label == EmbeddingTable(np.ones((n_points, 1)), whole).label_column()
    for text in {*whole[lines.label], "no such", ""}:
        assert lines.find(text) == [i for i, v in enumerate(whole[lines.label]) if v == text]


cells = st.one_of(
    st.text(st.sampled_from("ab1\té\r\u2028"), max_size=3),
    st.sampled_from([r"\=1+1", r"\+", '\\"=1', r"\\"]),
)


tables = st.integers(1, 3).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=1, max_size=width), min_size=1, max_size=8)
)


@given(tables, st.booleans(), st.sampled_from([1, 3, 8, 1 << 16]))
@settings(max_examples=300, deadline=None)
def test_what_is_read_in_place_is_what_is_read_whole(tmp_path_factory, rows, ended, chunk) -> None:
    path = tmp_path_factory.mktemp("lines") / "m.tsv"
    text = "\n".join("\t".join(row) for row in rows) + ("\n" if ended else "")
    path.write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metadata_lines, "_CHUNK", chunk)
        check_counts(path, rows)


def check_counts(path: Path, rows: list[list[str]]) -> None:
    for n_points in {len(rows), max(1, len(rows) - 1)}:
        try:
            check(path, n_points)
        except LoadError:
            with pytest.raises(LoadError):
                read_metadata(path, n_points)


def test_plain_files_are_read_in_place(tmp_path: Path) -> None:
    path = tmp_path / "m.tsv"
    path.write_text("one\none\ntwo\n")
    lines = open_metadata_lines(path, 3)
    assert lines is not None
    assert (lines.find("one"), lines.find("ne"), lines.find("one\none")) == ([0, 1], [], [])
    path.write_text("id\tname\tgroup\n1\tx\tx\n2\ty\tx\n")
    lines = open_metadata_lines(path, 2)
    assert lines is not None
    assert (lines.label, lines.find("x"), lines.find("name")) == ("name", [0], [])


@pytest.mark.parametrize(
    "raw",
    [b"", b"a\r\nb\r\n", b"\xff\xfea\n", b"a\nb\nc\n", b"a\tb\nc\n", b"a\n\xff\n", b"a\nb\tc\n"],
)
def test_whatever_leaves_something_to_say_is_left_to_the_other_reader(tmp_path, raw) -> None:
    path = tmp_path / "m.tsv"
    path.write_bytes(raw)
    assert open_metadata_lines(path, 2) is None
