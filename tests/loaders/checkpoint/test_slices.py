"""Slices: keys, coverage, joining."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embviz.loaders.bytes.protobuf import MalformedError
from embviz.loaders.checkpoint.slices import (
    check_coverage,
    encode_slice_key,
    order_number,
    order_signed,
    place_slices,
    resolve_box,
)

INT64 = st.integers(-(2**63), 2**63 - 1)


@pytest.mark.parametrize(
    ("value", "code"),
    [(34, "a2"), (33, "a1"), (67, "c043"), (100, "c064"), (0, "80"), (-1, "7f"), (63, "bf")],
)
def test_signed_numbers_have_the_bytes_that_tensorflow_writes(value, code):
    assert order_signed(value).hex() == code


@given(INT64, INT64)
def test_codes_sort_as_their_numbers(a, b):
    assert (order_signed(a) < order_signed(b)) == (a < b)
    assert (order_number(abs(a)) < order_number(abs(b))) == (abs(a) < abs(b))


def test_bytes_that_mean_something_in_a_key_are_escaped():
    key = encode_slice_key(b"a\x00b\xff", ((0, -1),))
    assert key.hex() == "00" + "6100ff62ff00" + "0001" + "0101" + "80" + "7f"


@given(st.data())
def test_slices_that_cover_join_to_the_whole(data):
    shape = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    whole = np.arange(shape[0] * shape[1]).reshape(shape)
    boxes = [((0, shape[0]), (0, shape[1]))]
    for _ in range(data.draw(st.integers(0, 5))):  # cut a box in two, again and again
        box = boxes.pop(data.draw(st.integers(0, len(boxes) - 1)))
        axis = data.draw(st.integers(0, 1))
        start, length = box[axis]
        first = data.draw(st.integers(0, length))
        for piece in ((start, first), (start + first, length - first)):
            boxes.append((piece, box[1]) if axis == 0 else (box[0], piece))
    check_coverage(shape, boxes)
    parts = [(b, whole[b[0][0] : sum(b[0]), b[1][0] : sum(b[1])].ravel()) for b in boxes]
    assert (place_slices(shape, whole.dtype, parts) == whole).all()
    full = [b for b in boxes if b[0][1] and b[1][1]]
    with pytest.raises(MalformedError):
        check_coverage(shape, full[1:])
    with pytest.raises(MalformedError):
        check_coverage(shape, [*full, full[0]])


@pytest.mark.parametrize(
    ("boxes", "why"),
    [
        ([((0, 4), (0, 2)), ((5, 5), (0, 2))], "4 to 5 on axis 0 lie in no slice"),
        ([((0, 6), (0, 2)), ((5, 5), (0, 2))], "5 to 6 on axis 0 lie in two slices"),
        ([((0, 9), (0, 2))], "9 to 10 on axis 0"),
        ([((0, 10), (0, 1))], "1 to 2 on axis 1"),
        ([((0, 5), (0, 1)), ((5, 5), (1, 1))], "leave gaps: 10 elements in all, 20"),
        ([((0, 5), (0, 2)), ((0, 5), (0, 1)), ((5, 5), (0, 1))], "overlap"),
    ],
)
def test_gaps_and_overlaps_are_placed(boxes, why):
    with pytest.raises(MalformedError, match=why):
        check_coverage((10, 2), boxes)


def test_many_tiles_are_refused_before_they_are_compared():
    boxes = [((i, 1), (j, 1)) for i in range(101) for j in range(100)]
    with pytest.raises(MalformedError, match="10,100 slices"):
        check_coverage((101, 100), boxes)


def test_a_slice_must_lie_in_its_tensor():
    assert resolve_box(((1, 2), (0, -1)), (3, 4)) == ((1, 2), (0, 4))
    with pytest.raises(MalformedError, match="2 dimensions in a tensor of 1"):
        resolve_box(((0, 1), (0, 1)), (3,))
    with pytest.raises(MalformedError, match="from 2 to 4 on axis 0, which has 3"):
        resolve_box(((2, 2),), (3,))
    with pytest.raises(MalformedError, match="from -1"):
        resolve_box(((-1, 2),), (3,))
    with pytest.raises(MalformedError, match="from 1 to 4"):
        resolve_box(((1, -1),), (3,))
