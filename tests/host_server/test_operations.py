# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What are operators told, and does it tell the truth?"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

from muster_server import operations, request_id
from muster_server.errors import HostError, Unavailable
from muster_server.label import new_label
from muster_server.metering import Meters
from tests.host_server.config_server.field import PROFILE
from tests.host_server.processes import ANY_PORT, QUIET, Servers, start
from tests.host_server.serving import served

_TOKEN = "the-administrators-token-of-these-tests"


class Running(NamedTuple):
    servers: Servers
    url: str

    def ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        headers = {"Authorization": f"Bearer {_TOKEN}"}
        url = self.servers.urls["portal"] + path
        return requests.request(method, url, json=body, headers=headers, timeout=10)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text(_TOKEN)
    options = ("--platform-listen", "127.0.0.1:0", "--operations-listen", "127.0.0.1:0")
    more = ("--log-format", "json", "--admin-token-file", str(token))
    servers = start(tmp_path / "data", *ANY_PORT, *QUIET, *options, *more, ready=4)
    try:
        yield Running(servers, servers.urls["operations"])
    finally:
        if servers.process.poll() is None:
            servers.stop()


def test_servers_tell_how_they_are_and_log_one_id_for_one_request(running: Running) -> None:
    assert requests.get(running.url + "/health", timeout=5).json() == {"status": "alive"}
    ready = requests.get(running.url + "/ready", timeout=5)
    checks = {"config.database": "ok", "platform.database": "ok", "disk": "ok"}
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "checks": checks})

    platform = PROFILE["platform"] | {"url": running.servers.urls["platform"]}
    assert running.ask("POST", "/v1/profiles", PROFILE | {"platform": platform}).ok
    label = new_label()
    body = {"label": label.qr_text, "profile": "press", "name": ""}
    assert running.ask("POST", "/v1/devices", body).ok
    assert running.ask("GET", f"/v1/devices/{label.device_id}").ok
    requests.get(running.servers.urls["config"] + "/hidden-in-a-path", timeout=5)
    sync = f"{running.servers.urls['config']}/v1/devices/{label.device_id}/sync?k=label"
    assert requests.post(sync, data=bytes(64), timeout=5).status_code == 403

    text = requests.get(running.url + "/metrics", timeout=5).text
    assert 'muster_devices{state="prepared"} 1.0' in text
    route = "/v1/devices/{device_id}/sync"
    assert f'muster_requests_total{{role="config",route="{route}",status="403"}} 1.0' in text
    assert 'muster_requests_total{role="config",route="other",status="404"} 1.0' in text
    assert "process_resident_memory_bytes" in text
    assert label.device_id not in text and "hidden-in-a-path" not in text

    _, _, err = running.servers.stop()
    lines = [json.loads(line) for line in err.splitlines()]
    told = [line for line in lines if line["logger"] == "muster_server.requests"]
    (shown,) = [line for line in told if line["role"] == "portal" and line.get("device")]
    assert shown["device"] == label.device_id and shown["status"] == 200
    assert len(shown["request"]) == 16
    assert "hidden-in-a-path" not in err and label.qr_text[-36:] not in err and _TOKEN not in err


def test_part_that_cannot_do_its_work_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy() -> None:
        raise Unavailable("the database is busy")

    usage = shutil.disk_usage(tmp_path)._replace(free=5 * 1024**2)
    monkeypatch.setattr("muster_server.operations.shutil.disk_usage", lambda path: usage)
    app = operations.create_app(Meters(), {"config.database": busy}, tmp_path)
    with served(app) as url:
        answer = requests.get(url + "/ready", timeout=5)
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "not ready",
        "checks": {
            "config.database": "the database is busy",
            "disk": "5 MiB are left on the disk of the data",
        },
    }


@pytest.mark.parametrize(("short", "is_enough"), [(0, True), (1, False)])
def test_disk_with_room_is_none_to_complain_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short: int, is_enough: bool
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=operations.LEAST_FREE_BYTES - short)
    monkeypatch.setattr("muster_server.operations.shutil.disk_usage", lambda path: usage)
    if is_enough:
        operations.check_disk(tmp_path)
        return
    with pytest.raises(HostError, match="63 MiB"):
        operations.check_disk(tmp_path)


def test_id_that_comes_along_is_kept_if_it_is_one() -> None:
    assert request_id.current() is None and request_id.headers() == {}
    token = request_id.begin("0123456789abcdef")
    assert request_id.headers() == {"X-Request-ID": "0123456789abcdef"}
    request_id.end(token)
    for given in (None, "", "0123456789abcdef\n", "x" * 16, "0123456789ABCDEF"):
        token = request_id.begin(given)
        assert request_id.current() not in (None, given)
        request_id.end(token)
    assert request_id.current() is None
