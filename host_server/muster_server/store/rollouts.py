# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Roll-outs and the devices in their waves; a part of the configuration server's records."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from muster_server.store.claims import ENDED, HELD
from muster_server.store.sql import Sql, as_json, from_json, replacement

ACTIVE = ("filling", "running", "waiting", "stopped")
WORKED_AT = ("running", "waiting", "stopped")


@dataclass(frozen=True)
class Rollout:
    """A version of a profile on its way to devices."""

    id: str
    owner: str
    profile: str
    number: int
    state: str  # "filling", "running", "waiting", "stopped", "done", "aborted"
    wave: int  # that is under way, from 1 on
    waves: list[
        dict[str, Any]
    ]  # {"percent": 5}, {"number": 20}, {"group": "hall 3"}, {}: the rest
    is_automatic: bool
    most_failed: int
    need_percent: int
    forgiven: int
    reason: str
    by_whom: str
    created_at: float
    changed_at: float


@dataclass(frozen=True)
class Member:
    """A device of a roll-out."""

    claim_id: str
    wave: int
    state: str = "waiting"  # "waiting", "offered", "held", "succeeded", "failed"
    above: int = 0
    seen_at: float = 0.0
    device_id: str = ""
    failure: dict[str, Any] | None = None  # how it went when it failed, whatever healed since


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


_FIELDS = tuple(Rollout.__dataclass_fields__)
_PUT = replacement("rollout", _FIELDS, "id")
_ALL = f"SELECT {', '.join(_FIELDS)} FROM rollout"  # noqa: S608 - our own names
_MEMBER = tuple(Member.__dataclass_fields__)
_PUT_MEMBER = replacement("rollout_device", ("rollout_id", *_MEMBER), "rollout_id", "claim_id")
_CHANGE_MEMBER = (
    "UPDATE rollout_device SET state = ?, above = ?, seen_at = ?, failure = ?"
    " WHERE rollout_id = ? AND claim_id = ?"
)
_D_MEMBER = ", ".join(f"d.{name}" for name in _MEMBER)
# Whose claim has got another profile, or has ended, has left.
_STRAYS = (
    "DELETE FROM rollout_device WHERE {} AND NOT EXISTS (SELECT 1 FROM claim c"  # noqa: S608
    " WHERE c.id = rollout_device.claim_id AND c.profile = ?"
    f" AND c.state NOT IN ({_listed(ENDED)}))"
)
_SLICE = "rollout_id = ? AND claim_id > ? AND claim_id <= ?"
_SLICE_END = (
    "SELECT max(claim_id) FROM (SELECT claim_id FROM rollout_device WHERE rollout_id = ?"
    " AND claim_id > ? ORDER BY claim_id LIMIT ?) AS part"
)
_GIVEN = (
    "EXISTS (SELECT 1 FROM version v WHERE v.claim_id = {0}.claim_id"
    " AND v.number > {0}.above AND v.handed_out_at IS NOT NULL)"
)


def number_of(claim_id: str, profile: str) -> str:
    """Return the question for the version of this profile that a roll-out has brought to this
    claim; both are columns, or marks for values.
    """
    return (
        "SELECT r.number FROM rollout_device d JOIN rollout r ON r.id = d.rollout_id"  # noqa: S608
        f" WHERE d.claim_id = {claim_id} AND r.profile = {profile} AND ((r.state IN"
        " ('running', 'waiting') AND d.state IN ('offered', 'succeeded', 'failed'))"
        " OR (r.state = 'stopped' AND (d.state = 'succeeded'"
        f" OR d.state = 'offered' AND {_GIVEN.format('d')})))"
    )


NUMBER_FOR = number_of("?", "?")  # a claim and a profile
# In this order: first whoever was heard of, then whether they are in it.
_HEARD = (
    f"SELECT {_D_MEMBER} FROM claim c CROSS JOIN rollout_device d"  # noqa: S608 - our own names
    f" WHERE c.owner = ? AND c.status IN ({_listed(HELD)}) AND c.seen_at > ?"
    " AND d.rollout_id = ? AND d.claim_id = c.id AND d.state IN ('offered', 'failed')"
    " AND c.seen_at > d.seen_at LIMIT ?"
)
# What has not been given to a device need not be, once the roll-out has stopped.
_HOLD = (
    f"UPDATE rollout_device SET state = 'held' WHERE {_SLICE} AND state = 'offered'"  # noqa: S608
    f" AND NOT {_GIVEN.format('rollout_device')}"
)


class RolloutRecords:
    """Questions and deeds within one transaction."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def number_for(self, claim_id: str, profile: str) -> int | None:
        """The version of the profile that a roll-out has brought to this claim; None: none."""
        found: int | None = self._sql.value(NUMBER_FOR, claim_id, profile)
        return found

    def put(self, rollout: Rollout) -> None:
        """Keep the roll-out as it is now."""
        row = {name: getattr(rollout, name) for name in _FIELDS}
        row |= {"waves": as_json(rollout.waves), "is_automatic": int(rollout.is_automatic)}
        self._sql.run(_PUT, *row.values())

    def one(self, rollout_id: str, owner: str) -> Rollout | None:
        """The owner's roll-out of this id."""
        return self._first(f"{_ALL} WHERE id = ? AND owner = ?", rollout_id, owner)

    def active_of(self, profile: str) -> Rollout | None:
        """The roll-out of the profile that has not ended."""
        return self._first(f"{_ALL} WHERE profile = ? AND state IN ({_listed(ACTIVE)})", profile)

    def worked_at(self) -> list[Rollout]:
        """Return those that have not ended, the oldest first."""
        text = f"{_ALL} WHERE state IN ({_listed(WORKED_AT)}) ORDER BY created_at, id LIMIT 20"
        return [_rollout(row) for row in self._sql.rows(text)]

    def of(self, owner: str, most: int, profile: str | None = None) -> list[Rollout]:
        """The owner's, the newest first."""
        which, values = ("", ()) if profile is None else (" AND profile = ?", (profile,))
        text = f"{_ALL} WHERE owner = ?{which} ORDER BY created_at DESC, id LIMIT ?"
        return [_rollout(row) for row in self._sql.rows(text, owner, *values, most)]

    def remove(self, rollout_id: str, most: int) -> bool:
        """Forget so many of its devices, or, if there are none, a roll-out; whether it is gone."""
        text = (
            "DELETE FROM rollout_device WHERE rollout_id = ? AND claim_id IN"
            " (SELECT claim_id FROM rollout_device WHERE rollout_id = ? LIMIT ?)"
        )
        if self._sql.run(text, rollout_id, rollout_id, most):
            return False
        self._sql.run("DELETE FROM rollout WHERE id = ?", rollout_id)
        return True

    def cut_off(self, before: float) -> list[str]:
        """The ids of those that were not filled to their end."""
        text = "SELECT id FROM rollout WHERE state = 'filling' AND created_at < ?"
        return [row[0] for row in self._sql.rows(text, before)]

    # its devices

    def candidates(self, owner: str, profile: str) -> list[tuple[str, str, str]]:
        """The owner's claims that are configured from the profile, with their devices' ids and
        groups.
        """
        text = (
            "SELECT c.id, c.device_id, coalesce(g.name, '') FROM claim c"  # noqa: S608
            " LEFT JOIN device_group g"
            " ON g.owner = c.owner AND g.device_id = c.device_id"
            f" WHERE c.owner = ? AND c.profile = ? AND c.state NOT IN ({_listed(ENDED)})"
        )
        return [(row[0], row[1], row[2]) for row in self._sql.rows(text, owner, profile)]

    def slice_end(self, rollout_id: str, after: str, most: int) -> str | None:
        """The last of so many of its claims after this one, by their ids; None: there are none."""
        end: str | None = self._sql.value(_SLICE_END, rollout_id, after, most)
        return end

    def drop_strays(self, rollout: Rollout, after: str, end: str) -> None:
        """Forget those of this slice that were given up, or got another profile, while it was
        filled.
        """
        self._sql.run(_STRAYS.format(_SLICE), rollout.id, after, end, rollout.profile)

    def change_members(self, rollout_id: str, members: Iterable[Member]) -> None:
        """Keep its devices as they are now, but for those that have left."""
        self._sql.run_many(
            _CHANGE_MEMBER,
            ((m.state, m.above, m.seen_at, _failure(m), rollout_id, m.claim_id) for m in members),
        )

    def put_members(self, rollout_id: str, members: Iterable[Member]) -> None:
        """Put devices into it."""
        rows = (
            (rollout_id, *(getattr(m, name) for name in _MEMBER[:-1]), _failure(m))
            for m in members
        )
        self._sql.run_many(_PUT_MEMBER, rows)

    def to_offer(self, rollout: Rollout, most: int) -> list[Member]:
        """Devices of waves that have begun to which it was not brought yet."""
        text = (
            f"SELECT {_D_MEMBER} FROM rollout_device d WHERE d.rollout_id = ?"  # noqa: S608
            " AND d.state = 'waiting' AND d.wave <= ? LIMIT ?"
        )
        return [_member(row) for row in self._sql.rows(text, rollout.id, rollout.wave, most)]

    def with_news(self, rollout: Rollout, most: int, since: float | None = None) -> list[Member]:
        """Devices that were heard of since they were looked at, and have not succeeded. With
        `since` only those heard of after it, by an index; without, all are looked through.
        """
        if since is not None:
            rows = self._sql.rows(_HEARD, rollout.owner, since, rollout.id, most)
            return [_member(row) for row in rows]
        text = (
            f"SELECT {_D_MEMBER} FROM rollout_device d JOIN claim c ON c.id = d.claim_id"  # noqa: S608
            " WHERE d.rollout_id = ? AND d.state IN ('offered', 'failed')"
            " AND c.seen_at > d.seen_at LIMIT ?"
        )
        return [_member(row) for row in self._sql.rows(text, rollout.id, most)]

    def hold(self, rollout_id: str, after: str, end: str) -> None:
        """Hold back what no device of this slice was given yet."""
        self._sql.run(_HOLD, rollout_id, after, end)

    def let_go(self, rollout_id: str, after: str, end: str) -> None:
        """Offer to this slice again what was held back."""
        text = f"UPDATE rollout_device SET state = 'waiting' WHERE {_SLICE} AND state = 'held'"  # noqa: S608
        self._sql.run(text, rollout_id, after, end)

    def counts(self, rollout_id: str) -> dict[tuple[int, str], int]:
        """The number of devices by wave and state."""
        text = (
            "SELECT wave, state, count(*) FROM rollout_device WHERE rollout_id = ?"
            " GROUP BY state, wave"  # as the index has them
        )
        return {(row[0], row[1]): row[2] for row in self._sql.rows(text, rollout_id)}

    def members(self, rollout_id: str, state: str | None, after: str, most: int) -> list[Member]:
        """Return devices by their ids, some of them."""
        which, values = ("", ()) if state is None else (" AND d.state = ?", (state,))
        text = (
            f"SELECT {_D_MEMBER} FROM rollout_device d WHERE d.rollout_id = ?{which}"  # noqa: S608
            " AND d.device_id > ? ORDER BY d.device_id LIMIT ?"
        )
        rows = self._sql.rows(text, rollout_id, *values, after, most)
        return [_member(row) for row in rows]

    def _first(self, text: str, *values: Any) -> Rollout | None:
        row = self._sql.row(text, *values)
        return None if row is None else _rollout(row)


def _failure(member: Member) -> str | None:
    return None if member.failure is None else as_json(member.failure)


def _member(row: Any) -> Member:
    fields = dict(row)
    failure = fields["failure"]
    return Member(**{**fields, "failure": None if failure is None else from_json(failure)})


def _rollout(row: Any) -> Rollout:
    fields = dict(row)
    fields["waves"] = from_json(fields["waves"])
    fields["is_automatic"] = bool(fields["is_automatic"])
    return Rollout(**fields)
