# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Issues versions: numbers that only grow, documents that never change, keys made once."""

import secrets
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from muster_server.api.bounds import KEY_BYTES
from muster_server.config_server.checked_profiles import CheckedProfiles
from muster_server.config_server.device_changes import with_changes
from muster_server.config_server.platform_adapter import Platforms
from muster_server.config_server.profile import (
    Particulars,
    build_configuration,
    check_made,
    unchecked_configuration,
)
from muster_server.config_server.proof import about_account, account_of, end_asked
from muster_server.config_server.reservations import Reservations
from muster_server.errors import NotFound, Released, Unavailable
from muster_server.lane import held, settle
from muster_server.store.claims import ENDED, Claim, Version
from muster_server.store.config import ConfigStore, Records
from muster_server.store.profiles import InForce

_STRIPES = 64
_PATIENCE_S = 2.0  # with another process
MEANWHILE = "the device was released meanwhile"

Credential = tuple[str | None, str | None]  # a token's id, and the token


@dataclass(frozen=True)
class Draft:
    """A version of a claim that is there, or one that is made but for its token."""

    claim: Claim
    version: Version | None  # what was there
    profile: dict[str, Any] = field(default_factory=dict, repr=False)
    effect: int = 0
    number: int = 0
    key: bytes = field(default=b"", repr=False)
    handed_on: Credential = field(default=(None, None), repr=False)
    asks: bool = False  # the platform for the token that the claim names
    is_new: bool = False  # the claim is
    is_reserved: bool = False  # the account was, which the platform is asked for


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
        self._checked = CheckedProfiles()
        self.reservations = Reservations(store)
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
        with self.alone(claim_id):
            with self._store.reading() as records:
                device_id = unreleased(records, claim_id).device_id
            with self._store.transaction(device_id) as records:
                draft = self.drafted(records, unreleased(records, claim_id), floor)
            if draft.version is not None:
                return draft.version
            version = self.made(draft)
            with self._store.transaction(device_id) as records:
                claim = self.keep(records, draft, version)
            if claim is None:
                raise Released(MEANWHILE)
            return version

    @contextmanager
    def alone(self, claim_id: str) -> Iterator[None]:
        """See to it that no other process makes a version for the claim until the block ends.

        Raises Unavailable if one is at it. Call it under `lock`.
        """
        with self._store.alone(f"claim {claim_id}", _PATIENCE_S) as is_mine:
            if not is_mine:
                raise Unavailable("another process prepares the device", retry_s=1)
            yield

    def drafted(
        self, records: Records, claim: Claim, floor: int, *, is_new: bool = False
    ) -> Draft:
        """Begin a version of the claim, unless there is a candidate above `floor`: all but its
        token, whose id is written down before anybody asks for it. To be called within `alone`.

        The claim is kept with what the draft adds to it, but for one that `is_new`: that one its
        caller keeps. Raises Invalid for a profile that is wrong, and then nothing has changed.
        """
        versions = [] if is_new else records.versions_of(claim.id)
        for version in reversed(versions):
            if version.proved_at is None and version.number > floor:
                if self.is_current(records, claim, version):
                    return Draft(claim, version)
                break
        known = claim
        if claim.adoption is None:
            claim = replace(claim, adoption=new_adoption())
        if is_new:
            profile, effect = _in_force(records, claim)
        else:
            profile, effect = _profile(records, claim), records.effect_of(claim)
        number = max([claim.highest, floor, *(v.number for v in versions)]) + 1
        key = secrets.token_bytes(KEY_BYTES)
        # Without the token first: a wrong profile shall not cost the platform anything.
        self._checked.check(profile, self._particulars(claim, number, None, key))
        url = profile["platform"]["url"]
        handed_on, asks = self._handed_on(claim, url, versions)
        reserved = self.reservations.take(records) if asks and is_new else None
        if reserved is not None:
            claim = replace(claim, originator=reserved.originator)
        if asks:
            token_id = secrets.token_hex(8) if reserved is None else reserved.token_id
            claim = self._asking(records, claim, url, token_id)
        if claim is not known and not is_new:
            records.put_claim(claim)
        return Draft(
            *(claim, None, profile, effect, number, key, handed_on, asks, is_new),
            is_reserved=reserved is not None,
        )

    def stock(self) -> None:
        """Be ready for a new claim: to be called outside of any transaction, before `drafted`.

        Raises the HostError of a database that does not take what has to be written down.
        """
        self.reservations.stock()

    def first(self, claim: Claim, profile: InForce, token_id: str) -> Version | None:
        """Make the first version of a claim that nobody knows yet, with this token of its account;
        None if its platform has no accounts, or the profile was removed. To be called outside of
        any transaction. Raises Invalid or ServiceUnreachable.
        """
        document = profile.document
        if document is None or not self._platforms.has_accounts(document["platform"]["url"]):
            return None
        key = secrets.token_bytes(KEY_BYTES)
        self._checked.check(document, self._particulars(claim, 1, None, key))
        adapter = self._platforms.adapter_for(document["platform"]["url"])
        made = adapter.make_token(claim.originator, token_id)
        if made is None:
            return None
        configuration = self._checked.build(
            document, self._particulars(claim, 1, made.secret, key)
        )
        return Version(claim.id, 1, configuration, made.id, None, None, made_from=profile.effect)

    def made(self, draft: Draft) -> Version:
        """Make the version of a draft, for which a platform may have to be asked: to be called
        outside of any transaction, and within `alone`. Raises Invalid or ServiceUnreachable.
        """
        claim, (token_id, token) = draft.claim, draft.handed_on
        if draft.asks and claim.asked is not None:
            if not draft.is_reserved:
                settle()  # else a crash could leave an account of which this server knows nothing
            adapter = self._platforms.adapter_for(claim.asked["url"])
            made = adapter.make_token(claim.asked["originator"], claim.asked["token_id"])
            token_id, token = (None, None) if made is None else (made.id, made.secret)
        own = self._particulars(claim, draft.number, token, draft.key)
        document = self._checked.build(draft.profile, own)
        return Version(
            claim.id, draft.number, document, token_id, None, None, made_from=draft.effect
        )

    def keep(
        self,
        records: Records,
        draft: Draft,
        version: Version,
        then: Callable[[Claim], Claim] = lambda claim: claim,
    ) -> Claim | None:
        """Keep the version, and the claim as it is `then`, which may change its progress alone.

        None if nobody owns the device any more: then nothing is kept but that the account, which
        may have been closed before it was made, is closed once more.
        """
        known, number = draft.claim, version.number
        claim = then(replace(known, highest=number, asked=None))
        if not records.steps.go_on(known, claim):
            owned = records.claim(known.id)
            if owned is None or owned.state in ENDED:
                has_token = version.token_id is not None
                about = about_account(known, account_of(version), has_token=has_token)
                records.add_job("close_account", self._clock(), **about)
                return None
            claim = then(replace(owned, highest=max(owned.highest, number), asked=None))
            records.put_claim(claim)
        records.put_version(version)
        if not draft.is_new:
            records.changes.note_version(claim.id, number)
        return claim

    def check(self, claim: Claim, profile: dict[str, Any]) -> None:
        """Invalid names the field, if no configuration could be made from this profile."""
        number = claim.highest + 1
        build_configuration(profile, self._particulars(claim, number, None, bytes(KEY_BYTES)))

    def _handed_on(
        self, claim: Claim, url: str, versions: list[Version]
    ) -> tuple[Credential, bool]:
        """The token that the next version gets from a former one, and whether the platform is to
        be asked for one: a version that nobody has run yet hands its token on, so that an owner
        who edits a profile ten times does not leave ten tokens behind.
        """
        has_accounts = self._platforms.has_accounts(url)
        for version in reversed(versions):
            token = version.document["platform"]["token"]
            is_same = account_of(version) == (url, claim.originator)
            if version.proved_at is None and is_same and (token is not None) == has_accounts:
                return (version.token_id, token), False
        return (None, None), has_accounts

    def _asking(self, records: Records, claim: Claim, url: str, token_id: str) -> Claim:
        """The claim with the token to ask for: the same until it has come, else this one."""
        asked = claim.asked
        if asked is not None:
            if (asked["url"], asked["originator"]) == (url, claim.originator):
                return claim
            end_asked(records, claim, self._clock())
        about = {"url": url, "originator": claim.originator, "token_id": token_id}
        return replace(claim, asked=about)

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
        raise Released(MEANWHILE)
    return claim


def _profile(records: Records, claim: Claim) -> dict[str, Any]:
    profile = records.profile_of(claim)
    if profile is None:
        raise NotFound(f'there is no profile named "{claim.profile}"')
    return with_changes(profile, records.changes.of(claim.id))


def _in_force(records: Records, claim: Claim) -> tuple[dict[str, Any], int]:
    """Return what a claim without roll-outs and changes is configured from, with its effect."""
    found = records.profiles.in_force(claim.profile)
    if found is None or found.document is None:
        raise NotFound(f'there is no profile named "{claim.profile}"')
    return found.document, found.effect
