"""A relay of WebSocket messages between Playwright and a browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

# What is done with a message of Playwright's: the message to pass on, or None where the second
# argument, which answers Playwright, has been used instead.
Change = Callable[[str, Callable[[str], Awaitable[None]]], Awaitable[str | None]]
PLAIN: dict[str, Any] = {"max_size": None, "compression": None, "ping_interval": None}
PART = 30_000  # libsoup, which WebKitGTK listens with, takes no frame of more than 128 KiB.


@asynccontextmanager
async def relaying(
    far: Callable[[ServerConnection], Awaitable[str]], change: Change, **more: Any
) -> AsyncIterator[int]:
    """Listen on a port of this machine and pass on what comes; gives the port.

    `far` names the browser's own address for a connection.
    """

    async def handle(near: ServerConnection) -> None:
        async with connect(await far(near), **PLAIN) as browser:

            async def outward() -> None:
                async for message in near:
                    passed = await change(str(message), near.send)
                    if passed is not None:
                        parts = range(0, len(passed), PART)
                        await browser.send([passed[i : i + PART] for i in parts])

            async def homeward() -> None:
                async for message in browser:
                    await near.send(message)

            tasks = [asyncio.ensure_future(outward()), asyncio.ensure_future(homeward())]
            done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
            for task in done:
                failure = task.exception()
                if failure and not isinstance(failure, ConnectionClosed):
                    raise failure

    async with serve(handle, "127.0.0.1", 0, **PLAIN, **more) as server:
        yield next(iter(server.sockets)).getsockname()[1]
