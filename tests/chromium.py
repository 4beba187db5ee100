"""The Chromium that the page is tested in: where it is, and how it gets there.

`python -m tests.chromium` installs it where it is missing: by the system's packages where we may,
else by Playwright's own download.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)


def find_chromium() -> str | None:
    """Return the path of a Chromium: EMBVIZ_CHROMIUM, one on the PATH, or Playwright's own."""
    named = os.environ.get("EMBVIZ_CHROMIUM")
    if named:
        return named
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install_chromium() -> None:
    """Install Chromium where there is none; exits with the installer's status."""
    if find_chromium():
        return
    if shutil.which("apt-get"):
        get = ["apt-get"] if os.geteuid() == 0 else ["sudo", "-n", "apt-get"]
        updated = subprocess.run([*get, "update", "-qq"], check=False).returncode == 0
        if updated:
            subprocess.run([*get, "install", "-y", "-qq", "chromium"], check=False)
    if not find_chromium():
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


if __name__ == "__main__":
    install_chromium()
