"""Models that are really trained, saved at several steps as the programs of others save them.

Two small ones, of what ships with Python and scikit-learn, the same on every run: vectors of words
(`train_words`) and the hidden layer of a classifier of digits (`train_digits`).
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.loaders.weights.model_writer import write_model
from tests.loaders.weights.torch_writer import store, tensor, write_zip

WORD_STEPS = (50, 100, 200, 400, 1000)
DIGIT_STEPS = (1, 10, 50, 100, 200)

Vectors = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Run:
    """What was saved while a model was trained.

    Attributes:
        labels: Of the points.
        states: float32 (n_points, n_dims), by training step, in their order.
        sheet: PNG of thumbnails, `TILE` pixels each way; b"" where there are none.
    """

    labels: tuple[str, ...]
    states: dict[int, Vectors]
    sheet: bytes = b""


TILE = 32


@cache
def train_words(steps: Sequence[int] = WORD_STEPS, width: int = 32, seed: int = 0) -> Run:
    """Train word2vec on Python's help: skip-gram with negative sampling.

    Mikolov et al. 2013, "Distributed Representations of Words and Phrases and their
    Compositionality": frequent words are thinned out, noise is drawn with the power 3/4 of the
    frequency. Steps are batches, and their size is Adagrad's, one for each word.
    """
    texts, counts = _read_help()
    words = tuple(counts)
    rng = np.random.default_rng(seed)
    frequency = np.array([counts[word] for word in words], float)
    pairs = _pairs(texts, {word: i for i, word in enumerate(words)}, frequency, rng)
    noise = np.cumsum(frequency**0.75)
    noise /= noise[-1]
    n = len(words)
    word, context = (rng.random((n, width)) - 0.5) / width, np.zeros((n, width))
    seen = np.full((2, n, 1), 1e-8)
    states = {}
    for step in range(1, steps[-1] + 1):
        center, near = pairs[rng.integers(len(pairs), size=1024)].T
        drawn = np.searchsorted(noise, rng.random((len(center), 5)))
        others = np.column_stack([near, drawn])
        error = 1 / (1 + np.exp(-np.einsum("bd,bkd->bk", word[center], context[others])))
        error[:, 0] -= 1
        cells = (center[:, None] * n + others).ravel()
        slope = np.bincount(cells, error.ravel(), n * n).reshape(n, n)
        slopes = slope @ context, slope.T @ word
        for table, gradient, size in zip((word, context), slopes, seen, strict=True):
            size += np.square(gradient).mean(axis=1, keepdims=True)
            table -= 0.05 * gradient / np.sqrt(size)
        if step in steps:
            states[step] = word.astype(np.float32)
    return Run(words, states)


def _read_help() -> tuple[list[list[str]], dict[str, int]]:
    """Return the words of each topic of Python's help, and how often those not rare occur."""
    from pydoc_data.topics import topics

    texts = [re.findall(r"[a-z_]{2,}", topics[name].lower()) for name in sorted(topics)]
    counted = Counter(word for text in texts for word in text)
    common = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return texts, {word: n for word, n in common if n >= 15}


def _pairs(
    texts: list[list[str]], codes: dict[str, int], frequency: NDArray[Any], rng: Any
) -> NDArray[np.int64]:
    """Return which words stand within four words of which, (n_pairs, 2)."""
    kept = np.sqrt(1e-3 * frequency.sum() / frequency)
    out = []
    for text in texts:
        line = np.array([codes[word] for word in text if word in codes], np.int64)
        line = line[rng.random(len(line)) < kept[line]]
        for apart in range(1, min(5, len(line))):
            pair = np.stack([line[:-apart], line[apart:]], axis=1)
            out += [pair, pair[:, ::-1]]
    return np.concatenate(out)


@cache
def train_digits(steps: Sequence[int] = DIGIT_STEPS) -> Run:
    """Train a classifier of scikit-learn's digits; what is saved is its hidden layer.

    It is what the script of docs/compare.md does, with thumbnails.
    """
    from sklearn.datasets import load_digits
    from sklearn.neural_network import MLPClassifier

    from embviz import load_digits_table

    pixels, digits = load_digits(return_X_y=True)
    model = MLPClassifier(hidden_layer_sizes=[32], random_state=0)
    states = {}
    for step in range(1, steps[-1] + 1):
        model.partial_fit(pixels / 16, digits, classes=range(10))
        if step in steps:
            hidden = pixels / 16 @ model.coefs_[0] + model.intercepts_[0]
            states[step] = np.maximum(hidden, 0).astype(np.float32)
    sprite = load_digits_table().sprite
    assert sprite is not None
    return Run(tuple(map(str, digits.tolist())), states, sprite.image)


def write_arrays(run: Run, folder: Path) -> None:
    """Save `vectors-50.npy` and so on, with `labels.tsv`, and `sheet.png` if there are images."""
    for step, vectors in run.states.items():
        np.save(folder / f"vectors-{step}.npy", vectors)
    _write_labels(run, folder)


def write_safetensors(run: Run, folder: Path) -> None:
    """Save `vectors-step50.safetensors` and so on, with `labels.tsv`."""
    from safetensors.numpy import save_file

    for step, vectors in run.states.items():
        save_file({"embedding.weight": vectors}, folder / f"vectors-step{step}.safetensors")
    _write_labels(run, folder)


def write_word2vec(run: Run, folder: Path) -> None:
    """Save `vectors.50.vec` and so on, as word2vec writes text, with the words in them."""
    for step, vectors in run.states.items():
        rows = (" ".join(map(str, row)) for row in vectors.tolist())
        lines = [
            f"{len(vectors)} {vectors.shape[1]}",
            *map(" ".join, zip(run.labels, rows, strict=True)),
        ]
        (folder / f"vectors.{step}.vec").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_lightning(run: Run, folder: Path) -> None:
    """Save `epoch=0-step=50.ckpt` and so on, as Lightning does, with `labels.tsv`."""
    for epoch, (step, vectors) in enumerate(run.states.items()):
        held = tensor(store(n=vectors.size), vectors.shape)
        root = {"epoch": epoch, "global_step": step, "state_dict": {"embedding.weight": held}}
        write_zip(folder / f"epoch={epoch}-step={step}.ckpt", root, {"0": vectors.tobytes()})
    _write_labels(run, folder)


def write_trainer(run: Run, folder: Path) -> None:
    """Save `checkpoint-50/` and so on, as the Trainer of Hugging Face does, with its words."""
    name = "bert.embeddings.word_embeddings.weight"
    for step, vectors in run.states.items():
        config = {"model_type": "bert", "vocab_size": len(vectors)}
        write_model(folder / f"checkpoint-{step}", {name: vectors}, config, list(run.labels))


def write_summaries(run: Run, folder: Path) -> None:
    """Save what `SummaryWriter.add_embedding` does: a folder a step, with its labels."""
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(folder)) as writer:
        for step, vectors in run.states.items():
            writer.add_embedding(vectors, metadata=list(run.labels), global_step=step, tag="words")


def write_tensorflow(run: Run, folder: Path) -> None:
    """Save `ckpt-50` and so on with TensorFlow, in a process of its own, with `labels.tsv`."""
    np.savez(folder / "states.npz", **{str(step): v for step, v in run.states.items()})
    done = subprocess.run(
        [sys.executable, "-c", _SAVE], cwd=folder, capture_output=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-3000:]
    (folder / "states.npz").unlink()
    _write_labels(run, folder)


_SAVE = """
import os, sys
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
import numpy, tensorflow
states = numpy.load("states.npz")
saved = tensorflow.train.Checkpoint(embedding=tensorflow.Variable(states[states.files[0]]))
manager = tensorflow.train.CheckpointManager(saved, ".", max_to_keep=None)
for step in states.files:
    saved.embedding.assign(states[step])
    manager.save(checkpoint_number=int(step))
"""


def _write_labels(run: Run, folder: Path) -> None:
    (folder / "labels.tsv").write_text("".join(f"{x}\n" for x in run.labels), encoding="utf-8")
    if run.sheet:
        (folder / "sheet.png").write_bytes(run.sheet)


LAYOUTS: dict[str, Callable[[Run, Path], None]] = {
    "arrays": write_arrays,
    "safetensors": write_safetensors,
    "word2vec": write_word2vec,
    "lightning": write_lightning,
    "trainer": write_trainer,
    "summaries": write_summaries,
    "tensorflow": write_tensorflow,
}
"""How the steps of a run are saved, by what saves them so."""
