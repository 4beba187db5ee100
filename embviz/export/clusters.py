"""The clusters of points as a table: `--save-clusters`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from embviz.checks import check_path
from embviz.clusters.values import Partition
from embviz.errors import ParameterError
from embviz.outputs.cells import cell
from embviz.outputs.files import write_file
from embviz.outputs.text import to_utf8
from embviz.pictures.selection import Part


def write_clusters(path: str | os.PathLike[str], part: Part, label_by: str | None = None) -> None:
    """Write a line a point: its row, its label, and its group in each partition, with the figures.

    Args:
        path: A .tsv file; it is replaced.
        part: The points, as `part_points` gives them.
        label_by: The column of labels; None is the table's own.

    Raises:
        ParameterError: If the name ends otherwise.
        OutputError: If the file cannot be written.
    """
    path = check_path("path", path)
    check_clusters_name(path)
    write_file(path, encode_clusters(part, label_by))


def encode_clusters(part: Part, label_by: str | None = None) -> bytes:
    """Return what `write_clusters` writes.

    Of each partition that was drawn, or is of clusters, there are two columns: the name of the
    point's group, and the share of its group's true neighbors that lie in it; both are empty for a
    point of no group.
    """
    table = part.table
    shown = [p for p in part.partitions or () if p.drawn or p.kind == "clusters"]
    columns: list[Sequence[str]] = [
        [str(table.row_number(i)) for i in range(table.n_points)],
        [table.label(i, label_by) for i in range(table.n_points)],
    ]
    header = ["row", "label"]
    for each in shown:
        header += [each.column, f"{each.column}: neighbors inside"]
        columns += [each.values(), _inside(each)]
    lines = ["\t".join(map(cell, cells)) for cells in zip(*columns, strict=True)]
    return to_utf8("\n".join(["\t".join(map(cell, header)), *lines, ""]))


def _inside(partition: Partition) -> list[str]:
    """Return the share of each point's group, "" where there is none."""
    shares = ["" if share is None else f"{share:.4f}" for share in partition.inside]
    shares.append("")
    return [shares[code] for code in partition.codes.tolist()]


def check_clusters_name(path: Path) -> None:
    """Refuse a name that is none of a table.

    Raises:
        ParameterError: If it ends otherwise than in .tsv or .txt.
    """
    if path.suffix.lower() not in (".tsv", ".txt"):
        shown = f"'{path.suffix}' is not written" if path.suffix else "the name says no format"
        raise ParameterError(path, shown, "name a .tsv file")
