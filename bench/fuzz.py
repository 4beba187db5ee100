"""What damaged files do: read, refused in one line, or a finding.

    python bench/fuzz.py [--mutants 20000] [--seconds S] [--seed 0] [--only npz,index] [--keep DIR]

Small real files of every kind that is read are changed at random: bytes turned, cut, doubled and
inserted, and values within archives, manifests and chunks changed under right checksums. Each is
read as the commands read it, within ten seconds and 4 GB. A finding is an error that is not one of
ours, an error that does not name the file, or vectors and pixels that changed although a checksum
tells; the smallest file of each is kept. A checkpoint is among them where TensorFlow is installed.
"""

from __future__ import annotations

import argparse
import logging
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from mutants import Kind, all_kinds

from embviz.errors import EmbvizError

SECONDS = 10
MEMORY = 4 << 30


class TooSlowError(Exception):
    pass


def ring(number: int, frame: object) -> None:
    raise TooSlowError


def judge(kind: Kind, folder: Path, right: np.ndarray | None, told: bool) -> tuple[str, str] | None:
    """Read a changed file; return what is wrong and where, or None."""
    timed = hasattr(signal, "setitimer")
    if timed:
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        found = kind.read(folder)
    except EmbvizError as error:
        names = [str(folder), "query", "column", "vectors: "]
        if "\n" in str(error) or not any(name in str(error) for name in names):
            return "Nameless", str(error)[:80]
        return None
    except Exception as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "embviz" in f.filename]
        last = frames[-1] if frames else None
        return type(error).__name__, f"{Path(last.filename).name}:{last.lineno} {error}"[
            :100
        ] if last else ""
    finally:
        if timed:
            signal.setitimer(signal.ITIMER_REAL, 0)
    same = found is None or right is None or found.tobytes() == right.tobytes()
    return ("Wrong", "other values though a checksum tells") if told and not same else None


def limit_memory() -> None:
    """Let the process take 4 GB more than it holds, where the system can say so."""
    if sys.platform.startswith("linux"):
        import resource

        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY,) * 2)


def most_memory() -> float:
    """Return the most memory that the process has held, in MiB; 0 where the system says none."""
    try:
        import resource
    except ImportError:
        return 0.0
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(used / (1 << 20 if sys.platform == "darwin" else 1 << 10))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="of wall time at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable()
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, ring)
    chosen = {
        name: kind
        for name, kind in all_kinds().items()
        if not options.only or {name, name.split("-")[0]} & set(options.only.split(","))
    }
    smallest: dict[tuple[str, str, str], int] = {}
    counts: Counter[tuple[str, str, str]] = Counter()
    with tempfile.TemporaryDirectory() as base:
        made: dict[str, tuple[Path, np.ndarray | None]] = {}
        for name, kind in list(chosen.items()):
            folder = Path(base, "made", name)
            folder.mkdir(parents=True)
            try:
                kind.make(folder)
            except ImportError:
                del chosen[name]
                continue
            made[name] = folder, kind.read(folder)
        limit_memory()
        started = time.monotonic()
        n_run = 0
        for number in range(options.mutants):
            if time.monotonic() - started > options.seconds:
                break
            n_run += 1
            rng = random.Random(f"{options.seed} {number}")
            name = sorted(chosen)[number % len(chosen)]
            folder = Path(base, "mutant")
            shutil.copytree(made[name][0], folder)
            told = chosen[name].mutate(folder, rng)
            wrong = judge(chosen[name], folder, made[name][1], told)
            if wrong is not None:
                key = (name, wrong[0], wrong[1].split(" ")[0])
                counts[key] += 1
                size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
                if size < smallest.get(key, 1 << 60):
                    smallest[key] = size
                    print(f"{number:7} {name:12} {wrong[0]}: {wrong[1]!a}", flush=True)
                    if options.keep:
                        kept = options.keep / "-".join(key).replace("/", "_")
                        shutil.rmtree(kept, ignore_errors=True)
                        shutil.copytree(folder, kept)
            shutil.rmtree(folder)
    seconds = time.monotonic() - started
    print(
        f"{n_run:,} mutants of {len(chosen)} kinds, seed {options.seed}, in {seconds:.0f} s "
        f"({time.process_time():.0f} s of CPU), {most_memory():.0f} MiB at most, "
        f"{len(counts)} findings"
    )
    for key, count in sorted(counts.items()):
        print(f"{count:7} {' '.join(key)}")


if __name__ == "__main__":
    main()
