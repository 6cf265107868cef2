# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A session with a board in a file: the bytes of its serial line in both directions, and resets.

JSON lines in UTF-8 (docs/muster-unit.md). The first names the form: {"muster_session": 1, …}. Then
each has `at`, seconds since the first, and one of `from` (the board), `to` and `reset`. Bytes that
are no UTF-8 are hexadecimal digits in `from_hex` and `to_hex`. What the board says is parted at
ends of lines, and where somebody else does something.
"""

import contextlib
import json
import os
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from muster_harness.errors import HarnessError

_FORM = 1
_MOST_BYTES = 64 << 20
Kind = Literal["from", "to", "reset"]


@dataclass(frozen=True)
class Event:
    """Something that happened on the line. `data` is empty for a reset."""

    at_s: float
    kind: Kind
    data: bytes = b""


class SessionWriter:
    """Writes a session; usable from several threads. Only the file's owner can read it: it has the
    passwords that are typed.

    Raises HarnessError if the file exists or cannot be made.
    """

    def __init__(self, path: Path, port: str):
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._line, self._line_began = bytearray(), 0.0
        self._room = _MOST_BYTES
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise HarnessError(f"{path} is there already; name another file") from None
        except OSError as e:
            raise HarnessError(f"{path} cannot be written: {e.strerror}") from None
        self._file = os.fdopen(fd, "w", encoding="utf-8", buffering=1)
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self._write({"muster_session": _FORM, "port": port, "began": now})

    @property
    def is_full(self) -> bool:
        return self._room <= 0

    def said(self, data: bytes) -> None:
        """Note bytes from the board."""
        with self._lock:
            for piece in data.splitlines(keepends=True):
                if not self._line:
                    self._line_began = self._at()
                self._line += piece
                if piece.endswith(b"\n"):
                    self._end_line()

    def sent(self, data: bytes) -> None:
        """Note bytes to the board."""
        with self._lock:
            self._end_line()
            self._write({"at": self._at(), **_shown("to", data)})

    def reset(self) -> None:
        """Note a reset by the line's own means."""
        with self._lock:
            self._end_line()
            self._write({"at": self._at(), "reset": True})

    def close(self) -> None:
        """End the file. A second call does nothing."""
        with self._lock:
            if not self._file.closed:
                self._end_line()
                self._file.close()

    def _at(self) -> float:
        return round(time.monotonic() - self._began, 4)

    def _end_line(self) -> None:
        if self._line:
            self._write({"at": self._line_began, **_shown("from", bytes(self._line))})
            self._line.clear()

    def _write(self, document: dict[str, Any]) -> None:
        if not self._file.closed and not self.is_full:
            self._room -= self._file.write(json.dumps(document, ensure_ascii=False) + "\n")


def _shown(kind: str, data: bytes) -> dict[str, str]:
    with contextlib.suppress(UnicodeDecodeError):
        return {kind: data.decode()}
    return {f"{kind}_hex": data.hex()}


def read_session(path: Path) -> list[Event]:
    """Read a session. Raises HarnessError with the line that is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as e:
        raise HarnessError(f"{path} cannot be read: {e}") from None
    events = []
    for number, line in enumerate(lines, 1):
        try:
            document = json.loads(line)
            if number == 1:
                _require_form(document)
            else:
                events.append(_event(document))
        except (ValueError, TypeError, KeyError, AttributeError) as e:
            what = str(e) or type(e).__name__
            raise HarnessError(f"{path}:{number} is no line of a session: {what}") from None
    if not lines:
        raise HarnessError(f"{path} is empty; `muster-unit record` makes a session")
    return events


def _require_form(document: dict[str, Any]) -> None:
    form = document.get("muster_session")
    if form != _FORM:
        raise ValueError(f"the first line says muster_session {_FORM}, and this is {form!r}")


def _event(document: dict[str, Any]) -> Event:
    at_s = float(document["at"])
    for kind in get_args(Kind):
        if kind in document:
            text = document[kind]
            return Event(at_s, kind, b"" if kind == "reset" else text.encode())
        if f"{kind}_hex" in document:
            return Event(at_s, kind, bytes.fromhex(document[f"{kind}_hex"]))
    raise ValueError("it has none of from, to and reset")
