"""`embviz info`: what is in a source, and which tensor would be taken."""

from __future__ import annotations

from typing import Any

import click

from embviz.commands.shared.source import FILE, format_options, more_sources


@click.command()
@click.argument("source", type=FILE)
@more_sources
@format_options
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
def info(source: str, more: tuple[str, ...], style: str, **given: Any) -> None:
    """List the tensors of a source: name, shape, dtype, and which would be taken

    \b
    Example:
      embviz info model.ckpt
    """
    from embviz.commands.shared.terminal import can_show, end_progress, say
    from embviz.errors import printable
    from embviz.loaders import list_tensors
    from embviz.outputs.standard import check_standard_output, standard_output

    check_standard_output()
    tensors = list_tensors((source, *more), **given)
    end_progress()
    if style == "json":
        import dataclasses
        import json

        with standard_output():
            print(json.dumps([dataclasses.asdict(tensor) for tensor in tensors], indent=1))
        return
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
    with standard_output():
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
            print("  ".join([*cells, row[4]]).rstrip())
    if not any(tensor.taken for tensor in tensors):
        tables = any(len(tensor.shape) == 2 for tensor in tensors)
        say(f"No tensor {'would be taken without --tensor NAME' if tables else 'is a table'}")
