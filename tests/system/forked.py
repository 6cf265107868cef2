# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A server in a process of its own, forked from one that has imported what all servers need.

Those imports are two thirds of what a short story costs. `make demo` and tests/host_server start
the command itself, as an operator does.
"""

import multiprocessing
import os
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import BinaryIO

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        __name__,
        "alembic.migration",
        "anyio._backends._asyncio",
        "muster_server.cli",
        "muster_server.config_server.advertisement",
        "muster_server.config_server.app",
        "muster_server.config_server.platform_adapter",
        "muster_server.platform_server.app",
        "muster_server.portal.app",
        "muster_server.serve",
        "muster_server.store.migrations",
        "muster_server.store.platform",
        "sqlalchemy.dialects.sqlite",
        "tests.system.request_log",
    ]
)


class Forked:
    """`muster` with these arguments; says to `log`, or to `output` if that is None.

    With `says_requests` it says each request that it answers. As much of subprocess.Popen as
    servers.py needs.
    """

    def __init__(self, arguments: list[str], log: Path | None, says_requests: bool) -> None:
        self.output: BinaryIO | None = None
        reader, writer = _CONTEXT.Pipe(duplex=False)
        with reader, writer:
            said = writer if log is None else log
            self._process = _CONTEXT.Process(
                target=_serve, args=(arguments, dict(os.environ), said, says_requests)
            )
            self._process.start()
            if log is None:
                self.output = os.fdopen(os.dup(reader.fileno()), "rb")

    def poll(self) -> int | None:
        """Return the process's exit code, or None while it runs."""
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end; tell whether it came in time."""
        self._process.join(timeout_s)
        return self._process.exitcode is not None


def _serve(
    arguments: list[str],
    environment: dict[str, str],
    said: Connection | Path,
    says_requests: bool,
) -> None:
    from muster_server.cli import main
    from tests.system import request_log

    os.environ.clear()  # it is as it was when the first server was forked
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if isinstance(said, Path):
        fd = os.open(said, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    else:
        fd = said.fileno()
    for standard in (1, 2):
        os.dup2(fd, standard)
    # New ones, for those of the forking process may have been files, in which one can seek.
    sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: PTH123, SIM115
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: PTH123, SIM115
    if says_requests:
        request_log.say_requests()
    sys.exit(main(arguments))
