"""Binary word2vec in the layouts that are about, against what gensim reads of them."""

from __future__ import annotations

import gzip
import json
import logging
import lzma
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz import LoadError
from embviz.loaders import list_tensors, load_table, open_source
from embviz.loaders.formats import find_format
from embviz.loaders.words.word2vec_binary import is_binary
from embviz.loaders.words.word2vec_records import CONTROL

DATA = Path(__file__).parents[2] / "data" / "words"
VECTORS = np.random.default_rng(4).normal(size=(30, 6)).astype(np.float32)
WORDS = [f"wörd{i}" for i in range(30)]


def record_file(
    path: Path,
    words: list[str] | list[bytes] = WORDS,
    vectors: np.ndarray = VECTORS,
    *,
    end: bytes = b"",
    header: str | None = None,
) -> Path:
    first = header or f"{len(words)} {vectors.shape[1]}"
    raws = [word if isinstance(word, bytes) else word.encode() for word in words]
    records = [word + b" " + row.tobytes() + end for word, row in zip(raws, vectors, strict=True)]
    content = first.encode() + b"\n" + b"".join(records)
    pack = {".gz": gzip.compress, ".xz": lzma.compress}.get(path.suffix, bytes)
    path.write_bytes(pack(content))
    return path


def loaded(path: Path) -> tuple[list[str], np.ndarray]:
    table = load_table(path)
    return list(table.metadata["label"]), np.asarray(table.vectors[:])


def test_what_gensim_writes_is_read_as_gensim_reads_it() -> None:
    expected = json.loads((DATA / "gensim.json").read_text(encoding="utf-8"))
    words, vectors = loaded(DATA / "gensim.bin")
    assert words == expected["words"]
    np.testing.assert_array_equal(vectors, np.array(expected["vectors"], np.float32))


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("name", ["x.bin", "x", "x.vec", "x.bin.gz", "x.bin.xz"])
def test_vectors_with_and_without_a_line_end_behind_them_are_read(
    tmp_path: Path, name: str, end: bytes
) -> None:
    path = record_file(tmp_path / name, end=end)
    words, vectors = loaded(path)
    assert words == WORDS
    np.testing.assert_array_equal(vectors, VECTORS)
    (info,) = list_tensors(path)
    assert (info.shape, info.dtype, info.taken) == ((30, 6), "float32", True)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
@pytest.mark.parametrize("n_rows", [1, 30])
def test_the_length_of_records_tells_which_floats_they_are(
    tmp_path: Path, dtype: str, n_rows: int
) -> None:
    rows = VECTORS[:n_rows].astype(dtype)
    path = record_file(tmp_path / "x.bin", WORDS[:n_rows], rows)
    words, vectors = loaded(path)
    assert words == WORDS[:n_rows]
    assert vectors.dtype == dtype
    np.testing.assert_array_equal(vectors, rows)


def test_words_that_were_cut_within_a_letter_are_kept_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    raws = [word.encode() for word in WORDS]
    raws[2], raws[7] = "日本".encode()[:-1], b""
    caplog.set_level(logging.INFO, "embviz")
    words, vectors = loaded(record_file(tmp_path / "x.bin", raws))
    assert (words[2], words[7], words[8]) == ("日\ufffd", "", WORDS[8])
    np.testing.assert_array_equal(vectors, VECTORS)
    assert "1 word with bytes that are no UTF-8, shown as U+FFFD; the first of them is row 2" in (
        caplog.text
    )
    assert "1 word without a letter; the first is row 7" in caplog.text


@pytest.mark.parametrize("said", [29, 31, 1000, 0])
def test_what_is_there_is_taken_where_the_first_line_counts_otherwise(
    tmp_path: Path, said: int, caplog: pytest.LogCaptureFixture
) -> None:
    words, vectors = loaded(record_file(tmp_path / "x.bin", header=f"{said} 6"))
    assert words == WORDS
    np.testing.assert_array_equal(vectors, VECTORS)
    assert f"the first line says {said:,} rows, 30 are there" in caplog.text


def test_a_word_of_several_words_is_not_read_out_of_step(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    words = list(WORDS)
    words[3], words[12], words[13], words[29] = "New York City", "a b", "c d e", "日本 語"
    caplog.set_level(logging.INFO, "embviz")
    found, vectors = loaded(record_file(tmp_path / "x.bin", words))
    assert found[:29] == words[:29]
    np.testing.assert_array_equal(vectors[:29], VECTORS[:29])
    assert "words with blanks in them, as the rows behind tell" in caplog.text


def test_words_in_an_old_encoding_keep_their_rows(tmp_path: Path) -> None:
    _, vectors = loaded(record_file(tmp_path / "x.bin", [w.encode("latin-1") for w in WORDS]))
    np.testing.assert_array_equal(vectors, VECTORS)


@pytest.mark.parametrize("fault", ["count", "cut", "word"])
def test_strict_reading_refuses_what_is_read_in_part(tmp_path: Path, fault: str) -> None:
    header = "31 6" if fault == "count" else None
    raws = [b"\xe6" if fault == "word" and i == 3 else w.encode() for i, w in enumerate(WORDS)]
    path = record_file(tmp_path / "x.bin", raws, header=header)
    if fault == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    load_table(path)
    with pytest.raises(LoadError, match="leave out --strict to take what is there"):
        load_table(path, strict=True)


def test_rows_that_were_written_twice_are_taken_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    both = np.concatenate([VECTORS, VECTORS])
    words, vectors = loaded(record_file(tmp_path / "x.bin", WORDS * 2, both, header="30 6"))
    assert words == WORDS
    np.testing.assert_array_equal(vectors, VECTORS)
    assert "those behind repeat their words and are left out" in caplog.text


def test_of_a_file_that_was_cut_off_whole_records_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = record_file(tmp_path / "x.bin")
    path.write_bytes(path.read_bytes()[:-5])
    words, _ = loaded(path)
    assert words == WORDS[:29]
    assert "the first line says 30 rows, 29 are there; 27 bytes at its end" in caplog.text


@pytest.mark.parametrize("n_dims", range(1, 9))
@pytest.mark.parametrize(
    "words", [["слово", "дом", "год", "рука", "дело"], ["日本", "語", "水", "火", "木曜日"]]
)
def test_text_in_any_script_is_not_taken_for_binary(
    tmp_path: Path, n_dims: int, words: list[str]
) -> None:
    rows = VECTORS[:5, :n_dims] if n_dims <= 6 else np.tile(VECTORS[:5, :4], 2)[:, :n_dims]
    for number in ("{:.6f}", "{:.3g}", "{!r}"):
        lines = [
            " ".join([word, *(number.format(float(x)) for x in row)]) + "\n"
            for word, row in zip(words, rows, strict=True)
        ]
        text = f"5 {n_dims}\n" + "".join(lines)
        path = tmp_path / "x.vec"
        path.write_text(text, encoding="utf-8")
        assert find_format(path).name == "word2vec"
        assert not is_binary(text.encode().replace(words[0].encode(), words[0].encode()[:-1]))


def test_text_is_not_read_as_binary_when_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "x.vec").write_text("2 3\nthe 0.1 0.2 0.3\nof 0.4 0.5 0.6\n")
    with pytest.raises(LoadError, match="its binary form; leave --input-format out"):
        load_table(tmp_path / "x.vec", input_format="word2vec_binary")
    assert load_table(tmp_path / "x.vec").n_points == 2


def test_text_of_words_that_were_cut_is_utf8_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    words = ["ありがとう".encode()[:-1], "どう".encode(), "日本".encode()[:-2]]
    lines = b"".join(word + b" 0.1 0.2\n" for word in words)
    (tmp_path / "x.vec").write_bytes(b"3 2\n" + lines)
    labels = load_table(tmp_path / "x.vec").metadata["label"]
    assert labels == ("ありがと\ufffd", "どう", "日\ufffd")
    assert "x.vec:2: 2 lines are not UTF-8, which is shown as" in caplog.text


floats = st.floats(-4, 4, width=32)


@settings(deadline=None, max_examples=60)
@given(data=st.data(), n_dims=st.integers(1, 5), n_rows=st.integers(1, 8))
def test_no_small_numbers_make_binary_look_like_text(
    data: st.DataObject, n_dims: int, n_rows: int
) -> None:
    rows = np.array(
        [data.draw(st.lists(floats, min_size=n_dims, max_size=n_dims)) for _ in range(n_rows)],
        np.float32,
    )
    words = data.draw(st.lists(st.sampled_from(WORDS), min_size=n_rows, max_size=n_rows))
    records = [w.encode() + b" " + row.tobytes() for w, row in zip(words, rows, strict=True)]
    if CONTROL.search(b"".join(records)):
        assert is_binary(f"{n_rows} {n_dims}\n".encode() + b"".join(records))


def test_lines_of_text_under_two_counts_are_not_binary() -> None:
    assert not is_binary(b"2 1\nabc defg\nabc defg")


def test_rows_are_read_where_they_are_sliced(tmp_path: Path) -> None:
    path = record_file(tmp_path / "x.bin")
    (tensor,) = open_source(path).tensors
    rows = tensor.rows()
    assert tensor.columns is not None
    for start, stop in ((0, 30), (3, 9), (29, 30), (5, 5)):
        np.testing.assert_array_equal(rows[start:stop], VECTORS[start:stop])
    assert tensor.columns().find(WORDS[4]) == [4]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"3 9\nthe \0\1", "no whole record in it"),
        (b"3 2\na " + b"\0" * 8 + b"x" * 70_000, "record 2 has no blank in 65536 bytes"),
        (gzip.compress(b"3 2\nthe \0\1\2\3\4\5\6\7", mtime=0)[:-9], "damaged gzip"),
        (
            gzip.compress(b"3 1000\n" + (b"a " + bytes(4000)) * 20_000),
            "unpacks to more than 200 times",
        ),
    ],
)
def test_damage_is_one_line(tmp_path: Path, raw: bytes, said: str) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(raw)
    with pytest.raises(LoadError, match=said) as caught:
        load_table(path)
    assert str(caught.value).startswith(f"{path}: ")
    with pytest.raises(LoadError, match="first line is not two counts"):
        load_table(DATA / "gensim.json", input_format="word2vec_binary")
