from __future__ import annotations

import gzip
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from embviz.errors import LoadError, ParameterError
from embviz.loaders import list_tensors, load_table
from embviz.loaders.formats import find_format
from embviz.loaders.text.chunks import TextSource

RNG = np.random.default_rng(3)
VECTORS = RNG.normal(size=(60, 5)).astype(np.float32)
LINES = ["\t".join(map(str, row)) for row in VECTORS]


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode("utf-8"))
    return path


def check(path: Path, vectors: np.ndarray = VECTORS) -> None:
    table = load_table(path)
    assert table.vectors.dtype == np.float32
    assert table.vectors.flags.c_contiguous
    np.testing.assert_array_equal(table.vectors, vectors)


def error(path: Path) -> str:
    with pytest.raises(LoadError) as caught:
        load_table(path)
    assert path.name in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_lines_end_as_on_any_system(tmp_path: Path, end: str, last: bool) -> None:
    check(write(tmp_path / "x.tsv", end.join(LINES) + end * last))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_chunks_of_any_size_give_the_same_table(tmp_path: Path, end: str) -> None:
    path = write(tmp_path / "x.tsv", "\ufeff" + end.join(LINES) + end)
    for chunk_bytes in (1, 7, 64, 1000):
        chunks = list(TextSource(path, chunk_bytes).chunks())
        assert b"".join(c for c, _ in chunks).decode() == "\n".join(LINES) + "\n"
        before = 1
        for chunk, number in chunks:
            assert number == before
            before += chunk.count(b"\n")


def test_a_byte_order_mark_and_blank_lines_are_passed_over(tmp_path: Path) -> None:
    check(write(tmp_path / "x.tsv", "\ufeff\n" + "\n\n".join(LINES) + "\n \t\n"))


def test_gzip_is_read_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    path.write_bytes(gzip.compress("\n".join(LINES).encode()))
    check(path)
    check(path.rename(tmp_path / "x.tsv.gz"))


def test_a_gzip_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv.gz"
    with gzip.open(path, "wb", compresslevel=9) as file:
        for _ in range(80):
            file.write(b"0\t0\n" * (1 << 18))
    assert "more than 200 times" in error(path)


def test_a_damaged_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv.gz"
    path.write_bytes(gzip.compress("\n".join(LINES).encode())[:-30])
    assert "damaged gzip" in error(path)


def test_pandas_files_are_read_with_their_text_columns_as_metadata(tmp_path: Path) -> None:
    frame = pd.DataFrame(VECTORS.astype(float), columns=list("abcde"))
    frame.insert(2, "kind", [f"k{i % 3}, or so" for i in range(60)])
    frame["note"] = 'a "quoted" note'
    for name, sep in (("x.csv", ","), ("y.csv", ";")):
        frame.to_csv(tmp_path / name, sep=sep, index=False)
        table = load_table(tmp_path / name)
        np.testing.assert_array_equal(table.vectors, VECTORS)
        assert list(table.metadata) == ["kind", "note"]
        assert table.metadata["kind"] == tuple(frame["kind"])
        assert table.metadata["note"] == tuple(frame["note"])


def test_a_data_frames_index_and_label_columns_are_no_dimensions(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frame = pd.DataFrame(VECTORS.astype(float))
    frame["label"] = np.arange(60) % 10
    frame.to_csv(tmp_path / "x.csv")
    with caplog.at_level(logging.INFO, "embviz"):
        table = load_table(tmp_path / "x.csv")
    np.testing.assert_array_equal(table.vectors, VECTORS)
    assert table.metadata["label"] == tuple(str(i % 10) for i in range(60))
    said = "as metadata: column 1 (a row counter), column 'label' (a class); --columns changes that"
    assert said in caplog.text


def test_a_header_of_column_numbers_is_a_header(tmp_path: Path) -> None:
    pd.DataFrame(VECTORS.astype(float)).to_csv(tmp_path / "x.csv", index=False)
    check(tmp_path / "x.csv")


def test_savetxt_files_are_read(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "x.txt", VECTORS)
    check(tmp_path / "x.txt")
    np.savetxt(tmp_path / "y.csv", VECTORS, delimiter=", ", header="a, b, c, d, e")
    check(tmp_path / "y.csv")


def test_blanks_that_align_columns_are_one_delimiter(tmp_path: Path) -> None:
    lines = ["  " + "   ".join(f"{x:>14}" for x in map(str, row)) + " " for row in VECTORS]
    check(write(tmp_path / "x.txt", "\n".join(lines)))


def test_a_text_first_column_becomes_the_labels(tmp_path: Path) -> None:
    labels = ["New York", "", '"', "a.b.c", "1.5", "-", "über", "\u2028"] * 8
    lines = [f"{label}\t{line}" for label, line in zip(labels, LINES, strict=False)]
    table = load_table(write(tmp_path / "x.tsv", "\n".join(lines)))
    np.testing.assert_array_equal(table.vectors, VECTORS)
    assert table.metadata == {"label": tuple(labels[:60])}


def test_glove_tokens_keep_their_blanks_and_points(tmp_path: Path) -> None:
    labels = ["the", ". . .", "u.s.", "1987", "at name@domain.com", "to", "e", "-", "\u00a0"] * 7
    lines = [f"{a} {b}".replace("\t", " ") for a, b in zip(labels, LINES, strict=False)]
    for end in ("\n", " \n"):
        table = load_table(write(tmp_path / "x.txt", "".join(line + end for line in lines)))
        np.testing.assert_array_equal(table.vectors, VECTORS)
        assert table.metadata == {"label": tuple(labels[:60])}


def test_word2vec_text_is_known_by_its_header(tmp_path: Path) -> None:
    body = "".join(f"w{i} {line} \n".replace("\t", " ") for i, line in enumerate(LINES))
    path = write(tmp_path / "x.vec", "60 5\n" + body)
    assert find_format(path).name == "word2vec"
    table = load_table(path)
    np.testing.assert_array_equal(table.vectors, VECTORS)
    assert table.metadata["label"][59] == "w59"
    assert "says 6 dimensions, the lines below have 5" in error(
        write(tmp_path / "y.vec", "60 6\n" + body)
    )


def test_a_file_of_several_chunks_equals_pandas(tmp_path: Path) -> None:
    values = RNG.normal(size=(20_000, 12)).astype(np.float32)
    words = [f"wörd{i}" for i in range(len(values))]
    path = tmp_path / "x.txt"
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for word, row in zip(words, values, strict=True):
            file.write(f"{word} {' '.join(map(str, row))}\n")
    assert path.stat().st_size > 4 * (1 << 19)
    frame = pd.read_csv(path, sep=" ", header=None, na_filter=False)
    table = load_table(path)
    np.testing.assert_array_equal(table.vectors, frame.iloc[:, 1:].to_numpy().astype(np.float32))
    np.testing.assert_array_equal(table.vectors, values)
    assert table.metadata["label"] == tuple(words)


def test_an_error_deep_in_a_long_file_names_its_line(tmp_path: Path) -> None:
    lines = ["0.25 " * 11 + "1"] * 40_000
    lines[31_415] = "0.25 " * 11 + "x"
    path = write(tmp_path / "x.txt", "\r\n".join(lines))
    assert f"{path}:31416: column 12: 'x' is not a number" in error(path)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("abc", "'abc' is not a number"),
        ("0,5", "a decimal comma? write 0.5"),
        ('"0.5"', "remove the quotes"),
        ("1_000", "remove the underscores"),
        ("0x1p3", "write decimal numbers"),
        ("１２", "digits 0 to 9"),
        ("3:0.5", "sparse index:value"),
        ("user_id", "'user_id' is not a number\n"),
        ("'tis", "''tis' is not a number\n"),
        ("1e39", "beyond float32"),
        ("1e999", "beyond float32"),
        ("\x1b[2J", "is not a number"),
    ],
)
def test_a_field_that_is_no_number_is_named_with_line_and_column(
    tmp_path: Path, field: str, said: str
) -> None:
    lines = list(LINES)
    fields = lines[12].split("\t")
    fields[3] = field
    lines[12] = "\t".join(fields)
    path = write(tmp_path / "x.tsv", "\n".join(lines))
    text = error(path)
    assert f"{path}:13: column 4" in text
    assert said in text + "\n"
    assert "\x1b" not in text


def test_a_first_row_of_whole_numbers_above_whole_numbers_is_a_row(tmp_path: Path) -> None:
    path = write(tmp_path / "x.tsv", "0\t1\t2\n3\t4\t5\n6\t7\t8\n")
    assert load_table(path).vectors.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    path = write(tmp_path / "y.csv", "0,1,2\n.5,4.5,1\n1,2,3\n")
    assert load_table(path).n_points == 2


def test_nan_and_infinity_are_read_and_left_for_those_who_need_finite_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "x.tsv", "1\t2\t3\n4\tnan\t6\n-inf\t8\t9\n1\t1\t1\n")
    table = load_table(path)
    assert table.nonfinite_rows().tolist() == [1, 2]
    with pytest.raises(LoadError, match="2 of 4 rows hold NaN or infinity, the first is row 1"):
        table.check_finite()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("<<<<<<< HEAD", "git conflict marker"),
        (">>>>>>> x", "git conflict marker"),
        ("1\t2\t3\t4", "4 columns found"),
        ("1\t2\t3\t4\t5\t6", "6 columns found"),
        ("1\t2\0\t3\t4\t5", "NUL"),
    ],
)
def test_a_line_that_is_no_row_is_named(tmp_path: Path, line: str, said: str) -> None:
    lines = [*LINES[:40], line, *LINES[40:]]
    path = write(tmp_path / "x.tsv", "\n".join(lines))
    text = error(path)
    assert f"{path}:41: " in text
    assert said in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "0 bytes"),
        ("\n \n", "no lines"),
        ("a\tb\tc\n", "column names and no data"),
        ("1\n2\n3\n", "one column"),
        ("<!DOCTYPE html>\n<html></html>\n", "a web page"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS"),
        ("cat\ndog\n", "no column of numbers"),
        ("0\t" * 100_001 + "0\n", "100002 columns, more than 100000 are not read"),
    ],
)
def test_what_is_no_table_is_said(tmp_path: Path, text: str, said: str) -> None:
    assert said in error(write(tmp_path / "x.tsv", text))


def test_a_text_file_holds_one_table_without_a_name(tmp_path: Path) -> None:
    path = write(tmp_path / "x.tsv", "\n".join(LINES))
    (info,) = list_tensors(path)
    assert (info.shape, info.dtype, info.taken) == ((60, 5), "float32", True)
    with pytest.raises(ParameterError, match=r"holds x\.tsv alone; leave --tensor out"):
        load_table(path, tensor="other")
