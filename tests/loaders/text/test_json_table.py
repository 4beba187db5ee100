"""Vectors in JSON are read however they are laid out; what is none is told for what it is."""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz import EmbeddingTable, LoadError, ParameterError
from embviz.loaders import list_tensors, load_table
from embviz.loaders.formats import find_format
from embviz.loaders.text.chunks import TextSource
from embviz.loaders.text.json_values import read_values

RNG = np.random.default_rng(4)
N, D = 30, 5
VECTORS = RNG.normal(size=(N, D)).astype(np.float32)
LISTS = [[float(x) for x in row] for row in VECTORS.astype(np.float64)]
WORDS = [f"wörd {i}" for i in range(N)]
RECORDS = [
    {"id": i, "text": w, "embedding": v} for i, (w, v) in enumerate(zip(WORDS, LISTS, strict=True))
]


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def write(content: Any, name: str = "x.json", **how: Any) -> Path:
        text = content if isinstance(content, str) else json.dumps(content, **how)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def lines(values: list[Any]) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def check(table: EmbeddingTable, words: list[str] | None = WORDS) -> None:
    assert table.vectors.dtype == np.float32
    np.testing.assert_array_equal(table.vectors, VECTORS)
    if words is not None:
        assert [table.label(i) for i in range(N)] == words


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(LoadError) as caught:
        load_table(path, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["x.jsonl", "x.txt", "x.csv", "x.dat", "x"])
def test_lines_of_objects_are_read_whatever_the_file_is_named(
    file: Callable[..., Path], name: str
) -> None:
    path = file(lines(RECORDS), name)
    assert find_format(path).name == "json"
    check(load_table(path))
    assert list_tensors(path)[0].shape == (N, D)
    assert load_table(path).metadata["id"] == tuple(map(str, range(N)))


@pytest.mark.parametrize("indent", [None, 0, 1, 4])
def test_an_array_of_objects_is_read_however_it_is_indented(
    file: Callable[..., Path], indent: int | None
) -> None:
    check(load_table(file(RECORDS, indent=indent)))


@pytest.mark.parametrize("indent", [None, 1])
def test_an_array_of_arrays_is_vectors(file: Callable[..., Path], indent: int | None) -> None:
    table = load_table(file(LISTS, indent=indent))
    check(table, None)
    assert table.metadata == {}
    assert table.name == "x.json"


def test_objects_one_behind_another_are_read(file: Callable[..., Path]) -> None:
    check(load_table(file("".join(map(json.dumps, RECORDS)))))
    check(load_table(file("".join(json.dumps(r, indent=2) for r in RECORDS) + "\x1a")))
    check(load_table(file(lines(RECORDS) + "\x1a", "x.jsonl")))
    check(load_table(file(",\r\n".join(map(json.dumps, RECORDS)))))


def test_lists_a_line_are_vectors(file: Callable[..., Path]) -> None:
    check(load_table(file(lines(LISTS), "list.txt")), None)
    check(load_table(file("".join(f"{v}\n" for v in LISTS), "list.txt")), None)
    check(load_table(file(lines([[v] for v in LISTS]))), None)


@pytest.mark.parametrize("flat", [True, False])
def test_a_name_before_its_numbers_is_a_label(file: Callable[..., Path], flat: bool) -> None:
    pairs = [[w, *v] if flat else [w, v] for w, v in zip(WORDS, LISTS, strict=True)]
    check(load_table(file(lines(pairs))))
    check(load_table(file(pairs)))


@pytest.mark.parametrize("wrap", [10**6, 30])
@pytest.mark.parametrize("whole", [True, False])
def test_what_numpy_prints_is_read(file: Callable[..., Path], wrap: int, whole: bool) -> None:
    array = (VECTORS * 10).round(3)
    with np.printoptions(linewidth=wrap, threshold=10**6, precision=3, suppress=True):
        text = str(array) if whole else "".join(f"{row}\n" for row in array)
    path = file(text, "np.txt")
    assert find_format(path).name == "json"
    np.testing.assert_allclose(load_table(path).vectors, array, atol=1e-3)


def test_what_numpy_prints_in_part_is_refused(file: Callable[..., Path]) -> None:
    with np.printoptions(threshold=3, edgeitems=1):
        text = "".join(f"{row}\n" for row in VECTORS)
    assert "..." in text
    assert "an array printed in part" in refusal(file(text, "np.json"))


def test_lists_of_numpys_numbers_are_read(file: Callable[..., Path]) -> None:
    text = "".join(f"[{', '.join(f'np.float32({x!r})' for x in v)}]\n" for v in LISTS)
    check(load_table(file(text, "x.json")), None)


@pytest.mark.parametrize("indent", [None, 1])
def test_an_object_of_names_is_a_vector_a_name(
    file: Callable[..., Path], indent: int | None
) -> None:
    check(load_table(file(dict(zip(WORDS, LISTS, strict=True)), indent=indent)))
    named = dict(zip(WORDS, LISTS, strict=True))
    check(load_table(file({"dim": 5, "on": True, **named})))
    one_a_line = lines([{w: v} for w, v in zip(WORDS, LISTS, strict=True)])
    check(load_table(file(one_a_line, "x.jsonl")))


@pytest.mark.parametrize(
    "value",
    [
        {"texts": WORDS, "embeddings": LISTS},
        {"id": "a", "texts": WORDS, "embeddings": LISTS, "meta": {"version": 1}, "n": [1, 2]},
        {"embeddings": {"float": LISTS}, "texts": 3},
        {"points": [{"payload": {"word": w}, "vector": v} for w, v in zip(WORDS, LISTS)]},  # noqa: B905
        {w: {"embedding": v, "n": 1} for w, v in zip(WORDS, LISTS)},  # noqa: B905
    ],
    ids=["columns", "more", "nested", "points", "by name"],
)
def test_an_object_of_columns_or_of_records_is_read(
    file: Callable[..., Path], value: dict[str, Any]
) -> None:
    table = load_table(file(value))
    check(table, WORDS if {"texts", *WORDS} & value.keys() and value.get("texts") != 3 else None)


@pytest.mark.parametrize(
    ("orient", "as_lines"),
    [
        ("records", True),
        ("records", False),
        ("columns", False),
        ("index", False),
        ("table", False),
        ("split", False),
    ],
)
def test_what_pandas_writes_is_read(tmp_path: Path, orient: Any, as_lines: bool) -> None:
    frame = pd.DataFrame({"text": WORDS, "embedding": LISTS})
    frame.to_json(tmp_path / "x.json", orient=orient, lines=as_lines, double_precision=15)
    table = load_table(tmp_path / "x.json")
    np.testing.assert_allclose(table.vectors, VECTORS, rtol=1e-6)
    assert table.metadata["text"] == tuple(WORDS)


def test_a_frame_of_numbers_alone_is_read_as_pandas_splits_it(tmp_path: Path) -> None:
    frame = pd.DataFrame(VECTORS[:D], index=WORDS[:D])  # as many rows as columns
    frame.to_json(tmp_path / "x.json", orient="split", double_precision=15)
    table = load_table(tmp_path / "x.json")
    np.testing.assert_allclose(table.vectors, VECTORS[:D], rtol=1e-6)
    assert dict(table.metadata) == {"index": tuple(WORDS[:D])}


def answer(order: list[int], **more: Any) -> dict[str, Any]:
    data = [{"object": "embedding", "index": i, "embedding": LISTS[i]} for i in order]
    return {"object": "list", "data": data, "model": "m", "usage": {"total_tokens": 3}, **more}


@pytest.mark.parametrize("indent", [None, 2])
def test_an_answer_of_openai_is_in_the_order_of_its_indexes(
    file: Callable[..., Path], indent: int | None
) -> None:
    order = [int(i) for i in RNG.permutation(N)]
    table = load_table(file(answer(order), indent=indent))
    check(table, None)
    assert list(table.metadata) == ["index"]


def test_base64_is_read(file: Callable[..., Path]) -> None:
    packed = [base64.b64encode(v.astype("<f4").tobytes()).decode() for v in VECTORS]
    data = [{"index": i, "embedding": text} for i, text in enumerate(packed)]
    check(load_table(file({"object": "list", "data": data})), None)
    records = [{"text": w, "emb": p} for w, p in zip(WORDS, packed, strict=True)]
    check(load_table(file(lines(records))))


def batch(i: int, body: dict[str, Any] | None = None, error: Any = None) -> dict[str, Any]:
    response = None if error else {"status_code": 200, "request_id": "r", "body": body}
    return {"id": f"b{i}", "custom_id": f"row-{i}", "response": response, "error": error}


def test_output_of_a_batch_is_read_with_its_ids(file: Callable[..., Path]) -> None:
    table = load_table(file(lines([batch(i, answer([i])) for i in range(N)]), "batch.jsonl"))
    check(table, [f"row-{i}" for i in range(N)])
    assert list(table.metadata) == ["custom_id", "id"]


def test_a_request_for_several_texts_has_a_row_for_each(file: Callable[..., Path]) -> None:
    values = [batch(i, answer([3 * i + 2, 3 * i, 3 * i + 1])) for i in range(10)]
    table = load_table(file(lines(values)))
    check(table, [f"row-{i // 3}" for i in range(N)])
    assert table.metadata["index"] == tuple(map(str, range(N)))


def test_requests_that_failed_are_counted_and_told(
    file: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    values = [batch(i, answer([i])) for i in range(N)]
    values[4] = batch(4, error={"code": "x", "message": "too many\ntokens"})
    values[9]["response"] = {"status_code": 429, "body": {"error": {"message": "slow down"}}}
    path = file(lines(values))
    with caplog.at_level("INFO", "embviz"):
        table = load_table(path)
    assert table.n_points == N - 2
    assert table.label(4) == "row-5"
    np.testing.assert_array_equal(table.vectors[4], VECTORS[5])
    assert "2 records left out: 2 a failed request (first in line 5: too many" in caplog.text
    assert list_tensors(path)[0].shape == (N - 2, D)
    assert "x.json:5: a failed request" in refusal(path, strict=True)


def test_a_response_without_vectors_is_told(
    file: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    values = [batch(i, answer([i])) for i in range(N)]
    values[3]["response"]["body"] = {"choices": []}
    values[4]["response"] = {"status_code": 500, "body": None}
    path = file(lines(values))
    with caplog.at_level("INFO", "embviz"):
        assert load_table(path).n_points == N - 2
    assert "1 a response without vectors (first in line 4)" in caplog.text
    assert "1 a failed request (first in line 5: status 500)" in caplog.text


def test_several_vectors_are_several_tensors(file: Callable[..., Path]) -> None:
    records = [
        {"title": w, "title_vec": v, "box": [0, 1, i, 3], "body_vec": v[:3]}
        for i, (w, v) in enumerate(zip(WORDS, LISTS, strict=True))
    ]
    path = file(lines(records))
    assert [t.name for t in list_tensors(path)] == ["title_vec", "box", "body_vec"]
    said = refusal(path)
    assert "2 tensors are equally good: title_vec, body_vec; choose by --tensor" in said
    table = load_table(path, tensor="body_vec")
    np.testing.assert_array_equal(table.vectors, VECTORS[:, :3])
    assert list(table.metadata) == ["title"]
    assert table.label(3) == WORDS[3]


def test_nested_vectors_and_fields_are_named_by_their_path(file: Callable[..., Path]) -> None:
    records = [
        {
            "_id": f"a{i}",
            "_source": {"title": w, "vec": v, "tags": ["x", {"y": None}]},
            "ok": True,
            "none": None,
            "score": 1.5,
        }
        for i, (w, v) in enumerate(zip(WORDS, LISTS, strict=True))
    ]
    table = load_table(file(lines(records)))
    check(table, None)
    assert table.name == "_source.vec"
    first = {name: values[0] for name, values in table.metadata.items()}
    assert first == {
        "_id": "a0",
        "_source.title": WORDS[0],
        "_source.tags": '["x",{"y":null}]',
        "ok": "true",
        "none": "",
        "score": "1.5",
    }


def test_a_vector_in_a_text_is_read(file: Callable[..., Path]) -> None:
    records = [{"text": w, "embedding": str(v)} for w, v in zip(WORDS, LISTS, strict=True)]
    check(load_table(file(lines(records))))


def test_fields_named_as_in_batches_are_fields(file: Callable[..., Path]) -> None:
    more = ({"error": "none"}, {"response": "yes"}, {"custom_id": "c"}, {"data": [1]})
    for other in more:
        table = load_table(file(lines([{**record, **other} for record in RECORDS])))
        check(table)
        assert other.keys() <= table.metadata.keys()


def test_an_object_that_mostly_holds_no_records_is_refused(file: Callable[..., Path]) -> None:
    two = {"a": {"n": 1, "vec": [1, 2]}, "b": {"n": 2, "vec": [3, 4]}}
    assert load_table(file({**two, "x": 1, "y": 2})).metadata["word"] == ("a", "b")
    assert "JSON without vectors" in refusal(file({**two, "x": 1, "y": 2, "z": 3}))
    assert "JSON without vectors" in refusal(file({"a": two["a"], "x": 1}))


def test_fields_that_some_records_lack_stay_in_step(file: Callable[..., Path]) -> None:
    records: list[dict[str, Any]] = [dict(record) for record in RECORDS]
    del records[0]["id"]
    records[7]["late"] = "here"
    table = load_table(file(lines(records)))
    check(table)
    assert table.metadata["id"] == ("", *map(str, range(1, N)))
    assert table.metadata["late"] == tuple("here" if i == 7 else "" for i in range(N))


def test_fields_that_few_records_have_do_not_fill_the_memory(
    file: Callable[..., Path], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = {**RECORDS[0], **{f"k{i}": 1 for i in range(1500)}}
    path = file(lines([*RECORDS, wide]))
    with caplog.at_level("INFO", "embviz"):
        assert len(load_table(path).metadata) == 1000
    assert "502 fields beyond 1000 left out" in caplog.text
    monkeypatch.setattr("embviz.loaders.text.json_texts._MOST_MISSING", 20_000)
    assert " fields that few records have; leave those out" in refusal(path)


BAD = {
    "no JSON": ('{"text": "a", "embedding": [1, 2,\n', "no JSON (first in line 4: "),
    "another length": (
        lines([{"text": "a", "embedding": [1, 2, 3]}]),
        "of another length than 5 (first in line 4: 3 numbers)",
    ),
    "no vector": (lines([{"text": "a"}]), "without 'embedding' (first in line 4)"),
    "an empty one": (lines([{"embedding": []}]), "without 'embedding' (first in line 4)"),
    "texts in it": (
        lines([{"embedding": ["1", "2", "3", "4", "5"]}]),
        "without 'embedding' (first in line 4)",
    ),
    "truths in it": (
        lines([{"embedding": [True, 2, 3, 4, 5]}]),
        "without 'embedding' (first in line 4)",
    ),
    "another encoding": ('{"text": "ü", "embedding": [1, 2]}\n', "no JSON (first in line 4: "),
    "deep nesting": ("[" * 9000 + "\n", "no JSON (first in line 4: nested more than 100 deep)"),
    "a key twice": ('{"text": "a", "text": "b"}\n', "no JSON (first in line 4: the key 'text'"),
    "a huge integer": ('{"embedding": ' + "9" * 5000 + "}\n", "no JSON (first in line 4: "),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_is_left_out_and_told_or_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    bad, said = BAD[name]
    path = tmp_path / "x.jsonl"
    text = lines(RECORDS[:3]) + bad + lines(RECORDS[3:])
    path.write_bytes(text.encode("latin-1" if name == "another encoding" else "utf-8"))
    if name == "another encoding":
        path.write_bytes(lines(RECORDS[:3]).encode() + bad.encode("latin-1") + text[-1:].encode()
                         + lines(RECORDS[3:]).encode())  # fmt: skip
    with caplog.at_level("INFO", "embviz"):
        check(load_table(path))
    assert f"x.jsonl: 1 record left out: 1 {said}" in caplog.text
    assert "(--strict refuses)" in caplog.text
    assert list_tensors(path)[0].shape == (N, D)
    assert f"{path}:4: " in refusal(path, strict=True)


def test_a_file_whose_records_mostly_lack_the_vector_is_refused(file: Callable[..., Path]) -> None:
    path = file(lines(RECORDS) * 7 + lines([{"text": "a"}]) * 300)
    assert "most records hold no vector: 300 without 'embedding'" in refusal(path)


def test_vectors_of_all_lengths_are_refused(file: Callable[..., Path]) -> None:
    records = [{"text": "a", "input_ids": list(range(i + 2))} for i in range(N)]
    said = refusal(file(lines(records)))
    assert "JSON without vectors of one length: 'input_ids' are lists of 2 to 31 numbers" in said
    with_vector = [{**r, "embedding": v} for r, v in zip(records, LISTS, strict=True)]
    table = load_table(file(lines(with_vector)))
    check(table, None)
    assert table.metadata["input_ids"][1] == "[0,1,2]"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"lr": 0.1, "layers": [64, 128], "on": true, "name": "x"}', "an object with lr, layers"),
        ('{\n "a": {"b": 1},\n "c": "d"\n}\n', "an object with a, c"),
        ("{}", "an object with nothing"),
        ('{"do_resize": true, "image_mean": [1, 2, 3], "image_std": [1, 2, 3]}', "an object with"),
        ('{"text": "a", "embedding_dims": [1, 2]}', "an object with text, embedding_dims"),
        ("[]", "line 1 is no vector"),
        ('["a", "b"]', "line 1 is an array without a vector"),
        ('{"text": "a"}\n{"text": "b"}\n', "records with text"),
        ("[[[1, 2], [3, 4]], [[1, 2], [3, 4]]]", "several arrays, where one vector is needed"),
    ],
)
def test_json_without_vectors_is_told_for_what_it_is(
    file: Callable[..., Path], content: str, said: str
) -> None:
    for name in ("x.json", "x.txt", "x.csv"):
        answer = refusal(file(content, name))
        assert "JSON without vectors: " in answer
        assert said in answer


@pytest.mark.parametrize("as_lines", [True, False])
def test_a_field_a_number_is_refused_with_a_way_out_that_works(
    tmp_path: Path, as_lines: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame(VECTORS).assign(word=WORDS)
    frame.to_json("x.json", orient="records", lines=as_lines, double_precision=15)
    said = refusal(Path("x.json"))
    assert "JSON with a field a number: 0, 1, 2, 3, 4, word; save it as CSV: pandas." in said
    exec(said.partition("save it as CSV: ")[2], {"pandas": pd})
    table = load_table("x.csv")
    np.testing.assert_allclose(table.vectors, VECTORS, rtol=1e-6)
    assert table.label(3) == WORDS[3]


def test_one_vector_is_no_table(file: Callable[..., Path]) -> None:
    assert "JSON of one vector of 5 numbers, where a table" in refusal(file(LISTS[0]))


@pytest.mark.parametrize(
    "value",
    [
        {"text": WORDS[0], "embedding": LISTS[0]},
        {"text": WORDS[0], "n": 3, "result": {"vector": LISTS[0], "model": "m"}},
        {"model": "m", "text": WORDS[0], "embeddings": [LISTS[0]]},
        {
            "text": WORDS[0],
            "embedding": base64.b64encode(VECTORS[0].tobytes()).decode(),
        },
    ],
)
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_file_of_one_record_is_a_table_of_one_row(
    file: Callable[..., Path], value: dict[str, Any], end: str
) -> None:
    table = load_table(file(json.dumps(value) + end, "x.jsonl"))
    np.testing.assert_array_equal(table.vectors, VECTORS[:1])
    assert table.label(0) == WORDS[0]


def test_lists_around_a_table_are_its_columns(
    file: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    # An answer of Cohere's.
    answer = {
        "id": "x",
        "texts": WORDS,
        "warnings": ["a", "b"],
        "embeddings": {"float": LISTS},
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 2}},
    }
    path = file(answer)
    with caplog.at_level("INFO", "embviz"):
        table = load_table(path)
        check(table)
    assert table.metadata == {"texts": tuple(WORDS)}
    assert caplog.messages[0] == f"{path}: 'warnings' left out, no lists of a value a row"
    named = {"vectors": dict(zip(WORDS, LISTS, strict=True)), "kind": ["a", "b"] * (N // 2)}
    table = load_table(file(named))
    check(table)
    assert table.metadata["kind"] == tuple("ab" * (N // 2))


def test_lists_that_are_no_columns_are_told(
    file: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    path = file({"texts": WORDS, "layers": [1, 2], "vectors": LISTS, "ids": WORDS[1:]})
    with caplog.at_level("INFO", "embviz"):
        check(load_table(path))
    assert caplog.messages == [
        f"{path}: 'layers', 'ids' left out, no lists of a value a row",
        f"{path}: taking 'vectors' (5 numbers); as metadata: texts",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "0 bytes"),
        ("hello world\n", "damaged JSON: no JSON array or object"),
        ("[[1, 2], [3, 4]", "damaged JSON: ends within an array, behind 2 items"),
        ("[[1, 2], [3, 4", "damaged JSON: ends within a value"),
        ('[{"a": [1, 2]}, "b', "damaged JSON: ends within a value"),
        ("[[1, 2], [3, 4]] hello", "damaged JSON: no JSON array or object"),
        ("[" * 9000, "damaged JSON: nested more than 100 deep"),
        ('{"a": [1, 2}', "damaged JSON: "),
        ('{"a": [1, 2], "b": [3, 4], "a": [5, 6]}', "the key 'a' twice in an object"),
        ("\ufeff \n", "nothing in it"),
    ],
)
def test_damage_is_told_in_one_line(file: Callable[..., Path], content: str, said: str) -> None:
    assert said in refusal(file(content))


@pytest.mark.parametrize("number", ["1e39", "-3.5e38", "1e400", "9" * 400])
def test_numbers_beyond_float32_are_refused(file: Callable[..., Path], number: str) -> None:
    said = refusal(file(f"[1, 2]\n[3, {number}]\n"))
    assert "x.json:2: " in said
    assert "is beyond float32" in said


def test_what_is_not_finite_is_kept_for_who_takes_it(file: Callable[..., Path]) -> None:
    text = "[1, 2]\n[NaN, null]\n[Infinity, -Infinity]\n"
    for content in (text, "[ 1 2]\n[nan nan]\n[ inf -inf]\n"):
        vectors = load_table(file(content)).vectors
        np.testing.assert_array_equal(vectors, [[1, 2], [np.nan] * 2, [np.inf, -np.inf]])
    assert "is beyond float32" in refusal(file(text + "[-Infinity, 1e999]\n"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("name", ["x.jsonl", "x.txt"])
def test_other_encodings_are_read(tmp_path: Path, encoding: str, name: str) -> None:
    (tmp_path / name).write_text(lines(RECORDS), encoding=encoding)
    check(load_table(tmp_path / name))
    (tmp_path / name).write_text(json.dumps(RECORDS, ensure_ascii=False), encoding=encoding)
    check(load_table(tmp_path / name))


def test_gzip_is_read(tmp_path: Path) -> None:
    for name, text in (("x.jsonl.gz", lines(RECORDS)), ("x.json.gz", json.dumps(RECORDS))):
        (tmp_path / name).write_bytes(gzip.compress(text.encode()))
        check(load_table(tmp_path / name))


def test_columns_name_the_vector_and_the_labels(file: Callable[..., Path]) -> None:
    records = [{"a": v, "b": v[::-1], "key": f"k{i}", "n": i, "text": w}
               for i, (w, v) in enumerate(zip(WORDS, LISTS, strict=True))]  # fmt: skip
    path = file(lines(records))
    table = load_table(path, columns="vector=b,label=key")
    check(load_table(path, tensor="a"), WORDS)
    assert table.label(3) == "k3"
    np.testing.assert_array_equal(table.vectors, VECTORS[:, ::-1])
    with pytest.raises(ParameterError, match=r"'n' holds no words, .*; --label-by COLUMN"):
        load_table(path, columns="vector=b,label=n")
    with pytest.raises(ParameterError, match="'text' is no vector; a, b"):
        load_table(path, columns="text")
    with pytest.raises(ParameterError, match="JSON has its vectors in fields; name one: a, b"):
        load_table(path, columns="a,b")
    with pytest.raises(ParameterError, match="'a' is a vector and names no point; there are key"):
        load_table(path, columns="label=a")
    with pytest.raises(ParameterError, match="no column 'c'"):
        load_table(path, columns="c")


@pytest.mark.parametrize("first", ["[ 0.1 0.2 0.3", "{ 0.1 0.2 0.3", "[a 0.1 0.2 0.3"])
def test_a_bracket_that_is_a_word_is_no_json(file: Callable[..., Path], first: str) -> None:
    path = file(f"{first}\n] 0.3 0.4 0.5\nthe 0.5 0.6 0.7\n", "glove.txt")
    assert find_format(path).name == "glove"
    assert load_table(path).label(0) == first.split()[0]


def test_a_file_larger_than_is_read_at_once_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("embviz.loaders.text.json_values.LONGEST_VALUE", 2000)
    objects: list[Any] = [
        dict(zip(WORDS, LISTS, strict=True)),
        {"model": "m", "data": RECORDS, "usage": {"a": 1}},
        RECORDS,
    ]
    for value in objects:
        (tmp_path / "x.json").write_text(json.dumps(value))
        check(load_table(tmp_path / "x.json"))
    (tmp_path / "x.json").write_text(json.dumps({"texts": WORDS, "vectors": LISTS}))
    with caplog.at_level("INFO", "embviz"):
        check(load_table(tmp_path / "x.json"), None)
    assert (
        "1 record left out: 1 a list beside the vectors (first in line 1: 'texts')" in caplog.text
    )
    (tmp_path / "x.json").write_text(json.dumps({"a": "b" * 3000}))
    assert "'a' is of more than 0 MiB" in refusal(tmp_path / "x.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text('ab"\\[]{},: \n', max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("k\"[", max_size=2), inner),
    max_leaves=6,
)  # fmt: skip


@given(
    st.lists(
        st.lists(JSON, max_size=3) | st.dictionaries(st.text(max_size=3), JSON),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([None, 0, 2]),
    st.integers(1, 40),
)
@settings(max_examples=70, deadline=None)
def test_an_array_is_cut_into_its_items_wherever_blocks_end(
    items: list[Any], indent: int | None, chunk_bytes: int
) -> None:
    text = json.dumps(items, indent=indent).encode()

    class Blocks(TextSource):
        def __init__(self) -> None:
            self.shown, self.chunk_bytes, self.size = "x", chunk_bytes, len(text)
            self.packed = False

        def blocks(self) -> Any:
            file = io.BytesIO(text)
            return iter(lambda: file.read(chunk_bytes), b"")

    with patch("embviz.loaders.text.json_values._TRIM_BYTES", 10):
        found = list(read_values(Blocks()))
    if len(found) == 1 and found[0].kind == "value":  # Seen at once as a line.
        assert json.loads(found[0].raw) == items
        return
    assert [json.loads(value.raw) for value in found] == items
    at = 1
    for value in found:
        at = text.index(value.raw, at)
        assert value.line == text.count(b"\n", 0, at) + 1
        at += len(value.raw)


def test_lists_of_whole_numbers_are_vectors_where_a_name_says_so(file: Callable[..., Path]) -> None:
    ids = [[101, i, 7, 102] for i in range(9)]
    path = file(lines([{"text": w, "input_ids": row} for w, row in zip(WORDS, ids, strict=False)]))
    assert [t.taken for t in list_tensors(path)] == [False]
    said = refusal(path)
    assert "'input_ids' holds lists of whole numbers, which may be ids or counts" in said
    assert said.endswith("if they are vectors: --tensor input_ids")
    assert load_table(path, tensor="input_ids").vectors[:2].tolist() == ids[:2]
    assert load_table(path, columns="input_ids").vectors[:2].tolist() == ids[:2]
    named = file(lines([{"text": w, "emb_int8": row} for w, row in zip(WORDS, ids, strict=False)]))
    assert load_table(named).vectors[:2].tolist() == ids[:2]
    bare = file("".join(f"{row}\n" for row in ids))
    assert load_table(bare).vectors[:2].tolist() == ids[:2]
