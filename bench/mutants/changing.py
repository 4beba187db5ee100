"""What a kind of file is, and how its bytes and values are changed at random."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parents[2] / "tests" / "data"
N = 60
VECTORS = np.random.default_rng(0).normal(size=(N, 8)).astype(np.float32)
LABELS = [f"wörd {i}" for i in range(N)]
ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2.5,
    1 << 40,
    1 << 70,
    "U3",
    "",
    [],
    [1],
    {},
    {"a": 1},
    "\0",
)
INTEGERS = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, (1 << 63) - 1)


@dataclass(frozen=True)
class Kind:
    """A kind of file: how it is written, changed and read.

    `make` writes it into a folder and returns its files by name; `mutate` changes some of them in
    place and tells whether a checksum must tell; `read` reads the folder and returns what counts.
    """

    make: Callable[[Path], None]
    mutate: Callable[[Path, random.Random], bool]
    read: Callable[[Path], np.ndarray | None]


def mutate_bytes(raw: bytes, rng: random.Random) -> bytes:
    """Change some bytes."""
    data = bytearray(raw)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(data) + 1)
        size = rng.choice((1, 1, 2, 4, 8, 32))
        kind = rng.randrange(8)
        if kind <= 2 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 3:
            data[at : at + size] = rng.randbytes(size)
        elif kind == 4:
            del data[at : at + size]
        elif kind == 5:
            data[at:at] = data[at : at + size] * rng.choice((1, 2, 40))
        elif kind == 6:
            width = rng.choice((1, 2, 4, 8))
            value = rng.choice(INTEGERS) & ((1 << 8 * width) - 1)
            data[at : at + width] = value.to_bytes(width, rng.choice(("little", "big")))
        else:
            del data[at if rng.random() < 0.3 else len(data) - rng.randrange(1, 9) :]
    return bytes(data)


def mutate_files(folder: Path, rng: random.Random) -> bool:
    """Change bytes of one file of a folder; a checksum need not tell."""
    file = rng.choice(sorted(p for p in folder.rglob("*") if p.is_file()))
    file.write_bytes(mutate_bytes(file.read_bytes(), rng))
    return False


def mutate_head(folder: Path, rng: random.Random) -> bool:
    """Change bytes of a file's first part, mostly."""
    file = next(p for p in sorted(folder.iterdir()) if p.is_file())
    raw = file.read_bytes()
    end = len(raw) if rng.random() < 0.3 else min(len(raw), 3000)
    file.write_bytes(mutate_bytes(raw[:end], rng) + raw[end:])
    return False


def mutate_value(value: Any, rng: random.Random) -> Any:
    """Change one value somewhere in JSON."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(sorted(value))
        if rng.random() < 0.15:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: mutate_value(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.7:
        at = rng.randrange(len(value))
        changed = [] if rng.random() < 0.2 else [mutate_value(value[at], rng)]
        return [*value[:at], *changed, *value[at + 1 :]]
    if isinstance(value, int) and rng.random() < 0.5:
        return value + rng.choice((-1, 1, 8, 1 << 31))
    if isinstance(value, str) and rng.random() < 0.5:
        return mutate_bytes(value.encode(), rng).decode("latin-1")
    return rng.choice(ODD)
