"""bench/mutate.py: faults are made where there is code, and those that tests miss are told."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
SCRIPT = """/** 1 < 2 */
const word = 'a < b'; // 3 < 4
const found = /a+b*1/u.test(word);
export function larger(a, b) {
  log(a);
  return a < b ? b : a + 0.5;
}
"""
PYTHON = '''"""1 < 2."""


def larger(a: int, b: int) -> int:
    text = "é < b"; a = a + 0  # 3 < 4
    if a < b:
        return b
    return a
'''


@pytest.fixture(scope="module")
def mutate() -> Any:
    spec = importlib.util.spec_from_file_location("mutate", ROOT / "bench/mutate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutate"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["mutate"]


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("x.js", SCRIPT, {("<", "<="), ("+", "-"), ("0.5", "1"), ("  log(a);", "")}),
        (
            "x.py",
            PYTHON,
            {("<", "<="), ("+", "-"), ("0", "1"), ('text = "é < b"', "pass"), ("a = a + 0", "pass"),
             ("return b", "pass"), ("return a", "pass")},
        ),
    ],
)  # fmt: skip
def test_faults_are_made_in_code_and_not_in_comments_or_texts(
    mutate: Any, tmp_path: Path, name: str, text: str, wanted: set[tuple[str, str]]
) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    found = mutate.find_faults(path)
    assert {(text[fault.start : fault.end], fault.instead) for fault in found} == wanted


def test_what_the_tests_do_not_see_survives_and_the_file_is_as_before(
    mutate: Any, tmp_path: Path
) -> None:
    path = tmp_path / "code.py"
    path.write_text("def half(x):\n    return x / 2\n\n\ndef untested(x):\n    return x - 7\n")
    (tmp_path / "check.py").write_text("import code_ as c\nassert c.half(4) == 2\n")
    code = tmp_path / "code_.py"
    path.rename(code)
    asked = {"count": 99, "seed": 3, "seconds": 30.0}
    before = code.read_text()
    made = list(mutate.survivors([code], tmp_path, "python check.py", **asked))
    assert {what for what, lives in made if lives} == {
        "code_.py:6: - -> +",
        "code_.py:6: 7 -> 8",
        "code_.py:6: return x - 7 -> pass",
    }
    assert len(made) == 6
    assert code.read_text() == before
    assert made == list(mutate.survivors([code], tmp_path, "python check.py", **asked))
