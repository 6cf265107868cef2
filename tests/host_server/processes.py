# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster serve` in processes of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

READY_S = 30
STOP_S = 10  # some 0.2 s, on an idle machine
ANY_PORT = ("--portal-listen", "127.0.0.1:0", "--config-listen", "127.0.0.1:0")
QUIET = ("--advertise", "no")


@dataclass
class Servers:
    """One such process, the lines that it printed, and where its roles listen."""

    process: subprocess.Popen[str]
    lines: list[str]
    urls: dict[str, str]

    def stop(self) -> tuple[int, str, str]:
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=STOP_S)
        return self.process.returncode, out, err


def start(
    data: Path,
    *options: str,
    ready: int = 3,
    command: Sequence[str] = (sys.executable, "-m", "muster_server"),
) -> Servers:
    process = subprocess.Popen(
        [*command, "serve", "--data", str(data), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert process.stdout is not None
    servers = Servers(process, [], {})
    deadline = time.monotonic() + READY_S
    while len(servers.urls) < ready and time.monotonic() < deadline:
        line = process.stdout.readline()
        if not line:
            break
        servers.lines.append(line)
        found = re.fullmatch(r"(\w+) ready (https?://\S+).*\n", line)
        if found:
            servers.urls[found[1]] = found[2]
    if len(servers.urls) < ready:
        process.kill()
        pytest.fail(f"not ready: {servers.lines} {process.communicate()}")
    return servers


def run_serve(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "muster_server", "serve", *options],
        capture_output=True,
        text=True,
        timeout=20,
        env={"PATH": os.environ["PATH"]},
        check=False,
    )
