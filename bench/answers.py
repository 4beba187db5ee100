"""How long the page takes to answer, by real events in headless Chromium.

    python bench/answers.py [--rounds 9]

A click to its neighbor list, an axis while typing and a lasso on 100,000 x 100 vectors, as they
travel unasked and as float32; a typed query on 341,479 labels; the name under the pointer. Each
time is that from the event until all panels stand in the document, the median and the largest of
the rounds, in milliseconds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.chromium import ARGUMENTS, find_chromium

# A listener of the window hears an event before all others on its way down, and last on its way up.
TIMES = """
window.took = [];
for (const type of ['pointerup', 'pointermove', 'input']) {
  let start = 0;
  window.addEventListener(type, () => { start = performance.now(); }, true);
  window.addEventListener(type, () => { window.took.push([type, performance.now() - start]); });
}
"""


def write_page(path: Path, n: int, dims: int, vectors: str) -> None:
    import embviz

    rng = np.random.default_rng(0)
    group = rng.integers(0, 50, n)
    data = (rng.normal(size=(50, dims)) * 2)[group] + rng.normal(size=(n, dims))
    letters = np.array(list("aeioubdfgklmnprst"))
    words = ["".join(word) for word in letters[rng.integers(0, len(letters), (n, 7))].tolist()]
    labels = tuple(f"{word}{i % 1000}" for i, word in enumerate(words))
    table = embviz.EmbeddingTable(data.astype(np.float32), {"label": labels}, "points", "p.npy")
    embviz.write_report(path, table, [embviz.PCA().project(table)], vectors=vectors, dims=2)


class Asked:
    """A page, and the milliseconds of the last event of a kind."""

    def __init__(self, browser: Any, path: Path) -> None:
        self.page = browser.new_page(viewport={"width": 1280, "height": 900})
        self.page.set_default_timeout(300_000)
        self.page.add_init_script(TIMES)
        self.page.goto(path.as_uri())
        self.page.evaluate("() => window.embviz.ready")
        self.page.wait_for_timeout(4000)

    def times(self, kind: str, act: Callable[[int], object], rounds: int) -> list[float]:
        found = []
        for i in range(rounds):
            self.page.evaluate("() => { window.took.length = 0; }")
            act(i)
            self.page.wait_for_timeout(300)
            took = self.page.evaluate("() => window.took")
            found.append(max(ms for name, ms in took if name == kind))
        return found

    def places(self, rows: list[int]) -> list[tuple[float, float]]:
        box = self.page.locator(".plot").bounding_box()
        xy = self.page.evaluate(
            "(rows) => { const xy = window.embviz.screenPositions();"
            " return rows.map((i) => [xy[2 * i], xy[2 * i + 1]]); }",
            rows,
        )
        return [(box["x"] + x, box["y"] + y) for x, y in xy]


def tell(what: str, found: list[float]) -> None:
    print(f"| {what} | {statistics.median(found):.1f} | {max(found):.1f} |", flush=True)


def ask_vectors(browser: Any, folder: Path, vectors: str, rounds: int) -> None:
    n = 100_000
    path = folder / f"{vectors}.html"
    write_page(path, n, 100, vectors)
    asked = Asked(browser, path)
    page = asked.page
    sent = page.evaluate(
        "() => JSON.parse(document.getElementById('manifest').textContent).vectors"
    )
    name = f"{n:,} × 100 as {sent['precision']}"
    places = asked.places([n // (rounds + 1) * (i + 1) for i in range(rounds)])
    tell(
        f"hover, {name}",
        asked.times("pointermove", lambda i: page.mouse.move(*places[i]), rounds),
    )
    tell(
        f"click to neighbor list, {name}",
        asked.times("pointerup", lambda i: page.mouse.click(*places[i]), rounds),
    )
    page.evaluate("() => window.embviz.set({selected: [], query: '', projection: 'custom'})")
    start = page.get_by_label("Horizontal axis from", exact=True)
    page.get_by_label("Horizontal axis to", exact=True).fill("kam")
    tell(
        f"typed axis, {name}",
        asked.times("input", lambda i: start.fill("aeioulnrs"[i % 9]), rounds),
    )
    page.evaluate("() => window.embviz.set({projection: 'pca', tool: 'lasso'})")
    page.wait_for_timeout(500)

    def lasso(_: int) -> None:
        box = page.locator(".plot").bounding_box()
        corners = [(0.01, 0.1), (0.99, 0.1), (0.99, 0.99), (0.01, 0.99), (0.01, 0.11)]
        at = [(box["x"] + u * box["width"], box["y"] + v * box["height"]) for u, v in corners]
        page.mouse.move(*at[0])
        page.mouse.down()
        for x, y in at[1:]:
            page.mouse.move(x, y, steps=25)
        page.mouse.up()

    found = asked.times("pointerup", lasso, 3)
    picked = page.evaluate("() => window.embviz.selected().length")
    tell(f"lasso around {picked:,} points", found)
    page.close()


def ask_labels(browser: Any, folder: Path, rounds: int) -> None:
    n = 341_479
    path = folder / "labels.html"
    write_page(path, n, 3, "none")
    asked = Asked(browser, path)
    field = asked.page.get_by_role("searchbox")
    texts = ["kamel", "=kamel", "/^ka.*1$/", "nu", "zz", "fla", "tri", "7", "gos"]
    for kind, some in (
        ("text", [t for t in texts if t[0] not in "=/"]),
        ("/regex/", ["/^ka.*1$/", "/(ab|ba)+[0-9]/"]),
    ):
        found = asked.times("input", lambda i, some=some: field.fill(some[i % len(some)]), rounds)
        tell(f"typed query ({kind}), {n:,} labels", found)
    field.fill("")
    places = asked.places([n // (rounds + 1) * (i + 1) for i in range(rounds)])
    tell(
        f"hover, {n:,} points",
        asked.times("pointermove", lambda i: asked.page.mouse.move(*places[i]), rounds),
    )
    asked.page.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    from playwright.sync_api import sync_playwright

    print("| asked | median ms | largest ms |")
    print("|---|---|---|")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        for vectors in ("auto", "float32"):
            ask_vectors(browser, Path(folder), vectors, rounds)
        ask_labels(browser, Path(folder), rounds)
        browser.close()


if __name__ == "__main__":
    main()
