# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# JSON without a blank, as it is sent and stored.

import binascii
import io
import json

from micropython import const

_SEPARATORS = const((",", ":"))


def dumps(value):
    return json.dumps(value, separators=_SEPARATORS)


# Writes JSON into a stream, so that the text never stands in RAM.
def dump(value, stream):
    json.dump(value, stream, separators=_SEPARATORS)  # type: ignore[call-overload]  # slip in stubs


# A stream that only measures: length and CRC-32 of what is written to it.
class Measure(io.IOBase):
    def __init__(self):
        self.size = 0
        self.crc = 0

    def write(self, buf):
        self.size += len(buf)
        self.crc = binascii.crc32(buf, self.crc)
        return len(buf)
