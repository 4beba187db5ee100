"""The steps of a run as states of the same points: opened, matched, and read when needed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import numpy as np
from numpy.typing import NDArray

from embviz.comparison.match import match_tables
from embviz.comparison.values import Step, Steps
from embviz.errors import LoadError, ParameterError, counted, printable
from embviz.loaders import Named, choose_tensor, open_source, read_table
from embviz.loaders.choice import match_name
from embviz.loaders.reading import AS_IT_IS, Reading, ReadingOptions
from embviz.loaders.runs import OPTION, RunStep, choose_steps, find_steps, name_sources, tell_order
from embviz.model import EmbeddingTable

if TYPE_CHECKING:
    from embviz.loaders.opened import Source, Tensor

log = logging.getLogger("embviz")


@dataclass(frozen=True, eq=False)
class OpenedStep:
    """A step whose headers are read: its source, and the tensor that is taken of it."""

    step: RunStep
    source: Source
    tensor: Tensor

    @property
    def shown(self) -> str:
        return f"step {self.step.name}"


@dataclass(frozen=True, eq=False)
class OpenedRun:
    """The steps of a run, their headers read."""

    steps: tuple[OpenedStep, ...]
    reading: Reading = AS_IT_IS

    @property
    def last(self) -> OpenedStep:
        return self.steps[-1]

    @property
    def files(self) -> tuple[Path, ...]:
        """What is read of all steps."""
        found = (path for s in self.steps for path in (s.source.path, *s.source.files))
        return tuple(dict.fromkeys(found))


def load_steps(
    run: Named,
    steps: str = "all",
    *,
    match: str | None = None,
    drop_nonfinite: bool = False,
    **options: Unpack[ReadingOptions],
) -> Steps:
    """Read the steps of a run, whose points are those of the last one.

    Vectors stay in their files until they are needed. A point that a step lacks comes later; points
    that only earlier steps have are left out, which is told.

    Args:
        run: A folder of checkpoints, folders or files with a number in their names, what these
            names begin with, or a projector logdir; or several sources, which are the steps in
            their order.
        steps: `all`, `last:10`, or numbers as `1000,2000`.
        match: `label`, `row` or a column by which points are the same; None is what fits.
        drop_nonfinite: Leave out rows that hold NaN or infinity, of a step or of the last one.
        options: `tensor`, `metadata` and the other fields of `Reading`.

    Raises:
        LoadError: If there are no steps, a file is damaged, or it cannot be told which points are
            the same.
        ParameterError: If a step or tensor is not there.
    """
    opened = open_run(run, steps, Reading(**options))
    return match_steps(opened, read_step(opened.last, opened.reading), match, drop_nonfinite)


def open_run(run: Named, asked: str = "all", reading: Reading = AS_IT_IS) -> OpenedRun:
    """Open the steps of a run that are asked for; arguments as for `load_steps`.

    Raises:
        LoadError: If there are no steps, or a file is damaged.
        ParameterError: If a step or tensor is not there.
    """
    named = [run] if isinstance(run, str | Path) else list(run)
    if len(named) > 1:
        if asked.strip() != "all" and not asked.strip().startswith("last:"):
            raise ParameterError(
                f"{OPTION} {printable(asked, 60)}",
                f"{len(named)} sources are given, which are the steps",
                f"{OPTION} all, or name one run",
            )
        found = choose_steps(name_sources(named), asked, "the sources")
        order = tell_order(found)
        if order:
            log.info("%s", order)
    else:
        found = choose_steps(find_steps(named[0], reading.tensor), asked, named[0])
    last = _open(found[-1], reading, None)
    others = [_open(step, reading, last) for step in found[:-1]]
    return OpenedRun((*others, last), reading)


def _open(step: RunStep, reading: Reading, last: OpenedStep | None) -> OpenedStep:
    """Open a step; its tensor is the one that is named, else that of the last step."""
    source = open_source(step.path, reading)
    asked = reading.tensor if step.tensor is None else step.tensor
    if last is None or asked is not None:
        return OpenedStep(step, source, choose_tensor(source, asked))
    same = [t for t in match_name(source.tensors, last.tensor.name) if t.is_table]
    if len(same) == 1:  # It is chosen by its name, so that what is wrong with it is told.
        return OpenedStep(step, source, choose_tensor(source, same[0].name))
    found = choose_tensor(source)
    if source.is_model:
        text = "step %s: no tensor '%s' as in step %s; taking %s"
        names = (step.name, last.tensor.name, last.step.name, found.name)
        log.info(text, *(printable(name, 200) for name in names))
    return OpenedStep(step, source, found)


def read_step(step: OpenedStep, reading: Reading) -> EmbeddingTable:
    """Read the table of a step; its vectors are read when they are sliced."""
    return read_table(step.source, step.tensor, reading)


def match_steps(
    run: OpenedRun, last: EmbeddingTable, match: str | None = None, drop_nonfinite: bool = False
) -> Steps:
    """Return the steps of a run as states of the points of its last step.

    Args:
        run: The opened steps.
        last: The table of the last one.
        match: As for `load_steps`.
        drop_nonfinite: As for `load_steps`.

    Raises:
        LoadError: If a file is damaged, or it cannot be told which points are the same.
    """
    kept = np.arange(last.n_points)
    if drop_nonfinite:
        kept = np.setdiff1d(kept, last.nonfinite_rows())
        _tell_dropped(run.last, last.n_points - len(kept))
        if not len(kept):
            raise LoadError(last.source or "vectors", "no row is finite")
    table = last
    if len(kept) < last.n_points:
        without = {**last.left_out, "nonfinite": last.n_points - len(kept)}
        table = replace(last.keep(kept), left_out=without)
    place = np.full(last.n_points, -1)
    place[kept] = np.arange(len(kept))
    left_out: dict[str, None] = {}
    steps = []
    for opened in run.steps[:-1]:
        own = read_step(opened, run.reading)
        found = match_tables(last, own, match)
        left_out |= dict.fromkeys(own.label(i) for i in found.only_b.tolist())
        here, rows = place[found.rows_a], found.rows_b[place[found.rows_a] >= 0]
        here = here[here >= 0]
        without = {"unmatched": own.n_points - len(rows)}
        if drop_nonfinite:
            finite = ~np.isin(rows, own.nonfinite_rows())
            without["nonfinite"] = int((~finite).sum())
            _tell_dropped(opened, without["nonfinite"])
            here, rows = here[finite], rows[finite]
        own = replace(own, left_out={**own.left_out, **without})
        steps.append(_as_step(opened, own, table, here, rows))
    if left_out:
        log.info("%s", tell_left_out(left_out))
    steps.append(Step(run.last.step.name, table))
    return Steps(tuple(steps), table, notes=(tell_left_out(left_out),) if left_out else ())


def _as_step(
    opened: OpenedStep,
    own: EmbeddingTable,
    table: EmbeddingTable,
    here: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> Step:
    """Return a step with the points of a table that it has.

    Args:
        opened: The step.
        own: All its rows.
        table: All points of the run.
        here: int64 (n,), the points that the step has, ascending.
        rows: int64 (n,), their rows in it.
    """
    if not len(here):
        raise LoadError(
            opened.shown, "none of the points of the last step is there", f"leave it out: {OPTION}"
        )
    if len(rows) != own.n_points or not np.array_equal(rows, np.arange(len(rows))):
        own = own.keep(rows)
    places = here.tolist()
    columns = {name: tuple(values[i] for i in places) for name, values in table.metadata.items()}
    # The columns of the last step come first, so that labels are found in the same.
    mixed = {name: own.metadata.get(name, values) for name, values in columns.items()}
    own = replace(own, metadata={**mixed, **own.metadata}, sprite=None, bookmarks=())
    present = np.zeros(table.n_points, np.bool_)
    present[here] = True
    return Step(opened.step.name, own, None if present.all() else present)


def _tell_dropped(step: OpenedStep, count: int) -> None:
    if count:
        log.info("%s: %s not finite, left out", step.shown, counted(count, "row"))


def tell_left_out(labels: Sequence[str] | dict[str, None]) -> str:
    """Say which points only earlier steps have."""
    names = list(labels)
    shown = ", ".join(printable(name, 40) for name in names[:4]) + ", …" * (len(names) > 4)
    return f"Left out: {counted(len(names), 'point')} that the last step has not ({shown})"
