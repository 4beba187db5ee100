"""`embviz info`: what is in a source, and which tensor would be taken; the steps of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from embviz.commands.shared.outcome import (
    Outcome,
    begin_account,
    json_option,
    options_in_force,
    refuse_format,
    source_entry,
)
from embviz.commands.shared.source import FILE, format_options, more_sources

if TYPE_CHECKING:
    from embviz.loaders.runs import Run
    from embviz.model import TensorInfo


@click.command()
@click.argument("source", type=FILE)
@more_sources
@format_options
@click.option(
    "--format", "style", type=click.Choice(["text", "json"]), help="json is the tensors alone"
)
@json_option
@click.pass_context
def info(
    ctx: click.Context, /, source: str, more: tuple[str, ...], style: str | None, as_json: bool,
    **given: Any,
) -> None:  # fmt: skip
    """List the tensors of a source: name, shape, dtype, and which would be taken

    Of a run its steps are listed too, and the tensors of the last one where the run is no source
    of its own.

    \b
    Example:
      embviz info model.ckpt
    """
    from embviz.commands.shared.terminal import end_progress, say
    from embviz.outputs.standard import check_standard_output, standard_output

    check_standard_output()
    refuse_format(style, as_json)
    account = begin_account(as_json)
    with account.timed("reading"):
        runs = [] if more else _runs(source)
        tensors = _tensors((source, *more), runs, given)
    end_progress()
    if as_json:
        account.print(lambda: _outcome(ctx, (source, *more), tensors, runs))
        return
    if style == "json":
        with standard_output():
            print(_as_json(tensors, runs))
        return
    with standard_output():
        for line in [*_listed(tensors), *_listed_steps(runs)]:
            print(line)
    if not any(tensor.taken for tensor in tensors):
        tables = any(len(tensor.shape) == 2 for tensor in tensors)
        say(f"No tensor {'would be taken without --tensor NAME' if tables else 'is a table'}")


def _runs(source: str) -> list[Run]:
    """Return the runs that a source holds, if any."""
    from embviz.errors import EmbvizError
    from embviz.loaders.runs import find_runs

    try:
        return find_runs(source)
    except EmbvizError:  # What is wrong with it is said of it as a source.
        return []


def _tensors(
    sources: Sequence[str], runs: Sequence[Run], given: dict[str, Any]
) -> list[TensorInfo]:
    """Return the tensors of a source, or of a run's last step where the run is none."""
    from embviz.errors import LoadError
    from embviz.loaders import list_tensors

    try:
        return list_tensors(sources, **given)
    except LoadError:
        if not runs:
            raise
    return list_tensors(runs[0].steps[-1].path, **given)


def _outcome(
    ctx: click.Context, named: Sequence[str], tensors: Sequence[TensorInfo], runs: Sequence[Run]
) -> Outcome:
    """Return what `--json` prints: the tensors, and the one that would be taken as a source."""
    taken = [t for t in tensors if t.taken]
    return Outcome(
        command="info",
        sources=[source_entry(named, t.name, t.shape, t.dtype) for t in taken],
        counts={"tensors": len(tensors), "steps": sum(len(run.steps) for run in runs)},
        parameters=options_in_force(ctx),
        more={"tensors": _tensor_entries(tensors), "steps": _step_entries(runs)},
    )


def _tensor_entries(tensors: Sequence[TensorInfo]) -> list[dict[str, Any]]:
    import dataclasses

    return [dataclasses.asdict(tensor) for tensor in tensors]


def _step_entries(runs: Sequence[Run]) -> list[dict[str, Any]]:
    return [
        {"name": step.name, "source": str(step.path), "tensor": step.tensor}
        for run in runs
        for step in run.steps
    ]


def _as_json(tensors: Sequence[TensorInfo], runs: Sequence[Run]) -> str:
    """Return the tensors as a list; of runs an object with their steps and the tensors."""
    import json

    listed: Any = _tensor_entries(tensors)
    if runs:
        listed = {"steps": _step_entries(runs), "tensors": listed}
    return json.dumps(listed, indent=1)


def _listed(tensors: Sequence[TensorInfo]) -> list[str]:
    """Return a line for each tensor, in columns."""
    from embviz.commands.shared.terminal import can_show
    from embviz.errors import printable

    times = " × " if can_show("×") else " x "
    rows = [
        (
            "*" if tensor.taken else " ",
            printable(tensor.name) or "-",
            times.join(str(size) for size in tensor.shape) or "scalar",
            tensor.dtype,
            printable(tensor.note),
        )
        for tensor in tensors
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(4)] if rows else []
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        lines.append("  ".join([*cells, row[4]]).rstrip())
    return lines


def _listed_steps(runs: Sequence[Run]) -> list[str]:
    """Return what is said of runs: a line for each step, and how they are shown."""
    import shlex

    from embviz.errors import printable

    lines = []
    for run in runs:
        width = max(len(step.name) for step in run.steps)
        for step in run.steps:
            where = step.tensor or str(step.path)
            lines.append(f"step {step.name.rjust(width)}  {printable(where)}")
        several = run.pattern and len(runs) > 1
        place = run.steps[0].path.parent / run.pattern if several else run.path
        tensor = f" --tensor {shlex.quote(run.tag)}" if run.tag and len(runs) > 1 else ""
        shown = printable(f"{shlex.quote(str(place))} --steps all{tensor}")
        lines.append(f"{len(run.steps)} steps: embviz project {shown}")
    return lines
