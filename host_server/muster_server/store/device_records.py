# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Claims with their versions, vendors' devices, and messages that came; a part of the
configuration server's records.

A sync changes a few fields of its claim, and one of its version. So what was read in a transaction
is remembered in it, and only what has changed since is written.
"""

import os
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any

from muster_server.document import compact_json
from muster_server.frozen import of_fields
from muster_server.store.claims import Claim, Keyholder, VendorDevice, Version, new_nonce
from muster_server.store.described import Described, question
from muster_server.store.device_changes import Change
from muster_server.store.opened import OpenedDocuments
from muster_server.store.secrets import SecretBox
from muster_server.store.sql import Row, Sql, as_json, from_json, insertion, replacement

_MESSAGES_KEPT = 512
# To find the last that is kept takes all of them: of 16 messages about one looks for older ones.
_TRIMMED_OF_256 = 16

_CLAIM = tuple(Claim.__dataclass_fields__)
_CLAIM_JSON = frozenset({"progress", "last", "facts", "asked"})
_SEALED = frozenset({"secret", "adoption"})
_NOT_AS_THEY_ARE = _CLAIM_JSON | _SEALED
_PUT_CLAIM = replacement("claim", _CLAIM, "id")
# Most claims have none: then nobody has to ask.
_HAS_CHANGES = "EXISTS (SELECT 1 FROM device_change WHERE claim_id = claim.id)"
_CLAIMS = f"SELECT {', '.join(_CLAIM)}, {_HAS_CHANGES} FROM claim"  # noqa: S608 - our own names
_IN_ORDER = "ORDER BY created_at, id"
_KEYHOLDER = tuple(Keyholder.__dataclass_fields__)
_HAS_SEEN = "EXISTS (SELECT 1 FROM seen_message WHERE claim_id = claim.id AND digest = ?)"
_KEYHOLDERS = (
    f"SELECT {', '.join(_KEYHOLDER)}, {_HAS_SEEN} FROM claim"  # noqa: S608 - our own names
    f" WHERE device_id = ? {_IN_ORDER}"
)
_VERSION = tuple(Version.__dataclass_fields__)
_IN_VERSION = ", ".join(f"version.{name}" for name in _VERSION)
_PUT_VERSION = replacement("version", _VERSION, "claim_id", "number")
_VERSIONS = f"SELECT {_IN_VERSION} FROM version WHERE claim_id = ?"  # noqa: S608 - our own names
_ALL_VERSIONS = f"{_VERSIONS} ORDER BY number"
_ONE_VERSION = f"{_VERSIONS} AND number = ?"
_OF_DEVICE = (
    f"SELECT {_IN_VERSION}, {_HAS_SEEN} FROM claim"  # noqa: S608 - our own names
    " JOIN version ON version.claim_id = claim.id"
    " WHERE claim.device_id = ? AND version.number = ? ORDER BY claim.created_at, claim.id"
)
_ADD_VENDOR_DEVICE = insertion("vendor_device", ("device_id", "secret", "nonce"))
_SEEN = insertion("seen_message", ("claim_id", "digest"))
_SEE = f"{_SEEN} ON CONFLICT (claim_id, digest) DO NOTHING"
_FORGET_SEEN = (
    "DELETE FROM seen_message WHERE claim_id = ? AND id <= (SELECT id FROM seen_message"
    " WHERE claim_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?)"
)


class DeviceRecords:
    """Questions and deeds within one transaction."""

    def __init__(self, sql: Sql, box: SecretBox, opened: OpenedDocuments) -> None:
        self._sql = sql
        self._box = box
        self._opened = opened
        # As they are in the database, as far as this transaction knows.
        self._claims_known: dict[str, Claim] = {}
        self._changes_known: dict[str, list[Change]] = {}
        self._versions_known: dict[tuple[str, int], Version] = {}
        self._all_known: set[str] = set()  # claims of which all versions are

    # devices that a vendor registered

    def vendor_device(self, device_id: str) -> VendorDevice | None:
        """The vendor's record of this device."""
        text = "SELECT secret, nonce, seen_at FROM vendor_device WHERE device_id = ?"
        row = self._sql.row(text, device_id)
        if row is None:
            return None
        secret = self._box.open(row["secret"], "vendor_device", "secret", device_id)
        return VendorDevice(device_id, secret, row["nonce"], row["seen_at"])

    def add_vendor_device(self, device_id: str, secret: bytes) -> None:
        """Remember that the vendor gave this device this secret."""
        blob = self._box.seal(secret, "vendor_device", "secret", device_id)
        self._sql.run(_ADD_VENDOR_DEVICE, device_id, blob, new_nonce())

    def mark_vendor_device(self, device_id: str, now: float) -> None:
        """Note that the device has been heard of."""
        self._sql.run("UPDATE vendor_device SET seen_at = ? WHERE device_id = ?", now, device_id)

    # claims

    def claims_of(self, device_id: str) -> list[Claim]:
        """All claims of a device, the oldest first."""
        return self._claims(f"{_CLAIMS} WHERE device_id = ? {_IN_ORDER}", device_id)

    def claims_of_owner(self, owner: str) -> list[Claim]:
        """All claims of an owner, the oldest first."""
        return self._claims(f"{_CLAIMS} WHERE owner = ? {_IN_ORDER}", owner)

    def claim(self, claim_id: str) -> Claim | None:
        """The claim with this id."""
        found = self._claims(f"{_CLAIMS} WHERE id = ?", claim_id)
        return found[0] if found else None

    def keyholders(self, device_id: str, digest: bytes) -> list[tuple[Keyholder, bool]]:
        """The secrets of all claims of a device, the oldest claim's first, and for each whether
        the message with this digest came before, as far as is remembered.
        """
        rows = self._sql.rows(_KEYHOLDERS, digest, device_id)
        found = [(self._unsealed(dict(zip(_KEYHOLDER, row, strict=False))), row) for row in rows]
        return [(of_fields(Keyholder, fields), bool(row[-1])) for fields, row in found]

    def has_expired(self, now: float) -> bool:
        """Tell whether there are claims that nobody proved in time."""
        return self._sql.row("SELECT 1 FROM claim WHERE expires_at <= ? LIMIT 1", now) is not None

    def expired_claims(self, now: float, most: int) -> list[Claim]:
        """Claims that nobody proved in time, some of them: those that ended first."""
        return self._claims(
            f"{_CLAIMS} WHERE expires_at <= ? ORDER BY expires_at LIMIT ?", now, most
        )

    def put_claim(self, claim: Claim) -> None:
        """Keep the claim as it is now."""
        known = self._claims_known.get(claim.id)
        if known is None:
            now = self._all_stored(claim)
            self._sql.run(_PUT_CLAIM, *[now[name] for name in _CLAIM])
        else:
            before, now = vars(known), vars(claim)
            changed = tuple([name for name in _CLAIM if before[name] != now[name]])
            if changed:
                values = [self._stored(claim, name) for name in changed]
                self._sql.run(_change_of("claim", changed, ("id",)), *values, claim.id)
        self._claims_known[claim.id] = claim

    def leave_profile(self, claim_id: str) -> None:
        """The claim gets another profile, or ends: what it has says nothing of its profile any
        more, and it is in no roll-out of it.
        """
        self._forget_versions()
        self._sql.run("UPDATE version SET made_from = NULL WHERE claim_id = ?", claim_id)
        self._sql.run("DELETE FROM rollout_device WHERE claim_id = ?", claim_id)

    def remove_claim(self, claim_id: str) -> None:
        """Forget the claim with its versions."""
        self._claims_known.pop(claim_id, None)
        self._forget_versions()
        self._sql.run("DELETE FROM claim WHERE id = ?", claim_id)

    def _claims(self, text: str, *values: Any) -> list[Claim]:
        return [self._claim(row) for row in self._sql.rows(text, *values)]

    def _claim(self, row: Row) -> Claim:
        fields = self._unsealed(dict(zip(_CLAIM, row, strict=False)))  # one more follows
        for name in _CLAIM_JSON:
            fields[name] = from_json(fields[name])
        fields["window_open"] = bool(fields["window_open"])
        claim = of_fields(Claim, fields)
        self._claims_known[claim.id] = claim
        if not row[len(_CLAIM)]:
            self._changes_known[claim.id] = []
        return claim

    def _unsealed(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The columns of a claim, with its secrets opened in their places."""
        for name in _SEALED:
            if fields[name] is not None:
                fields[name] = self._box.open(fields[name], "claim", name, fields["id"])
        return fields

    def _all_stored(self, claim: Claim) -> dict[str, Any]:
        """Return what the columns hold of the claim."""
        now = dict(vars(claim))
        for name in _NOT_AS_THEY_ARE:
            if now[name] is not None:
                now[name] = self._stored(claim, name)
        return now

    def _stored(self, claim: Claim, name: str) -> Any:
        """Return what a column holds of the claim."""
        value = getattr(claim, name)
        if name in _SEALED and value is not None:
            return self._box.seal(value, "claim", name, claim.id)
        return as_json(value) if name in _CLAIM_JSON else value

    # versions

    def versions_of(self, claim_id: str) -> list[Version]:
        """All versions that still have a valid key, the oldest first."""
        if claim_id in self._all_known:
            known = [v for v in self._versions_known.values() if v.claim_id == claim_id]
            return sorted(known, key=lambda version: version.number)
        rows = self._sql.rows(_ALL_VERSIONS, claim_id)
        self._all_known.add(claim_id)
        return [self._version(row) for row in rows]

    def version(self, claim_id: str, number: int) -> Version | None:
        """Return this version, if it has not been retired."""
        if claim_id in self._all_known:
            return self._versions_known.get((claim_id, number))
        row = self._sql.row(_ONE_VERSION, claim_id, number)
        return None if row is None else self._version(row)

    def described(self, url: str, claim_ids: Collection[str]) -> dict[str, Described]:
        """Claims of these that have not ended and whose devices run a version, by their ids,
        as the platform at this URL is told of them.
        """
        text, values = question(url, claim_ids)
        found: dict[str, Described] = {}
        for row in self._sql.rows(text, *values) if claim_ids else ():
            claim_id, device_id, profile, facts, told_for, is_changed, number, *version = row
            found[claim_id] = Described(
                claim_id,
                device_id,
                profile,
                from_json(facts),
                told_for,
                bool(is_changed),
                number,
                self._version(version),
            )
        return found

    def versions_numbered(
        self, device_id: str, number: int, digest: bytes
    ) -> list[tuple[Version, bool]]:
        """The versions with this number of all claims of a device, the oldest claim's first, and
        for each whether its claim's message with this digest came before.
        """
        rows = self._sql.rows(_OF_DEVICE, digest, device_id, number)
        return [(self._version(row), bool(row[-1])) for row in rows]

    def put_version(self, version: Version) -> None:
        """Keep the version as it is now."""
        place = (version.claim_id, version.number)
        known = self._versions_known.get(place)
        self._versions_known[place] = version
        if known is not None and known.document is version.document:
            before, now = vars(known), vars(version)
            changed = tuple([name for name in _VERSION if before[name] != now[name]])
            if changed:
                text = _change_of("version", changed, ("claim_id", "number"))
                values = [_in_column(name, now[name]) for name in changed]
                self._sql.run(text, *values, *place)
            return
        plain = compact_json(version.document).encode()
        sealed = self._box.seal(plain, "version", "document", _named(*place))
        row = {name: _in_column(name, value) for name, value in vars(version).items()}
        self._sql.run(_PUT_VERSION, *[(row | {"document": sealed})[name] for name in _VERSION])

    def retire_versions_below(self, claim_id: str, number: int) -> None:
        """Earlier versions lose their keys."""
        earlier = [at for at in self._versions_known if at[0] == claim_id and at[1] < number]
        for place in earlier:
            del self._versions_known[place]
        if earlier or claim_id not in self._all_known:
            text = "DELETE FROM version WHERE claim_id = ? AND number < ?"
            self._sql.run(text, claim_id, number)

    def forget_read(self) -> None:
        """Read again whatever is asked for from now on."""
        self._claims_known.clear()
        self._changes_known.clear()
        self._forget_versions()

    def _forget_versions(self) -> None:
        self._versions_known.clear()
        self._all_known.clear()

    def _version(self, row: Iterable[Any]) -> Version:
        fields = dict(zip(_VERSION, row, strict=False))  # something may follow
        place = (fields["claim_id"], fields["number"])
        fields["document"] = self._opened.document("version", _named(*place), fields["document"])
        fields["handed_to"] = from_json(fields["handed_to"])
        version = of_fields(Version, fields)
        self._versions_known[place] = version
        return version

    # messages

    def is_first_sight(self, claim_id: str, digest: bytes) -> bool:
        """Tell whether this message is new; from now on it is not. At least the newest 512 are
        remembered.
        """
        if os.urandom(1)[0] < _TRIMMED_OF_256:
            self._sql.run(_FORGET_SEEN, claim_id, claim_id, _MESSAGES_KEPT)
        return self._sql.run(_SEE, claim_id, digest) == 1


def _in_column(name: str, value: Any) -> Any:
    """Return what a column holds of a version, but for its document."""
    return as_json(value) if name == "handed_to" else value


def _named(claim_id: str, number: int) -> str:
    return f"{claim_id}/{number}"


@lru_cache(256)
def _change_of(table: str, columns: tuple[str, ...], key: tuple[str, ...]) -> str:
    """Return the statement that changes these columns of the row with such a key."""
    changes = ", ".join(f'"{name}" = ?' for name in columns)
    where = " AND ".join(f"{name} = ?" for name in key)
    return f"UPDATE {table} SET {changes} WHERE {where}"  # noqa: S608 - our own names
