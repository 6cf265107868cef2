# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The records of the configuration server, as questions and deeds in its own words."""

import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import Connection, Engine

from muster_server import lane
from muster_server.store.bundles import BundleRecords
from muster_server.store.claim_steps import ClaimSteps
from muster_server.store.claims import Claim
from muster_server.store.contacts import Contacts
from muster_server.store.device_changes import DeviceChanges
from muster_server.store.device_list import DeviceList
from muster_server.store.device_records import DeviceRecords
from muster_server.store.engine import Database
from muster_server.store.firsts import FirstRecords
from muster_server.store.groups import GroupRecords
from muster_server.store.history import History
from muster_server.store.jobs import JobRecords
from muster_server.store.leases import LeaseRecords
from muster_server.store.notices import Ear, say
from muster_server.store.opened import OpenedDocuments
from muster_server.store.postgres_turns import SEVERAL
from muster_server.store.profiles import ProfileRecords
from muster_server.store.readers import ReaderRecords
from muster_server.store.reserved_accounts import ReservedAccounts
from muster_server.store.rollouts import RolloutRecords
from muster_server.store.secrets import SecretBox
from muster_server.store.settling import settle
from muster_server.store.shared_secret import ABOUT, shared_secret
from muster_server.store.sql import Sql, insertion
from muster_server.store.tallies import Tallies
from muster_server.store.tasks import TaskRecords

_EVENTS_KEPT = 100
_CHECKED = 1  # the one row that knows the key
_ADD_EVENT = insertion("event", ("device_id", "owner", "at", "code", "detail"))
_JOBS = "jobs"  # of which processes tell each other
_ABOUT = "device_id = ? AND owner = ?"


class ConfigStore:
    """Gives out transactions. The caller closes the engine."""

    def __init__(self, engine: Engine, box: SecretBox) -> None:
        self._engine = engine
        self._database = Database(engine, rank=1)
        self._box = box
        self._opened = OpenedDocuments(box)
        self._numbers = itertools.count(1)
        self.jobs_added = 0  # another number after each commit with a job in it
        self.ends_added = 0  # the same, if it ends an account or a token

    @contextmanager
    def transaction(self, *devices: str | None) -> Iterator["Records"]:
        """Everything in the block happens, or nothing of it; it is on the disk when the block has
        ended. Not to be nested. Unavailable if the database is busy.

        A block that names devices, by their ids, changes what is about them alone, and jobs.
        """
        named = [device_id for device_id in devices if device_id is not None]
        with self._database.transaction(SEVERAL.join(named) or None) as connection:
            # Here, with the database's lock: whoever rotates the key waits for it, too.
            self._box.refresh()
            records = Records(connection, self._box, self._opened)
            yield records
        if records.jobs.added:
            has_ends = records.jobs.ends_added > 0
            lane.afterwards(lambda: self.note_jobs(with_ends=has_ends))

    def note_jobs(self, *, with_ends: bool = True) -> None:
        """Remember that there are jobs at which nobody of this process has looked; `with_ends`:
        there may be such as do not wait.
        """
        self.jobs_added = next(self._numbers)
        if with_ends:
            self.ends_added = self.jobs_added

    def ear(self) -> Ear | None:
        """Return an ear for jobs that other processes have, which the caller closes; None if there
        are none. Unavailable if the database does not answer.
        """
        return Ear(self._engine, _JOBS) if self._database.is_shared else None

    def call_others(self) -> None:
        """Tell whoever does jobs that there are more. Unavailable if the database is away."""
        if self._database.is_shared:
            say(self._engine, _JOBS)

    @contextmanager
    def reading(self) -> Iterator["Records"]:
        """The records as they are now, for questions alone. Unavailable if that cannot be had."""
        # Before: a key that is put into the file later has sealed nothing that is seen here.
        self._box.refresh()
        with self._database.reading() as connection:
            yield Records(connection, self._box, self._opened)

    def settle(self) -> None:
        """Wait until whatever has a lower number than what can be read now can be read, too.

        Unavailable if that does not come.
        """
        if self._database.is_shared:
            settle(self._engine)

    def alone(self, what: str, patience_s: float = 0.0) -> AbstractContextManager[bool]:
        """Tell whether nobody else is at this, in any process, until the block ends."""
        return self._database.alone(what, patience_s)

    def shared_epoch(self) -> bytes | None:
        """The secret that all processes have until the tables are made anew or filled anew, as a
        restoration does it; a crash of the database makes another, too. None: there is one
        process.
        """
        if not self._database.is_shared:
            return None
        with self._database.transaction(ABOUT) as connection:
            return shared_secret(Sql(connection), "claim")

    @property
    def connections_made(self) -> int:
        """Another number after the database was away."""
        return self._database.connections_made

    def check_key(self) -> None:
        """StoreError if what is stored was sealed with another key. From the first time on, the
        database knows its key, whether or not there is anything else in it.
        """
        with self.transaction() as records:
            records.check_key()


class Records(DeviceRecords):
    """The deeds of one transaction."""

    def __init__(self, connection: Connection, box: SecretBox, opened: OpenedDocuments) -> None:
        sql = Sql(connection)
        super().__init__(sql, box, opened)
        self.bundles = BundleRecords(sql, box)
        self.steps = ClaimSteps(sql, self._claims_known)
        self.history = History(sql)
        self.contacts = Contacts(sql)
        self.devices = DeviceList(sql)
        self.firsts = FirstRecords(sql)
        self.groups = GroupRecords(sql)
        self.leases = LeaseRecords(sql)
        self.tasks = TaskRecords(sql, box)
        self.tallies = Tallies(sql)
        self.jobs = JobRecords(sql)
        self.profiles = ProfileRecords(sql, box, opened)
        self.reserved = ReservedAccounts(sql)
        self.rollouts = RolloutRecords(sql)
        self.readers = ReaderRecords(sql, box)
        self.changes = DeviceChanges(sql, box, self._changes_known)

    @contextmanager
    def part(self) -> Iterator[None]:
        """Take back what happens in the block, and nothing else, if an error ends it."""
        try:
            with self._sql.part():
                yield
        except BaseException:
            self.forget_read()  # it may have been changed in the block
            self.history.forget_read()
            raise

    def note(self, claim: "Claim", at: float, what: str, **more: Any) -> None:
        """Remember what this server did or saw; `more` are fields of a Moment."""
        self.history.note_now(claim.device_id, claim.owner, at, what, **more)

    def check_key(self) -> None:
        """Open what was sealed for this; else one of each kind that is there, and seal it now."""
        blob = self._sql.value("SELECT sealed FROM key_check")
        if blob is not None:
            self._box.open(blob, "key_check", "sealed", _CHECKED)
            return
        for name in self.profiles.names()[:1]:
            self.profile(name)
        for table, read in (("vendor_device", self.vendor_device), ("claim", self.claims_of)):
            device_id = self._sql.value(f"SELECT device_id FROM {table} LIMIT 1")  # noqa: S608
            if device_id is not None:
                read(device_id)
        sealed = self._box.seal(b"", "key_check", "sealed", _CHECKED)
        self._sql.run(insertion("key_check", ("id", "sealed")), _CHECKED, sealed)

    # profiles

    def profile(self, name: str) -> dict[str, Any] | None:
        """The profile's document with its secrets, as it is in force. It is not to be changed."""
        return self.profiles.document(name)

    def profile_changed_at(self, name: str) -> float:
        """Return the time at which the profile was put last; 0 if there is none."""
        text = "SELECT updated_at FROM profile WHERE name = ?"
        return float(self._sql.value(text, name) or 0.0)

    def profile_of(self, claim: Claim) -> dict[str, Any] | None:
        """The document that the claim's device is to be configured from: of the version in force,
        or of one that a roll-out has brought to it.
        """
        return self.profiles.document(claim.profile, self._number_for(claim))

    def effect_of(self, claim: Claim) -> int:
        """The effect of the version that `profile_of` returns."""
        return self.profiles.effect(claim.profile, self._number_for(claim))

    def _number_for(self, claim: Claim) -> int | None:
        """The version that a roll-out has brought to the claim; None: none."""
        if self.profiles.has_looked_at(claim.profile):
            return self.rollouts.number_for(claim.id, claim.profile)
        return self.profiles.look_for(claim.id, claim.profile)

    # jobs, events

    def add_job(self, deed: str, now: float, **arguments: Any) -> None:
        """Have something done at a platform."""
        self.jobs.add(deed, now, arguments)

    def add_event(self, claim: Claim, now: float, code: str, detail: str) -> None:
        """Tell the owner something about the device; only the newest events are kept."""
        about = (claim.device_id, claim.owner)
        self._sql.run(_ADD_EVENT, *about, now, code, detail)
        self._sql.run(
            f"DELETE FROM event WHERE {_ABOUT} AND id <= (SELECT id FROM event"  # noqa: S608
            f" WHERE {_ABOUT} ORDER BY id DESC LIMIT 1 OFFSET ?)",
            *(*about, *about, _EVENTS_KEPT),
        )

    def events_of(self, claim: Claim, most: int = 20) -> list[dict[str, Any]]:
        """Return what the owner was told about the device, the newest first."""
        text = f"SELECT at, code, detail FROM event WHERE {_ABOUT} ORDER BY id DESC LIMIT ?"  # noqa: S608
        return [dict(row) for row in self._sql.rows(text, claim.device_id, claim.owner, most)]

    def last_event_at(self, claim: Claim, code: str) -> float:
        """Return the time at which the owner was told this last, in Unix seconds; 0 if never."""
        text = f"SELECT max(at) FROM event WHERE {_ABOUT} AND code = ?"  # noqa: S608 - our own
        return self._sql.value(text, claim.device_id, claim.owner, code) or 0.0
