"""`--coordinates`: places that were computed elsewhere, each a tab of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from embviz import EmbeddingTable, LoadError, ParameterError, Placed, project, read_coordinates
from tests.commands.test_project import manifest_of

N = 60
VECTORS = np.random.default_rng(9).normal(size=(N, 8)).astype(np.float32)
PLACES = np.random.default_rng(1).normal(size=(N, 2)).astype(np.float32)
WORDS = [f"w{i}" for i in range(N)]
CELLS = Path(__file__).parents[1] / "data" / "hdf5" / "csr.h5ad"


@pytest.fixture
def words(tmp_path: Path) -> Path:
    np.save(tmp_path / "words.npy", VECTORS)
    lines = [f"{w}\t{x}\t{y}\n" for w, (x, y) in zip(WORDS, PLACES.tolist(), strict=True)]
    (tmp_path / "words.tsv").write_text("word\tx\ty\n" + "".join(lines))
    np.save(tmp_path / "umap.npy", PLACES)
    (tmp_path / "umap.tsv").write_text("".join(f"{x}\t{y}\n" for x, y in PLACES.tolist()))
    (tmp_path / "umap.csv").write_text(
        "name,a,b\n" + "".join(f"{w},{x},{y}\n" for w, (x, y) in zip(WORDS, PLACES, strict=True))
    )
    columns = {"word": WORDS, "x": PLACES[:, 0], "y": PLACES[:, 1]}
    parquet.write_table(pa.table(columns), tmp_path / "umap.parquet")
    np.savez(tmp_path / "umap.npz", tsne_2=PLACES, pca_3=VECTORS[:, :3])
    return tmp_path


SOURCE = ("words.npy", "--metadata", "words.tsv")


def places_in(path: Path, run: Any, *options: str) -> dict[str, np.ndarray]:
    told = run("project", *SOURCE, *options, "-o", "o.html", "--save-coordinates", "c.npz")
    assert told.status == 0, told.stderr
    return dict(np.load(path / "c.npz"))


@pytest.mark.parametrize(
    ("place", "key"),
    [
        ("umap.npy", "umap"),
        ("umap.tsv", "umap"),
        ("umap.csv", "umap"),
        ("umap.parquet", "umap"),
        ("umap.npz:tsne_2", "tsne_2"),
        ("x,y", "x-y"),
    ],
)
def test_coordinates_are_read_of_files_and_columns(
    run: Any, words: Path, place: str, key: str
) -> None:
    key = f"{key}-file" if key == "umap" else key
    found = places_in(words, run, "--coordinates", place)
    np.testing.assert_allclose(found[f"{key}_2"], PLACES, rtol=1e-6)
    manifest = manifest_of(words / "o.html")
    assert manifest["first"] == key
    (tab,) = [p for p in manifest["projections"] if p["key"] == key]
    assert (tab["kind"], tab["n_components"]) == ("map", 2)
    assert set(tab["stats"]["quality"]["2"]) >= {"neighbors_kept", "trustworthiness"}


def test_a_tensor_of_the_source_or_of_another_file_is_taken(run: Any, tmp_path: Path) -> None:
    told = run(
        "project", str(CELLS), "--coordinates", "obsm/X_umap", "--coordinates", "X_umap",
        "--coordinates", f"{CELLS}:obsm/X_umap", "--method", "pca", "-o", "o.html",
    )  # fmt: skip
    assert told.status == 0, told.stderr
    manifest = manifest_of(tmp_path / "o.html")
    shown = [p["key"] for p in manifest["projections"]]
    assert shown == ["pca", "X_umap", "X_umap-2", "X_umap-3"]
    assert manifest["first"] == "pca"


def test_columns_of_the_vector_are_refused_with_what_makes_them_coordinates(
    run: Any, tmp_path: Path
) -> None:
    names = [*"abcdefgh", "ux", "uy"]
    rows = np.hstack([VECTORS, PLACES]).tolist()
    lines = [",".join(names), *(",".join(map(str, row)) for row in rows)]
    (tmp_path / "x.csv").write_text("".join(line + "\n" for line in lines))
    asked = ("project", "x.csv", "--coordinates", "ux,uy", "-o", "o.html")
    told = run(*asked)
    assert told.status == 2
    options = told.stderr.partition("columns of the vector are none: ")[2].split()[:2]
    assert options == ["--columns", "-ux,-uy"]
    told = run(*asked, *options, "--save-coordinates", "c.npz")
    assert told.status == 0, told.stderr
    np.testing.assert_allclose(np.load(tmp_path / "c.npz")["ux-uy_2"], PLACES, rtol=1e-6)


def test_figures_are_those_of_the_same_places_by_a_method(words: Path) -> None:
    from embviz import TSNE

    table = EmbeddingTable(VECTORS)
    tsne = project(table, methods=[TSNE(n_components=2, perplexity=5)])[-1]
    placed = project(table, methods=[Placed(tsne.coordinates, "map")])[-1]
    assert placed.stats["quality"] == tsne.stats["quality"]
    np.testing.assert_array_equal(placed.coordinates, tsne.coordinates)


def test_places_stay_with_their_points_when_some_are_chosen(run: Any, words: Path) -> None:
    for options in (("--select", "x1"), ("--sample", "20"), ("--neighbors-of", "w7", "-k", "9")):
        if options[0] == "--select":
            options = ("--select", "/^w1/")
        found = places_in(words, run, "--coordinates", "umap.npy", *options)
        np.testing.assert_array_equal(found["umap-file_2"], PLACES[found["rows"]])
        assert 2 <= len(found["rows"]) < N


def test_places_stay_with_their_points_when_rows_are_left_out(run: Any, words: Path) -> None:
    gaps = VECTORS.copy()
    gaps[[0, 30]] = np.nan
    np.save(words / "words.npy", gaps)
    found = places_in(words, run, "--coordinates", "umap.npy", "--drop-nonfinite")
    assert len(found["rows"]) == N - 2
    np.testing.assert_array_equal(found["umap-file_2"], PLACES[found["rows"]])


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("short.npy", "59 rows of coordinates for 60 points"),
        ("long.npy", "61 rows of coordinates for 60 points (a header that was read as a row?)"),
        ("words.npy", "'words' is 60 x 8; 2 or 3 columns are needed"),
        ("umap.npz", "2 tables of 2 or 3 columns: tsne_2, pca_3; name one, as umap.npz:tsne_2"),
        ("umap.npz:nix", "tensor 'nix'"),
        ("nix.npy", "nix.npy: no such file"),
        ("nix", "no file, and no tensors of words.npy are named so"),
        ("x,z", "no column 'z'; name 2 or 3 of word, x, y"),
        ("x,word", "row 0 of 'word' is 'w0', no number"),
        ("moved.csv", "the same labels in another order: row 0 is 'w1', in the source 'w0'"),
        ("gaps.npy", "1 of 60 points have no coordinates, the first is row 4; choose others"),
        ("", "not found; give a file, FILE:TENSOR"),
    ],
)
def test_what_does_not_fit_is_refused(run: Any, words: Path, place: str, said: str) -> None:
    np.save(words / "short.npy", PLACES[:-1])
    np.save(words / "long.npy", PLACES[[*range(N), 0]])
    gaps = PLACES.copy()
    gaps[4, 1] = np.nan
    np.save(words / "gaps.npy", gaps)
    moved = [f"{w},{x},{y}\n" for w, (x, y) in zip(WORDS, PLACES, strict=True)]
    (words / "moved.csv").write_text("word,x,y\n" + "".join([moved[1], moved[0], *moved[2:]]))
    told = run("project", *SOURCE, "--coordinates", place, "-o", "o.html")
    assert told.status in (1, 2)
    assert said in told.stderr.splitlines()[-1]
    assert not (words / "o.html").exists()


def test_a_file_of_coordinates_is_not_written_over(run: Any, words: Path) -> None:
    for place in ("umap.npz:tsne_2", "umap.npz"):
        told = run("project", *SOURCE, "--coordinates", place, "-o", "umap.npz")
        assert told.status == 2
        assert "umap.npz: would overwrite the coordinates" in told.stderr


def test_settings_name_coordinates_beside_them(run: Any, words: Path) -> None:
    (words / "conf").mkdir()
    (words / "umap.npy").rename(words / "conf" / "umap.npy")
    settings = 'coordinates = ["umap.npy", "x,y"]\n'
    (words / "conf" / "e.toml").write_text(settings)
    told = run("project", *SOURCE, "--config", "conf/e.toml", "-o", "o.html")
    assert told.status == 0, told.stderr
    keys = [p["key"] for p in manifest_of(words / "o.html")["projections"]]
    assert keys == ["pca", "umap-file", "x-y"]


@pytest.mark.parametrize("shape", [(5, 1), (5, 4), (5,)])
def test_an_array_has_two_or_three_columns(shape: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match="2 or 3 columns are needed"):
        Placed(np.zeros(shape))


def test_three_columns_are_shown_in_3d_and_too_large_ones_are_refused() -> None:
    table = EmbeddingTable(VECTORS)
    found = Placed(VECTORS[:, :3], "cube").project(table)
    assert (found.coordinates.shape, found.title, found.kind) == ((N, 3), "cube", "map")
    with pytest.raises(ParameterError, match="beyond the range of float32"):
        Placed(VECTORS[:, :2].astype(float) * 1e300, "far").project(table)
    with pytest.raises(ParameterError, match="59 rows of coordinates for 60 points"):
        Placed(PLACES[:-1]).project(table)


def test_from_python_they_go_among_the_methods(words: Path) -> None:
    table = EmbeddingTable(VECTORS, {"word": tuple(WORDS)})
    placed = read_coordinates(words / "umap.csv", table)
    found = project(table, methods=[placed])
    assert [p.key for p in found] == ["pca", "umap-file"]
    assert json.dumps(dict(found[1].stats))
    np.save(words / "s.npy", PLACES[:-1])
    with pytest.raises(LoadError, match="59 rows of coordinates for 60 points"):
        read_coordinates(words / "s.npy", table)
