"""How many pictures a second a page of many points draws while it is dragged.

    embviz project big.npy --method tsne --dims 2 -o out.html
    python bench/pan.py out.html [more.html ...] [--seconds 5]

In headless Chromium with software rendering at 1280 x 800 the page is told of a new place of the mouse
before each frame, from within: a driver outside takes some 30 ms for each place that it sends. A
frame counts where the picture of the points was drawn anew.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from playwright.sync_api import sync_playwright

from tests.chromium import ARGUMENTS, find_chromium

DRAG = """async (seconds) => {
  let draws = 0;
  for (const name of ['putImageData', 'drawImage']) {
    const own = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function () { draws++; return own.apply(this, arguments); };
  }
  const box = document.querySelector('.plot').getBoundingClientRect();
  const place = (i) => ({
    clientX: box.left + box.width / 2 + 110 * Math.sin(0.12 * i),
    clientY: box.top + box.height / 2 + 80 * (1 - Math.cos(0.12 * i)),
    bubbles: true, button: 0, buttons: 1,
  });
  const target = document.elementFromPoint(place(0).clientX, place(0).clientY);
  target.dispatchEvent(new MouseEvent('mousedown', place(0)));
  const start = performance.now(), gaps = [];
  let seen = draws, last = start;
  for (let i = 1; performance.now() - start < 1000 * seconds; i++) {
    for (const to of [target, window]) to.dispatchEvent(new MouseEvent('mousemove', place(i)));
    await new Promise(requestAnimationFrame);
    if (draws === seen) continue;
    const now = performance.now();
    gaps.push(now - last);
    [seen, last] = [draws, now];
  }
  target.dispatchEvent(new MouseEvent('mouseup', place(0)));
  gaps.sort((a, b) => a - b);
  const at = (share) => gaps[Math.floor(share * (gaps.length - 1))];
  return [gaps.length / seconds, at(0.5), at(0.95)];
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    print("| page | pictures a second | ms, median | 95 of 100 within |\n|---|---|---|---|")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        for path in options.pages:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.set_default_timeout(300_000)
            page.goto(path.resolve().as_uri())
            page.evaluate("() => window.embviz.ready")
            page.wait_for_timeout(3000)
            many, median, most = page.evaluate(DRAG, options.seconds)
            print(f"| {path.name} | {many:.1f} | {median:.0f} | {most:.0f} |", flush=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
