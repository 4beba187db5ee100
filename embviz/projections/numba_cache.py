"""A place for what numba compiles, where it finds none of its own."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from types import ModuleType
from typing import Any

from embviz.errors import ParameterError
from embviz.outputs.unfinished import undone

VARIABLE = "NUMBA_CACHE_DIR"


def import_compiled(load: Callable[[], ModuleType], *names: str) -> ModuleType:
    """Import a package that has numba keep what it compiles, also where nothing can be kept.

    Numba keeps it in `NUMBA_CACHE_DIR`, beside the package or in the user's cache folder; where
    none of them can be written it refuses, and a temporary folder serves until the process ends.

    Args:
        load: Imports the package and returns it; called twice where numba refuses.
        names: The package, and those that it imports and that do the same.

    Raises:
        ImportError: If it is not installed.
        ParameterError: If there is no temporary folder, or `NUMBA_CACHE_DIR` cannot be written.
    """
    try:
        return load()
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
    if os.environ.get(VARIABLE):
        raise ParameterError(VARIABLE, "numba cannot write there", "name another folder")
    _use_temporary_folder()
    for loaded in list(sys.modules):  # What was imported by half.
        if loaded.split(".")[0] in names:
            del sys.modules[loaded]
    return load()


def _use_temporary_folder() -> None:
    import numba

    try:
        folder = tempfile.mkdtemp(prefix="embviz-numba-")
    except OSError as error:
        raise ParameterError(
            "numba",
            f"finds no folder to keep what it compiles ({error.strerror or error})",
            f"set {VARIABLE} to a folder that can be written",
        ) from None
    stack = ExitStack()
    stack.enter_context(undone(partial(shutil.rmtree, folder, ignore_errors=True)))
    atexit.register(stack.close)
    config: Any = numba.config
    config.CACHE_DIR = folder
