# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Several processes on the same listening sockets, and a first one that only sees to them.

Who dies is started again, later each time if he does not last. The sockets stay open meanwhile:
connections wait for whoever accepts them next. When the first one ends, however, all end.
"""

import contextlib
import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_READY_S = 120.0
_LOOK_S = 0.1
_END_S = 15.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 30.0
_LASTED_S = 30.0  # who lived so long begins with the first wait

log = logging.getLogger(__name__)

# Runs the worker of a number until a signal or until the file descriptor can be read, and calls
# the function once it serves; the exit code.
Work = Callable[[int, int, Callable[[], None]], int]


@dataclass
class _Worker:
    number: int
    pid: int | None = None
    ready: int = -1  # the pipe in which it says so
    began: float = 0.0
    wait_s: float = 0.0
    due: float = 0.0


class Supervisor:
    """Starts workers by forking, so it must be called before there are threads."""

    def __init__(self, count: int, work: Work) -> None:
        self._work = work
        self._workers = [_Worker(number) for number in range(count)]
        self._is_ending = False
        self._life = os.pipe()  # nobody writes: its end is that of the first process

    def run(self) -> int:
        """Run until SIGTERM or SIGINT; 0 if all ended well, 1 if one cannot even start."""
        with self._signals(), contextlib.ExitStack() as ends:
            ends.callback(self._end)
            # The first one tells that all is ready, so it comes last.
            for worker in reversed(self._workers):
                self._start(worker)
                if not self._is_ready(worker):
                    return 0 if self._is_ending else 1
            while not self._is_ending:
                self._look()
                time.sleep(_LOOK_S)
        return 0

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def end(number: int, frame: object) -> None:
            self._is_ending = True

        former = {n: signal.signal(n, end) for n in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

    def _start(self, worker: _Worker) -> None:
        worker.began = time.monotonic()
        worker.ready, ready = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._be(worker, ready)
        os.close(ready)
        worker.pid = pid

    def _be(self, worker: _Worker, ready: int) -> None:
        """Be this worker, and never return."""
        code = 1
        try:
            os.close(self._life[1])
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            code = self._work(worker.number, self._life[0], lambda: _tell(ready))
        except BaseException:  # the last catch-all of this process
            log.exception("a worker cannot go on")
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
            os._exit(code)

    def _is_ready(self, worker: _Worker) -> bool:
        """Wait for it; False if it ended instead, or everything is to end."""
        deadline = time.monotonic() + _READY_S
        while not self._is_ending and time.monotonic() < deadline:
            if select.select([worker.ready], [], [], _LOOK_S)[0]:
                return os.read(worker.ready, 1) != b""
        return False

    def _look(self) -> None:
        for worker in self._workers:
            if worker.pid is not None and (status := _ended(worker.pid)) is not None:
                self._bury(worker, status)
            if worker.pid is None and time.monotonic() >= worker.due and not self._is_ending:
                self._start(worker)

    def _bury(self, worker: _Worker, status: int) -> None:
        now = time.monotonic()
        os.close(worker.ready)
        worker.pid = None
        has_lasted = now - worker.began >= _LASTED_S
        worker.wait_s = _FIRST_WAIT_S if has_lasted else max(_FIRST_WAIT_S, 2 * worker.wait_s)
        worker.wait_s = min(worker.wait_s, _LONGEST_WAIT_S)
        worker.due = now + worker.wait_s
        how = os.waitstatus_to_exitcode(status)
        log.error(
            "worker %d ended (%d); started again in %.1f s", worker.number, how, worker.wait_s
        )

    def _end(self) -> None:
        self._is_ending = True
        os.close(self._life[1])
        left = [worker.pid for worker in self._workers if worker.pid is not None]
        for pid in left:
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _END_S
        while left and time.monotonic() < deadline:
            left = [pid for pid in left if _ended(pid) is None]
            time.sleep(0.02)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _tell(ready: int) -> None:
    os.write(ready, b"r")
    os.close(ready)


def _ended(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return status if found else None
