# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Accounts of readers and applications, and the policies that name what they read.

A part of the platform's rows. A policy is a name and the originators whose AEs it opens. Both go
with the accounts they are of.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

_metadata = sa.MetaData()
_readers = sa.Table(
    "readers",
    _metadata,
    sa.Column("originator", sa.String(64)),
    sa.Column("policy", sa.String(64)),
    sa.Column("kind", sa.String(16)),
)
_members = sa.Table(
    "policy_members",
    _metadata,
    sa.Column("policy", sa.String(64)),
    sa.Column("originator", sa.String(64)),
)


def members_of(policy: str) -> sa.Select[Any]:
    """The originators that the policy names, as a part of another question."""
    return sa.select(_members.c.originator).where(_members.c.policy == policy)


class PlatformReaders:
    """Questions and deeds within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def policy_of(self, originator: str) -> str | None:
        """The policy that this reader reads by; None if it is no reader."""
        question = sa.select(_readers.c.policy).where(_readers.c.originator == originator)
        found: str | None = self._connection.execute(question).scalar()
        return found

    def kind_of(self, originator: str) -> tuple[str, str] | None:
        """The policy that this account reads by, and what it is; None if it is a device's."""
        question = sa.select(_readers.c.policy, _readers.c.kind)
        found = self._connection.execute(question.where(_readers.c.originator == originator))
        row = found.first()
        return None if row is None else (row.policy, row.kind)

    def put(self, originator: str, policy: str, kind: str = "reader") -> None:
        """Have this account read what the policy names, and do what else its kind may."""
        same = _readers.c.originator == originator
        self._connection.execute(sa.delete(_readers).where(same))
        values = {"originator": originator, "policy": policy, "kind": kind}
        self._connection.execute(sa.insert(_readers).values(values))

    def is_member(self, policy: str, originator: str) -> bool:
        """Tell whether the policy names this originator."""
        same = (_members.c.policy == policy) & (_members.c.originator == originator)
        return self._connection.execute(sa.select(_members).where(same)).first() is not None

    def add_members(self, policy: str, originators: Iterable[str]) -> None:
        """Name these in the policy, besides those that it names already."""
        wanted = list(dict.fromkeys(originators))
        known = {str(name) for name in self._connection.execute(members_of(policy)).scalars()}
        new = [{"policy": policy, "originator": o} for o in wanted if o not in known]
        if new:
            self._connection.execute(sa.insert(_members), new)
