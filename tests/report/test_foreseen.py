"""Listing the neighbors of a page is said before it where it takes long, and refused in time."""

from __future__ import annotations

import logging

import numpy as np
import pytest

import embviz
from embviz.errors import ParameterError
from embviz.pictures import cost
from embviz.pictures.plan import Plan
from embviz.pictures.selection import Choice, choose_points
from embviz.report import ReportOptions
from embviz.report.foreseen import check_listing, check_memory


@pytest.fixture
def part(monkeypatch):
    monkeypatch.setattr(cost, "available_memory", lambda: 1000)
    vectors = np.lib.stride_tricks.as_strided(np.ones(1, np.float32), (400_000, 100), (0, 0))
    return choose_points(embviz.EmbeddingTable(vectors))


def test_lists_for_which_the_memory_is_not_there_are_refused_with_the_way_out(part):
    with pytest.raises(ParameterError, match="--vectors none"):
        check_listing(part, Plan(), ReportOptions())


@pytest.mark.parametrize("vectors", ["none", "int8"])
def test_a_page_without_lists_needs_no_memory_for_them(part, vectors):
    check_listing(part, Plan(), ReportOptions(vectors=vectors))


def test_vectors_that_travel_need_no_lists(part):
    check_listing(part, Plan(), ReportOptions(max_size=500))


def test_a_method_that_looks_at_neighbors_has_the_lists(part):
    check_listing(part, Plan(methods=("tsne",)), ReportOptions())


def test_lists_that_take_minutes_are_said(part, monkeypatch, caplog):
    monkeypatch.setattr(cost, "available_memory", lambda: 64 * cost.GB)
    monkeypatch.setattr(cost, "TOLD_SECONDS", 1)
    with caplog.at_level(logging.INFO, "embviz"):
        check_listing(part, Plan(), ReportOptions())
    assert "400,000 × 100: about " in caplog.text


class Unread:
    """Vectors that must not be read."""

    dtype = np.dtype(np.float32)

    def __init__(self, *shape):
        self.shape = shape

    def __getitem__(self, rows):
        raise AssertionError("read")


def test_a_run_without_the_memory_is_refused_before_a_vector_is_read(monkeypatch):
    monkeypatch.setattr(cost, "available_memory", lambda: 24 * cost.GB)
    table = embviz.EmbeddingTable(Unread(20_000_000, 64))
    plan = Plan(methods=("tsne",), device="cpu")
    with pytest.raises(ParameterError, match=r"--sample [1-9]"):
        check_memory(table, Choice(), plan)
    check_memory(table, Choice(sample=200_000), plan)
    check_memory(table, Choice(select="a"), plan)
    check_memory(table, Choice(), Plan())
