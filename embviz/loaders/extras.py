"""Packages that not every installation has: what is missing, and the command that installs it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from embviz.errors import LoadError, printable


def need_package(path: Path, kind: str, package: str, extra: str) -> None:
    """Refuse a file where the package that reads it is not installed.

    Args:
        path: The file.
        kind: What it is, such as `HDF5`.
        package: The package, by the name that is imported and installed.
        extra: The extra of embviz that it comes with.

    Raises:
        LoadError: With the command that installs it.
    """
    try:
        import_module(package)
    except ImportError:
        raise LoadError(
            path,
            f"{kind}, which is read by the package {package}, and that is not installed",
            f"pip install 'embviz[{extra}]'",
        ) from None


def first_line(error: BaseException) -> str:
    """Return the first line of what a package says of a file, else the error's name."""
    text = str(error).strip() or type(error).__name__
    return printable(text.splitlines()[0], 160)
