# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The report that a device sends in step 5, as a typed value."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from muster_server.api.bounds import HIGHEST
from muster_server.document import LARGEST_INT, Fields, bounded, parse_json, typed, wrong
from muster_server.errors import Invalid, Malformed

STATES = ("blank", "trial", "committed")
RESET_CAUSES = ("power_on", "hard", "watchdog", "deep_sleep", "soft", "unknown")
MOST_NETWORKS = 8
MOST_ENTRIES = 32
MOST_LOCAL = 4

Entry = tuple[int, str, int]  # step, outcome code, ms

_HEX = re.compile(r"([0-9a-f]{2})*")
_CODE = re.compile(r"[a-z_]{1,32}")


@dataclass(frozen=True)
class Outcome:
    """The outcome of the last try of a configuration."""

    config: int
    step: int
    code: str
    detail: str


@dataclass(frozen=True)
class Report:
    """A checked report. The scan holds (SSID as raw bytes, channel, rssi, auth).

    `heap` is MicroPython's, in bytes: used, and free with what the port could still take from
    ESP-IDF; `idf_heap` is ESP-IDF's: free, and free in one piece. `hw` is the chip's number.
    `local_networks` are SSIDs, of networks that the device was given at its setup page.
    """

    echo: str | None
    config: int
    state: str
    model: str
    board: str
    firmware: str
    micropython: str
    reset_cause: str
    hw: str
    heap: tuple[int, int]
    idf_heap: tuple[int, int]
    scan: tuple[tuple[bytes, int, int, int], ...]
    last: Outcome | None
    timeline: tuple[Entry, ...]
    local_networks: tuple[bytes, ...] = ()


def parse_report(payload: bytes) -> Report:
    """The report; Malformed names the path of the first field that is wrong."""
    try:
        return _report(Fields(parse_json(payload)))
    except Invalid as error:
        raise Malformed(error.detail, path=error.path) from None


def _report(fields: Fields) -> Report:
    if fields.integer("v") != 1:
        raise wrong("v", "only version 1 of the report is understood")
    heap = _of_length(fields.required("heap"), "heap", 2)
    return Report(
        echo=fields.text_or_null("echo", high=64),
        config=fields.integer("config", 0, HIGHEST),
        state=fields.one_of("state", STATES),
        model=printable(fields.text("model", high=64)),
        board=printable(fields.text("board", high=64)),
        firmware=printable(fields.text("firmware", high=64)),
        micropython=printable(fields.text("micropython", high=64)),
        reset_cause=_reset_cause(fields.text("reset_cause", high=32)),
        hw=_chip(fields),
        heap=_pair(heap[0], "heap[0]"),
        idf_heap=_pair(heap[1], "heap[1]"),
        scan=tuple(
            _network(item, f"scan[{n}]")
            for n, item in enumerate(fields.items("scan", high=MOST_NETWORKS))
        ),
        last=_outcome(fields),
        timeline=entries(fields.items("timeline", high=MOST_ENTRIES)),
        local_networks=_local(fields),
    )


def printable(text: str) -> str:
    """The text as it may be shown: a device chose it, and it goes to terminals and pages."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "?" for c in text)


# A word of a newer firmware, or of another port, is no reason to turn a device away.
def _reset_cause(word: str) -> str:
    return word if word in RESET_CAUSES else "unknown"


def _chip(fields: Fields) -> str:
    text = fields.text("hw", high=32)
    if not _HEX.fullmatch(text):
        raise wrong("hw", "wanted pairs of hexadecimal digits")
    return text


def _pair(value: object, path: str) -> tuple[int, int]:
    first, second = _of_length(value, path, 2)
    return bounded(first, f"{path}[0]", 0), bounded(second, f"{path}[1]", 0)


def _network(value: object, path: str) -> tuple[bytes, int, int, int]:
    items = _of_length(value, path, 4)
    numbers = [bounded(items[n], f"{path}[{n}]", -(2**31), 2**31) for n in (1, 2, 3)]
    return (_ssid(items[0], f"{path}[0]"), *numbers)  # type: ignore[return-value]


def _ssid(value: object, path: str) -> bytes:
    text = typed(value, str, path)
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raw = b""
    # The decoder is lenient: encode again and compare.
    if urlsafe_b64encode(raw).rstrip(b"=") != text.encode("utf-8", "replace"):
        raise wrong(path, "wanted base64url without padding")
    if len(raw) > 32:
        raise wrong(path, f"an SSID has at most 32 bytes, got {len(raw)}")
    return raw


def _local(fields: Fields) -> tuple[bytes, ...]:
    if "local" not in fields.document:
        return ()
    names = fields.items("local", high=MOST_LOCAL)
    return tuple(_ssid(name, f"local[{n}]") for n, name in enumerate(names))


def _outcome(fields: Fields) -> Outcome | None:
    if fields.required("last") is None:
        return None
    last = fields.fields("last")
    return Outcome(
        config=last.integer("config", 0, HIGHEST),
        step=last.integer("step", 1, 9),
        code=_code(last.required("code"), last.at("code")),
        detail=printable(last.text("detail", high=200)),
    )


def entries(timeline: list[Any]) -> tuple[Entry, ...]:
    """The entries of a timeline; Invalid names the path of what is wrong with one."""
    return tuple([_entry(item) or _checked(item, n) for n, item in enumerate(timeline)])


def _entry(value: object) -> Entry | None:
    """The entry, as nearly always; None if something is wrong with it."""
    if type(value) is not list or len(value) != 3:
        return None
    step, code, duration_ms = value
    is_timed = type(step) is type(duration_ms) is int and 0 <= duration_ms <= LARGEST_INT
    if is_timed and 1 <= step <= 9 and type(code) is str and _CODE.fullmatch(code):
        return step, code, duration_ms
    return None


def _checked(value: object, number: int) -> Entry:
    path = f"timeline[{number}]"
    step, code, duration_ms = _of_length(value, path, 3)
    return (
        bounded(step, f"{path}[0]", 1, 9),
        _code(code, f"{path}[1]"),
        bounded(duration_ms, f"{path}[2]", 0, LARGEST_INT),
    )


def _code(value: object, path: str) -> str:
    text = typed(value, str, path)
    if not _CODE.fullmatch(text):
        raise wrong(path, "wanted 1 to 32 characters of a-z and _")
    return text


def _of_length(value: object, path: str, length: int) -> list[Any]:
    items: list[Any] = typed(value, list[Any], path)
    if len(items) != length:
        raise wrong(path, f"wanted {length} items, got {len(items)}")
    return items
