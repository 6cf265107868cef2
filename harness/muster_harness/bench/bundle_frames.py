# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The frames in which a host and a device talk over the console, beside its log and a prompt.

    ~M> 12 data 288 eyJhbGci… 1f2e3d4c      from the host
    ~M< 12 go 384 5a6b7c8d                  from the device, to the request of the same number

A frame is printable ASCII, at most 128 bytes with the line end. Its last word is the CRC-32 of
everything between the mark and that word. A mark in the middle of a line begins a frame all the
same. docs/protocol.md, section 12, has the verbs.
"""

import re
import zlib

LONGEST = 128
_TO_DEVICE = b"~M> "
_FROM_DEVICE = re.compile(rb"~M< ([ -~]+) ([0-9a-f]{8})\r?$")


def request(number: int, *words: str) -> bytes:
    """Make one frame for a device."""
    body = " ".join([str(number), *words]).encode("ascii")
    frame = _TO_DEVICE + body + b" %08x\n" % zlib.crc32(body)
    if len(frame) > LONGEST:
        raise ValueError(f"a frame of {len(frame)} bytes; at most {LONGEST} wanted")
    return frame


class Answers:
    """Finds the device's frames in the output of its console."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, list[str]]]:
        """Take output, and return the frames that it has completed: the request's number and the
        words."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-4 * LONGEST :]
        return [frame for line in lines if (frame := _parsed(line)) is not None]


def _parsed(line: bytes) -> tuple[int, list[str]] | None:
    found = _FROM_DEVICE.search(line, max(line.rfind(b"~M<"), 0))
    if found is None or zlib.crc32(found[1]) != int(found[2], 16):
        return None
    number, *words = found[1].decode("ascii").split(" ")
    return (int(number), words) if number.isdigit() and words else None
