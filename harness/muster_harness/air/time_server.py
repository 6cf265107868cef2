# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""An NTP server in the air (RFC 4330), at which a board gets the time that a script sets."""

import socket
import struct
import threading
import time

from muster_harness.air.address_range import host_port

NTP_PORT = 123
_NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970
_QUERY = 48
_SERVER_V4 = 0x24  # no warning, version 4, mode 4: server


class TimeServer:
    """Answers until `close`. Goes on from the time it was set to; usable from any thread."""

    def __init__(self, address: str, unix: float):
        self.queries = 0
        self.is_silent = False
        self.stratum = 2  # 0 is a kiss of death: the answer is no time
        self.set(unix)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, host_port(NTP_PORT)))
        self._thread = threading.Thread(target=self._serve, name="time server", daemon=True)
        self._thread.start()

    def __enter__(self) -> "TimeServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def set(self, unix: float) -> None:
        """Let it be so many seconds after 1970 now."""
        self._ahead = unix - time.monotonic()

    @property
    def unix(self) -> float:
        """The time that it would answer now, in seconds after 1970."""
        return time.monotonic() + self._ahead

    def close(self) -> None:
        """Stop answering. May be called twice."""
        if self._socket.fileno() < 0:
            return
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            query, asker = self._socket.recvfrom(1024)
            if not query:
                return
            self.queries += 1
            if len(query) >= _QUERY and not self.is_silent:
                self._socket.sendto(self._answer(query), asker)

    def _answer(self, query: bytes) -> bytes:
        now = int((self.unix + _NTP_EPOCH) * 2**32) & (2**64 - 1)  # era 1 begins in 2036
        head = struct.pack(">BBbbII4s", _SERVER_V4, self.stratum, 6, -20, 0, 0, b"LOCL")
        return head + struct.pack(">Q8sQQ", now, query[40:48], now, now)
