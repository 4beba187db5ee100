"""`--clusters` and `--save-clusters`: clusters of the map, or the classes of a column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embviz
from embviz import EmbeddingTable, ParameterError, Projection, Report, ReportOptions
from embviz.preview import write_preview
from embviz.report.parting import part_points
from tests.commands.test_project import manifest_of

KINDS = ["apple", "bear", "car", "door", "eel", "fox"]
EACH = 60
TURNS = 2 * np.pi * np.arange(6) / 6
CENTERS = 20 * np.stack([np.cos(TURNS), np.sin(TURNS)], axis=1)
NOISE = np.random.default_rng(0).normal(size=(6 * EACH, 2))
PLACES = (np.repeat(CENTERS, EACH, 0) + NOISE).astype(np.float32)
LABELS = [f"{kind} number {i}" for kind in KINDS for i in range(EACH)]
SOURCE = ("v.npy", "--metadata", "v.tsv", "--method", "none", "-o", "o.html")
COLUMN = "cluster"


@pytest.fixture
def points(tmp_path: Path) -> Path:
    np.save(tmp_path / "v.npy", PLACES)
    rows = [f"{label}\t{i % 7}\t{i / 2}" for i, label in enumerate(LABELS)]
    (tmp_path / "v.tsv").write_text("\n".join(["text\tday\tscore", *rows, ""]))
    return tmp_path


def partitions(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = manifest_of(path / "o.html")["partitions"]
    return found


def test_clusters_of_the_map_travel_as_a_column_and_in_a_table(points: Path, run: Any) -> None:
    told = run("project", *SOURCE, "--save-clusters", "c.tsv", "--json")
    assert told.status == 0, told.stderr
    first, days = partitions(points)
    assert sorted(first["names"]) == KINDS
    assert (first["column"], first["kind"], first["drawn"]) == (COLUMN, "clusters", True)
    assert (first["sizes"], first["measured"]) == ([EACH] * 6, 6 * EACH)
    assert min(first["inside"]) > 0.9
    assert (days["column"], days["kind"], days["drawn"]) == ("day", "classes", False)
    assert days["names"] == [str(i) for i in range(7)]
    assert COLUMN in [c["name"] for c in manifest_of(points / "o.html")["columns"]]
    header, *lines = (points / "c.tsv").read_text().splitlines()
    assert header.split("\t") == ["row", "label", COLUMN, f"{COLUMN}: neighbors inside"]
    for i, line in enumerate(lines):
        row, label, name, share = line.split("\t")
        assert (row, label, name) == (str(i), LABELS[i], LABELS[i].split()[0])
        assert float(share) == pytest.approx(first["inside"][first["names"].index(name)])
    assert json.loads(told.stdout)["parameters"]["clusters"] == "map"
    said, _ = json.loads(told.stdout)["partitions"]
    assert (said["column"], said["groups"], said["in_none"]) == (COLUMN, 6, 0)


def test_a_bookmark_of_the_first_view_is_colored_by_clusters(points: Path, run: Any) -> None:
    asked = ("--clusters", "map", "--color-by", COLUMN, "--save-bookmark", "b.json")
    told = run("project", *SOURCE, *asked)
    assert told.status == 0, told.stderr
    assert json.loads((points / "b.json").read_text())[0]["selectedColorOptionName"] == COLUMN


def test_few_points_have_clusters_only_where_they_are_asked_for(points: Path, run: Any) -> None:
    assert run("project", *SOURCE).status == 0
    assert [p["kind"] for p in partitions(points)] == ["classes"]
    assert run("project", *SOURCE, "--clusters").status == 0
    assert [p["kind"] for p in partitions(points)] == ["clusters", "classes"]
    assert run("project", *SOURCE, "--clusters", "none").status == 0
    assert [p["drawn"] for p in partitions(points)] == [False]


def test_the_classes_of_a_column_are_drawn_where_it_is_named(points: Path, run: Any) -> None:
    told = run("project", *SOURCE, "--clusters", "day", "--save-clusters", "c.tsv")
    assert told.status == 0, told.stderr
    assert [(p["column"], p["drawn"]) for p in partitions(points)] == [("day", True)]
    header = (points / "c.tsv").read_text().split("\n")[0]
    assert header == "row\tlabel\tday\tday: neighbors inside"


def test_settings_beside_the_source_say_which_clusters_there_are(points: Path, run: Any) -> None:
    lines = ['source = "v.npy"', 'metadata = "v.tsv"', 'method = ["none"]', 'clusters = "day"', ""]
    (points / "embviz.toml").write_text("\n".join(lines))
    assert run("project", "-o", "o.html").status == 0
    assert [(p["column"], p["drawn"]) for p in partitions(points)] == [("day", True)]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([*SOURCE, "--clusters", "nix"], "--clusters nix: no metadata column 'nix'; there are: "),
        ([*SOURCE, "--clusters", "score"], "score: has more than 300 values; name a column of 2"),
        ([*SOURCE, "--clusters", "none", "--save-clusters", "c.tsv"], "leave out one of them"),
        ([*SOURCE, "--save-clusters", "c.npz"], "c.npz: '.npz' is not written; name a .tsv file"),
        (["--clusters", *SOURCE], "was taken for a column, and is a file; put SOURCE first, or"),
    ],
)
def test_what_cannot_be_parted_is_refused_with_the_way_out(
    points: Path, run: Any, given: list[str], why: str
) -> None:
    told = run("project", *given)
    assert told.status == 2
    assert why in told.stderr
    assert not (points / "o.html").exists()
    assert not (points / "c.tsv").exists()


def large() -> tuple[EmbeddingTable, Projection]:
    """2,400 points in six blobs."""
    more = np.tile(PLACES, (7, 1))[:2400]
    more += np.random.default_rng(1).normal(scale=0.3, size=more.shape).astype(np.float32)
    labels = (LABELS * 7)[:2400]
    return EmbeddingTable(more, {"text": labels}), Projection("map", more)


def test_many_named_points_have_clusters_and_one_color_of_classes_has_its_names() -> None:
    table, shown = large()
    (found,) = part_points(table, [shown], ReportOptions()).partitions or ()
    assert (found.drawn, sorted(found.names)) == (True, KINDS)
    kinds = [text.split()[0] for text in table.metadata["text"]]
    colored = EmbeddingTable(table.vectors, {**table.metadata, "kind": kinds})
    found, classes = part_points(colored, [shown], ReportOptions()).partitions or ()
    assert (found.kind, found.drawn, classes.column, classes.drawn) == (
        "clusters",
        False,
        "kind",
        True,
    )
    numbers = EmbeddingTable(table.vectors, {"number": [str(i) for i in range(2400)]})
    assert part_points(numbers, [shown], ReportOptions()).partitions == ()


def test_a_column_of_the_same_name_is_not_confused() -> None:
    table, shown = large()
    own = EmbeddingTable(table.vectors, {**table.metadata, "cluster": ["mine"] * 2400})
    (found,) = part_points(own, [shown], ReportOptions()).partitions or ()
    assert found.column == "cluster 2"


def test_without_labels_clusters_have_row_numbers_and_points_no_name() -> None:
    table, shown = large()
    bare = EmbeddingTable(table.vectors)
    part = part_points(bare, [shown], ReportOptions(clusters="map"))
    (found,) = part.partitions or ()
    assert all(name.startswith("row ") for name in found.names)
    manifest = embviz.report.payload.build_payload(part, [shown], ReportOptions()).manifest
    assert manifest["label_by"] is None


def test_page_and_preview_take_a_column_of_clusters_for_a_color(tmp_path: Path) -> None:
    table, shown = large()
    options = ReportOptions(color_by="cluster")
    embviz.write_report(tmp_path / "o.html", table, [shown], options)
    assert manifest_of(tmp_path / "o.html")["color_by"] == "cluster"
    write_preview(tmp_path / "o.png", table, [shown], options)
    again = part_points(table, [shown], options)
    embviz.write_report(tmp_path / "p.html", again, [shown], options)
    assert (tmp_path / "p.html").read_bytes() == (tmp_path / "o.html").read_bytes()


def test_a_notebook_has_the_clusters_of_all_points() -> None:
    table, shown = large()
    report = Report(table, [shown], max_points=500)
    small = report._small_payload(table, ReportOptions()).manifest["partitions"]
    (whole,) = part_points(table, [shown], ReportOptions()).partitions or ()
    assert small[0]["names"] == list(whole.names)
    assert sum(small[0]["sizes"]) == 500
    assert small[0]["inside"] == [round(share or 0, 4) for share in whole.inside]


def test_maps_of_a_comparison_are_not_parted() -> None:
    table, _ = large()
    few = table.take(range(0, 2400, 40))
    steps = embviz.as_steps(embviz.compare(few, few))
    shown = embviz.project_steps(steps)
    with pytest.raises(ParameterError, match="a comparison has two maps"):
        part_points(steps.table, shown, ReportOptions(clusters="map"), steps)
    found = part_points(steps.table, shown, ReportOptions(), steps).partitions or ()
    assert {each.kind for each in found} <= {"classes"}
