"""How long `embviz sprite` takes for ten thousand JPEGs, against decoding and scaling them alone.

The other side decodes and scales with Pillow in as many threads as there are cores, and keeps
nothing: once every pixel (`full`), once at the reduced scale that JPEG offers (`draft`). Each runs
as a process of its own, in turn, after one that warms the files; the least of the rounds counts.

    python bench/sprite.py [--images 10000] [--side 200] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ALONE = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
from PIL import Image
folder, tile, draft = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "draft"
def scale(name):
    with Image.open(os.path.join(folder, name)) as image:
        if draft:
            image.draft("RGB", (tile, tile))
        image.convert("RGB").resize((tile, tile), Image.Resampling.BICUBIC)
with ThreadPoolExecutor(os.cpu_count()) as pool:
    for _ in pool.map(scale, sorted(os.listdir(folder))):
        pass
"""


def write_images(folder: Path, n: int, side: int) -> None:
    """Write photographs of a kind: smooth colors with noise, JPEG of quality 88."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    for i in range(n):
        coarse = rng.normal(size=(10, 10, 3)).cumsum(0).cumsum(1)
        coarse = (coarse - coarse.min()) / np.ptp(coarse) * 255
        smooth = Image.fromarray(coarse.astype(np.uint8)).resize((side, side))
        noisy = np.asarray(smooth) + rng.normal(0, 6, (side, side, 1))
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(folder / f"{i}.jpg", quality=88)


def measure(command: list[str]) -> tuple[float, float, float]:
    """Run a command and return its wall seconds, CPU seconds and peak memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    assert status == 0, command
    scale = 1e6 if sys.platform == "darwin" else 1e3
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / scale


def main() -> None:
    """Print a table: wall and CPU seconds, ratio to decoding and scaling alone, memory."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--side", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    columns = int((asked.images - 1) ** 0.5) + 1
    tile = min(asked.side, 8192 // columns)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "images")
        folder.mkdir()
        write_images(folder, asked.images, asked.side)
        python, out = sys.executable, str(Path(name, "s"))
        alone = [python, "-c", ALONE, str(folder), str(tile)]
        commands = {
            "decode and scale, full": [*alone, "full"],
            "decode and scale, draft": [*alone, "draft"],
            "embviz sprite, .png": [
                python,
                "-m",
                "embviz",
                "sprite",
                str(folder),
                "-o",
                f"{out}.png",
            ],
            "embviz sprite, .jpg": [
                python,
                "-m",
                "embviz",
                "sprite",
                str(folder),
                "-o",
                f"{out}.jpg",
            ],
        }
        measure(commands["decode and scale, full"])
        rounds = [{k: measure(c) for k, c in commands.items()} for _ in range(asked.rounds)]
    base = [r["decode and scale, full"] for r in rounds]
    print(
        f"{asked.images} JPEGs of {asked.side} x {asked.side}, tiles of {tile}, "
        f"{os.cpu_count()} cores"
    )
    print(
        "| | wall s | CPU s | ratio of wall | ratio of CPU | peak MB |\n|---|---|---|---|---|---|"
    )
    for kind in commands:
        runs = [r[kind] for r in rounds]
        walls = statistics.median(r[0] / b[0] for r, b in zip(runs, base, strict=True))
        cpus = statistics.median(r[1] / b[1] for r, b in zip(runs, base, strict=True))
        wall, cpu, memory = (
            min(r[0] for r in runs),
            min(r[1] for r in runs),
            max(r[2] for r in runs),
        )
        print(f"| {kind} | {wall:.1f} | {cpu:.1f} | {walls:.2f} | {cpus:.2f} | {memory:.0f} |")


if __name__ == "__main__":
    main()
