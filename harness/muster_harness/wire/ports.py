# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Serial ports: which there are, which one is meant, and why one cannot be opened.

A port is named by its path, by its USB serial number, or by a URL: socket://host:port for a plain
TCP bridge, rfc2217://host:port for a serial server.
"""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import serial
from serial.tools import list_ports as usb

from muster_harness.errors import PortError
from muster_harness.facts import BOARDS, read_facts

_SCHEMES = ("socket", "rfc2217")
_ABSENT = (errno.ENOENT, errno.ENXIO, errno.ENODEV, errno.EIO)
_BUSY = (errno.EBUSY, errno.EAGAIN)
_EMULATED = "EMULATED"
_BAUD = 115200


@dataclass(frozen=True)
class Port:
    """One serial port of this machine. `boards` are guesses from the USB id alone."""

    path: str
    serial_number: str | None  # e.g. "0001", of the USB device
    usb_id: str | None  # e.g. "10c4:ea60"
    description: str
    boards: tuple[str, ...]


def list_ports() -> list[Port]:
    """List the USB serial ports of this machine; others cannot be told apart from empty
    sockets."""
    boards = _boards_by_usb_id()
    found = []
    for info in sorted(usb.comports()):
        if info.vid is not None:
            usb_id = f"{info.vid:04x}:{info.pid:04x}"
            guesses = tuple(boards.get(usb_id, ()))
            text = info.description or info.product or ""
            found.append(Port(info.device, info.serial_number, usb_id, text, guesses))
    return found


def find_port(wanted: str) -> str:
    """Return the path or URL of the port that a person names.

    Raises PortError if the name is neither a path nor a usable URL nor a USB serial number.
    Whether the port can be opened is not promised.
    """
    if "://" in wanted:
        require_whole_url(wanted)
        return wanted
    if os.sep in wanted or Path(wanted).exists() or wanted.upper().startswith("COM"):
        return wanted
    number = wanted.removeprefix("id:")
    matches = [port.path for port in list_ports() if port.serial_number == number]
    if not matches:
        raise PortError(f"no port and no USB serial number {wanted!r}; {_what_there_is()}")
    return matches[0]


def require_whole_url(port: str) -> None:
    """Check a URL; a path is none.

    Raises PortError for a URL that lacks something or is of no use.
    """
    scheme, is_url, place = port.partition("://")
    if not is_url:
        return
    if scheme not in _SCHEMES:
        raise PortError(f"no port of the kind {scheme}://; use socket:// or rfc2217://")
    host, _, number = place.partition("?")[0].partition("/")[0].rpartition(":")
    if not host or not number.isdecimal() or not 0 < int(number) < 65536:
        raise PortError(
            f"{port} does not say which port of which host; write e.g. {scheme}://127.0.0.1:4000"
        )


def follow_port(path: str) -> Callable[[], str]:
    """Return a function that gives the port's name now, and raises PortError while it is away.

    A board with USB of its own may come back under another name after a reset.
    """
    number = next((port.serial_number for port in list_ports() if port.path == path), None)
    return (lambda: find_port(f"id:{number}")) if number else (lambda: path)


def open_port(port: str, look_s: float, write_s: float) -> serial.Serial:
    """Open the port for this program alone. A read takes at most `look_s`, a write `write_s`.

    Raises PortError.
    """
    require_whole_url(port)
    try:
        line = serial.serial_for_url(port, _BAUD, timeout=look_s, exclusive=True)
        if not port.startswith("rfc2217://"):  # it has its own, and refuses another
            line.write_timeout = write_s
    except (OSError, ValueError):
        raise why_closed(port) from None
    return line


def took_nothing(port: str, write_s: float) -> PortError:
    """Make the error for a write that did not end in time."""
    return PortError(f"{port} took nothing for {write_s:g} s; does its other side hang?")


def why_closed(port: str) -> PortError:
    """Find out why a port cannot be opened, by trying once more."""
    try:
        serial.serial_for_url(port, timeout=0.1, exclusive=True).close()
    except (OSError, ValueError) as e:
        return PortError(_reason(port, e))
    return PortError(f"{port} could not be opened at first, and now can; try again")


def _reason(port: str, error: OSError | ValueError) -> str:
    number = getattr(error, "errno", None)
    if "://" in port:
        return (
            f"nobody answers at {port} ({error}); is the board on, and its bridge or emulator "
            "running and not in use by another program?"
        )
    if number in _BUSY:
        return (
            f"{port} is in use{_holder(port)}; is a terminal, an IDE or another muster-unit open? "
            "Close it and try again"
        )
    if number in (errno.EACCES, errno.EPERM):
        return (
            f"no permission for {port}; add yourself to the group that owns it "
            "(sudo usermod -aG dialout $USER) and log in again"
        )
    if number in _ABSENT or not Path(port).exists():
        return (
            f"there is no port {port}: {_what_there_is()}; is the board on, and is the cable one "
            "for data?"
        )
    return f"{port} is no serial port that can be used: {error}"


def _holder(port: str) -> str:
    # e.g. "1: FLOCK  ADVISORY  WRITE 4711 00:18:8 0 EOF" in /proc/locks
    try:
        inode = Path(port).stat().st_ino
        for line in Path("/proc/locks").read_text().splitlines():
            words = line.split()
            if words[1] == "FLOCK" and words[5].rpartition(":")[2] == str(inode):
                name = Path(f"/proc/{words[4]}/comm").read_text().strip()
                return f" by {name} (process {words[4]})"
    except (OSError, IndexError):
        pass
    return ""


def _what_there_is() -> str:
    ports = list_ports()
    if not ports:
        return "no USB serial port is plugged in"
    return "there are " + ", ".join(f"{p.path} ({p.serial_number or p.usb_id})" for p in ports)


def _boards_by_usb_id() -> dict[str, list[str]]:
    boards: dict[str, list[str]] = {}
    for path in sorted(BOARDS.glob("*.toml")):
        if path.stem != _EMULATED:
            for usb_id in read_facts(path).usb_ids:
                boards.setdefault(usb_id, []).append(path.stem)
    return boards
