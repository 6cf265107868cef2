# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Golden configurations: a full one, a small one, and each field wrong in its own way."""

import json
from base64 import b64encode
from copy import deepcopy
from typing import Any

from tests.wire import authorities

KEY = b64encode(bytes(range(32))).decode()
ADOPTION = b64encode(bytes(range(100, 132))).decode()
LIMIT_BYTES = 4096

FULL: dict[str, Any] = {
    "v": 1,
    "version": 7,
    "networks": [
        {"ssid": "factory", "psk": "correct horse", "hidden": False, "ip": "dhcp"},
        {
            "ssid": "Büro",
            "psk": "ab" * 32,
            "hidden": True,
            "ip": {"address": "192.168.7.20/24", "gateway": "192.168.7.1", "dns": "192.168.7.1"},
        },
    ],
    "platform": {
        "type": "onem2m",
        "url": "https://platform.example:8422",
        "cse": "cse-in",
        "originator": "C0123456789abcdef0123",
        "api": "Norg.example.press",
        "rvi": "4",
        "token": "made-up-token",
        "ca": authorities.P_256,
    },
    "config_server": {"url": "http://192.168.7.2:8421", "key": KEY, "adoption": ADOPTION},
    "device": {"name": "press 4", "tags": {"hall": "2"}},
    "app": {"period_s": 10},
    "country": "DE",
    "policy": {"failsafe_s": 120, "sync_s": 3600, "ntp": "pool.example"},
}

SMALL: dict[str, Any] = {
    "v": 1,
    "version": 1,
    "networks": [{"ssid": "open", "psk": None, "ip": "dhcp"}],
    "platform": {
        "type": "onem2m",
        "url": "http://10.0.0.2:8422",
        "cse": "cse-in",
        "originator": "Cabc",
        "api": "Nx",
        "rvi": "2a",
        "token": None,
        "ca": None,
    },
    "config_server": {"url": "http://10.0.0.1:8421", "key": KEY, "adoption": ADOPTION},
    "device": {"name": "", "tags": {}},
    "app": {},
    "country": "US",
    "policy": {"failsafe_s": 60, "sync_s": 1, "ntp": None},
}

GONE = object()  # stands for: take the field away


def changed(document: dict[str, Any], where: str, value: Any) -> dict[str, Any]:
    """A copy of `document` with the field at `where` ("a.b.0.c") replaced or taken away."""
    copy = deepcopy(document)
    target: Any = copy
    *parents, last = (int(part) if part.isdigit() else part for part in where.split("."))
    for part in parents:
        target = target[part]
    if value is GONE:
        del target[last]
    else:
        target[last] = value
    return copy


def sized(size_bytes: int) -> dict[str, Any]:
    """The small configuration, filled up so that it is exactly this long when compact."""
    empty = changed(SMALL, "app", {"fill": ""})
    length = len(json.dumps(empty, separators=(",", ":")).encode())
    return changed(SMALL, "app", {"fill": "x" * (size_bytes - length)})


def _in_base64(ssid: bytes) -> dict[str, Any]:
    """A network whose name is no text."""
    name = b64encode(ssid).decode()
    return {"ssid_b64": name, "psk": "correct horse", "hidden": False, "ip": "dhcp"}


def _insecure(**platform: Any) -> dict[str, Any]:
    return changed(FULL, "platform", FULL["platform"] | {"insecure": True} | platform)


def _deep(levels: int) -> dict[str, Any]:
    """The small configuration with so many lists and objects in each other, itself included."""
    value: Any = []
    for n in range(levels - 3):
        value = [value] if n % 2 else {"x": value}
    return changed(SMALL, "app", {"x": value})


# One of the place has to be given to the device: it brings none.
WITHOUT_WIFI = changed(changed(FULL, "policy.local_wifi", True), "networks", [])
LARGEST = {"integers": [2**63 - 1, -(2**63)], "fractions": [3.4e38, -3.4e38, {"x": 0.1}]}

URLS = (
    ("host-alone", "https://m2m"),
    ("address", "https://10.0.0.2"),
    ("host-in-capitals-and-port-1", "https://M2M.Example-1.org:1"),
    ("port-65535-and-slash", "https://m2m.example:65535/"),
    ("path-of-every-kind-of-character", "https://m2m.example/a/B_c.d~e-f/0/"),
)

VALID = (
    ("full", FULL),
    ("small", SMALL),
    ("four-networks", changed(FULL, "networks", FULL["networks"] * 2)),
    ("ssid-of-32-bytes", changed(FULL, "networks.0.ssid", "ü" * 16)),
    ("ssid-that-is-not-utf-8", changed(FULL, "networks.0", _in_base64(b"B\xfcro"))),
    ("ssid-of-32-bytes-in-base64", changed(FULL, "networks.0", _in_base64(b"\xff\0" * 16))),
    ("ssid-of-one-byte-in-base64", changed(FULL, "networks.0", _in_base64(b"\xff"))),
    ("psk-of-63-characters", changed(FULL, "networks.0.psk", "~" * 63)),
    ("psk-of-8-characters", changed(FULL, "networks.0.psk", "12345678")),
    ("without-hidden", changed(FULL, "networks.0.hidden", GONE)),
    ("insecure-token-over-http", _insecure(url="http://platform.example:8422")),
    ("insecure-https-without-ca", _insecure(ca=None)),
    ("authority-with-p-384", changed(FULL, "platform.ca", authorities.P_384)),
    ("authority-with-rsa-2048", changed(FULL, "platform.ca", authorities.RSA_2048)),
    ("policies", changed(FULL, "platform.acpi", ["cse-in/acp-press", "/id-in/acp2"])),
    ("no-policies", changed(FULL, "platform.acpi", [])),
    ("local-wifi-allowed", changed(FULL, "policy.local_wifi", True)),
    ("local-wifi-not-allowed", changed(FULL, "policy.local_wifi", False)),
    ("commands-as-the-application-says", changed(FULL, "policy.commands_s", None)),
    ("no-networks-but-local-wifi", WITHOUT_WIFI),
    ("release-version-3", changed(FULL, "platform.rvi", "3")),
    ("registered-app-id", changed(FULL, "platform.api", "Rorg.example.press")),
    ("unknown-fields-are-ignored", FULL | {"later": {"any": [1, None]}}),
    ("exactly-4096-bytes", sized(LIMIT_BYTES)),
    ("app-as-deep-as-can-be", _deep(16)),
    ("app-with-numbers-as-large-as-can-be", changed(FULL, "app", LARGEST)),
    *((f"url-of-{name}", changed(FULL, "platform.url", url)) for name, url in URLS),
)

# Neither side may guess what is meant by them.
WRONG_URLS = (
    ("ipv6-address", "https://[fd00::1]:8422"),
    ("ipv6-address-without-brackets", "https://fd00::1"),
    ("scheme-in-capitals", "HTTPS://h"),
    ("scheme-with-a-capital", "Https://h"),
    ("one-slash", "https:/h"),
    ("no-colon", "https//h"),
    ("empty-scheme", "://h"),
    ("port-and-no-host", "https://:8422"),
    ("empty-port", "https://h:"),
    ("port-0", "https://h:0"),
    ("port-65536", "https://h:65536"),
    ("negative-port", "https://h:-1"),
    ("port-with-a-plus", "https://h:+1"),
    ("port-with-an-underscore", "https://h:1_0"),
    ("port-in-arabic-digits", "https://h:\u0661"),
    ("port-by-name", "https://h:http"),
    ("two-ports", "https://h:8422:8422"),
    ("query-after-the-port", "https://h:8422?x=1"),
    ("query-after-the-host", "https://h?x=1"),
    ("query-after-the-path", "https://h/?x=1"),
    ("fragment-after-the-host", "https://h#b"),
    ("fragment-after-the-path", "https://h:8422/a#b"),
    ("user", "https://user@h"),
    ("user-and-password", "https://user:word@h:8422"),
    ("blank-in-the-host", "https://h h"),
    ("blank-in-the-path", "https://h/a b"),
    ("blank-first", " https://h"),
    ("blank-last", "https://h "),
    ("blank-after-the-port", "https://h:8422 "),
    ("line-end-after-the-host", "https://h\n"),
    ("line-end-after-the-port", "https://h:8422\n"),
    ("line-end-after-the-path", "https://h/\n"),
    ("header-in-the-path", "https://h/\r\nX: y"),
    ("nul-in-the-host", "https://h\0"),
    ("delete-in-the-path", "https://h/\x7f"),
    ("backslash", "https://h\\a"),
    ("escape-in-the-path", "https://h/%2e%2e"),
    ("semicolon-in-the-path", "https://h/a;b"),
    ("umlaut-in-the-path", "https://h/ü"),
    ("umlaut-in-the-host", "https://müller.example"),
    ("underscore-in-the-host", "https://h_1"),
    ("star-in-the-host", "https://h*"),
)

# where it is changed, to what, and under which name; the path is the same place, written out
WRONG: tuple[tuple[str, str, Any], ...] = (
    ("v-missing", "v", GONE),
    ("v-of-the-future", "v", 2),
    ("version-missing", "version", GONE),
    ("version-zero", "version", 0),
    ("version-is-text", "version", "7"),
    ("version-is-true", "version", True),
    ("version-is-a-fraction", "version", 7.5),
    ("networks-missing", "networks", GONE),
    ("networks-empty", "networks", []),
    ("networks-five", "networks", FULL["networks"][:1] * 5),
    ("networks-is-an-object", "networks", {}),
    ("network-is-text", "networks.0", "factory"),
    ("ssid-missing", "networks.0.ssid", GONE),
    ("ssid-empty", "networks.0.ssid", ""),
    ("ssid-of-33-bytes", "networks.0.ssid", "x" + "ü" * 16),
    ("ssid-is-a-number", "networks.0.ssid", 5),
    ("ssid-twice", "networks.0.ssid_b64", "ZmFjdG9yeQ=="),
    ("psk-missing", "networks.1.psk", GONE),
    ("psk-of-7-characters", "networks.0.psk", "1234567"),
    ("psk-of-64-that-is-not-hex", "networks.0.psk", "x" * 64),
    ("psk-of-65-characters", "networks.0.psk", "a" * 65),
    ("psk-that-is-not-ascii", "networks.0.psk", "schlüssel"),
    ("psk-with-a-line-end", "networks.0.psk", "12345678\n"),
    ("psk-empty", "networks.0.psk", ""),
    ("hidden-is-a-number", "networks.0.hidden", 1),
    ("ip-missing", "networks.0.ip", GONE),
    ("ip-another-word", "networks.0.ip", "static"),
    ("ip-is-null", "networks.0.ip", None),
    ("address-without-prefix", "networks.1.ip.address", "192.168.7.20"),
    ("address-with-prefix-33", "networks.1.ip.address", "192.168.7.20/33"),
    ("address-with-256", "networks.1.ip.address", "192.168.7.256/24"),
    ("address-missing", "networks.1.ip.address", GONE),
    ("gateway-of-three-parts", "networks.1.ip.gateway", "192.168.7"),
    ("gateway-missing", "networks.1.ip.gateway", GONE),
    ("dns-is-a-name", "networks.1.ip.dns", "dns.example"),
    ("platform-missing", "platform", GONE),
    ("platform-is-a-list", "platform", []),
    ("platform-of-another-type", "platform.type", "mqtt"),
    ("platform-type-missing", "platform.type", GONE),
    ("platform-url-missing", "platform.url", GONE),
    ("platform-url-of-another-scheme", "platform.url", "ftp://platform.example"),
    ("platform-url-without-host", "platform.url", "https://"),
    ("platform-url-without-scheme", "platform.url", "platform.example:8422"),
    ("cse-is-null", "platform.cse", None),
    ("cse-empty", "platform.cse", ""),
    ("originator-does-not-begin-with-c", "platform.originator", "S0123"),
    ("originator-missing", "platform.originator", GONE),
    ("api-does-not-begin-with-n-or-r", "platform.api", "Xorg.example"),
    ("api-missing", "platform.api", GONE),
    ("rvi-unknown", "platform.rvi", "6"),
    ("rvi-is-a-number", "platform.rvi", 4),
    ("token-missing", "platform.token", GONE),
    ("token-is-a-number", "platform.token", 12345),
    ("token-empty", "platform.token", ""),
    ("token-over-http", "platform.url", "http://platform.example:8422"),
    ("ca-missing", "platform.ca", GONE),
    ("https-without-ca", "platform.ca", None),
    ("ca-is-not-base64", "platform.ca", "-----BEGIN CERTIFICATE-----"),
    ("acpi-is-text", "platform.acpi", "cse-in/acp-press"),
    ("acpi-is-null", "platform.acpi", None),
    ("acpi-with-a-number", "platform.acpi", [12]),
    ("acpi-with-an-empty-one", "platform.acpi", ["a", ""]),
    ("insecure-is-text", "platform.insecure", "yes"),
    ("config-server-missing", "config_server", GONE),
    ("config-server-url-missing", "config_server.url", GONE),
    ("config-server-url-without-host", "config_server.url", "http:///sync"),
    ("config-server-url-with-ipv6-address", "config_server.url", "http://[fd00::1]:8421"),
    ("config-server-url-with-a-line-end", "config_server.url", "http://h:8421\n"),
    ("key-missing", "config_server.key", GONE),
    ("key-of-31-bytes", "config_server.key", b64encode(bytes(31)).decode()),
    ("key-of-33-bytes", "config_server.key", b64encode(bytes(33)).decode()),
    ("key-is-not-base64", "config_server.key", "*" * 44),
    ("key-with-a-changed-last-character", "config_server.key", KEY[:-2] + "9="),
    ("key-is-null", "config_server.key", None),
    ("adoption-missing", "config_server.adoption", GONE),
    ("adoption-of-31-bytes", "config_server.adoption", b64encode(bytes(31)).decode()),
    ("adoption-of-33-bytes", "config_server.adoption", b64encode(bytes(33)).decode()),
    ("adoption-is-not-base64", "config_server.adoption", "*" * 44),
    ("adoption-is-null", "config_server.adoption", None),
    ("device-missing", "device", GONE),
    ("name-missing", "device.name", GONE),
    ("name-of-65-characters", "device.name", "x" * 65),
    ("tags-missing", "device.tags", GONE),
    ("tags-is-a-list", "device.tags", []),
    ("tag-is-a-number", "device.tags.hall", 2),
    ("app-missing", "app", GONE),
    ("app-is-a-list", "app", []),
    ("country-missing", "country", GONE),
    ("country-in-small-letters", "country", "de"),
    ("country-of-three-letters", "country", "DEU"),
    ("country-is-null", "country", None),
    ("policy-missing", "policy", GONE),
    ("failsafe-missing", "policy.failsafe_s", GONE),
    ("failsafe-is-text", "policy.failsafe_s", "120"),
    ("failsafe-is-true", "policy.failsafe_s", True),
    ("sync-is-zero", "policy.sync_s", 0),
    ("sync-is-missing", "policy.sync_s", GONE),
    ("ntp-is-missing", "policy.ntp", GONE),
    ("ntp-is-a-number", "policy.ntp", 123),
    ("local-wifi-is-text", "policy.local_wifi", "yes"),
    ("local-wifi-is-null", "policy.local_wifi", None),
    ("commands-is-text", "policy.commands_s", "60"),
    ("commands-is-a-fraction", "policy.commands_s", 0.5),
    ("commands-is-true", "policy.commands_s", True),
)

# Of a configuration without networks: whoever may not be given one has none.
NOT_ALLOWED: tuple[tuple[str, Any], ...] = (
    ("false", False),
    ("missing", GONE),
    ("is-text", "true"),
    ("is-1", 1),
    ("is-null", None),
)

WRONG_IN_BASE64: tuple[tuple[str, Any], ...] = (
    ("empty", ""),
    ("of-33-bytes", b64encode(bytes(33)).decode()),
    ("is-null", None),
    ("is-a-number", 5),
    ("is-not-base64", "*" * 8),
    ("with-a-changed-last-character", "Qvxybx=="),
    ("without-padding", "Qvxybw"),
    ("of-the-other-alphabet", "_-8="),
)

# The server's alone: a device judges neither certificates nor host names before it uses them, and
# when it has read such a number, it is another one already.
FOR_SERVER: tuple[tuple[str, str, Any], ...] = (
    ("authority-with-ed25519", "platform.ca", authorities.ED25519),
    ("authority-with-ed448", "platform.ca", authorities.ED448),
    ("authority-with-p-521", "platform.ca", authorities.P_521),
    ("authority-with-another-curve", "platform.ca", authorities.SECP256K1),
    ("authority-with-rsa-1024", "platform.ca", authorities.RSA_1024),
    ("ca-is-not-a-certificate", "platform.ca", b64encode(b"\x30\x03\x02\x01\x05").decode()),
    ("url-with-an-address-of-five-parts", "platform.url", "https://10.0.0.2.1"),
    ("url-with-256-in-its-address", "platform.url", "https://10.0.0.256"),
    ("url-with-a-number-for-an-address", "platform.url", "https://3232235777"),
    ("url-with-an-empty-label", "platform.url", "https://m2m..example"),
    ("url-with-a-dot-at-the-end", "platform.url", "https://m2m.example."),
    ("url-with-a-hyphen-first", "config_server.url", "https://-m2m.example"),
    ("url-with-a-port-of-six-digits", "config_server.url", "https://h:008422"),
    ("url-with-a-label-of-64-characters", "config_server.url", "https://" + "x" * 64),
    ("app-with-a-number-beyond-single-precision", "app.limit", 3.41e38),
    ("app-with-a-negative-number-beyond-single-precision", "app.limits.1", -1e39),
    ("app-with-an-integer-beyond-64-bits", "app.limit", 2**63),
    ("unknown-field-with-a-number-beyond-single-precision", "policy.later", 1e39),
    ("app-with-a-negative-integer-beyond-64-bits", "app.limits.0.x", -(2**63) - 1),
)

# The same as text, for JSON has no such numbers.
NO_NUMBERS = (("nan", "NaN"), ("infinity", "Infinity"), ("1e400", "1e400"), ("-1e400", "-1e400"))

# Where the field at fault is not the one that was changed.
BLAMED = {"token-over-http": "config.platform.token"}


def path_of(where: str) -> str:
    """`networks.0.ssid` as errors write it: `config.networks[0].ssid`."""
    parts = ("config." + where).split(".")
    return "".join(f"[{p}]" if p.isdigit() else f".{p}" for p in parts).removeprefix(".")


def document() -> dict[str, Any]:
    """All configuration cases."""
    cases: list[dict[str, Any]] = [
        {"name": name, "valid": True, "value": value} for name, value in VALID
    ]
    for name, where, value in WRONG:
        path = BLAMED.get(name, path_of(where))
        cases.append(
            {"name": name, "valid": False, "path": path, "value": changed(FULL, where, value)}
        )
    open_app = changed(FULL, "app", {"limit": 0, "limits": [{"x": 0}, 0]})
    for name, where, value in FOR_SERVER:
        case = {"name": name, "valid": False, "device": False, "path": path_of(where)}
        cases.append(case | {"value": changed(open_app, where, value)})
    for name, url in WRONG_URLS:
        case = {"name": f"url-with-{name}", "valid": False, "path": "config.platform.url"}
        cases.append(case | {"value": changed(FULL, "platform.url", url)})
    for name, number in NO_NUMBERS:
        text = json.dumps(changed(FULL, "app", {"limits": [0, "@"]})).replace('"@"', number)
        case = {"name": f"app-with-{name}", "valid": False, "device": False}
        cases.append(case | {"path": "config.app.limits[1]", "text": text})
    for name, ssid in WRONG_IN_BASE64:
        case = {"name": f"ssid-in-base64-{name}", "valid": False}
        value = changed(FULL, "networks.0", _in_base64(b"") | {"ssid_b64": ssid})
        cases.append(case | {"path": "config.networks[0].ssid_b64", "value": value})
    for name, value in NOT_ALLOWED:
        case = {"name": f"no-networks-and-local-wifi-{name}", "valid": False}
        shut = changed(WITHOUT_WIFI, "policy.local_wifi", value)
        cases.append(case | {"path": "config.networks", "value": shut})
    cases.append({"name": "a-list", "valid": False, "path": "config", "value": [FULL]})
    cases.append({"name": "null", "valid": False, "path": "config", "value": None})
    cases.append({"name": "17-deep", "valid": False, "path": "config", "value": _deep(17)})
    over = sized(LIMIT_BYTES + 1)
    cases.append({"name": "one-byte-over-4096", "valid": False, "path": "config", "value": over})
    return {
        "about": "Configurations as a directive carries them. Paths begin with the word config. "
        'Sizes count compact JSON in UTF-8. A case with "device": false is for the server alone.',
        "cases": cases,
    }
