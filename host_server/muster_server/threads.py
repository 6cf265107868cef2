# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Threads of a role's own, so that none waits for a thread that another role holds.

The framework has one pool for everything in a process. There a request of the portal would hold a
thread while it waits for the configuration server, which waits for a thread.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI
from fastapi.routing import APIRoute

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """A bounded number of threads; whoever comes then waits for his turn."""

    def __init__(self, most: int) -> None:
        self._most = most
        # Made when it is used: it belongs to the event loop that runs then.
        self._limiter: CapacityLimiter | None = None

    async def run(self, do: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Do it in one of these threads; its result, or what it raises."""
        if self._limiter is None:
            self._limiter = CapacityLimiter(self._most)
        call = functools.partial(do, *arguments, **named)
        return await to_thread.run_sync(call, limiter=self._limiter)

    @property
    def waiting(self) -> int:
        """The number of those that wait for their turn."""
        return 0 if self._limiter is None else self._limiter.statistics().tasks_waiting


def use_threads(app: FastAPI, threads: Threads) -> None:
    """Let all routes that are added from now on, unless they are coroutines, run in these."""

    class Route(APIRoute):
        def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
            super().__init__(path, _in_threads(endpoint, threads), **more)

    app.router.route_class = Route


def _in_threads(endpoint: Callable[..., Any], threads: Threads) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(endpoint):
        return endpoint

    @functools.wraps(endpoint)
    async def run(*arguments: Any, **named: Any) -> Any:
        return await threads.run(endpoint, *arguments, **named)

    return run
