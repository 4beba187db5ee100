"""What damaged files do: read, refused in one line, or a finding.

    python bench/fuzz.py [--mutants 20000] [--seconds S] [--seed 0] [--jobs 1] [--only npz,index]
                         [--first N] [--keep DIR]

Small real files of every kind that is read are changed at random: bytes turned, cut, doubled and
inserted, and values within archives, manifests and chunks changed under right checksums. Each is
read as the commands read it, within ten seconds of processor time and 4 GB. A finding is an error
that is not one of ours, an error that does not name the file, vectors and pixels that changed
although a checksum tells, or a process that dies or waits; the smallest file of each is kept. The
seed and a mutant's number make it again: `--first NUMBER --mutants 1`, with the same kinds chosen.
A checkpoint is among them where TensorFlow is installed.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from mutants import Kind, all_kinds

from embviz.errors import EmbvizError

SECONDS = 10
WAIT = 120.0
MEMORY = 4 << 30
Files = dict[str, bytes]
Key = tuple[str, str, str]


class TooSlowError(Exception):
    pass


def ring(number: int, frame: object) -> None:
    raise TooSlowError


def judge(kind: Kind, folder: Path, right: np.ndarray | None, told: bool) -> tuple[str, str] | None:
    """Read a changed file; return what is wrong and where, or None."""
    timed = hasattr(signal, "setitimer")
    if timed:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
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
            signal.setitimer(signal.ITIMER_PROF, 0)
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


def make_originals(names: set[str]) -> dict[str, Files]:
    """Return the files of each kind by name; a kind whose package is not there is left out."""
    originals: dict[str, Files] = {}
    for name, kind in sorted(all_kinds().items()):
        if names and not {name, name.split("-")[0]} & names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                kind.make(Path(folder))
            except ImportError:
                continue
            files = (path for path in Path(folder).rglob("*") if path.is_file())
            originals[name] = {str(f.relative_to(folder)): f.read_bytes() for f in files}
    return originals


def restore(folder: Path, files: Files) -> None:
    """Have a folder hold these files, as new ones where they were changed, and no others."""
    left = dict(files)
    for path in list(folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        name = str(path.relative_to(folder))
        if name in left and path.read_bytes() == left[name]:
            del left[name]
        else:
            path.unlink()
    for name, raw in left.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(raw)


def work(job: Job, numbers: Numbers, originals: dict[str, Files], seed: int) -> None:
    """Take one number after another until all are taken; tell what is found."""
    warnings.simplefilter("ignore")
    logging.disable()
    if hasattr(signal, "SIGPROF"):
        signal.signal(signal.SIGPROF, ring)
    kinds, names, right = all_kinds(), sorted(originals), {}
    for name in names:
        restore(job.base / name, originals[name])
        read = kinds[name].read(job.base / name)
        right[name] = None if read is None else read.copy()  # The file that it maps is changed.
    limit_memory()
    while (number := numbers.take()) is not None:
        name = names[number % len(names)]
        folder = job.base / name
        restore(folder, originals[name])
        job.at.value = number
        told = kinds[name].mutate(folder, random.Random(f"{seed} {number}"))
        wrong = judge(kinds[name], folder, right[name], told)
        if wrong is not None:
            job.pipe.send(wrong)
            job.pipe.recv()  # Until it is kept.
    job.pipe.send((most_memory(), time.process_time()))


@dataclass(frozen=True)
class Numbers:
    """The numbers of the mutants, that processes share."""

    next: Any
    end: Any

    def take(self) -> int | None:
        with self.next.get_lock():
            number = int(self.next.value)
            if number >= self.end.value:
                return None
            self.next.value = number + 1
            return number


@dataclass(frozen=True)
class Job:
    """A folder for mutants, the number of the one that is read, and an end of a pipe."""

    base: Path
    at: Any
    pipe: Connection


@dataclass
class Watched:
    """A process that reads mutants, and since when it reads the one that it reads."""

    job: Job
    process: Any
    number: int = -1
    since: float = field(default_factory=time.monotonic)

    def waits(self) -> bool:
        now = time.monotonic()
        if self.job.at.value != self.number:
            self.number, self.since = self.job.at.value, now
        return now - self.since > WAIT


@dataclass(frozen=True)
class Findings:
    """What was found, by kind of file, kind of error and place."""

    keep: Path | None
    counts: Counter[Key] = field(default_factory=Counter)
    smallest: dict[Key, int] = field(default_factory=dict)

    def add(self, folder: Path, number: int, wrong: tuple[str, str]) -> None:
        """Count a finding; tell and keep the smallest of its kind."""
        key = (folder.name, wrong[0], wrong[1].split(" ")[0])
        self.counts[key] += 1
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        if size >= self.smallest.get(key, 1 << 60):
            return
        self.smallest[key] = size
        print(f"{number:7} {folder.name:12} {wrong[0]}: {wrong[1]!a}", flush=True)
        if self.keep:
            kept = self.keep / "-".join(key).replace("/", "_")
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(folder, kept)


def run_all(
    base: Path, originals: dict[str, Files], options: argparse.Namespace, found: Findings
) -> tuple[int, float, float]:
    """Run the processes, each begun anew where one dies; return mutants, MiB and CPU seconds."""
    context = multiprocessing.get_context("spawn")
    end = options.first + options.mutants
    numbers = Numbers(context.Value("q", options.first), context.Value("q", end))
    names, begun, memory, cpu = sorted(originals), count(), 0.0, 0.0

    def begin() -> Watched:
        here, there = context.Pipe()
        folder, at = base / str(next(begun)), context.Value("q", -1, lock=False)
        given = (Job(folder, at, there), numbers, originals, options.seed)
        process = context.Process(target=work, args=given, daemon=True)
        process.start()
        there.close()
        return Watched(Job(folder, at, here), process)

    running = [begin() for _ in range(options.jobs)]
    started = time.monotonic()
    while running:
        if time.monotonic() - started > options.seconds:
            numbers.end.value = 0
        ready = wait([watched.job.pipe for watched in running], 1)
        for watched in list(running):
            if watched.waits():
                watched.process.kill()
            if watched.job.pipe not in ready:
                continue
            number = watched.job.at.value
            folder = watched.job.base / names[number % len(names)]
            try:
                said = watched.job.pipe.recv()
            except EOFError:
                watched.process.join()
                if number < 0:
                    raise SystemExit("a process failed before the first mutant") from None
                found.add(folder, number, ("Died", f"status {watched.process.exitcode}"))
                running.remove(watched)
                running.append(begin())
                continue
            if isinstance(said[0], str):
                found.add(folder, number, said)
                watched.job.pipe.send(None)
            else:
                running.remove(watched)
                memory, cpu = max(memory, said[0]), cpu + said[1]
    return numbers.next.value - options.first, memory, cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first mutant")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="of wall time at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    memory_disk = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory_disk if memory_disk.is_dir() else None) as base:
        originals = make_originals(set(filter(None, options.only.split(","))))
        started, found = time.monotonic(), Findings(options.keep)
        n_run, memory, cpu = run_all(Path(base), originals, options, found)
    seconds = time.monotonic() - started
    print(
        f"{n_run:,} mutants of {len(originals)} kinds, seed {options.seed}, in {seconds:.0f} s "
        f"({cpu:.0f} s of CPU), {memory:.0f} MiB at most, {len(found.counts)} findings"
    )
    for key, times in sorted(found.counts.items()):
        print(f"{times:7} {' '.join(key)}")


if __name__ == "__main__":
    main()
