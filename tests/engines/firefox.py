"""Debian's Firefox for Playwright: `python -m tests.engines.firefox` is what it starts.

It starts Firefox with the same arguments and puts a relay before its WebDriver BiDi, which answers
the one command that Playwright sends and Firefox does not know.
"""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.engines.find import find_firefox

ROOT = Path(__file__).parent.parent.parent
LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
UNKNOWN = "emulation.setMediaFeaturesOverride"


def launch_firefox(playwright: Any, folder: Path) -> Any:
    """Start Firefox; `folder` is for the program that Playwright starts."""
    program = folder / "firefox"
    start = f"cd {shlex.quote(str(ROOT))} && exec {shlex.quote(sys.executable)} -m {__name__}"
    program.write_text(f'#!/bin/sh\n{start} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return playwright.firefox.launch(channel="moz-firefox", executable_path=program)


async def answer_unknown(message: str, answer: Callable[[str], Awaitable[None]]) -> str | None:
    """Answer what Firefox does not know, and pass on the rest."""
    if f'"{UNKNOWN}"' in message:
        command = json.loads(message)
        if command["method"] == UNKNOWN:
            await answer(json.dumps({"type": "success", "id": command["id"], "result": {}}))
            return None
    return message


async def run(arguments: list[str]) -> int:
    """Run Firefox until it ends, and return its status."""
    from tests.engines.relay import relaying

    path = find_firefox()
    assert path
    firefox = await asyncio.create_subprocess_exec(path, *arguments, stderr=asyncio.subprocess.PIPE)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, firefox.terminate)
    address = ""

    async def far(near: Any) -> str:
        return address + near.request.path

    assert firefox.stderr
    async with relaying(far, answer_unknown) as port:
        while line := (await firefox.stderr.readline()).decode():
            found = LISTENING.search(line)
            if found:
                address = found[1]
                line = f"WebDriver BiDi listening on ws://127.0.0.1:{port}\n"
            sys.stderr.write(line)
            sys.stderr.flush()
        return await firefox.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(run(sys.argv[1:])))
