# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Management objects that tell at a platform what a device is and runs on (TS-0022, TS-0001 D).

No secret is in them: a platform's attributes can be read. Credentials are named by their id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from muster_server import ssids
from muster_server.config_server.device_changes import COLLECTION, WIFI
from muster_server.store.claims import Version
from muster_server.store.device_changes import FAILED, IN_FORCE, REFUSED, REPLACED, WANTED, Change

DATA_COLLECTION, WIFI_CLIENT = "datc", "wific"
# The objects that others than this server may change, and which field that is here.
CHANGEABLE = {DATA_COLLECTION: COLLECTION, WIFI_CLIENT: WIFI}
SECRET = "wcrds"  # noqa: S105 - the name of an attribute
_KEY_BY_RSPF = 22  # SUID: a symmetric key that was provisioned remotely, for an association
_CONNECTED = 1  # dcfg:wifiConnectionStatus
_MOST_SCANNED = 8
_LONGEST = 256


@dataclass(frozen=True)
class Object:
    """A management object: its name under the node, its root in JSON, and its attributes."""

    name: str
    root: str
    definition: int
    attributes: dict[str, Any]


class Known(Protocol):
    """A device, as far as it is told."""

    @property
    def device_id(self) -> str: ...

    @property
    def facts(self) -> Mapping[str, Any] | None: ...


def objects_of(claim: Known, version: Version, changes: list[Change]) -> list[Object]:
    """All objects of a device that runs this version."""
    by_field = {change.field: change for change in changes}
    return [
        device_info(claim.device_id, claim.facts),
        Object("fwr", "m2m:fwr", 1001, _firmware(claim)),
        Object("swr", "m2m:swr", 1002, _software(claim)),
        Object("reg", "dcfg:reg", 1020, _registration(version)),
        Object("autp", "dcfg:autp", 1022, _authentication(version)),
        Object("crds", "dcfg:crds", 1029, _credentials(version)),
        Object(DATA_COLLECTION, "dcfg:datc", 1021, _collection(version, by_field)),
        Object(WIFI_CLIENT, "dcfg:wific", 1028, _wifi(claim, version, by_field)),
    ]


def device_info(device_id: str, facts: Mapping[str, Any] | None) -> Object:
    """The object that says what a device is, as far as it has told."""
    about = {
        "dlb": f"|sn:{device_id}",
        "man": "unknown",
        "mod": _known(facts, "model"),
        "dty": "device",
        "hwv": _known(facts, "board"),
        "fwv": _known(facts, "micropython"),
        "swv": _known(facts, "firmware"),
    }
    return Object("dvi", "m2m:dvi", 1007, about)


def _firmware(claim: Known) -> dict[str, Any]:
    name = f"MicroPython for {_fact(claim, 'board')}"
    version = _fact(claim, "micropython")
    return {"vr": version, "fwn": name, "url": "https://micropython.org", "ud": False}


def _software(claim: Known) -> dict[str, Any]:
    return {"vr": _fact(claim, "firmware"), "swn": "muster", "url": "urn:muster:firmware"}


def _fact(claim: Known, name: str) -> str:
    return _known(claim.facts, name)


def _known(facts: Mapping[str, Any] | None, name: str) -> str:
    return str((facts or {}).get(name) or "unknown")[:_LONGEST]


def _registration(version: Version) -> dict[str, Any]:
    platform = version.document["platform"]
    return {
        "oid": platform["originator"],
        "poa": [platform["url"]],
        "cb": platform["cse"],
        "api": platform["api"],
    }


def _authentication(version: Version) -> dict[str, Any]:
    return {"suid": _KEY_BY_RSPF, "ski": f"configuration server, version {version.number}"}


def _credentials(version: Version) -> dict[str, Any]:
    return {"pur": "platform token", "crid": version.token_id or "none"}


def _collection(version: Version, changes: Mapping[str, Change]) -> dict[str, Any]:
    platform, change = version.document["platform"], changes.get(COLLECTION)
    made: dict[str, Any] = {"cntp": f"{platform['cse']}/{platform['originator']}/data"}
    interval_s = version.document["app"].get("interval_s")
    if _is_wanted(change):
        interval_s = change.document["value"]  # type: ignore[union-attr]
    if isinstance(interval_s, int) and not isinstance(interval_s, bool) and interval_s > 0:
        made["meil"] = interval_s
    return {**made, "dc": outcome(version, change)}


def _wifi(claim: Known, version: Version, changes: Mapping[str, Change]) -> dict[str, Any]:
    change, networks = changes.get(WIFI), version.document["networks"]
    if _is_wanted(change):
        networks = [change.document["value"]]  # type: ignore[union-attr]
    scanned = ((claim.facts or {}).get("scan") or [])[:_MOST_SCANNED]
    return {
        "ssid": ssids.name_of(networks[0]) if networks else "",
        "cons": _CONNECTED,
        "scan": False,
        "scanr": [f"{name}, channel {channel}, {rssi} dBm" for name, channel, rssi, _ in scanned],
        "dc": outcome(version, change),
    }


def _is_wanted(change: Change | None) -> bool:
    return change is not None and change.state == WANTED


def outcome(version: Version, change: Change | None) -> str:
    """Say what became of the newest change: a code, a colon, and words."""
    runs = f"version {version.number} runs"
    if change is None:
        return f"ok: {runs}"
    if change.state in IN_FORCE and change.detail:
        return f"{change.detail}; {runs}"[:_LONGEST]
    if change.state == WANTED:
        number = "the next version" if change.version is None else f"version {change.version}"
        return f"pending: {number} is tried at the device's next contact; {runs}"
    if change.state in (REFUSED, FAILED, REPLACED):
        return f"{change.state}: {change.detail}; {runs}"[:_LONGEST]
    return f"ok: {runs}"
