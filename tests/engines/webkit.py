"""WebKitGTK for Playwright: its MiniBrowser on a screen of its own, through its remote inspector.

Playwright can connect to the inspector of a WebKit that it did not build, but only dispatches
events within the page there. The relay does on the screen what Playwright asks for instead, so
that the browser sees a mouse and keys. One MiniBrowser is one context with one page.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.engines.display import Screen
from tests.engines.find import find_webkit

VIEWPORT = {"width": 1280, "height": 720}
UNDERSTOOD = {"viewport", "color_scheme", "reduced_motion", "has_touch", "accept_downloads"}
STILL = 10  # times 50 ms
PART = ".wkdownload"
INPUT = "__pwWebViewInput."
CALLED = re.compile(r"__pwWebViewInput\.(\w+)\(")
SETTLED = """() => new Promise((done) => {
  requestAnimationFrame(() => setTimeout(done));
  setTimeout(done, 500);
})"""
NOTHING = "() => {}"


class Hand:
    """Does on a screen what Playwright would do with events of the page."""

    def __init__(self, screen: Screen) -> None:
        self.screen, self.top = screen, 0
        self._moving, self._shifted = False, False

    async def change(self, message: str, near: Any) -> list[str]:
        """Do what a message asks for and let it wait for a frame; other messages pass."""
        if INPUT not in message or "callFunctionOn" not in message:
            return [message]
        outer = json.loads(message)
        inner = json.loads(outer["params"]["message"])
        arguments = inner["params"].get("arguments", [])
        called = CALLED.search(str(arguments[3].get("value"))) if len(arguments) > 5 else None
        if not called:
            return [message]
        given = arguments[5].get("value")
        values = (
            {pair["k"]: pair["v"] for pair in given.get("o", ())} if isinstance(given, dict) else {}
        )
        instead = self._act(called[1], values)
        if instead is None:
            return [message]
        await asyncio.sleep(0.01)
        arguments[3]["value"] = instead
        outer["params"]["message"] = json.dumps(inner)
        return [json.dumps(outer)]

    def _act(self, name: str, values: dict[str, Any]) -> str | None:
        """Act, and return what the page shall evaluate instead; None for what it is asked."""
        if name == "positionInIFrame":  # The first is of the outermost frame.
            self._moving = True
            return None
        if name == "clearHover":
            return NOTHING
        if name == "mouseMove":
            if self._moving:
                self.screen.move(values["x"], values["y"] + self.top)
            self._moving = False
            return SETTLED
        if name == "mouseEvent":
            if values["type"] not in ("mousedown", "mouseup"):
                return NOTHING
            self.screen.press_button(values["button"], values["type"] == "mousedown")
            return SETTLED
        if name == "wheel":
            self.screen.turn_wheel(values["deltaX"], values["deltaY"])
            return SETTLED
        if name in ("keydown", "keyup"):
            down = name == "keydown"
            if values["key"] == "Shift":
                self._shifted = down
            return SETTLED if self.screen.press_key(values["key"], down, self._shifted) else None
        return None


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class MiniBrowser:
    """A MiniBrowser that has been started, its screen and its folder."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="embviz-webkit-"))
        self.downloads = self.folder / "downloads"
        self.downloads.mkdir()
        blank = self.folder / "blank.html"
        blank.write_text("<!doctype html><title>blank</title>", encoding="utf-8")
        (self.folder / "user-dirs.dirs").write_text(
            f'XDG_DOWNLOAD_DIR="{self.downloads}"\n', encoding="utf-8"
        )
        self.screen, self.port = Screen(), free_port()
        environment = {
            **os.environ,
            **{f"XDG_{n}_HOME": str(self.folder) for n in ("CONFIG", "DATA", "CACHE", "STATE")},
            "DISPLAY": self.screen.name,
            "GDK_BACKEND": "x11",
            "NO_AT_BRIDGE": "1",
            "WEBKIT_INSPECTOR_HTTP_SERVER": f"127.0.0.1:{self.port}",
        }
        path = find_webkit()
        assert path
        self._process = subprocess.Popen(
            [path, "--private", blank.as_uri()], env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def address(self) -> str:
        """Wait for the page, and return the address of its inspector."""
        end = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/") as listed:
                    found = re.search(r"'(/socket/[^']+)'", listed.read().decode())
            except urllib.error.URLError:
                found = None
            if found:
                return f"ws://127.0.0.1:{self.port}{found[1]}"
            assert time.monotonic() < end, "MiniBrowser shows no page"
            time.sleep(0.02)

    def close(self) -> None:
        """End the browser and its screen, and remove its folder."""
        self._process.terminate()
        self._process.wait()
        self.screen.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def serve_relay(far: str, hand: Hand) -> tuple[int, Callable[[], None]]:
    """Relay in a thread; returns the port, and what ends it."""
    from websockets.datastructures import Headers
    from websockets.http11 import Response

    from tests.engines.relay import relaying

    loop, ready, ports = asyncio.new_event_loop(), threading.Event(), []
    ended = asyncio.Event()

    async def where(_: Any) -> str:
        return far

    def list_pages(connection: Any, request: Any) -> Response | None:
        if not request.path.startswith("/json"):
            return None
        page = {"webSocketDebuggerUrl": f"ws://127.0.0.1:{ports[0]}/devtools/page/1"}
        body = json.dumps([page]).encode()
        headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body))})
        return Response(200, "OK", headers, body)

    async def main() -> None:
        async with relaying(where, hand.change, process_request=list_pages) as port:
            ports.append(port)
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),), daemon=True)
    thread.start()
    ready.wait()

    def end() -> None:
        loop.call_soon_threadsafe(ended.set)
        thread.join()

    return ports[0], end


@dataclass(frozen=True)
class Download:
    """A file that the page has saved."""

    file: Path

    @property
    def suggested_filename(self) -> str:
        return self.file.name

    def path(self) -> Path:
        return self.file

    def save_as(self, path: Path | str) -> None:
        shutil.copyfile(self.file, path)


class Expected:
    """What will have been downloaded when a block ends."""

    value: Download


class Context:
    """A context of Playwright's with one page, in a MiniBrowser of its own."""

    def __init__(self, playwright: Any, browser: MiniBrowser, options: dict[str, Any]) -> None:
        unknown = set(options) - UNDERSTOOD
        assert not unknown, f"WebKitGTK is not tested with {unknown}"
        self._browser, hand = browser, Hand(browser.screen)
        far = browser.address()
        browser.screen.find_window()
        port, self._end = serve_relay(far, hand)
        self._connected = playwright.webkit.connect_over_cdp(f"http://127.0.0.1:{port}/")
        self._context = self._connected.contexts[0]
        page = self._page = self._context.pages[0]
        page.set_viewport_size = self._resize
        page.expect_download = self._expect_download
        page.close = lambda **_: None
        self._hand = hand
        self._viewport = options.get("viewport") or VIEWPORT
        self._resize(self._viewport)
        page.emulate_media(
            color_scheme=options.get("color_scheme", "light"),
            reduced_motion=options.get("reduced_motion", "no-preference"),
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def new_page(self) -> Any:
        """Return the page."""
        return self._page

    def _resize(self, viewport: dict[str, int]) -> None:
        """Give the page a size; the browser's bar comes on top of it."""
        self._viewport = viewport
        width, height = viewport["width"], viewport["height"]
        end = time.monotonic() + 10
        seen = self._page.evaluate("[innerWidth, innerHeight, outerHeight]")
        while seen[:2] != [width, height]:
            assert time.monotonic() < end, f"the page is {seen} for {viewport}"
            self._browser.screen.resize(width, height + seen[2] - seen[1])
            self._page.wait_for_timeout(50)
            seen = self._page.evaluate("[innerWidth, innerHeight, outerHeight]")
        self._hand.top = self._hand.top or seen[2] - seen[1]

    @contextmanager
    def _expect_download(self, timeout: float = 30_000) -> Iterator[Expected]:
        folder, expected = self._browser.downloads, Expected()
        before = {(file, file.stat().st_mtime_ns) for file in folder.iterdir()}
        yield expected
        end, seen = time.monotonic() + timeout / 1000, []
        while len(seen) < STILL:  # Nothing else tells that a file is whole.
            assert time.monotonic() < end, "nothing was downloaded"
            self._page.wait_for_timeout(50)
            now = {(file, file.stat().st_mtime_ns) for file in folder.iterdir()} - before
            found = [(file, file.stat().st_size) for file, _ in now if file.suffix != PART]
            seen = [*seen, found] if found and seen[-1:] in ([], [found]) else []
        self._resize(self._viewport)  # There is a bar of downloads now.
        expected.value = Download(seen[0][0][0])

    def close(self) -> None:
        """End the browser."""
        self._connected.close()
        self._end()
        self._browser.close()


class WebKit:
    """Opens contexts, each in a MiniBrowser; the next one starts while one is used."""

    def __init__(self, playwright: Any) -> None:
        self._playwright = playwright
        self._next: MiniBrowser | None = MiniBrowser()

    def new_context(self, **options: Any) -> Context:
        """Open a context."""
        browser = self._next or MiniBrowser()
        self._next = MiniBrowser()
        return Context(self._playwright, browser, options)

    def new_page(self, **options: Any) -> Any:
        """Open a page in a context of its own."""
        context = self.new_context(**options)
        page = context.new_page()
        page.close = lambda **_: context.close()
        return page

    def close(self) -> None:
        """End the browser that waits."""
        if self._next:
            self._next.close()
            self._next = None


def launch_webkit(playwright: Any, folder: Path) -> WebKit:
    """Start WebKitGTK."""
    return WebKit(playwright)
