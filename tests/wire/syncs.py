# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Golden reports and directives."""

from base64 import urlsafe_b64encode
from typing import Any

from tests.wire.configurations import FULL, GONE, SMALL, changed


def ssid(raw: bytes) -> str:
    """An SSID as a report carries it: bytes, for not every SSID is text."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


BLANK: dict[str, Any] = {
    "v": 1,
    "echo": None,
    "config": 0,
    "state": "blank",
    "model": "press",
    "board": "EMULATED",
    "firmware": "0.1.0",
    "micropython": "1.29.0",
    "reset_cause": "power_on",
    "hw": "246f28aabbcc",
    "heap": [[61234, 90112], [94256, 53248]],
    "scan": [[ssid(b"MUSTER-demo"), 6, -48, 0], [ssid(b"factory"), 11, -55, 3]],
    "last": None,
    "timeline": [[3, "ok", 812], [4, "ok", 40]],
}

FAILED: dict[str, Any] = BLANK | {
    "echo": "bm9uY2U",
    "config": 7,
    "state": "committed",
    "reset_cause": "watchdog",
    "last": {"config": 8, "step": 8, "code": "wifi_auth", "detail": "'factory' refused us"},
    "timeline": [[8, "wifi_auth", 15000]],
}

REPORTS = (
    ("blank", BLANK),
    ("failed-and-back-on-the-old-configuration", FAILED),
    ("trial", BLANK | {"state": "trial", "echo": "e", "config": 6}),
    ("nothing-in-the-air", BLANK | {"scan": [], "timeline": []}),
    ("eight-networks", BLANK | {"scan": [BLANK["scan"][0]] * 8}),
    ("ssid-that-is-not-utf-8", BLANK | {"scan": [[ssid(b"\xc6net\x00\xff"), 1, -90, 4]]}),
    ("ssid-that-is-empty", BLANK | {"scan": [["", 13, -90, 4]]}),
    ("ssid-of-32-bytes", BLANK | {"scan": [[ssid(b"\xff" * 32), 13, -90, 4]]}),
    ("timeline-of-32", BLANK | {"timeline": [[4, "discovery_none", 20000]] * 32}),
    ("code-of-a-newer-firmware", FAILED | {"timeline": [[9, "moon_phase", 1]]}),
    ("reset-cause-of-a-newer-firmware", BLANK | {"reset_cause": "cosmic_ray"}),
    ("unknown-fields-are-ignored", BLANK | {"later": [{"x": 1}]}),
    ("chip-without-a-number", BLANK | {"hw": ""}),
    ("chip-with-a-long-number", BLANK | {"hw": "0f" * 16}),
    ("no-network-given-at-its-page", BLANK | {"local": []}),
    ("network-given-at-its-page", BLANK | {"local": [ssid(b"shop")]}),
    ("no-heap-left", BLANK | {"heap": [[2**40, 0], [0, 0]]}),
    ("model-in-another-script", BLANK | {"model": "プレス"}),
    ("every-text-at-its-longest", BLANK | {"model": "x" * 64, "echo": "e" * 64}),
)

WRONG_REPORTS: tuple[tuple[str, str, Any], ...] = (
    *((f"{field}-missing".replace("_", "-"), field, GONE) for field in BLANK),
    ("v-of-the-future", "v", 2),
    ("v-is-text", "v", "1"),
    ("echo-is-a-number", "echo", 5),
    ("echo-of-65-characters", "echo", "e" * 65),
    ("config-is-negative", "config", -1),
    ("config-is-null", "config", None),
    ("config-is-true", "config", True),
    ("config-is-a-fraction", "config", 0.5),
    ("config-is-beyond-64-bits", "config", 2**70),
    ("state-unknown", "state", "asleep"),
    ("state-is-a-list", "state", []),
    ("model-is-a-number", "model", 4),
    ("model-of-65-characters", "model", "x" * 65),
    ("board-is-null", "board", None),
    ("firmware-is-a-list", "firmware", [0, 1]),
    ("micropython-is-an-object", "micropython", {}),
    ("reset-cause-of-33-characters", "reset_cause", "x" * 33),
    ("reset-cause-is-a-number", "reset_cause", 1),
    ("hw-is-null", "hw", None),
    ("hw-of-33-digits", "hw", "a" * 33),
    ("hw-that-is-not-hexadecimal", "hw", "24:6f:28"),
    ("hw-with-half-a-byte", "hw", "246"),
    ("heap-is-a-number", "heap", 90112),
    ("heap-of-one", "heap", [[61234, 90112]]),
    ("heap-of-three-figures", "heap.1", [1, 2, 3]),
    ("heap-figure-is-text", "heap.0.1", "90112"),
    ("heap-figure-is-negative", "heap.1.0", -1),
    ("heap-figure-is-a-fraction", "heap.0.0", 0.5),
    ("scan-is-null", "scan", None),
    ("scan-of-nine", "scan", [BLANK["scan"][0]] * 9),
    ("network-is-text", "scan.0", "MUSTER-demo"),
    ("network-of-three", "scan.1", ["ZmFjdG9yeQ", 11, -55]),
    ("ssid-is-a-number", "scan.0.0", 7),
    ("ssid-with-padding", "scan.0.0", "ZmFjdG9yeQ=="),
    ("ssid-in-the-other-alphabet", "scan.0.0", "/+8"),
    ("ssid-of-33-bytes", "scan.0.0", ssid(b"x" * 33)),
    ("ssid-with-a-changed-last-character", "scan.0.0", "ZmFjdG9yeR"),
    ("local-is-text", "local", "c2hvcA"),
    ("local-of-five", "local", ["c2hvcA"] * 5),
    ("channel-is-text", "scan.0.1", "6"),
    ("rssi-is-null", "scan.0.2", None),
    ("auth-is-true", "scan.0.3", True),
    ("last-is-text", "last", "wifi_auth"),
    ("timeline-is-an-object", "timeline", {}),
    ("timeline-of-33", "timeline", [[4, "ok", 1]] * 33),
    ("timeline-entry-of-two", "timeline.1", [4, "ok"]),
    ("timeline-step-zero", "timeline.0.0", 0),
    ("timeline-step-ten", "timeline.0.0", 10),
    ("timeline-code-with-capitals", "timeline.0.1", "OK"),
    ("timeline-code-is-empty", "timeline.0.1", ""),
    ("timeline-code-of-33-characters", "timeline.0.1", "a" * 33),
    ("timeline-code-is-null", "timeline.1.1", None),
    ("timeline-time-is-negative", "timeline.0.2", -1),
)

WRONG_LAST: tuple[tuple[str, str, Any], ...] = (
    ("last-config-missing", "last.config", GONE),
    ("last-config-is-text", "last.config", "8"),
    ("last-step-ten", "last.step", 10),
    ("last-step-missing", "last.step", GONE),
    ("last-code-with-a-blank", "last.code", "wifi auth"),
    ("last-code-missing", "last.code", GONE),
    ("last-detail-missing", "last.detail", GONE),
    ("last-detail-of-201-characters", "last.detail", "x" * 201),
)

KEEP: dict[str, Any] = {
    "v": 1,
    "nonce": "bm9uY2U",
    "time": 1795430400,
    "action": "keep",
    "retry_s": 3600,
}
CONFIGURE: dict[str, Any] = KEEP | {"action": "configure", "retry_s": 0, "config": FULL}

DIRECTIVES = (
    ("keep", KEEP),
    ("wait", KEEP | {"action": "wait", "retry_s": 30}),
    ("forget", KEEP | {"action": "forget", "retry_s": 0}),
    ("configure", CONFIGURE),
    ("configure-small", CONFIGURE | {"config": SMALL}),
    ("nonce-of-64-characters", KEEP | {"nonce": "n" * 64}),
    ("longest-retry", KEEP | {"retry_s": 10**9}),
    ("unknown-fields-are-ignored", KEEP | {"later": True}),
)

WRONG_DIRECTIVES: tuple[tuple[str, str, Any], ...] = (
    *((f"{field}-missing".replace("_", "-"), field, GONE) for field in CONFIGURE),
    ("v-of-the-future", "v", 2),
    ("v-is-true", "v", True),
    ("nonce-empty", "nonce", ""),
    ("nonce-of-65-characters", "nonce", "n" * 65),
    ("nonce-is-null", "nonce", None),
    ("time-is-text", "time", "2026-11-23"),
    ("time-is-a-fraction", "time", 1795430400.5),
    ("time-before-the-device-can-count", "time", 946684799),
    ("time-beyond-the-calendar", "time", 2**32),
    ("action-unknown", "action", "reboot"),
    ("action-is-a-list", "action", ["configure"]),
    ("retry-is-negative", "retry_s", -1),
    ("retry-is-text", "retry_s", "30"),
    ("retry-is-true", "retry_s", True),
    ("retry-is-a-fraction", "retry_s", 0.5),
    ("configure-with-null", "config", None),
    ("configure-with-a-list", "config", []),
    ("configure-without-version", "config.version", GONE),
    ("configure-with-a-wrong-psk", "config.networks.0.psk", "short"),
)


def path_of(where: str) -> str:
    """`scan.0.1` as errors write it: `scan[0][1]`."""
    return "".join(f"[{p}]" if p.isdigit() else f".{p}" for p in where.split(".")).lstrip(".")


def _wrong(base: dict[str, Any], table: tuple[tuple[str, str, Any], ...]) -> list[dict[str, Any]]:
    return [
        {"name": name, "valid": False, "path": path_of(w), "value": changed(base, w, value)}
        for name, w, value in table
    ]


def _valid(table: tuple[tuple[str, dict[str, Any]], ...]) -> list[dict[str, Any]]:
    return [{"name": name, "valid": True, "value": value} for name, value in table]


def _not_a_document(first_half: str) -> list[dict[str, Any]]:
    texts = (
        ("empty-text", ""),
        ("not-json", "hello"),
        ("json-cut-in-half", first_half),
        ("json-with-something-after-it", '{"v":1}}'),
        ("a-list", "[1,2]"),
        ("a-number", "1"),
        ("null", "null"),
        ("text", '"v"'),
    )
    return [{"name": name, "valid": False, "path": "", "text": text} for name, text in texts]


def reports() -> dict[str, Any]:
    """All report cases."""
    cases = _valid(REPORTS) + _wrong(BLANK, WRONG_REPORTS) + _wrong(FAILED, WRONG_LAST)
    cases += _not_a_document('{"v":1,"echo":null,"conf')
    deep = {"name": "nested-too-deep", "valid": False, "path": "", "text": "[" * 5000}
    return {
        "about": "Reports, which a device sends in step 5. Paths are relative to the report; an "
        "empty path blames the whole document.",
        "cases": [*cases, deep],
    }


def directives() -> dict[str, Any]:
    """All directive cases."""
    cases = _valid(DIRECTIVES) + _wrong(CONFIGURE, WRONG_DIRECTIVES)
    for action in ("keep", "wait", "forget"):
        value = CONFIGURE | {"action": action}
        cases.append(
            {"name": f"{action}-with-config", "valid": False, "path": "config", "value": value}
        )
    return {
        "about": "Directives, which a device gets in step 6. Paths are relative to the directive; "
        "an empty path blames the whole document.",
        "cases": cases + _not_a_document('{"v":1,"nonce":"bm9u'),
    }
