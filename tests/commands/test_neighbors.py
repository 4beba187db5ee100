"""`embviz neighbors` and `embviz info` on the terminal."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz.commands.neighbors.neighbors import neighbors

NAMES = ["king", "man", "woman", "queen", "apple", "pear", "king"]


@pytest.fixture
def source(tmp_path: Path) -> tuple[str, ...]:
    vectors = np.array(
        [[3, 1, 0], [1, 1, 0], [1, -1, 0.1], [3, -1, 0.1], [0, 0.5, 3], [0.1, 0.4, 3], [3, 1, 0.2]],
        np.float32,
    )
    np.save(tmp_path / "x.npy", vectors)
    (tmp_path / "x.tsv").write_text("".join(f"{n}\n" for n in NAMES))
    return ("--source", "x.npy", "--metadata", "x.tsv")


def labels(ran: Any) -> list[str]:
    """The labels of a TSV answer."""
    return [line.split("\t")[1] for line in ran.stdout.splitlines()[1:]]


def test_neighbors_lists_the_nearest_first_with_their_rows(run: Any, source: Any) -> None:
    ran = run("neighbors", "apple", *source, "-k", "2", "--format", "tsv")
    assert ran.status == 0
    rows = [line.split("\t") for line in ran.stdout.splitlines()]
    assert rows[0] == ["query", "label", "row", "distance"]
    assert [row[1] for row in rows[1:]] == ["pear", "man"]
    assert [row[2] for row in rows[1:]] == ["5", "1"]
    a, b = np.array([0, 0.5, 3]), np.float32([0.1, 0.4, 3]).astype(float)
    cosine = 1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert float(rows[1][3]) == pytest.approx(cosine, abs=1e-6)


def test_arithmetic_leaves_its_operands_out(run: Any, source: Any) -> None:
    for words in (["king - man + woman"], ["king", "-", "man", "+", "woman"]):
        ran = run("neighbors", *words, *source, "-k", "1")
        assert labels(ran) == ["queen"], ran.stderr


def test_a_label_that_begins_with_a_blank_is_asked_in_quotes(run: Any, tmp_path: Path) -> None:
    vectors = np.array([[1, 0], [1, 1], [0, 1], [9, 1], [1, 9]], np.float32)
    np.save(tmp_path / "t.npy", vectors)
    (tmp_path / "t.txt").write_text(" king\nking\n man\n' queen\n'it'\n")
    given = ["--source", "t.npy", "--metadata", "t.txt", "-k", "1"]
    for query, near in (("' king'", "' queen"), ("'it'", " man"), ("' king' + ' man'", "king")):
        ran = run("neighbors", query, *given)
        assert ran.stdout.splitlines()[1].split("\t")[:2] == [query, near], ran.stderr
    ran = run("neighbors", "man", *given)
    assert "close to it: ' man'" in ran.stderr
    assert run("neighbors", "' man'", *given).status == 0


def test_several_words_are_answered_one_after_the_other(run: Any, source: Any) -> None:
    ran = run("neighbors", "apple", "man", *source, "-k", "1", "--format", "json")
    answers = json.loads(ran.stdout)
    assert [(a["query"], a["neighbors"][0]["label"]) for a in answers] == [
        ("apple", "pear"),
        ("man", "king"),
    ]


def test_a_label_of_several_points_is_told_and_a_row_number_works(run: Any, source: Any) -> None:
    ran = run("neighbors", "king", *source, "-k", "1")
    assert "'king' is the label of 2 points" in ran.stderr
    assert labels(run("neighbors", "5", *source, "-k", "1")) == ["apple"]


def test_more_neighbors_than_there_are_gives_all_and_says_so(run: Any, source: Any) -> None:
    ran = run("neighbors", "apple", *source, "-k", "50")
    assert len(labels(ran)) == 6
    assert "-k 50: there are 6 other points; all are listed" in ran.stderr


def test_an_unknown_label_is_refused_with_the_closest(run: Any, source: Any) -> None:
    ran = run("neighbors", "quen", *source)
    assert (ran.status, ran.stdout) == (2, "")
    assert "close to it: queen" in ran.stderr


@pytest.mark.parametrize("place", ["environment", "toml", "above", "logdir"])
def test_the_source_is_found_where_none_is_named(
    run: Any, source: Any, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if place == "environment":
        monkeypatch.setenv("EMBVIZ_SOURCE", "x.npy")
        assert labels(run("neighbors", "4", "-k", "1")) == ["row 5"]
        return
    if place == "logdir":
        lines = ["\t".join(map(str, row)) for row in np.load(tmp_path / "x.npy").tolist()]
        (tmp_path / "log").mkdir()
        (tmp_path / "log/v.tsv").write_text("\n".join(lines) + "\n")
        (tmp_path / "x.tsv").rename(tmp_path / "log/x.tsv")
        (tmp_path / "log/projector_config.pbtxt").write_text(
            'embeddings { tensor_name: "t" tensor_path: "v.tsv" metadata_path: "x.tsv" }'
        )
        assert labels(run("neighbors", "apple", "-k", "1")) == ["pear"]
        return
    (tmp_path / "embviz.toml").write_text('source = "x.npy"\nmetadata = "x.tsv"\n')
    if place == "toml":
        assert labels(run("neighbors", "apple", "-k", "1")) == ["pear"]
        return
    import subprocess
    import sys

    (tmp_path / "a/b").mkdir(parents=True)
    command = [sys.executable, "-m", "embviz", "neighbors", "apple", "-k", "1"]
    ran = subprocess.run(command, cwd=tmp_path / "a/b", capture_output=True, text=True, check=True)
    assert labels(ran) == ["pear"]


def test_without_a_source_the_four_places_are_named(run: Any) -> None:
    ran = run("neighbors", "apple")
    assert ran.status == 2
    for place in ("--source", "EMBVIZ_SOURCE", "embviz.toml", "index or projector logdir"):
        assert place in ran.stderr


def test_a_file_among_the_questions_is_told_to_have_been_taken_for_one(
    run: Any, source: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("my words.npy", np.eye(4, dtype=np.float32))
    ran = run("neighbors", "apple", "my words.npy")
    assert ran.status == 2
    assert "my words.npy was taken for a question" in ran.stderr
    assert ran.stderr.endswith("write --source 'my words.npy'\n")


def test_info_lists_tensors_and_marks_the_one_that_would_be_taken(run: Any, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", table=np.zeros((4, 3), np.float16), bias=np.zeros(3))
    ran = run("info", "x.npz")
    assert ran.status == 0
    marked = [line.split() for line in ran.stdout.splitlines() if line.startswith("*")]
    assert marked[0][:6] == ["*", "table", "4", "×", "3", "float16"]
    listed = json.loads(run("info", "x.npz", "--format", "json").stdout)
    assert {t["name"]: t["taken"] for t in listed} == {"table": True, "bias": False}


def test_info_names_a_tensor_only_where_there_is_one_to_be_named(run: Any, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", king=np.zeros(4), queen=np.zeros(4))
    assert run("info", "x.npz").stderr == "No tensor is a table\n"
    np.savez(tmp_path / "x.npz", king=np.zeros((4, 2)), queen=np.zeros((4, 2)))
    assert run("info", "x.npz").stderr == "No tensor would be taken without --tensor NAME\n"


def test_a_pattern_in_quotes_is_the_files_that_match(run: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "x1.npy", np.eye(3))
    np.save(tmp_path / "x2.npy", np.eye(3))
    assert run("info", "x*.npy").stdout.split()[:5] == ["*", "x1", "6", "×", "3"]
    refused = run("info", "y*.npy")
    assert refused.status == 1
    assert refused.stderr.endswith("y*.npy: no file or folder matches; see which are there: ls .\n")


def test_help_has_an_example_for_every_command(run: Any) -> None:
    for command in ((), ("project",), ("neighbors",), ("index",), ("info",), ("demo",)):
        ran = run(*command, "--help")
        assert ran.status == 0
        assert "Example:\n" in ran.stdout


def test_a_table_with_aligned_columns_is_for_a_terminal_and_tsv_for_a_pipe(
    run: Any, source: Any
) -> None:
    piped = run("neighbors", "apple", *source, "-k", "2").stdout.splitlines()
    assert piped[0] == "query\tlabel\trow\tdistance"
    shown = run("neighbors", "apple", *source, "-k", "2", "--format", "text").stdout.splitlines()
    assert [line.split()[0] for line in shown] == ["pear", "man"]
    assert shown[0].index("row") == shown[1].index("row")


@pytest.mark.skipif(not hasattr(__import__("os"), "openpty"), reason="needs a pseudo-terminal")
def test_bars_are_as_long_as_the_distances_on_a_terminal(
    source: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os
    import subprocess
    import sys

    monkeypatch.chdir(tmp_path)
    master, slave = os.openpty()
    command = [sys.executable, "-m", "embviz", "neighbors", "apple", *source, "-k", "3"]
    environment = {**os.environ, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}
    subprocess.run(command, stdout=slave, stderr=subprocess.DEVNULL, env=environment, check=True)
    os.close(slave)
    lines = os.read(master, 1 << 16).decode().splitlines()
    os.close(master)
    bars = [line.count("█") for line in lines]
    distances = [float(line.split()[1]) for line in lines]
    assert bars[-1] == 16
    assert bars[0] == int(16 * distances[0] / distances[-1])


def test_chosen_columns_stand_beside_each_neighbor(run: Any, source: Any, tmp_path: Path) -> None:
    rows = "".join(f"{name}\t{i * i}\tkind {i % 2}\n" for i, name in enumerate(NAMES))
    (tmp_path / "more.tsv").write_text("name\tsquare\tkind\n" + rows)
    given = (
        "--source",
        "x.npy",
        "--metadata",
        "more.tsv",
        "--column",
        "square",
        "--column",
        "kind",
    )
    ran = run("neighbors", "apple", *given, "-k", "1")
    assert ran.stdout.splitlines()[1].split("\t")[4:] == ["25", "kind 1"]
    found = json.loads(run("neighbors", "apple", *given, "-k", "1", "--format", "json").stdout)
    assert found[0]["neighbors"][0]["metadata"] == {"square": "25", "kind": "kind 1"}
    refused = run("neighbors", "apple", *given[:4], "--column", "color")
    assert refused.status == 2
    assert "'name', 'square', 'kind'" in refused.stderr


def test_a_selection_is_searched_alone(run: Any, source: Any) -> None:
    ran = run("neighbors", "apple", *source, "--select", "king")
    assert labels(ran) == ["king", "king"]
    assert "--select: 'king' matches 2 points" in ran.stderr
    far = run("neighbors", "apple", *source, "--select", "=woman", "--farthest")
    assert labels(far) == ["woman"]
    assert run("neighbors", "apple", *source, "--select", "zebra").status == 2


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_the_farthest_come_first_of_all_distances(
    run: Any, source: Any, tmp_path: Path, metric: str
) -> None:
    from scipy.spatial.distance import cdist

    ran = run("neighbors", "queen", *source, "--farthest", "--metric", metric)
    rows = [line.split("\t") for line in ran.stdout.splitlines()[1:]]
    vectors = np.load(tmp_path / "x.npy").astype(float)
    truth = cdist(vectors[3:4], vectors, metric)[0]
    order = [i for i in np.argsort(-truth) if i != 3]
    assert [int(row[2]) for row in rows] == order
    np.testing.assert_allclose([float(row[3]) for row in rows], truth[order], rtol=1e-5)


def test_points_along_the_way_lie_near_their_places_on_it(run: Any, tmp_path: Path) -> None:
    angles = np.linspace(0, 1.2, 25)
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * (1 + np.arange(25))[:, None]
    np.save(tmp_path / "arc.npy", points)
    ran = run("neighbors", "--between", "0", "24", "--source", "arc.npy", "-k", "3")
    rows = [line.split("\t") for line in ran.stdout.splitlines()[1:]]
    assert [row[2] for row in rows] == ["6", "12", "18"]
    assert [float(row[4]) for row in rows] == [0.25, 0.5, 0.75]
    same = run("neighbors", "--between", "3", "3", "--source", "arc.npy")
    assert (same.status, "are one point" in same.stderr) == (2, True)


def test_lines_of_a_file_are_answered_and_those_that_cannot_be_are_told(
    run: Any, source: Any, tmp_path: Path
) -> None:
    (tmp_path / "asked.txt").write_text("apple\nzebra\n\nking - man + woman\n6\n")
    ran = run("neighbors", "--batch", "asked.txt", *source, "-k", "1")
    rows = [line.split("\t") for line in ran.stdout.splitlines()[1:]]
    assert [(row[0], row[1]) for row in rows] == [
        ("apple", "pear"),
        ("king - man + woman", "queen"),
        ("6", "king"),
    ]
    assert ran.status == 2
    assert "line 2: 'zebra': is the label of none of 7 points" in ran.stderr
    assert "1 of 5 lines have no answer" in ran.stderr


def test_each_line_of_standard_input_is_answered_before_the_next_is_read(
    source: Any, tmp_path: Path
) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "embviz", "neighbors", "--batch", "-", *source]
    with subprocess.Popen(
        [*command, "-k", "1", "--format", "json"],
        cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as asked:  # fmt: skip
        assert asked.stdin is not None
        assert asked.stdout is not None
        for word, expected in (("apple", "pear"), ("queen", "woman")):
            asked.stdin.write(word + "\n")
            asked.stdin.flush()
            answer = json.loads(asked.stdout.readline())
            assert (answer["query"], answer["neighbors"][0]["label"]) == (word, expected)
        asked.stdin.close()
    assert asked.returncode == 0


def test_neighbors_of_all_points_go_into_a_file(run: Any, source: Any, tmp_path: Path) -> None:
    ran = run("neighbors", "--all", "-k", "2", *source, "-o", "all.npz")
    assert ran.status == 0, ran.stderr
    with np.load(tmp_path / "all.npz") as found:
        assert found["neighbors"].shape == (7, 2)
        assert float(found["recall"]) == 1
        one = run("neighbors", "3", *source, "-k", "2").stdout.splitlines()[1:]
        assert found["neighbors"][3].tolist() == [int(line.split("\t")[2]) for line in one]
    assert run("neighbors", "--all", "-k", "2", *source, "-o", "all.tsv").status == 0
    lines = (tmp_path / "all.tsv").read_text().splitlines()
    assert len(lines) == 1 + 7 * 2
    assert lines[1].split("\t")[:2] == ["0", "king"]
    assert not list(tmp_path.glob(".all*"))
    assert "7 points, exact" in ran.stderr


def test_neighbors_from_cells_are_not_called_exact(
    tmp_path: Path, monkeypatch: Any, caplog: Any
) -> None:
    monkeypatch.setattr("embviz.questions.all_points.EXACT_COST", 0)
    np.save(tmp_path / "y.npy", np.random.default_rng(0).normal(size=(300, 8)))
    files = ["--source", str(tmp_path / "y.npy"), "-o", str(tmp_path / "y.npz")]
    asked = ["--all", "-k", "5", *files]
    with caplog.at_level(logging.INFO, "embviz"):
        neighbors.main(asked, standalone_mode=False)
    told = caplog.text
    assert "300 points, 100.0 % of the true ones on a sample" in told
    assert "exact" not in told
    caplog.clear()
    with caplog.at_level(logging.INFO, "embviz"):
        neighbors.main([*asked, "--exact"], standalone_mode=False)
    assert "300 points, exact" in caplog.text


def test_a_zero_vector_is_told_once_and_no_hub(run: Any, tmp_path: Path) -> None:
    vectors = np.random.default_rng(1).normal(size=(500, 50))
    vectors[[7, 400]] = 0
    np.save(tmp_path / "y.npy", vectors)
    ran = run("neighbors", "--all", "-k", "5", "--source", "y.npy", "-o", "y.npz")
    assert ran.stderr.count("2 zero vectors have no direction") == 1
    with np.load(tmp_path / "y.npz") as found:
        assert not np.isin(found["neighbors"], [7, 400])[np.arange(8, 400)].any()
        assert (found["distances"][[7, 400]] == 1).all()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("king", "--batch", "x"), "QUERY and --batch"),
        (("--all",), "--all and -o FILE"),
        (("king", "-o", "x.npz"), "--all and -o FILE"),
        (("--all", "-o", "x.csv"), "no known format"),
        (("king", "--recall", "1.5"), "above 0 and at most 1"),
        (("--all", "-o", "x.npy"), "no known format"),
        (("--batch", "none.txt"), "No such file"),
        (("king - king",), "cancel out"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    run: Any, source: Any, arguments: tuple[str, ...], told: str
) -> None:
    ran = run("neighbors", *arguments, *source)
    assert ran.status in (1, 2)
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr


def test_rows_that_are_not_finite_can_be_left_out(run: Any, source: Any, tmp_path: Path) -> None:
    vectors = np.load(tmp_path / "x.npy")
    vectors[5, 0] = np.nan
    np.save(tmp_path / "x.npy", vectors)
    refused = run("neighbors", "apple", *source)
    assert (refused.status, "the first is row 5" in refused.stderr) == (1, True)
    ran = run("neighbors", "apple", *source, "-k", "1", "--drop-nonfinite")
    assert labels(ran) == ["man"]
    assert ran.stdout.splitlines()[1].split("\t")[2] == "1"
    assert "1 row with NaN or infinity was left out" in ran.stderr


@pytest.mark.parametrize("labelled", [True, False])
def test_a_row_that_was_left_out_is_told_from_one_that_never_was(
    run: Any, source: Any, tmp_path: Path, labelled: bool
) -> None:
    vectors = np.load(tmp_path / "x.npy")
    vectors[[2, 5], 0] = np.nan
    np.save(tmp_path / "x.npy", vectors)
    given = ["--metadata", "x.tsv"] if labelled else []
    made = run("index", "x.npy", *given, "--drop-nonfinite", "-o", "idx")
    assert "2 rows with NaN or infinity were left out" in made.stderr
    for asked in (["idx"], ["x.npy", *given, "--drop-nonfinite"]):
        ran = run("neighbors", "5", "--source", *asked)
        told = f"embviz: row 5: was left out of {asked[0]}; --drop-nonfinite leaves out rows"
        assert (ran.status, told in ran.stderr) == (2, True), ran.stderr
        ran = run("neighbors", "99", "--source", *asked)
        assert (ran.status, "left out of" in ran.stderr) == (2, False)
        assert run("neighbors", "6", "-k", "1", "--source", *asked).status == 0


def test_a_query_that_looks_like_an_option_is_told_the_way_out(run: Any, source: Any) -> None:
    ran = run("neighbors", *source, "- pear + man + apple")
    assert (ran.status, "put -- before an argument that begins with -" in ran.stderr) == (2, True)
    assert run("neighbors", *source, "--", "- pear + man + apple").status == 0
    assert "put --" not in run("neighbors", "--sorce", "x.npy").stderr


def test_one_match_is_one_point(run: Any, source: Any) -> None:
    ran = run("neighbors", "apple", *source, "--select", "=pear")
    assert "--select: '=pear' matches 1 point\n" in ran.stderr


def test_the_one_index_here_is_asked(run: Any, source: Any) -> None:
    made = run("index", "x.npy", "--metadata", "x.tsv", "-o", "idx")
    assert made.status == 0, made.stderr
    assert "Ask it: embviz neighbors king" in made.stderr
    assert labels(run("neighbors", "apple", "-k", "1")) == ["pear"]
    run("index", "x.npy", "-o", "idx2")
    both = run("neighbors", "apple")
    assert both.status == 2
    assert "2 indexes are here (idx, idx2" in both.stderr


def test_a_parquet_file_holds_each_pair_and_how_it_was_found(
    run: Any, source: Any, tmp_path: Path
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    ran = run("neighbors", "--all", "-k", "2", *source, "-o", "all.parquet")
    assert ran.status == 0, ran.stderr
    table = parquet.read_table(tmp_path / "all.parquet")
    assert [(f.name, str(f.type)) for f in table.schema] == [
        ("row", "int64"),
        ("label", "string"),
        ("neighbor_row", "int64"),
        ("neighbor_label", "string"),
        ("distance", "float"),
    ]
    assert table.schema.metadata == {b"metric": b"cosine", b"recall": b"1.0"}
    run("neighbors", "--all", "-k", "2", *source, "-o", "all.npz")
    found, columns = np.load(tmp_path / "all.npz"), table.to_pydict()
    assert columns["row"] == np.repeat(found["rows"], 2).tolist()
    assert columns["neighbor_row"] == found["neighbors"].ravel().tolist()
    assert columns["distance"] == found["distances"].ravel().tolist()
    assert columns["label"] == [NAMES[i] for i in columns["row"]]
    assert columns["neighbor_label"] == [NAMES[i] for i in columns["neighbor_row"]]


@pytest.mark.parametrize("style", ["tsv", "json", "text"])
def test_a_full_or_closed_standard_output_is_told(source: Any, tmp_path: Path, style: str) -> None:
    import os
    import subprocess
    import sys

    command = [sys.executable, "-m", "embviz", "neighbors", "apple", *source, "-k", "2"]
    command += ["--format", style]
    if Path("/dev/full").exists():
        with open("/dev/full", "w") as full:
            ran = subprocess.run(
                command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True
            )
        assert (ran.returncode, ran.stderr) == (
            1,
            "embviz: standard output: cannot be written: No space left on device\n",
        )
    if os.name == "posix":
        ran = subprocess.run(
            ["sh", "-c", 'exec "$@" >&-', "sh", *command],
            cwd=tmp_path, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert (ran.returncode, ran.stderr) == (1, "embviz: standard output: is closed\n")


def test_what_is_no_terminal_gets_utf_8_whatever_the_system_writes(
    tmp_path: Path, source: Any
) -> None:
    import os
    import subprocess
    import sys

    (tmp_path / "x.tsv").write_text("\n".join(["日本", *NAMES[1:]]) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "embviz", "neighbors", "man", *source, "-k", "1"]
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, env=environment, check=True)
    assert "日本" in ran.stdout.decode("utf-8")


def test_a_byte_order_mark_and_lines_that_are_no_text_do_not_stop_a_batch(
    run: Any, source: Any, tmp_path: Path
) -> None:
    lines = [b"\xef\xbb\xbfapple\r", b"\xff", b"a" * 200_000, b"6"]
    (tmp_path / "asked.txt").write_bytes(b"\n".join(lines))
    ran = run("neighbors", "--batch", "asked.txt", *source, "-k", "1")
    assert [line.split("\t")[:2] for line in ran.stdout.splitlines()[1:]] == [
        ["apple", "pear"],
        ["6", "king"],
    ]
    assert "asked.txt:2: not UTF-8" in ran.stderr
    assert "asked.txt:3: a line of more than 65536 bytes" in ran.stderr
    assert (ran.status, "2 of 4 lines have no answer" in ran.stderr) == (2, True)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("source = 7", "source = 7 is no name"),
        ('source = ""', "source = '' is no name"),
        ('source = "x.npy"\nmetadata = 5', "metadata = 5 is no name"),
        ('source = "x.npy"\nlabel_by = ["a"]', "label_by = ['a'] is no name"),
        ('source = "x.npy"\ndrop-unused = "no"', "drop-unused = 'no' is neither true nor false"),
        ('sorce = "x.npy"', "'sorce' is no option; close to it: source"),
        ('source = "x.npy"\nmetdata = "x.tsv"', "'metdata' is no option; close to it: metadata"),
        ('source = "x.npy"\n[neighbors]\nk = 3', "[neighbors] is none of the tables [project],"),
        ('source = "x.npy"\n[[project]]\nseed = 3', "[project] is none of the tables"),
    ],
)
def test_a_setting_that_names_nothing_or_that_no_command_knows_is_refused(
    run: Any, source: Any, tmp_path: Path, setting: str, told: str
) -> None:
    (tmp_path / "embviz.toml").write_text(setting)
    ran = run("neighbors", "5")
    assert (ran.status, ran.stderr.startswith(f"embviz: embviz.toml: {told}")) == (1, True)


def test_settings_of_other_commands_are_passed_over(run: Any, source: Any, tmp_path: Path) -> None:
    (tmp_path / "embviz.toml").write_text(
        'source = "x.npy"\nmetadata = "x.tsv"\nperplexity = 5\nmax-side = 8\n[sprite]\nx = 1\n'
    )
    assert labels(run("neighbors", "apple", "-k", "1")) == ["pear"]


def test_neighbors_are_those_of_the_table_that_the_settings_describe(
    run: Any, tmp_path: Path
) -> None:
    words = [("a", 1, 0), ("b", 0, 1), ("c", 1, 9), ("d", "nan", 1)]
    lines = "".join(f"{w},{x},{y},7\n" for w, x, y in words)
    (tmp_path / "x.data").write_text("word,x,y,z\n" + lines)
    (tmp_path / "kinds.tsv").write_text("token\tkind\na\tword\nb\tunused\nc\tword\nd\tword\n")
    (tmp_path / "embviz.toml").write_text(
        'source = "x.data"\nmetadata = "kinds.tsv"\ninput-format = "csv"\ncolumns = "x,y"\n'
        'drop-unused = true\ndrop_nonfinite = true\nlabel-by = "token"\n'
    )
    ran = run("neighbors", "a", "--metric", "euclidean")
    assert ran.stdout.splitlines()[1:] == ["a\tc\t2\t9"]
    assert "1 row that no token has was left out" in ran.stderr


@pytest.mark.parametrize("n", [2, 3, 4])
def test_the_first_three_of_several_sources_are_named(run: Any, tmp_path: Path, n: int) -> None:
    for i in range(n):
        (tmp_path / f"i{i}").mkdir()
        (tmp_path / f"i{i}/embviz-index.json").write_text("{}")
    named = {2: "(i0, i1)", 3: "(i0, i1, i2)", 4: "(i0, i1, i2, …)"}[n]
    assert f"{n} indexes are here {named}" in run("neighbors", "5").stderr


def test_a_nearer_configuration_without_a_source_does_not_hide_one_above(
    run: Any, source: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "embviz.toml").write_text('source = "x.npy"\nmetadata = "x.tsv"\n')
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/embviz.toml").write_text('method = "tsne"\n')
    monkeypatch.chdir(tmp_path / "sub")
    assert labels(run("neighbors", "apple", "-k", "1")) == ["pear"]


def test_a_tensor_that_is_not_there_is_a_request_that_cannot_be_met(
    run: Any, source: Any, tmp_path: Path
) -> None:
    np.savez(tmp_path / "x.npz", table=np.zeros((4, 3)), other=np.zeros((4, 3)))
    (tmp_path / "v.tsv").write_text("1\t2\n3\t4\n")
    for name in ("x.npy", "x.npz", "v.tsv"):
        ran = run("neighbors", "1", "--source", name, "--tensor", "nope")
        assert (ran.status, ran.stdout) == (2, ""), name
        assert ran.stderr.startswith("embviz: tensor 'nope': ")
    assert "table" in run("neighbors", "1", "--source", "x.npz", "--tensor", "nope").stderr
