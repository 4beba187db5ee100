"""Text files as NumPy, SciPy, gensim and scanpy write them, and files of sentences."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from embviz.errors import LoadError
from embviz.loaders import list_tensors, load_table

V = np.random.default_rng(4).normal(size=(30, 3)).round(4)
SENTENCES = """The national executive of the Democrats last night appointed senator Brian Greig.
A group has shelved a $400 million plan, of 20 June 2002, to buy shares back.
The United States government said on 5 May that 3 of 4 ministers want [a] change, and it is new.
Officers in Washington told Newsweek magazine that 150 men may be hiding.
Nigerian President Olusegun Obasanjo said 30 days.
"""


@pytest.mark.parametrize(
    "comment", ["x y z", "tmax = 160", "1 2 3", "made by 1\nmodel = a\nseed = 0\n0 1 2"]
)
@pytest.mark.parametrize("delimiter", [" ", ",", "\t"])
def test_comments_before_rows_without_names_are_left_out(
    tmp_path: Path, comment: str, delimiter: str
) -> None:
    path = tmp_path / "x.txt"
    np.savetxt(path, V, fmt="%.4f", delimiter=delimiter, header=comment)
    table = load_table(path)
    np.testing.assert_array_equal(table.vectors, V.astype(np.float32))
    assert list_tensors(path)[0].shape == V.shape


@pytest.mark.parametrize("first", ["#", "#1", "# 7"])
def test_a_first_word_that_is_a_number_sign_is_no_comment(tmp_path: Path, first: str) -> None:
    words = [first, *(f"w{i} {i}" if " " in first else f"w{i}" for i in range(29))]
    path = tmp_path / "glove.txt"
    lines = (f"{word} {' '.join(map(str, row))}\n" for word, row in zip(words, V, strict=True))
    path.write_text("".join(lines))
    table = load_table(path)
    np.testing.assert_array_equal(table.vectors, V.astype(np.float32))
    assert table.label(0) == first


def test_settings_above_rows_with_names_are_comments(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    rows = (f"cell{i} {' '.join(map(str, row))}\n" for i, row in enumerate(V))
    path.write_text("# seed 0\n" + "".join(rows))
    np.testing.assert_array_equal(load_table(path).vectors, V.astype(np.float32))


def test_numbers_and_counts_of_words_are_no_vectors(tmp_path: Path) -> None:
    path = tmp_path / "wordids.txt"  # As gensim's Dictionary.save_as_text.
    lines = (f"{number}\tw{i}\t{i % 4 + 1}\n" for i, number in enumerate([*range(20, 0, -1)]))
    path.write_text("".join(lines))
    with pytest.raises(LoadError, match="column 1 holds whole numbers, 1 to 20: an identifier"):
        load_table(path)
    assert load_table(path, columns="all").n_dims == 2


def test_places_in_whole_numbers_are_vectors(tmp_path: Path) -> None:
    path = tmp_path / "places.tsv"
    path.write_text("".join(f"w{i}\t{7 * i}\t{900 - 3 * i}\n" for i in range(20)))
    assert load_table(path).n_dims == 2


@pytest.mark.parametrize("times", [1, 12])
def test_sentences_with_some_numbers_in_them_are_refused(tmp_path: Path, times: int) -> None:
    path = tmp_path / "corpus.txt"
    path.write_text(SENTENCES * times)
    for read in (list_tensors, load_table):
        with pytest.raises(LoadError, match="no column of numbers in the first"):
            read(path)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
def test_a_matrix_of_the_matrix_market_is_refused_and_the_way_out_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sparse: bool, packed: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("matrix.mtx")
    scipy.io.mmwrite(path, scipy.sparse.coo_matrix(V) if sparse else V)
    if packed:
        path = Path("matrix.mtx.gz")
        path.write_bytes(gzip.compress(Path("matrix.mtx").read_bytes()))
    kind = "a sparse matrix" if sparse else "a matrix"
    with pytest.raises(LoadError, match=f"{kind} of the Matrix Market") as caught:
        load_table(path)
    exec(caught.value.way_out, {"numpy": np, "scipy": scipy})
    np.testing.assert_allclose(load_table("x.npy").vectors, V)


def test_semicolons_cut_where_a_label_holds_a_comma_and_a_number(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("".join(f"x,{i};{';'.join(map(str, row))}\n" for i, row in enumerate(V)))
    table = load_table(path)
    np.testing.assert_array_equal(table.vectors, V.astype(np.float32))
    assert table.label(3) == "x,3"


@pytest.mark.parametrize("delimiter", [" ", ",", "\t", ";"])
@pytest.mark.parametrize("header", ["", "x y z", "a note\nx y z", "three words here, and more"])
@pytest.mark.parametrize("footer", ["", "the end", "end of it all, in 5 words\n1 2 3", "x"])
def test_comments_of_savetxt_above_and_below_are_no_rows(
    tmp_path: Path, delimiter: str, header: str, footer: str
) -> None:
    path, values = tmp_path / "x.txt", np.random.default_rng(0).normal(size=(5, 3))
    named = header.endswith("x y z")
    header = header.replace(" ", delimiter) if named else header
    np.savetxt(path, values, delimiter=delimiter, header=header, footer=footer)
    wanted = np.loadtxt(path, delimiter=delimiter).astype(np.float32)
    (listed,) = list_tensors(path)
    assert listed.shape == (5, 3)
    np.testing.assert_array_equal(load_table(path).vectors[0:9], wanted)
    if named:
        chosen = load_table(path, columns="x,z").vectors
        np.testing.assert_array_equal(chosen[0:9], wanted[:, [0, 2]])


def test_a_footer_is_told_and_words_that_begin_so_are_rows(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    np.savetxt(tmp_path / "x.txt", np.eye(3) / 7, footer="the end")
    (tmp_path / "y.txt").write_text("the 0.5 0.25\n#tag 1.5 0.75\n# 2.5 0.5\n")
    with caplog.at_level("INFO", "embviz"):
        load_table(tmp_path / "x.txt")
    assert "x.txt: 1 comment (#) left out" in caplog.text
    assert load_table(tmp_path / "y.txt").metadata["label"] == ("the", "#tag", "#")


def test_a_row_of_numbers_behind_a_hash_is_not_left_out(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("0.5 0.25 1.5\n1.5 0.75 0.5\n# 2.5 0.5\n" * 2)
    with pytest.raises(LoadError, match=r"x\.txt:3: column 1: '#' is not a number"):
        load_table(tmp_path / "x.txt")
