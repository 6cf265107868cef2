# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Changes of a device's configuration that somebody makes at its platform (TS-0022).

A change lies over the profile of its device: the next version is made from both, and tried before
it is trusted as every other. It ends when its version fails, or when the portal changes the same
field later.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from muster_server import ssids
from muster_server.config_server.schema import check_app
from muster_server.document import compact_json
from muster_server.errors import Invalid
from muster_server.frozen import replaced
from muster_server.store.claims import Claim
from muster_server.store.config import Records
from muster_server.store.device_changes import (
    FAILED,
    IN_FORCE,
    REPLACED,
    RUNS,
    WANTED,
    Change,
)

COLLECTION, WIFI = "collection", "wifi"
# dcfg:wifiEncryptionType, as ACME has it: what a device can join, and where its key is
_KEYS = {1: None, 3: "wpap", 4: "wpap", 5: "wpap"}
_INTERVAL_S = (1, 31_536_000)
_PORTAL_NEWER = "the portal's change of {} is newer"
_CALLED = {COLLECTION: "the interval", WIFI: "the network"}


def base_of(profile: Mapping[str, Any], field: str) -> str:
    """A digest of what the profile says of this field."""
    said = profile["networks"] if field == WIFI else profile["app"].get("interval_s")
    return hashlib.sha256(compact_json(said).encode()).hexdigest()


def with_changes(profile: dict[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    """The profile with the changes that are in force; neither is changed itself. Without such
    changes it is the very profile.
    """
    made = profile
    for change in changes:
        is_current = change.document.get("base") == base_of(profile, change.field)
        if change.state in IN_FORCE and is_current:
            made = with_value(made, change.field, change.document["value"])
    return made


def with_value(profile: dict[str, Any], field: str, value: Any) -> dict[str, Any]:
    """The profile with this value; the network takes the first one's place."""
    if field == WIFI:
        return {**profile, "networks": [value, *profile["networks"][1:]]}
    return {**profile, "app": {**profile["app"], "interval_s": value}}


def collection_wanted(profile: Mapping[str, Any], meil: Any) -> int:
    """Return the interval in seconds that a [dataCollection] asks for.

    Raises Invalid if it is none, or the profile's schema does not take it.
    """
    low, high = _INTERVAL_S
    if isinstance(meil, bool) or not isinstance(meil, int) or not low <= meil <= high:
        raise Invalid(f"wanted {low} to {high} seconds", path="meil")
    if profile.get("app_schema") is not None:
        check_app({**profile["app"], "interval_s": meil}, profile["app_schema"])
    return meil


def network_wanted(
    profile: Mapping[str, Any], ssid: Any, credentials: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the network that a [wificlient] asks for. A name that the profile has keeps its
    password if none is given.

    Raises Invalid if the name is none, or the credentials are missing or of another kind; what
    they are is in no message.
    """
    if not isinstance(ssid, str) or not ssid:
        raise Invalid("wanted the name of a network", path="ssid")
    if credentials is None:
        same = [n for n in profile["networks"] if ssids.name_of(n) == ssid]
        if not same:
            raise Invalid("a network of another name needs its credentials", path="wcrds")
        return dict(same[0])
    kind = credentials.get("enct")
    if isinstance(kind, bool) or not isinstance(kind, int) or kind not in _KEYS:
        raise Invalid("wanted enct 1 (open), 3, 4 or 5 (WPA, WPA2, WPA3)", path="wcrds")
    key = _KEYS[kind]
    psk = None if key is None else credentials.get(key)
    if key is not None and not isinstance(psk, str):
        raise Invalid(f"wanted the password in {key}", path="wcrds")
    return ssids.accepted({"ssid": ssid, "psk": psk, "hidden": False, "ip": "dhcp"})


def follow(records: Records, claim: Claim, last: Mapping[str, Any] | None, now: float) -> None:
    """See what became of the changes of a device that has just proved a report."""
    for change in records.changes.of(claim.id):
        number = change.version
        if change.state != WANTED or number is None:
            continue
        if claim.version >= number:
            _ended(
                records, claim, replaced(change, state=RUNS, detail=""), now, f"version {number}"
            )
        elif last is not None and last["config"] == number and last["code"] != "ok":
            detail = f"version {number} failed at step {last['step']}: {last['code']}"
            ended = replaced(change, state=FAILED, detail=detail, document={})
            _ended(records, claim, ended, now, detail)


def end_replaced(records: Records, claim: Claim, now: float) -> None:
    """End the changes of fields that the portal has changed since."""
    profile = records.profile_of(claim)
    if profile is None:
        return
    for change in records.changes.of(claim.id):
        is_current = change.document.get("base") == base_of(profile, change.field)
        if change.state in IN_FORCE and not is_current:
            detail = portal_newer(change.field)
            ended = replaced(change, state=REPLACED, detail=detail, document={})
            _ended(records, claim, ended, now, detail)


def shown(field: str, value: Any) -> str:
    """Say what is wanted, without a password."""
    return f"every {value} s" if field == COLLECTION else f'"{ssids.name_of(value)}"'


def portal_newer(field: str) -> str:
    """Say that the portal has changed the field later than the platform."""
    return _PORTAL_NEWER.format(_CALLED[field])


def refuse(records: Records, claim: Claim, change: Change, detail: str) -> None:
    """Say why a change came to nothing. One of the field that was made before stays in force."""
    before = [
        each
        for each in records.changes.of(claim.id)
        if each.field == change.field and each.state in IN_FORCE
    ]
    kept = replaced(before[0], detail=f"{change.state}: {detail}") if before else None
    records.changes.put(kept or replaced(change, detail=detail))
    note(records, claim, change, detail, change.at)


def is_in_force(records: Records, claim: Claim, field: str, document: Mapping[str, Any]) -> bool:
    """Tell whether just this change was taken already."""
    return any(
        each.field == field and each.state in IN_FORCE and each.document == document
        for each in records.changes.of(claim.id)
    )


def is_in(document: Mapping[str, Any], profile: Mapping[str, Any], field: str) -> bool:
    """Tell whether a configuration says of this field what the profile says."""
    if field == WIFI:
        return bool(document["networks"] == profile["networks"])
    return bool(document["app"].get("interval_s") == profile["app"].get("interval_s"))


def note(records: Records, claim: Claim, change: Change, detail: str, now: float) -> None:
    """Tell the owner, in the device's history and as news, what became of a change."""
    what = f"change_{change.state}"
    told = f"{_CALLED[change.field]}: {detail}"
    records.note(claim, now, what, detail=told)
    records.add_event(claim, now, what, told)


def _ended(records: Records, claim: Claim, change: Change, now: float, detail: str) -> None:
    records.changes.put(change)
    note(records, claim, change, detail, now)
    ask_to_tell(records, claim, now)


def ask_to_tell(records: Records, claim: Claim, now: float) -> None:
    """Have the device's objects at its platform brought up to date."""
    records.add_job("objects", now, claim_id=claim.id, **_place_of(records, claim))


def _place_of(records: Records, claim: Claim) -> dict[str, Any]:
    version = records.version(claim.id, claim.version)
    profile = records.profile_of(claim)
    url = version.document["platform"]["url"] if version else (profile or {})["platform"]["url"]
    return {"url": url, "device_id": claim.device_id, "owner": claim.owner}
