"""Debian's Firefox for Playwright: `python -m tests.engines.firefox` is what it starts.

It starts Firefox with the same arguments and puts a relay before its WebDriver BiDi, which answers
the one command that Playwright sends and Firefox does not know, and joins double clicks.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.engines.display import Screen
from tests.engines.find import find_firefox
from tests.engines.touch import FINGERS

ROOT = Path(__file__).parent.parent.parent
LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
PREFERENCES = {
    "webgl.force-enabled": True,  # With no graphics card too.
    "dom.w3c_touch_events.enabled": 1,  # As with a screen that takes fingers.
}
SOON = 0.005  # seconds
ACTIVATE = "browsingContext.activate"
UNKNOWN = "emulation.setMediaFeaturesOverride"


def launch_firefox(playwright: Any, folder: Path) -> Any:
    """Start Firefox; `folder` is for the program that Playwright starts."""
    program = folder / "firefox"
    start = f"cd {shlex.quote(str(ROOT))} && exec {shlex.quote(sys.executable)} -m {__name__}"
    program.write_text(f'#!/bin/sh\n{start} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    screen = Screen()  # Without one Firefox has no WebGL.
    screen.follow_mouse()  # A window without the focus shows none within it.
    browser = playwright.firefox.launch(
        channel="moz-firefox",
        executable_path=program,
        headless=False,
        firefox_user_prefs=PREFERENCES,
        env={**os.environ, "DISPLAY": screen.name, "NO_AT_BRIDGE": "1"},
    )
    browser.on("disconnected", lambda _: screen.close())
    return browser


def pointer_actions(command: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return what a command does with the mouse; None where it does anything else."""
    if command["method"] != "input.performActions" or len(command["params"]["actions"]) != 1:
        return None
    source = command["params"]["actions"][0]
    return source["actions"] if source["type"] == "pointer" else None


class Adapter:
    """What passes between Playwright and Firefox, and what they do not share."""

    def __init__(self) -> None:
        self._suggested: dict[str, str] = {}
        self._context = ""
        self._touching: set[int] = set()

    async def change(self, message: str, near: Any) -> list[str]:
        """Answer what Firefox does not know, and give it what belongs together in one command.

        Playwright sends each press of a double click by itself, which Firefox takes for two clicks.
        """
        if not any(f'"{word}' in message for word in (UNKNOWN, ACTIVATE, "pointerDown", FINGERS)):
            return [message]
        command = json.loads(message)
        if command["method"] == UNKNOWN:
            await near.send(json.dumps({"type": "success", "id": command["id"], "result": {}}))
            return []
        if command["method"] == ACTIVATE:
            self._context = command["params"]["context"]
        if FINGERS in message:
            return [self._touch(command)]
        return await self._join(command, near)

    async def _join(self, command: dict[str, Any], near: Any) -> list[str]:
        actions = pointer_actions(command)
        while actions is not None:
            try:
                following = await asyncio.wait_for(near.recv(), SOON)
            except TimeoutError:
                break
            other = json.loads(following)
            more = pointer_actions(other)
            if more is None:
                return [json.dumps(command), *await self.change(str(following), near)]
            actions += more
            await near.send(json.dumps({"type": "success", "id": other["id"], "result": {}}))
        return [json.dumps(command)]

    def _touch(self, command: dict[str, Any]) -> str:
        """Put fingers on the page in the place of evaluating what asks for them."""
        given = next(texts(command["params"], FINGERS))
        actions = json.loads(given.removeprefix(FINGERS))
        self._touching.add(command["id"])
        params = {"context": self._context, "actions": actions}
        touch = {"id": command["id"], "method": "input.performActions", "params": params}
        return json.dumps(touch)

    def change_answer(self, message: str) -> str:
        """Tell Playwright of downloads and fingers what it awaits.

        Firefox 153 tells downloads of pages by their address only, and numbers the second file of
        a name.
        """
        if '"browsingContext.download' in message:
            event = json.loads(message)
            told = event.get("params", {})
            told.setdefault("download", told.get("url"))
            if event.get("method") == "browsingContext.downloadWillBegin":
                self._suggested[told["url"]] = told["suggestedFilename"]
            elif told.get("filepath"):
                file = Path(told["filepath"])
                file.replace(file.with_name(self._suggested.pop(told["url"])))
            return json.dumps(event)
        if self._touching:
            answer = json.loads(message)
            if answer.get("id") in self._touching and answer["type"] == "success":
                self._touching.discard(answer["id"])
                found = {"type": "number", "value": 0}
                answer["result"] = {"type": "success", "realm": "", "result": found}
                return json.dumps(answer)
        return message


def texts(value: Any, start: str) -> Iterator[str]:
    """All texts within a value of JSON that start in a way."""
    if isinstance(value, str):
        if value.startswith(start):
            yield value
    elif isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts(each, start)


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
    adapter = Adapter()
    async with relaying(far, adapter.change, adapter.change_answer) as port:
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
