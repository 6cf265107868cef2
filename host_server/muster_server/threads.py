# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Threads of a role's own, so that none waits for a thread that another role holds.

The framework has one pool for everything in a process. There a request of the portal would hold a
thread while it waits for the configuration server, which waits for a thread.
"""

import asyncio
import functools
import inspect
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import Any, Generic, ParamSpec, TypeVar

from fastapi import FastAPI
from fastapi.routing import APIRoute

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """A bounded number of threads; whoever comes then waits for his turn.

    Whoever is cancelled while his work is done waits for its end all the same: a thread cannot be
    stopped, and what it uses must not be closed meanwhile. Work that has not begun is not done.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._pool = ThreadPoolExecutor(most)
        self._there = 0  # at work, or waiting for a thread

    async def run(self, do: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Do it in one of these threads; its result, or what it raises."""
        work: Work[T] = Work(functools.partial(copy_context().run, do, *arguments, **named))
        self._there += 1
        try:
            self._pool.submit(work.run)
            return await work.ended()
        finally:
            self._there -= 1

    @property
    def waiting(self) -> int:
        """The number of those that wait for their turn."""
        return max(0, self._there - self._most)


class Work(Generic[T]):
    """One call on its way through a thread.

    The pool's own future would be a second one, with a lock and a condition of its own, which
    cost as much as all the rest of the way.
    """

    def __init__(self, call: Callable[[], T]) -> None:
        """To be made in the event loop that waits for the end."""
        self.loop = asyncio.get_running_loop()
        self._result: asyncio.Future[T] = self.loop.create_future()
        self._call = call
        self._begun = threading.Lock()  # taken by who comes first: its thread, or who gives it up
        self._is_over = False
        self._end: asyncio.Event | None = None
        self._value: Any = None
        self._error: BaseException | None = None

    async def ended(self) -> T:
        """Return its result, or raise what it raised. Whoever is cancelled waits for the end."""
        try:
            return await self._result
        except asyncio.CancelledError:
            await self._given_up()
            raise

    def run(self) -> None:
        """Do it, in the thread, unless it was given up before, and tell."""
        if self.begin():
            self.do()
            tell([self], None)

    def begin(self) -> bool:
        """Tell whether it is to be done: it was not given up before."""
        return self._begun.acquire(blocking=False)

    def do(self) -> None:
        """Do it, and keep what came of it."""
        try:
            self._value = self._call()
        except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it
            self._error = _that_futures_take(error)

    def over(self, lost: Exception | None) -> None:
        """Let go on who waits, in the event loop; with this error if the work was lost."""
        self._is_over = True
        if self._end is not None:
            self._end.set()
        if self._result.done():
            return
        error = self._error or lost
        if error is None:
            self._result.set_result(self._value)
        else:
            self._result.set_exception(error)

    async def _given_up(self) -> None:
        """Return when its thread has ended; at once if it has not begun, and so never will."""
        if self.begin():
            return
        self._end = asyncio.Event()
        while not self._is_over:
            with suppress(asyncio.CancelledError):
                await self._end.wait()


def tell(works: Sequence[Work[Any]], lost: Exception | None) -> None:
    """Let all go on who wait for these, whose event loop is one; with this error instead of what
    came of them, if that was lost.
    """

    def over() -> None:
        for work in works:
            try:
                work.over(lost)
            except Exception:  # a defect of one, of which the others are to be told all the same
                log.exception("what came of a request could not be told")

    if works:
        with suppress(RuntimeError):  # the loop has ended: nobody waits any more
            works[0].loop.call_soon_threadsafe(over)


def _that_futures_take(error: BaseException) -> BaseException:
    return RuntimeError(repr(error)) if isinstance(error, StopIteration) else error


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
