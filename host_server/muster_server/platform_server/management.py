# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Management objects that this platform has: TS-0022 (field device configuration), and TS-0001 D.

mgmtDefinition numbers and the names of 1020 to 1029 in words are TS-0022 7.1. Short names and
which attributes are required: [deviceInfo], [firmware], [software], [dataCollection], [wificlient]
and [credentials] as ACME CSE 2026.5.3 has them (init/attributePolicies.ap, resourceTypes.rtp);
those of [registration] and [authenticationProfile] follow TS-0004 where it has such an attribute
(poa, csi, api), and are ours otherwise, for no implementation of them was at hand.
"""

from collections.abc import Mapping
from typing import Any

from muster_server.platform_server import attributes as check
from muster_server.platform_server.attributes import Attribute, Check, ResourceType

FIRMWARE, SOFTWARE, DEVICE_INFO = 1001, 1002, 1007
REGISTRATION, DATA_COLLECTION, AUTHENTICATION = 1020, 1021, 1022
WIFI_CLIENT, CREDENTIALS = 1028, 1029
# Those of TS-0001 annex D and TS-0022.
DEFINITIONS = range(1001, 1036)
# The attribute whose value this platform hands on to its administrator, and never keeps.
SECRET = "wcrds"  # noqa: S105 - its name

# fmt: off
_DEVICE_INFO_TEXTS = ("smod", "dvnm", "fwv", "swv", "hwv", "osv", "mfd", "mfdl", "loc", "syst",
                      "spur", "purl", "dc", "cnty")
# fmt: on
_MOST_NETWORKS = 32
_ENCRYPTIONS = range(1, 9)
_KEY_OF = {1: None, 2: "wepk", 3: "wpap", 4: "wpap", 5: "wpap"}


def _one_of(numbers: range, wanted: str) -> Check:
    def checked(value: Any) -> str | None:
        is_good = isinstance(value, int) and not isinstance(value, bool) and value in numbers
        return None if is_good else wanted

    return checked


def _definition(number: int, name: str) -> Check:
    return _one_of(range(number, number + 1), f"{number}, {name}")


def _networks(value: Any) -> str | None:
    is_good = value == [] or (
        isinstance(value, list)
        and len(value) <= _MOST_NETWORKS
        and all(isinstance(item, str) and len(item) <= 64 for item in value)
    )
    return None if is_good else f"a list of at most {_MOST_NETWORKS} texts"


def _credentials(value: Any) -> str | None:
    """Check dcfg:wifiCredentials: a kind of encryption, and the key that belongs to it."""
    if isinstance(value, dict):
        kind = value.get("enct")
        if isinstance(kind, int) and not isinstance(kind, bool) and kind in _KEY_OF:
            key = _KEY_OF[kind]
            texts = [value.get(name) for name in value if name != "enct"]
            is_whole = set(value) == {"enct"} | ({key} if key else set())
            if is_whole and all(isinstance(text, str) and len(text) <= 64 for text in texts):
                return None
    return (
        'an object such as {"enct": 4, "wpap": "…"}: enct 1 alone, 2 with wepk, 3 to 5 with wpap'
    )


_STATUS = _one_of(range(7), "a number from 0 to 6")
_SHARED = {
    "lbl": Attribute(check.texts),
    "et": Attribute(check.time),
    "acpi": Attribute(check.texts),
    "dc": Attribute(check.text),
}


def _object(
    number: int,
    name: str,
    root: str,
    attributes: Mapping[str, Check],
    required: tuple[str, ...] = (),
) -> ResourceType:
    definition = Attribute(_definition(number, name), is_required=True, is_constant=True)
    own = {
        each: Attribute(form, is_required=each in required, is_secret=each == SECRET)
        for each, form in attributes.items()
    }
    prefix = root.partition(":")[2]
    return ResourceType(13, root, prefix, frozenset({23}), _SHARED | {"mgd": definition} | own)


OBJECTS: Mapping[int, ResourceType] = {
    FIRMWARE: _object(
        FIRMWARE,
        "firmware",
        "m2m:fwr",
        {"vr": check.text, "fwn": check.text, "url": check.text, "ud": check.flag},
        ("vr", "fwn", "url", "ud"),
    ),
    SOFTWARE: _object(
        SOFTWARE,
        "software",
        "m2m:swr",
        {"vr": check.text, "swn": check.text, "url": check.text},
        ("vr", "swn"),
    ),
    DEVICE_INFO: _object(
        DEVICE_INFO,
        "deviceInfo",
        "m2m:dvi",
        dict.fromkeys(("dlb", "man", "mod", "dty"), check.text)
        | {"ptl": check.texts}
        | dict.fromkeys(_DEVICE_INFO_TEXTS, check.text),
        ("dlb", "man", "mod", "dty"),
    ),
    REGISTRATION: _object(
        REGISTRATION,
        "registration",
        "dcfg:reg",
        {
            "oid": check.text,
            "poa": check.texts,
            "cb": check.text,
            "csi": check.text,
            "api": check.text,
        },
    ),
    DATA_COLLECTION: _object(
        DATA_COLLECTION,
        "dataCollection",
        "dcfg:datc",
        {"cntp": check.text, "meil": check.count},
        ("cntp",),
    ),
    AUTHENTICATION: _object(
        AUTHENTICATION,
        "authenticationProfile",
        "dcfg:autp",
        {"suid": _one_of(range(10, 46), "a security usage identifier"), "ski": check.text},
        ("suid",),
    ),
    WIFI_CLIENT: _object(
        WIFI_CLIENT,
        "wificlient",
        "dcfg:wific",
        {
            "ssid": check.text,
            SECRET: _credentials,
            "maca": check.text,
            "chanl": check.text,
            "cons": _STATUS,
            "scan": check.flag,
            "scanr": _networks,
        },
        ("ssid", "scan"),
    ),
    CREDENTIALS: _object(
        CREDENTIALS, "credentials", "dcfg:crds", {"pur": check.text, "crid": check.text}
    ),
}
BY_ROOT = {type_.root: type_ for type_ in OBJECTS.values()}
