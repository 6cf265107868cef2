# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The servers of a desk whose networks are real: where the board can reach them, and loopback."""

import re
from pathlib import Path
from types import TracebackType
from typing import Self

from muster_harness.log import Log
from muster_harness.units.rig import Network
from tests.system.servers import OwnPlatform, ServerProcess

_CONFIG, _PLATFORM = 8421, 8422


class Desk:
    """All roles in one process. The portal, which has no business with boards, is on loopback."""

    def __init__(
        self, directory: Path, onboarding: Network, operational: Network, log: Log
    ) -> None:
        self.data = directory / "servers"
        self.data.mkdir(mode=0o700)
        self._token_file = self.data / "administrator.token"
        # Never started as such: it only says how the story talks to a platform of ours.
        self.platform = OwnPlatform(directory, operational.address, [])
        listens = dict.fromkeys([onboarding.address, operational.address])
        options = ["--role", "config", "--role", "platform", "--data", str(self.data)]
        options += ["--admin-token-file", str(self._token_file), "--portal-listen", "127.0.0.1:0"]
        # First loopback: services call each other there, for it is no https.
        for address in ("127.0.0.1:0", *(f"{address}:{_CONFIG}" for address in listens)):
            options += ["--config-listen", address]
        options += ["--config-public-url", f"http://{operational.address}:{_CONFIG}"]
        options += ["--platform-public-url", self.platform.url]
        options += _platform_listen(operational.address)
        self._process = ServerProcess("portal", options, directory / "servers.log", log)

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.stop()

    def wait_ready(self) -> None:
        self._process.wait_ready()

    @property
    def portal_url(self) -> str:
        found = re.search(r"portal ready (http://\S+)", self._process.log.read_text())
        if found is None:
            raise RuntimeError("the portal is not ready; wait_ready() first")
        return found[1]

    @property
    def platform_token(self) -> str:
        """The token of the platform's administrator: it opens neither of the other doors."""
        return (self.data / "platform-token").read_text().strip()

    @property
    def administrator_token(self) -> str:
        return self._token_file.read_text().strip()


def _platform_listen(address: str) -> list[str]:
    if address.startswith("127."):
        return ["--platform-listen", f"{address}:{_PLATFORM}"]
    everywhere = ["--platform-listen", f"0.0.0.0:{_PLATFORM}"]
    return [*everywhere, "--platform-url", f"http://127.0.0.1:{_PLATFORM}"]
