"""The engines that the page is tested in, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.chromium import ARGUMENTS, find_chromium
from tests.engines.find import FIND
from tests.engines.firefox import launch_firefox
from tests.engines.webkit import launch_webkit


def launch_chromium(playwright: Any, folder: Path) -> Any:
    """Start Chromium."""
    path = find_chromium()
    return playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))


LAUNCH = {"chromium": launch_chromium, "firefox": launch_firefox, "webkit": launch_webkit}
PLACES = {"chromium": find_chromium, **FIND}


def missing_engine(engine: str) -> str | None:
    """Say what to do where an engine is not there; None where it is."""
    if PLACES[engine]():
        return None
    return f"no {engine} was found; python -m tests.install installs it"
