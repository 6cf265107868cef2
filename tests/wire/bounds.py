# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Golden bounds: each field of the configuration at its bounds, and one step outside of them.

A change of one bound on one side only is seen by the tests of that side.
"""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from tests.wire.configurations import FULL, LIMIT_BYTES, changed, path_of

HIGHEST = 2**31 - 1
DEEPEST = 16
# What a device grants a trial, whatever the configuration asks for.
FAILSAFE_S = (60, 900)


def _number(n: int) -> int:
    return n


def _text(n: int) -> str:
    return "x" * n


def _url(n: int) -> str:
    return "https://h/".ljust(n, "a")[:n]


def _networks(n: int) -> list[dict[str, Any]]:
    return [FULL["networks"][0]] * n


# The field, its lowest and its highest measure, and what has such a measure.
BOUNDS: tuple[tuple[str, int | None, int, Callable[[int], Any]], ...] = (
    ("v", 1, 1, _number),
    ("version", 1, HIGHEST, _number),
    ("networks", 1, 4, _networks),
    ("networks.0.ssid", 1, 32, _text),
    ("networks.0.psk", 8, 63, _text),
    ("networks.1.ip.address", 1, 32, lambda n: f"192.168.7.20/{n}"),
    ("networks.1.ip.gateway", None, 255, lambda n: f"192.168.7.{n}"),
    ("networks.1.ip.dns", None, 255, lambda n: f"{n}.168.7.1"),
    ("platform.url", len("https://h"), 256, _url),
    ("platform.cse", 1, 128, _text),
    ("platform.originator", 2, 64, lambda n: "C".ljust(n, "a")[:n]),
    ("platform.api", 2, 64, lambda n: "N".ljust(n, "a")[:n]),
    ("platform.acpi", None, 4, lambda n: ["cse-in/acp"] * n),
    ("platform.token", 1, 256, _text),
    ("config_server.url", len("https://h"), 256, _url),
    ("config_server.key", 32, 32, lambda n: b64encode(bytes(n)).decode()),
    ("config_server.adoption", 32, 32, lambda n: b64encode(bytes(n)).decode()),
    ("device.name", None, 64, _text),
    ("device.tags.hall", None, 256, _text),
    ("country", 2, 2, lambda n: "D" * n),
    ("policy.failsafe_s", 0, HIGHEST, _number),
    ("policy.sync_s", 1, HIGHEST, _number),
    ("policy.ntp", 1, 253, _text),
    ("policy.commands_s", 0, 86400, _number),
)

# Where one measure is not all there is to say.
_PORTS: tuple[tuple[str, str, Any, bool], ...] = tuple(
    (f"{where}/port-{port}", f"{where}.url", f"https://h:{port}", 1 <= port <= 65535)
    for where in ("platform", "config_server")
    for port in (0, 1, 65535, 65536)
)
_OTHERS: tuple[tuple[str, str, Any, bool], ...] = (
    *_PORTS,
    ("networks.0.ssid/32-bytes-of-utf-8", "networks.0.ssid", "ü" * 16, True),
    ("networks.0.ssid/34-bytes-of-utf-8", "networks.0.ssid", "ü" * 17, False),
    ("networks.0.psk/64-hexadecimal-digits", "networks.0.psk", "aF" * 32, True),
    ("networks.0.psk/65-hexadecimal-digits", "networks.0.psk", "a" * 65, False),
    ("networks.0.psk/64-with-one-that-is-none", "networks.0.psk", "a" * 63 + "g", False),
    ("networks.0.psk/blank-is-the-first-printable", "networks.0.psk", " " * 8, True),
    ("networks.0.psk/tilde-is-the-last-printable", "networks.0.psk", "~" * 8, True),
    ("networks.0.psk/below-the-first-printable", "networks.0.psk", "\x1f" * 8, False),
    ("networks.0.psk/above-the-last-printable", "networks.0.psk", "\x7f" * 8, False),
    ("platform.acpi/128-characters", "platform.acpi", ["x" * 128], True),
    ("platform.acpi/129-characters", "platform.acpi", ["x" * 129], False),
    ("country/first-letter", "country", "AZ", True),
    ("country/below-the-first-letter", "country", "@A", False),
    ("country/above-the-last-letter", "country", "Z[", False),
    *((f"platform.rvi/{rvi}", "platform.rvi", rvi, True) for rvi in ("2a", "3", "4", "5")),
    *((f"platform.rvi/{rvi}", "platform.rvi", rvi, False) for rvi in ("2", "6")),
)


def _filled(size_bytes: int) -> dict[str, Any]:
    empty = changed(FULL, "app", {"fill": ""})
    length = len(json.dumps(empty, separators=(",", ":"), ensure_ascii=False).encode())
    return {"fill": "x" * (size_bytes - length)}


def _nested(levels: int) -> dict[str, Any]:
    """An app that makes the configuration so many levels deep, itself included."""
    value: Any = []
    for n in range(levels - 3):
        value = [value] if n % 2 else {"x": value}
    return {"x": value}


def _case(name: str, where: str, value: Any, valid: bool, path: str = "") -> dict[str, Any]:
    steps = [int(part) if part.isdigit() else part for part in where.split(".")]
    case = {"name": name, "valid": valid, "where": steps, "value": value}
    return case if valid else case | {"path": path or path_of(where)}


def _at(
    field: str, low: int | None, high: int, made: Callable[[int], Any]
) -> list[dict[str, Any]]:
    lowest = 0 if low is None else low
    measures = [(lowest, True), (high, True), (high + 1, False)]
    if low is not None:
        measures.insert(0, (low - 1, False))
    named = dict(measures)  # one bound that is both is one case
    return [_case(f"{field}/{n}", field, made(n), valid) for n, valid in named.items()]


def document() -> dict[str, Any]:
    """All cases: the base with one field replaced."""
    cases = [case for row in BOUNDS for case in _at(*row)]
    cases += [_case(name, where, value, valid) for name, where, value, valid in _OTHERS]
    for size in (LIMIT_BYTES, LIMIT_BYTES + 1):
        valid = size == LIMIT_BYTES
        cases.append(_case(f"whole/{size}-bytes", "app", _filled(size), valid, "config"))
    for levels in (DEEPEST, DEEPEST + 1):
        valid = levels == DEEPEST
        cases.append(_case(f"whole/{levels}-deep", "app", _nested(levels), valid, "config"))
    low, high = FAILSAFE_S
    return {
        "about": "Each field of the configuration at its bounds and one step outside of them: the "
        "base, with the value at `where`. `failsafe` pairs what is asked for with what a device "
        "grants.",
        "failsafe": [[0, low], [low - 1, low], [low, low], [high, high], [high + 1, high]],
        "base": FULL,
        "cases": cases,
    }
