"""What a run takes is said before it, and refused where the memory is not there."""

from __future__ import annotations

import logging

import numpy as np
import pytest

import embviz
from embviz.errors import ParameterError
from embviz.kernels.memory import available_memory
from embviz.pictures import cost
from embviz.pictures.cost import GB, check_all_pairs, check_cost, describe_cost, estimate_cost
from embviz.projections.tsne import TSNE
from embviz.projections.umap import UMAP
from embviz.projections.work import Work
from embviz.space import open_space

SEEN = ("cosine", "none")


class Many:
    """A space of which only the shape counts."""

    arrays = None

    def __init__(self, *shape):
        self.shape = shape


def line_of(caplog):
    found = [r.getMessage() for r in caplog.records if "about" in r.getMessage()]
    assert len(found) == 1
    return found[0]


def test_a_run_of_minutes_is_said_in_one_line_before_it(caplog, monkeypatch):
    monkeypatch.setattr(cost, "available_memory", lambda: 64 * GB)
    with caplog.at_level(logging.INFO, "embviz"):
        check_cost(Many(1_000_000, 128), [TSNE()], {SEEN: 90})
    line = line_of(caplog)
    assert line.startswith("1,000,000 × 128: about ")
    assert " minutes and " in line
    assert " GB on " in line
    assert "t-SNE 2D " in line
    assert "graph " in line


def test_nothing_is_said_of_a_run_of_seconds(caplog):
    table = embviz.EmbeddingTable(np.random.default_rng(0).normal(size=(300, 8)))
    with caplog.at_level(logging.INFO, "embviz"):
        embviz.project(table, methods=["tsne"], dims=(2,), iterations=10)
    assert "about" not in caplog.text


def test_a_run_that_takes_most_of_the_memory_is_said_though_it_is_short(caplog, monkeypatch):
    monkeypatch.setattr(cost, "available_memory", lambda: int(0.8 * GB))
    with caplog.at_level(logging.INFO, "embviz"):
        check_cost(Many(20_000, 32), [TSNE()], {SEEN: 90})
    assert " seconds and " in line_of(caplog)


def test_a_run_without_the_memory_is_refused_with_a_sample_that_fits(monkeypatch):
    monkeypatch.setattr(cost, "available_memory", lambda: 2 * GB)
    shape = (1_000_000, 128)
    with pytest.raises(ParameterError) as error:
        check_cost(Many(*shape), [TSNE()], {SEEN: 90})
    text = str(error.value)
    assert "1,000,000 × 128: needs about " in text
    assert "2.0 GB are there" in text
    fits = int(text.partition("--sample ")[2].partition(" ")[0])
    assert 10_000 < fits < 1_000_000
    check_cost(Many(fits, 128), [TSNE()], {SEEN: 90})
    assert "--place-all DIR" in text


def test_the_refusal_comes_before_neighbors_are_looked_for(monkeypatch):
    monkeypatch.setattr(cost, "available_memory", lambda: 1000)
    monkeypatch.setattr("embviz.pictures.projecting.build_graph", lambda *_: pytest.fail("worked"))
    table = embviz.EmbeddingTable(np.random.default_rng(0).normal(size=(300, 8)))
    with pytest.raises(ParameterError, match="of memory"):
        embviz.project(table, methods=["umap"], dims=(2,))


def test_nothing_is_refused_where_the_system_tells_no_memory(monkeypatch):
    monkeypatch.setattr(cost, "available_memory", lambda: 0)
    check_cost(Many(50_000_000, 768), [TSNE()], {SEEN: 90})


def test_an_estimate_near_the_memory_there_is_refuses_nothing(monkeypatch):
    needed = estimate_cost((1_000_000, 128), [TSNE()], {SEEN: 90}).memory
    monkeypatch.setattr(cost, "available_memory", lambda: int(needed / 1.05))
    check_cost(Many(1_000_000, 128), [TSNE()], {SEEN: 90})


@pytest.mark.parametrize("projector", [TSNE(), TSNE(3), UMAP()])
def test_more_points_take_longer_and_more_memory(projector):
    costs = [estimate_cost((n, 64), [projector], {SEEN: 90}, 2) for n in (10**4, 10**5, 10**6)]
    assert costs[0].seconds < costs[1].seconds < costs[2].seconds
    assert costs[0].memory < costs[1].memory < costs[2].memory
    # Neither falls short of a tenth where there are ten times fewer, nor grows as their square.
    assert costs[2].memory < 12 * costs[1].memory
    assert costs[2].seconds < 15 * costs[1].seconds


def test_cores_divide_what_they_share():
    work = Work("graph", 100, 0, shared=0.5)
    assert [work.seconds(n) for n in (1, 2, 10)] == pytest.approx([100, 75, 55])
    slow = estimate_cost((10**6, 128), [UMAP()], {SEEN: 14}, 1).seconds
    assert estimate_cost((10**6, 128), [UMAP()], {SEEN: 14}, 16).seconds < slow


def test_iterations_and_perplexity_count():
    few, many = (TSNE(iterations=i).work(100_000).cpu for i in (100, 1000))
    assert many > 3 * few
    wide = TSNE(perplexity=100.0).work(100_000)
    assert wide.held > 2 * TSNE().work(100_000).held


def test_stages_are_said_in_the_order_of_their_time():
    made = estimate_cost((1_000_000, 128), [TSNE()], {SEEN: 90}, 2)
    text = describe_cost(made)
    assert " on 2 cores (" in text
    seconds = [w.seconds(2) for w in made.stages]
    assert seconds == sorted(seconds, reverse=True)
    assert "1 core (" in describe_cost(estimate_cost((1_000_000, 128), [TSNE()], {SEEN: 90}, 1))


def write(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def system(tmp_path):
    proc, groups = tmp_path / "proc", tmp_path / "groups"
    write(proc, meminfo="MemTotal: 100 kB\nMemAvailable:    8000 kB\nSwapFree: 500 kB\n")
    write(proc / "self", cgroup="0::/outer/inner\n")
    return proc, groups


def test_the_memory_there_is_is_what_the_machine_has_left(system):
    assert available_memory(*system) == 8500 * 1024


def test_a_group_of_processes_may_have_less_left(system):
    outer, inner = system[1] / "outer", system[1] / "outer/inner"
    write(inner, **{"memory.max": "max\n", "memory.current": "7\n"})
    write(outer, **{"memory.max": "5000000\n", "memory.current": "2000000\n"})
    write(outer, **{"memory.stat": "anon 10\ninactive_file 1000000\n"})
    assert available_memory(*system) == 4_000_000


def test_groups_of_version_1_are_looked_at(system):
    write(system[0] / "self", cgroup="5:cpu:/a\n4:memory:/a\n")
    group = system[1] / "memory/a"
    write(group, **{"memory.limit_in_bytes": "3000\n", "memory.usage_in_bytes": "1000\n"})
    assert available_memory(*system) == 2000
    write(group, **{"memory.limit_in_bytes": "9223372036854771712\n"})
    assert available_memory(*system) == 8500 * 1024


def test_a_container_sees_its_own_group_at_the_root(system):
    write(system[1], **{"memory.max": "6000\n", "memory.current": "1000\n"})
    assert available_memory(*system) == 5000


def test_a_system_that_tells_nothing_has_no_number(tmp_path):
    assert available_memory(tmp_path, tmp_path) == 0


def test_this_machine_has_memory_left_for_a_small_run():
    table = embviz.EmbeddingTable(np.ones((20, 3)))
    check_cost(open_space(table), [TSNE(perplexity=2.0)], {SEEN: 6})


def test_principal_components_of_very_many_dimensions_are_said_and_refused(monkeypatch, caplog):
    monkeypatch.setattr(cost, "available_memory", lambda: 24 * GB)
    with pytest.raises(ParameterError, match=r"100,000 × 60,000: needs about \d+ GB"):
        check_cost(Many(100_000, 60_000), [], {})
    with caplog.at_level(logging.INFO, "embviz"):
        check_cost(Many(100_000, 20_000), [], {})
    assert "PCA " in line_of(caplog)


def test_all_pairs_are_said_in_hours_and_refused_where_they_take_years(monkeypatch, caplog):
    monkeypatch.setattr(cost, "available_memory", lambda: 2000 * GB)
    monkeypatch.setattr(cost, "count_cores", lambda: 2)
    with pytest.raises(ParameterError, match=r"would take about [\d,]+ days; leave out --exact"):
        check_all_pairs((300_000_000, 128), 10, True)
    with caplog.at_level(logging.INFO, "embviz"):
        check_all_pairs((3_000_000, 128), 10, True)
    assert " hours and " in line_of(caplog)
    caplog.clear()
    check_all_pairs((20_000, 32), 10, True)
    assert not caplog.records
    monkeypatch.setattr(cost, "available_memory", lambda: 2 * GB)
    with pytest.raises(ParameterError, match="GB are there; ask of some points"):
        check_all_pairs((30_000_000, 128), 100, False)
