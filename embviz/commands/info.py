"""`embviz info`: what is in a source, and which tensor would be taken."""

from __future__ import annotations

import click


@click.command()
@click.argument("source")
@click.option("--input-format", metavar="NAME", help="Read the source as this, such as tsv or npy")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
def info(source: str, input_format: str | None, style: str) -> None:
    """List the tensors of a source: name, shape, dtype, and which would be taken

    \b
    Example:
      embviz info model.ckpt
    """
    from embviz.errors import printable
    from embviz.loaders import list_tensors

    tensors = list_tensors(source, input_format=input_format)
    if style == "json":
        import dataclasses
        import json

        click.echo(json.dumps([dataclasses.asdict(tensor) for tensor in tensors], indent=1))
        return
    rows = [
        (
            "*" if tensor.taken else " ",
            printable(tensor.name) or "-",
            " × ".join(str(size) for size in tensor.shape) or "scalar",
            tensor.dtype,
            printable(tensor.note),
        )
        for tensor in tensors
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(4)] if rows else []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[4]]).rstrip())
    if not any(tensor.taken for tensor in tensors):
        click.echo("No tensor would be taken without --tensor NAME", err=True)
