# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""An app on a real port of this machine, for as long as a block lasts."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from muster_server.roles import Role
from muster_server.serve import bound, uvicorn_servers
from muster_server.settings import Address

STARTUP_S = 10


@contextmanager
def served(app: Any, trusted_proxies: tuple[str, ...] = ()) -> Iterator[str]:
    """The URL of the app, which runs as `muster serve` would run it."""
    with bound(Address("127.0.0.1", 0), "test") as listener:
        role = Role("test", app, [listener], trusted_proxies=trusted_proxies)
        ((server, sockets),) = uvicorn_servers(role)
        ready = threading.Event()

        async def run() -> None:
            serving = asyncio.create_task(server.serve(sockets=sockets))
            while not server.started and not serving.done():
                await asyncio.sleep(0.002)
            ready.set()
            await serving

        thread = threading.Thread(target=asyncio.run, args=(run(),))
        thread.start()
        try:
            assert ready.wait(STARTUP_S)
            yield role.urls[0]
        finally:
            server.should_exit = True
            thread.join(STARTUP_S)
