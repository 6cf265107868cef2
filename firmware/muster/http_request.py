# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# An HTTP request (RFC 9112) as it is sent. Loaded by http.py for each.

from . import __version__
from .errors import DeviceError


# Returns the request, in the room if it fits. host: as in its header. headers: by name. Raises
# DeviceError config_invalid if one of them would be two lines.
def write(room, method, path, host, headers, body):
    parts: list[bytes] = []
    _add(parts, "%s %s HTTP/1.1" % (method, path))
    _add(parts, "Host: " + host)
    _add(parts, "User-Agent: Muster/" + __version__)
    _add(parts, "Accept-Encoding: identity")
    for name in headers:
        _add(parts, "%s: %s" % (name, headers[name]))
    if body:
        _add(parts, "Content-Length: %d" % len(body))
    parts += [b"", body or b""]
    if sum([len(part) + 2 for part in parts]) > len(room):
        return b"\r\n".join(parts)  # at once: the message stands in RAM a single time
    at = 0
    for part in parts:
        if at:
            room[at : at + 2] = b"\r\n"
            at += 2
        room[at : at + len(part)] = part
        at += len(part)
    return memoryview(room)[:at]


def _add(parts, line):
    if "\r" in line or "\n" in line:
        raise DeviceError("config_invalid", "a line break in an HTTP header")
    parts.append(line.encode())
