# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Finds out which device sent a message: the one whose key opens it."""

import secrets
import time
from dataclasses import dataclass
from typing import NamedTuple

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


_OF_LABEL = "sync-psk"  # the use of a label's secret that makes its key


class _Key(NamedTuple):
    owner: str | VendorDevice  # or a claim's id
    version: Version | None
    psk: bytes
    has_seen: bool  # the message, before


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
    with store.reading() as records:
        keys = _keys(records, name, k, digest, now)
        found = _opened(exchange, keys)
        # A claim with the vendor's secret has the same key, and says more.
        if found is None and k == LABEL:
            vendors = _vendors_key(records, name)
            found = _opened(exchange, vendors)
            keys += vendors
    if found is None:
        nobodys = secrets.token_bytes(KEY_BYTES)
        for _ in range(_ATTEMPTS - len(keys)):
            exchange.opened(nobodys)
        return None
    key, opened = found
    return Holder(name, key.owner, k, key.version, opened, key.has_seen)


def _opened(exchange: Exchange, keys: list[_Key]) -> tuple[_Key, Opened] | None:
    """Return the last of these keys that opens the message, with what is in it."""
    found = None
    for key in keys:
        opened = exchange.opened(key.psk)
        if opened is not None:
            found = key, opened
    return found


def _keys(records: Records, device_id: str, k: str, digest: bytes, now: float) -> list[_Key]:
    """The keys of the device's claims that go by this name."""
    if k not in (LABEL, ADOPTED):
        # Also of claims that have expired: whoever has a version's key was given it.
        versions = records.versions_numbered(device_id, int(k), digest)
        return [_Key(v.claim_id, v, key_of(v), has_seen) for v, has_seen in versions]
    claims = records.keyholders(device_id, digest)
    if k == ADOPTED:
        # As with a version's key: whoever has an adoption secret was given it.
        adopted = [(c, c.adoption, has_seen) for c, has_seen in claims if c.adoption is not None]
        return [
            _Key(claim.id, None, _label_of(claim).adopted_key(adoption), has_seen)
            for claim, adoption, has_seen in adopted
        ]
    return [
        _Key(claim.id, None, _label_of(claim).key(_OF_LABEL), has_seen)
        for claim, has_seen in claims
        if claim.state not in ENDED and not is_expired(claim, now)
    ]


def _vendors_key(records: Records, device_id: str) -> list[_Key]:
    vendor = records.vendor_device(device_id)
    if vendor is None:
        return []
    # A vendor's device has nothing yet that a replay could touch.
    return [_Key(vendor, None, _label_of(vendor).key(_OF_LABEL), has_seen=False)]


def _label_of(holder: Keyholder | VendorDevice) -> Label:
    return Label(holder.device_id, holder.secret)


def is_expired(claim: Claim | Keyholder, now: float) -> bool:
    """Tell whether nobody proved the claim in time."""
    return claim.expires_at is not None and claim.expires_at <= now
