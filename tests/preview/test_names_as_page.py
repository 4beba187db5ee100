"""Names of groups stand in a preview where the page has them."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, Unpack

import numpy as np
import pytest

from embviz import EmbeddingTable, Projection
from embviz.clusters.values import Partition
from embviz.pictures.selection import Part
from embviz.preview.camera import Area
from embviz.preview.frame import SCALE, open_style
from embviz.preview.maps import arranged
from embviz.preview.marks import choose_labels
from embviz.preview.names import (
    WantedName,
    gather_groups,
    name_lines,
    order_names,
    place_group,
    place_names,
)
from embviz.preview.text import Pen
from embviz.preview.theme import LIGHT
from embviz.preview.view import first_view
from embviz.report.options import ReportFields
from tests.preview.page_scripts import ask_page

STANDS = """
import { gatherGroups, placeGroup } from '#js/drawing/names.js';
const answer = given.map(({ codes, n_groups, visible, places, dims }) => {
  const shown = visible && Uint8Array.from(visible);
  const { sizes, rows } = gatherGroups(Int32Array.from(codes), n_groups, shown);
  const coordinates = Float32Array.from(places, (x) => x ?? NaN);
  const stands = rows.map((list) => placeGroup(coordinates, dims, list));
  return { sizes: [...sizes], rows: rows.map((list) => [...list]), stands };
});
"""


def islands(seed: int) -> dict[str, Any]:
    """Groups of several islands each, of very different sizes, some points hidden or nowhere."""
    rng = np.random.default_rng(seed)
    n, n_groups, dims = int(rng.integers(1, 3000)), int(rng.integers(1, 12)), 2 + seed % 2
    codes = np.minimum(rng.geometric(0.3, n) - 2, n_groups - 1)
    middles = rng.normal(size=(n_groups + 1, 3, dims)) * 10
    which = rng.choice(3, n, p=[0.6, 0.3, 0.1])
    places = middles[codes, which] + rng.normal(size=(n, dims)) * rng.choice([0.1, 1, 3])
    if seed % 4 == 0:
        places = np.round(places)
    places[rng.random(n) < 0.02] = np.nan
    visible = rng.random(n) < 0.6 if seed % 3 else None
    return {
        "codes": codes, "n_groups": n_groups, "visible": visible,
        "places": places.astype(np.float32), "dims": dims,
    }  # fmt: skip


def test_groups_stand_where_the_page_has_them() -> None:
    cases = [islands(seed) for seed in range(40)]
    told = [
        {
            **each,
            "codes": each["codes"].tolist(),
            "visible": None if each["visible"] is None else each["visible"].astype(int).tolist(),
            "places": [
                None if np.isnan(x) else x for x in each["places"].ravel().astype(float).tolist()
            ],
        }
        for each in cases
    ]
    for each, found in zip(cases, ask_page(STANDS, told), strict=True):
        sizes, rows = gather_groups(each["codes"], each["n_groups"], each["visible"])
        assert sizes.tolist() == found["sizes"]
        assert [some.tolist() for some in rows] == found["rows"]
        for some, theirs in zip(rows, found["stands"], strict=True):
            stand = place_group(each["places"], some)
            ours = stand and {"at": stand.at.tolist(), "reach": stand.reach.tolist()}
            assert ours == theirs


def test_names_have_the_places_that_the_page_gives_them() -> None:
    rng = np.random.default_rng(2)
    names = [
        WantedName(
            text=f"name {rng.integers(250)}",
            x=float(rng.uniform(0, 500)), y=float(rng.uniform(0, 500)),
            dx=float(rng.uniform(0, 60)), dy=float(rng.uniform(0, 60)),
            width=float(rng.uniform(10, 120)), height=int(rng.choice([16, 32])),
            level=int(rng.integers(3)), finest=bool(rng.integers(2)), size=int(rng.integers(50)),
        )
        for _ in range(300)
    ]  # fmt: skip
    taken = [(x, y, x + 60, y + 16) for x, y in rng.uniform(0, 500, (20, 2)).tolist()]
    area = Area(0, 52, 500, 420)
    found = ask_page(
        """
        import { orderNames, placeNames } from '#js/drawing/names.js';
        const { names, taken, area } = given;
        const order = orderNames(names, area);
        const answer = { order, boxes: placeNames(names, order, area, taken) };
        """,
        {"names": [asdict(name) for name in names], "taken": taken, "area": asdict(area)},
    )
    order = order_names(names, area)
    assert order == found["order"]
    ours = place_names(names, order, area, taken)
    assert [box and list(box) for box in ours] == found["boxes"]
    assert 20 < sum(box is not None for box in ours) < 200


def test_long_names_are_broken_as_in_the_page() -> None:
    texts = ["king", "tsurunen, michael, smith", "x" * 30, "a " * 19, "😀 " * 12, "a b", " " * 25]
    script = "import { nameLines } from '#js/drawing/names.js';"
    found = ask_page(f"{script} const answer = given.map((text) => nameLines(text));", texts)
    assert [name_lines(text) for text in texts] == found


def named_view(**fields: Unpack[ReportFields]) -> Any:
    """A view of three groups, of which two lie apart."""
    rng = np.random.default_rng(0)
    codes = np.arange(900) % 3
    middles = np.array([[0, 0], [20, 0], [0, 20]])
    places = (middles[codes] + rng.normal(size=(900, 2))).astype(np.float32)
    labels = [f"{'abc'[c]} word {i % 2}" for i, c in enumerate(codes.tolist())]
    table = EmbeddingTable(places, {"label": tuple(labels)})
    names = ("first", "second", "third")
    parts = (Partition("group", "clusters", codes.astype(np.int32), names, True, "placed", 2),)
    part = Part(table, table, partitions=parts)
    return first_view(part, [Projection("placed", places)], None, None, fields)


def chosen(view: Any) -> tuple[Any, Any]:
    from PIL import Image

    style = open_style(view, LIGHT)
    drawing = arranged(view, view.maps[0], style, (552, 435))
    pen = Pen(Image.new("RGB", (920, 725)), SCALE, LIGHT.background)
    return choose_labels(pen, drawing, (552, 435))


def written(view: Any) -> list[str]:
    return [" ".join(name.lines) for name in chosen(view)[1]]


def test_points_of_no_cluster_are_called_so_in_the_legend() -> None:
    view = named_view(color_by="group")
    values = tuple("" if i % 3 else "first" for i in range(900))
    table = replace(view.table, metadata={**view.table.metadata, "group": values})
    style = open_style(replace(view, table=table), LIGHT)
    assert [(e.name, e.count) for e in style.coloring.rest] == [("in no cluster", 600)]


def test_a_preview_names_the_groups_that_are_shown() -> None:
    assert written(named_view()) == ["first", "second", "third"]
    rows = [i for i in range(900) if i % 3 and i < 300]
    assert written(named_view(isolated=rows)) == ["b word 1", "c word 0"]


@pytest.mark.parametrize("count", [1, 900])
def test_names_make_room_for_the_labels_of_a_few_points_and_not_of_many(count: int) -> None:
    labels, names = chosen(named_view(selected=list(range(count))))
    assert labels
    assert len(names) == 3 if count == 900 else names
    for name in names:
        for box in (label.box(side) for label, side in labels):
            a = name.box
            assert a[2] <= box[0] or box[2] <= a[0] or a[3] <= box[1] or box[3] <= a[1]
