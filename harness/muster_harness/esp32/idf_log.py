# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Lines that ESP-IDF's own tasks print on the console (esp_log.h, CONFIG_LOG_COLORS off)."""

from muster_harness.errors import BoardError

_LEVELS = "EWIDV"
_LONGEST = 200


def log_line(message: str | bytes, level: str, tag: str, uptime_ms: int) -> bytes:
    """A line as "E (261708) wifi:sta is connecting, return error", with its end.

    A message in bytes that begins with a level is taken as it is. Raises BoardError for a level
    that there is not, and for what is no line.
    """
    if level not in _LEVELS or len(level) != 1:
        raise BoardError(f"a level of ESP-IDF's log is one of {', '.join(_LEVELS)}, not {level!r}")
    raw = message if isinstance(message, bytes) else message.encode()
    if not raw or len(raw) > _LONGEST or b"\n" in raw or b"\r" in raw:
        raise BoardError(f"ESP-IDF says one line of 1 to {_LONGEST} bytes, not {message!r}")
    head = b"" if isinstance(message, bytes) else f"{level} ({uptime_ms}) {tag}:".encode()
    return head + raw + b"\r\n"
