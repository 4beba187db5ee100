"""The program `embviz`, which is `python -m embviz` too."""

from __future__ import annotations

import sys

from embviz.signals import heed_at_once


def main() -> int:
    """Run the command line that the process was started with, and return its exit status.

    A signal is heeded from here on: to import the command line takes some tenths of a second.
    """
    heed_at_once()
    from embviz.cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
