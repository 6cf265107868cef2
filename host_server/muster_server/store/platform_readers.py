# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Accounts of readers and applications, and the policies that name what they read.

A part of the platform's rows. A policy is a name and the originators whose AEs it opens. Both go
with the accounts they are of.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from muster_server.store.insertions import Insertion
from muster_server.store.platform_known import Asked
from muster_server.store.sql import Sql, replacement

_metadata = sa.MetaData()
_members = sa.Table(
    "policy_members",
    _metadata,
    sa.Column("policy", sa.String(64)),
    sa.Column("originator", sa.String(64)),
)


_PUT = replacement("readers", ("originator", "policy", "kind"), "originator")
_NAME = Insertion("policy_members", ("policy", "originator"), "ON CONFLICT DO NOTHING")


def is_among(policy: str, column: Any) -> Any:
    """The condition that the policy names this originator, for a search by its originators."""
    return column.in_(sa.select(_members.c.originator).where(_members.c.policy == policy))


def is_named(policy: str, column: Any) -> Any:
    """The same, for a look at one after another: however many the policy names."""
    return sa.exists().where(_members.c.policy == policy, _members.c.originator == column)


class PlatformReaders:
    """Questions and deeds within one transaction."""

    def __init__(self, sql: Sql, asked: Asked) -> None:
        self._sql = sql
        self._asked = asked

    def policy_of(self, originator: str) -> str | None:
        """The policy that this reader reads by; None if it is no reader."""
        found = self.kind_of(originator)
        return None if found is None else found[0]

    def kind_of(self, originator: str) -> tuple[str, str] | None:
        """The policy that this account reads by, and what it is; None if it is a device's."""
        text = "SELECT policy, kind FROM readers WHERE originator = ?"
        row = self._sql.row(text, originator)
        return None if row is None else (row["policy"], row["kind"])

    def put(self, originator: str, policy: str, kind: str = "reader") -> None:
        """Have this account read what the policy names, and do what else its kind may."""
        self._asked.removed()
        self._sql.run(_PUT, originator, policy, kind)

    def is_member(self, policy: str, originator: str) -> bool:
        """Tell whether the policy names this originator."""
        text = "SELECT 1 FROM policy_members WHERE policy = ? AND originator = ?"
        return self._sql.row(text, policy, originator) is not None

    def add_members(self, policy: str, originators: Iterable[str]) -> None:
        """Name these in the policy, besides those that it names already."""
        _NAME.run(self._sql, [(policy, originator) for originator in originators])
