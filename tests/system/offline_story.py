# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The offline flow, written once: the tests run it, and `make demo FLOW=offline` shows it.

A person makes a bundle at the portal, carries it to the board over a cable, and brings the
receipt back. No network is there for onboarding, and none leads to the configuration server.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests import secrecy
from tests.system.story import Label, Story

_SENDING_S = 60


class OfflineStory(Story):
    """A story whose device is configured by hand. `has_server`: the operational network leads to
    the configuration server after all.
    """

    def __init__(
        self, directory: Path, flash: Path | None = None, has_server: bool = False
    ) -> None:
        super().__init__(directory, flash=flash, is_offline=not has_server, virtual_time=True)
        self.onboarding.remove()

    def make_bundle(self, label: Label, *options: str) -> Path:
        """`muster bundle make`: the file."""
        file = self.directory / f"{label.device_id}.muster"
        self.at_portal("bundle", "make", label.device_id, "--out", str(file), *options)
        secrecy.hide(file.read_text().strip())
        return file

    def begin_sending(self, file: Path) -> "subprocess.Popen[str]":
        """`muster-unit bundle send`, over the board's serial port, while its firmware runs."""
        return subprocess.Popen(
            [sys.executable, "-m", "muster_harness", "bundle", "send", "--json"]
            + ["--port", self.board.port, str(file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def outcome(self, sending: "subprocess.Popen[str]") -> Any:
        """Return the device's words about the bundle when it has tried it."""
        said, complaint = sending.communicate(timeout=_SENDING_S)
        if not said:
            raise RuntimeError(f"the bundle was not sent: {complaint}")
        return json.loads(said)

    def carry(self, file: Path) -> Any:
        """Sends the bundle and waits for its outcome."""
        return self.outcome(self.begin_sending(file))

    def enter_receipt(self, label: Label, receipt: str) -> Any:
        """`muster receipt check`: the portal's verdict."""
        said = self.at_portal("receipt", "check", label.device_id, receipt, "--json")
        return json.loads(said)

    def at_portal(self, *arguments: str) -> str:
        """A command of `muster` to the portal, as its administrator. CalledProcessError has what
        it complains of.
        """
        options = ["--portal", self.servers.portal_url]
        return self.muster(*arguments, *options, "--token-file", str(self.servers.token_file))
