# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The surroundings of the offline flow and no more: an operational network, a platform, and a
board with a label.

jwcrypto seals the bundles; each test decides who carries them to the board.
"""

import functools
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from muster_harness.air.air import AccessPoint, Air
from muster_harness.deploy.firmware import write_identity
from muster_harness.units.emulated import EmulatedBoard
from tests import secrecy
from tests.system.servers import OwnPlatform
from tests.wire import bundles
from tests.wire.configurations import SMALL, sized
from tests.wire.labels import printed
from tests.wire.receipts import receipt

DEVICE_ID, SECRET = bundles.DEVICE_ID, bundles.SECRET
PASSWORD = "correct horse battery"
RECEIPT = rb"bundle receipt ([A-Z2-7]{4}) ([A-Z2-7]{4}): version (\d+) (\w+)"
_COPY_S = 30
_REQUEST_S = 10


class OwnNetwork:
    """The operational network and its platform; boards and bundles come and go."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(exist_ok=True)
        self.air = Air()
        self.operational: AccessPoint = self.air.add_access_point(
            "factory", password=PASSWORD, channel=11, rssi=-55
        )
        data = directory / "servers"
        data.mkdir(mode=0o700)
        self._token_file = data / "platform-token"
        self.platform = OwnPlatform(directory, self.operational.gateway, ["--data", str(data)])
        secrecy.hide(PASSWORD)
        secrecy.hide_label(printed(DEVICE_ID, SECRET), SECRET)

    def __enter__(self) -> Self:
        self.platform.start()
        self.platform.wait_ready()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.platform.stop()
        self.air.close()

    @functools.cache  # noqa: B019 (a network lives as long as the tests)
    def account(self, originator: str) -> str:
        """Make an account for an originator, and return its token."""
        answer = requests.put(
            f"{self.platform.url}/accounts/{originator}",
            headers={"Authorization": f"Bearer {self._token_file.read_text().strip()}"},
            timeout=_REQUEST_S,
        )
        answer.raise_for_status()
        token = str(answer.json()["token"])
        secrecy.hide(token)
        return token

    def config(self, version: int = 1, size_bytes: int = 0, **changes: Any) -> dict[str, Any]:
        """A configuration that works here, unless it is changed."""
        originator = "Cmuster" + hashlib.sha256(DEVICE_ID.encode()).hexdigest()[:24]
        document = SMALL | {
            "version": version,
            "networks": [{"ssid": "factory", "psk": PASSWORD, "hidden": False, "ip": "dhcp"}],
            "platform": SMALL["platform"]
            | {
                "url": self.platform.url,
                "originator": originator,
                "token": self.account(originator),
                "insecure": True,
            },
            # Nobody is there: an offline device has no configuration server within reach.
            "config_server": SMALL["config_server"]
            | {"url": f"http://{self.operational.gateway}:8421"},
            "app": {"interval_s": 1},
        }
        document |= changes
        if size_bytes:
            size = len(bundles.compact(document | {"app": {"pad": ""}}).encode())
            document["app"] = {"pad": "x" * (size_bytes - size)}
        return document

    def bundle(
        self, config: dict[str, Any] | None = None, secret: bytes = SECRET, **fields: Any
    ) -> str:
        content = bundles.plaintext(self.config() if config is None else config, **fields)
        return bundles.by_jwcrypto(bundles.bundle_key(secret=secret), bundles.header(), content)


class Carried:
    """A board with a label and the firmware, switched off; `flash` is where it comes from."""

    def __init__(
        self,
        network: OwnNetwork,
        directory: Path,
        flash: Path,
        heap: str = "512K",
        virtual_time: bool = False,
    ) -> None:
        shutil.copytree(flash, directory)
        self.network = network
        self.board = EmulatedBoard(
            directory, air=network.air, heap=heap, virtual_time=virtual_time
        )
        secrecy.watch(directory.parent)
        self._said = directory.parent / "serial.log"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._said.write_bytes(self.board.output)
        self.board.close()

    def write_label(self, device_id: str = DEVICE_ID, secret: bytes = SECRET) -> None:
        self.board.power_on()
        self.board.expect(rb">>> ", 10)
        write_identity(self.board.port, device_id, secret)

    def copy(self, text: str, name: str = f"{DEVICE_ID}.muster") -> None:
        """Copy a bundle onto the board, as a person does who has nothing but mpremote."""
        self.copy_all({name: text})

    def copy_all(self, texts: dict[str, str]) -> None:
        with tempfile.TemporaryDirectory() as made:
            for name, text in texts.items():
                Path(made, name).write_text(text)
            self.mpremote("cp", *(str(Path(made, name)) for name in texts), ":")

    def mpremote(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "mpremote", "connect", self.board.port, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_COPY_S, check=True)
        return done.stdout

    def files(self) -> set[str]:
        """At the root, through the prompt: the program is stopped."""
        return set(json.loads(self.mpremote("exec", _LIST)))

    def outcome(self, text: str, timeout_s: float = 60.0) -> tuple[int, str]:
        """The version and code that the device shows a receipt for; it must be of this bundle."""
        found = self.board.expect(RECEIPT, timeout_s)
        first, second, version, code = (group.decode() for group in found.groups())
        assert first + second == receipt(DEVICE_ID, SECRET, int(version), code, text)
        return int(version), code


_LIST = "import os, json; print(json.dumps(os.listdir('/')))"

__all__ = ["DEVICE_ID", "PASSWORD", "RECEIPT", "SECRET", "Carried", "OwnNetwork", "sized"]
