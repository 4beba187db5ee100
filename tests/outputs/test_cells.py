from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embviz.outputs.cells import cell, escaped, unescaped

RUN = [
    "=A1",
    '=HYPERLINK("http://a","b")',
    "=1+1",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "＝1",
    "-1|cmd",
    "+A1:B2",
    '"=1+1"',
    '"=HYPERLINK(""http://a"",""b"")"',
    '""=A1',
    '"＝A1',
    '"-2+3"',
]
KEPT = [
    "-1.5",
    "+3",
    "-1,5",
    "-1e-9",
    "-5%",
    "=",
    "-",
    "--",
    "+",
    "@",
    "-ing",
    "@user_name",
    "+a-b",
    '"-ing"',
    '"-1.5"',
    '"',
    '"="',
    'a"=1',
]


@pytest.mark.parametrize("text", RUN)
def test_what_a_spreadsheet_would_run_becomes_text_there(text: str) -> None:
    assert cell(text) == "\\" + text


@pytest.mark.parametrize("text", [*KEPT, "a=1", "", "ü", " =1"])
def test_numbers_signs_and_words_stay_as_they_are(text: str) -> None:
    assert cell(text) == text


@given(st.one_of(st.text(), st.text('"=+-@\\\t\n\r1a(|＝')))
def test_a_cell_gives_its_text_back(text: str) -> None:
    assert unescaped(cell(text)) == text
    assert unescaped(escaped(text)) == text
    assert not set(cell(text)) & set("\t\n\r")
