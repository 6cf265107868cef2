# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Tasks: what is done to many devices, a few at a time, with a verdict for each.

All of a task is in the database: it goes on after a restart where it was, and a row is done in the
same transaction that says so.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from muster_server.config_server.bulk import BulkService
from muster_server.config_server.changing import changed, checked_change
from muster_server.errors import Conflict, HostError, Invalid, NotFound
from muster_server.store.config import ConfigStore, Records
from muster_server.store.tasks import DONE, NEW, TRIED, Task, TaskRow

MOST_ROWS = 100_000
KEPT = 50  # tasks of an owner
# Labels of a task that its owner does not go on with are forgotten by then.
IDLE_S = 3600.0
_AT_ONCE = 50  # as of config_server/bulk.py


class Undone(Exception):
    """Raised in a transaction of which nothing shall be kept."""


class TaskService:
    """Rules for tasks. Knows neither HTTP nor SQL."""

    def __init__(self, store: ConfigStore, bulk: BulkService, clock: Callable[[], float]) -> None:
        self._store = store
        self._bulk = bulk
        self._clock = clock
        self._deeds = {"claim": self._claim, "change": self._change}

    def begin(
        self, kind: str, owner: str, arguments: dict[str, Any], by_whom: str
    ) -> dict[str, Any]:
        """Make a task without rows.

        Raises NotFound (profile), Invalid for arguments that will not do, Conflict if there are
        too many.
        """
        now = self._clock()
        task = Task(secrets.token_hex(8), owner, kind, "filling", arguments, by_whom, now, now, 0)
        if kind == "change":
            checked_change(**arguments)
        with self._store.transaction() as records:
            profile = arguments.get("profile")
            if profile is not None and records.profile(profile) is None:
                raise NotFound(f'there is no profile named "{profile}"; make it first')
            ended = [t for t in records.tasks.of(owner, 10 * KEPT) if _is_over(t)]
            for old in ended[KEPT - 1 :]:
                records.tasks.remove(old.id)
            if len(records.tasks.of(owner, KEPT)) >= KEPT:
                raise Conflict(f"there are {KEPT} tasks that have not ended; end some of them")
            records.tasks.put(task)
        return self.shown(task.id, owner)

    def add_rows(self, task_id: str, owner: str, rows: Sequence[TaskRow]) -> None:
        """Add rows to a task that has not begun. NotFound, Conflict, or Invalid for a number that
        there is already.
        """
        with self._store.transaction() as records:
            task = _existing(records, task_id, owner)
            if task.state != "filling":
                raise Conflict("this task has begun: it takes no more rows")
            if task.total + len(rows) > MOST_ROWS:
                raise Invalid(f"a task has {MOST_ROWS} rows at most", path="rows")
            numbers = [row.number for row in rows]
            if len(set(numbers)) < len(numbers) or min(numbers) <= records.tasks.last(task_id):
                raise Invalid("wanted numbers that only grow", path="rows")
            records.tasks.add_rows(task_id, rows)
            total = task.total + len(rows)
            records.tasks.put(replace(task, total=total, changed_at=self._clock()))

    def start(self, task_id: str, owner: str, *, is_trial: bool) -> dict[str, Any]:
        """Try all rows, and keep nothing; or do them. NotFound, or Conflict if it has ended."""
        state = "looking" if is_trial else "running"
        with self._store.transaction() as records:
            task = _existing(records, task_id, owner)
            if task.state not in ("filling", "looked") or (is_trial and task.kind != "claim"):
                raise Conflict("this task cannot begin: it has begun, has ended, or has expired")
            records.tasks.begin_anew(task_id)
            records.tasks.put(replace(task, state=state, changed_at=self._clock()))
        return self.shown(task_id, owner)

    def give_up(self, task_id: str, owner: str) -> None:
        """Forget a task; what it has done stays. NotFound."""
        with self._store.transaction() as records:
            records.tasks.remove(_existing(records, task_id, owner).id)

    def shown(self, task_id: str, owner: str) -> dict[str, Any]:
        """Return how far a task has come. NotFound."""
        with self._store.reading() as records:
            return _shown(records, _existing(records, task_id, owner))

    def listed(self, owner: str) -> list[dict[str, Any]]:
        """The owner's tasks, the newest first."""
        with self._store.reading() as records:
            return [_shown(records, task) for task in records.tasks.of(owner, KEPT)]

    def rows(
        self, task_id: str, owner: str, after: int, most: int, verdict: str | None
    ) -> dict[str, Any]:
        """Return the verdicts, some of them; `next` is the number to go on after, or None."""
        with self._store.reading() as records:
            _existing(records, task_id, owner)
            found = records.tasks.rows(task_id, after, most + 1, verdict)
        shown = [
            {
                "row": row.number,
                "device_id": row.device_id,
                "name": row.name,
                "verdict": row.verdict,
                "detail": row.detail,
            }
            for row in found[:most]
        ]
        return {"rows": shown, "next": found[most - 1].number if len(found) > most else None}

    # What the worker does. `is_mine` tells, in the transaction, whether it is still the one.

    def has_work(self, records: Records) -> bool:
        """Tell whether there is something to do."""
        return records.tasks.next() is not None

    def step(self, is_mine: Callable[[Records], bool]) -> bool:
        """Do some rows of the oldest task; whether there was one."""
        with self._store.reading() as records:
            task = records.tasks.next()
            if task is None:
                return False
            below = TRIED if task.state == "looking" else DONE
            rows = records.tasks.pending(task.id, below, _AT_ONCE)
        if not rows:
            self._end(task, is_mine)
        elif task.state == "looking":
            self._try(task, rows, is_mine)
        else:
            self._do(task, rows, is_mine)
        return True

    def end_idle(self, is_mine: Callable[[Records], bool]) -> None:
        """Forget the labels of tasks that their owners do not go on with."""
        now = self._clock()
        with self._store.reading() as records:
            idle = records.tasks.idle_since(now - IDLE_S)
        for task in idle:
            with self._store.transaction() as records:
                if is_mine(records):
                    records.tasks.drop_labels(task.id)
                    records.tasks.put(replace(task, state="expired", changed_at=now))

    def _try(self, task: Task, rows: list[TaskRow], is_mine: Callable[[Records], bool]) -> None:
        tried: list[TaskRow] = []
        try:
            with self._store.transaction() as records:
                tried = [
                    replace(self._deeds[task.kind](records, task, r), stage=TRIED) for r in rows
                ]
                raise Undone
        except Undone:
            pass
        with self._store.transaction() as records:
            if is_mine(records) and _is_still(records, task):
                records.tasks.put_verdicts(task.id, tried)

    def _do(self, task: Task, rows: list[TaskRow], is_mine: Callable[[Records], bool]) -> None:
        with self._store.transaction() as records:
            if not is_mine(records) or not _is_still(records, task):
                return
            records.tasks.put_verdicts(task.id, self._done(records, task, rows, DONE))

    def _done(
        self, records: Records, task: Task, rows: list[TaskRow], stage: int
    ) -> list[TaskRow]:
        do = self._deeds[task.kind]
        return [replace(do(records, task, row), stage=stage) for row in rows]

    def _end(self, task: Task, is_mine: Callable[[Records], bool]) -> None:
        with self._store.transaction() as records:
            if not is_mine(records) or not _is_still(records, task):
                return
            state = "looked" if task.state == "looking" else "done"
            if state == "done":
                records.tasks.drop_labels(task.id)
            records.tasks.put(replace(task, state=state, changed_at=self._clock()))

    def _claim(self, records: Records, task: Task, row: TaskRow) -> TaskRow:
        profile = task.arguments["profile"]
        if records.profile(profile) is None:
            return replace(
                row, verdict="refused", detail=f'there is no profile "{profile}" any more'
            )
        about = row.label or "", row.name, profile, task.owner
        found = self._bulk.verdict(records, *about, is_kept=task.state == "running")
        device_id = found["device_id"] or row.device_id
        return replace(row, device_id=device_id, verdict=found["verdict"], detail=found["detail"])

    def _change(self, records: Records, task: Task, row: TaskRow) -> TaskRow:
        new = checked_change(**task.arguments)
        now = self._clock()
        try:
            with records.part():
                changed(records, task.owner, row.device_id or "", new, now)
        except HostError as error:
            return replace(row, verdict="refused", detail=str(error))
        return replace(row, verdict="changed", detail="")


def _is_over(task: Task) -> bool:
    return task.state in ("done", "expired")


def _is_still(records: Records, task: Task) -> bool:
    """Tell whether its owner has left it as it was."""
    now = records.tasks.one(task.id, task.owner)
    return now is not None and now.state == task.state


def _existing(records: Records, task_id: str, owner: str) -> Task:
    task = records.tasks.one(task_id, owner)
    if task is None:
        raise NotFound("there is no such task")
    return task


def _shown(records: Records, task: Task) -> dict[str, Any]:
    verdicts: Counter[str] = Counter()
    stages: Counter[int] = Counter()
    for stage, verdict, number in records.tasks.counts(task.id):
        stages[stage] += number
        if verdict:
            verdicts[verdict] += number
    return {
        "id": task.id,
        "kind": task.kind,
        "state": task.state,
        "arguments": task.arguments,
        "by": task.by_whom,
        "created_at": task.created_at,
        "changed_at": task.changed_at,
        "total": task.total,
        "done": task.total - stages[NEW],
        "verdicts": dict(verdicts),
    }
