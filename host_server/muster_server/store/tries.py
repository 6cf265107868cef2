# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Records of who failed how often, and of challenges that were used; a part of the portal's."""

import hashlib
from dataclasses import dataclass

from muster_server.store.sql import Sql

_MOST = 65536
_SOME = 64  # tries between two looks at how many there are
_COUNT = (
    "INSERT INTO failed_try (who, count, at) VALUES (?, 1, ?) ON CONFLICT (who) DO UPDATE"
    " SET count = failed_try.count + 1, at = excluded.at"
)
_FORGET = "DELETE FROM failed_try WHERE who IN"
_USE = "INSERT INTO used_challenge (hash, until) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING"


@dataclass(frozen=True)
class Failures:
    """Failures one after another, and when the newest was."""

    count: int
    at: float


class TryRecords:
    """Questions and deeds within one transaction. Names are kept as hashes: what people type where
    a name is wanted may be their password.
    """

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def failures(self, who: str) -> Failures:
        """The failures of this key."""
        found = self._sql.row("SELECT count, at FROM failed_try WHERE who = ?", _hash(who))
        return Failures(0, 0.0) if found is None else Failures(found["count"], found["at"])

    def count(self, who: str, at: float, forgotten: float) -> None:
        """One more; those from before `forgotten` are no more. Of all the newest are kept."""
        self._sql.run("DELETE FROM failed_try WHERE at < ?", forgotten)
        self._sql.run(_COUNT, _hash(who), at)
        if int(at * 1000) % _SOME == 0:
            newest = "(SELECT who FROM failed_try ORDER BY at DESC LIMIT ? OFFSET ?)"
            self._sql.run(f"{_FORGET} {newest}", _MOST, _MOST)

    def clear(self, who: str) -> None:
        """Forget the failures of this key."""
        self._sql.run("DELETE FROM failed_try WHERE who = ?", _hash(who))

    def take_back(self, who: str, before: Failures) -> None:
        """Let one be no failure: as before, unless there were others since."""
        is_alone = self.failures(who).count <= before.count + 1
        if not before.count and is_alone:
            self.clear(who)
        elif is_alone:
            change = "UPDATE failed_try SET count = ?, at = ? WHERE who = ?"
            self._sql.run(change, before.count, before.at, _hash(who))
        else:
            self._sql.run("UPDATE failed_try SET count = count - 1 WHERE who = ?", _hash(who))

    def set_right(self, who: str, now: float) -> None:
        """A time that is yet to come, by a clock that was set back, is now."""
        self._sql.run(
            "UPDATE failed_try SET at = ? WHERE who = ? AND at > ?", now, _hash(who), now
        )

    def use_challenge(self, challenge: bytes, until: float, now: float) -> bool:
        """Note its use; False if it was used before. Those that are over are forgotten."""
        self._sql.run("DELETE FROM used_challenge WHERE until < ?", now)
        return self._sql.run(_USE, hashlib.sha256(challenge).hexdigest(), until) == 1


def _hash(who: str) -> str:
    return hashlib.sha256(who.encode()).hexdigest()
