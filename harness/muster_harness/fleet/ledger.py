# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The ledger: everything that a server has acknowledged, one line each.

The file holds labels and configurations, which are secrets: it is for its owner alone.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from muster_harness.deploy.labels import parse_label
from muster_harness.errors import HarnessError
from muster_harness.fleet.device import FleetDevice

CLAIMED, FETCHED, REGISTERED, CONFIRMED = "claimed", "fetched", "registered", "confirmed"


_AT_ONCE_BYTES = 65536
_COMPACT = json.JSONEncoder(separators=(",", ":"))  # made once


class Ledger:
    """Appends what was acknowledged; without a path it keeps nothing.

    Lines are written together, whole, in their order. `soon` is called when some wait, with what
    writes them: an event loop's `call_soon` writes them before it hears another answer.
    """

    def __init__(
        self, path: Path | None, soon: Callable[[Callable[[], None]], object] | None = None
    ) -> None:
        """Raises HarnessError if the file cannot be written."""
        self._path, self._soon = path, soon
        self._file: int | None = None
        self._lines: list[str] = []
        self._size = 0
        self._error: HarnessError | None = None
        if path is None:
            return
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise HarnessError(f"{path}: {error.strerror}; name another ledger") from None

    def note(self, device: FleetDevice, what: str) -> None:
        """Take down that a server has acknowledged this to the device.

        Raises HarnessError if what was noted before could not be written.
        """
        if self._file is None:
            return
        if self._error is not None:
            raise self._error
        line = _COMPACT.encode(_entry(device, what)) + "\n"
        if not self._lines and self._soon is not None:
            self._soon(self.flush)
        self._lines.append(line)
        self._size += len(line)
        if self._size >= _AT_ONCE_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what waits; whoever notes something next, or ends, is told if that failed."""
        data = "".join(self._lines).encode()
        self._lines, self._size = [], 0
        try:
            while data and self._file is not None:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            self._error = HarnessError(f"{self._path}: {error.strerror}; the ledger is not whole")

    def close(self) -> None:
        """End the file. Raises HarnessError if something could not be written."""
        if self._file is None:
            return
        self.flush()
        os.close(self._file)
        self._file = None
        if self._error is not None:
            raise self._error

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _entry(device: FleetDevice, what: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"n": device.number, "what": what}
    if what == CLAIMED:
        entry["label"] = device.label.text
    if what == FETCHED:
        entry["config"] = device.settings
    if what in (FETCHED, CONFIRMED):
        entry["echo"] = device.echo
    return entry


class Entry:
    """A device with everything that was acknowledged to it, and what was doubled."""

    __slots__ = ("_newest", "configs", "device", "doubled", "what")

    def __init__(self, device: FleetDevice) -> None:
        self.device = device
        self.what: tuple[str, ...] = ()
        self.configs: dict[int, str] = {}  # by version, as JSON: a sixth of what objects take
        self.doubled: tuple[str, ...] = ()
        self._newest = 0

    @property
    def originators(self) -> set[str]:
        """The accounts that the device was given."""
        return {json.loads(text)["platform"]["originator"] for text in self.configs.values()}

    def add(self, line: dict[str, Any]) -> None:
        """Take one more line of the ledger."""
        self.what = (*self.what, sys.intern(line["what"]))
        self.device.echo = line.get("echo", self.device.echo)
        if line["what"] == FETCHED:
            version, text = int(line["config"]["version"]), _COMPACT.encode(line["config"])
            former = self.configs.setdefault(version, text)
            if former != text and json.loads(former) != line["config"]:
                self.doubled += (f"version {version} came with two contents",)
            self.device.config_text, self._newest = text, version
        if line["what"] == CONFIRMED:
            self.device.committed = self._newest


def read_ledger(path: Path) -> list[Entry]:
    """Return the devices of a ledger; HarnessError if it cannot be read or is none.

    A last line without its end was being written when the generator was ended: it is passed over.
    """
    found: dict[int, Entry] = {}
    try:
        with path.open(encoding="utf-8") as lines:
            for text in lines:
                if text.endswith("\n"):
                    _take(json.loads(text), found)
    except OSError as error:
        raise HarnessError(f"{path}: {error.strerror}; name the ledger of a run") from None
    except (ValueError, KeyError, TypeError):
        raise HarnessError(f"{path} is no ledger of muster-fleet") from None
    return list(found.values())


def _take(line: dict[str, Any], found: dict[int, Entry]) -> None:
    number = line["n"]
    if line["what"] == CLAIMED and number not in found:
        found[number] = Entry(FleetDevice(parse_label(line["label"]), number))
    found[number].add(line)
