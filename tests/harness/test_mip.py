# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Packages come from an index of the test's own, as `mip` on a board asks for them."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from muster_harness import Air, EmulatedBoard

_SIMPLE = b"class MQTTClient:\n    def __init__(self, name):\n        self.name = name\n"
_FILES = {"umqtt/simple.py": _SIMPLE}
_JOIN = """
import mip, network, time
w = network.WLAN(network.WLAN.IF_STA)
w.active(True)
w.connect("home", "a password of it")
while not w.isconnected():
    time.sleep_ms(10)
"""


def answers() -> dict[str, bytes]:
    """Paths and contents, as tools/build.py of micropython-lib makes them of a package."""
    hashes = [[path, hashlib.sha256(content).hexdigest()[:8]] for path, content in _FILES.items()]
    found = {f"/file/{h[:2]}/{h}": _FILES[path] for path, h in hashes}
    for kind in ("6", "py"):
        package = {"v": 1, "version": "1.5.0", "hashes": hashes, "deps": []}
        found[f"/package/{kind}/umqtt.simple/latest.json"] = json.dumps(package).encode()
    return found


@pytest.fixture
def index(air: Air) -> Iterator[str]:
    home = air.add_access_point("home", password="a password of it")
    known = answers()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in known else 404)
            self.end_headers()
            self.wfile.write(known.get(self.path, b""))

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer((home.gateway, 0), Answer) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://{home.gateway}:{server.server_address[1]}"
        server.shutdown()
        serving.join()


def test_a_package_of_a_local_index_is_installed_and_imported(
    board: EmulatedBoard, index: str
) -> None:
    board.exec(_JOIN)
    assert "Done" in board.exec(f"mip.install('umqtt.simple', index={index!r})", timeout_s=20)
    assert board.read_file("/lib/umqtt/simple.py") == _FILES["umqtt/simple.py"]
    assert board.eval("__import__('umqtt.simple').simple.MQTTClient('me').name") == "me"
    assert "Package may be partially installed" in board.exec(
        f"mip.install('absent', index={index!r})", timeout_s=20
    )
