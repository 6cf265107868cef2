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

from muster_server.api.bounds import KEY_BYTES
from muster_server.config_server.device_changes import with_changes
from muster_server.config_server.platform_adapter import Platforms
from muster_server.config_server.profile import (
    Particulars,
    build_configuration,
    check_made,
    unchecked_configuration,
)
from muster_server.config_server.proof import about_account, account_of, end_asked
from muster_server.errors import NotFound, Released, Unavailable
from muster_server.lane import held
from muster_server.store.claims import ENDED, Claim, Version
from muster_server.store.config import ConfigStore, Records

_STRIPES = 64
_PATIENCE_S = 2.0  # with another process
_MEANWHILE = "the device was released meanwhile"


class Versions:
    """Finds or makes the version that a device shall run."""

    def __init__(
        self,
        store: ConfigStore,
        platforms: Platforms,
        server_url: str,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._server_url = server_url
        self._clock = clock
        self._locks = tuple(threading.Lock() for _ in range(_STRIPES))

    @contextmanager
    def lock(self, claim_id: str) -> Iterator[None]:
        """One thing at a time per claim: making a token takes a call to the platform, and no
        transaction may stay open for that long.
        """
        with held(self._locks[int(claim_id, 16) % _STRIPES]):
            yield

    def is_current(
        self,
        records: Records,
        claim: Claim,
        version: Version,
        profile: dict[str, Any] | None = None,
    ) -> bool:
        """Tell whether the profile would still make this very document; `profile` is the document
        of another version of it than the claim's.

        A token that is missing, because the platform was not known as ours, is made good; one
        that is there stays, for a platform that wants none does not mind it. What a copied label
        was used for is replaced once its device has proved it.
        """
        if version.is_copied and version.proved_at is not None:
            return False
        if profile is None:
            profile = _profile(records, claim)
        else:
            profile = with_changes(profile, records.changes.of(claim.id))
        document = version.document
        platform = document["platform"]
        if platform["token"] is None and self._platforms.has_accounts(platform["url"]):
            return False
        own = self._particulars(claim, version.number, platform["token"], key_of(version))
        made = unchecked_configuration(profile, own)
        if version.proved_at is not None and "adoption" not in document["config_server"]:
            # Its device was at work before adoption was: it is adopted with its next version.
            unadopted = {**made["config_server"]}
            del unadopted["adoption"]
            is_same = {**made, "config_server": unadopted} == document
        else:
            is_same = made == document
        if not is_same:  # the version's own document was checked when it was made
            check_made(profile, made)
        return is_same

    def preview(self, records: Records, claim: Claim, profile: dict[str, Any]) -> dict[str, Any]:
        """The configuration that this profile would make for the device. What stands for its
        secrets is good for nothing. Raises Invalid if none can be made.
        """
        has_token = self._platforms.has_accounts(profile["platform"]["url"])
        token = "0" * 64 if has_token else None
        own = self._particulars(claim, claim.highest + 1, token, bytes(KEY_BYTES))
        made = with_changes(profile, records.changes.of(claim.id))
        return build_configuration(made, own)

    def candidate(self, records: Records, claim: Claim, floor: int) -> Version | None:
        """An unproved version above `floor` that says what the profile says, if there is one."""
        for version in reversed(records.versions_of(claim.id)):
            if version.proved_at is None and version.number > floor:
                return version if self.is_current(records, claim, version) else None
        return None

    def issue(self, claim_id: str, floor: int) -> Version:
        """The candidate above `floor`, made now if there is none. Call it under `lock`.

        Invalid names the field of the profile that is wrong; ServiceUnreachable means that the
        platform gave no token; Released that nobody owns the device any more. Then no version
        was made; and so it means Unavailable, if another process is at it.
        """
        with self._store.alone(f"claim {claim_id}", _PATIENCE_S) as is_mine:
            if not is_mine:
                raise Unavailable("another process prepares the device", retry_s=1)
            return self._issued(claim_id, floor)

    def _issued(self, claim_id: str, floor: int) -> Version:
        with self._store.reading() as records:
            device_id = unreleased(records, claim_id).device_id
        with self._store.transaction(device_id) as records:
            claim = unreleased(records, claim_id)
            existing = self.candidate(records, claim, floor)
            if existing is not None:
                return existing
            if claim.adoption is None:
                claim = replace(claim, adoption=new_adoption())
                records.put_claim(claim)
            profile, effect = _profile(records, claim), records.effect_of(claim)
            versions = records.versions_of(claim_id)
        number = max([claim.highest, floor, *(v.number for v in versions)]) + 1
        key = secrets.token_bytes(KEY_BYTES)
        # Without the token first: a wrong profile shall not cost the platform anything.
        build_configuration(profile, self._particulars(claim, number, None, key))
        account = (profile["platform"]["url"], claim.originator)
        token_id, token = self._token(claim, account, versions)
        own = self._particulars(claim, number, token, key)
        document = build_configuration(profile, own)
        version = Version(claim_id, number, document, token_id, None, None, made_from=effect)
        with self._store.transaction(device_id) as records:
            owned = records.claim(claim_id)
            if owned is not None and owned.state not in ENDED:
                records.put_claim(replace(owned, highest=number, asked=None))
                records.put_version(version)
                records.changes.note_version(claim_id, number)
                return version
            # The account may have been closed before it was made: close it once more.
            about = about_account(claim, account, has_token=token is not None)
            records.add_job("close_account", self._clock(), **about)
        raise Released(_MEANWHILE)

    def check(self, claim: Claim, profile: dict[str, Any]) -> None:
        """Invalid names the field, if no configuration could be made from this profile."""
        number = claim.highest + 1
        build_configuration(profile, self._particulars(claim, number, None, bytes(KEY_BYTES)))

    def _token(
        self, claim: Claim, account: tuple[str, str], versions: list[Version]
    ) -> tuple[str | None, str | None]:
        has_accounts = self._platforms.has_accounts(account[0])
        # A version that nobody has run yet hands its token on, so that an owner who edits a
        # profile ten times does not leave ten tokens behind.
        for version in reversed(versions):
            token = version.document["platform"]["token"]
            is_same = account_of(version) == account and (token is not None) == has_accounts
            if version.proved_at is None and is_same:
                return version.token_id, token
        if not has_accounts:
            return None, None
        token_id = self._asked(claim, account)
        made = self._platforms.adapter_for(account[0]).make_token(account[1], token_id)
        return (None, None) if made is None else (made.id, made.secret)

    def _asked(self, known: Claim, account: tuple[str, str]) -> str:
        """The id of the token to ask for: written down first, and the same until it has come."""
        url, originator = account
        with self._store.transaction(known.device_id) as records:
            claim = unreleased(records, known.id)
            asked = claim.asked
            if asked is not None and (asked["url"], asked["originator"]) == account:
                return str(asked["token_id"])
            if asked is not None:
                end_asked(records, claim, self._clock())
            token_id = secrets.token_hex(8)
            asked = {"url": url, "originator": originator, "token_id": token_id}
            records.put_claim(replace(claim, asked=asked))
        return token_id

    def _particulars(
        self, claim: Claim, number: int, token: str | None, key: bytes
    ) -> Particulars:
        # None: of a claim that is older than adoption. No such document is handed out.
        adoption = claim.adoption or bytes(KEY_BYTES)
        return Particulars(
            number, claim.originator, token, self._server_url, key, adoption, claim.name
        )


def new_adoption() -> bytes:
    """A secret that binds a device to its server, for one ownership."""
    return secrets.token_bytes(KEY_BYTES)


def key_of(version: Version) -> bytes:
    """The operational sync key that the version carries."""
    return b64decode(version.document["config_server"]["key"])


def unreleased(records: Records, claim_id: str) -> Claim:
    """The claim as it is now; Released if nobody owns the device any more."""
    claim = records.claim(claim_id)
    if claim is None or claim.state in ENDED:
        raise Released(_MEANWHILE)
    return claim


def _profile(records: Records, claim: Claim) -> dict[str, Any]:
    profile = records.profile_of(claim)
    if profile is None:
        raise NotFound(f'there is no profile named "{claim.profile}"')
    return with_changes(profile, records.changes.of(claim.id))
