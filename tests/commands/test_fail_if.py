"""`--fail-if` of `embviz project`, and what `--json` does where something is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz.commands.shared.outcome import Outcome, file_entry
from embviz.commands.shared.verdict import Verdict
from embviz.errors import ParameterError
from embviz.expressions import parse_condition
from embviz.model import EmbeddingTable
from embviz.pictures.figures import parse_picture_condition, picture_figures
from embviz.pictures.plan import Plan
from embviz.projections import PCA

N = 60
FLAT = """
import dataclasses
import numpy as np
import embviz

@dataclasses.dataclass(frozen=True)
class Flat:
    def project(self, table):
        return embviz.Projection("flat", np.asarray(table.vectors[:, :2], np.float32),
            stats={"spread": float(np.ptp(table.vectors)), "told": "no number"})
"""
TSNE = ["--method", "tsne", "--iterations", "20", "--dims", "2"]


@pytest.fixture
def words(tmp_path: Path) -> str:
    vectors = np.random.default_rng(0).normal(size=(N, 6)).astype(np.float32)
    np.save(tmp_path / "words.npy", vectors)
    return "words.npy"


def test_a_condition_that_holds_exits_with_3_after_all_was_written(
    run: Any, words: str, tmp_path: Path
) -> None:
    condition = "trustworthiness < 2 and tsne.2.kl_divergence > 0 and not pca.variance_share > 1"
    given = ["--save-coordinates", "c.tsv", "-o", "out.html", "--json", "--fail-if", condition]
    ran = run("project", words, *TSNE, *given)
    assert ran.status == 3
    found = json.loads(ran.stdout)
    assert [entry["path"] for entry in found["files"]] == ["out.html", "c.tsv"]
    assert all((tmp_path / entry["path"]).is_file() for entry in found["files"])
    assert found["fail_if"]["holds"] is True
    asked = ["trustworthiness", "tsne.2.kl_divergence", "pca.variance_share"]
    said = ", ".join(f"{name} is {found['figures'][name]:.4g}" for name in asked)
    assert ran.stderr.endswith(f"embviz: --fail-if {condition}: {said}\n")
    ran = run("project", words, *TSNE, "-o", "out.html", "--fail-if", "trustworthiness > 2")
    assert ran.status == 0


@pytest.mark.parametrize(
    ("condition", "there"),
    [
        ("speed < 1", "tsne.kl_divergence, tsne.unsettled, pca.neighbors_kept, pca.variance_share"),
        ("umap.trustworthiness < 1", "figures are neighbors_kept, trustworthiness"),
        ("pca.kl_divergence < 1", ""),
        ("tsne-2.kl_divergence < 1", ""),
        ("tsne.3.trustworthiness < 1", ""),
        ("tsne.4.trustworthiness < 1", ""),
        ("kept_from_previous < 1", ""),
        ("trustworthiness", "it ends too early"),
        ("__import__('os') < 1", "is not understood"),
        ("1 < 2", "it asks for no figure"),
    ],
)
def test_what_is_not_known_is_refused_before_anything_is_read(
    run: Any, tmp_path: Path, condition: str, there: str
) -> None:
    ran = run("project", "no.npy", *TSNE, "-o", "out.html", "--json", "--fail-if", condition)
    assert (ran.status, ran.stdout) == (2, "")
    assert ran.stderr.count("\n") == 1
    assert ran.stderr.startswith("embviz: --fail-if ")
    assert there in ran.stderr


def test_a_figure_of_another_packages_projector_is_looked_for_when_it_has_run(
    run: Any, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "flat_map.py").write_text(FLAT)
    monkeypatch.syspath_prepend(str(tmp_path))
    given = ["--method", "flat_map:Flat", "-o", "out.html", "--fail-if"]
    for name in ("stress", "flat.told", "told"):
        ran = run("project", words, *given, f"{name} < 1")
        assert ran.status == 2
        assert f"there is no figure '{name}' here" in ran.stderr
    assert "pca.variance_share" in ran.stderr
    assert not (tmp_path / "out.html").exists()
    ran = run("project", words, *given, "flat.spread >= 0 and spread > 0")
    assert ran.status == 3, ran.stderr


def test_a_figure_that_so_few_points_do_not_have_is_refused_before_they_are_projected(
    run: Any, words: str, tmp_path: Path
) -> None:
    ran = run("project", words, *TSNE, "-o", "out.html", "--fail-if", "trustworthiness50 < 1")
    assert ran.status == 2
    assert "trustworthiness50 needs 101 points, and there are 60" in ran.stderr
    assert "t-SNE:" not in ran.stderr
    assert not (tmp_path / "out.html").exists()


def test_a_tab_of_several_of_one_method_has_its_own_figures(run: Any, words: str) -> None:
    methods = [f"tsne:perplexity={p},n_components=2,iterations=20" for p in (5, 10)]
    given = [x for method in methods for x in ("--method", method)]
    ran = run(
        "project", words, *given, "-o", "o.html", "--json", "--fail-if", "tsne-2.kl_divergence > 0"
    )
    assert ran.status == 3, ran.stderr
    figures = json.loads(ran.stdout)["figures"]
    assert (
        figures["kl_divergence"] == figures["tsne.kl_divergence"] != figures["tsne-2.kl_divergence"]
    )


def test_a_run_has_figures_of_its_steps(run: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(N, 6))
    for step in range(3):
        np.save(tmp_path / f"emb_{step}.npy", vectors)
        vectors = vectors + rng.normal(size=vectors.shape) * 0.3
    names = [f"emb_{step}.npy" for step in range(3)]
    given = ["--steps", "all", "-o", "o.html", "--json", "--fail-if", "kept_from_previous < 1"]
    ran = run("project", *names, *given)
    assert ran.status == 3, ran.stderr
    found = json.loads(ran.stdout)
    each = [step["figures"]["kept_from_previous"] for step in found["steps"]]
    assert each[0] is None
    assert found["figures"]["kept_from_previous"] == each[2]
    assert found["figures"]["kept_from_previous_min"] == min(each[1:])
    assert found["figures"]["kept_from_previous_mean"] == pytest.approx(sum(each[1:]) / 2)
    assert found["figures"]["kept_of_last"] == found["steps"][0]["figures"]["kept_of_last"]
    assert found["steps"][0]["shape"] == [N, 6]
    assert found["steps"][0]["left_out"]["unmatched"] == 0


def test_names_of_a_plan_are_known_before_its_pictures_are() -> None:
    plan = Plan(methods=["umap", "umap:density=true"], with_pca=False)
    assert parse_picture_condition("densmap.density_correlation < 1", plan).names
    assert parse_picture_condition("umap.trustworthiness_se < 1", plan).names
    assert parse_picture_condition("motion < 1", plan, of_run=True).names
    assert parse_picture_condition("placed.trustworthiness < 1", plan, placed=True).names
    with pytest.raises(ParameterError, match="there is no figure"):
        parse_picture_condition("placed.speed < 1", plan, placed=True)
    for text in (
        "pca.trustworthiness < 1",
        "motion < 1",
        "placed.trustworthiness < 1",
        "density_correlation < 1",
    ):
        with pytest.raises(ParameterError, match="there is no figure"):
            parse_picture_condition(text, plan)


def test_a_figure_of_a_comparison_that_cannot_be_had_is_refused_before_it_is_compared(
    run: Any, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    for name, shape in (("a.npy", (40, 4)), ("b.npy", (40, 5))):
        np.save(tmp_path / name, rng.normal(size=shape))
    for figure, why in (
        ("overlap50", "needs 52 points in both, and there are 40"),
        ("procrustes_residual", "needs vectors of one width, and they have 4 and 5"),
    ):
        ran = run("compare", "a.npy", "b.npy", "--json", "--fail-if", f"{figure} < 1")
        assert (ran.status, ran.stdout) == (2, "")
        assert ran.stderr == f"embviz: figure {figure}: {why}; leave it out\n"


@pytest.mark.parametrize(
    "command",
    [
        ["project", "words.npy", "-o", "-"],
        ["project", "words.npy", "-o", "o.html", "--figure", "/dev/stdout"],
        ["project", "words.npy", "-o", "o.html", "--save-coordinates", "/dev/fd/1"],
        ["demo", "-o", "-"],
        ["compare", "words.npy", "words.npy", "--save-changes", "-"],
        ["compare", "words.npy", "words.npy", "-o", "-"],
        ["neighbors", "--source", "words.npy", "--all", "-o", "-"],
        ["sprite", "images", "-o", "s.png", "--labels", "-"],
    ],
    ids=" ".join,
)
def test_an_output_where_the_object_goes_is_refused(
    run: Any, words: str, command: list[str], tmp_path: Path
) -> None:
    ran = run(*command, "--json")
    assert (ran.status, ran.stdout) == (2, "")
    assert "the standard output has the object of --json" in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["words.npy"]


def test_the_file_that_standard_output_is_redirected_to_is_no_output(
    words: str, tmp_path: Path
) -> None:
    with (tmp_path / "o.html").open("wb") as out:
        ran = subprocess.run(
            [sys.executable, "-m", "embviz", "project", words, "-o", "o.html", "--json"],
            cwd=tmp_path, stdout=out, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert ran.returncode == 2
    assert b"the standard output has the object" in ran.stderr
    assert (tmp_path / "o.html").read_bytes() == b""


def test_an_error_leaves_nothing_on_the_standard_output(run: Any, words: str) -> None:
    for command in (
        ["project", "missing.npy", "-o", "o.html"],
        ["info", "missing.npy"],
        ["neighbors", "nobody", "--source", words],
        ["index", words, "-o", "no/folder"],
        ["sprite", "none", "-o", "s.png"],
        ["export", words, "-o", "no/folder"],
    ):
        ran = run(*command, "--json")
        assert ran.status in (1, 2)
        assert ran.stdout == ""
        assert ran.stderr.splitlines()[-1].startswith("embviz: ")


def test_lines_of_a_batch_without_an_answer_stand_in_the_object(
    run: Any, words: str, tmp_path: Path
) -> None:
    (tmp_path / "lines.txt").write_text("3\nnobody\n5\n")
    ran = run("neighbors", "--source", words, "--batch", "lines.txt", "-k", "2", "--json")
    assert ran.status == 2
    found = json.loads(ran.stdout)
    assert [answer["rows"] for answer in found["answers"]] == [[3], [5]]
    assert len(found["refused"]) == 1
    assert found["refused"][0].startswith("line 2: ")


def test_one_of_format_and_json_is_given(run: Any, words: str) -> None:
    for command in (["info", words], ["neighbors", "3", "--source", words]):
        ran = run(*command, "--json", "--format", "json")
        assert (ran.status, ran.stdout) == (2, "")
        assert "--format: cannot be combined with --json; give one" in ran.stderr


def test_rows_that_were_left_out_are_counted_by_why(run: Any, words: str, tmp_path: Path) -> None:
    vectors = np.load(tmp_path / words)
    vectors[[1, 7]] = np.nan
    np.save(tmp_path / "gaps.npy", vectors)
    (tmp_path / "labels.txt").write_text("".join(f"w{i}\n" for i in range(50)))
    given = [
        "--metadata",
        "labels.txt",
        "--unlabeled",
        "drop",
        "--drop-nonfinite",
        "--sample",
        "20",
    ]
    ran = run("project", "gaps.npy", *given, "-o", "o.html", "--json")
    found = json.loads(ran.stdout)
    assert found["sources"][0]["shape"] == [N, 6]
    left_out = {"nonfinite": 2, "unlabeled": 10, "unused": 0}
    assert found["counts"] == {"read": N, "left_out": left_out, "chosen": 20, "matches": []}
    assert "gaps.npy: 2 rows with NaN or infinity were left out" in found["warnings"]
    assert not any(line.startswith("Wrote") for line in found["warnings"])


def test_a_reader_that_has_gone_does_not_hide_that_a_condition_holds(
    words: str, tmp_path: Path
) -> None:
    given = ["-o", "o.html", "--json"]
    for condition, status in (("total_variance > 0", 3), ("total_variance < 0", 0)):
        read, write = os.pipe()
        os.close(read)
        ran = subprocess.run(
            [sys.executable, "-m", "embviz", "project", words, *given, "--fail-if", condition],
            cwd=tmp_path, stdout=write, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
        os.close(write)
        assert ran.returncode == status, ran.stderr
        assert (b"total_variance is " in ran.stderr) is bool(status)


def test_a_browser_that_is_opened_says_nothing_on_the_standard_output(
    words: str, tmp_path: Path
) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "embviz", "project", words, "-o", "o.html", "--json", "--open"],
        cwd=tmp_path, env={**os.environ, "BROWSER": "echo %s"}, capture_output=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["parameters"]["open"] is True


def test_what_is_no_number_of_json_is_null() -> None:
    figures = {"a": np.float32(np.nan), "b": (np.inf, np.int64(3)), "c": np.arange(2)}
    found = Outcome(command="info", figures=figures).as_object()
    assert found["figures"] == {"a": None, "b": [None, 3], "c": [0, 1]}


def test_a_pipe_has_neither_size_nor_checksum(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    entry = file_entry(tmp_path / "pipe")
    assert (entry["bytes"], entry["sha256"]) == (None, None)


def test_a_verdict_without_a_condition_never_holds() -> None:
    verdict = Verdict(None, {})
    with verdict.failing():
        pass
    assert (verdict.holds, verdict.as_object()) == (False, None)
    with pytest.raises(ParameterError, match="there is no figure 'b' here"):
        Verdict(parse_condition("b < 1", ["b"]), {"a": 1.0})


def test_figures_of_projections_that_were_not_measured_are_those_of_the_method() -> None:
    table = EmbeddingTable(np.random.default_rng(0).normal(size=(9, 4)))
    figures = picture_figures([PCA().project(table)])
    assert {name for name in figures if "." not in name} == {"variance_share", "total_variance"}


def test_rows_of_a_step_that_the_last_one_has_not_are_counted(run: Any, tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(N, 6))
    vectors[3] = np.nan
    for step, n in ((1, N), (2, N - 5)):
        lines = [
            f"w{i}\t" + "\t".join(map(repr, row)) for i, row in enumerate(vectors[:n].tolist())
        ]
        (tmp_path / f"emb_{step}.tsv").write_text("\n".join(lines) + "\n")
    given = ["--steps", "all", "--drop-nonfinite", "-o", "o.html", "--json"]
    ran = run("project", "emb_1.tsv", "emb_2.tsv", *given)
    assert ran.status == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["steps"][0]["shape"] == [N - 6, 6]
    # The last step has no point 3, so that the first one's is no point of the run.
    assert found["steps"][0]["left_out"]["unmatched"] == 6
    assert found["counts"]["left_out"]["nonfinite"] == 1


def test_the_page_is_the_same_with_and_without_what_is_for_programs(
    run: Any, words: str, tmp_path: Path
) -> None:
    run("project", words, "-o", "o.html")
    page = (tmp_path / "o.html").read_bytes()
    more = ["--json", "--summary", "s.md", "--fail-if", "total_variance > 0"]
    assert run("project", words, "-o", "o.html", *more).status == 3
    assert (tmp_path / "o.html").read_bytes() == page


def test_a_condition_and_a_summary_may_stand_in_the_settings(
    run: Any, words: str, tmp_path: Path
) -> None:
    settings = ['fail-if = "total_variance > 0"', 'summary = "s.md"', "json = true"]
    (tmp_path / "embviz.toml").write_text("\n".join(["[project]", *settings]) + "\n")
    ran = run("project", words, "-o", "o.html", "--config", "embviz.toml")
    assert ran.status == 3, ran.stderr
    found = json.loads(ran.stdout)
    assert found["fail_if"]["condition"] == "total_variance > 0"
    assert found["files"][-1]["path"] == "s.md"
    assert found["parameters"]["label_by"] is None


def test_options_that_were_left_open_stand_as_they_are_in_force(
    run: Any, words: str, tmp_path: Path
) -> None:
    (tmp_path / "labels.tsv").write_text("id\tword\n" + "".join(f"{i}\tw{i}\n" for i in range(N)))
    given = ["--metadata", "labels.tsv", "--neighbors-of", "w3", "-o", "o.html", "--json"]
    found = json.loads(run("project", words, *given).stdout)
    assert (found["parameters"]["k"], found["parameters"]["label_by"]) == (100, "word")
    assert (found["counts"]["read"], found["counts"]["chosen"]) == (N, N)
