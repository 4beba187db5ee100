"""Groups are named in the page as they are in Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from embviz.clusters.names import name_groups
from embviz.clusters.words import cut, find_words, tidy
from tests.preview.page_scripts import ask_page

NAMES = """
import { nameGroups, tidy } from '#js/data/naming.js';
const answer = given.map(({ labels, codes, n_groups, places, dims }) =>
  nameGroups(labels && labels.map(tidy), Int32Array.from(codes), n_groups, {
    places: Float32Array.from(places),
    dims,
    rowNumber: (row) => row + 100,
  }),
);
"""
TEXTS = (
    "king", "King", " the  king ", "x" * 60, "a b", "A  b\tc", "\u202eevil\u202c", "été cafe\u0301",
    "<b>bold</b>", "", "  ", "猫 と 犬", "ไทย ภาษา", "हिन्दी भाषा", "😀 grin 😀", "👩\u200d🚀" * 30,
    "e\u0301" * 50,
    "don't stop", "3.14 km", "ǅungla", "İstanbul", "ΟΔΟΣ οδός", "snake_case name",
    "soft\u00adhyphen", "½ cup",
)  # fmt: skip


def case(seed: int) -> dict[str, Any]:
    """Points in groups whose labels are of one kind: digits, words, phrases or odd texts."""
    rng = np.random.default_rng(seed)
    n, n_groups, dims = int(rng.integers(6, 400)), int(rng.integers(1, 9)), int(rng.integers(2, 4))
    codes = rng.integers(-1, n_groups, n)
    codes[:n_groups] = range(n_groups)
    topics = [[f"t{g}w{i}" for i in range(12)] + ["the", "of", "Of"] for g in range(n_groups + 1)]

    def label(code: int) -> str:
        kind = seed % 5
        if kind == 0:
            return str(code if rng.random() < 0.7 else rng.integers(10))
        if kind == 1:
            return f"word{rng.integers(n)}"
        if kind == 2:
            return " ".join(rng.choice(topics[code], rng.integers(1, 6)))
        if kind == 3:
            return str(rng.choice(TEXTS))
        return str(rng.choice([f"{code} {rng.integers(3)} {rng.choice(TEXTS)}", "", "same"]))

    labels = None if seed == 7 else [label(code) for code in codes.tolist()]
    places = rng.normal(size=(n, dims)).astype(np.float32)
    if seed % 3 == 0:
        places = np.round(places)
    return {"labels": labels, "codes": codes, "n_groups": n_groups, "places": places}


def test_groups_have_the_names_that_the_page_gives_them() -> None:
    cases = [case(seed) for seed in range(60)]
    told = [
        {
            **each,
            "codes": each["codes"].tolist(),
            "places": each["places"].ravel().tolist(),
            "dims": each["places"].shape[1],
        }
        for each in cases
    ]
    found = ask_page(NAMES, told)
    for each, names in zip(cases, found, strict=True):
        numbers = np.arange(len(each["codes"])) + 100
        ours = name_groups(each["labels"], each["codes"], each["n_groups"], each["places"], numbers)
        assert ours == names
    assert len({name for names in found for name in names}) > 100


def test_words_of_any_language_are_those_of_the_page() -> None:
    texts = [*TEXTS, *(f"{a} {b}" for a in TEXTS[:12] for b in TEXTS[12:])]
    found = ask_page(
        """
        import { cut, findWords, tidy } from '#js/data/naming.js';
        const answer = given.map((text) => [tidy(text), cut(text), [...findWords(tidy(text))]]);
        """,
        texts,
    )
    assert found == [
        [tidy(text), cut(text), [list(pair) for pair in find_words(tidy(text)).items()]]
        for text in texts
    ]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_groups_of_very_few_points_have_names_too(n: int) -> None:
    places = np.arange(2 * n, dtype=np.float32).reshape(n, 2)
    given = {"labels": ["a", "b", ""][:n], "codes": list(range(n)), "n_groups": n}
    told = {**given, "places": places.ravel().tolist(), "dims": 2}
    ours = name_groups(given["labels"], np.arange(n), n, places, np.arange(n) + 100)
    assert ask_page(NAMES, [told]) == [ours]
