# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The one writer of a database: transactions in the order in which they came, several to a commit.

SQLite writes one transaction at a time, and each commit waits for the disk. So who has done his
part, while others wait for their turn, does not commit: he lets the next one go on and waits for
the commit that holds the work of both. Nobody goes on before his own work is on the disk.
"""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from muster_server.store.kept_connections import KeptConnections
from muster_server.store.unsynced import Unsynced

# A commit holds so many at most, and is not put off for longer than that.
_MOST_TOGETHER = 64
_LONGEST_S = 0.05
BEGIN = "BEGIN IMMEDIATE"
_PART = "part"  # the name of the savepoint of one member
_BEGIN_PART, _END_PART = f"SAVEPOINT {_PART}", f"RELEASE {_PART}"


class TurnTimeout(Exception):
    """The turn to write did not come in time."""


class Undone(Exception):
    """The commit that was to hold the work of several failed: nothing of it is kept."""


def _closed() -> threading.Lock:
    """Return a lock that whoever waits for it gets when it is released; cheaper than an Event."""
    lock = threading.Lock()
    lock.acquire()
    return lock


class _Group:
    """The members whose work one commit holds."""

    def __init__(self, connection: Connection, now: float, is_unsynced: bool) -> None:
        self.connection = connection
        self.is_unsynced = is_unsynced  # its commit does not wait for the disk
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - narrows SQLAlchemy's type
        self.driver = driver
        self.began = now
        self.members = 0
        self._gate = _closed()
        self.error: BaseException | None = None

    def take_back(self, error: BaseException) -> None:
        """Undo the part that ended with this error, or remember that all have been undone."""
        try:
            if self.driver.in_transaction:
                self.driver.execute(f"ROLLBACK TO {_PART}")
                self.driver.execute(f"RELEASE {_PART}")
            else:  # a full disk: SQLite has taken everything back
                self.error = error
        except sqlite3.Error as worse:
            self.error = worse

    def wait(self) -> None:
        """Return when the group has ended."""
        with self._gate:  # one after another
            return

    def end(self) -> None:
        """Let all go on who wait."""
        self._gate.release()


class Writer:
    """Gives out the turn to write, and has each commit noted. A transaction begins with SQLite's
    write lock.
    """

    def __init__(
        self,
        connections: KeptConnections,
        unsynced: Unsynced,
        noted: Callable[[], None],
        patience_s: Callable[[], float],
    ) -> None:
        self._connections = connections
        self._unsynced = unsynced
        self._noted = noted
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._is_taken = False
        self._waiting: deque[threading.Lock] = deque()
        self._group: _Group | None = None  # belongs to whoever has the turn

    @contextmanager
    def part(self) -> Iterator[Connection]:
        """Everything in the block happens, or nothing of it, whatever becomes of others.

        TurnTimeout if the turn does not come; Undone if the commit failed that another one made;
        and the database's own errors.
        """
        self._take_turn()
        try:
            group = self._group = self._group or self._begun()
        except BaseException:
            self._pass_turn()
            raise
        try:
            group.driver.execute(_BEGIN_PART)
            yield group.connection
            group.driver.execute(_END_PART)
        except BaseException as error:
            self._take_back(group, error)
            raise
        group.members += 1
        self._end_or_wait(group)

    def hold(self) -> "Held":
        """Keep the turn for several parts, one after another, and end them together; with the
        errors of `part`. To be ended, by this thread, which waits for the disk by itself.
        """
        self._take_turn()
        try:
            self._group = self._group or self._begun(is_unsynced=self._unsynced.wal is not None)
        except BaseException:
            self._pass_turn()
            raise
        return Held(self, self._group)

    def _begun(self, *, is_unsynced: bool = False) -> _Group:
        connection = self._unsynced.take() if is_unsynced else self._connections.take()
        try:
            group = _Group(connection, time.monotonic(), is_unsynced)
            group.driver.execute(BEGIN)
        except BaseException:
            self._unsynced.drop(connection) if is_unsynced else connection.close()
            raise
        return group

    def _take_back(self, group: _Group, error: BaseException) -> None:
        """Undo this part alone, and see to the others' commit if nobody comes after."""
        group.take_back(error)
        self._end_unless_others_come(group)

    def _end_or_wait(self, group: _Group) -> None:
        if not self._end_unless_others_come(group):
            # No deadline of its own: whoever has the turn ends the group, whatever happens to him.
            group.wait()
        if group.error is not None:
            raise Undone(str(group.error)) from group.error

    def _end_unless_others_come(self, group: _Group) -> bool:
        """Commit and pass the turn; or pass it only, if others can join: then False."""
        is_full = group.members >= _MOST_TOGETHER
        is_late = time.monotonic() - group.began > _LONGEST_S
        if group.error is None and not is_full and not is_late and self._pass_turn_if_wanted():
            return False
        self.end(group)
        return True

    def end(self, group: _Group) -> None:
        """Commit what the group holds, or take it back if it has an error; and pass the turn."""
        self._group = None
        try:
            if group.error is None and group.members:
                group.driver.commit()
                self._noted()
            else:
                group.driver.rollback()
        except Exception as error:  # noqa: BLE001 - told to everybody whose work it was
            group.error = error
            self._undo(group)
        finally:
            try:
                self._give_back(group)
            finally:
                group.end()
                self._pass_turn()

    def _give_back(self, group: _Group) -> None:
        kept = self._unsynced if group.is_unsynced else self._connections
        if group.error is None:
            kept.give_back(group.connection)
        elif group.is_unsynced:
            self._unsynced.drop(group.connection)
        else:
            group.connection.close()

    def _undo(self, group: _Group) -> None:
        """Leave no transaction open on a connection that others will use."""
        try:
            if group.driver.in_transaction:
                group.driver.execute("ROLLBACK")
        except sqlite3.Error:
            group.connection.invalidate()

    def _take_turn(self) -> None:
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return
            turn = _closed()
            self._waiting.append(turn)
        if turn.acquire(timeout=self._patience_s()):
            return
        with self._lock:
            if turn.acquire(blocking=False):
                return  # it came at this very moment
            self._waiting.remove(turn)
        raise TurnTimeout

    def _pass_turn_if_wanted(self) -> bool:
        with self._lock:
            if not self._waiting:
                return False
            self._waiting.popleft().release()
            return True

    def _pass_turn(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False


class Held:
    """The turn of a writer that is kept."""

    def __init__(self, writer: Writer, group: _Group) -> None:
        self._writer = writer
        self._group = group
        self.connection = group.connection

    def begin_part(self) -> Connection:
        """Begin what happens as a whole or not at all, whatever becomes of others; it is kept with
        the end. Undone if there will be none.
        """
        group = self._group
        if group.error is not None:
            raise Undone(str(group.error)) from group.error
        try:
            group.driver.execute(_BEGIN_PART)
        except BaseException as error:
            group.take_back(error)
            raise
        return group.connection

    def end_part(self, error: BaseException | None) -> None:
        """End it; take it back if this error has ended it. Raises SQLite's errors."""
        group = self._group
        if error is not None:
            group.take_back(error)
            return
        try:
            group.driver.execute(_END_PART)
        except BaseException as refused:
            group.take_back(refused)
            raise
        group.members += 1

    def end(self) -> None:
        """Commit all parts, and pass the turn. Whoever looks sees them now; they are on the disk
        when it was waited for. Undone if that failed: nothing of them is kept.
        """
        self._writer.end(self._group)
        if self._group.error is not None:
            raise Undone(str(self._group.error)) from self._group.error

    def undo(self) -> None:
        """Take all parts back, and those of others which were to be committed with them."""
        self._group.error = self._group.error or Undone("another database could not be written")
        self._writer.end(self._group)
