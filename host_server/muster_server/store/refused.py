# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The meaning of a database's refusal, for whoever asked and for the operator."""

import logging
import sqlite3
from dataclasses import dataclass

from muster_server.errors import Unavailable

log = logging.getLogger(__name__)

_CODE = 0xFF  # the rest of SQLite's extended codes says more than we need
_CHAIN = 10  # causes that are followed


@dataclass(frozen=True)
class _Meaning:
    title: str
    remedy: str
    retry_s: int


# What the triggers of a database say that has moved to another store.
MOVED = "muster: this data has moved"

_BUSY = _Meaning("the database is busy", "the turn to write, or to read, did not come", 2)
_MEANINGS = {
    sqlite3.SQLITE_FULL: _Meaning(
        "the disk of the data is full", "make room; the servers then go on by themselves", 60
    ),
    sqlite3.SQLITE_IOERR: _Meaning(
        "the disk of the data fails", "look at the machine's own log, and at the disk", 60
    ),
    sqlite3.SQLITE_READONLY: _Meaning(
        "the data cannot be written", "is the disk mounted for reading only, or not ours?", 60
    ),
    sqlite3.SQLITE_CANTOPEN: _Meaning(
        "the database cannot be opened",
        "is its folder there, and ours; are there file handles?",
        60,
    ),
    **dict.fromkeys(
        (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB),
        _Meaning(
            "the database is damaged",
            "stop the servers, keep a copy of the file, then: muster backup restore",
            300,
        ),
    ),
}

_GONE = _Meaning(
    "the data has moved to another store",
    "stop these servers, and start them with --store",
    5,
)
_WAITING = (
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL),
    *(sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT),
)


def unavailable(error: BaseException) -> Unavailable:
    """Return what the client is told; the log has the reason, and what an operator can do.

    The text of a statement, and what was to be stored, stay out of both.
    """
    cause = _cause(error)
    meaning = _BUSY if cause is None else _MEANINGS.get(cause.sqlite_errorcode & _CODE, _BUSY)
    if cause is not None and _has_moved(cause):
        meaning = _GONE
    log.error("%s (%s): %s", meaning.title, cause or error, meaning.remedy)
    return Unavailable(meaning.title, retry_s=meaning.retry_s)


def is_refusal(error: BaseException) -> bool:
    """Tell whether the database itself cannot do its work: no fault of what it was asked."""
    cause = _cause(error)
    code = 0 if cause is None else cause.sqlite_errorcode & _CODE
    is_moved = cause is not None and _has_moved(cause)
    return code in _WAITING or code in _MEANINGS or is_moved


def _has_moved(cause: sqlite3.Error) -> bool:
    is_trigger = cause.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_TRIGGER
    return is_trigger and str(cause) == MOVED


def _cause(error: BaseException) -> sqlite3.Error | None:
    """SQLite's own error, behind SQLAlchemy's and ours."""
    at: BaseException | None = error
    for _ in range(_CHAIN):
        if at is None or (isinstance(at, sqlite3.Error) and hasattr(at, "sqlite_errorcode")):
            return at
        at = getattr(at, "orig", None) or at.__cause__
    return None
