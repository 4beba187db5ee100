"""Metadata in other clothes than TensorBoard's: CSV, JSON, arrays, packed files."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import pickle
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz import LoadError, ParameterError, load_table
from embviz.loaders.labels.metadata import read_metadata
from embviz.loaders.labels.metadata_lines import open_metadata_lines

WORDS = tuple(f"wörd{i}" for i in range(30))


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(path: Path, n_points: int) -> str:
    with pytest.raises(LoadError) as caught:
        read_metadata(path, n_points)
    return str(caught.value)


cell = st.text(st.sampled_from('ab1,;"\n é'), max_size=4)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(cell, cell, st.integers().map(str)), min_size=2, max_size=9))
def test_csv_is_read_as_the_csv_module_writes_it(rows: list[tuple[str, str, str]]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([("word", "text", "n"), *rows])
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), "m.csv", out.getvalue())
        columns = read_metadata(path, len(rows))
        assert list(columns) == ["word", "text", "n"]
        assert list(zip(*columns.values(), strict=True)) == rows
        assert open_metadata_lines(path, len(rows)) is None


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("name", ["m.csv", "m.tsv", "labels.txt"])
def test_csv_is_known_by_its_header_whatever_its_name(
    tmp_path: Path, name: str, delimiter: str
) -> None:
    lines = [f"{word}{delimiter}{i}" for i, word in enumerate(WORDS)]
    path = write(tmp_path, name, "\n".join([f"word{delimiter}count", *lines]))
    assert read_metadata(path, 30) == {"word": WORDS, "count": tuple(map(str, range(30)))}


def test_csv_without_a_header_is_columns_too(tmp_path: Path) -> None:
    path = write(tmp_path, "m.csv", "".join(f"{i},{word}\n" for i, word in enumerate(WORDS)))
    assert read_metadata(path, 30) == {"column 1": tuple(map(str, range(30))), "label": WORDS}


def test_places_with_a_comma_are_labels(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    places = ("Paris, France", "Rome, Italy", "Bern, Switzerland")
    path = write(tmp_path, "places.txt", "\n".join(places))
    assert read_metadata(path, 3) == {"label": places}
    with caplog.at_level("INFO", "embviz"):
        names = ("Doe,Jane", "Roe,Richard", "Poe,Edgar")
        assert read_metadata(write(tmp_path, "n.txt", "\n".join(names)), 3) == {"label": names}
    assert "each line with its comma is one label" in caplog.text
    assert "a file named .csv is read as columns" in caplog.text
    (tmp_path / "n.txt").rename(tmp_path / "n.csv")
    assert read_metadata(tmp_path / "n.csv", 3)["column 2"] == ("Jane", "Richard", "Edgar")


def test_quotes_of_r_are_no_part_of_a_label(tmp_path: Path) -> None:
    rows = '"word"\t"n"\n"say ""hi"""\t1\n"b"\t2\n'
    assert read_metadata(write(tmp_path, "r.tsv", rows), 2) == {
        "word": ('say "hi"', "b"),
        "n": ("1", "2"),
    }
    assert read_metadata(write(tmp_path, "q.txt", '"a"\n"b"\n'), 2) == {"label": ("a", "b")}


def test_a_quote_within_a_line_is_a_part_of_its_label(tmp_path: Path) -> None:
    lines = ('5" disk', 'a "b" c', '"so," she said', '"')
    assert read_metadata(write(tmp_path, "m.txt", "\n".join(lines)), 4) == {"label": lines}


def test_a_label_with_a_line_end_is_read_where_it_stands_in_quotes(tmp_path: Path) -> None:
    path = write(tmp_path, "m.csv", 'word,n\n"two\nlines",1\nb,2\n')
    assert read_metadata(path, 2)["word"] == ("two\nlines", "b")


@pytest.mark.parametrize("name", ["label", "Word", "text"])
def test_a_column_of_labels_may_have_a_name(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, "m.txt", "\n".join([name, *WORDS]))
    assert read_metadata(path, 30) == {name: WORDS}
    assert read_metadata(path, 31) == {"label": (name, *WORDS)}


def test_the_end_of_file_of_dos_is_no_label(tmp_path: Path) -> None:
    path = write(tmp_path, "m.txt", "\r\n".join(WORDS) + "\r\n\x1a")
    assert read_metadata(path, 30) == {"label": WORDS}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_byte_order_mark_tells_the_encoding(tmp_path: Path, encoding: str) -> None:
    text = "word\tn\r\n" + "".join(f"{word}\t{i}\r\n" for i, word in enumerate(WORDS))
    path = write(tmp_path, "m.tsv", text.encode(encoding))
    assert read_metadata(path, 30)["word"] == WORDS


ROWS = [{"word": word, "n": i, "x": None if i else 0.50} for i, word in enumerate(WORDS)]
JSON: dict[str, str] = {
    "lines": "".join(json.dumps(row) + "\n" for row in ROWS),
    "array": json.dumps(ROWS, indent=1, ensure_ascii=False),
    "columns": json.dumps({name: [row[name] for row in ROWS] for name in ROWS[0]}),
    "rows by number": json.dumps({str(i): row for i, row in enumerate(ROWS)}),
}


@pytest.mark.parametrize("kind", JSON)
def test_json_gives_a_column_a_key(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, "m.json", JSON[kind])
    assert open_metadata_lines(path, 30) is None
    assert read_metadata(path, 30) == {
        "word": WORDS,
        "n": tuple(map(str, range(30))),
        "x": ("0.5", *[""] * 29),
    }


@pytest.mark.parametrize(
    "value", [list(WORDS), {word: i for i, word in enumerate(WORDS)}, dict(enumerate(WORDS))]
)
def test_json_of_texts_is_labels(tmp_path: Path, value: Any) -> None:
    assert read_metadata(write(tmp_path, "m.json", json.dumps(value)), 30) == {"label": WORDS}


def test_vectors_in_json_are_no_metadata(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lines = "".join(json.dumps({"w": w, "embedding": [0.1, 0.2]}) + "\n" for w in WORDS)
    with caplog.at_level("INFO", "embviz"):
        assert read_metadata(write(tmp_path, "m.jsonl", lines), 30) == {"w": WORDS}
    assert "embedding hold lists of numbers and are no metadata" in caplog.text


def test_tokens_in_brackets_are_no_json(tmp_path: Path) -> None:
    words = ("[PAD]", "[unused1]", "{", "[", "]")
    path = write(tmp_path, "vocab.txt", "\n".join(words))
    assert read_metadata(path, 5) == {"label": words}
    lines = open_metadata_lines(path, 5)
    assert lines is not None
    assert lines.column("label") == words


@pytest.mark.parametrize(
    "text", ['{"a": 1}\n{"a": 2}\nno\n', '{"a": 1}\n[1, 2]\n', '{"a":' * 5000, "[" * 100000]
)
def test_broken_json_is_one_line(tmp_path: Path, text: str) -> None:
    assert "\n" not in refusal(write(tmp_path, "m.json", text), 2)


ARRAYS: dict[str, Any] = {
    "str": np.array(WORDS),
    "bytes": np.array([word.encode() for word in WORDS]),
    "column": np.array(WORDS)[:, None],
    "big": np.array(WORDS).astype(">U9"),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_an_array_of_texts_is_labels(tmp_path: Path, kind: str) -> None:
    np.save(tmp_path / "labels.npy", ARRAYS[kind])
    assert read_metadata(tmp_path / "labels.npy", 30) == {"label": WORDS}
    np.savez(tmp_path / "labels.npz", w=ARRAYS[kind].ravel(), n=np.arange(30), more=np.eye(3))
    assert read_metadata(tmp_path / "labels.npz", 30) == {
        "w": WORDS,
        "n": tuple(map(str, range(30))),
    }


def test_an_array_of_records_is_columns(tmp_path: Path) -> None:
    array = np.zeros(3, [("w", "U4"), ("n", "i4")])
    array["w"] = ["a", "b", "c"]
    np.save(tmp_path / "r.npy", array)
    assert read_metadata(tmp_path / "r.npy", 3) == {"w": ("a", "b", "c"), "n": ("0", "0", "0")}


def test_vectors_are_no_labels(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.eye(3))
    assert "vectors are given as SOURCE" in refusal(tmp_path / "x.npy", 3)
    np.savez(tmp_path / "x.npz", x=np.eye(3))
    assert "no array of one value a row" in refusal(tmp_path / "x.npz", 3)


def test_python_objects_are_saved_as_texts_by_the_line_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    objects = np.array(WORDS, object)
    np.save("labels.npy", objects)
    np.savez("labels.npz", words=objects)
    for name in ("labels.npy", "labels.npz"):
        said = refusal(Path(name), 30)
        exec(said.partition("where you trust it: ")[2], {"numpy": np})
        assert read_metadata(Path("texts.npy"), 30) == {"label": WORDS}
        Path("texts.npy").unlink()


TEXT = "".join(f"{word}\n" for word in WORDS).encode()


def zipped(raw: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labels.txt", raw)
        archive.writestr("__MACOSX/._labels.txt", b"\0")
    return out.getvalue()


def zstandard(raw: bytes) -> bytes:
    try:
        from backports import zstd
    except ImportError:
        import importlib

        zstd = importlib.import_module("compression.zstd")
    return zstd.compress(raw)


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard,
    "zip": zipped,
}


@pytest.mark.parametrize("kind", PACKERS)
def test_packed_labels_are_unpacked(tmp_path: Path, kind: str) -> None:
    packed = PACKERS[kind](TEXT)
    path = write(tmp_path, f"labels.txt.{kind}", packed)
    assert read_metadata(path, 30) == {"label": WORDS}
    path.write_bytes(packed[: len(packed) * 2 // 3])
    assert "\n" not in refusal(path, 30)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (pickle.dumps(WORDS), "a pickle, which could run code and is never read; write one label"),
        (b"PAR1" + bytes(9), "Parquet"),
        (b"\x89PNG\r\n\x1a\n", "a PNG image; thumbnails go to --sprite"),
        (gzip.compress(bytes(257) + b"ustar", mtime=0), "a tar archive; unpack it first: tar -xf"),
    ],
    ids=("pickle", "parquet", "png", "tar"),
)
def test_files_of_other_programs_are_named(tmp_path: Path, raw: bytes, said: str) -> None:
    assert said in refusal(write(tmp_path, "m", raw), 30)


def test_a_label_that_begins_with_another_sign_of_the_euro_is_no_pickle(tmp_path: Path) -> None:
    path = write(tmp_path, "m", "€ 5\n".encode("cp1252") * 30)
    assert "m:1: not UTF-8 (byte 0x80" in refusal(path, 30)


def test_a_folder_is_no_file_of_labels(tmp_path: Path) -> None:
    assert "a folder, where a file of labels is needed" in refusal(tmp_path, 3)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    np.save(tmp_path / "x.npy", np.arange(60.0).reshape(30, 2))
    return tmp_path / "x.npy"


def test_points_without_a_label_are_kept_or_left_out_as_is_said(
    tmp_path: Path, source: Path, caplog: pytest.LogCaptureFixture
) -> None:
    metadata = write(tmp_path, "m.txt", "\n".join(WORDS[:28]))
    with pytest.raises(LoadError, match="--unlabeled keep leaves the last 2 points without"):
        load_table(source, metadata=metadata)
    with caplog.at_level("INFO", "embviz"):
        table = load_table(source, metadata=metadata, unlabeled="keep")
    assert "the last 2 of 30 points have no label" in caplog.text
    assert table.metadata == {"label": (*WORDS[:28], "", "")}
    table = load_table(source, metadata=metadata, unlabeled="drop")
    assert table.metadata == {"label": WORDS[:28]}
    assert (table.n_points, table.row_number(27)) == (28, 27)
    with pytest.raises(ParameterError, match="one of keep, drop"):
        load_table(source, metadata=metadata, unlabeled="both")  # type: ignore[arg-type]


@pytest.mark.parametrize("unlabeled", ["keep", "drop"])
def test_labels_behind_the_last_point_are_left_out_where_that_is_said(
    tmp_path: Path, source: Path, unlabeled: Any, caplog: pytest.LogCaptureFixture
) -> None:
    metadata = write(tmp_path, "m.txt", "\n".join([*WORDS, "a", "b"]))
    with caplog.at_level("INFO", "embviz"):
        table = load_table(source, metadata=metadata, unlabeled=unlabeled)
    assert table.metadata == {"label": WORDS}
    assert "32 rows for 30 points: the last 2 are left out" in caplog.text


@pytest.fixture
def words(tmp_path: Path) -> Path:
    return write(tmp_path, "v.csv", "id,a,b\n" + "".join(f"k{i},{i}.5,0.1\n" for i in range(30)))


def test_rows_in_another_order_are_joined_by_a_key(tmp_path: Path, words: Path) -> None:
    rows = [f"k{i},{word}" for i, word in enumerate(WORDS)][::-1]
    metadata = write(tmp_path, "m.csv", "\n".join(["id,word", *rows]))
    table = load_table(words, metadata=metadata, metadata_key="id")
    assert table.metadata == {"id": tuple(f"k{i}" for i in range(30)), "word": WORDS}


def test_a_key_of_another_name_is_found_in_the_points_labels(tmp_path: Path, words: Path) -> None:
    rows = [json.dumps({"key": f"k{i}", "word": w}) for i, w in enumerate(WORDS)][::-1]
    metadata = write(tmp_path, "m.jsonl", "\n".join(rows))
    table = load_table(words, metadata=metadata, metadata_key="key")
    assert table.metadata["word"] == WORDS


def test_points_that_no_row_is_joined_to_are_counted(tmp_path: Path, words: Path) -> None:
    rows = [f"k{i}\t{WORDS[i]}" for i in (29, 3, 7)]
    metadata = write(tmp_path, "m.tsv", "\n".join(["id\tword", *rows, "no\tsuch"]))
    with pytest.raises(LoadError, match=r"27 of 30 points have no row .* the first is 'k0'; --unl"):
        load_table(words, metadata=metadata, metadata_key="id")
    table = load_table(words, metadata=metadata, metadata_key="id", unlabeled="drop")
    assert [table.label(i, "word") for i in range(3)] == [WORDS[3], WORDS[7], WORDS[29]]
    assert [int(row) for row in table.vectors[0:3][:, 0]] == [3, 7, 29]
    table = load_table(words, metadata=metadata, metadata_key="id", unlabeled="keep")
    assert table.metadata["word"][:4] == ("", "", "", WORDS[3])


def test_keys_that_cannot_be_joined_are_refused(tmp_path: Path, words: Path, source: Path) -> None:
    def said(text: str, key: str = "id", path: Path = words) -> str:
        with pytest.raises((LoadError, ParameterError)) as caught:
            load_table(path, metadata=write(tmp_path, "m.csv", text), metadata_key=key)
        return str(caught.value)

    assert "'k1' stands twice under 'id', for rows 1 and 2" in said("id,w\nk0,a\nk1,b\nk1,c\n")
    assert "no 'id' in it is the 'id' of a point: 'z' …" in said("id,w\nz,a\n")
    assert "m.csv has the columns id, w; name one" in said("id,w\nk0,a\n", "no")
    assert "has no columns of its own" in said("id,w\nk0,a\n", path=source)
    with pytest.raises(ParameterError, match="add --metadata FILE"):
        load_table(words, metadata_key="id")


def test_the_vocabulary_of_a_language_model_is_labels(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.eye(4))
    vocabulary = {"the": 0, "##ing": 1, "[PAD]": 2}
    tokenizer = {"version": "1.0", "model": {"type": "WordPiece", "vocab": vocabulary}}
    for name, content in (("tokenizer.json", tokenizer), ("vocab.json", vocabulary)):
        file = write(tmp_path, name, json.dumps(content))
        table = load_table(tmp_path / "x.npy", metadata=file)
        assert table.metadata["token"][3] == "[unused 3]"
        assert table.metadata["id"] == ("0", "1", "2", "3")
        assert load_table(tmp_path / "x.npy", metadata=file, drop_unused=True).n_points == 3


# Rows in another order than the points


def words_of(folder: Path, n: int = 30) -> Path:
    rows = (f"{word},{i}.5,{-i}.25\n" for i, word in enumerate(WORDS[:n]))
    return write(folder, "x.csv", "word,a,b\n" + "".join(rows))


def rows_of(folder: Path, order: list[int], key: str = "word") -> Path:
    rows = (f"{WORDS[i]},{i}\n" for i in order)
    return write(folder, "m.csv", f"{key},freq\n" + "".join(rows))


@pytest.mark.parametrize("key", ["word", "term"])
@pytest.mark.parametrize(
    ("order", "unlabeled"), [([*range(30)][::-1], None), ([*range(20)][::-1], "keep")]
)
def test_the_points_names_in_another_order_are_refused_with_what_joins_them(
    tmp_path: Path, key: str, order: list[int], unlabeled: Any
) -> None:
    source, metadata = words_of(tmp_path), rows_of(tmp_path, order, key)
    with pytest.raises(LoadError, match="another order: row 0 is ") as caught:
        load_table(source, metadata=metadata, unlabeled=unlabeled)
    option = str(caught.value).partition("--metadata-key ")[2].split()[0]
    assert option == key
    table = load_table(source, metadata=metadata, metadata_key=option, unlabeled=unlabeled)
    freq = {WORDS[i]: str(i) for i in order}
    assert table.metadata["word"] == WORDS
    assert table.metadata["freq"] == tuple(freq.get(word, "") for word in WORDS)


def test_identifiers_in_another_order_are_refused(tmp_path: Path) -> None:
    rows = (f"{100 + i},{i}.5,{-i}.25\n" for i in range(30))
    source = write(tmp_path, "x.csv", "user_id,a,b\n" + "".join(rows))
    rows = (f"{100 + i},u{i}\n" for i in reversed(range(30)))
    metadata = write(tmp_path, "m.csv", "user_id,name\n" + "".join(rows))
    with pytest.raises(LoadError, match="--metadata-key user_id joins"):
        load_table(source, metadata=metadata)
    assert load_table(source, metadata=metadata, metadata_key="user_id").label(3) == "u3"


def test_a_file_of_the_points_names_alone_is_refused_in_another_order(tmp_path: Path) -> None:
    metadata = write(tmp_path, "m.txt", "".join(f"{word}\n" for word in WORDS[::-1]))
    with pytest.raises(LoadError, match="leave --metadata out"):
        load_table(words_of(tmp_path), metadata=metadata)


def test_other_names_classes_and_the_same_order_are_no_other_order(tmp_path: Path) -> None:
    source = words_of(tmp_path)
    for texts in (WORDS, [word.upper() for word in WORDS[::-1]], [*WORDS[:3]] * 10):
        metadata = write(tmp_path, "m.txt", "".join(f"{text}\n" for text in texts))
        assert load_table(source, metadata=metadata).metadata == {"label": tuple(texts)}
