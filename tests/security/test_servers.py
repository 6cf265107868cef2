# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What can somebody do who has one server's token, or one of the servers?"""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests import secrecy
from tests.security.attacker import Device, ask, secret_of
from tests.security.town import PASSWORD, Town

DOORS = {"portal": "/v1/devices", "config": "/v1/devices?owner=admin", "platform": "/accounts"}


def opened(town: Town, token: str) -> set[str]:
    """The roles whose door a token opens."""
    headers = {"Authorization": f"Bearer {token}"}
    asked = {role: ask(town.urls[role] + path, headers=headers) for role, path in DOORS.items()}
    assert {answer.status for answer in asked.values()} <= {200, 401}
    return {role for role, answer in asked.items() if answer.status == 200}


def test_each_token_opens_one_door(town: Town) -> None:
    assert opened(town, town.administrator) == {"portal"}
    for role in ("config", "platform"):
        assert opened(town, (town.data / f"{role}-token").read_text().strip()) == {role}
    device = town.registered()
    device.sync()
    assert opened(town, device.configs[1]["platform"]["token"]) == set()
    assert opened(town, "mst_" + "A" * 43) == set()


def test_device_token_works_for_its_own_originator_only(town: Town) -> None:
    mine, other = town.registered(), town.registered()
    mine.sync()
    other.sync()
    platform = mine.configs[1]["platform"]
    for originator in (other.configs[1]["platform"]["originator"], "CAdmin", "Cnobody"):
        headers = {
            "Authorization": f"Bearer {platform['token']}",
            "X-M2M-Origin": originator,
            "X-M2M-RI": "1",
            "X-M2M-RVI": "4",
        }
        answer = ask(f"{platform['url']}/cse-in", headers=headers)
        assert (answer.status, answer.headers["x-m2m-rsc"]) == (403, "4107")


def test_schema_of_a_profile_stops_no_server(town: Town) -> None:
    schema = {"properties": {"name": {"pattern": "^(a+)+$"}}}
    document = town.profile("bomb") | {"app": {"name": "a" * 60 + "!"}, "app_schema": schema}
    answers: list[int] = []
    bomb = threading.Thread(
        target=lambda: answers.append(town.owner("POST", "/v1/profiles", document).status)
    )
    device = town.registered()
    bomb.start()
    slowest = 0.0
    while bomb.is_alive():
        before = time.monotonic()
        device.sync()
        slowest = max(slowest, time.monotonic() - before)
        bomb.join(1.0)  # or the device comes more often than it may
    assert answers == [422]
    assert slowest < 5.0  # two cores shared by everybody; 26 s before


class Thief(BaseHTTPRequestHandler):
    """A platform in the wrong hands: answers as wanted, and keeps all that it is told."""

    told: list[bytes] = []  # noqa: RUF012 - of the one server in the test

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.told.append(f"{self.path}\n{self.headers}\n".encode() + body)
        answer = json.dumps({"token_id": "1", "token": "t" * 40, "originator": "C"}).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("X-M2M-RSC", "2001")
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the library's names

    def log_message(self, *words: object) -> None:
        return


@pytest.fixture
def stolen_platform() -> Iterator[str]:
    Thief.told = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Thief)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_compromised_platform_learns_no_key_and_no_password(
    stolen_platform: str, tmp_path: Path
) -> None:
    urls = ("--platform-url", stolen_platform, "--platform-public-url", stolen_platform)
    town = Town(tmp_path, *urls)
    try:
        secrecy.hide(town.administrator)
        platform = town.profile()["platform"] | {"url": stolen_platform}
        town.add_profile(platform=platform)
        device = town.registered()
        device.onboard()
        deadline = time.monotonic() + 10
        while not any(b"m2m:nod" in text for text in Thief.told) and time.monotonic() < deadline:
            time.sleep(0.05)
        heard = b"\n".join(Thief.told)
        assert b"m2m:nod" in heard
        _, secret = secret_of(device.label)
        key = device.configs[1]["config_server"]["key"]
        for hidden in (PASSWORD, device.label.split(":")[3], secret.hex(), key):
            assert hidden.encode() not in heard
        assert town.administrator.encode() not in heard
        # Nor does what it has open a door of the others, or speak for the server to a device.
        assert opened_by(town, "t" * 40) == set()
        stranger = Device(town.urls["config"], device.label)
        assert stranger.sync()["action"] == "wait"
    finally:
        town.stop()


def opened_by(town: Town, token: str) -> set[str]:
    """The doors of portal and configuration server that a token opens."""
    headers = {"Authorization": f"Bearer {token}"}
    return {
        role
        for role in ("portal", "config")
        if ask(town.urls[role] + DOORS[role], headers=headers).status == 200
    }
