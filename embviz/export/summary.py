"""A report or a comparison in a page of Markdown, for a job's summary or a comment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from embviz.checks import check_kind, check_path
from embviz.comparison.values import Comparison, Steps
from embviz.errors import counted, printable
from embviz.export.changes import most_changed
from embviz.expressions import Condition
from embviz.model import EmbeddingTable, Metric, Projection
from embviz.outputs.files import append_file
from embviz.outputs.markdown import block, code, table
from embviz.outputs.references import relative_url
from embviz.outputs.text import to_utf8
from embviz.pictures.description import Opening, describe, describe_comparison, with_classes
from embviz.pictures.figures import Figures, figures_of_picture, picture_figures, pictured_dims
from embviz.pictures.selection import Part
from embviz.pictures.tabs import show_first
from embviz.report.blocks import plain

MOST_BYTES = 64_000
"""Of a summary; GitHub takes comments of 65,536 characters."""
_MOST_PICTURES, _MOST_STEPS, _MOST_FIGURES = 24, 30, 16
_SIDE_BY_SIDE = 6  # Pictures whose figures fit beside each other.
_MOST_GROUPS, _MOST_VALUES, _MOST_LISTED, _MOST_LINES = 10, 20, 3, 12
_MOST_PARAMETERS, _MOST_COMMAND = 600, 8000
_URL = "/%:?&=#~@!$'*,;+"  # What may stand in a URL; parentheses and the like would end it.


@dataclass(frozen=True, kw_only=True)
class SummaryOptions:
    """What a summary says beside what was found.

    Attributes:
        title: Its heading; empty is the source.
        command: The command line that makes the report again.
        preview: The URL of a picture of the report, from where the summary is read.
        condition: Of `--fail-if`, whose outcome is said.
        first: The key of the picture that is shown first; None is the last.
        dims: How many dimensions are shown first.
        color_by, label_by: The columns that color and name the points; None leaves it to the page.
        metric: What near means.
    """

    title: str = ""
    command: str = ""
    preview: str = ""
    condition: Condition | None = None
    first: str | None = None
    dims: int = 2
    color_by: str | None = None
    label_by: str | None = None
    metric: Metric = "cosine"


def summarize_report(
    points: EmbeddingTable | Part,
    projections: Sequence[Projection],
    options: SummaryOptions | None = None,
    steps: Steps | None = None,
) -> str:
    """Return what a report shows as Markdown: figures, what changes most in a run, parameters.

    Labels, names and queries stand as code, so that no link, picture, mention or markup comes of
    them, and are cut. It has at most 64,000 bytes.

    Args:
        points: As for `write_report`.
        projections: Their projections, at least one.
        options: What else it says.
        steps: The steps of a run, as `measure_steps` returns them.

    Raises:
        ParameterError: If the condition asks for a figure that is not there.
    """
    options = options or SummaryOptions()
    part = points if isinstance(points, Part) else Part(points, points)
    check_kind("points", part.table, EmbeddingTable, "give a table, or what choose_points gave")
    figures = picture_figures(projections, options.first, options.dims, steps)
    sections = [
        _heading(options.title or part.table.source or "vectors"),
        _points(part, steps),
        *_outcome(options, figures),
        *_described(part, projections, options, steps),
        _pictures(projections, options),
        *([] if steps is None else [_run(steps, projections, figures)]),
        *_notes([*part.notes, *(() if steps is None else steps.notes)]),
        _parameters(projections),
        *_command(options.command),
    ]
    return _joined(sections)


def summarize_comparison(comparison: Comparison, options: SummaryOptions | None = None) -> str:
    """Return a comparison as Markdown, as `summarize_report` does: figures, what changed most.

    Raises:
        ParameterError: If the condition asks for a figure that could not be measured.
    """
    options = options or SummaryOptions()
    first, second = (code(name, 80) for name in comparison.names)
    sections = [
        _heading(options.title) if options.title else f"## {first} → {second}",
        _matched(comparison),
        *_outcome(options, comparison.figures),
        " ".join(describe_comparison(comparison, code)),
        table(
            ["figure", "value"],
            [[code(name), _number(value)] for name, value in comparison.figures.items()],
        ),
        *_by_group(comparison),
        _groups(comparison),
        _changes(comparison),
        *_command(options.command),
    ]
    return _joined(sections)


def append_summary(path: str | os.PathLike[str], text: str) -> None:
    """Add a summary to the end of a file, which keeps what it has, all of it or nothing.

    Raises:
        OutputError: If the file cannot be written.
    """
    append_file(check_path("path", path), to_utf8(text))


def preview_reference(preview: str, summary: str) -> str:
    """Return the URL by which a summary refers to a picture, without a place on this machine.

    It leads from the summary to the picture where both were named from here, as a summary of a
    job is not; else it is the picture's name as it was typed, of an absolute one the last part.

    Args:
        preview: The picture's name.
        summary: That of the summary.
    """
    if PurePath(preview).is_absolute():
        return _quoted(PurePath(preview).name)
    if PurePath(summary).is_absolute():
        return _quoted(PurePath(preview).as_posix())
    return relative_url(preview, summary)


def _quoted(name: str) -> str:
    return quote(os.fsencode(name))


def _heading(title: str) -> str:
    return f"## {code(title, 120)}"


def _joined(sections: Sequence[str]) -> str:
    """Return the sections that have room; the last ones are left out first, which is said."""
    kept, size = list[str](), 100
    for section in sections:
        size += len(to_utf8(section)) + 2
        if size > MOST_BYTES:
            n_left = len(sections) - len(kept)
            kept.append(f"{counted(n_left, 'section')} left out for their length.")
            break
        kept.append(section)
    return "\n\n".join(kept) + "\n"


def _points(part: Part, steps: Steps | None) -> str:
    whole = part.whole
    text = f"{counted(part.table.n_points, 'point')} of {counted(whole.n_dims, 'dimension')}"
    if whole.name:
        text += f" of tensor {code(whole.name, 120)}"
    if whole.source:
        text += f" of {code(whole.source, 120)}"
    if part.table.n_points < whole.n_points:
        text += f", of {whole.n_points:,} in all"
    if steps is not None:
        text += f", the last of {counted(len(steps.steps), 'step')}"
    left_out = [f"{n:,} {reason}" for reason, n in sorted(whole.left_out.items()) if n]
    return f"{text}{'; left out: ' + ', '.join(left_out) if left_out else ''}."


def _outcome(options: SummaryOptions, figures: Mapping[str, float | None]) -> Iterator[str]:
    """Yield whether the condition holds, and the picture, where there are such."""
    condition = options.condition
    if condition is not None:
        holds = condition.holds(figures)
        what = "**Failed**: the condition holds" if holds else "Passed: the condition does not hold"
        asked = ((code(name, 120), _number(figures[name])) for name in condition.names)
        said = ", ".join(f"{name} is {value}" for name, value in asked)
        each = zip(condition.comparisons, condition.hold_each(figures), strict=True)
        rows = [[code(text, 120), "holds" if h else "does not hold"] for text, h in each]
        listed = f"\n\n{table(['comparison', ''], rows[:_MOST_LINES], left=(0, 1))}"
        several = listed + _more(len(rows) - _MOST_LINES, "comparison") if len(rows) > 1 else ""
        yield f"{what}: {code(condition.text, 500)}; {said}.{several}"
    if options.preview:
        yield f"![The picture that is shown first]({quote(options.preview, safe=_URL)})"


def _pictures(projections: Sequence[Projection], options: SummaryOptions) -> str:
    """Return the figures of each picture; few pictures stand side by side. The first is bold."""
    opening = show_first(projections, options.first, options.dims)
    shown_first = (id(opening), min(options.dims, int(opening.coordinates.shape[1])))
    every = [(p, d) for p in projections for d in pictured_dims(p)]
    pictures = every[:_MOST_PICTURES]
    found = [figures_of_picture(p, d) for p, d in pictures]
    names = dict.fromkeys(name for some in found for name in some if not name.endswith("_se"))
    shown = list(names)[:_MOST_FIGURES]
    titles = [_bold(f"{code(p.title)} {d}D", (id(p), d) == shown_first) for p, d in pictures]
    cells = [[_with_error(figures, name) for name in shown] for figures in found]
    if len(pictures) <= _SIDE_BY_SIDE:
        rows = [[code(name), *values] for name, *values in zip(shown, *cells, strict=True)]
        text = table(["figure", *titles], rows)
    else:
        rows = [[title, *values] for title, values in zip(titles, cells, strict=True)]
        text = table(["picture", *map(code, shown)], rows)
    more = _more(len(every) - len(pictures), "picture") + _more(len(names) - len(shown), "figure")
    return f"{text}{more}"


def _described(
    part: Part,
    projections: Sequence[Projection],
    options: SummaryOptions,
    steps: Steps | None,
) -> Iterator[str]:
    """Yield what the picture shows, in a few sentences."""
    opening = Opening.of(options)
    parted = with_classes(part, projections, opening)
    yield " ".join(describe(parted, projections, opening, steps, code))


def _bold(text: str, is_bold: bool) -> str:
    return f"**{text}**" if is_bold else text


def _with_error(figures: Figures, name: str) -> str:
    """Return a figure, with its standard error where it is of a sample."""
    error = figures.get(f"{name}_se")
    text = _number(figures.get(name))
    return f"{text} ± {error:.2g}" if error and text != "–" else text


def _run(steps: Steps, projections: Sequence[Projection], figures: Figures) -> str:
    """Return what changes from step to step, and where most does."""
    frames = [p.frames for p in projections if p.frames is not None]
    of_map = frames[-1].figures if frames and frames[-1].steps == steps.names else {}
    columns = {**steps.figures, **of_map}
    names = [name for name in columns if any(v is not None for v in columns[name])][:_MOST_FIGURES]
    first = max(0, len(steps.steps) - _MOST_STEPS)
    body = [
        [code(step.name), f"{step.table.n_points:,}", *(_number(columns[n][i]) for n in names)]
        for i, step in list(enumerate(steps.steps))[first:]
    ]
    text = f"### {counted(len(steps.steps), 'step')}\n\n"
    before = steps.figures.get("kept_from_previous", ())
    known = [(kept, i) for i, kept in enumerate(before) if kept is not None]
    if known:
        kept, i = min(known)
        text += (
            f"What changed most: from step {code(steps.names[i - 1])} to {code(steps.names[i])}, "
            f"where points keep {100 * kept:.1f} % of their 10 nearest neighbors.\n\n"
        )
    text += table(["step", "points", *map(code, names)], body)
    return text + (f"\n\nThe last {len(body):,} of them." if first else "")


def _notes(notes: Sequence[str]) -> Iterator[str]:
    if notes:
        yield block("\n".join(printable(note, 300) for note in notes[:_MOST_LINES]))


def _parameters(projections: Sequence[Projection]) -> str:
    """Return the parameters in force of each projection."""
    rows = []
    for p in projections[:_MOST_PICTURES]:
        given = plain(dict(p.params))
        words = [f"{name} {_word(value)}" for name, value in given.items() if value is not None]
        rows.append([code(p.title), code(", ".join(words), _MOST_PARAMETERS)])
    text = table(["projection", "parameters"], rows, left=(0, 1))
    return f"### Parameters\n\n{text}{_more(len(projections) - len(rows), 'projection')}"


def _word(value: Any) -> str:
    """Return a plain JSON value in few characters."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return f"[{', '.join(map(_word, value))}]"
    if isinstance(value, dict):
        return f"({', '.join(f'{name} {_word(item)}' for name, item in value.items())})"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _command(command: str) -> Iterator[str]:
    if not command:
        return
    if len(command) > _MOST_COMMAND:
        yield f"The command line has {len(command):,} characters; the report holds it."
        return
    lines = "\n".join(printable(line, _MOST_COMMAND) for line in command.split("\n"))
    yield f"### How to make it again\n\n{block(lines, 'sh')}"


def _matched(comparison: Comparison) -> str:
    by = comparison.matched_by
    how = by if by in ("label", "row") else code(by)
    text = f"{counted(comparison.n_matched, 'point')} in both, matched by {how}"
    for side, labels in zip(comparison.names, (comparison.only_a, comparison.only_b), strict=True):
        if labels:
            text += f"; {len(labels):,} in {code(side, 80)} only"
    if len(comparison.compared) < comparison.n_matched:
        text += f"; {len(comparison.compared):,} compared with all others"
    dims = " and ".join(f"{t.n_dims:,}" for t in (comparison.a, comparison.b))
    return f"{text}. Vectors of {dims} dimensions, {comparison.metric} distances."


def _by_group(comparison: Comparison) -> Iterator[str]:
    for column, groups in list(comparison.by_group.items())[:_MOST_LISTED]:
        rows = [
            [code(value), f"{found['n']:,}", _number(found.get("overlap10"))]
            for value, found in list(groups.items())[:_MOST_VALUES]
        ]
        text = table([code(column), "points", "overlap10"], rows)
        yield f"{text}{_more(len(groups) - len(rows), 'value')}"


def _groups(comparison: Comparison) -> str:
    if not comparison.groups:
        return f"No groups that changed together: {comparison.no_groups}."
    rows = [
        [code(group.name), f"{len(group.points):,}", f"{group.score:.2f}"]
        for group in comparison.groups[:_MOST_GROUPS]
    ]
    text = table(["changed together, towards", "points", "score"], rows)
    return f"{text}{_more(len(comparison.groups) - len(rows), 'group')}"


def _changes(comparison: Comparison) -> str:
    rows = [
        [code(c.label), f"{c.overlap10:.2f}", _listed(c.came), _listed(c.left)]
        for c in most_changed(comparison)
    ]
    if not rows:
        return "No neighbor of any point came or left."
    head = ["most changed", "overlap10", "came (rank before)", "left (rank now)"]
    return table(head, rows, left=(0, 2, 3))


def _listed(neighbors: Sequence[tuple[str, int]]) -> str:
    shown = [f"{code(label, 40)} ({rank:,})" for label, rank in neighbors[:_MOST_LISTED]]
    more = f"… {len(neighbors):,} in all" if len(neighbors) > _MOST_LISTED else ""
    return ", ".join([*shown, *filter(None, [more])])


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _more(n: int, noun: str) -> str:
    return f"\n\nAnd {counted(n, noun)} more." if n > 0 else ""
