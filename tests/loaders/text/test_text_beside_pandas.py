"""Tables as pandas, csv and R write them, with any options, read as pandas reads them."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz.errors import EmbvizError
from embviz.loaders import list_tensors, load_table
from embviz.loaders.text.chunks import TextSource

texts = st.text(
    st.one_of(
        st.sampled_from("abc \"',;\t\n|[]-é1."),
        st.characters(blacklist_categories=("Cs", "Cc"), max_codepoint=0x2FFF),
    ),
    min_size=1,
    max_size=12,
).map(lambda t: "x" + t.replace("\r", "").rstrip("\t "))  # else a number's place is unclear
numbers = st.floats(-1e6, 1e6, width=32).map(lambda x: x or 0.25)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Draw a table of words and fractions of at least twelve rows."""
    n, d = draw(st.integers(12, 40)), draw(st.integers(3, 6))
    seed = draw(st.integers(0, 2**32 - 1))
    values = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    few = draw(st.lists(texts, min_size=1, max_size=5))
    words = [f"{few[i % len(few)]}{i}" for i in range(n)]
    frame = pd.DataFrame(values).add_prefix("d")
    frame.insert(draw(st.integers(0, d)), "word", words)
    return frame


options = st.fixed_dictionaries(
    {
        "sep": st.sampled_from([",", ";", "\t", "|"]),
        "index": st.booleans(),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC, csv.QUOTE_ALL]),
        "lineterminator": st.sampled_from(["\n", "\r\n"]),
        "float_format": st.sampled_from([None, "%.9g", "%.8e", "%.12f"]),
        "header": st.booleans(),
    }
)


@settings(max_examples=60, deadline=None)
@given(frames(), options, st.booleans())
def test_a_data_frame_is_read_as_pandas_reads_it(
    frame: pd.DataFrame, written: dict[str, object], wide: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.csv")
        encoding = "utf-16" if wide else "utf-8"
        frame.to_csv(path, encoding=encoding, **written)  # type: ignore[call-overload]
        wanted = pd.read_csv(
            path,
            sep=written["sep"],
            header=0 if written["header"] else None,
            index_col=0 if written["index"] else None,
            encoding=encoding,
        )
        table = load_table(path)
        numeric = wanted.select_dtypes("number").to_numpy()
        np.testing.assert_array_equal(table.vectors, numeric.astype(np.float32))
        words = tuple(wanted.select_dtypes(exclude="number").iloc[:, 0])
        assert words in table.metadata.values()
        assert list_tensors(path)[0].shape == numeric.shape


@settings(max_examples=40, deadline=None)
@given(frames(), options, st.sampled_from(["list", "numpy", "blanks"]))
def test_a_list_in_a_data_frame_is_read_as_it_was(
    frame: pd.DataFrame, written: dict[str, object], how: str
) -> None:
    vectors = frame.select_dtypes("number").to_numpy().astype(np.float32)
    write = {
        "list": lambda v: str(v.tolist()),
        "numpy": lambda v: np.array2string(v, max_line_width=24, floatmode="unique"),
        "blanks": lambda v: " ".join(map(str, v)),
    }[how]
    other = frame[["word", "d0"]].assign(embedding=[write(v) for v in vectors])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.csv")
        other.to_csv(path, **written)  # type: ignore[call-overload]
        table = load_table(path)
        np.testing.assert_array_equal(table.vectors, vectors)
        assert tuple(frame["word"]) in table.metadata.values()


@settings(max_examples=30, deadline=None)
@given(frames(), st.sampled_from([" ", "\t", ","]), st.booleans(), st.booleans())
def test_what_r_writes_is_read(
    frame: pd.DataFrame, sep: str, row_names: bool, col_names: bool
) -> None:
    # write.table: texts in quotes, those within escaped as "" (qmethod = "double"), a short header.
    def quote(text: object) -> str:
        return '"' + str(text).replace('"', '""') + '"'

    if sep == " ":
        frame["word"] = [word.replace("\n", " ") for word in frame["word"]]
    lines = [sep.join(map(quote, frame.columns))] if col_names else []
    for i, row in enumerate(frame.itertuples(index=False), 1):
        fields = [quote(x) if isinstance(x, str) else repr(float(x)) for x in row]
        lines.append(sep.join([quote(i)] * row_names + fields))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.txt")
        path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
        table = load_table(path)
        np.testing.assert_array_equal(table.vectors, frame.select_dtypes("number").to_numpy())
        assert tuple(frame["word"]) in table.metadata.values()


@settings(max_examples=30, deadline=None)
@given(frames(), st.integers(1, 300), st.sampled_from([",", ";", "\t"]))
def test_chunks_of_any_size_hold_whole_records(
    frame: pd.DataFrame, chunk_bytes: int, sep: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.csv")
        frame.to_csv(path, sep=sep, index=False)
        with path.open(newline="", encoding="utf-8") as file:
            records = list(csv.reader(file, delimiter=sep))
        before, found = 1, []
        for chunk, number in TextSource(path, chunk_bytes).chunks(sep.encode()):
            assert number == before
            before += chunk.count(b"\n") + chunk.count(b"\0")
            found += chunk.decode().split("\n")[:-1]
        assert len(found) == len(records)


@settings(max_examples=50, deadline=None)
@given(frames(), st.data())
def test_whatever_is_done_to_a_table_no_dimension_is_lost_without_a_word(
    frame: pd.DataFrame, data: st.DataObject
) -> None:
    sep = data.draw(st.sampled_from([",", ";", "\t", " "]))
    words = [str(w).replace("\n", "_") for w in frame.pop("word")]
    inner = data.draw(st.sampled_from([",", ";", " ", ", ", sep]))
    lines = [
        w.replace(sep, "_").replace('"', "'") + "z" + sep + inner.join(map(str, v))
        for w, v in zip(words, frame.to_numpy(), strict=True)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.txt")
        path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
        try:
            table = load_table(path)
        except EmbvizError:
            return
        np.testing.assert_array_equal(table.vectors, frame.to_numpy())
