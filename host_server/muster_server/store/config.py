# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The records of the configuration server, as questions and deeds in its own words."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    Table,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)

from muster_server.document import compact_json
from muster_server.store.bundles import BundleRecords
from muster_server.store.claims import ENDED, Claim, Job, VendorDevice, Version, new_nonce
from muster_server.store.config_tables import (
    claims,
    events,
    jobs,
    key_checks,
    profiles,
    seen_messages,
    vendor_devices,
    versions,
)
from muster_server.store.contacts import Contacts
from muster_server.store.engine import transaction
from muster_server.store.history import History, Moment
from muster_server.store.readers import ReaderRecords
from muster_server.store.secrets import SecretBox

_EVENTS_KEPT = 100
_MESSAGES_KEPT = 512
_CHECKED = 1  # the one row that knows the key
_REMOVED = b""  # in place of a profile's document


class ConfigStore:
    """Gives out transactions. The caller closes the engine."""

    def __init__(self, engine: Engine, box: SecretBox) -> None:
        self._engine = engine
        self._box = box

    @contextmanager
    def transaction(self) -> Iterator["Records"]:
        """Everything in the block happens, or nothing of it. Not to be nested. Unavailable if
        the database is busy.
        """
        with transaction(self._engine) as connection:
            # Here, with the database's lock: whoever rotates the key waits for it, too.
            self._box.refresh()
            yield Records(connection, self._box)

    def check_key(self) -> None:
        """StoreError if what is stored was sealed with another key. From the first time on, the
        database knows its key, whether or not there is anything else in it.
        """
        with self.transaction() as records:
            records.check_key()


class Records:
    """The deeds of one transaction."""

    def __init__(self, connection: Connection, box: SecretBox) -> None:
        self._connection = connection
        self._box = box
        self.bundles = BundleRecords(connection, box)
        self.history = History(connection)
        self.contacts = Contacts(connection)
        self.readers = ReaderRecords(connection, box)

    def note(self, claim: "Claim", at: float, what: str, **more: Any) -> None:
        """Remember what this server did or saw; `more` are fields of a Moment."""
        fields: dict[str, Any] = {"source": "config", "at": at, "what": what} | more
        moment = Moment(**fields)
        self.history.note(claim.device_id, claim.owner, moment)

    def check_key(self) -> None:
        """Open what was sealed for this; else one of each kind that is there, and seal it now."""
        blob = self._connection.execute(select(key_checks.c.sealed)).scalar()
        if blob is not None:
            self._box.open(blob, "key_check", "sealed", _CHECKED)
            return
        for name in self.profile_names()[:1]:
            self.profile(name)
        for table, read in ((vendor_devices, self.vendor_device), (claims, self.claims_of)):
            device_id = self._connection.execute(select(table.c.device_id).limit(1)).scalar()
            if device_id is not None:
                read(device_id)
        sealed = self._box.seal(b"", "key_check", "sealed", _CHECKED)
        self._connection.execute(insert(key_checks).values(id=_CHECKED, sealed=sealed))

    # profiles

    def profile(self, name: str) -> dict[str, Any] | None:
        """The profile's document with its secrets."""
        query = select(profiles.c.document).where(profiles.c.name == name)
        blob = self._connection.execute(query).scalar()
        return self._opened(blob, "profile", name) if blob else None

    def profile_names(self) -> list[str]:
        """All names in order."""
        query = select(profiles.c.name).where(profiles.c.document != _REMOVED).order_by("name")
        return list(self._connection.execute(query).scalars())

    def remove_profile(self, name: str) -> None:
        """Forget the document. Claims that were released may still bear its name."""
        same = profiles.c.name == name
        if self._connection.execute(select(claims.c.id).where(claims.c.profile == name)).first():
            self._connection.execute(update(profiles).where(same).values(document=_REMOVED))
        else:
            self._connection.execute(delete(profiles).where(same))

    def users_of(self, profile: str) -> list[str]:
        """The ids of devices whose claims, unless released, are configured from the profile."""
        query = select(claims.c.device_id).where(
            claims.c.profile == profile, claims.c.state.not_in(ENDED)
        )
        return sorted(set(self._connection.execute(query).scalars()))

    def put_profile(self, name: str, document: dict[str, Any], now: float) -> None:
        """Keep the document under this name, in place of an earlier one."""
        blob = self._box.seal(compact_json(document).encode(), "profile", "document", name)
        row = {"name": name, "document": blob, "updated_at": now}
        self._put(profiles, row, "name")

    # devices that a vendor registered

    def vendor_device(self, device_id: str) -> VendorDevice | None:
        """The vendor's record of this device."""
        query = select(vendor_devices).where(vendor_devices.c.device_id == device_id)
        row = self._connection.execute(query).mappings().first()
        if row is None:
            return None
        secret = self._box.open(row["secret"], "vendor_device", "secret", device_id)
        return VendorDevice(device_id, secret, row["nonce"], row["seen_at"])

    def add_vendor_device(self, device_id: str, secret: bytes) -> None:
        """Remember that the vendor gave this device this secret."""
        blob = self._box.seal(secret, "vendor_device", "secret", device_id)
        values = {"device_id": device_id, "secret": blob, "nonce": new_nonce()}
        self._connection.execute(insert(vendor_devices).values(values))

    def mark_vendor_device(self, device_id: str, now: float) -> None:
        """Note that the device has been heard of."""
        statement = update(vendor_devices).where(vendor_devices.c.device_id == device_id)
        self._connection.execute(statement.values(seen_at=now))

    # claims

    def claims_of(self, device_id: str) -> list[Claim]:
        """All claims of a device, the oldest first."""
        query = select(claims).where(claims.c.device_id == device_id)
        return self._claims(query.order_by(claims.c.created_at, claims.c.id))

    def claims_of_owner(self, owner: str) -> list[Claim]:
        """All claims of an owner, the oldest first."""
        query = select(claims).where(claims.c.owner == owner)
        return self._claims(query.order_by(claims.c.created_at, claims.c.id))

    def device_ids_of(
        self, owner: str, after: str, limit: int, profile: str | None, state: str | None
    ) -> list[str]:
        """The next ids, in order, of devices with a claim of this owner's that fits."""
        column = claims.c
        query = select(column.device_id).distinct().where(column.owner == owner)
        query = query.where(column.state != "released", column.device_id > after)
        if profile is not None:
            query = query.where(column.profile == profile)
        if state is not None:
            query = query.where(column.status == state)
        rows = self._connection.execute(query.order_by(column.device_id).limit(limit))
        return list(rows.scalars())

    def claim(self, claim_id: str) -> Claim | None:
        """The claim with this id."""
        found = self._claims(select(claims).where(claims.c.id == claim_id))
        return found[0] if found else None

    def expired_claims(self, now: float) -> list[Claim]:
        """Claims that nobody proved in time."""
        return self._claims(select(claims).where(claims.c.expires_at <= now))

    def put_claim(self, claim: Claim) -> None:
        """Keep the claim as it is now."""
        row = {name: getattr(claim, name) for name in Claim.__dataclass_fields__}
        row["secret"] = self._box.seal(claim.secret, "claim", "secret", claim.id)
        if claim.adoption is not None:
            row["adoption"] = self._box.seal(claim.adoption, "claim", "adoption", claim.id)
        self._put(claims, row, "id")

    def remove_claim(self, claim_id: str) -> None:
        """Forget the claim with its versions."""
        self._connection.execute(delete(claims).where(claims.c.id == claim_id))

    def _claims(self, query: Any) -> list[Claim]:
        rows = self._connection.execute(query).mappings()
        return [self._claim(row) for row in rows]

    def _claim(self, row: RowMapping) -> Claim:
        secret = self._box.open(row["secret"], "claim", "secret", row["id"])
        adoption = row["adoption"]
        if adoption is not None:
            adoption = self._box.open(adoption, "claim", "adoption", row["id"])
        return Claim(**{**row, "secret": secret, "adoption": adoption})

    # versions

    def versions_of(self, claim_id: str) -> list[Version]:
        """All versions that still have a valid key, the oldest first."""
        query = select(versions).where(versions.c.claim_id == claim_id)
        rows = self._connection.execute(query.order_by(versions.c.number)).mappings()
        return [self._version(row) for row in rows]

    def version(self, claim_id: str, number: int) -> Version | None:
        """Return this version, if it has not been retired."""
        query = select(versions).where(
            versions.c.claim_id == claim_id, versions.c.number == number
        )
        row = self._connection.execute(query).mappings().first()
        return None if row is None else self._version(row)

    def put_version(self, version: Version) -> None:
        """Keep the version as it is now."""
        place = _version_row(version.claim_id, version.number)
        text = compact_json(version.document).encode()
        row = {name: getattr(version, name) for name in Version.__dataclass_fields__}
        row["document"] = self._box.seal(text, "version", "document", place)
        self._put(versions, row, "claim_id", "number")

    def retire_versions_below(self, claim_id: str, number: int) -> None:
        """Earlier versions lose their keys."""
        condition = (versions.c.claim_id == claim_id) & (versions.c.number < number)
        self._connection.execute(delete(versions).where(condition))

    def _version(self, row: RowMapping) -> Version:
        place = _version_row(row["claim_id"], row["number"])
        return Version(**{**row, "document": self._opened(row["document"], "version", place)})

    # messages, jobs, events

    def has_seen(self, claim_id: str, digest: bytes) -> bool:
        """Tell whether this message came before, as far as is remembered."""
        known = select(seen_messages.c.id).where(
            seen_messages.c.claim_id == claim_id, seen_messages.c.digest == digest
        )
        return self._connection.execute(known).first() is not None

    def is_first_sight(self, claim_id: str, digest: bytes) -> bool:
        """Tell whether this message is new; from now on it is not."""
        if self.has_seen(claim_id, digest):
            return False
        values = {"claim_id": claim_id, "digest": digest}
        self._connection.execute(insert(seen_messages).values(values))
        newest = (
            select(seen_messages.c.id)
            .where(seen_messages.c.claim_id == claim_id)
            .order_by(seen_messages.c.id.desc())
            .limit(_MESSAGES_KEPT)
        )
        old = (seen_messages.c.claim_id == claim_id) & seen_messages.c.id.not_in(newest)
        self._connection.execute(delete(seen_messages).where(old))
        return True

    def add_job(self, deed: str, now: float, **arguments: Any) -> None:
        """Have something done at a platform."""
        values = {"deed": deed, "arguments": arguments, "due_at": now, "tries": 0}
        self._connection.execute(insert(jobs).values(values))

    def due_jobs(self, now: float, most: int, longest_s: float) -> list[Job]:
        """Return what is to be done now, in the order in which it came up.

        What is put off by more than `longest_s` was put off while the clock was wrong.
        """
        is_due = (jobs.c.due_at <= now) | (jobs.c.due_at > now + longest_s)
        query = select(jobs).where(is_due).order_by(jobs.c.id).limit(most)
        rows = self._connection.execute(query).mappings()
        return [Job(r["id"], r["deed"], r["arguments"], r["tries"]) for r in rows]

    def finish_job(self, job_id: int) -> None:
        """Forget a job that has worked."""
        self._connection.execute(delete(jobs).where(jobs.c.id == job_id))

    def postpone_job(self, job: Job, due_at: float) -> None:
        """Postpone a job that has not worked."""
        statement = update(jobs).where(jobs.c.id == job.id)
        self._connection.execute(statement.values(due_at=due_at, tries=job.tries + 1))

    def add_event(self, claim: Claim, now: float, code: str, detail: str) -> None:
        """Tell the owner something about the device; only the newest events are kept."""
        values = {
            "device_id": claim.device_id,
            "owner": claim.owner,
            "at": now,
            "code": code,
            "detail": detail,
        }
        self._connection.execute(insert(events).values(values))
        newest = select(events.c.id).where(_about(claim)).order_by(events.c.id.desc())
        old = _about(claim) & events.c.id.not_in(newest.limit(_EVENTS_KEPT))
        self._connection.execute(delete(events).where(old))

    def events_of(self, claim: Claim, most: int = 20) -> list[dict[str, Any]]:
        """Return what the owner was told about the device, the newest first."""
        query = select(events.c.at, events.c.code, events.c.detail).where(_about(claim))
        query = query.order_by(events.c.id.desc()).limit(most)
        return [dict(row) for row in self._connection.execute(query).mappings()]

    def last_event_at(self, claim: Claim, code: str) -> float:
        """Return the time at which the owner was told this last, in Unix seconds; 0 if never."""
        query = select(func.max(events.c.at)).where(_about(claim), events.c.code == code)
        return self._connection.execute(query).scalar() or 0.0

    def _put(self, table: Table, row: dict[str, Any], *key: str) -> None:
        same = and_(*(table.c[name] == row[name] for name in key))
        # The row as parameters, not as values(): the statement is compiled once for all rows.
        if not self._connection.execute(update(table).where(same), row).rowcount:
            self._connection.execute(insert(table), row)

    def _opened(self, blob: bytes, table: str, row: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self._box.open(blob, table, "document", row))
        return document


def _about(claim: Claim) -> ColumnElement[bool]:
    return (events.c.device_id == claim.device_id) & (events.c.owner == claim.owner)


def _version_row(claim_id: str, number: int) -> str:
    return f"{claim_id}/{number}"
