"""FastText's models against what fastText itself says of them (`data/words/make_words.py`)."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz import LoadError
from embviz.loaders import list_tensors, load_table, open_source
from embviz.loaders.words.fasttext_model import read_header, read_model
from embviz.loaders.words.ngrams import Ngrams, find_ngrams

DATA = Path(__file__).parents[2] / "data" / "words"
EXPECTED: dict[str, dict[str, Any]] = json.loads(
    (DATA / "fasttext.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", EXPECTED)
def test_words_have_the_vectors_that_fasttext_gives_them(name: str) -> None:
    table = load_table(DATA / name)
    expected = EXPECTED[name]
    assert (table.name, table.vectors.dtype) == ("words", np.float32)
    assert list(table.metadata["label"]) == expected["words"]
    assert list(map(int, table.metadata["count"])) == expected["counts"]
    vectors = np.array(expected["vectors"], np.float32)
    np.testing.assert_allclose(table.vectors[0 : len(vectors)], vectors, rtol=1e-6, atol=1e-8)
    for start, stop in ((0, 1), (2, 7), (len(vectors) - 1, len(vectors)), (4, 4)):
        np.testing.assert_allclose(table.vectors[start:stop], vectors[start:stop], rtol=1e-6)


def test_labels_of_a_classifier_are_a_tensor_of_their_own() -> None:
    assert [info.name for info in list_tensors(DATA / "classes.bin")] == ["words", "labels"]
    assert [info.taken for info in list_tensors(DATA / "classes.bin")] == [True, False]
    table = load_table(DATA / "classes.bin", tensor="labels")
    assert list(table.metadata["label"]) == EXPECTED["classes.bin"]["labels"]
    np.testing.assert_array_equal(
        table.vectors[0:3], np.array(EXPECTED["classes.bin"]["output"], np.float32)
    )
    quantized = load_table(DATA / "pruned.ftz", tensor="labels")
    assert quantized.vectors.shape == (260, 4)
    assert list(quantized.metadata["label"]) == EXPECTED["pruned.ftz"]["labels"]


@pytest.mark.parametrize("name", ["skipgram.bin", "cbow.bin", "tree.bin"])
def test_where_rows_of_the_output_are_no_labels_there_are_words_alone(name: str) -> None:
    (info,) = list_tensors(DATA / name)
    assert info.name == "words"


def test_what_a_model_is_stands_in_the_list() -> None:
    notes = [list_tensors(DATA / name)[0].note for name in ("skipgram.bin", "cbow.bin")]
    assert notes == ["fastText skip-gram, with n-grams of 3 to 6 characters", "fastText cbow"]


def changed(tmp_path: Path, name: str, at: int, value: int, layout: str = "<i") -> Path:
    raw = bytearray((DATA / name).read_bytes())
    struct.pack_into(layout, raw, at, value)
    path = tmp_path / name
    path.write_bytes(raw)
    return path


def test_an_old_classifier_has_no_ngrams(tmp_path: Path) -> None:
    path = changed(tmp_path, "classes.bin", 4, 11)
    model = read_model(path, read_header(path))
    own = model.input.take(np.arange(model.header.n_words))
    np.testing.assert_array_equal(load_table(path).vectors[0 : len(own)], own)


VERSION, DIMS, KIND, BUCKETS, MOST, SIZE, N_KEPT = 4, 8, 36, 40, 48, 64, 84


@pytest.mark.parametrize(
    ("at", "value", "layout", "said"),
    [
        (VERSION, 13, "<i", "version 13 of fastText's models, 11 and 12 are read"),
        (VERSION, 10, "<i", "version 10"),
        (DIMS, 0, "<i", "damaged: it says 0 dimensions"),
        (DIMS, 6, "<i", "an input matrix of 80 x 5 for 10 words and 70 n-grams of 6 dimensions"),
        (KIND, 4, "<i", "kind 4"),
        (BUCKETS, 0, "<i", "n-grams of up to 6 characters in 0 buckets"),
        (BUCKETS, 71, "<i", "an input matrix of"),
        (MOST, 1 << 30, "<i", "n-grams of 1073741824 characters"),
        (SIZE, 1 << 30, "<i", "damaged: it says 1073741824 entries"),
        (N_KEPT, 1, "<q", "cut off within|words among labels|pruned but not quantized"),
        (N_KEPT, 1 << 60, "<q", "cut off within its n-grams"),
    ],
)
def test_a_model_that_contradicts_itself_is_refused(
    tmp_path: Path, at: int, value: int, layout: str, said: str
) -> None:
    path = changed(tmp_path, "skipgram.bin", at, value, layout)
    with pytest.raises(LoadError, match=said) as caught:
        load_table(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("name", EXPECTED)
def test_a_model_that_was_cut_off_is_refused(tmp_path: Path, name: str) -> None:
    raw = (DATA / name).read_bytes()
    path = tmp_path / name
    for length in (*range(4, 120, 3), *range(120, len(raw), 97), len(raw) - 1):
        path.write_bytes(raw[:length])
        with pytest.raises(LoadError, match="cut off within"):
            load_table(path)


def test_a_model_in_gzip_can_be_unpacked_as_it_is_told(tmp_path: Path) -> None:
    import shutil
    import subprocess

    path = tmp_path / "m.bin.gz"
    path.write_bytes(gzip.compress((DATA / "cbow.bin").read_bytes()))
    with pytest.raises(LoadError, match=r"unpack it first: gunzip -k m\.bin\.gz$") as caught:
        open_source(path)
    if shutil.which("gunzip") is None:
        pytest.skip("no gunzip here")
    command = caught.value.way_out.removeprefix("unpack it first: ")
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    assert load_table(tmp_path / "m.bin").n_points == len(EXPECTED["cbow.bin"]["words"])


def one_by_one(word: bytes, ngrams: Ngrams) -> list[int]:
    """The buckets of one word's n-grams, character by character."""
    text = (b"<" + word + b">").decode("utf-8")
    found = []
    for i in range(len(text)):
        for n in range(max(1, ngrams.least), ngrams.most + 1):
            if i + n > len(text) or (n == 1 and (i == 0 or i + n == len(text))):
                continue
            h = 2166136261
            for byte in text[i : i + n].encode():
                h = (h ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * 16777619 % (1 << 32)
            found.append(h % ngrams.n_buckets)
    return [] if word == b"</s>" else found


@settings(deadline=None, max_examples=80)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1
    ),
    st.integers(-1, 4),
    st.integers(1, 6),
    st.integers(1, (1 << 31) - 1),
)
def test_ngrams_of_many_words_are_those_of_each(
    words: list[str], least: int, most: int, n_buckets: int
) -> None:
    raws = [word.encode() for word in (*words, "</s>")]
    ngrams = Ngrams(least, most, n_buckets)
    buckets, counts = find_ngrams(raws, ngrams)
    wanted = [one_by_one(raw, ngrams) for raw in raws]
    assert counts.tolist() == list(map(len, wanted))
    assert buckets.tolist() == [bucket for each in wanted for bucket in each]


def test_bytes_that_are_no_utf8_are_read_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    raw = (DATA / "skipgram.bin").read_bytes().replace("wörd".encode(), b"w\xc3\xc3rd")
    (tmp_path / "m.bin").write_bytes(raw)
    table = load_table(tmp_path / "m.bin")
    assert "w\ufffd\ufffdrd" in table.metadata["label"]
    assert "1 word with bytes that are no UTF-8" in caplog.text
    with pytest.raises(LoadError, match="leave out --strict"):
        load_table(tmp_path / "m.bin", strict=True)
