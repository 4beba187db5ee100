"""Hostile files of a few hundred kilobytes cost time that grows with their size, not its square.

Each of the first took more than ten seconds, and most of them minutes, when they were found.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from embviz.commands.shared.settings import read_config as read_settings
from embviz.errors import EmbvizError, LoadError
from embviz.loaders import list_tensors, load_table
from embviz.loaders.projector.config import read_config as read_projector_config
from embviz.questions.points import open_points

SECONDS = 3.0


@pytest.fixture
def quick() -> Callable[[Callable[[], object]], None]:
    """Run something that ends, by an error of ours or not, within some seconds of one CPU."""

    def run(read: Callable[[], object]) -> None:
        started = time.process_time()
        with suppress(EmbvizError):
            read()
        assert time.process_time() - started < SECONDS

    return run


Quick = Callable[[Callable[[], object]], None]


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    path = tmp_path / "x.npy"
    np.save(path, np.arange(15, dtype=np.float32).reshape(5, 3))
    return path


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_metadata_of_many_columns(tmp_path: Path, vectors: Path, quick: Quick) -> None:
    file = write(tmp_path / "m.tsv", "\t".join(f"c{i}" for i in range(100_000)) + "\n")
    quick(lambda: load_table(vectors, metadata=file))


def test_a_label_whose_quote_every_line_may_close(
    tmp_path: Path, vectors: Path, quick: Quick
) -> None:
    file = write(tmp_path / "m.csv", '"a\n' + 'b",c"d,"e\n' * 40_000)
    quick(lambda: load_table(vectors, metadata=file))


def test_an_object_of_json_with_a_key_twice(tmp_path: Path, quick: Quick) -> None:
    keys = ",".join(f'"k{i}":1' for i in range(150_000))
    file = write(tmp_path / "x.jsonl", f'{{"a":[1,2],{keys},"k149999":1}}\n')
    quick(lambda: load_table(file))


@pytest.mark.parametrize("cell", ["(" + "1" * 200_000 + "x", "x " + "1" * 200_000 + "y"])
def test_a_field_of_many_digits(tmp_path: Path, quick: Quick, cell: str) -> None:
    quick(lambda: load_table(write(tmp_path / "x.csv", f"{cell},0.5,0.25\n" * 4)))


def test_text_columns_that_have_no_names(tmp_path: Path, quick: Quick) -> None:
    line = ",".join(["a"] * 20_000 + ["0.5", "0.25"]) + "\n"
    quick(lambda: load_table(write(tmp_path / "x.csv", line * 4)))


def test_a_printed_array_full_of_blanks(tmp_path: Path, quick: Quick) -> None:
    cell = '"array(' + " " * 100_000 + 'x"'
    quick(lambda: load_table(write(tmp_path / "x.csv", "id,v\n" + f"a,{cell}\n" * 3)))


def test_a_line_with_a_long_run_of_blanks(tmp_path: Path, quick: Quick) -> None:
    lines = "a 0.5 0.25 0.125\n" * 60 + "b" + " " * 200_000 + "0.5 0.25 0.125\n"
    quick(lambda: load_table(write(tmp_path / "x.txt", lines)))


def test_a_feature_with_many_explanations(tmp_path: Path, quick: Quick) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "params.npz", W_dec=rng.random((20, 4)), W_enc=rng.random((4, 20)))
    texts = [{"index": 0, "description": str(i)} for i in range(50_000)]
    file = write(tmp_path / "e.json", json.dumps(texts))
    quick(lambda: load_table(tmp_path / "params.npz", metadata=file))


def test_tensors_that_may_all_be_scales_of_each_other(tmp_path: Path, quick: Quick) -> None:
    n = 12_000
    header = {
        f"e{i}_scale": {"dtype": "I8", "shape": [1, 1], "data_offsets": [i, i + 1]}
        for i in range(n)
    }
    raw = json.dumps(header).encode()
    file = tmp_path / "x.safetensors"
    file.write_bytes(len(raw).to_bytes(8, "little") + raw + bytes(n))
    quick(lambda: list_tensors(file))


def test_many_arrays_that_are_no_labels(tmp_path: Path, quick: Quick) -> None:
    flat, table = io.BytesIO(), io.BytesIO()
    np.save(flat, np.arange(5))
    np.save(table, np.ones((5, 3)))
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        for i in range(2_500):
            archive.writestr(f"bias{i}.npy", flat.getvalue())
        archive.writestr("emb.npy", table.getvalue())
    quick(lambda: load_table(tmp_path / "x.npz"))


def test_columns_asked_of_a_wide_table(tmp_path: Path, quick: Quick) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = {f"c{i}": [0.5, 0.25] * 10 for i in range(1_000)}
    parquet.write_table(pa.table(columns), tmp_path / "x.parquet")
    quick(lambda: load_table(tmp_path / "x.parquet", columns="-c3"))


@pytest.mark.parametrize("depth", [200, 800, 5_000])
@pytest.mark.parametrize("value", ["[", '{"a":'])
def test_deep_json_is_read_or_refused_in_one_line(
    tmp_path: Path, vectors: Path, depth: int, value: str
) -> None:
    end = "]" if value == "[" else "}"
    deep = value * depth + ("" if value == "[" else "1") + end * depth
    lines = write(tmp_path / "x.jsonl", f'{{"vec":[1,2],"a":{deep}}}\n' * 5 + '{"vec":[1,2]}\n' * 6)
    assert load_table(lines).n_points == 6
    with suppress(LoadError):
        load_table(vectors, metadata=write(tmp_path / "m.jsonl", f'{{"a":{deep}}}\n' * 5))
    with pytest.raises(LoadError):
        load_table(write(tmp_path / "y.jsonl", f"{deep}\n" * 5))


@pytest.mark.parametrize("n_columns", [30_000, 100_000])
def test_metadata_of_many_columns_with_rows(
    tmp_path: Path, vectors: Path, quick: Quick, n_columns: int
) -> None:
    names = "\t".join(f"c{i}" for i in range(n_columns)) + "\n"
    file = write(tmp_path / "m.tsv", names + ("\t".join(["1"] * n_columns) + "\n") * 5)
    quick(lambda: open_points(vectors, metadata=file).columns.label)


def test_metadata_of_too_many_columns_is_refused(tmp_path: Path, vectors: Path) -> None:
    file = write(tmp_path / "m.tsv", "\t" * 100_000 + "\n" + "\n" * 5)
    with pytest.raises(LoadError, match="100,001 columns, more than 100,000"):
        load_table(vectors, metadata=file)


@pytest.mark.parametrize(
    "text",
    [
        "embeddings { metadata_path: " + '"a"' * 250_000 + " }",
        "embeddings { metadata_path: " + '"a"' * 400_000 + " }",
        ";" * 15_000_000,
        "a:b " * 3_000_000,
        "x: [" + "1," * 5_000_000 + "1]",
        "[" + "a/" * 200_000 + "a]: 1",
    ],
    ids=["joined", "joined too long", "signs", "fields", "list", "extension"],
)
def test_a_config_of_many_signs(tmp_path: Path, quick: Quick, text: str) -> None:
    write(tmp_path / "projector_config.pbtxt", text)
    quick(lambda: list_tensors(tmp_path))


def test_unknown_fields_of_a_config_are_told_a_few_times(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = write(tmp_path / "projector_config.pbtxt", "".join(f"f{i}: 1\n" for i in range(5000)))
    read_projector_config(config)
    assert len(caplog.messages) == 9
    assert caplog.messages[0].endswith("pbtxt:1: unknown field 'f0' is passed over")
    assert caplog.messages[-1].endswith("so are 4,992 more unknown fields")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = " + "[" * 3000, "nested too deeply"),
        ("a = " + "9" * 5000, "is not TOML"),
        ("a" + ".a" * 100_000 + " = 1", "more than 1,000 dots"),
        ("#" * (5 << 20), "more than 4,194,304 bytes"),
    ],
    ids=["nested", "digits", "dots", "long"],
)
def test_settings_of_others(tmp_path: Path, quick: Quick, text: str, said: str) -> None:
    file = write(tmp_path / "embviz.toml", text)
    quick(lambda: read_settings(file))
    with pytest.raises(LoadError, match=said):
        read_settings(file)
