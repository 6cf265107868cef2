# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Issues versions: numbers that only grow, documents that never change, keys made once."""

import secrets
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from host_server.config_server.platform_adapter import PlatformAdapter
from host_server.config_server.profile import Particulars, build_configuration
from host_server.errors import NotFound
from host_server.store.claims import Claim, Version
from host_server.store.config import ConfigStore, Records

KEY_BYTES = 32
_STRIPES = 64


class Versions:
    """Finds or makes the version that a device shall run."""

    def __init__(
        self,
        store: ConfigStore,
        adapter_for: Callable[[str], PlatformAdapter],
        server_url: str,
    ) -> None:
        self._store = store
        self._adapter_for = adapter_for
        self._server_url = server_url
        self._locks = tuple(threading.Lock() for _ in range(_STRIPES))

    @contextmanager
    def lock(self, claim_id: str) -> Iterator[None]:
        """One thing at a time per claim: making a token takes a call to the platform, and no
        transaction may stay open for that long.
        """
        with self._locks[int(claim_id, 16) % _STRIPES]:
            yield

    def is_current(self, records: Records, claim: Claim, version: Version) -> bool:
        """Whether the profile would still make this very document."""
        profile = _profile(records, claim)
        document = version.document
        own = self._particulars(
            claim, version.number, document["platform"]["token"], key_of(version)
        )
        return build_configuration(profile, own) == document

    def candidate(self, records: Records, claim: Claim, floor: int) -> Version | None:
        """An unproved version above `floor` that says what the profile says, if there is one."""
        for version in reversed(records.versions_of(claim.id)):
            if version.proved_at is None and version.number > floor:
                return version if self.is_current(records, claim, version) else None
        return None

    def issue(self, claim_id: str, floor: int) -> Version:
        """The candidate above `floor`, made now if there is none. Call it under `lock`.

        Invalid names the field of the profile that is wrong; ServiceUnreachable means that the
        platform gave no token. Then nothing has changed.
        """
        with self._store.transaction() as records:
            claim = _claim(records, claim_id)
            existing = self.candidate(records, claim, floor)
            if existing is not None:
                return existing
            profile = _profile(records, claim)
            versions = records.versions_of(claim_id)
        number = max([claim.highest, floor, *(v.number for v in versions)]) + 1
        key = secrets.token_bytes(KEY_BYTES)
        # Without the token first: a wrong profile shall not cost the platform anything.
        build_configuration(profile, self._particulars(claim, number, None, key))
        token_id, token = self._token(claim, profile["platform"]["url"], versions)
        own = self._particulars(claim, number, token, key)
        document = build_configuration(profile, own)
        version = Version(claim_id, number, document, token_id, None, None)
        with self._store.transaction() as records:
            claim = _claim(records, claim_id)
            records.put_claim(replace(claim, highest=number))
            records.put_version(version)
        return version

    def _token(
        self, claim: Claim, platform_url: str, versions: list[Version]
    ) -> tuple[str | None, str | None]:
        # A version that nobody has run yet hands its token on, so that an owner who edits a
        # profile ten times does not leave ten tokens behind.
        for version in reversed(versions):
            platform = version.document["platform"]
            account = (platform["url"], platform["originator"])
            if version.proved_at is None and account == (platform_url, claim.originator):
                return version.token_id, platform["token"]
        token = self._adapter_for(platform_url).make_token(claim.originator)
        return (None, None) if token is None else (token.id, token.secret)

    def _particulars(
        self, claim: Claim, number: int, token: str | None, key: bytes
    ) -> Particulars:
        return Particulars(number, claim.originator, token, self._server_url, key, claim.name)


def key_of(version: Version) -> bytes:
    """The operational sync key that the version carries."""
    return b64decode(version.document["config_server"]["key"])


def _profile(records: Records, claim: Claim) -> dict[str, Any]:
    profile = records.profile(claim.profile)
    if profile is None:
        raise NotFound(f'there is no profile named "{claim.profile}"')
    return profile


def _claim(records: Records, claim_id: str) -> Claim:
    claim = records.claim(claim_id)
    if claim is None:
        raise NotFound("the device was released meanwhile")
    return claim
