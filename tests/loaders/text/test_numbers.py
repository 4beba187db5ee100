from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz.loaders.text.numbers import PAD, parse_numbers, read_number


def parse(tokens: list[bytes]) -> np.ndarray | None:
    joined = b" ".join(tokens)
    raw = b"#" * PAD + joined + b"#" * PAD
    raw += b"#" * (-len(raw) % 8)
    lengths = np.array([len(t) for t in tokens])
    ends = np.cumsum(lengths + 1) - 1 + PAD
    return parse_numbers(np.frombuffer(raw, np.uint8), ends - lengths, ends)


def as_python(tokens: list[bytes]) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.array([float(t) for t in tokens]).astype(np.float32)


plain = st.from_regex(rb"[+-]?([0-9]{1,12}\.?[0-9]{0,20}|\.[0-9]{1,20})", fullmatch=True)
scientific = st.from_regex(
    rb"[+-]?([0-9]{1,10}(\.[0-9]{0,22})?|\.[0-9]{1,22})[eE][+-]?[0-9]{1,3}", fullmatch=True
)
written = st.one_of(
    st.floats(width=32, allow_nan=False, allow_infinity=False).map(lambda x: repr(x).encode()),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda x: b"%.18e" % x),
    st.floats(-1e6, 1e6).map(lambda x: b"%.6f" % x),
    st.integers(-(10**18), 10**18).map(lambda x: b"%d" % x),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(plain, scientific, written), min_size=1, max_size=90))
def test_every_number_is_the_float32_of_pythons_float(tokens: list[bytes]) -> None:
    numbers = parse(tokens)
    assert numbers is not None
    assert numbers.tobytes() == as_python(tokens).tobytes()


@settings(max_examples=300, deadline=None)
@given(
    st.lists(written, min_size=40, max_size=60),
    st.binary(min_size=0, max_size=12).filter(lambda b: b"#" not in b and b" " not in b),
    st.integers(0, 39),
)
def test_a_token_is_read_when_its_grammar_is_a_numbers_and_refused_otherwise(
    tokens: list[bytes], odd: bytes, place: int
) -> None:
    tokens[place] = odd
    try:
        read_number(odd)
    except ValueError:
        assert parse(tokens) is None
        return
    numbers = parse(tokens)
    assert numbers is not None
    np.testing.assert_array_equal(numbers, as_python(tokens))


@pytest.mark.parametrize(
    "token",
    ["1_000", "0x10", "１", "٣", "", "-", ".", "+.", "1e", "e5", "1.2.3", "1-2", "--1", "1e+"],
)
def test_what_only_resembles_a_decimal_number_is_refused(token: str) -> None:
    raw = token.encode()
    assert parse([b"0.5", raw, b"1"]) is None
    assert parse([b"0.5"] * 50 + [raw] * 50) is None
    with pytest.raises(ValueError, match=r".*"):
        read_number(raw)


def test_halfway_cases_of_float32_round_as_float64_then_float32_do() -> None:
    # The middle between two float32 values, a hair above and a hair below, in many digits.
    base = np.float32(1.1)
    middle = (float(base) + float(np.nextafter(base, np.float32(2)))) / 2
    digits = f"{middle:.40f}".encode()
    tokens = [digits, digits + b"1", digits.replace(b"1.1", b"11.", 1) + b"e-1"] * 20
    numbers = parse(tokens)
    assert numbers is not None
    np.testing.assert_array_equal(numbers, as_python(tokens))


def test_negative_zero_keeps_its_sign() -> None:
    numbers = parse([b"-0", b"-0.0", b"0"])
    assert numbers is not None
    assert np.signbit(numbers).tolist() == [True, True, False]
