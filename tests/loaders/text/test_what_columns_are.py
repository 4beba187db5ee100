"""Which columns of a text file are the vector, as people and programs write such files."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from embviz import EmbeddingTable
from embviz.errors import EmbvizError, LoadError, ParameterError
from embviz.loaders import list_tensors, load_table

RNG = np.random.default_rng(0)
N = 60
V = RNG.normal(size=(N, 8)).round(4)
WORDS = tuple(f"w{i}" for i in range(N))


def join(delimiter: str, row: Sequence[float] | np.ndarray) -> str:
    return delimiter.join(map(str, row))


def write(folder: Path, name: str, lines: Sequence[str]) -> Path:
    path = folder / name
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8", newline="")
    return path


def check(path: Path, vectors: np.ndarray = V, **options: str) -> EmbeddingTable:
    table = load_table(path, **options)
    np.testing.assert_array_equal(table.vectors, np.float32(vectors))
    assert list_tensors(path, **options)[0].shape == vectors.shape
    return table


def columns_told(error: str) -> list[str]:
    """The values of --columns that an error offers."""
    return re.findall(r"--columns (\S+)", error)


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "embviz")
    return caplog


# A vector in a cell


def food(vectors: Sequence[object]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ProductId": [f"B{i:04}" for i in range(N)],
            "Score": RNG.integers(1, 6, N),
            "Summary": ["ok, good\nbuy again"] * N,
            "n_tokens": RNG.integers(20, 200, N),
            "embedding": vectors,
        }
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_list_in_a_cell_goes_before_columns_of_numbers(
    tmp_path: Path, delimiter: str, said: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "food.csv"
    food(V.tolist()).to_csv(path, sep=delimiter)
    table = check(path)
    assert table.name == "embedding"
    assert table.metadata["Summary"][5] == "ok, good\nbuy again"
    assert list(table.metadata)[1:] == ["ProductId", "Score", "Summary", "n_tokens"]
    assert table.label(3) == "B0003"
    told = "taking column 'embedding' (8 numbers); as metadata: column 1, ProductId, Score"
    assert told in said.text
    check(path, tensor="embedding")


WRITERS = {
    "JSON": lambda v: f"[{join(', ', v)}]",
    "NumPy": lambda v: np.array2string(v),
    "NumPy over lines": lambda v: np.array2string(v, max_line_width=20),
    "repr of NumPy": lambda v: f"array([{join(', ', v)}], dtype=float32)",
    "PyTorch": lambda v: f"tensor([{join(', ', v)}])",
    "PyTorch on a GPU": lambda v: f"tensor([{join(', ', v)}], device='cuda:0')",
    "PyTorch with gradients": lambda v: (
        f"tensor([{join(', ', v)}], device='cuda:0',\n       dtype=torch.float16, "
        "grad_fn=<SelectBackward0>)"
    ),
    "R": lambda v: f"c({join(', ', v)})",
    "JAX": lambda v: f"Array([{join(', ', v)}], dtype=float32)",
    "Spark": lambda v: f"DenseVector([{join(', ', v)}])",
    "list of NumPy's numbers": lambda v: "[" + ", ".join(f"np.float32({x})" for x in v) + "]",
    "tuple": lambda v: f"({join(', ', v)})",
    "PostgreSQL": lambda v: f"{{{join(',', v)}}}",
    "one row of a matrix": lambda v: f"[[{join(', ', v)}]]",
    "blanks": lambda v: join(" ", v),
    "commas": lambda v: join(", ", v),
    "semicolons": lambda v: join(";", v),
    "bars": lambda v: join("|", v),
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("header", [True, False])
def test_a_vector_in_a_cell_is_read_as_any_program_prints_it(
    tmp_path: Path, writer: str, header: bool
) -> None:
    frame = pd.DataFrame({"text": WORDS, "vector": [WRITERS[writer](v) for v in V]})
    frame.to_csv(tmp_path / "x.csv", index=False, header=header)
    assert check(tmp_path / "x.csv").label(7) == "w7"


def test_lists_without_quotes_are_one_cell(tmp_path: Path) -> None:
    check(
        write(tmp_path, "a.csv", [f"{w},[{join(', ', v)}]" for w, v in zip(WORDS, V, strict=True)])
    )
    check(
        write(tmp_path, "b.txt", [f"{w} [{join(', ', v)}]" for w, v in zip(WORDS, V, strict=True)])
    )
    table = check(write(tmp_path, "c.tsv", [f"a b\t[{join(', ', v)}]" for v in V]))
    assert table.label(0) == "a b"


def test_a_printed_matrix_is_read_over_all_its_lines(tmp_path: Path) -> None:
    wide = np.tile(V, (1, 4))
    for name, vectors in (("a.txt", V), ("b.txt", wide)):
        (tmp_path / name).write_text(np.array2string(vectors, threshold=10**6) + "\n")
        np.testing.assert_allclose(load_table(tmp_path / name).vectors, np.float32(vectors))
    (tmp_path / "c.txt").write_text(
        "".join(f"{np.array2string(v, max_line_width=999)}\n" for v in V)
    )
    check(tmp_path / "c.txt")


def test_an_empty_list_is_a_vector_that_is_missing(tmp_path: Path) -> None:
    cells = [str(v.tolist()) for v in V]
    cells[3], cells[7], cells[8] = "[]", "[ ]", ""
    pd.DataFrame({"word": WORDS, "embedding": cells}).to_csv(tmp_path / "x.csv", index=False)
    missing = V.copy()
    missing[[3, 7, 8]] = np.nan
    assert check(tmp_path / "x.csv", missing).metadata["word"] == WORDS


def test_vectors_that_printing_elided_are_refused_as_lost(tmp_path: Path) -> None:
    long = RNG.normal(size=(9, 1500))
    pd.DataFrame({"text": WORDS[:9], "e": list(long), "n": range(9), "m": range(9)}).to_csv(
        tmp_path / "x.csv", index=False
    )
    with pytest.raises(LoadError, match=r"'e' were elided .* lost; write each as a list"):
        load_table(tmp_path / "x.csv")
    assert load_table(tmp_path / "x.csv", columns="n,m").vectors[3].tolist() == [3, 3]
    mended = pd.DataFrame({"text": WORDS[:9], "e": pd.Series(list(long)).map(list)})
    mended.to_csv(tmp_path / "y.csv", index=False)
    check(tmp_path / "y.csv", long)
    (tmp_path / "z.txt").write_text(str(RNG.normal(size=(2000, 3))))
    with pytest.raises(LoadError, match="elided"):
        load_table(tmp_path / "z.txt")


def test_several_lists_are_tensors_of_which_one_is_named(tmp_path: Path) -> None:
    frame = pd.DataFrame({"t": WORDS, "title_list": V.tolist(), "body_list": V[:, :5].tolist()})
    frame.to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(LoadError, match="title_list, body_list; choose by --tensor"):
        load_table(tmp_path / "x.csv")
    assert load_table(tmp_path / "x.csv", tensor="body_list").vectors.shape == (N, 5)
    assert load_table(tmp_path / "x.csv", columns="body_list").vectors.shape == (N, 5)
    frame.columns = ["t", "embedding", "body_list"]
    frame.to_csv(tmp_path / "x.csv", index=False)
    assert load_table(tmp_path / "x.csv").name == "embedding"


def test_a_row_without_its_vector_is_missing_and_one_of_another_length_refused(
    tmp_path: Path,
) -> None:
    cells = [f'"[{join(", ", v)}]"' for v in V]
    cells[4], cells[5] = "", cells[5].replace("[", "[null, ").replace(cells[5][-10:], ']"')
    path = write(
        tmp_path, "x.csv", ["w,e", *[f"{w},{c}" for w, c in zip(WORDS, cells, strict=True)]]
    )
    assert load_table(path).nonfinite_rows().tolist() == [4, 5]
    cells[4] = '"[1.0, 2.0]"'
    path = write(
        tmp_path, "x.csv", ["w,e", *[f"{w},{c}" for w, c in zip(WORDS, cells, strict=True)]]
    )
    with pytest.raises(LoadError, match=r"x\.csv:6: a vector of 2 numbers, others have 8"):
        load_table(path)


# Words and numbers


@pytest.mark.parametrize(
    ("outer", "inner"),
    [("\t", " "), ("\t", ","), (" ", ","), (",", " "), (", ", " "), ("\t", ", ")],
)
@pytest.mark.parametrize("words", [WORDS, tuple(f"New York {i}x" for i in range(N))])
@pytest.mark.parametrize("header", [False, True])
def test_words_may_be_separated_otherwise_than_their_numbers(
    tmp_path: Path, outer: str, inner: str, words: tuple[str, ...], header: bool
) -> None:
    lines = [f"{w}{outer}{join(inner, v)}" for w, v in zip(words, V, strict=True)]
    table = check(write(tmp_path, "x.txt", [f"{N} 8"] * header + lines))
    assert table.metadata["label"] == words


def test_a_run_of_numbers_goes_before_the_columns_of_numbers_in_front_of_it(
    tmp_path: Path, said: pytest.LogCaptureFixture
) -> None:
    lines = [f"{10**15 + i}\t{-i}\t0\t1\t{join(',', v)}" for i, v in enumerate(V)]
    table = check(write(tmp_path, "pgl.tsv", lines))
    assert len(table.metadata) == 4
    assert "taking column 5 (8 numbers); as metadata: column 1, column 2" in said.text


@pytest.mark.parametrize("asked", ["csv", "glove", "tsv", "word2vec"])
def test_a_text_format_that_is_asked_for_loses_no_dimension(tmp_path: Path, asked: str) -> None:
    for outer, inner in (("\t", ","), (" ", ","), (",", " "), ("\t", " ")):
        lines = [f"{w}{outer}{join(inner, v)}" for w, v in zip(WORDS, V, strict=True)]
        path = write(tmp_path, "x.tsv", lines)
        try:
            table = load_table(path, input_format=asked)
        except EmbvizError:
            assert asked not in {"\t": ("tsv",), " ": ("glove",), ",": ("csv",)}[outer]
            continue
        np.testing.assert_array_equal(table.vectors, np.float32(V))
        assert table.metadata["label"] == WORDS


def test_a_label_may_end_in_a_number(tmp_path: Path) -> None:
    lines = [f"Sensor {i},{join(',', v)}" for i, v in enumerate(V)]
    assert check(write(tmp_path, "x.csv", lines)).label(7) == "Sensor 7"
    lines = [f"Sensor {i} {join(', ', v)}" for i, v in enumerate(V)]
    assert check(write(tmp_path, "y.csv", lines)).label(7) == "Sensor 7"


@pytest.mark.parametrize("header", [False, True])
def test_names_of_several_words_are_labels(tmp_path: Path, header: bool) -> None:
    names = ["United States", "World War II", "New York", "Leonardo da Vinci", "Paris"]
    labels = tuple(f"{names[i % 5]} {i}x" for i in range(N))
    lines = [f"{w} {join(' ', v)}" for w, v in zip(labels, V, strict=True)]
    table = check(write(tmp_path, "kb.vec", [f"{N} 8"] * header + lines))
    assert table.metadata == {"label": labels}
    numbered = tuple(f"chapter {i}" for i in range(N))
    lines = [f"{w} {join(' ', v)}" for w, v in zip(numbered, V, strict=True)]
    assert check(write(tmp_path, "n.vec", [f"{N} 8"] * header + lines)).metadata == {
        "label": numbered
    }


def test_a_header_of_other_dimensions_than_the_lines_have_is_refused_or_overruled(
    tmp_path: Path,
) -> None:
    path = write(
        tmp_path,
        "x.vec",
        [f"{N} 7", *[f"{w} {join(' ', v)}" for w, v in zip(WORDS, V, strict=True)]],
    )
    with pytest.raises(LoadError, match="says 7 dimensions, the lines below have 8"):
        load_table(path)
    check(path, columns="2-9")


# Counters, identifiers and classes


def frame() -> pd.DataFrame:
    return pd.DataFrame(V)


def with_first(**columns: object) -> pd.DataFrame:
    return pd.concat([pd.DataFrame(columns), frame()], axis=1)


PLAIN = {"index": False}
LEVELS = pd.MultiIndex.from_product([list("abc"), range(20)], names=["g", "n"])
TWICE = pd.MultiIndex.from_product([["a", "b"], range(4)])
CASES: dict[str, tuple[pd.DataFrame, dict[str, bool]]] = {
    "index": (frame(), {}),
    "saved twice": (with_first(**{"Unnamed: 0": range(N)}), PLAIN),
    "user": (with_first(user_id=range(7, 7 + N)), PLAIN),
    "film": (with_first(movieId=range(N), title=WORDS, year=[1990] * N), PLAIN),
    "counter": (frame(), {"header": False}),
    "class": (frame().assign(y=RNG.integers(0, 10, N)), {"header": False, "index": False}),
    "both": (frame().assign(y=RNG.integers(0, 10, N)), {"header": False}),
    "named index": (frame().rename_axis("customer_id").add_prefix("d"), {}),
    "levels": (frame().add_prefix("d").set_index(LEVELS), {}),
    "levels of columns": (frame().set_axis(TWICE, axis=1), {}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_what_counts_or_names_rows_is_no_dimension(
    tmp_path: Path, case: str, delimiter: str, said: pytest.LogCaptureFixture
) -> None:
    table, options = CASES[case]
    table.to_csv(tmp_path / "x.csv", sep=delimiter, **options)
    check(tmp_path / "x.csv")
    assert "8 columns are the vector; as metadata: column" in said.text
    assert "--columns changes that" in said.text


WHOLE = pd.DataFrame(RNG.integers(-50, 50, (N, 8)))
UNNAMED: dict[str, tuple[pd.DataFrame, dict[str, bool]]] = {
    "alone": (WHOLE, PLAIN),
    "row counter": (WHOLE, {}),
    "words for an index": (WHOLE.set_axis(WORDS), {}),
    "a user": (WHOLE.assign(user_id=range(7, 7 + N)), PLAIN),
    "four and words": (WHOLE.iloc[:, :4].assign(word=WORDS), PLAIN),
    "two frames": (pd.concat([WHOLE, WHOLE], axis=1), PLAIN),
    "two frames of fractions": (pd.concat([frame(), frame()], axis=1), PLAIN),
    "some columns of fractions": (frame().iloc[:, [1, 2, 5, 7]], PLAIN),
}


@pytest.mark.parametrize("case", UNNAMED)
def test_columns_that_a_data_frame_numbers_have_a_header(tmp_path: Path, case: str) -> None:
    table, options = UNNAMED[case]
    table.to_csv(tmp_path / "x.csv", **options)
    check(tmp_path / "x.csv", table.drop(columns=["user_id", "word"], errors="ignore").to_numpy())


SCALES = {
    "wavelengths": [400.5 + 0.7 * i for i in range(8)],
    "wave numbers": [4000 - 2 * i for i in range(8)],
    "times with words": [0.1 * i for i in range(8)],
}


@pytest.mark.parametrize("words", [True, False])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("case", SCALES)
def test_a_scale_of_the_columns_is_a_header(
    tmp_path: Path, case: str, delimiter: str, words: bool, said: pytest.LogCaptureFixture
) -> None:
    table = pd.DataFrame(V, columns=[f"{x:g}" for x in SCALES[case]])
    if words:
        table.insert(0, "sample", WORDS)
    decimal = "," if delimiter == ";" else "."
    table.to_csv(tmp_path / "x.csv", index=False, sep=delimiter, decimal=decimal)
    check(tmp_path / "x.csv")
    assert "the first line is column names" in said.text


def test_a_row_in_order_among_others_in_order_is_no_header(tmp_path: Path) -> None:
    ordered = np.sort(V, axis=1)
    path = write(tmp_path, "x.csv", [join(",", v) for v in [*ordered[:1], *V[1:5], *ordered[5:]]])
    check(path, np.concatenate([ordered[:1], V[1:5], ordered[5:]]))


def test_names_of_which_one_is_a_number_are_a_header(tmp_path: Path) -> None:
    table = frame().set_axis([*"abc", "2020", *"efgh"], axis=1)
    for name, words in (("x.csv", {}), ("y.csv", {"word": WORDS})):
        table.assign(**words).to_csv(tmp_path / name, index=False)
        check(tmp_path / name)
    write(tmp_path, "z.csv", ["1.5,x,7.5,3.5,4.5,5.5,6.5,2.5", *(join(",", v) for v in V)])
    with pytest.raises(LoadError, match="'x' is not a number"):
        load_table(tmp_path / "z.csv")


@pytest.mark.parametrize("place", [1, 8])
def test_tabs_within_labels_between_commas_are_no_delimiters(tmp_path: Path, place: int) -> None:
    rows = [[*map(str, v[:place]), f"x\t{i}", *map(str, v[place:])] for i, v in enumerate(V)]
    table = check(write(tmp_path, "x.csv", [",".join(row) for row in rows]))
    assert table.label(7) == "x\t7"


UNREAD = {
    "in single quotes": lambda v: f"'[{join(', ', v)}]'",
    "in quotes twice": lambda v: f'"[{join(", ", v)}]"',
    "in angle brackets": lambda v: f"<{join(', ', v)}>",
    "with keys": lambda v: " ".join(f"x{i}={x}" for i, x in enumerate(v)),
}


@pytest.mark.parametrize(
    ("form", "delimiter", "outer"),
    [("[{}]", ", ", outer) for outer in (",", ";", "\t")]
    + [("[{}]", inner, outer) for inner in ("; ", ";", "|", " ") for outer in (";", "\t")]
    + [("({})", ", ", ";")],
)
@pytest.mark.parametrize("ages", [True, False])
def test_lists_of_numbers_with_decimal_commas_are_refused(
    tmp_path: Path, form: str, delimiter: str, outer: str, ages: bool
) -> None:
    cells = [form.format(join(delimiter, v).replace(".", ",")) for v in V]
    table = pd.DataFrame({"word": WORDS, "vector": cells})
    table.assign(**{"age": range(N)} if ages else {}).to_csv(tmp_path / "x.csv", sep=outer)
    with pytest.raises(LoadError, match=r"decimal commas.*write them with decimal points"):
        load_table(tmp_path / "x.csv")


@pytest.mark.parametrize("form", UNREAD)
def test_a_vector_in_a_form_that_is_not_read_hides_behind_no_numbers(
    tmp_path: Path, form: str
) -> None:
    others = pd.DataFrame({"word": WORDS, "age": V[:, 0], "score": V[:, 1]})
    others.assign(emb=[UNREAD[form](v) for v in V]).to_csv(tmp_path / "x.csv", index=False)
    said = (
        r"column 'emb' holds 8 numbers a field in a form that is not read .*\[0\.1, 0\.2\]; --col"
    )
    with pytest.raises(LoadError, match=said) as e:
        load_table(tmp_path / "x.csv")
    (told,) = columns_told(str(e.value))
    check(tmp_path / "x.csv", V[:, :2], columns=told)


@pytest.mark.parametrize(("ends", "delimiter"), [("()", ", "), ("<>", ", "), ("<>", ",")])
def test_the_ends_of_a_vector_are_not_lost_in_its_brackets(
    tmp_path: Path, ends: str, delimiter: str
) -> None:
    lines = [f"{w} {ends[0]}{join(delimiter, v)}{ends[1]}" for w, v in zip(WORDS, V, strict=True)]
    path = write(tmp_path, "x.txt", lines)
    with pytest.raises(LoadError, match="holds one end of what may be the vector"):
        load_table(path)


def test_dates_places_and_addresses_are_no_vectors(tmp_path: Path) -> None:
    others = pd.DataFrame(
        {
            "time": [f"2020-01-{i % 28 + 1:02} 10:00:{i:02}.5" for i in range(N)],
            "box": [f"BOX({join(' ', v[:2])}, {join(' ', v[2:4])})" for v in V],
            "note": [f"of {i} (see p. 3)" for i in range(N)],
            "host": [f"192.168.0.{i}" for i in range(N)],
        }
    )
    frame().add_prefix("d").join(others).to_csv(tmp_path / "x.csv", index=False)
    assert list(check(tmp_path / "x.csv").metadata) == ["time", "box", "note", "host"]


@pytest.mark.parametrize("rows", ["in order", "permuted"])
def test_numbers_that_count_up_are_rows_where_other_rows_do(tmp_path: Path, rows: str) -> None:
    values = {
        "in order": np.arange(40).reshape(5, 8),
        "permuted": np.array([np.roll(np.arange(1, 9), i) for i in range(8)]),
    }[rows]
    lines = [",".join(f"{x:g}" for x in row) for row in values]
    check(write(tmp_path, "x.csv", lines), values)


def test_a_data_frame_between_blanks_has_a_short_header(tmp_path: Path) -> None:
    frame().add_prefix("d").to_csv(tmp_path / "x.txt", sep=" ")
    assert list(check(tmp_path / "x.txt").metadata) == ["row"]


def test_a_row_counter_can_be_taken_as_a_dimension(tmp_path: Path) -> None:
    frame().to_csv(tmp_path / "x.csv", header=False)
    whole = np.hstack([np.arange(N)[:, None], V])
    check(tmp_path / "x.csv", whole, columns="all")
    check(tmp_path / "x.csv", whole, columns="1-9")
    check(tmp_path / "x.csv", V[:, 2:5], columns="4-6")


@pytest.mark.parametrize("last", [True, False])
def test_what_only_a_person_can_know_is_asked_for_and_the_answers_work(
    tmp_path: Path, last: bool
) -> None:
    pixels = RNG.integers(0, 256, (200, 20))
    classes = RNG.integers(0, 10, (200, 1))
    whole = np.hstack([pixels, classes] if last else [classes, pixels])
    np.savetxt(tmp_path / "digits.csv", whole, fmt="%d", delimiter=",")
    with pytest.raises(
        LoadError, match="holds whole numbers, 0 to 9: a class, or a dimension"
    ) as e:
        load_table(tmp_path / "digits.csv")
    without, everything = columns_told(str(e.value))
    check(tmp_path / "digits.csv", pixels, columns=without)
    check(tmp_path / "digits.csv", whole, columns=everything)


def test_a_named_column_of_few_whole_numbers_is_asked_about(tmp_path: Path) -> None:
    wine = pd.DataFrame(V[:, :3], columns=["acid", "sugar", "ash"]).assign(quality=[3, 4, 5] * 20)
    wine.to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(LoadError, match="column 'quality' holds whole numbers, 3 to 5") as e:
        load_table(tmp_path / "x.csv")
    without, _ = columns_told(str(e.value))
    check(tmp_path / "x.csv", V[:, :3], columns=without)
    assert load_table(tmp_path / "x.csv", columns="-quality").metadata["quality"][1] == "4"


def test_classes_further_down_than_the_first_lines_are_seen(tmp_path: Path) -> None:
    many = RNG.normal(size=(40_000, 4)).round(4)
    classes = np.repeat([0, 1, 2, 3], 10_000)[:, None]
    np.savetxt(tmp_path / "x.csv", np.hstack([many, classes]), fmt="%g", delimiter=",")
    assert load_table(tmp_path / "x.csv").vectors.shape == (40_000, 4)


def test_scikit_learns_first_line_names_classes(tmp_path: Path) -> None:
    lines = [f"{join(',', v)},{i % 3}" for i, v in enumerate(V)]
    for names in ("a,b,c", "a,b,c,d,e,f,g", "a,b"):
        table = check(write(tmp_path, "x.csv", [f"{N},8,{names}", *lines]))
        assert table.metadata["class"][:4] == ("0", "1", "2", "0")


# What a user says


def test_columns_may_be_said_for_any_table(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    food(V.tolist()).assign(a=V[:, 0], b=V[:, 1]).to_csv(path, index=False)
    table = check(path, V[:, :2], columns="a,b")
    assert list(table.metadata) == ["ProductId", "Score", "Summary", "n_tokens"]
    assert load_table(path, columns="vector=a-b,label=Summary").label(0) == "ok, good\nbuy again"
    assert load_table(path, columns="Score,n_tokens").vectors.shape == (N, 2)
    check(path, columns="embedding,label=Summary")
    check(path, columns="5")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("embeding", "has no column 'embeding'; did you mean embedding; there are ProductId"),
        ("Summary", "holds text; columns of numbers are 2,4"),
        ("Score", "one column, where a vector needs two or more; columns of numbers are 2,4"),
        ("embedding,Score", "holds a list of numbers; name it alone"),
        ("Score-n_tokens", "holds text"),
        ("Score,n_tokens,label=Score", "cannot name the points as well"),
        ("9", "has no column '9'"),
        ("embedding,label=Score", "holds no words, which name the points; --label-by COLUMN"),
    ],
)
def test_columns_that_make_no_vector_are_refused(tmp_path: Path, asked: str, said: str) -> None:
    food(V.tolist()).to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(ParameterError) as e:
        load_table(tmp_path / "x.csv", columns=asked)
    assert said in str(e.value)


def test_columns_of_words_and_vectors_are_counted_with_the_word(tmp_path: Path) -> None:
    lines = [f"{w} {join(' ', v)}" for w, v in zip(WORDS, V, strict=True)]
    assert check(write(tmp_path, "x.txt", lines), V[:, :3], columns="2-4").label(5) == "w5"
    check(write(tmp_path, "x.vec", [f"{N} 8", *lines]), V[:, 1:], columns="-2")


# Numbers of other countries, and none


def comma(x: float) -> str:
    return f"{x:.4f}".replace(".", ",")


@pytest.mark.parametrize("delimiter", ["\t", ";", " "])
@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("first", ["", "names", "counts"])
def test_decimal_commas_are_read(
    tmp_path: Path, delimiter: str, labelled: bool, first: str
) -> None:
    lines = [
        delimiter.join([*([w] * labelled), *map(comma, v)]) for w, v in zip(WORDS, V, strict=True)
    ]
    names = delimiter.join([*(["word"] * labelled), *[f"d{i}" for i in range(8)]])
    path = write(tmp_path, "x.txt", {"": [], "names": [names], "counts": [f"{N} 8"]}[first] + lines)
    if first != "counts" or labelled:
        check(path)
    (tmp_path / "sep.csv").write_text(f"sep={delimiter}\n" + "\n".join(lines))
    if delimiter != " ":
        check(tmp_path / "sep.csv")


@pytest.mark.parametrize("delimiter", ["\t", ";", "|"])
def test_decimal_commas_with_exponents_are_no_labels(tmp_path: Path, delimiter: str) -> None:
    lines = [delimiter.join(f"{x:.4e}".replace(".", ",") for x in v) for v in V]
    assert check(write(tmp_path, "x.txt", lines)).metadata == {}


def test_decimal_commas_in_quotes_are_read_and_whole_numbers_among_them(tmp_path: Path) -> None:
    lines = [f'{w},"{comma(v[0])}","{comma(v[1])}"' for w, v in zip(WORDS, V, strict=True)]
    check(write(tmp_path, "q.csv", ["w,a,b", *lines]), V[:, :2])
    lines = [
        f"{w};{i};{2 * i};{comma(v[2])}" for i, (w, v) in enumerate(zip(WORDS, V, strict=True))
    ]
    n = np.arange(N)
    check(write(tmp_path, "i.csv", ["name;x;y;z", *lines]), np.stack([n, 2 * n, V[:, 2]], 1))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([",".join(map(comma, v)) for v in V], "commas between numbers and, it seems, within"),
        ([f'{w},"{1e5 + i:,.2f}","{2e5 + i:,.2f}"' for i, w in enumerate(WORDS)],
         r"has thousands separators.*thousands=','"),
        ([f"{w};{i + 1}.234,5;{i}.111,7" for i, w in enumerate(WORDS)], r"decimal=','"),
        ([f"{w};{i % 9 + 1},234;{i % 9 + 1},111" for i, w in enumerate(WORDS)],
         "may have a decimal comma or"),
    ],
)  # fmt: skip
def test_numbers_that_cannot_be_told_are_refused(
    tmp_path: Path, lines: list[str], said: str
) -> None:
    with pytest.raises(LoadError, match=said):
        load_table(write(tmp_path, "x.csv", lines))


def test_commas_and_points_in_numbers_of_one_table_are_refused(tmp_path: Path) -> None:
    lines = [";".join([w, *map(comma, v[:7]), str(v[7])]) for w, v in zip(WORDS, V, strict=True)]
    with pytest.raises(LoadError, match="7 columns have commas in numbers and 1 points"):
        load_table(write(tmp_path, "x.csv", lines))


def test_a_comma_in_few_columns_is_text(tmp_path: Path) -> None:
    lines = ["\t".join([f"{i},5", *map(str, v)]) for i, v in enumerate(V)]
    assert check(write(tmp_path, "x.tsv", lines)).label(3) == "3,5"


def test_decimal_commas_may_be_missing(tmp_path: Path) -> None:
    lines = [";".join(["NA" if i == 5 else comma(x) for x in v]) for i, v in enumerate(V)]
    assert load_table(write(tmp_path, "x.csv", lines)).nonfinite_rows().tolist() == [5]


def test_commas_between_whole_numbers_can_be_said_to_be_nothing_else(tmp_path: Path) -> None:
    path = write(
        tmp_path, "x.csv", [f"{i},0{i % 90 + 10},{i + 3},0{i % 80 + 11}" for i in range(N)]
    )
    with pytest.raises(LoadError) as e:
        load_table(path)
    (answer,) = columns_told(str(e.value))
    assert load_table(path, columns=answer).vectors[3].tolist() == [3, 13, 6, 14]


@pytest.mark.parametrize("missing", ["", "NA", "NULL", "None", "NaN", "N/A", "null", "<NA>"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_what_is_missing_is_a_row_that_is_not_finite(
    tmp_path: Path, missing: str, delimiter: str
) -> None:
    table = frame().add_prefix("d").set_axis(list(WORDS))
    table.iloc[5, 3] = np.nan
    table.to_csv(tmp_path / "x.csv", sep=delimiter, na_rep=missing)
    loaded = load_table(tmp_path / "x.csv")
    assert loaded.vectors.shape == (N, 8)
    assert loaded.nonfinite_rows().tolist() == [5]
    assert np.isnan(loaded.vectors[5, 3])


def test_a_column_with_gaps_or_nothing_in_it_is_no_dimension(
    tmp_path: Path, said: pytest.LogCaptureFixture
) -> None:
    table = frame().add_prefix("d").assign(age=[float(i) if i % 3 else np.nan for i in range(N)])
    table.assign(comment=np.nan).to_csv(tmp_path / "x.csv", index=False)
    loaded = check(tmp_path / "x.csv")
    assert loaded.metadata == {"age": tuple("" if i % 3 == 0 else f"{i}.0" for i in range(N))}
    assert "column 'comment' is empty" in said.text
    plain = pd.DataFrame(V[:, :3], columns=list("abc")).assign(score=table["age"])
    plain.to_csv(tmp_path / "y.csv", index=False)
    check(tmp_path / "y.csv", V[:, :3])
    assert "column 'score' (with gaps)" in said.text


def test_delimiters_at_the_end_of_lines_mean_nothing(tmp_path: Path) -> None:
    rows = [join(",", v) for v in V]
    names = ",".join("abcdefgh")
    for first in ([], [names], [names + ","]):
        check(write(tmp_path, "x.csv", first + [row + "," for row in rows]))
        check(write(tmp_path, "y.csv", [*first, *rows]))
        check(
            write(tmp_path, "z.csv", first + [row + "," * (i == 40) for i, row in enumerate(rows)])
        )


# Quotes


def test_r_quotes_its_texts_and_they_are_taken_off(tmp_path: Path) -> None:
    for name, delimiter in (("x.tsv", "\t"), ("y.txt", " "), ("z.csv", ",")):
        lines = [
            delimiter.join([f'"say ""{w}"" {i}"', *map(str, v)])
            for i, (w, v) in enumerate(zip(WORDS, V, strict=True))
        ]
        for names in (delimiter.join(f'"V{i}"' for i in range(8)), ""):
            table = check(write(tmp_path, name, [names, *lines]))
            assert table.label(3) == 'say "w3" 3'


def test_quotes_that_data_frames_write_where_they_must_are_taken_off(tmp_path: Path) -> None:
    labels = ['say "hi"', "plain", "tab\there", "two\nlines"] * 15
    pd.DataFrame({"label": labels}).join(frame().add_prefix("d")).to_csv(
        tmp_path / "x.tsv", sep="\t", index=False
    )
    assert check(tmp_path / "x.tsv").metadata["label"] == tuple(labels)
    late = ["plain"] * 59 + ['say "hi"']
    pd.DataFrame({"label": late}).join(frame().add_prefix("d")).to_csv(
        tmp_path / "y.tsv", sep="\t", index=False
    )
    assert check(tmp_path / "y.tsv").label(59) == 'say "hi"'


@pytest.mark.parametrize("delimiter", ["\t", " ", ","])
def test_quotes_that_belong_to_labels_stay(tmp_path: Path, delimiter: str) -> None:
    labels = [f'"scientific article {i}"@en-gb' for i in range(N)]
    if delimiter != ",":
        lines = [delimiter.join([w, *map(str, v)]) for w, v in zip(labels, V, strict=True)]
        assert check(write(tmp_path, "wd.txt", lines)).metadata["label"] == tuple(labels)
    tokens = ['"', "''", "word", 'a"b', '"'] * 12
    lines = [delimiter.join([w, *map(str, v)]) for w, v in zip(tokens, V, strict=True)]
    assert check(write(tmp_path, "x.txt", lines)).metadata["label"] == tuple(tokens)


def test_a_quote_that_would_swallow_rows_is_refused(tmp_path: Path) -> None:
    lines = [f"w{i},{i}.5,{i}.25" for i in range(3000)]
    lines[2500], lines[2700] = '",0.5,0.25', '",0.5,0.25'
    with pytest.raises(
        LoadError, match=r"x\.csv:2501: a quote is opened and closed on another line"
    ):
        load_table(write(tmp_path, "x.csv", lines))


# Lines that can be read in part


def strict_refuses(path: Path) -> str:
    with pytest.raises(LoadError) as e:
        load_table(path, strict=True)
    return str(e.value)


def test_a_label_that_is_not_utf8_is_shown_so_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "cut.vec"
    rows = "".join(f"w{i} 0.5 0.25\n" for i in range(100)).encode()
    path.write_bytes(b"102 2\n" + "水水".encode()[:5] + b" 1 2\n\x97 3 4\n" + rows)
    table = load_table(path)
    assert table.metadata["label"][:3] == ("水\ufffd", "\ufffd", "w0")
    assert table.vectors[:3].tolist() == [[1, 2], [3, 4], [0.5, 0.25]]
    assert "cut.vec:2: 2 lines are not UTF-8" in caplog.text
    assert "cut.vec:2: not UTF-8 (byte 0xe6" in strict_refuses(path)


def test_a_file_of_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.vec"
    path.write_bytes("3 2\nMüller 1 2\nSøren 3 4\nabc 5 6\n".encode("latin-1"))
    with pytest.raises(
        LoadError, match=r"x\.vec:2: not UTF-8 .*as 2 of 3 labels are; save .*iconv"
    ):
        load_table(path)
    path.write_text(path.read_bytes().decode("latin-1"), encoding="utf-8")
    assert load_table(path).label(1) == "Søren"


@pytest.mark.parametrize("header", ["8 3\n", ""])
def test_a_blank_token_is_an_empty_label(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, header: str
) -> None:
    path = tmp_path / "x.vec"
    path.write_text(header + "king 0.5 1 2\n 3 4 5\n  6 7 8\nqueen 9 9 9\n" + "x 1 2 3\n" * 4)
    table = load_table(path)
    assert [label.strip() for label in table.metadata["label"][:4]] == ["king", "", "", "queen"]
    assert table.vectors[:4, 0].tolist() == [0.5, 3, 6, 9]
    assert "2 lines have numbers and no label" in caplog.text
    assert "3 columns found and no label" in strict_refuses(path)


def test_a_header_that_miscounts_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [f"w{i} 1 2 3 {i}" for i in range(99)]
    path = write(tmp_path, "x.vec", ["100 4", *rows])
    assert load_table(path).vectors.shape == list_tensors(path)[0].shape == (99, 4)
    assert "x.vec:1: the header says 100 rows, the file has 99, which are taken" in caplog.text
    assert "is the file whole" in strict_refuses(path)
    path = write(tmp_path, "y.vec", ["90 4", *rows])
    assert load_table(path).vectors.shape == list_tensors(path)[0].shape == (99, 4)
    path = write(tmp_path, "z.vec", ["99 4", *rows, *rows])
    assert load_table(path).vectors.shape == list_tensors(path)[0].shape == (99, 4)
    assert "which repeat labels; the first 99 are taken" in caplog.text


def test_a_carriage_return_in_a_label_ends_no_line_where_line_feeds_do(tmp_path: Path) -> None:
    path = tmp_path / "cr.vec"
    path.write_bytes(b"3 2\nking 1 2\nfoo\rbar 3 4\nqueen 5 6\n")
    assert load_table(path).metadata["label"] == ("king", "foo\rbar", "queen")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("stop", ["", "\x1a"])
def test_files_of_spreadsheets_are_read_in_their_encodings(
    tmp_path: Path, encoding: str, end: str, stop: str
) -> None:
    lines = ["wort\ta\tb"] + [f"Wört{i}\t{i}.5\t{i}.25" for i in range(N)]
    path = tmp_path / "x.txt"
    path.write_bytes((end.join(lines) + end + stop).encode(encoding))
    n = np.arange(N)
    assert check(path, np.stack([n + 0.5, n + 0.25], 1)).label(7) == "Wört7"
    path.write_bytes("".join(line + end for line in lines * 3000)[: 1 << 19].encode(encoding)[:-3])
    with pytest.raises(LoadError, match=r"x\.txt"):
        load_table(path)
