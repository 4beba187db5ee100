"""A relay of WebSocket messages between Playwright and a browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

# What becomes of a message of Playwright's: what is passed on. The connection is there to answer
# it instead, or to take what follows.
Change = Callable[[str, ServerConnection], Awaitable[list[str]]]
PLAIN: dict[str, Any] = {"max_size": None, "compression": None, "ping_interval": None}
PART = 30_000  # libsoup, which WebKitGTK listens with, takes no frame of more than 128 KiB.


@asynccontextmanager
async def relaying(
    far: Callable[[ServerConnection], Awaitable[str]],
    change: Change,
    change_answer: Callable[[str], str] = str,
    **more: Any,
) -> AsyncIterator[int]:
    """Listen on a port of this machine and pass on what comes; gives the port.

    `far` names the browser's own address for a connection; `change_answer` is what becomes of a
    message of the browser's.
    """

    async def handle(near: ServerConnection) -> None:
        async with connect(await far(near), **PLAIN) as browser:

            async def outward() -> None:
                async for message in near:
                    for passed in await change(str(message), near):
                        parts = range(0, len(passed), PART)
                        await browser.send([passed[i : i + PART] for i in parts])

            async def homeward() -> None:
                async for message in browser:
                    await near.send(change_answer(str(message)))

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
