"""Which projections share a tab, and what they are called."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from embviz import (
    EmbeddingTable,
    Frames,
    ParameterError,
    Projection,
    export_logdir,
    to_figure,
    write_report,
)
from embviz.export.coordinates import write_coordinates
from embviz.pictures.tabs import find_tab, name_tabs, show_first


def made(name: str, k: int, *axes: str, **params: Any) -> Projection:
    title = {"tsne": "t-SNE", "custom": "Axes"}.get(name, name)
    return Projection(name, np.zeros((3, k), np.float32), axes, params=params, title=title)


def named(*projections: Projection) -> list[tuple[str, str]]:
    return [(p.key, p.title) for p in name_tabs(projections)]


P5, P15 = ("tsne", "t-SNE, perplexity 5"), ("tsne-2", "t-SNE, perplexity 15")


@pytest.mark.parametrize(
    ("projections", "expected"),
    [
        ([made("tsne", 2)], [("tsne", "t-SNE")]),
        ([made("tsne", d, perplexity=5.0) for d in (2, 3)], 2 * [("tsne", "t-SNE")]),
        ([made("tsne", 2, perplexity=5.0), made("tsne", 2, perplexity=15.0)], [P5, P15]),
        (
            [made("tsne", d, perplexity=p) for d in (2, 3) for p in (5.0, 15.0)],
            [P5, P15, P5, P15],
        ),
        (
            [made("tsne", 2, perplexity=p, n_neighbors=3 * p) for p in (5.0, 15.0)],
            [P5, P15],
        ),
        (
            [made("tsne", 2, perplexity=19 / 3), made("tsne", 2, perplexity=15.0)],
            [("tsne", "t-SNE, perplexity 6.333"), P15],
        ),
        (
            [made("tsne", 2, perplexity=p) for p in (5.0000001, 5.0000002)],
            [
                ("tsne", "t-SNE, perplexity 5.0000001"),
                ("tsne-2", "t-SNE, perplexity 5.0000002"),
            ],
        ),
        (
            [made("tsne", 2, perplexity=5.0, seed=s) for s in (0, 1)],
            [("tsne", "t-SNE, seed 0"), ("tsne-2", "t-SNE, seed 1")],
        ),
        (
            [made("custom", 2, "bad → good", "rest"), made("custom", 2, "old → new", "rest")],
            [("custom", "Axes, bad → good, rest"), ("custom-2", "Axes, old → new, rest")],
        ),
        (
            [made("pca", 10, n_components=10), made("pca", 5, n_components=5)],
            [("pca", "pca, components 10"), ("pca-2", "pca, components 5")],
        ),
        (
            [made("own", 2), made("own", 2), made("own-2", 2)],
            [("own", "own"), ("own-3", "own, number 2"), ("own-2", "own-2")],
        ),
    ],
)  # fmt: skip
def test_projections_that_would_hide_each_other_are_told_apart(
    projections: list[Projection], expected: list[tuple[str, str]]
) -> None:
    assert named(*projections) == expected
    assert named(*name_tabs(projections)) == expected  # named ones can be named again


def test_a_key_or_a_method_names_the_tab() -> None:
    tabs = name_tabs([made("tsne", 2, perplexity=5.0), made("tsne", 2, perplexity=15.0)])
    assert [find_tab(tabs, name) for name in ("tsne", "tsne-2")] == ["tsne", "tsne-2"]
    with pytest.raises(ParameterError, match="no such projection; there are: tsne, tsne-2"):
        find_tab(tabs, "pca")


@pytest.mark.parametrize(
    ("name", "dims", "shown"),
    [("tsne", 3, 2), ("tsne", 2, 1), ("pca", 3, 0), (None, 2, 3), (None, 3, 3)],
)
def test_a_report_opens_with_the_picture_of_the_dimensions_asked_for(
    name: str | None, dims: int, shown: int
) -> None:
    tabs = [made("pca", 10), made("tsne", 2), made("tsne", 3), made("umap", 2)]
    assert show_first(tabs, name, dims) is tabs[shown]


def test_a_projection_is_linear_where_it_has_axes_or_directions_unless_it_says() -> None:
    xy = np.zeros((3, 2), np.float32)
    assert Projection("x", xy).kind == "map"
    assert Projection("x", xy, ("a", "b")).kind == "linear"
    assert Projection("x", xy, directions=np.eye(2, dtype=np.float32)).kind == "linear"
    assert Projection("x", xy, ("a", "b"), kind="map").kind == "map"
    assert (Projection("x", xy).key, Projection("x", xy).title) == ("x", "x")


@pytest.mark.parametrize(
    ("steps", "shape", "figures"),
    [(("1",), (2, 3, 2), {}), (("1", "2"), (2, 3, 2), {"kl": (0.5,)}), ((), (0, 3, 2), {})],
)
def test_frames_have_a_name_and_each_figure_for_every_step(
    steps: tuple[str, ...], shape: tuple[int, ...], figures: dict[str, Any]
) -> None:
    with pytest.raises(ParameterError, match="steps"):
        Frames(steps, np.zeros(shape, np.float32), figures)


def test_frames_of_other_points_than_the_projection_are_refused() -> None:
    frames = Frames(("1", "2"), np.zeros((2, 4, 2), np.float32))
    with pytest.raises(ParameterError, match="frames: of shape"):
        Projection("x", np.zeros((3, 2), np.float32), frames=frames)


def test_coordinates_of_each_tab_are_saved_under_its_key(tmp_path: Any) -> None:
    table = EmbeddingTable(np.eye(3, dtype=np.float32))
    both = [
        Projection("tsne", np.full((3, 2), p, np.float32), params={"perplexity": p})
        for p in (5.0, 15.0)
    ]
    write_coordinates(tmp_path / "c.npz", table, both)
    with np.load(tmp_path / "c.npz") as saved:
        assert (saved["tsne_2"][0, 0], saved["tsne-2_2"][0, 0]) == (5, 15)
        assert str(saved["tsne_2_title"]) == "tsne, perplexity 5"
        assert str(saved["tsne-2_2_title"]) == "tsne, perplexity 15"
    write_coordinates(tmp_path / "c.tsv", table, both)
    header = (tmp_path / "c.tsv").read_text(encoding="utf-8").splitlines()[0]
    columns = [f"tsne_2:{i} tsne, perplexity 5" for i in (1, 2)]
    columns += [f"tsne-2_2:{i} tsne, perplexity 15" for i in (1, 2)]
    assert header.split("\t")[2:] == columns
    write_coordinates(tmp_path / "c.tsv", table, both[:1])
    header = (tmp_path / "c.tsv").read_text(encoding="utf-8").splitlines()[0]
    assert header.split("\t")[2:] == ["tsne_2:1", "tsne_2:2"]


def test_a_label_with_line_ends_stays_in_its_line(tmp_path: Any) -> None:
    label = "a\rb\tc\nd\\e"
    table = EmbeddingTable(np.eye(3, dtype=np.float32), {"label": (label, "plain", "x")})
    for name in ("c.tsv", "c.TSV"):
        write_coordinates(tmp_path / name, table, [made("tsne", 2)])
        lines = (tmp_path / name).read_bytes().decode().splitlines()
        assert len(lines) == 4
        assert lines[1].split("\t")[1] == r"a\rb\tc\nd\\e"
    write_coordinates(tmp_path / "c.NPZ", table, [made("tsne", 2)])
    with np.load(tmp_path / "c.NPZ") as saved:
        assert saved["labels"].tolist() == [label, "plain", "x"]


def test_a_projection_of_other_points_is_saved_nowhere(tmp_path: Any) -> None:
    table = EmbeddingTable(np.eye(2, dtype=np.float32))
    other = made("tsne", 2)
    for show in (
        lambda: write_coordinates(tmp_path / "c.npz", table, [other]),
        lambda: to_figure(table, other),
        lambda: export_logdir(tmp_path / "run", table, [other]),
        lambda: write_report(tmp_path / "r.html", table, [other]),
    ):
        with pytest.raises(ParameterError, match="projection tsne: 3 placed points for 2"):
            show()
    assert not list(tmp_path.iterdir())
