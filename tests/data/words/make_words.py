"""Write the small files of this folder by the programs whose formats they are.

    pip install gensim==4.4.0 fasttext-wheel==0.9.2
    python tests/data/words/make_words.py

`gensim.bin` and `gensim.json`: vectors saved by gensim's save_word2vec_format, and the words and
values that its load_word2vec_format reads from it.

`word2vec.model` and `keyed.kv`: a model and vectors that gensim saved as pickles.

`skipgram.bin`, `cbow.bin` (without n-grams), `classes.bin`, `tree.bin` (hierarchical softmax),
`classes.ftz` (quantized), `pruned.ftz` (of few n-grams, norms and output quantized too), and
`fasttext.json`: models that fastText trained, and what its get_word_vector and get_output_matrix
say of each.
"""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path

import fasttext
import numpy as np
from gensim.models import KeyedVectors, Word2Vec

FOLDER = Path(__file__).parent
WORDS = ["the", "wörd", "слово", "日本語", "New_York", "don't", "</s>", "1", "😀", "a"]


def write_word2vec() -> None:
    vectors = KeyedVectors(vector_size=5)
    vectors.add_vectors(WORDS, np.random.default_rng(3).normal(size=(10, 5)).astype(np.float32))
    path = FOLDER / "gensim.bin"
    vectors.save_word2vec_format(str(path), binary=True)
    read = KeyedVectors.load_word2vec_format(str(path), binary=True)
    expected = {"words": read.index_to_key, "vectors": read.vectors.tolist()}
    (FOLDER / "gensim.json").write_text(json.dumps(expected), encoding="utf-8")


def write_pickles() -> None:
    model = Word2Vec([WORDS, WORDS[::-1]], vector_size=4, min_count=1, epochs=1, workers=1)
    model.save(str(FOLDER / "word2vec.model"))
    model.wv.save(str(FOLDER / "keyed.kv"))


def write_fasttext() -> None:
    chosen = random.Random(5)
    expected = {}

    def write_text(path: Path, n_labels: int) -> None:
        labels = [f"__label__{i} " if n_labels else "" for i in range(max(1, n_labels))]
        lines = [labels[i % len(labels)] + " ".join(chosen.choices(WORDS, k=6)) for i in range(520)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def save(name: str, model: fasttext.FastText._FastText) -> None:
        model.save_model(str(FOLDER / name))
        words, counts = model.f.getVocab("strict")
        expected[name] = {
            "words": words,
            "counts": [int(count) for count in counts],
            "vectors": [model.get_word_vector(word).tolist() for word in words],
            "labels": model.get_labels() if "classes" in name or "pruned" in name else [],
            "output": [] if name.endswith(".ftz") else model.get_output_matrix().tolist(),
        }

    with tempfile.TemporaryDirectory() as folder:
        plain, few, many = Path(folder, "plain"), Path(folder, "few"), Path(folder, "many")
        for path, n_labels in ((plain, 0), (few, 3), (many, 260)):
            write_text(path, n_labels)
        common = {"minCount": 1, "epoch": 1, "thread": 1, "verbose": 0}
        learn, classify = fasttext.train_unsupervised, fasttext.train_supervised
        save("skipgram.bin", learn(str(plain), "skipgram", dim=5, bucket=70, **common))
        save("cbow.bin", learn(str(plain), "cbow", dim=5, minn=0, maxn=0, **common))
        options = {"dim": 4, "minn": 1, "maxn": 3, "wordNgrams": 2, **common}
        save("classes.bin", classify(str(few), bucket=80, **options))
        save("tree.bin", classify(str(few), bucket=80, loss="hs", **options))
        model = classify(str(few), bucket=300, **options)
        model.quantize(qnorm=False, dsub=3)
        save("classes.ftz", model)
        model = classify(str(many), bucket=3000, **options)
        model.quantize(str(many), qnorm=True, qout=True, cutoff=260, retrain=True)
        save("pruned.ftz", model)
    (FOLDER / "fasttext.json").write_text(json.dumps(expected), encoding="utf-8")


if __name__ == "__main__":
    write_word2vec()
    write_pickles()
    write_fasttext()
