# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Runs the firmware's storage code on flash images: thousands of images a minute, without a
board."""

import json
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from muster_harness.esp32.interpreter import find_interpreter
from muster_harness.esp32.parts.flash import FlashContent

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
_LIVES = FIRMWARE.parent / "tests" / "firmware" / "on_board"  # lives.py, which starts a board
_PROGRAM = Path(__file__).with_name("on_image.py")
_HEAP = "1M"
_LIMIT_S = 60


class InspectorEnded(Exception):
    """An image on which the interpreter crashes or hangs. This inspector is of no more use."""


@dataclass(frozen=True)
class Start:
    """The findings of one start, or the error in which it ended."""

    error: str | None
    identity: tuple[str, bytes] | None = field(default=None, repr=False)
    config: dict[str, Any] | None = field(default=None, repr=False)
    is_kept: bool = False  # a candidate waits for its turn
    highest: int = 0
    last: str | None = None
    firmware: int = 0
    left: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        """The version of the configuration that the firmware runs on; 0 if there is none."""
        return int(self.config["version"]) if self.config else 0


@dataclass(frozen=True)
class Findings:
    """The findings about one image.

    Its first start, the next one, whether the storage takes a new configuration then, and all
    starts that follow a second cut in the first one.
    """

    first: Start
    second: Start
    succeeds: bool
    again: tuple[Start, ...]


class Inspector:
    """One MicroPython process that looks at one image after the other. Ends with its block."""

    def __init__(self, firmware: Path = FIRMWARE) -> None:
        self._made = tempfile.TemporaryDirectory(prefix="muster-images-")
        self._image = Path(self._made.name) / "flash.img"
        command = [*find_interpreter().command, "-X", f"heapsize={_HEAP}", str(_PROGRAM)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"MICROPYPATH": f"{firmware}:{_LIVES}:.frozen"},
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._made.cleanup()

    def look(
        self, content: FlashContent, *, cuts_again: bool = False, reads_all: bool = False
    ) -> Findings:
        """Start the firmware's storage on this image.

        `cuts_again`: also with a second cut at each operation of that start. `reads_all`: the
        checksum of the firmware covers its content, not only names and sizes.
        """
        self._image.write_bytes(content.image)
        nvs = json.loads(content.nvs or b"{}").get("muster", {}).get("identity")
        answer = self._ask(
            {
                "image": str(self._image),
                "nvs": nvs,
                "cuts_again": cuts_again,
                "reads_all": reads_all,
            }
        )
        succeeds = answer["succeeds"]
        return Findings(
            _start(answer["first"]),
            _start(answer["second"]),
            succeeds is True,
            tuple(map(_start, answer["again"])),
        )

    def _ask(self, request: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        limit = threading.Timer(_LIMIT_S, self._process.kill)
        limit.start()
        try:
            for line in self._process.stdout:
                if line.startswith("="):  # anything else is the firmware's own log
                    return json.loads(line[1:])
        finally:
            limit.cancel()
        raise InspectorEnded(f"the interpreter ended, or did not within {_LIMIT_S} s")


def _start(told: dict[str, Any]) -> Start:
    if "error" in told:
        return Start(error=told["error"])
    who = told["identity"]
    return Start(
        error=None,
        identity=(who[0], bytes.fromhex(who[1])) if who else None,
        config=told["config"],
        is_kept=told["kept"],
        highest=told["highest"],
        last=told["last"],
        firmware=told["firmware"],
        left=tuple(told["left"]),
    )
