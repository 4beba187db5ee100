"""What travels in a page of some sizes, and what the ten nearest of each point cost?

    python bench/report_size.py VECTORS.npy [--labels FILE.tsv] [--sizes 10 15 25 60 100]

The neighbors are looked for once, as `embviz project` does where no method has, and PCA is shown.
For each size: that of the file, what travels of the vectors or of the lists, and how many
components; CPU seconds of this process.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))


def tell_sizes(table: Any, near: Any, sizes: list[float]) -> None:
    """Print a line for each size."""
    import embviz

    projections = embviz.project(table)
    print("| `--max-size` | MB | vectors | neighbors | components | CPU s |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "out.html")
        for most in sizes:
            start = time.process_time()
            try:
                size = embviz.write_report(path, table, projections, max_size=most, neighbors=near)
            except embviz.ParameterError as error:
                print(f"| {most:g} | {error} | | | | |", flush=True)
                continue
            took = time.process_time() - start
            text = path.read_text(encoding="utf-8")
            found = re.search(r'id="manifest">(.*?)</script>', text, re.DOTALL)
            manifest = json.loads(found[1]) if found else {}
            vectors, lists = manifest["spaces"][0]["vectors"], manifest["neighbors"]
            cells = [
                f"{size / 1e6:.1f}",
                vectors["precision"] if vectors else "none",
                str(lists["k"]) if lists else "from vectors",
                str(manifest["projections"][0]["n_components"]),
                f"{took:.1f}",
            ]
            print(f"| {most:g} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("vectors")
    parser.add_argument("--labels")
    parser.add_argument("--sizes", type=float, nargs="+", default=[10, 15, 25, 60, 100])
    options = parser.parse_args()
    import embviz
    from embviz.neighbors import list_neighbors

    table = embviz.load_table(options.vectors, metadata=options.labels)
    start = time.process_time()
    near = list_neighbors(table, 10)
    took = time.process_time() - start
    print(f"{near.indices.shape[0]:,} points: {took:.0f} CPU s, recall {near.recall:.4f}\n")
    tell_sizes(table, near, options.sizes)


if __name__ == "__main__":
    main()
