# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The product's own platform, known to devices by a name."""

from pathlib import Path

from tests.system.servers import OwnPlatform

NAME = "m2m.example"


class NamedPlatform(OwnPlatform):
    """Over http, like its parent. The other servers know it by its address."""

    def __init__(self, directory: Path, address: str, common: list[str]) -> None:
        super().__init__(directory, address, common)
        url = f"http://{NAME}:8422"
        self.profile = {"url": url, "insecure": True}
        self.config_options = ["--platform-url", self.url, "--platform-public-url", url]
