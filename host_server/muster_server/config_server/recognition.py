# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Finds out which device sent a message: the one whose key opens it."""

import secrets
import time
from dataclasses import dataclass

from muster_server.api.bounds import KEY_BYTES
from muster_server.config_server.noise import Exchange, Opened, prologue
from muster_server.config_server.versions import key_of
from muster_server.errors import NotRecognised
from muster_server.label import Label, is_device_id
from muster_server.store.claims import ENDED, Claim, Keyholder, VendorDevice, Version
from muster_server.store.config import ConfigStore, Records

LABEL, ADOPTED = "label", "adopted"  # keys that are named otherwise than by a version
MOST_CLAIMS = 4
MOST_RELEASED = 2
# Whoever is refused has had as many keys tried as there can be: the claims, those that were
# released, and the vendor's own.
_ATTEMPTS = MOST_CLAIMS + MOST_RELEASED + 1


# A refusal is told so long after the look at it began, or twice as long, and so on: how long it
# took is not seen. tests/bench/indistinguishable.py measures.
_TOLD_EVERY_S = 0.005


class Stranger(NotRecognised):
    """No key opened the message. Whoever tells that waits before (`wait`)."""

    def __init__(self, detail: str, began: float) -> None:
        """`began`: by perf_counter(), when the look at the message began."""
        super().__init__(detail)
        self._began = began

    def wait(self) -> None:
        """Return at the next moment at which it may be told, in this thread."""
        passed = time.perf_counter() - self._began
        time.sleep(_TOLD_EVERY_S - passed % _TOLD_EVERY_S)


# Whose it is (a claim's id), of which version, and the key.
_Key = tuple[str | VendorDevice, Version | None, bytes]


@dataclass(frozen=True)
class Holder:
    """The owner of the key that opened the message."""

    device_id: str
    owner: str | VendorDevice  # or a claim's id
    k: str  # the key's name, as the device sent it
    version: Version | None  # None: the label's key, or that of an adopted device
    opened: Opened
    is_seen: bool  # the same message came before


def authenticated(
    store: ConfigStore, device_id: str, k: str, message: bytes, digest: bytes, now: float
) -> Holder | None:
    """Find the holder of the key that opens message 1, whose digest this is.

    Unknown ids and wrong keys take the same way: always as many attempts, with keys that nobody
    has where there are no others. Whoever has a right key knows by it that there is the device.
    """
    name = device_id if is_device_id(device_id) else "-"
    exchange = Exchange(prologue(name, k), message)
    found = None
    with store.reading() as records:
        keys = _keys(records, name, k, now)
        for owner, version, psk in keys:
            opened = exchange.opened(psk)
            if opened is not None:
                # A vendor's device has nothing yet that a replay could touch.
                is_seen = isinstance(owner, str) and records.has_seen(owner, digest)
                found = Holder(name, owner, k, version, opened, is_seen)
    if found is None:
        nobodys = secrets.token_bytes(KEY_BYTES)
        for _ in range(_ATTEMPTS - len(keys)):
            exchange.opened(nobodys)
    return found


def _keys(records: Records, device_id: str, k: str, now: float) -> list[_Key]:
    found: list[_Key] = []
    if k not in (LABEL, ADOPTED):
        # Also of claims that have expired: whoever has a version's key was given it.
        for version in records.versions_numbered(device_id, int(k)):
            found.append((version.claim_id, version, key_of(version)))
        return found
    claims = records.keyholders(device_id)
    if k == ADOPTED:
        # As with a version's key: whoever has an adoption secret was given it.
        for claim in claims:
            if claim.adoption is not None:
                key = Label(device_id, claim.secret).adopted_key(claim.adoption)
                found.append((claim.id, None, key))
        return found
    live = [c for c in claims if c.state not in ENDED and not is_expired(c, now)]
    for claim in live:
        found.append((claim.id, None, Label(device_id, claim.secret).key("sync-psk")))
    vendor = records.vendor_device(device_id)
    # A claim with the vendor's secret has the same key, and says more.
    if vendor is not None and all(claim.secret != vendor.secret for claim in live):
        found.append((vendor, None, Label(device_id, vendor.secret).key("sync-psk")))
    return found


def is_expired(claim: Claim | Keyholder, now: float) -> bool:
    """Tell whether nobody proved the claim in time."""
    return claim.expires_at is not None and claim.expires_at <= now
