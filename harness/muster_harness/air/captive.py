# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A captive gateway, as in hotels: whatever a station asks for, it gets the page to log in."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_MOST_BODY = 1 << 20


class Captive:
    """Answers every HTTP request that comes to it, until `close`; remembers what was asked."""

    def __init__(self, address: str, page: bytes, status: int):
        requests: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            timeout = 5
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                requests.append(self.requestline)
                self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _MOST_BODY))
                self.send_response(status)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(page)))
                if 300 <= status < 400:
                    self.send_header("Location", f"http://{address}/login")
                self.end_headers()
                self.wfile.write(page)

            do_POST = do_PUT = do_DELETE = do_GET

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: what it says belongs to nobody's log."""

        self.requests = requests  # e.g. "POST /v1/devices/A/sync?k=label HTTP/1.1"
        self._server = ThreadingHTTPServer((address, 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="captive"
        )
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._server.server_address[:2]
        return str(host), port

    def close(self) -> None:
        """May be called twice."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
