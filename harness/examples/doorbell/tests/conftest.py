"""A server that the doorbell rings at, and a doorbell that knows it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest


class Server(HTTPServer):
    """Keeps the rings; answers with `status`."""

    def __init__(self, address, log):
        super().__init__(address, Handler)
        self.log = log
        self.status = 204
        self.rings = []


class Handler(BaseHTTPRequestHandler):
    timeout = 5

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.log.note("server", f"POST {self.path} {body.decode()}")
        self.server.rings.append(json.loads(body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass  # the test's log has it


@pytest.fixture
def home(hil_network):
    return hil_network("home")


@pytest.fixture
def server(home, hil_log):
    with Server((home.address, 0), hil_log) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def bell(hil_unit, home, server):
    """A doorbell that waits for a press."""
    host, port = server.server_address
    settings = {"ssid": home.ssid, "password": home.password, "host": host, "port": port}
    settings["join_s"] = 1 if hil_unit.can("emulated") else 15
    hil_unit.write_file("/doorbell.json", json.dumps(settings))
    hil_unit.forget_output()
    hil_unit.reset()
    hil_unit.expect(rb"waiting")
    return hil_unit
