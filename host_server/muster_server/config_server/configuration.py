# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The rules of a valid configuration. The server checks each one before it hands it out.

The device checks it again: tests/wire holds both together, in configurations.json and bounds.json.
"""

import re
from base64 import b64decode, b64encode
from typing import Any

from muster_server.api import bounds
from muster_server.device_url import DEVICE_URL_WANTED, is_device_url, is_ipv4
from muster_server.document import Fields, check_depth, check_numbers, compact_json, typed, wrong

_SHORTEST, _LONGEST = bounds.PASSPHRASE
_PASSPHRASE = re.compile(rf"[ -~]{{{_SHORTEST},{_LONGEST}}}")
_RAW_KEY = re.compile(rf"[0-9A-Fa-f]{{{bounds.RAW_KEY}}}")
_COUNTRY = re.compile(r"[A-Z]{2}")


def check_configuration(value: object) -> None:
    """Invalid names the path of the first field that is wrong, e.g. `config.networks[0].ssid`."""
    config = Fields(value, "config")
    if config.integer("v") != 1:
        raise wrong("config.v", "only version 1 of the configuration is understood")
    config.integer("version", 1, bounds.HIGHEST)
    for n, network in enumerate(_networks(config)):
        _check_network(Fields(network, f"config.networks[{n}]"))
    _check_platform(config.fields("platform"))
    server = config.fields("config_server")
    _check_url(server, "url")
    for name in ("key", "adoption"):
        check_base64(server.text(name, 1), server.at(name), bounds.KEY_BYTES)
    device = config.fields("device")
    device.text("name", *bounds.DEVICE_NAME)
    tags = device.fields("tags")
    for name in tags.document:
        tags.text(name, *bounds.TAG)
    typed(config.required("app"), dict[str, Any], "config.app")
    if not _COUNTRY.fullmatch(config.text("country")):
        raise wrong("config.country", 'wanted two capital letters like "DE"')
    _check_policy(config.fields("policy"))
    # Of unknown fields too: the device keeps the document as it came.
    check_numbers(value, "config")
    check_depth(value, "config", bounds.DEEPEST)
    size = len(compact_json(value).encode("utf-8", "surrogatepass"))
    if size > bounds.CONFIGURATION_BYTES:
        raise wrong("config", f"at most {bounds.CONFIGURATION_BYTES} bytes fit, and it has {size}")


def _networks(config: Fields) -> list[Any]:
    """The networks: none only where somebody beside the device may give it one."""
    low, high = bounds.NETWORKS
    policy = config.document.get("policy")
    takes_local = isinstance(policy, dict) and policy.get("local_wifi") is True
    return config.items("networks", 0 if takes_local else low, high)


def _check_network(network: Fields) -> None:
    _check_ssid(network)
    psk = network.text_or_null("psk")
    if psk is not None and not _PASSPHRASE.fullmatch(psk) and not _RAW_KEY.fullmatch(psk):
        raise wrong(
            network.at("psk"),
            f"wanted {_SHORTEST} to {_LONGEST} printable ASCII characters, {bounds.RAW_KEY} "
            "hexadecimal digits, or null if the network is open",
        )
    network.boolean("hidden", default=False)
    if network.required("ip") != "dhcp":
        _check_address(network)


def _check_ssid(network: Fields) -> None:
    field = "ssid_b64" if "ssid_b64" in network.document else "ssid"
    if field == "ssid":
        raw = network.text(field).encode()
    elif "ssid" in network.document:
        raise wrong(network.at(field), "wanted ssid or ssid_b64, not both")
    else:
        raw = check_base64(network.text(field), network.at(field))
    low, high = bounds.SSID_BYTES
    if not low <= len(raw) <= high:
        raise wrong(network.at(field), f"wanted {low} to {high} bytes, got {len(raw)}")


def _check_address(network: Fields) -> None:
    if isinstance(network.document["ip"], str):
        raise wrong(network.at("ip"), 'wanted "dhcp" or an object')
    ip = network.fields("ip")
    address, mark, prefix = ip.text("address").partition("/")
    low, high = bounds.PREFIX
    is_prefix = mark and re.fullmatch(r"[0-9]{1,2}", prefix) and low <= int(prefix) <= high
    if not is_ipv4(address) or not is_prefix:
        raise wrong(ip.at("address"), 'wanted the form "192.168.1.7/24"')
    for name in ("gateway", "dns"):
        if not is_ipv4(ip.text(name)):
            raise wrong(ip.at(name), 'wanted an IPv4 address like "192.168.1.1"')


def _check_platform(platform: Fields) -> None:
    platform.one_of("type", ("onem2m",))
    is_https = _check_url(platform, "url")
    platform.text("cse", *bounds.CSE)
    if not platform.text("originator", *bounds.ORIGINATOR).startswith("C"):
        raise wrong(platform.at("originator"), "wanted a C first")
    if platform.text("api", *bounds.APP_ID)[0] not in "NR":
        raise wrong(platform.at("api"), "wanted N or R first")
    platform.one_of("rvi", bounds.RELEASES)
    token = platform.text_or_null("token", *bounds.TOKEN)
    ca = platform.text_or_null("ca", 1, bounds.CONFIGURATION_BYTES)
    if ca is not None:
        _check_ca(ca, platform.at("ca"))
    if "acpi" in platform.document:
        _check_policies(platform)
    if platform.boolean("insecure", default=False):
        return
    if token is not None and not is_https:
        raise wrong(
            platform.at("token"),
            'a token must not travel over http; use https, or say "insecure": true in a profile '
            "for development",
        )
    if is_https and ca is None:
        raise wrong(
            platform.at("ca"), "https needs the certificate authority that the device shall trust"
        )


def _check_policies(platform: Fields) -> None:
    low, high = bounds.POLICY_ADDRESS
    for address in platform.items("acpi", *bounds.POLICIES):
        if not isinstance(address, str) or not low <= len(address) <= high:
            raise wrong(platform.at("acpi"), f"wanted addresses of {low} to {high} characters")


def _check_ca(text: str, path: str) -> None:
    # Late: only configurations with a CA need it.
    from muster_server.config_server.authority import check_authority

    check_authority(check_base64(text, path), path)


def _check_url(fields: Fields, name: str) -> bool:
    url = fields.text(name, *bounds.URL)
    if not is_device_url(url):
        raise wrong(fields.at(name), DEVICE_URL_WANTED)
    return url.startswith("https:")


def check_base64(text: str, path: str, size_bytes: int | None = None) -> bytes:
    """The bytes, if the text is the one canonical base64 for them."""
    try:
        raw = b64decode(text, validate=True)
    except ValueError:
        raise wrong(path, "not base64") from None
    if b64encode(raw).decode() != text:
        raise wrong(path, "not canonical base64: its last character says more than its bytes")
    if size_bytes is not None and len(raw) != size_bytes:
        raise wrong(path, f"wanted {size_bytes} bytes in base64, got {len(raw)}")
    return raw


def _check_policy(policy: Fields) -> None:
    policy.integer("failsafe_s", *bounds.FAILSAFE_S)
    policy.integer("sync_s", *bounds.SYNC_S)
    policy.text_or_null("ntp", *bounds.NTP)
    policy.boolean("local_wifi", False)
    if policy.document.get("commands_s") is not None:
        policy.integer("commands_s", *bounds.COMMANDS_S)
