from __future__ import annotations

import logging
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz.errors import LoadError
from embviz.loaders.labels.metadata import read_metadata
from embviz.outputs.cells import cell, escaped, restored


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "meta.tsv"
    path.write_bytes(text.encode("utf-8"))
    return path


def error(tmp_path: Path, text: str, n_points: int) -> str:
    with pytest.raises(LoadError) as caught:
        read_metadata(write(tmp_path, text), n_points)
    assert "meta.tsv" in str(caught.value)
    return str(caught.value)


label = st.text(
    st.characters(blacklist_characters="\t\r\n", blacklist_categories=("Cs",)), max_size=8
)


@settings(max_examples=200, deadline=None)
@given(st.lists(label, min_size=2, max_size=20), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_one_column_keeps_every_label_as_it_is(labels: list[str], end: str, last: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "meta.tsv")
        if labels[0].startswith("\ufeff") or labels[-1] == "":
            labels = ["x", *labels, "y"]
        path.write_bytes((end.join(labels) + end * last).encode())
        assert read_metadata(path, len(labels)) == {"label": tuple(labels)}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(label, label, label), min_size=1, max_size=20))
def test_several_columns_keep_every_field_as_it_is(rows: list[tuple[str, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "meta.tsv")
        text = "".join("\t".join(row) + "\n" for row in [("a", "b", "c"), *rows])
        path.write_bytes(text.encode())
        columns = read_metadata(path, len(rows))
        assert list(zip(*columns.values(), strict=True)) == [tuple(map(restored, r)) for r in rows]
        assert list(columns) == ["a", "b", "c"]


texts = st.one_of(label, st.text('=+-@＝1a(."\\\t\n\r|', max_size=7))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=9))
def test_what_embviz_writes_before_a_formula_is_taken_off_again(
    rows: list[tuple[str, str]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "points.tsv")
        lines = ["row\tword\tother", *("\t".join(["0", *map(cell, row)]) for row in rows)]
        path.write_bytes("".join(f"{line}\n" for line in lines).encode())
        found = read_metadata(path, len(rows))
    for name, given_texts in zip(("word", "other"), zip(*rows, strict=True), strict=True):
        for text, back in zip(given_texts, found[name], strict=True):
            is_formula = cell(text) != escaped(text)
            assert back == (text if is_formula else escaped(text))


@pytest.mark.parametrize(
    "text", [r"\=o", r"\-", r"\-ing", r"\@name", r"C:\new", r"\\=1+1", r"\=1\x"]
)
def test_a_backslash_that_embviz_did_not_write_stays(tmp_path: Path, text: str) -> None:
    assert read_metadata(write(tmp_path, f"a\tb\n{text}\t1\n"), 1)["a"] == (text,)


def test_formulas_of_one_column_and_of_logdirs_stay_as_they_are(tmp_path: Path) -> None:
    text = r"\=1+1"
    assert read_metadata(write(tmp_path, f"{text}\nb\n"), 2)["label"] == (text, "b")
    table = write(tmp_path, f"a\tb\n{text}\t1\n")
    assert read_metadata(table, 1)["a"] == ("=1+1",)
    assert read_metadata(table, 1, lines_first=True)["a"] == (text,)


def test_a_header_is_a_first_line_with_a_tab(tmp_path: Path) -> None:
    assert read_metadata(write(tmp_path, "word\tcount\na\t1\n"), 1) == {
        "word": ("a",),
        "count": ("1",),
    }
    assert read_metadata(write(tmp_path, "word\na\n"), 2) == {"label": ("word", "a")}


def test_unicode_line_separators_end_no_line(tmp_path: Path) -> None:
    labels = ["a\u2028b", "a\u2029b", "a\x85b", "a\x0bb\x0cc\x1cd\x1de\x1ef", "a\0b", "a\rb"]
    assert read_metadata(write(tmp_path, "\n".join(labels)), 6) == {"label": tuple(labels)}


def test_old_mac_line_ends_are_read(tmp_path: Path) -> None:
    assert read_metadata(write(tmp_path, "a\rb\rc\r"), 3) == {"label": ("a", "b", "c")}


def test_an_empty_label_keeps_its_row(tmp_path: Path) -> None:
    assert read_metadata(write(tmp_path, "a\n\nc\n\n"), 4) == {"label": ("a", "", "c", "")}


def test_blank_lines_behind_the_last_row_are_none(tmp_path: Path) -> None:
    assert read_metadata(write(tmp_path, "a\nb\n\n\n"), 2) == {"label": ("a", "b")}


def test_short_rows_are_filled_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path, "a\tb\tc\n1\t2\t3\n4\n5\t6\n")
    with caplog.at_level(logging.WARNING, "embviz"):
        columns = read_metadata(path, 3)
    assert columns == {"a": ("1", "4", "5"), "b": ("2", "", "6"), "c": ("3", "", "")}
    (record,) = caplog.records
    assert "2 of 3 rows have fewer than 3 columns, the first is line 3" in record.getMessage()


def test_a_longer_row_is_named(tmp_path: Path) -> None:
    assert "meta.tsv:3: 3 columns where the header has 2" in error(
        tmp_path, "a\tb\n1\t2\n3\t4\t5\n", 2
    )
    assert "meta.tsv:2: 2 columns where line 1 has one" in error(tmp_path, "a\nb\tc\n", 2)


def test_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    assert "columns 1 and 3 are both named 'a'" in error(tmp_path, "a\tb\ta\n1\t2\t3\n", 1)


def test_a_column_without_a_name_gets_its_place(tmp_path: Path) -> None:
    columns = read_metadata(write(tmp_path, "\t\tcolumn 2\n1\t2\t3\n"), 1)
    assert list(columns.values()) == [("1",), ("2",), ("3",)]
    assert list(columns) == ["column 1", "column 2'", "column 2"]


def test_names_that_mean_something_in_javascript_are_names(tmp_path: Path) -> None:
    columns = read_metadata(write(tmp_path, "__proto__\tconstructor\nx\ty\n"), 1)
    assert columns == {"__proto__": ("x",), "constructor": ("y",)}


@pytest.mark.parametrize(
    ("text", "n_points", "numbers", "reason"),
    [
        ("Wort\na\nb\n", 2, "3 rows of metadata for 2 points", "is line 1 ('Wort') one? remove it"),
        ("a\t1\nb\t2\n", 2, "1 row of metadata for 2 points", "line 1 ('a 1') was taken for it"),
        ('a, "x"\nb "c\nd" e\nf\n', 3, "4 rows of metadata for 3 points", "line 2 opens a quote"),
        ("a\nb\n", 9, "2 rows of metadata for 9 points", "leaves the last 7 points without"),
        ("a\nb\nc\nd\n", 2, "4 rows of metadata for 2 points", "and leaves out the last 2"),
        ("One.\nTwo\nlines.\n" + "More.\n" * 9, 11, "12 rows", "lines 2 and 3 ('Two', 'lines.')"),
    ],
)
def test_a_wrong_number_of_rows_is_told_with_its_likely_reason(
    tmp_path: Path, text: str, n_points: int, numbers: str, reason: str
) -> None:
    said = error(tmp_path, text, n_points)
    assert numbers in said
    assert reason in said


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"a\nb\xe9\n", "meta.tsv:2: not UTF-8 (byte 0xe9, the line's byte 2)"),
        (b"a\n\xed\xa0\x80\n", "meta.tsv:2: not UTF-8 (byte 0xed, the line's byte 1)"),
        ("a\nb\n".encode("utf-16-le"), "3 rows of metadata for 2 points"),
        ("a\nb\n".encode("utf-16") + b"\0", "damaged UTF-16 text"),
        (b"", "0 bytes"),
    ],
)
def test_other_encodings_are_refused_with_their_place(
    tmp_path: Path, raw: bytes, said: str
) -> None:
    path = tmp_path / "meta.tsv"
    path.write_bytes(raw)
    with pytest.raises(LoadError) as caught:
        read_metadata(path, 2)
    assert said in str(caught.value)


def test_a_million_rows_take_about_a_second(tmp_path: Path) -> None:
    n = 1_000_000
    path = write(tmp_path, "word\tn\n" + "".join(f"word{i}\t{i}\n" for i in range(n)))
    began = time.process_time()
    columns = read_metadata(path, n)
    assert time.process_time() - began < 4
    assert columns["word"][-1] == f"word{n - 1}"
