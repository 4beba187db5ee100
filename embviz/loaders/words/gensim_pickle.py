"""Gensim's own files: pickles, which are never read, of which gensim can save the vectors."""

from __future__ import annotations

import re
from pathlib import Path

# The class of the outermost object stands first, in the spellings of pickle's protocols 2 to 5.
_CLASS = re.compile(rb"gensim\.models\.[\w.]+(?:\n|\x94?\x8c.|[qr].{1,4}?X....)(\w+)", re.DOTALL)
_VECTORS = {
    "Word2Vec": ("gensim.models", "Word2Vec", ".wv"),
    "FastText": ("gensim.models", "FastText", ".wv"),
    "Doc2Vec": ("gensim.models", "Doc2Vec", ".dv"),
    "PoincareModel": ("gensim.models.poincare", "PoincareModel", ".kv"),
}
_KEYED = ("gensim.models", "KeyedVectors", "")
_FIRST_BYTES = 200
_BESIDE = (".vectors.npy", ".wv.vectors.npy", ".dv.vectors.npy", ".syn0.npy", ".wv.syn0.npy")


def find_way_out(head: bytes, path: Path) -> str:
    """Return how gensim saves the vectors of a pickle that begins so, "" where it has none."""
    found = _CLASS.search(head[:_FIRST_BYTES])
    name = found[1].decode() if found else ""
    place = _KEYED if name.endswith("KeyedVectors") else _VECTORS.get(name)
    if place is None:
        return ""
    module, kind, vectors = place
    beside = [path.with_name(path.name + end).name for end in _BESIDE]
    there = next((name for name in beside if path.with_name(name).is_file()), "")
    note = f"; {there} beside it is read too, without words" if there else ""
    return (
        f"in Python, with a gensim of its time: from {module} import {kind}; "
        f"{kind}.load({path.name!r}){vectors}"
        f".save_word2vec_format('vectors.bin', binary=True){note}"
    )
