"""The Markdown of `--summary`: what it says, and that nothing in it comes of a label but text."""

from __future__ import annotations

import json
import os
import stat
import threading
from dataclasses import replace
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import embviz
from embviz.errors import OutputError
from embviz.export.summary import (
    MOST_BYTES,
    SummaryOptions,
    append_summary,
    preview_reference,
    summarize_comparison,
    summarize_report,
)
from embviz.expressions import parse_condition
from embviz.outputs.folders import staged
from embviz.outputs.markdown import block, code, table
from embviz.pictures.figures import picture_figures

HOSTILE = (
    "[a](http://x.example)",
    "![a](http://x.example/p.png)",
    "<img src=x onerror=alert(1)>",
    "</code><script>alert(1)</script>",
    "@someone",
    "#12 owner/name#3 GH-4",
    "https://x.example www.x.example a@x.example",
    "a | b | c",
    "a \\| b",
    "ends in \\",
    "\\",
    "`",
    "``",
    "` `` ```",
    "`a",
    "a`",
    "  padded  ",
    "   ",
    "",
    "two\nlines\r\n\n# heading",
    "- item",
    "**bold** _em_ ~~gone~~ $x$ :smile:",
    "<!-- gone",
    "&lt;b&gt; &#64;x",
    "| --- |",
    "\u202egnp.exe\u200b\x1b[31m",
    "[^1]: note",
    "[a]: http://x.example",
    "```\nfence",
    "😀" * 100,
    "e" * 5000,
)
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
ALLOWED = {
    *("h2", "h3", "p", "strong", "code", "pre", "table", "thead", "tbody", "tr", "th", "td", "img"),
}


class Seen(HTMLParser):
    """The elements of a page, the texts of its code, and the text that is no code."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.codes: list[str] = []
        self.plain, self.rows, self.images = "", list[int](), list[str]()
        self._in: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append(0)
        elif tag in ("td", "th"):
            self.rows[-1] += 1
        elif tag == "img":
            self.images.append(dict(attrs)["src"] or "")
        elif tag == "code":
            self.codes.append("")
        self._in.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._in and self._in.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "code" in self._in:
            self.codes[-1] += data
        else:
            self.plain += data


def rendered(text: str) -> list[Seen]:
    """What GitHub's flavor of Markdown makes of a text, by every renderer that is installed."""
    found = [MARKDOWN.render(text)]
    if find_spec("cmarkgfm"):  # GitHub's own, which makes links of bare addresses too.
        from cmarkgfm import github_flavored_markdown_to_html
        from cmarkgfm.cmark import Options

        found.append(github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE))
    return [Seen(html) for html in found]


@pytest.mark.parametrize("label", HOSTILE)
def test_a_label_in_a_table_is_shown_as_it_is(label: str) -> None:
    text = table(["a", "b"], [[code(label), "1"], [f"{code(label)} ({code(label)})", "2"]])
    for page in rendered(text):
        assert page.rows == [2, 2, 2]
        assert set(page.tags) <= ALLOWED
        assert "".join(page.plain.split()).replace("(empty)", "") == "ab1()2"
        shown = label.replace("\r", "\\r").replace("\n", "\\n")
        if label and len(label) <= 60 and label.isascii():
            assert page.codes == [shown] * 3
        assert all(len(found) <= 61 for found in page.codes)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text("`|\\ a<>&@[]()*_~#$:/.w!-", min_size=1, max_size=30), min_size=1))
def test_any_label_in_a_table_is_shown_as_it_is(labels: list[str]) -> None:
    text = table(["a", "b"], [[code(label), code(label[::-1])] for label in labels])
    for page in rendered(text):
        assert page.codes == [shown for label in labels for shown in (label, label[::-1])]
        assert page.rows == [2] * (len(labels) + 1)


@pytest.mark.parametrize("label", HOSTILE)
def test_lines_in_a_block_are_shown_as_they_are(label: str) -> None:
    for page in rendered(f"before\n\n{block(label)}\n\nafter"):
        assert page.tags == ["p", "pre", "code", "p"]
        assert page.codes == [label.replace("\r\n", "\n") + "\n"]


@pytest.fixture(scope="module")
def hostile() -> embviz.EmbeddingTable:
    vectors = np.random.default_rng(0).normal(size=(len(HOSTILE) * 3, 6)).astype(np.float32)
    labels = [f"{label}{i}" if i else label for i in range(3) for label in HOSTILE]
    return embviz.EmbeddingTable(
        vectors, {"<b>name|": tuple(labels)}, name="@tensor `x`", source="[a](b)|<i>.npy",
        left_out={"nonfinite": 2},
    )  # fmt: skip


def test_a_summary_of_hostile_points_holds_no_markup_of_theirs(
    hostile: embviz.EmbeddingTable,
) -> None:
    axes = [(HOSTILE[0], HOSTILE[7])]
    part = embviz.choose_points(hostile, neighbors_of=HOSTILE[4], k=40)
    projections = embviz.project(part, methods=["tsne:iterations=10"], axes=axes, dims=[2])
    figures = picture_figures(projections)
    condition = parse_condition("trustworthiness < 2 or neighbors_kept < 0", list(figures))
    options = SummaryOptions(
        title="# <b>@all</b>", command="embviz project '```\n@x' -o 'a|b'", condition=condition,
        preview="out%20(1).png",
    )  # fmt: skip
    text = summarize_report(part, projections, options)
    for page in rendered(text):
        assert set(page.tags) <= ALLOWED
        assert page.images == ["out%20%281%29.png"]
        assert "@" not in page.plain
        assert "http" not in page.plain
        assert {"# <b>@all</b>", "@tensor `x`"} <= set(page.codes)
        assert "embviz project '```\n@x' -o 'a|b'\n" in page.codes
        assert "**" not in page.plain
    assert "left out: 2 nonfinite" in text
    assert "Failed" in text
    assert "| `neighbors_kept < 0` | does not hold |" in text


def test_a_summary_of_a_hostile_comparison_holds_no_markup_of_theirs(
    hostile: embviz.EmbeddingTable,
) -> None:
    noise = np.random.default_rng(1).normal(size=hostile.vectors.shape)
    other = replace(hostile, vectors=np.asarray(hostile.vectors) + noise, source="@b")
    found = embviz.compare(hostile, other, match="row")
    found = replace(found, by_group={"| `": {label: {"n": 1} for label in HOSTILE}})
    for page in rendered(summarize_comparison(found)):
        assert set(page.tags) <= ALLOWED
        assert "@" not in page.plain
        assert "http" not in page.plain
        assert "procrustes_residual" in page.codes


def rows_of(text: str) -> list[list[str]]:
    """The cells of the lines of all tables."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]


def test_figures_are_those_of_the_pictures(hostile: embviz.EmbeddingTable) -> None:
    projections = embviz.project(hostile, methods=["tsne:iterations=10"], dims=[2])
    figures = picture_figures(projections)
    rows = rows_of(summarize_report(hostile, projections))
    assert rows[0] == ["figure", "PCA` 2D", "PCA` 3D", "**`t-SNE` 2D**"]
    names = [row[0] for row in rows[2 : 2 + len(figures)] if row[0] in figures]
    assert {"trustworthiness", "continuity", "kl_divergence"} <= set(names)
    for row in rows:
        if row[0] in names:
            for key, cell in zip(("pca.2", "pca.3", "tsne.2"), row[1:], strict=True):
                value = figures.get(f"{key}.{row[0]}")
                assert cell.split(" ±")[0] == ("–" if value is None else f"{value:.4g}")
    many = [replace(projections[0], title=f"{i}", key=f"{i}") for i in range(4)]
    rows = rows_of(summarize_report(hostile, many))
    assert rows[0][:2] == ["picture", "neighbors_kept"]
    assert [row[0] for row in rows[2:10]] == [
        f"{'**`' * (i == 3 and d == 2)}{i}` {d}D{'**' * (i == 3 and d == 2)}"
        for i in range(4) for d in (2, 3)
    ]  # fmt: skip


def test_the_steps_of_a_run_stand_in_a_table_with_what_changed_most() -> None:
    rng = np.random.default_rng(0)
    tables = [rng.normal(size=(60, 5))]
    for size in (0.1, 3.0, 0.1):
        tables.append(tables[-1] + size * rng.normal(size=(60, 5)))
    made = [embviz.EmbeddingTable(vectors) for vectors in tables]
    steps = embviz.Steps(tuple(embviz.Step(f"{i}0@", one) for i, one in enumerate(made)), made[-1])
    steps = embviz.measure_steps(steps)
    projections = embviz.project_steps(steps)
    text = summarize_report(made[-1], projections, steps=steps)
    assert "### 4 steps" in text
    assert "What changed most: from step `10@` to `20@`" in text
    kept = steps.figures["kept_from_previous"][1]
    assert f"| `10@` | 60 | {kept:.4g} |" in text
    long = replace(
        steps, steps=tuple(replace(steps.steps[0], name=f"{i}") for i in range(90)),
        figures={"kept_of_last": tuple([0.5] * 90)},
    )  # fmt: skip
    text = summarize_report(made[-1], projections, steps=long)
    assert "The last 30 of them." in text


def test_a_summary_has_less_than_64_kb_whatever_it_is_of(hostile: embviz.EmbeddingTable) -> None:
    one = embviz.project(hostile)[0]
    params = {f"p{i}": "😀`|" * 500 for i in range(100)}
    stats = {f"figure_{i}_{'x' * 300}": 1.0 / (i + 1) for i in range(200)}
    many = [
        replace(one, title="😀`" * 200 + str(i), key=f"k{i}", params=params, stats=stats)
        for i in range(300)
    ]
    text = summarize_report(hostile, many, SummaryOptions(command="é" * 100_000, title="😀" * 9999))
    assert len(text.encode("utf-8")) < MOST_BYTES
    assert "And 576 pictures more.\n\nAnd 184 figures more." in text
    for page in rendered(text):
        assert set(page.tags) <= ALLOWED


def test_a_picture_is_referred_to_from_where_the_summary_lies() -> None:
    assert preview_reference("out.png", "s.md") == "out.png"
    assert preview_reference("made/out.png", "docs/s.md") == "../made/out.png"
    assert preview_reference("made/out.png", "/tmp/job/summary") == "made/out.png"
    assert preview_reference("/home/me/out.png", "s.md") == "out.png"
    assert preview_reference("a b (1).png", "/tmp/summary") == "a%20b%20%281%29.png"
    assert preview_reference("a b (1).png", "s.md") == "a%20b%20%281%29.png"


@pytest.mark.parametrize(
    ("before", "gap"), [(b"", b""), (b"# Job\n", b"\n"), (b"# Job", b"\n\n"), (b"\n", b"\n")]
)
def test_a_file_keeps_what_it_has(tmp_path: Path, before: bytes, gap: bytes) -> None:
    file = tmp_path / "s.md"
    file.write_bytes(before)
    file.chmod(0o640)
    place = file.stat().st_ino
    append_summary(file, "## é\n")
    assert file.read_bytes() == before + gap + "## é\n".encode()
    assert (file.stat().st_ino, stat.S_IMODE(file.stat().st_mode)) == (place, 0o640)
    append_summary(tmp_path / "new.md", "## a\n")
    assert (tmp_path / "new.md").read_bytes() == b"## a\n"


def test_a_link_is_followed_and_a_pipe_takes_the_summary(tmp_path: Path) -> None:
    (tmp_path / "real.md").write_text("a\n")
    (tmp_path / "link.md").symlink_to("real.md")
    append_summary(tmp_path / "link.md", "b\n")
    assert (tmp_path / "real.md").read_text() == "a\n\nb\n"
    assert (tmp_path / "link.md").is_symlink()
    os.mkfifo(tmp_path / "pipe")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    append_summary(tmp_path / "pipe", "c\n")
    reader.join(10)
    assert got == [b"c\n"]
    append_summary("/dev/null", "c\n")


def write_both(page: Path, summary: Path) -> None:
    with staged() as stage:
        stage.write(page, b"new")
        stage.append(summary, b"more\n")


def test_a_file_that_takes_no_more_is_as_before_and_so_is_what_was_to_stand_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page.html").write_text("old")
    (tmp_path / "s.md").write_bytes(b"kept\n")
    taken: list[int] = []

    def write_some(file: Any, data: bytes) -> None:
        taken.append(file.write(data[:3]))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("embviz.outputs.files._write_all", write_some)
    for name in ("s.md", "new.md"):
        with pytest.raises(OutputError, match="No space left"):
            write_both(tmp_path / "page.html", tmp_path / name)
    assert taken == [3, 3]
    assert (tmp_path / "page.html").read_text() == "old"
    assert (tmp_path / "s.md").read_bytes() == b"kept\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "s.md"]


def test_a_command_adds_its_summary_when_all_else_is_done(run: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "a.npy", rng.normal(size=(60, 4)))
    np.save(tmp_path / "b.npy", rng.normal(size=(60, 4)))
    given = ["--summary", "s.md", "--json", "--fail-if"]
    ran = run("project", "a.npy", "-o", "o.html", *given, "pca.variance_share < 1")
    assert ran.status == 3
    assert "Added to s.md" in ran.stderr
    first = (tmp_path / "s.md").read_bytes()
    entry = json.loads(ran.stdout)["files"][-1]
    assert (entry["path"], entry["bytes"]) == ("s.md", len(first))
    assert "**Failed**: the condition holds: `pca.variance_share < 1`" in first.decode()
    ran = run("compare", "a.npy", "b.npy", *given, "overlap10 > 2")
    assert ran.status == 0, ran.stderr
    both = (tmp_path / "s.md").read_bytes()
    assert both.startswith(first + "\n## `a.npy` → `b.npy`\n".encode())
    assert b"embviz compare a.npy b.npy\n" in both
    for command, why in (
        (["project", "no.npy", "-o", "o.html"], "no.npy"),
        (["project", "a.npy", "-o", "s.md"], "is both"),
        (["project", "s.md", "-o", "p.html"], "would overwrite the source"),
        (["compare", "a.npy", "a.npy", "--match", "no"], "no such column"),
    ):
        ran = run(*command, "--summary", "s.md")
        assert ran.status in (1, 2)
        assert why in ran.stderr
    ran = run("compare", "a.npy", "b.npy", "--summary", "-")
    assert (ran.status, ran.stdout) == (2, "")
    assert (tmp_path / "s.md").read_bytes() == both


def test_the_same_summary_comes_of_the_same_input(hostile: embviz.EmbeddingTable) -> None:
    made = [summarize_report(hostile, embviz.project(hostile)) for _ in range(2)]
    assert made[0] == made[1]
