# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The one thread that owns a board: file descriptors, timers, and calls from other threads."""

import contextlib
import heapq
import itertools
import os
import selectors
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from muster_harness.errors import BoardError

T = TypeVar("T")
_CALL_TIMEOUT_S = 10.0
_LONGEST_WAIT_S = 3600.0  # epoll takes no more than 2^31 ms


class Timer:
    """A call to come; `cancel()` is allowed at any time."""

    def __init__(self, when: float, function: Callable[[], None]):
        self.when = when
        self.function: Callable[[], None] | None = function

    def cancel(self) -> None:
        self.function = None


class Loop:
    """Runs callbacks in one thread. Only `call`, `post` and `stop` may be used from others."""

    def __init__(self, name: str):
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._posted: deque[Callable[[], None]] = deque()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self.on_ready(self._wake_read, self._drain_wake)
        self._stopping = self._is_closed = False
        self._waking = threading.Lock()
        self.failure: str | None = None  # a traceback, once a callback has failed
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    # -- from any thread

    def post(self, function: Callable[[], None]) -> None:
        """Let the loop call a function soon; do nothing after `stop`."""
        self._posted.append(function)
        self._wake()

    def call(self, function: Callable[[], T]) -> T:
        """Call a function in the loop's thread and return its result, or raise its error.

        Raises BoardError if the loop has ended, or does not answer in time.
        """
        if threading.current_thread() is self._thread:
            return function()
        result: Future[T] = Future()

        def run() -> None:
            try:
                result.set_result(function())
            except BaseException as e:  # noqa: BLE001 (handed to the caller's thread)
                result.set_exception(e)

        if not self._thread.is_alive():
            raise BoardError("this board is closed" + (f":\n{self.failure or ''}"))
        self.post(run)
        try:
            return result.result(_CALL_TIMEOUT_S)
        except TimeoutError:
            why = self.failure or "its thread is busy"
            raise BoardError(f"the board did not answer in {_CALL_TIMEOUT_S} s: {why}") from None

    def stop(self) -> None:
        """End the thread and close what belongs to the loop. A second call does nothing."""
        self._stopping = True
        self._wake()
        self._thread.join(_CALL_TIMEOUT_S)
        with self._waking:
            if self._is_closed:
                return
            self._is_closed = True
            self._selector.close()
            os.close(self._wake_read)
            os.close(self._wake_write)

    # -- in the loop's thread

    def on_ready(self, fd: int, function: Callable[[], None], writable: bool = False) -> None:
        """Call a function whenever `fd` is readable (or, if asked, writable)."""
        event = selectors.EVENT_WRITE if writable else selectors.EVENT_READ
        self._selector.register(fd, event, function)

    def forget(self, fd: int) -> None:
        self._selector.unregister(fd)

    def later(self, delay_s: float, function: Callable[[], None]) -> Timer:
        timer = Timer(time.monotonic() + delay_s, function)
        heapq.heappush(self._timers, (timer.when, next(self._order), timer))
        return timer

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._turn()
        except Exception:  # noqa: BLE001 (the last catch-all: the board says why it stopped)
            self.failure = traceback.format_exc()
            raise

    def _turn(self) -> None:
        timeout = None
        if self._timers:
            left_s = self._timers[0][0] - time.monotonic()
            timeout = min(max(0.0, left_s), _LONGEST_WAIT_S)
        for key, _ in self._selector.select(timeout):
            # an earlier callback of this turn may have forgotten or replaced this one
            current = self._selector.get_map().get(key.fd)
            if current is not None and current.data is key.data:
                key.data()
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            if timer.function is not None:
                timer.function()
        for _ in range(len(self._posted)):
            self._posted.popleft()()

    def _wake(self) -> None:
        # The descriptor may be somebody else's once it is closed.
        with self._waking, contextlib.suppress(BlockingIOError):  # full: it wakes up anyway
            if not self._is_closed:
                os.write(self._wake_write, b"w")

    def _drain_wake(self) -> None:
        os.read(self._wake_read, 4096)
