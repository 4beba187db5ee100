"""Time and memory of `embviz project` over shards: rows are made, then sampled, placed and counted.

    python bench/scale.py FOLDER --rows 1000000 10000000 --sample 50000 --scheduler processes:2

Rows are made once and kept in FOLDER: points around centers whose sizes fall off as a power law,
each cluster with directions of its own, a tenth of the rows between two of them. Seconds are those
of the processors, of all processes of the command together; memory is the most that one process
holds for itself (RssAnon), looked at ten times a second.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

A_SHARD = 500_000
N_CENTERS = 400


def make_rows(folder: Path, n_rows: int, n_dims: int) -> list[Path]:
    """Write shards of float32 rows that are not there yet, and return them all."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    centers = 3 * rng.normal(size=(N_CENTERS, n_dims)).astype(np.float32)
    turns = rng.normal(size=(N_CENTERS, 6, n_dims)).astype(np.float32)
    shares = 1 / np.arange(1, N_CENTERS + 1) ** 0.7
    made = []
    for i in range(-(-n_rows // A_SHARD)):
        path = folder / f"rows-{i:04d}.npy"
        made.append(path)
        if path.exists():
            continue
        own = np.random.default_rng([1, i])
        n = min(A_SHARD, n_rows - i * A_SHARD)
        group = own.choice(N_CENTERS, n, p=shares / shares.sum())
        rows = 0.3 * own.standard_normal((n, n_dims), np.float32)
        along = own.standard_normal((n, 6), np.float32)
        for g in range(N_CENTERS):
            at = np.flatnonzero(group == g)
            rows[at] += centers[g] + along[at] @ turns[g]
        between = np.flatnonzero(own.random(n) < 0.1)
        other = own.integers(0, N_CENTERS, len(between))
        part = own.random((len(between), 1), np.float32)
        rows[between] += part * (centers[other] - centers[group[between]])
        np.save(path.with_suffix(".tmp.npy"), rows)
        os.replace(path.with_suffix(".tmp.npy"), path)
    return made


def processes_of(pid: int) -> list[int]:
    """Return a process and all below it."""
    found, at = [pid], 0
    while at < len(found):
        try:
            for task in Path(f"/proc/{found[at]}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except OSError:
            pass
        at += 1
    return list(dict.fromkeys(found))


def look(pid: int, peaks: dict[int, int], seconds: dict[int, float]) -> None:
    """Note how much memory processes hold, and what time they took."""
    for each in processes_of(pid):
        try:
            status = Path(f"/proc/{each}/status").read_text()
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        held = next((x.split()[1] for x in status.splitlines() if x.startswith("RssAnon")), "0")
        peaks[each] = max(peaks.get(each, 0), int(held))
        ticks = int(fields[11]) + int(fields[12])
        seconds[each] = ticks / os.sysconf("SC_CLK_TCK")


def measure(command: list[str], folder: Path) -> dict[str, object]:
    """Run a command and return what it took."""
    peaks: dict[int, int] = {}
    seconds: dict[int, float] = {}
    begun = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            look(process.pid, peaks, seconds)

    thread = threading.Thread(target=watch)
    thread.start()
    said = process.communicate()[0]
    done.set()
    thread.join()
    if process.returncode:
        sys.exit(process.returncode)
    workers = [mb // 1024 for pid, mb in peaks.items() if pid != process.pid and mb > 50_000]
    outcome = json.loads(said)
    kept = {k: v for k, v in outcome["figures"].items() if k.startswith(("placed", "neighbors_k"))}
    return {
        "wall s": round(time.monotonic() - begun),
        "cpu s": round(sum(seconds.values())),
        "cpu s of workers": round(sum(s for p, s in seconds.items() if p != process.pid)),
        "MB here": peaks[process.pid] // 1024,
        "MB a worker": max(workers, default=0),
        "figures": kept,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--dims", type=int, default=64)
    parser.add_argument("--sample", type=int, default=50_000)
    parser.add_argument("--scheduler", default="processes:2")
    given = parser.parse_args()
    for n_rows in given.rows:
        folder = given.folder / f"{n_rows}x{given.dims}"
        files = make_rows(folder, n_rows, given.dims)
        size = sum(file.stat().st_size for file in files)
        print(f"{n_rows:,} x {given.dims}: {len(files)} files, {size / 1e9:.2f} GB", flush=True)
        command = [
            sys.executable, "-m", "embviz", "project", "rows-*.npy", "--method", "tsne",
            "--metric", "euclidean", "--sample", str(given.sample), "--place-all", "placed",
            "--scheduler", given.scheduler, "-o", "out.html", "--json", "--preview", "out.png",
        ]  # fmt: skip
        print(json.dumps(measure(command, folder)), flush=True)


if __name__ == "__main__":
    main()
