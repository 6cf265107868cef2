# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does whoever follows a device see each change once, and through restarts of the servers?"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from muster_server.label import new_label
from muster_server.portal import streams
from tests import secrecy
from tests.host_server.config_server.field import OWNER, PROFILE, Field
from tests.host_server.portal.api import call, followed
from tests.host_server.processes import ANY_PORT, QUIET, start

PATIENCE_S = 20


def test_each_change_comes_once_and_as_it_happens(desk: tuple[Field, str]) -> None:
    place, url = desk
    device = place.registered()
    with followed(url, device.id) as events:
        first, shown = next(events)
        assert shown["waiting_for"]["what"] == "press"
        device.sync()
        second, shown = next(events)
        assert (shown["attempt"]["state"], shown["attempt"]["step"]) == ("under_way", 6)
        device.confirm(1)
        _, shown = next(events)
        assert (shown["runs"]["version"], shown["state"]) == (1, "registered")
    assert first != second
    # Who comes again with what it has is told what has changed since, and nothing else.
    last = call("GET", f"{url}/v1/devices/{device.id}").json()
    with followed(url, device.id) as events:
        known, again = next(events)
        assert again == last
    with followed(url, device.id, known) as events:
        call("POST", f"{url}/v1/devices/{device.id}/window")
        assert next(events)[1]["window"]["open"] is True


def test_stream_ends_with_the_ownership(desk: tuple[Field, str]) -> None:
    place, url = desk
    device = place.registered()
    with followed(url, device.id) as events:
        next(events)
        place.devices.release(device.id, OWNER)
        assert list(events) == []


def test_device_that_is_not_there_is_told_as_everywhere(url: str) -> None:
    answer = call("GET", f"{url}/v1/devices/NOBODY/stream")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_places_are_bounded_and_given_back(
    desk: tuple[Field, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "_AT_ONCE", 1)
    place, url = desk
    device = place.registered()
    with followed(url, device.id) as events:
        next(events)
        busy = call("GET", f"{url}/v1/devices/{device.id}/stream")
        assert (busy.status_code, busy.headers["Retry-After"]) == (503, "5")
    device.sync()  # the server notices when it next has something to say
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with followed(url, device.id) as events:
                next(events)
                return
        except AssertionError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def lines_of(process: subprocess.Popen[str]) -> tuple[list[str], threading.Thread]:
    lines: list[str] = []

    def gather() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)

    thread = threading.Thread(target=gather, daemon=True)
    thread.start()
    return lines, thread


def test_command_follows_through_a_restart_of_the_servers_until_ctrl_c(
    tmp_path: Path, free_port: int
) -> None:
    token_file = tmp_path / "token"
    places: tuple[str, ...] = ("--portal-listen", f"127.0.0.1:{free_port}", *ANY_PORT[2:])
    places += ("--platform-listen", "127.0.0.1:0")
    options = (*places, *QUIET, "--admin-token-file", str(token_file))
    servers = start(tmp_path / "data", *options)
    token = token_file.read_text().strip()
    secrecy.hide(token)
    url = servers.urls["portal"]
    platform = PROFILE["platform"] | {"url": servers.urls["platform"]}
    call("POST", url + "/v1/profiles", PROFILE | {"platform": platform}, token)
    label = new_label()
    body = {"label": label.qr_text, "profile": "press", "name": ""}
    assert call("POST", url + "/v1/devices", body, token).status_code == 201
    command = [sys.executable, "-m", "muster_server", "device", "show", label.device_id]
    command += ["--follow", "--portal", url, "--token-file", str(token_file)]
    following = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"},
    )
    try:
        lines, reader = lines_of(following)
        until(lambda: any("press its button" in line for line in lines))
        code, out, err = servers.stop()
        assert (code, out) == (0, "")
        assert "Traceback" not in err
        assert "Cancel" not in err  # the stream has ended by itself
        servers = start(tmp_path / "data", *options)
        before = len(lines)
        new_name = body | {"name": "renamed"}
        assert call("POST", url + "/v1/devices", new_name, token).status_code == 201
        until(lambda: any("renamed" in line for line in lines[before:]))
        following.send_signal(signal.SIGINT)
        reader.join(PATIENCE_S)
        assert following.wait(PATIENCE_S) == 130
        assert following.stderr is not None
        complaint = following.stderr.read()
        assert "Traceback" not in complaint
        assert token not in complaint
    finally:
        following.kill()
        following.communicate()
        servers.stop()
