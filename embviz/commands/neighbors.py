"""`embviz neighbors`: the nearest points of a label, on the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from embviz.commands.source import find_source, table_options

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from embviz.model import EmbeddingTable, Metric, Neighbors


@dataclass(frozen=True, eq=False)
class Answer:
    """The neighbors of one query, and the rows that the query itself names."""

    query: str
    rows: tuple[int, ...]
    found: Neighbors


@click.command()
@click.argument("query", nargs=-1, required=True)
@click.option("--source", metavar="FILE", help="Where to look; else EMBVIZ_SOURCE or embviz.toml")
@table_options
@click.option("-k", "k", type=int, default=10, show_default=True, help="How many neighbors")
@click.option("--metric", type=click.Choice(["cosine", "euclidean"]), default="cosine")
@click.option("--label-by", metavar="COLUMN", help="The metadata column that names the points")
@click.option("--format", "style", type=click.Choice(["text", "tsv", "json"]), default="text")
def neighbors(query: tuple[str, ...], **options: Any) -> None:
    """List the nearest neighbors of a label or row, exactly

    QUERY is a label, else a row number; several are answered one after the other, and
    'king - man + woman' is understood.

    \b
    Example:
      embviz neighbors politics --source words.npy --metadata words.tsv
    """
    from embviz.errors import ParameterError
    from embviz.loaders import load_table

    if options["k"] < 1:
        raise ParameterError("-k", f"{options['k']} is not a number of neighbors", "ask for 1 or more")
    source, config = find_source(options["source"])
    table = load_table(
        source,
        tensor=options["tensor"] or config.get("tensor"),
        metadata=options["metadata"] or config.get("metadata"),
        input_format=options["input_format"],
    )
    if table.n_points < 2:
        raise ParameterError(table.source, "1 row has no neighbors")
    column = options["label_by"] or config.get("label_by")
    if column is not None and column not in table.metadata:
        raise ParameterError("--label-by", f"no metadata column '{column}'")
    if table.verify is not None:
        table.verify()
    k = options["k"]
    if k > table.n_points - 1:
        click.echo(f"-k {k}: there are {table.n_points - 1} other points; all are listed", err=True)
        k = table.n_points - 1
    answers = [_ask(table, text, k, options["metric"], column) for text in _queries(table, query, column)]
    if options["style"] == "json":
        _print_json(table, answers, column)
    else:
        _print_lines(table, answers, column, options["style"] == "tsv")


def _queries(table: EmbeddingTable, words: tuple[str, ...], column: str | None) -> tuple[str, ...]:
    """Join words that are one expression typed without quotes, such as king - man + woman."""
    signs = {"+", "-"}
    joined = " ".join(words)
    if len(words) > 2 and any(word in signs for word in words[1:-1]):
        return (joined,)
    return words


def _ask(table: EmbeddingTable, text: str, k: int, metric: Metric, column: str | None) -> Answer:
    from embviz.neighbors import find_neighbors, find_neighbors_of_vectors
    from embviz.queries import parse_arithmetic, resolve_label

    names = column or table.label_column()
    known = names is not None and text in table.metadata[names]
    terms = [(1, text)] if known else parse_arithmetic(text)
    rows = tuple(resolve_label(table, term, column) for _, term in terms)
    if len(terms) == 1:
        return Answer(text, rows, find_neighbors(table, [rows[0]], k, metric))
    vector = _combine(table, [sign for sign, _ in terms], rows, metric)
    most = min(k, table.n_points - len(set(rows)))
    return Answer(text, rows, find_neighbors_of_vectors(table, vector, most, metric, [rows]))


def _combine(
    table: EmbeddingTable, signs: list[int], rows: tuple[int, ...], metric: Metric
) -> NDArray[np.float64]:
    """Add and subtract vectors, each at length 1 under cosine (Mikolov et al. 2013), (1, n_dims)."""
    import numpy as np

    from embviz.errors import ParameterError

    vectors = table.take_block(np.array(rows), np.float64)
    if metric == "cosine":
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        for row, length in zip(rows, lengths[:, 0], strict=True):
            if length == 0:
                raise ParameterError(f"row {row}", "is a zero vector, which has no direction")
        vectors = vectors / lengths
    return np.array(signs, np.float64)[None, :] @ vectors


def _print_lines(
    table: EmbeddingTable, answers: list[Answer], column: str | None, tsv: bool
) -> None:
    from embviz.errors import printable

    if tsv:
        click.echo("query\tlabel\trow\tdistance")
    for n, answer in enumerate(answers):
        found = [
            (table.label(int(i), column), table.row_number(int(i)), float(d))
            for i, d in zip(answer.found.indices[0], answer.found.distances[0], strict=True)
        ]
        if tsv:
            for label, row, distance in found:
                cells = (_escaped(answer.query), _escaped(label), str(row), f"{distance:.7g}")
                click.echo("\t".join(cells))
            continue
        if len(answers) > 1:
            click.echo(("\n" if n else "") + f"{printable(answer.query)}:")
        labels = [printable(label, 60) for label, _, _ in found]
        width = max(len(label) for label in labels)
        digits = max(len(f"{row}") for _, row, _ in found)
        for label, (_, row, distance) in zip(labels, found, strict=True):
            click.echo(f"{label.ljust(width)}  {distance:.4f}  row {row:>{digits}}")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _print_json(table: EmbeddingTable, answers: list[Answer], column: str | None) -> None:
    import json

    out = [
        {
            "query": answer.query,
            "rows": [table.row_number(row) for row in answer.rows],
            "metric": answer.found.metric,
            "neighbors": [
                {
                    "label": table.label(int(i), column),
                    "row": table.row_number(int(i)),
                    "distance": float(d),
                }
                for i, d in zip(answer.found.indices[0], answer.found.distances[0], strict=True)
            ],
        }
        for answer in answers
    ]
    click.echo(json.dumps(out, ensure_ascii=False, indent=1))
