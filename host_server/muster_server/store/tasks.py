# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Tasks and their rows; a part of the configuration server's records."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from muster_server.store.secrets import SecretBox
from muster_server.store.sql import Sql, as_json, from_json, insertion, replacement

NEW, TRIED, DONE = range(3)  # the stages of a row


@dataclass(frozen=True)
class Task:
    """Something that is done to many devices."""

    id: str
    owner: str
    kind: str  # "claim", "change"
    state: str  # "filling", "looking", "looked", "running", "done", "expired"
    arguments: dict[str, Any]
    by_whom: str
    created_at: float
    changed_at: float
    total: int


@dataclass(frozen=True)
class TaskRow:
    """One device of a task, with the verdict on it."""

    number: int
    stage: int = NEW
    device_id: str | None = None
    name: str = ""
    label: str | None = field(default=None, repr=False)
    verdict: str = ""
    detail: str = ""


_TASK = tuple(Task.__dataclass_fields__)
_ROW = tuple(TaskRow.__dataclass_fields__)
_PUT = replacement("task", _TASK, "id")
_TASKS = f"SELECT {', '.join(_TASK)} FROM task"  # noqa: S608 - our own names
_ADD_ROW = insertion("task_row", ("task_id", *_ROW))
_ROWS = f"SELECT {', '.join(_ROW)} FROM task_row WHERE task_id = ?"  # noqa: S608
_PUT_VERDICT = (
    "UPDATE task_row SET stage = ?, device_id = ?, verdict = ?, detail = ?"
    " WHERE task_id = ? AND number = ?"
)
_DROP_LABEL = "UPDATE task_row SET label = NULL WHERE task_id = ? AND label IS NOT NULL"


class TaskRecords:
    """Questions and deeds within one transaction."""

    def __init__(self, sql: Sql, box: SecretBox) -> None:
        self._sql = sql
        self._box = box

    def put(self, task: Task) -> None:
        """Keep the task as it is now."""
        row = {name: getattr(task, name) for name in _TASK}
        row["arguments"] = as_json(task.arguments)
        self._sql.run(_PUT, *row.values())

    def one(self, task_id: str, owner: str) -> Task | None:
        """The owner's task of this id."""
        row = self._sql.row(f"{_TASKS} WHERE id = ? AND owner = ?", task_id, owner)
        return None if row is None else _task(row)

    def of(self, owner: str, most: int) -> list[Task]:
        """The owner's tasks, the newest first."""
        text = f"{_TASKS} WHERE owner = ? ORDER BY created_at DESC, id LIMIT ?"
        return [_task(row) for row in self._sql.rows(text, owner, most)]

    def next(self) -> Task | None:
        """The oldest of those that somebody has to work at."""
        text = f"{_TASKS} WHERE state IN ('looking', 'running') ORDER BY created_at, id LIMIT 1"
        row = self._sql.row(text)
        return None if row is None else _task(row)

    def idle_since(self, at: float) -> list[Task]:
        """Tasks that wait for their owner since before this time."""
        text = f"{_TASKS} WHERE state IN ('filling', 'looked') AND changed_at < ? LIMIT 100"
        return [_task(row) for row in self._sql.rows(text, at)]

    def remove(self, task_id: str) -> None:
        """Forget a task and its rows."""
        self._sql.run("DELETE FROM task WHERE id = ?", task_id)

    def last(self, task_id: str) -> int:
        """The highest number of a row; 0 if there is none."""
        text = "SELECT max(number) FROM task_row WHERE task_id = ?"
        return int(self._sql.value(text, task_id) or 0)

    def add_rows(self, task_id: str, rows: Iterable[TaskRow]) -> None:
        """Add rows, whose numbers no other has."""
        self._sql.run_many(_ADD_ROW, (self._sealed(task_id, row) for row in rows))

    def rows(self, task_id: str, after: int, most: int, verdict: str | None) -> list[TaskRow]:
        """The next rows by their numbers, without their labels."""
        which, values = ("", ()) if verdict is None else (" AND verdict = ?", (verdict,))
        text = f"{_ROWS} AND number > ?{which} ORDER BY number LIMIT ?"
        found = self._sql.rows(text, task_id, after, *values, most)
        return [TaskRow(**{**dict(row), "label": None}) for row in found]

    def pending(self, task_id: str, below: int, most: int) -> list[TaskRow]:
        """The next rows that have not come to this stage, with their labels."""
        text = f"{_ROWS} AND stage < ? ORDER BY number LIMIT ?"
        return [self._opened(task_id, row) for row in self._sql.rows(text, task_id, below, most)]

    def put_verdicts(self, task_id: str, rows: Iterable[TaskRow]) -> None:
        """Keep stage and verdict of each row."""
        self._sql.run_many(
            _PUT_VERDICT,
            ((r.stage, r.device_id, r.verdict, r.detail, task_id, r.number) for r in rows),
        )

    def begin_anew(self, task_id: str) -> None:
        """Take back the verdicts of a trial: what is shown from now on has happened."""
        text = (
            "UPDATE task_row SET stage = ?, verdict = '', detail = ''"
            " WHERE task_id = ? AND stage = ?"
        )
        self._sql.run(text, NEW, task_id, TRIED)

    def drop_labels(self, task_id: str) -> None:
        """Forget the secrets that the task does not need any more."""
        self._sql.run(_DROP_LABEL, task_id)

    def counts(self, task_id: str) -> list[tuple[int, str, int]]:
        """Count the rows in each stage with each verdict."""
        text = (
            "SELECT stage, verdict, count(*) FROM task_row WHERE task_id = ?"
            " GROUP BY stage, verdict ORDER BY stage, verdict"
        )
        return [(row[0], row[1], row[2]) for row in self._sql.rows(text, task_id)]

    def _sealed(self, task_id: str, row: TaskRow) -> tuple[Any, ...]:
        fields = {name: getattr(row, name) for name in _ROW}
        if row.label is not None:
            place = _place(task_id, row.number)
            fields["label"] = self._box.seal(row.label.encode(), "task_row", "label", place)
        return (task_id, *fields.values())

    def _opened(self, task_id: str, row: Any) -> TaskRow:
        fields = dict(row)
        if row["label"] is not None:
            place = _place(task_id, row["number"])
            fields["label"] = self._box.open(row["label"], "task_row", "label", place).decode()
        return TaskRow(**fields)


def _place(task_id: str, number: int) -> str:
    return f"{task_id}/{number}"


def _task(row: Any) -> Task:
    return Task(**{**dict(row), "arguments": from_json(row["arguments"])})
