# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does `muster command` tell a device something, and its user what came of it?"""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from muster_server.label import new_label
from tests import secrecy
from tests.host_server.processes import Servers
from tests.host_server.test_reading_commands import Publisher, configured

_LED = '{"led": true}'
_PATIENCE_S = 20.0


class Board:
    """A device's end, as firmware/muster/commands.py does it; it obeys when a test says so."""

    def __init__(self, config: dict[str, Any], device_id: str) -> None:
        self.id = device_id
        self._publisher = Publisher(config, device_id)
        self._platform = config["platform"]
        self.place = f"/cse-in/{self._publisher.originator}"

    def asks_for_commands(self) -> None:
        for name in ("commands", "results"):
            about = {"rn": name, "mni": 16, "mbs": 2048}
            self._publisher.post(self.place, 3, {"m2m:cnt": about})

    def oldest(self) -> dict[str, Any] | None:
        answer = self._request("GET", f"{self.place}/commands/ol")
        return answer.json()["m2m:cin"] if answer.ok else None

    def obeys(self, *, is_good: bool = True) -> None:
        """The next command, as soon as it is there."""
        deadline = time.monotonic() + _PATIENCE_S
        while (command := self.oldest()) is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        result = json.loads(command["con"]) if is_good else "wanted led"
        told = {"id": command["ri"], "ok": is_good, "result": result}
        content = {"m2m:cin": {"con": json.dumps(told)}}
        self._publisher.post(f"{self.place}/results", 4, content)
        self._request("DELETE", f"/{command['ri']}")

    def _request(self, method: str, path: str) -> requests.Response:
        headers = {
            "X-M2M-Origin": self._publisher.originator,
            "X-M2M-RI": "1",
            "X-M2M-RVI": "4",
            "Authorization": f"Bearer {self._platform['token']}",
        }
        return requests.request(method, self._platform["url"] + path, headers=headers, timeout=10)


@pytest.fixture
def new_board(muster: Any, profile: str, servers: tuple[Servers, Path]) -> Iterator[Board]:
    label = new_label()
    secrecy.hide_label(label.qr_text, label.secret)
    code, _, err = muster("device", "add", "-", "--profile", "press", stdin=label.qr_text)
    assert code == 0, err
    yield Board(configured(servers[0].urls["config"], label), label.device_id)
    assert muster("device", "release", label.device_id)[0] == 0


@pytest.fixture
def board(new_board: Board) -> Board:
    new_board.asks_for_commands()
    return new_board


@pytest.mark.parametrize(
    ("is_good", "code", "said"),
    [(True, 0, 'has done it: {"led": true}'), (False, 1, 'has not done it: "wanted led"')],
)
def test_command_is_waited_for(
    muster: Any, board: Board, is_good: bool, code: int, said: str
) -> None:
    obeying = threading.Thread(target=board.obeys, kwargs={"is_good": is_good})
    obeying.start()
    try:
        done = muster("command", board.id, _LED, "--wait", "--timeout", "20s")
    finally:
        obeying.join(_PATIENCE_S)
    assert done == (code, f"{board.id} {said}\n", "")


def test_device_that_is_away_is_told_later(muster: Any, board: Board) -> None:
    code, out, err = muster("command", board.id, _LED, "--wait", "--timeout", "1s")
    assert code == 5
    assert f"{board.id} has not answered in time; it may be off" in err
    assert f"waits for {board.id} until 20" in out
    asked = out.splitlines()[-1].partition("muster ")[2].split()
    assert muster(*asked)[0] == 0
    board.obeys()
    code, out, err = muster(*asked, "--json")
    told = json.loads(out)
    assert (code, err, told["state"], told["result"]) == (0, "", "done", {"led": True})


def test_command_that_nobody_took_expires(muster: Any, board: Board) -> None:
    code, out, _ = muster("command", board.id, "-", "--expires", "1s", "--json", stdin=_LED)
    given = json.loads(out)
    assert (code, given["state"]) == (0, "waiting")
    code, out, _ = muster(
        "command", board.id, "--result", given["id"], "--wait", "--timeout", "20s", "--json"
    )
    assert (code, json.loads(out)["state"]) == (1, "gone")
    assert board.oldest() is None
    assert "it expired" in muster("command", board.id, "--result", given["id"])[1]


def test_device_that_takes_no_commands_is_told_as_such(muster: Any, new_board: Board) -> None:
    code, out, err = muster("command", new_board.id, _LED, "--wait")
    assert (code, out) == (1, "")
    assert f"{new_board.id} takes no commands: its application has not asked for any" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("{led: true}",), "in quotation marks"),
        ((), "or --result"),
        ((_LED, "--result", "x"), "or --result"),
        ((_LED, "--timeout", "1s"), "give --wait"),
        ((_LED, "--wait", "--timeout", "0s"), "--timeout: wanted"),
        ((_LED, "--expires", "31d"), "--expires: wanted 1s to 30d"),
        (("--result", "x", "--expires", "1d"), "means nothing"),
        (("NaN",), "what to tell the device"),
    ],
)
def test_what_cannot_be_meant_is_said(muster: Any, words: tuple[str, ...], said: str) -> None:
    code, out, err = muster("command", "PRESS-4", *words)
    assert (code, out) == (2, "")
    assert said in err


def test_portal_refuses_what_no_device_takes(
    muster: Any, board: Board, servers: tuple[Servers, Path]
) -> None:
    running, folder = servers
    url = f"{running.urls['portal']}/v1/devices/{board.id}/commands"
    headers = {"Authorization": f"Bearer {(folder / 'token').read_text().strip()}"}

    def post(body: Any) -> tuple[int, str]:
        answer = requests.post(url, json=body, headers=headers, timeout=10)
        return answer.status_code, str(answer.json().get("path"))

    assert post({"value": "x" * 2047}) == (422, "value")
    assert post({}) == (422, "value")
    assert post({"value": 1, "life_s": 0}) == (422, "life_s")
    assert post({"value": "x" * 20_000})[0] == 413
    assert muster("command", "NOBODY", "1")[0] == 1
    assert board.oldest() is None
