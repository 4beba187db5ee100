"""What a test asks of a source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import LoadError
from embviz.cli import main
from embviz.loaders import load_table, open_source
from embviz.loaders.opened import Tensor


def read(path: Path, tensor: str | None = None) -> np.ndarray[Any, Any]:
    return np.asarray(load_table(path, tensor=tensor).vectors[:])


def found(path: Path) -> dict[str, Tensor]:
    return {t.name: t for t in open_source(path).tensors}


def refusal(path: Path, tensor: str | None = None) -> str:
    with pytest.raises(LoadError) as caught:
        load_table(path, tensor=tensor)
    return str(caught.value)


def all_commands_read(source: str, label: str, folder: Path) -> None:
    """Run every command that reads a source, on it and on the index that is made of it."""
    for command in (
        ["project", source, "--method", "pca", "-o", str(folder / "x.html")],
        ["index", source, "-o", str(folder / "index")],
        ["export", source, "-o", str(folder / "logdir")],
        ["neighbors", label, "--source", source, "-k", "2"],
        ["neighbors", label, "--source", str(folder / "index"), "-k", "2"],
    ):
        assert main(command) == 0, command
