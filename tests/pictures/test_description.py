"""The summary of a picture: sentences whose numbers are those of a count."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from embviz import PCA, EmbeddingTable, Projection, project
from embviz.clusters.classes import part_by_column
from embviz.clusters.figures import Known, measure
from embviz.clusters.values import Partition
from embviz.pictures.description import Opening, describe, percent, quoted, with_classes
from embviz.pictures.mixing import mixing_pairs
from embviz.pictures.selection import Part
from tests.page.stepped import make_pictures, make_steps, make_vectors
from tests.report.comparisons import shuffled_half, steps_of

SHAPE = Projection("m", np.zeros((4, 2), np.float32), title="Map")


def mixed(n: int = 400, n_groups: int = 5) -> tuple[EmbeddingTable, NDArray[np.int64]]:
    """Groups on a line, of different sizes, of which neighbors overlap."""
    rng = np.random.default_rng(3)
    group = rng.choice(n_groups, n, p=[0.35, 0.25, 0.2, 0.15, 0.05])
    vectors = np.stack([group + rng.normal(0, 0.4, n), rng.normal(0, 0.4, n), np.full(n, 2)], 1)
    metadata = {"word": [f"w{i}" for i in range(n)], "kind": [f"k{g}" for g in group]}
    return EmbeddingTable(vectors.astype(np.float32), metadata), group


def nearest_by_definition(vectors: NDArray[Any], k: int) -> NDArray[np.int64]:
    x = vectors.astype(np.float64)
    distances = np.sqrt(((x[:, None] - x[None]) ** 2).sum(axis=2))
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1, kind="stable")[:, :k]


def sentences(table: EmbeddingTable, projections: Any = None, **opening: Any) -> tuple[str, ...]:
    made = [PCA().project(table)] if projections is None else projections
    shown = Opening(**opening)
    return describe(with_classes(Part(table, table), made, shown), made, shown)


def test_the_classes_that_mix_and_how_much_are_those_of_a_count() -> None:
    table, group = mixed()
    near = group[nearest_by_definition(np.asarray(table.vectors), 10)]
    pair_shares = {}
    for a, b in combinations(range(5), 2):
        of_a, of_b = near[group == a], near[group == b]
        theirs = (of_a == b).sum() + (of_b == a).sum()
        pair_shares[a, b] = theirs / (of_a.size + of_b.size)
    (a, b), share = max(pair_shares.items(), key=lambda item: item[1])
    own = {g: (near[group == g] == g).mean() for g in range(5)}
    mean = np.mean([(near[i] == group[i]).mean() for i in range(len(group))])
    low, high = min(own, key=own.__getitem__), max(own, key=own.__getitem__)
    sizes = np.bincount(group)

    found = sentences(table, metric="euclidean", color_by="kind")
    assert found[0].startswith("400 points of 3 dimensions, drawn as PCA in 2D, which shows ")
    assert found[1] == (
        f"5 classes of kind, from k{sizes.argmax()} ({sizes.max()} points) "
        f"to k{sizes.argmin()} ({sizes.min()} points)."
    )
    assert found[2] == (
        f"Of the 10 nearest neighbors of a point {100 * mean:.0f} % lie in its own class, "
        f"from {100 * own[low]:.0f} % (k{low}) to {100 * own[high]:.0f} % (k{high})."
    )
    assert found[3].startswith(
        f"k{a} and k{b} mix: {100 * share:.0f} % of their neighbors are the other’s"
    )
    assert len(found) <= 5


def test_what_no_pair_exceeds_holds_for_pairs_that_are_not_listed() -> None:
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 9, 600).astype(np.int32)
    near = rng.integers(0, 600, (600, 10)).astype(np.int32)
    partition = Partition("c", "classes", codes, tuple("abcdefghi"))
    known = Known(np.arange(600), near)
    pairs, bound = mixing_pairs(measure(partition, known, np.zeros((600, 2))))
    seen = {(p.a, p.b): p.share for p in pairs}
    for a, b in combinations(range(9), 2):
        of_a, of_b = codes[near[codes == a]], codes[near[codes == b]]
        share = ((of_a == b).sum() + (of_b == a).sum()) / (of_a.size + of_b.size)
        assert share <= bound + 1e-12
        if (a, b) in seen:
            assert seen[a, b] == pytest.approx(share)
    assert seen


def parted(*figures: Any, sizes: tuple[int, ...] = (3, 1), **more: Any) -> tuple[str, ...]:
    """Return the sentences of two groups, without the first."""
    n = sum(sizes) + more.pop("none", 0)
    codes = np.concatenate([np.repeat(np.arange(len(sizes)), sizes), np.full(n - sum(sizes), -1)])
    inside, toward = figures or ((None,) * len(sizes), ((),) * len(sizes))
    names = more.pop("names", ("a", "b", "c")[: len(sizes)])
    partition = Partition(
        more.pop("column", "kind"), more.pop("kind", "classes"), codes.astype(np.int32), names,
        inside=inside, toward=toward, **more,
    )  # fmt: skip
    table = EmbeddingTable(np.zeros((n, 2), np.float32))
    shown = Projection("m", np.zeros((n, 2), np.float32), title="Map")
    return describe(Part(table, table, partitions=(partition,)), [shown], Opening())[1:]


def test_numbers_of_one_are_singular_and_groups_of_one_size_are_said_at_once() -> None:
    assert parted() == ("2 classes of kind, from a (3 points) to b (1 point).",)
    assert parted(sizes=(2, 2)) == ("2 classes of kind, each of 2 points.",)
    assert parted(sizes=(3,)) == ("1 class of kind, a, of 3 points.",)
    assert parted(sizes=(3, 1), none=1, kind="clusters") == (
        "2 clusters, from a (3 points) to b (1 point); 1 point (20 %) belongs to none.",
    )


def test_clusters_have_their_own_words_and_a_sample_is_said() -> None:
    found = parted(
        (0.9, 0.5),
        (((1, 0.1),), ((0, 0.5),)),
        sizes=(30, 10),
        none=10,
        kind="clusters",
        measured=20,
    )
    assert found[1:] == (
        "Of the 10 nearest neighbors of a point in one 80 % lie in its own cluster, from 50 % (b) "
        "to 90 % (a), measured on 20 points.",
        "a and b mix: 20 % of their neighbors are the other’s.",
    )
    apart = parted((0.999, 0.995), (((1, 0.001),), ((0, 0.005),)), sizes=(30, 30))
    assert apart[-1] == "No two classes mix: under 1 % of the neighbors of any two are the other’s."


def test_shares_are_never_none_or_all_where_they_are_neither() -> None:
    told = [percent(x) for x in (0, 0.001, 0.0051, 0.125, 0.995, 0.9951, 1)]
    assert told == ["0 %", "under 1 %", "1 %", "13 %", "100 %", "over 99 %", "100 %"]


HOSTILE = ["<script>", "a\nb", "x" * 10_000, "@me", "a. b", "\u202ertl", ""]


def test_names_of_others_are_cut_and_told_from_the_sentence() -> None:
    assert quoted("king") == "king"
    assert quoted("t-SNE") == "t-SNE"
    assert quoted("a. b") == "“a. b”"
    assert quoted("a\nb") == r"“a\nb”"
    assert len(quoted("x" * 10_000)) <= 43
    values = [HOSTILE[i % len(HOSTILE)] for i in range(70)]
    table = EmbeddingTable(np.random.default_rng(0).normal(size=(70, 4)), {"<b>\n": values})
    found = sentences(table)
    assert "6 classes of “<b>\\n”, each of 10 points; 10 points (14 %) belong to none." in found
    assert all(len(text) < 400 and text.isprintable() for text in found)
    plain = sentences(EmbeddingTable(np.eye(9, 5), {"n": [f"@u{i} <img>" for i in range(9)]}))
    assert "They are named by n, such as “@u0 <img>”, “@u1 <img>” and “@u2 <img>”." in plain


@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_a_few_points_are_described_too(n: int) -> None:
    table = EmbeddingTable(np.random.default_rng(0).normal(size=(n, 4)).astype("f4"))
    found = sentences(table, project(table))
    assert found[0].startswith(f"{n} points of 4 dimensions, drawn as PCA in 2D, which shows ")
    assert len(found) == (2 if n > 2 else 1)
    if n in (3, 4):
        assert found[1].startswith("Of 100 % of the points the nearest in the picture is the ") or (
            "% of the points the nearest in the picture is the nearest in the data" in found[1]
        )


def test_a_part_axes_and_numbers_are_said() -> None:
    table = EmbeddingTable(
        np.random.default_rng(0).normal(size=(90, 4)),
        {"word": [f"w{i}" for i in range(90)], "size": [str(i) for i in range(90)]},
    )
    few = table.take(np.arange(60))
    made = project(few, axes=[("=w0", "=w1")], dims=[2])
    opening = Opening(first=made[-1].key, color_by="size")
    found = describe(with_classes(Part(table=few, whole=table), made, opening), made, opening)
    assert found[0] == (
        "60 of 90 points of 4 dimensions, drawn as Axes in 2D, from left to right "
        "from “=w0” to “=w1”."
    )
    assert found[1] == "They are named by word, such as w0, w1 and w2."
    assert found[2] == "They are colored by size, from 0 to 59; half of them have 29.5 or less."


def test_a_run_tells_where_most_changes() -> None:
    vectors = make_vectors()
    steps, (_, pictures) = make_steps(vectors), make_pictures(vectors)
    part = with_classes(Part(steps.table, steps.table), pictures, Opening())
    found = describe(part, pictures, Opening(), steps)
    assert found[:3] == (
        "120 points of 6 dimensions at 4 steps, from 100 to 400, drawn as PCA in 2D, "
        "which shows 80 % of the variance.",
        "Most changes from step 200 to 300: points keep 25 % of their 10 nearest.",
        "At step 100 points have 13 % of the 10 nearest neighbors that they have at the last step.",
    )
    assert found[3].startswith("a and d mix: ")


def test_a_comparison_tells_how_many_neighbors_are_kept() -> None:
    comparison = shuffled_half()
    steps = steps_of(comparison)
    shown = Projection("m", np.zeros((comparison.n_matched, 2), np.float32))
    found = describe(Part(steps.table, steps.table), [shown], Opening(), steps)
    a, b = map(quoted, comparison.names)
    assert found[0].startswith(
        f"A is {a}, B is {b}: {comparison.n_matched} points in both, matched by "
    )
    kept = percent(comparison.figures["overlap10"] or 0)
    assert found[1].startswith(f"Points keep {kept} of their 10 nearest neighbors from A to B (")
    assert "changed together" in found[2]


def test_options_of_a_report_say_what_is_described() -> None:
    options = SimpleNamespace(first="a", dims=3, color_by="b", label_by="c", metric="cosine", x=1)
    assert Opening.of(options) == Opening("a", 3, "b", "c", "cosine")


def test_what_a_class_column_is_parted_by_is_left_alone_where_it_is_known() -> None:
    table, _ = mixed()
    own = part_by_column(table, "kind")
    part = Part(table, table, partitions=(own,))
    assert with_classes(part, [], Opening()) is part
    assert with_classes(Part(table, table), [], Opening(color_by="word")).partitions is None


def test_the_summary_travels_in_the_page_in_markdown_and_where_no_scripts_run(
    tmp_path: Path,
) -> None:
    from embviz import summarize_report, write_report

    n = 60
    values = [("@you" if i % 2 else "<i>") for i in range(n)]
    table = EmbeddingTable(np.random.default_rng(0).normal(size=(n, 4)), {"kind": values})
    made = [PCA().project(table)]
    write_report(tmp_path / "out.html", table, made)
    text = (tmp_path / "out.html").read_text(encoding="utf-8")
    said = "2 classes of kind, each of 30 points."
    assert text.count(said) == 3, "in the manifest, in the description and in the notice"
    assert "<i>" not in text.split("<style>")[0]
    markdown = summarize_report(table, made)
    assert "2 classes of `kind`, each of 30 points." in markdown
    assert "`<i>` and `@you` mix: " in markdown
