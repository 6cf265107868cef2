# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The story of the nine steps, written once: the tests run it, and `make demo` shows it.

A person makes a label, writes it to the board and registers the device at the portal; switches the
board on and presses its button. Everything else the device and the servers do by themselves.
"""

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from muster_harness.air.air import AccessPoint, Air
from muster_harness.deploy.firmware import deploy_firmware, write_identity
from muster_harness.deploy.labels import parse_label
from muster_harness.errors import BoardError
from muster_harness.log import Log
from muster_harness.units.emulated import EmulatedBoard
from tests import secrecy
from tests.system import server_secrets
from tests.system.servers import MakePlatform, OwnPlatform, Servers

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"
STEP = rb"M \d+ [A-Z] step (\d) (\w+) (\d+)ms ?([^\r\n]*)\r?\n"
_REQUEST_S = 10.0
_NO_DOUBLE_S = 0.6  # between two presses that are two


@dataclass(frozen=True)
class Step:
    """One of the nine, as it ended. duration_s is the device's own for 3 to 9."""

    number: int
    code: str
    duration_s: float
    detail: str


@dataclass
class Label:
    device_id: str
    text: str = field(repr=False)
    secret: bytes = field(repr=False)


class Story:
    """Servers, two networks in the air and a board that is switched off.

    Everything lives in `directory` and ends with the block. `flash` is the directory of a board
    that already has the firmware, to begin with a copy of it. `platform` makes another platform.
    `board` is one that somebody else made, in an air of its own, and `log` is where the servers
    and the portal's requests go, too. `is_offline`: the operational network leads neither to the
    portal nor to the configuration server. `virtual_time` is for the clock of its own board.
    """

    step_s = 20.0  # until a step ends

    _pressed_at = 0.0  # of the monotonic clock; a person has not pressed anything yet

    def __init__(
        self,
        directory: Path,
        heap: str = "512K",
        password: str = PASSWORD,
        flash: Path | None = None,
        platform: MakePlatform = OwnPlatform,
        board: EmulatedBoard | None = None,
        log: Log | None = None,
        is_offline: bool = False,
        virtual_time: bool = False,
    ) -> None:
        self.directory = directory
        self._log = log
        self.air = Air() if board is None else board.air
        self.password = password
        self.onboarding: AccessPoint = self.air.add_access_point(
            "MUSTER-demo", channel=6, rssi=-48
        )
        self.operational: AccessPoint = self.air.add_access_point(
            "factory", password=password, channel=11, rssi=-55
        )
        onboarding, operational = self.onboarding.gateway, self.operational.gateway
        home = onboarding if is_offline else operational
        self.servers = Servers(directory, onboarding, operational, platform, log, home)
        self._ends = contextlib.ExitStack()
        self.board = board or self._own_board(flash, heap, virtual_time)
        self._device_ids: list[str] = []
        secrecy.hide(password)
        secrecy.watch(directory)

    def _own_board(self, flash: Path | None, heap: str, virtual_time: bool) -> EmulatedBoard:
        if flash is not None:
            shutil.copytree(flash, self.directory / "board")
        self._ends.enter_context(self.air)
        folder = self.directory / "board"
        board = EmulatedBoard(folder, air=self.air, heap=heap, virtual_time=virtual_time)
        return self._ends.enter_context(board)

    def __enter__(self) -> Self:
        self.servers.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(BoardError):  # of a board that a test has closed
            self.board.power_off()
        self.servers.__exit__(kind, error, trace)
        self._note_secrets()
        # As the board has said it: its own log cuts and escapes.
        with (self.directory / "serial.log").open("ab") as log:
            log.write(self.board.output)
        self._ends.__exit__(kind, error, trace)

    def _note_secrets(self) -> None:
        server_secrets.note_all(self.servers.data, self._device_ids)

    # Preparations

    def deploy(self, form: str = "mpy") -> None:
        """Puts the firmware onto the board over its serial port, with mpremote."""
        self.board.power_on()
        with self.board.released() as port:
            deploy_firmware(port, ROOT / "firmware", form=form, build=self.build())
        self.board.power_off()

    def build(self) -> dict[str, Any]:
        return {"model": "press"}

    def make_label(self) -> Label:
        """`muster label new`, and the label's identity written to the board over serial."""
        made = json.loads(self.muster("label", "new", "--json"))
        secret = parse_label(made["label"]).secret
        label = Label(made["device_id"], made["label"], secret)
        secrecy.hide_label(label.text, label.secret)
        self._device_ids.append(label.device_id)
        return label

    def write_label(self, label: Label) -> None:
        self.board.power_on()
        write_identity(self.board.port, label.device_id, label.secret)
        self.board.power_off()
        self.board.forget_output()

    def muster(self, *arguments: str) -> str:
        """Runs the command `muster` as a person would, and returns what it prints."""
        self._note_secrets()  # here, and below: before the servers forget some of them
        command = [sys.executable, "-m", "muster_server", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        return done.stdout

    def owner(self, *arguments: str) -> str:
        """Runs a command that asks the portal, as the owner would."""
        servers = self.servers
        place = ("--portal", servers.portal_url, "--token-file", str(servers.token_file))
        return self.muster(*arguments, *place)

    def onboard(self) -> Label:
        """All nine steps with nothing in the way; the label of the registered device."""
        label = self.begin()
        self.switch_on()
        self.committed()
        return label

    def begin(self, name: str = "press 4", **profile: Any) -> Label:
        """Steps 1 and 2, and a board with its label, still switched off."""
        self.servers.wait_ready()
        label = self.make_label()
        self.write_label(label)
        self.add_profile(**profile)
        self.register(label, name)
        return label

    # The portal

    def portal(self, method: str, path: str, document: object = None) -> Any:
        """A request to the portal's API; raises requests.HTTPError with the problem in it."""
        self._note_secrets()
        if self._log is not None:
            self._log.note("test", f"{method} {path}")
        answer = requests.request(
            method,
            self.servers.portal_url + path,
            json=document,
            headers={"Authorization": f"Bearer {self.servers.administrator_token}"},
            timeout=_REQUEST_S,
        )
        if answer.status_code >= 400:
            raise requests.HTTPError(f"{answer.status_code}: {answer.text}", response=answer)
        return answer.json() if answer.content else None

    def profile(self, **changes: Any) -> dict[str, Any]:
        document: dict[str, Any] = {
            "name": "demo",
            "networks": [{"ssid": "factory", "psk": self.password, "hidden": False, "ip": "dhcp"}],
            "platform": {
                "type": "onem2m",
                "cse": "cse-in",
                "api": "Norg.example.press",
                "rvi": "4",
                **self.servers.platform.profile,
            },
            "app": {"interval_s": 1},
            "app_schema": None,
            "country": "DE",
            "policy": {"failsafe_s": 60, "sync_s": 3600, "ntp": None},
            "reonboarding": "owner",
        }
        return document | changes

    def add_profile(self, **changes: Any) -> None:
        self.portal("POST", "/v1/profiles", self.profile(**changes))

    def change_profile(self, **changes: Any) -> None:
        self.portal("PUT", "/v1/profiles/demo", self.profile(**changes))

    def register(self, label: Label, name: str = "press 4") -> Any:
        """Step 1; the portal's answer also says how step 2 went."""
        request = {"label": label.text, "profile": "demo", "name": name}
        return self.portal("POST", "/v1/devices", request)

    def device(self, label: Label) -> Any:
        return self.portal("GET", f"/v1/devices/{label.device_id}")

    def timeline(self, label: Label) -> Any:
        """Return the timeline: everything that device, servers and platform saw."""
        return self.portal("GET", f"/v1/devices/{label.device_id}/timeline")

    def wait_for(self, label: Label, wanted: Callable[[Any], bool], timeout_s: float = 10) -> Any:
        """Asks the portal until the device is as wanted; raises TimeoutError with what it is."""
        deadline = time.monotonic() + timeout_s
        while True:
            device = self.device(label)
            if wanted(device):
                return device
            if time.monotonic() > deadline:
                raise TimeoutError(f"the portal still says {device}")
            time.sleep(0.05)

    # The device

    def switch_on(self) -> None:
        self.board.power_on()

    def press(self) -> None:
        """Once, and never so soon after another that the two are a double press."""
        time.sleep(max(0.0, self._pressed_at + _NO_DOUBLE_S - time.monotonic()))
        self.board.press("button", ms=100)
        self._pressed_at = time.monotonic()

    def wait_until_joined(self, ssid: str, timeout_s: float | None = None, times: int = 1) -> None:
        """Until the radio has associated so often; an address may still be missing."""
        timeout_s = timeout_s or self.step_s
        deadline = time.monotonic() + timeout_s
        while self._joins(ssid) < times:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the board has not joined {ssid} within {timeout_s} s")
            time.sleep(0.01)

    def _joins(self, ssid: str) -> int:
        return sum(e.details["ssid"] == ssid.encode() for e in self.air.traced("join"))

    def next_step(self, timeout_s: float | None = None) -> Step:
        """The next step that the device says to have ended, well or not."""
        found = self.board.expect(STEP, timeout_s or self.step_s)
        self._note_secrets()
        number, code, ms, detail = found.groups()
        return Step(int(number), code.decode(), int(ms) / 1000, detail.decode(errors="replace"))

    def step(self, number: int, timeout_s: float | None = None) -> Step:
        """The next end of this very step, whatever else happens before."""
        deadline = time.monotonic() + (timeout_s or self.step_s)
        while True:
            step = self.next_step(max(deadline - time.monotonic(), 0.01))
            if step.number == number:
                return step

    def committed(self, timeout_s: float | None = None) -> int:
        """Waits for the commit; the version."""
        found = self.board.expect(rb"life committed version (\d+)", timeout_s or self.step_s)
        self._note_secrets()
        return int(found[1])

    # The platform

    def platform(self, path: str, reader: dict[str, str] | None = None) -> Any:
        """Read from the platform as its administrator does, over oneM2M, or as this reader."""
        platform = self.servers.platform
        headers = {
            "X-M2M-Origin": reader["originator"] if reader else "CAdmin",
            "X-M2M-RI": "story",
            "X-M2M-RVI": "4",
            "Accept": "application/json",
        }
        if platform.has_accounts:
            token = reader["token"] if reader else self.servers.platform_token
            headers["Authorization"] = f"Bearer {token}"
        answer = requests.get(
            platform.url + path,
            headers=headers,
            timeout=_REQUEST_S,
            verify=platform.ca_file or True,
        )
        answer.raise_for_status()
        return answer.json()

    def application_entity(self, label: Label) -> Any:
        originator = self.device(label)["account"]["originator"]
        return self.platform(f"/{originator}")["m2m:ae"]

    def container(self, label: Label, name: str = "data") -> Any:
        originator = self.device(label)["account"]["originator"]
        return self.platform(f"/cse-in/{originator}/{name}")["m2m:cnt"]

    def reader(self, name: str) -> dict[str, str]:
        """An account that may only read the owner's devices; this platform has accounts."""
        made: dict[str, str] = json.loads(self.owner("reader", "add", name, "--json"))
        secrecy.hide(made["token"])
        return made

    def first_reading(
        self, label: Label, timeout_s: float = 10, reader: dict[str, str] | None = None
    ) -> Any:
        """The oldest reading, as soon as there is one."""
        originator = self.device(label)["account"]["originator"]
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                return self.platform(f"/cse-in/{originator}/data/ol", reader)["m2m:cin"]
            except requests.HTTPError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
