"""The files in tests/data are what make_fixtures.py makes; Node reads them (tests/js)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.data.make_fixtures import FIXTURES, FOLDER, make_tsne


def assert_same(made: Any, held: Any, rel: float, at: str) -> None:
    if isinstance(held, dict):
        assert made.keys() == held.keys(), at
        for key in held:
            assert_same(made[key], held[key], rel, f"{at}.{key}")
    elif isinstance(held, list):
        assert len(made) == len(held), at
        for i, (a, b) in enumerate(zip(made, held, strict=True)):
            assert_same(a, b, rel, f"{at}[{i}]")
    elif isinstance(held, float):
        assert made == pytest.approx(held, rel=rel, abs=1e-9), at
    else:
        assert made == held, at


def read(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(FIXTURES.keys() - {"tsne"}))
def test_a_fixture_on_disk_is_what_the_script_makes(name: str) -> None:
    # Eigenvectors may come with another sign from another LAPACK.
    made, held = FIXTURES[name](), read(name)
    for fixture in (made, held):
        for case in fixture.get("cases", []):
            if "directions" in case:
                case["directions"] = [_with_sign(row) for row in case["directions"]]
    assert_same(made, held, 1e-6, name)


def _with_sign(row: list[float]) -> list[float]:
    largest = max(row, key=abs)
    return [x if largest > 0 else -x for x in row]


def test_the_affinities_of_tsne_on_disk_are_made_again_and_divergences_are_about_the_same() -> None:
    made, held = make_tsne(largest=16), read("tsne")
    assert made["data"] == held["data"]
    small = [case for case in held["cases"] if case["n"] <= 16]
    assert len(made["cases"]) == len(small)
    for ours, theirs in zip(made["cases"], small, strict=True):
        # Few points may settle in another arrangement on another machine.
        assert ours.pop("kl") == pytest.approx(theirs.pop("kl"), rel=0.1, abs=2e-3)
        assert_same(ours, theirs, 1e-6, f"tsne of {theirs['n']}")
