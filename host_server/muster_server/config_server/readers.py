# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Accounts that read an owner's devices: for the owner's backends, and for this server."""

import re
import secrets
import threading
from collections.abc import Callable
from typing import Any

from muster_server.config_server.instances import Place
from muster_server.config_server.platform_adapter import Platforms, Token
from muster_server.errors import Conflict, Invalid, NotFound, ServiceUnreachable
from muster_server.store.config import ConfigStore, Records
from muster_server.store.readers import OWN, OWN_APPLICATION, Reader

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,30}[a-z0-9])?", re.ASCII)
_TOKEN_ID_BYTES = 8
_AT_ONCE = 500  # originators in one request to the platform
MOST_READERS = 32  # of one owner
READER, APPLICATION = "reader", "application"
_PREFIXES = {READER: "Creader", APPLICATION: "Capp"}
_OWN = {READER: OWN, APPLICATION: OWN_APPLICATION}


def policy_for(owner: str) -> str:
    """The policy that names all devices of an owner."""
    return f"owner:{owner}"


class ReaderService:
    """Rules for readers. Knows neither HTTP nor SQL."""

    def __init__(
        self, store: ConfigStore, platforms: Platforms, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._clock = clock
        self._making = threading.Lock()  # one account, however many ask at once

    def add(self, owner: str, name: str, kind: str = READER) -> dict[str, Any]:
        """Make a reader, or an application, of all the owner's devices, also of those that come
        later. Its token is in this answer and nowhere else.

        Invalid, Conflict, or ServiceUnreachable; then there is no such reader.
        """
        if not _NAME.fullmatch(name):
            raise Invalid("wanted 1 to 32 of a-z 0-9 . _ -, e.g. dashboard", path="name")
        with self._store.reading() as records:
            known = records.readers.of_owner(owner)
            if any(reader.name == name for reader in known):
                raise Conflict(
                    f'there is a reader "{name}"; remove it first, or take another name'
                )
            if len(known) >= MOST_READERS:
                raise Conflict(f"there are {MOST_READERS} readers already; remove some first")
        reader = self._new(owner, name, kind)
        with self._store.transaction() as records:
            records.readers.put(reader)
        token = self._opened(reader)
        return {**shown(reader), "token": token.secret, "platform": self._platforms.home_url}

    def all_shown(self, owner: str) -> list[dict[str, Any]]:
        """Readers of this owner; no token is in it."""
        with self._store.reading() as records:
            return [shown(reader) for reader in records.readers.of_owner(owner)]

    def remove(self, owner: str, name: str) -> None:
        """Close the reader's account: its token is good for nothing from now on. NotFound if there
        is none; ServiceUnreachable if the platform did not hear of it, and then it is still there.
        """
        with self._store.reading() as records:
            reader = records.readers.get(owner, name) if _NAME.fullmatch(name) else None
        if reader is None:
            raise NotFound(f'there is no reader "{name}"')
        self._platforms.home().close_account(reader.originator)
        with self._store.transaction() as records:
            records.readers.remove(owner, name)

    def place(self, owner: str, path: str, kind: str = READER) -> Place:
        """Return where this server reads, or commands as an application; its account is made now
        if there is none.
        """
        with self._making:
            own = self._own(owner, kind)
        url, ca_file = self._platforms.home_place
        return Place(url, path, own.originator, token=own.token, ca_file=ca_file)

    def forget_own(self, owner: str, kind: str = READER) -> None:
        """Have another account made when this server reads or commands next."""
        with self._store.transaction() as records:
            records.readers.remove(owner, _OWN[kind])

    def _own(self, owner: str, kind: str) -> Reader:
        name = _OWN[kind]
        with self._store.reading() as records:
            own = records.readers.get(owner, name)
        if own is not None:
            return own
        reader = self._new(owner, name, kind)
        token = self._opened(reader)
        own = Reader(owner, name, reader.originator, token.secret, reader.created_at)
        with self._store.transaction() as records:
            records.readers.put(own)
        return own

    def _new(self, owner: str, name: str, kind: str = READER) -> Reader:
        originator = _PREFIXES[kind] + secrets.token_hex(8)
        return Reader(owner, name, originator, None, self._clock())

    def _opened(self, reader: Reader) -> Token:
        """The reader's account at the platform, and all the owner's devices in its policy."""
        home, policy = self._platforms.home(), policy_for(reader.owner)
        with self._store.reading() as records:
            originators = _originators(records, reader.owner)
        try:
            for n in range(0, len(originators), _AT_ONCE):
                home.name_in_policy(policy, originators[n : n + _AT_ONCE])
            token_id = secrets.token_hex(_TOKEN_ID_BYTES)
            return home.open_reader(reader.originator, policy, token_id, _kind(reader))
        except ServiceUnreachable:
            # It may have been made, and its answer lost.
            with self._store.transaction() as records:
                records.readers.remove(reader.owner, reader.name)
                records.add_job(
                    "close_account",
                    self._clock(),
                    url=self._platforms.home_url,
                    originator=reader.originator,
                    has_token=True,
                )
            raise


def shown(reader: Reader) -> dict[str, Any]:
    """A reader without its token."""
    return {
        "name": reader.name,
        "kind": _kind(reader),
        "originator": reader.originator,
        "created_at": reader.created_at,
    }


def _kind(reader: Reader) -> str:
    # Its originator says so, since the platform and whoever looks there shall see it, too.
    is_application = reader.originator.startswith(_PREFIXES[APPLICATION])
    return APPLICATION if is_application else READER


def _originators(records: Records, owner: str) -> list[str]:
    """All originators that the owner's devices have, or had and may still use."""
    found = {}
    for claim in records.claims_of_owner(owner):
        if claim.state == "released":
            continue
        found[claim.originator] = True
        for version in records.versions_of(claim.id):
            found[version.document["platform"]["originator"]] = True
    return list(found)
