"""How one written file refers to another."""

from __future__ import annotations

import os
from urllib.parse import quote

from embviz.errors import ParameterError


def relative_url(path: str | os.PathLike[str], page: str | os.PathLike[str]) -> str:
    """Return the URL of a file as a page refers to it, relative and quoted.

    Both are taken as they are named: no link is followed, as no browser follows one.

    Args:
        path: The file.
        page: The page that refers to it.

    Raises:
        ParameterError: If they are on two drives.
    """
    folder = os.path.dirname(os.path.abspath(page))
    try:
        names = os.path.relpath(os.path.abspath(path), folder).split(os.sep)
    except ValueError:
        raise ParameterError(
            os.fspath(path), f"is on another drive than {os.fspath(page)}", "put both on one"
        ) from None
    return "/".join(quote(os.fsencode(name), safe="") for name in names)
