"""Every place where Python writes text of others, with each of the texts that try to be more.

- Pages: the title, the description, the lines and the picture's text where no scripts run, the
  manifest. They must not become elements or attributes.
- Notebooks: the frame's title, the page in it, the line below.
- Markdown of `--summary`: labels, titles, sources, tensors, columns, notes, parameters, names of
  figures, queries, the command, the picture's name. No link, picture, HTML or mention.
- JSON: `--json`, answers, comparisons, Plotly's figures, of which no text is markup.
- Tables of tabs: coordinates, clusters, changes, answers, neighbors. No cell more, no formula.
- Logdirs: metadata, configs, names of files.
- Pictures: labels, titles, legends, and the description in the file.
- Terminals: no control characters.

What pages do with them in a browser is in tests/page/test_attacks.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import embviz
from embviz import EmbeddingTable, Projection
from embviz.comparison.values import Comparison
from embviz.export.changes import encode_changes
from embviz.export.clusters import encode_clusters
from embviz.export.summary import preview_reference
from embviz.outputs.cells import cell, unescaped
from embviz.outputs.text import writable
from embviz.pictures.selection import Part
from tests.export.test_summary import ALLOWED, rendered
from tests.page.hostile_texts import payloads
from tests.page.named import partition

TEXTS = tuple(payloads())
N = len(TEXTS)
SHORT = tuple(text for text in TEXTS if len(text) < 400)
ALL = "\n".join(TEXTS)
NUMBER = re.compile(r"-?[\d.]+(?:e[+-]\d+)?")


def strict(text: str) -> Any:
    """Read JSON of which every number is one, and no key is there twice."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=once)


@pytest.fixture(scope="module")
def table() -> EmbeddingTable:
    """A point a text: it is the point's label, another's value, and the name of a column."""
    columns = {"label": TEXTS, "group": tuple(TEXTS[j % 12] for j in range(N))}
    turned = TEXTS[7:] + TEXTS[:7]
    columns |= {text: turned for text in SHORT if text not in columns}
    vectors = np.random.default_rng(0).normal(size=(N, 5)).astype(np.float32)
    return EmbeddingTable(vectors, columns, TEXTS[0], TEXTS[2])


@pytest.fixture(scope="module")
def few(table: EmbeddingTable) -> EmbeddingTable:
    """The same with few columns."""
    return replace(table, metadata={"label": TEXTS, "<b>|`": table.metadata["group"]})


@pytest.fixture(scope="module")
def comparison(few: EmbeddingTable) -> Comparison:
    noise = np.random.default_rng(1).normal(size=(N, 5)).astype(np.float32)
    other = replace(few, vectors=np.asarray(few.vectors) + noise, source=TEXTS[4])
    return embviz.compare(few, other, match="row")


def pictures(table: EmbeddingTable) -> list[Projection]:
    """Three maps, whose names, axes, parameters and figures are texts too."""
    places = np.asarray(table.vectors)[:, :2].copy()
    return [
        Projection(text, places, title=text, axes=(SHORT[i + 1], SHORT[i + 2]),
                   params={SHORT[i + 3]: SHORT[i + 4]}, stats={SHORT[i + 5]: 0.5})
        for i, text in ((0, SHORT[0]), (30, SHORT[30]), (87, SHORT[87]))
    ]  # fmt: skip


class Elements(HTMLParser):
    """The elements of a page with their attributes' names, and its texts outside of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []
        self.values: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, *(name for name, _ in attrs)))
        self.values += [value or "" for _, value in attrs]


def test_a_page_has_the_same_elements_whatever_its_texts_are(few: EmbeddingTable) -> None:
    plain = replace(few, metadata={f"c{i}": ["x"] * N for i in range(2)}, name="x", source="x")

    def page(points: EmbeddingTable, text: str, made: list[Projection]) -> Elements:
        links = {"preview_link": "a.png", "preview_dark_link": "b.png"}
        given = {"title": text, "command": text, "notes": [text], **links}
        return Elements(embviz.report.encode_report(points, made, **given).decode())

    there = page(plain, "x", [replace(p, name=f"p{i}") for i, p in enumerate(pictures(plain))])
    for title in (ALL, ALL[::-1]):
        assert page(few, title, pictures(few)).found == there.found
    for text in TEXTS[::40]:
        assert page(few, text, pictures(few)).found == there.found


def test_a_notebook_holds_a_frame_and_a_line_whatever_the_texts_are(few: EmbeddingTable) -> None:
    options = embviz.ReportOptions(title=ALL, command=ALL, notes=TEXTS)
    markup = embviz.Report(few, pictures(few), options)._repr_html_()
    shown = Elements(markup)
    assert [tag for tag, *_ in shown.found] == ["iframe", "div"]
    assert ALL in shown.values
    inner = Elements(next(value for value in shown.values if "<!doctype" in value))
    assert {tag for tag, *_ in inner.found} <= {
        *("html", "head", "meta", "title", "link", "script", "style", "body", "div", "p"),
    }


def test_a_summary_of_any_text_is_code(few: EmbeddingTable, comparison: Comparison) -> None:
    for text in TEXTS:
        picture = preview_reference(f"{text[:200]}.png", "summary.md")
        options = embviz.SummaryOptions(title=text, command=text, preview=picture)
        named = replace(few, name=text, source=text, metadata={text: few.metadata["label"]})
        made = [
            replace(p, title=text, params={text: text}, stats={text: 1.0})
            for p in pictures(few)[:1]
        ]
        part = Part(named, named, notes=(text,), partitions=())
        for page in rendered(embviz.summarize_report(part, made, options)):
            assert set(page.tags) <= ALLOWED
            assert len(page.images) == 1
            assert ":" not in page.images[0]
            assert not re.search(r"@|https?:|javascript:|pwned", page.plain)


def test_a_summary_of_a_comparison_of_any_text_is_code(comparison: Comparison) -> None:
    grouped = {text: {text: {"n": 1, "overlap10": 0.5}} for text in TEXTS[:3]}
    for i, text in enumerate(TEXTS[::9]):
        sides = (replace(comparison.a, source=text), replace(comparison.b, source=TEXTS[i]))
        found = replace(comparison, a=sides[0], b=sides[1], by_group=grouped, no_groups="none")
        for page in rendered(embviz.summarize_comparison(found)):
            assert set(page.tags) <= ALLOWED
            assert not re.search(r"@|https?:|javascript:|pwned", page.plain)


def check_table(written: bytes, rows: int, columns: int, where: str = "") -> list[list[str]]:
    """Check that a table has so many lines and cells, and no cell is run; return the texts."""
    text = written.decode("utf-8")
    assert text.endswith("\n")
    lines = [line.split("\t") for line in text[:-1].split("\n")]
    assert len(lines) == rows
    assert {len(cells) for cells in lines} == {columns}
    for each in (each for cells in lines for each in cells):
        if each.startswith("[") and "changes" in where:
            strict(each)
        elif not NUMBER.fullmatch(each):
            assert cell(unescaped(each)) == each
    return [[unescaped(each) for each in cells] for cells in lines]


def test_tables_hold_each_text_in_its_cell(few: EmbeddingTable, comparison: Comparison) -> None:
    labels = [writable(text) or f"row {i}" for i, text in enumerate(TEXTS)]
    made = pictures(few)
    written = embviz.export.encode_coordinates("a.tsv", few, made)
    assert [row[1] for row in check_table(written, N + 1, 8)[1:]] == labels
    column = few.metadata["<b>|`"]
    part = Part(few, few, partitions=(partition("=1+1", column),))
    found = check_table(encode_clusters(part), N + 1, 4)
    assert [row[2] for row in found[1:]] == list(column)
    names = ["=1+1", "a\tb", *SHORT[40:]]
    odd = [replace(made[0], name=name, title=name, key=name) for name in names]
    head = check_table(embviz.export.encode_coordinates("a.tsv", few, odd), N + 1, 2 + 2 * len(odd))
    assert head[0][2::2] == [writable(f"{name}_2:1") for name in names]
    found = check_table(encode_changes(comparison), N + 1, 10, "changes")
    assert sorted(row[0] for row in found[1:]) == sorted(labels)


def test_json_of_any_text_gives_it_back(few: EmbeddingTable, comparison: Comparison) -> None:
    found = strict(json.dumps(embviz.comparison_object(comparison), allow_nan=False))
    assert [found[side]["name"] for side in "ab"] == list(comparison.names)
    made = pictures(few)[0]
    figure = strict(embviz.export.encode_figure(few, made, color_by="<b>|`").decode())
    hovered = figure["data"][0]["hovertext"]
    assert len(hovered) == N
    for text in [*hovered, figure["layout"]["xaxis"]["title"]["text"]]:
        assert "<" not in text


def test_a_logdir_gives_each_text_back(table: EmbeddingTable, tmp_path: Path) -> None:
    named = replace(table, name="tensor", source="x")
    embviz.export_logdir(tmp_path / "log", named)
    read = embviz.load_table(tmp_path / "log")
    unnamed = [*table.metadata].index("")
    for i, name in enumerate(table.metadata):
        assert [*read.metadata][i] == (writable(name) if i != unnamed else f"column {i + 1}")
    assert tuple(read.metadata["label"]) == TEXTS
    for i, text in enumerate(SHORT[::12]):
        folder = tmp_path / f"log{i}"
        embviz.export_logdir(folder, replace(named, name=text, metadata={"label": TEXTS}))
        assert {path.parent for path in folder.rglob("*") if path.is_file()} == {folder}
        assert embviz.load_table(folder).n_points == N


def test_a_picture_of_any_text_is_pixels_alone(few: EmbeddingTable, tmp_path: Path) -> None:
    for i, text in enumerate(TEXTS[::25]):
        made = replace(pictures(few)[0], title=text)
        path = tmp_path / f"{i}.png"
        embviz.write_preview(path, few, [made], title=text, color_by="<b>|`", label_by="label")
        with Image.open(path) as picture:
            assert picture.size == (1200, 800)
            assert picture.info.keys() == {"Description"}


@pytest.fixture
def source(few: EmbeddingTable, tmp_path: Path) -> Path:
    np.savez(tmp_path / "x.npz", vectors=few.vectors, label=np.array(TEXTS, dtype=np.str_))
    return tmp_path / "x.npz"


def test_the_commands_print_any_text_as_json_and_without_control_characters(
    run: Callable[..., Any], source: Path
) -> None:
    title = SHORT[5]
    ran = run("project", "x.npz", "--title", title, "--json", "-o", "o.html")
    assert ran.status == 0, ran.stderr
    strict(ran.stdout)
    for row in range(0, N, 30):
        asked = ("neighbors", str(row), "--source", "x.npz", "-k", "50")
        ran = run(*asked, "--format", "json")
        assert ran.status == 0, ran.stderr
        known = {writable(text) for text in TEXTS} | {f"row {i}" for i in range(N)}
        for each in strict(ran.stdout):
            assert {near["label"] for near in each["neighbors"]} <= known
        ran = run(*asked, "--format", "text")
        assert ran.status == 0, ran.stderr
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", ran.stdout)
        ran = run(*asked, "--format", "tsv")
        check_table(ran.stdout.encode(), 51, 4)
