# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A claim that goes on by a step; a part of the configuration server's records.

Whoever has read a claim, or written it, a moment ago need not read it again to change it, if
nobody else has done so meanwhile.
"""

from muster_server.store.claims import Claim
from muster_server.store.sql import Sql, as_json

# As text: PostgreSQL does not compare JSON, which it keeps as it was written.
_GO_ON = (
    "UPDATE claim SET highest = ?, progress = ?, asked = NULL"
    " WHERE id = ? AND state = ? AND highest = ? AND CAST(progress AS TEXT) = ?"
)


class ClaimSteps:
    """Deeds within one transaction."""

    def __init__(self, sql: Sql, read: dict[str, Claim]) -> None:
        """`read` are the claims that the transaction takes to be in the database."""
        self._sql = sql
        self._read = read

    def go_on(self, known: Claim, claim: Claim) -> bool:
        """Give the claim its progress and its highest number, and take it that it has no answer to
        wait for; nothing else of it is kept. Tell whether it was done: it is not, if the claim's
        state, number or progress are others now than `known` says.
        """
        self._read.pop(claim.id, None)
        values = (claim.highest, as_json(claim.progress))
        wanted = (claim.id, known.state, known.highest, as_json(known.progress))
        return self._sql.run(_GO_ON, *values, *wanted) == 1
