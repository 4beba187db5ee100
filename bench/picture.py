"""Make the picture of docs/compare.md, as its script and its commands make the page.

    python bench/picture.py [--out docs/compare.png]

The digits are trained and compared in a folder that is thrown away; the page is opened in headless
Chromium, 1200 pixels wide and in light colors, and kept with 256 colors.
"""

from __future__ import annotations

import argparse
import io
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from tests.chromium import ARGUMENTS, find_chromium

WIDTH, HEIGHT = 1200, 800
SELECTED = "3-691"  # Of those that kept no neighbor the one whose neighbors moved farthest.


def make_page(folder: Path) -> Path:
    """Run the script of docs/compare.md and its command with `-o`."""
    text = (ROOT / "docs/compare.md").read_text(encoding="utf-8")
    script = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)[0]
    command = re.findall(r"^\$ (embviz compare .* -o changes\.html)$", text, re.M)[0]
    for arguments in (["-c", script], ["-m", *shlex.split(command)]):
        subprocess.run([sys.executable, *arguments], cwd=folder, check=True)
    return folder / "changes.html"


def take_picture(page: Path) -> Image.Image:
    """Open a page, select a point, and return what is seen."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        opened = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT},
            color_scheme="light",
            reduced_motion="reduce",
        )
        opened.goto(page.as_uri())
        opened.evaluate(
            f"() => embviz.ready.then(() => embviz.select(embviz.query('={SELECTED}')))"
        )
        opened.wait_for_timeout(3000)
        found = Image.open(io.BytesIO(opened.screenshot()))
        browser.close()
    return found.convert("RGB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs/compare.png")
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory() as folder:
        found = take_picture(make_page(Path(folder)))
    found.quantize(256, dither=Image.Dither.NONE).save(out, optimize=True)
    print(f"{out}: {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
