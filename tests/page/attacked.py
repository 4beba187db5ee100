"""Pages that are attacked, and a walk through all of what they show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from embviz import (
    PCA,
    EmbeddingTable,
    Projection,
    compare,
    pack_tiles,
    write_comparison,
    write_report,
)
from embviz.comparison.values import Group, Step, Steps
from embviz.outputs.references import relative_url
from embviz.pictures.plan import Plan
from embviz.pictures.selection import Part
from embviz.pictures.steps import project_steps
from embviz.shards.values import Sample
from tests.page.attacks import Facts
from tests.page.hostile_texts import payloads
from tests.page.named import partition
from tests.page.sampled import density

WALK = """
async ([all, every]) => {
  const wrong = [];
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const { columns } = embviz.table;
  const folder = new URL('.', document.baseURI).href;
  const n = embviz.table.n_points;
  for (let i = 0; i < columns.length + n; i += every) {
    const column = columns[i % columns.length];
    if (i < columns.length) embviz.set({ label_by: column, color_by: column, column, labels: 'many' });
    else if (embviz.view().label_by !== 'label') embviz.set({ label_by: 'label' });
    embviz.set({ selected: [i % n], hovered: i % n });
    if (i % 8 === 0) await frame();
    const shown = document.querySelector('.card-name')?.textContent;
    const rows = embviz.query(`row:${i % n}`);
    if (rows.length < 1) wrong.push(`row ${i} is not found`);
    const link = document.querySelector('.card a[href]');
    if (link && !link.href.startsWith(folder)) wrong.push(`row ${i} links to ${link.href.slice(0, 200)}`);
    const named = embviz.view().label_by === 'label' ? all[i % n] || `row ${i % n}` : shown;
    if (shown !== named) wrong.push(`label ${i} is ${shown.slice(0, 200)}`);
  }
  for (const text of all.filter((_, i) => i % every === 0)) {
    embviz.addBookmark(text);
    for (const look of [() => embviz.query(`=${text}`), () => embviz.coordinates(text, 2), () => embviz.set({ [text]: text }),
      () => embviz.set({ projection: text }), () => embviz.set({ color_by: text }), () => embviz.names(text)]) {
      try { look(); } catch (error) { if (!(error instanceof Error)) wrong.push(`${text} throws what is no error`); }
    }
  }
  embviz.loadBookmarks(embviz.exportBookmarks());
  for (const tab of new Set(document.querySelectorAll('[role=tab]'))) { tab.click(); await frame(); }
  if (embviz.steps().length) for (let s = 0; s < embviz.steps().length; s++) { embviz.set({ step: s }); await frame(); }
  embviz.set({ help: true, projection: 'pca' });
  await frame();
  if (window.pwned !== undefined) wrong.push('it ran');
  if ({}.polluted !== undefined) wrong.push('a prototype has changed');
  const made = document.querySelectorAll('#app script, #app img:not([src^="data:"]):not([src^="blob:"]), #app iframe, #app object, #app embed,'
    + '#app base, #app meta, #app link, #app style, #app svg script, #app foreignObject, [onerror], [onload], [onclick], [onfocus], [ontoggle]');
  for (const each of made) wrong.push(`markup: ${each.outerHTML.slice(0, 200)}`);
  for (const { href } of document.querySelectorAll('a[href]'))
    if (!/^(file|blob|data:text|https:\\/\\/github)/.test(href)) wrong.push(`a link to ${href.slice(0, 200)}`);
  return wrong;
}
"""
"""Look at all of a page whose texts are hostile, at each `every`-th point; return what went wrong."""


def facts() -> Facts:
    """Return what fragments may name of the page of `write_plain`."""
    return {
        "tabs": ["pca", "tsne", "custom", "umap"],
        "columns": ["word", "group", "size"],
        "n": 300,
        "steps": 0,
    }


def write_plain(path: Path) -> Path:
    """Write the page that links are followed in."""
    from embviz import TSNE, Axes
    from tests.page.conftest import make_table

    table = make_table()
    made: list[Any] = [
        PCA().project(table),
        TSNE(n_components=2, metric="euclidean").project(table),
        TSNE(n_components=3, metric="euclidean", iterations=60).project(table),
        Axes((("=w0", "=w1"),), n_components=3).project(table),
    ]
    write_report(path, table, made, first="pca", metric="euclidean", color_by="group")
    return path


def attacked_table(columns: Mapping[str, Sequence[str]] | None = None) -> EmbeddingTable:
    """Return a point a payload, with thumbnails."""
    texts = payloads()
    vectors = np.random.default_rng(0).normal(size=(len(texts), 5)).astype(np.float32)
    tiles = np.full((len(texts), 8, 8), 200, np.uint8)
    return EmbeddingTable(
        vectors, {"label": texts, **(columns or {})}, texts[1], texts[2], pack_tiles(tiles)
    )


def write_attacked(folder: Path) -> list[Path]:
    """Write pages whose texts are payloads: each is a label, a value, a note, and a name of columns."""
    texts = payloads()
    n = len(texts)
    rng = np.random.default_rng(1)
    labels = tuple(texts)
    links = [relative_url(f"{text[:200].replace('/', '_')}.png", "x.html") for text in texts]
    paths = []
    for i, some in enumerate((texts[: n // 2], texts[n // 2 :])):
        turned = labels[7:] + labels[:7]
        groups = tuple(some[j % 12] for j in range(n))
        columns = {"group": groups}
        named = [name for name in some if len(name) < 400 and name.strip() and name != "row"]
        columns |= {name: turned for name in named if name not in ("label", "group")}
        table = replace(attacked_table(columns), name=some[i], source=some[i + 1])
        vectors = np.asarray(table.vectors)
        places = vectors[:, :2] @ rng.normal(size=(2, 2)).astype(np.float32)
        measured = {some[3]: rng.random(n).astype(np.float32)}
        made = [
            PCA().project(table),
            Projection(some[2][:60], places, title=some[4][:300], per_point=measured),
            Projection(
                f"tab {i}",
                places,
                axes=(some[5], some[6]),
                params={some[7]: some[8]},
                stats={some[9]: some[10]},
            ),
        ]
        part = Part(table, table, partitions=(partition("group", groups),))
        paths.append(folder / f"attacked{i}.html")
        write_report(
            paths[-1], part, made, title=some[11], command=some[12], notes=some, label_by="label",
            color_by="group", first="pca", image_links=links,
        )  # fmt: skip
        names = [text.replace("\n", " ")[:200] or "none" for text in some[:40]]
        steps = tuple(
            Step(f"{name} {j}", replace(table, vectors=vectors + np.float32(j)))
            for j, name in enumerate(names)
        )
        run = Steps(steps, steps[-1].table)
        made = project_steps(run, Plan(methods=("pca",), dims=(2,)))
        paths.append(folder / f"run{i}.html")
        write_report(paths[-1], run.table, made, steps=run, label_by="label")
    return paths


def write_other_attacked(folder: Path) -> list[Path]:
    """Write a comparison and a sample over the density of all points, whose texts are payloads."""
    texts = payloads()
    n = len(texts)
    groups = tuple(texts[j % 7] for j in range(n))
    table = attacked_table({"group": groups})
    rng = np.random.default_rng(2)
    moved = np.asarray(table.vectors) + rng.normal(size=(n, 5)).astype(np.float32)
    found = compare(table, replace(table, vectors=moved, source=texts[3]), match="row")
    together = tuple(
        Group(text, np.arange(i, n, 40), 0.5, (i + 1,), (i + 2,))
        for i, text in enumerate(texts[:30])
    )
    found = replace(found, groups=together, only_a=tuple(texts[:60]), only_b=tuple(texts[60:]))
    paths = [folder / "compared.html", folder / "sampled.html"]
    write_comparison(
        paths[0], found, title=texts[4], command=texts[5], notes=texts, label_by="label"
    )
    sampled = Sample(np.arange(n), np.full(n, 50_000 / n), 50_000)
    places = rng.uniform(-6, 6, size=(n, 2)).astype(np.float32)
    part = Part(
        table, table, sampled=sampled, densities=(density(texts[6]),),
        partitions=(partition("group", groups),), notes=tuple(texts[:50]),
    )  # fmt: skip
    made = [
        PCA().project(table),
        Projection(texts[6], places, title=texts[7], axes=(texts[8], texts[9])),
    ]
    write_report(paths[1], part, made, title=texts[10], color_by="group", label_by="label")
    return paths
