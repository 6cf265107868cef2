# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a role have threads of its own, and no more than it was given?"""

import asyncio
import threading
import time

from fastapi import FastAPI

from muster_server.in_process import Door
from muster_server.threads import Threads, use_threads

_LONG_S = 20


def test_so_many_run_at_once_and_the_others_wait() -> None:
    running, most = 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1

    async def run() -> int:
        threads = Threads(3)
        tasks = [asyncio.create_task(threads.run(work)) for _ in range(9)]
        await asyncio.sleep(0.01)
        waiting = threads.waiting
        await asyncio.gather(*tasks)
        return waiting

    assert asyncio.run(run()) == 6
    assert most == 3


def test_roles_that_wait_for_each_other_do_not_wait_for_ever() -> None:
    """Each request of the first holds a thread until the second has answered."""
    inner, outer = FastAPI(), FastAPI()
    use_threads(inner, Threads(2))
    use_threads(outer, Threads(60))
    inside, outside = Door(inner, "inner"), Door(outer, "outer")

    @inner.get("/")
    def answer() -> str:
        time.sleep(0.001)
        return "yes"

    @outer.get("/")
    def ask() -> object:
        return inside.ask("GET", "/", None, read_timeout_s=_LONG_S).json()

    async def run() -> list[object]:
        inside.open(asyncio.get_running_loop())
        outside.open(asyncio.get_running_loop())
        askers = Threads(60)
        calls = [
            askers.run(lambda: outside.ask("GET", "/", None, read_timeout_s=_LONG_S).json())
            for _ in range(60)
        ]
        return list(await asyncio.gather(*calls))

    assert asyncio.run(run()) == ["yes"] * 60
