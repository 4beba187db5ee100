"""A written page in the reader's browser, where there is one."""

from __future__ import annotations

import logging
import os
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from embviz.errors import printable
from embviz.outputs.files import takes_bytes

TEXT_BROWSERS = ("elinks", "links", "links2", "lynx", "w3m", "www-browser")
"""They run no scripts, and would take the terminal."""
log = logging.getLogger("embviz")


def open_page(path: str | os.PathLike[str]) -> bool:
    """Open a page in the browser that BROWSER names, else the system's; tell where there is none.

    Args:
        path: The file.

    Returns:
        Whether a browser took it.
    """
    with _without_text_browsers():
        opened = not _is_text_browser(_first_browser()) and _opened(Path(path).absolute().as_uri())
    if not opened:
        log.warning(
            "%s was not opened: there is no browser here that runs scripts, or no display for one",
            printable(os.fspath(path), 200),
        )
    return opened


def can_be_opened(path: str | os.PathLike[str]) -> bool:
    """Tell whether an output is a file that a browser can open, and no pipe, device or stream.

    Raises:
        OutputError: If it is the name of an open file that is closed.
    """
    return str(path) != "-" and not takes_bytes(Path(path))


def _opened(url: str) -> bool:
    try:
        with _apart_from_output():
            return webbrowser.open(url)
    except (OSError, ValueError, webbrowser.Error):  # BROWSER may hold what is no command line.
        return False


def _first_browser() -> str:
    """Return the program that is asked first, as far as it is known."""
    try:
        return str(getattr(webbrowser.get(), "name", ""))
    except (ValueError, webbrowser.Error):
        return ""


def _is_text_browser(command: str) -> bool:
    words = command.split()
    return bool(words) and os.path.basename(words[0]) in TEXT_BROWSERS


@contextmanager
def _apart_from_output() -> Iterator[None]:
    """Keep what is started from the standard output, which has data of ours.

    A browser that stays open would also keep the reader at the other end of a pipe waiting.
    """
    with ExitStack() as stack:
        try:
            kept = os.dup(1)
        except OSError:  # It is closed.
            yield
            return
        stack.callback(os.close, kept)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        stack.callback(os.close, nowhere)
        os.dup2(nowhere, 1)
        stack.callback(os.dup2, kept, 1)
        yield


@contextmanager
def _without_text_browsers() -> Iterator[None]:
    """Hide text browsers from those that look for one: this module, and what it starts.

    Python knows the ones that need a terminal only where TERM says which; xdg-open and its like
    start them, and they end at once without it.
    """
    kept = {name: os.environ.pop(name, None) for name in ("TERM", "BROWSER")}
    chosen = (kept["BROWSER"] or "").split(os.pathsep)
    able = os.pathsep.join(command for command in chosen if not _is_text_browser(command))
    if able:
        os.environ["BROWSER"] = able
    try:
        yield
    finally:
        os.environ.pop("BROWSER", None)
        os.environ.update({name: value for name, value in kept.items() if value is not None})
