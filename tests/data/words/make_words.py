"""Write the small files of this folder by the programs whose formats they are.

    pip install gensim==4.4.0
    python tests/data/words/make_words.py

`gensim.bin` and `gensim.json`: vectors saved by gensim's save_word2vec_format, and the words and
values that its load_word2vec_format reads from it.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors

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


if __name__ == "__main__":
    write_word2vec()
