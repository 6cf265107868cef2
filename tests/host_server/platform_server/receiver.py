# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A receiver of notifications on this machine, which answers as it is told to."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE_S = 10.0


class Receiver:
    """Keeps what came, and answers with `status`, after `wait_s`."""

    def __init__(self) -> None:
        self.came: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        self.wait_s = 0.0
        self.location: str | None = None
        self.url = ""
        self.connections = 0
        self.ends_connections = False
        self._news = threading.Condition()

    def take(self, headers: dict[str, str], body: bytes) -> None:
        """Note what came."""
        with self._news:
            self.came.append(json.loads(body))
            self.headers.append(headers)
            self._news.notify_all()

    def wait_for(self, count: int, timeout_s: float = PATIENCE_S) -> list[dict[str, Any]]:
        """All that came, as soon as there are so many; AssertionError if they do not come."""
        with self._news:
            is_there = self._news.wait_for(lambda: len(self.came) >= count, timeout_s)
            assert is_there, f"wanted {count}, came {self.came}"
            return list(self.came)


@contextmanager
def receiver() -> Iterator[Receiver]:
    """One that is there until the end of the block."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            kept.connections += 1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = kept.status
            kept.take({name.lower(): value for name, value in self.headers.items()}, body)
            time.sleep(kept.wait_s)
            self.send_response(status)
            if kept.location:
                self.send_header("Location", kept.location)
            self.send_header("X-M2M-RSC", "2000" if status < 300 else "4000")
            self.send_header("Content-Length", "0")
            if kept.ends_connections:
                self.close_connection = True  # without a word
            self.end_headers()

        def log_message(self, *ignored: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    kept.url = f"http://127.0.0.1:{server.server_address[1]}/news"
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
