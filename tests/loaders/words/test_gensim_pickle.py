"""What gensim saves as pickles is refused with the line that saves its vectors otherwise."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from embviz import LoadError
from embviz.loaders import load_table
from embviz.loaders.words.gensim_pickle import find_way_out

DATA = Path(__file__).parents[2] / "data" / "words"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("word2vec.model", "Word2Vec; Word2Vec.load('word2vec.model').wv.save_word2vec_format("),
        ("keyed.kv", "KeyedVectors; KeyedVectors.load('keyed.kv').save_word2vec_format("),
    ],
)
def test_a_pickle_of_gensim_can_be_saved_as_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: str
) -> None:
    shutil.copy(DATA / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LoadError) as caught:
        load_table(name)
    assert str(caught.value).startswith(
        f"{name}: a pickle, which could run code and is never read; in Python"
    )
    typed = caught.value.way_out.partition(": ")[2]
    assert typed == f"from gensim.models import {code}'vectors.bin', binary=True)"
    pytest.importorskip("gensim")
    exec(typed, {})
    assert load_table("vectors.bin").vectors.shape == (10, 4)


def test_the_vectors_beside_a_pickle_are_named_and_read(tmp_path: Path) -> None:
    shutil.copy(DATA / "keyed.kv", tmp_path)
    np.save(tmp_path / "keyed.kv.vectors.npy", np.eye(3, dtype=np.float32))
    with pytest.raises(LoadError, match=r"keyed\.kv\.vectors\.npy beside it is read too"):
        load_table(tmp_path / "keyed.kv")
    assert load_table(tmp_path / "keyed.kv.vectors.npy").n_points == 3


@pytest.mark.parametrize(
    ("module", "name", "said"),
    [
        ("gensim.models.word2vec", "Word2Vec", "Word2Vec.load('x').wv"),
        ("gensim.models.keyedvectors", "Word2VecKeyedVectors", "KeyedVectors.load('x').save"),
        ("gensim.models.doc2vec", "Doc2Vec", "Doc2Vec.load('x').dv"),
        ("gensim.models.poincare", "PoincareModel", "PoincareModel.load('x').kv"),
        ("gensim.models.ldamodel", "LdaModel", ""),
        ("sklearn.pipeline", "Pipeline", ""),
    ],
)
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_the_class_is_found_in_every_protocol(
    module: str, name: str, said: str, protocol: int
) -> None:
    body = b"c" + module.encode() + b"\n" + name.encode() + b"\n"
    if protocol >= 4:
        parts = (module.encode(), name.encode())
        body = b"\x95" + bytes(8) + b"".join(b"\x8c%c%s\x94" % (len(p), p) for p in parts)
    found = find_way_out(b"\x80%c" % protocol + body + b")\x81}.", Path("x"))
    assert (said in found) if said else (found == "")


def test_other_pickles_are_said_to_be_never_read_once(tmp_path: Path) -> None:
    (tmp_path / "x.pkl").write_bytes(pickle.dumps([1.0]))
    with pytest.raises(LoadError) as caught:
        load_table(tmp_path / "x.pkl")
    assert caught.value.why == "a pickle, which could run code and is never read"
    assert caught.value.way_out == "save the table of vectors as .npy (numpy.save)"
