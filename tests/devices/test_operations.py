"""The operations of a device mean the same on each: what NumPy says in float64."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.fft import irfftn, rfftn

from embviz.devices import in_blocks, telling_shortage
from embviz.devices.numpy_arrays import NumPyArrays
from embviz.errors import ParameterError

RNG = np.random.default_rng(0)


def test_the_least_of_each_row_come_ascending_with_their_places(arrays):
    values = RNG.normal(size=(7, 300)).astype(np.float32)
    least, places = (arrays.get(found) for found in arrays.smallest(arrays.put(values), 12))
    assert np.array_equal(least, np.sort(values, axis=1)[:, :12])
    assert np.array_equal(places, np.argsort(values, axis=1)[:, :12])


def test_whole_numbers_add_up_at_places_that_come_several_times(arrays):
    places, values = RNG.integers(0, 50, 4000), RNG.integers(-(2**40), 2**40, 4000)
    held = arrays.full((50,), 0, "int64")
    arrays.scatter_add(held, arrays.put(places), arrays.put(values))
    wanted = [int(values[places == i].sum()) for i in range(50)]
    assert arrays.get(held).tolist() == wanted


def test_stretches_are_summed_each_by_itself(arrays):
    values = RNG.normal(size=(3, 100))
    starts = np.array([0, 1, 40, 41, 100])
    found = arrays.get(arrays.segment_sum(arrays.put(values), arrays.put(starts)))
    wanted = [values[:, a:b].sum(axis=1) for a, b in pairwise(starts)]
    assert np.allclose(found, np.stack(wanted, axis=1))


def test_sorting_keeps_the_order_of_equal_entries_and_counts_those_below(arrays):
    values = RNG.integers(0, 5, (4, 60)).astype(np.float64)
    ordered, places = arrays.sort(arrays.put(values))
    assert np.array_equal(arrays.get(places), np.argsort(values, axis=1, kind="stable"))
    limits = np.array([[0, 1, 2.5]] * 4)
    wanted = (values[:, :, None] < limits[:, None, :]).sum(axis=1)
    assert np.array_equal(arrays.get(arrays.count_below(ordered, arrays.put(limits))), wanted)


@pytest.mark.parametrize("n_dims", [2, 3])
def test_a_transform_and_its_inverse_fill_up_all_axes(arrays, n_dims):
    values = RNG.normal(size=(5,) * n_dims)
    found = arrays.transform(arrays.put(values), 12)
    assert np.allclose(arrays.get(found), rfftn(values, s=(12,) * n_dims))
    back = arrays.get(arrays.transform_back(found, 12))
    assert np.allclose(back, irfftn(arrays.get(found), s=(12,) * n_dims))
    assert np.allclose(back[(slice(0, 5),) * n_dims], values)


def test_products_keep_all_digits_whatever_the_process_has_chosen(arrays):
    a, b = (RNG.normal(size=(40, 200)).astype(np.float32) for _ in range(2))
    found = arrays.get(arrays.products(arrays.put(a), arrays.put(b).T))
    assert np.abs(found - a.astype(np.float64) @ b.T.astype(np.float64)).max() < 1e-4


class Small(NumPyArrays):
    """A device that has memory for so many numbers."""

    title = "a small card"

    def __init__(self, most):
        self.most = most

    def take_some(self, n):
        if n > self.most:
            raise MemoryError(f"{n} numbers")


def test_work_that_does_not_fit_is_done_in_smaller_blocks():
    small, done = Small(10), []

    def work(part):
        small.take_some(part.stop - part.start)
        done.extend(range(part.start, part.stop))

    in_blocks(small, 101, 64, work)
    assert done == list(range(101))


def test_work_that_fits_in_no_block_is_refused_with_the_way_out():
    small = Small(0)
    with (
        pytest.raises(ParameterError, match="a small card: has not enough free memory for the map"),
        telling_shortage(small, "the map"),
    ):
        in_blocks(small, 10, 4, lambda part: small.take_some(part.stop - part.start))


def test_what_is_no_shortage_keeps_its_traceback():
    with (
        pytest.raises(ZeroDivisionError),
        telling_shortage(Small(1), "the map"),
    ):
        in_blocks(Small(1), 3, 2, lambda part: 1 / 0)
