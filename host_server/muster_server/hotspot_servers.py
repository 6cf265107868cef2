# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The servers on a hotspot: a process of their own, that does not outlive the one that made it."""

import contextlib
import ctypes
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from muster_server.network_manager import HotspotError

_ANSWER_S = 30.0  # a first start makes keys, certificates and databases
_ASK_S = 1.0
_POLL_S = 0.1
_STOP_S = 5.0
_PR_SET_PDEATHSIG = 1  # prctl(2)


class HotspotServers:
    """`muster` with the given arguments, until `end`, or until this process is gone, however."""

    def __init__(self, arguments: Sequence[str]) -> None:
        parent, library = os.getpid(), ctypes.CDLL(None, use_errno=True)

        def go_with_parent() -> None:
            library.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:  # it has gone before it could be said
                os._exit(1)

        self._process = subprocess.Popen(
            [sys.executable, "-m", "muster_server", *arguments],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # it ends when we say so, after a last look at who is there
            preexec_fn=go_with_parent,  # noqa: PLW1509 - this process has one thread
        )

    @property
    def exit_code(self) -> int | None:
        """The exit code of the servers; None while they run."""
        return self._process.poll()

    def wait_until_they_answer(self, address: str, port: int) -> bool:
        """Wait for an answer over HTTP, whatever it says; False if they have ended instead.

        Raises HotspotError if there is none in time.
        """
        deadline = time.monotonic() + _ANSWER_S
        while self.exit_code is None:
            if _answers(address, port):
                return True
            if time.monotonic() > deadline:
                raise HotspotError(
                    f"the servers do not answer at http://{address}:{port}/ {_ANSWER_S:.0f} s "
                    "after they were started; try a firewall's rules for that port, and --role "
                    "config alone"
                )
            time.sleep(_POLL_S)
        return False

    def wait(self, timeout_s: float) -> None:
        """Return when they have ended, or the time is over."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_s)

    def end(self) -> None:
        """End them. May be called twice."""
        self._process.terminate()
        self.wait(_STOP_S)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def _answers(address: str, port: int) -> bool:
    connection = http.client.HTTPConnection(address, port, timeout=_ASK_S)
    try:
        connection.request("GET", "/")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
