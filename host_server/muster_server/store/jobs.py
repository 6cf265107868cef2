# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Jobs: deeds at platforms until they have worked; a part of the records."""

from collections.abc import Collection
from typing import Any

from muster_server.store.claims import DESCRIBING, Job
from muster_server.store.sql import Sql, as_json, from_json, insertion, marks

_ADD = insertion("chore", ("deed", "arguments", "due_at", "tries"))
_DUE = (
    "SELECT id, deed, arguments, tries FROM chore WHERE due_at <= ? OR due_at > ?"  # noqa: S608
    f" ORDER BY CASE WHEN deed IN {DESCRIBING} THEN 1 ELSE 0 END, id LIMIT ?"
)


class JobRecords:
    """Questions and deeds within one transaction."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql
        self.added = 0  # in this transaction
        self.ends_added = 0  # of those, such as end an account or a token

    def add(self, deed: str, now: float, arguments: dict[str, Any]) -> None:
        """Have something done at a platform."""
        self._sql.run(_ADD, deed, as_json(arguments), now, 0)
        self.added += 1
        self.ends_added += deed not in DESCRIBING

    def due(self, now: float, most: int, longest_s: float) -> list[Job]:
        """Return what is to be done now, in the order in which it came up: first whatever ends
        an account or a token, then descriptions.

        What is put off by more than `longest_s` was put off while the clock was wrong.
        """
        rows = self._sql.rows(_DUE, now, now + longest_s, most)
        return [Job(r["id"], r["deed"], from_json(r["arguments"]), r["tries"]) for r in rows]

    def counts(self) -> dict[str, float]:
        """The number of jobs of each kind that are to be done, now or later."""
        rows = self._sql.rows("SELECT deed, count(*) FROM chore GROUP BY deed")
        return {row[0]: row[1] for row in rows}

    def finish(self, job_ids: Collection[int]) -> None:
        """Forget jobs that have worked."""
        self._sql.run(f"DELETE FROM chore WHERE id IN ({marks(job_ids)})", *job_ids)  # noqa: S608

    def postpone(self, job: Job, due_at: float) -> None:
        """Postpone a job that has not worked."""
        text = "UPDATE chore SET due_at = ?, tries = ? WHERE id = ?"
        self._sql.run(text, due_at, job.tries + 1, job.id)
