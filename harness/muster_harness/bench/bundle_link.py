# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Sends a bundle to a device over its serial port while its application runs, and asks for the
outcome.

One frame is on its way at a time and is repeated until it is answered; frames become shorter when
many are lost.
"""

import hashlib
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self

import serial

from muster_harness.bench.bundle_frames import Answers, request
from muster_harness.errors import BoardError, BundleRefused, PortError
from muster_harness.wire.ports import open_port, took_nothing

_LOOK_S = 0.02
_ANSWER_S = 0.6  # at first; then four times what this device and this line need
_SHORTEST_ANSWER_S = 0.08
_VERIFY_S = 3.0  # it opens the bundle before it answers
_HELLO_S = 12.0  # opening the port may have reset the board
_SILENT_S = 15.0
_END_S = 30.0
# An empty line so often while an answer is awaited: after 0.3 s of silence the device takes for a
# Ctrl-C what noise has made one.
_KEEP_S = 0.15
_PROMPT = b"\n>>> "
_WAIT_S = 1.0
_LONGEST_PIECE, _SHORTEST_PIECE = 90, 20
_AGAIN = ["again"]


@dataclass(frozen=True)
class Status:
    """The device's own words about itself and the last bundle that it had."""

    device_id: str
    highest: int  # version ever committed
    doing: str  # "idle", "waiting" or "trying"
    version: int  # the last bundle's; 0 if there is none
    code: str | None  # None while it has no outcome
    receipt: str | None
    digest: str | None  # first 16 hexadecimal digits of SHA-256


class BundleLink:
    """A conversation with the device on a port; a context manager."""

    def __init__(self, port: str, hello_s: float = _HELLO_S) -> None:
        self._port = port
        self._hello_s = hello_s
        self._answers = Answers()
        self._number = 0
        self._piece = _LONGEST_PIECE
        self._answer_s = _ANSWER_S
        self._has_begun = False
        self._tail = b""

    def __enter__(self) -> Self:
        self._line = open_port(self._port, _LOOK_S, _SILENT_S)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._line.close()

    def status(self) -> Status:
        """Ask the device for its status.

        Raises BoardError if nobody answers, or nobody who understands.
        """
        words = self._ask(self._hello_s, "status")
        if len(words) != 8 or words[0] != "is":
            raise BoardError(
                f"the device on {self._port} answers {words[0]!r}; is it a newer one?"
            )
        _, device_id, highest, doing, version, code, receipt, digest = words
        return Status(
            device_id, int(highest), doing, int(version), *map(_or_none, (code, receipt, digest))
        )

    def detail(self) -> str:
        """Return the device's words about the last outcome."""
        raw = b""
        while piece := bytes.fromhex((self._ask(_SILENT_S, "detail", str(len(raw))) + [""])[1]):
            raw += piece
        return raw.decode(errors="replace")

    def send(self, text: str, progress: Callable[[int, int], None], timeout_s: float) -> None:
        """Bring the bundle to the device; on return the device has verified and accepted it.

        Raises BundleRefused with the device's code, or BoardError if the device falls silent.
        """
        end = time.monotonic() + timeout_s
        done = False
        while not done:
            if time.monotonic() > end:
                raise BoardError(f"the device did not take the bundle within {timeout_s:g} s")
            done = self._begun(end) and self._sent(text, progress) and self._ended(text)

    def _begun(self, end: float) -> bool:
        words = self._ask(self._hello_s, "begin")
        if words[0] == "wait" and time.monotonic() < end:
            time.sleep(_WAIT_S)  # it is trying another configuration
        self._has_begun = self._has_begun or _accepts(words)
        return _accepts(words)

    def _sent(self, text: str, progress: Callable[[int, int], None]) -> bool:
        at = 0
        while at < len(text):
            words = self._ask(_SILENT_S, "data", str(at), partial(self._piece_of, text, at))
            if not _accepts(words):
                return False
            at = int(words[1])
            progress(at, len(text))
        return True

    def _piece_of(self, text: str, at: int) -> str:
        return text[at : at + self._piece]

    def _ended(self, text: str) -> bool:
        crc = f"{zlib.crc32(text.encode()):08x}"
        words = self._ask(_END_S, "end", str(len(text)), crc, work_s=_VERIFY_S)
        if words[0] == "later":
            raise BoardError(
                "the bundle is on the device, which has too little memory for it beside its "
                "application; reset it, and it will be applied"
            )
        return words[0] == "done" or self._accepted_before(words, text)

    def _accepted_before(self, words: list[str], text: str) -> bool:
        """Tell whether the device has taken the bundle although its answer was lost."""
        return words[0] == "lost" and self.status().digest == digest(text)

    def _ask(
        self,
        patience_s: float,
        *words: str | Callable[[], str],
        work_s: float = 0.0,
    ) -> list[str]:
        """Return the answer to one request, and repeat the request until the answer comes.

        `work_s` is how much longer the device may take because it has something to do. Raises
        BoardError if no answer comes, PortError if the port fails, BundleRefused if the answer
        says so.
        """
        end = time.monotonic() + patience_s
        self._number += 1
        lost = 0
        while True:
            texts = [word if isinstance(word, str) else word() for word in words]
            asked = time.monotonic()
            try:
                self._line.write(request(self._number, *texts))
                answer = self._answer(min(end, asked + self._answer_s + work_s))
            except serial.SerialTimeoutException:
                raise took_nothing(self._port, _SILENT_S) from None
            except OSError as e:
                raise PortError(
                    f"the port {self._port} vanished ({e}); plug it in again"
                ) from None
            if answer is not None:
                if not work_s:
                    self._learn(time.monotonic() - asked, lost)
                return _checked(answer)
            lost += 1
            if lost > 1:  # a short frame gets through where a long one is hit
                self._piece = max(self._piece // 2, _SHORTEST_PIECE)
                self._answer_s = min(self._answer_s * 2, _ANSWER_S)
            if time.monotonic() >= end:
                raise BoardError(
                    f"nobody on {self._port} answers: is the application running? At its prompt a "
                    "board listens to Python; Ctrl-D or a reset starts the application"
                )

    def _learn(self, took_s: float, lost: int) -> None:
        wanted_s = (self._answer_s + 4 * took_s) / 2
        self._answer_s = min(max(wanted_s, _SHORTEST_ANSWER_S), _ANSWER_S)
        if not lost:
            self._piece = min(self._piece + 4, _LONGEST_PIECE)

    def _answer(self, end: float) -> list[str] | None:
        """Return the answer; None if none comes, or if the device says that the request was
        damaged. Raises BoardError if the device's program is not running any more."""
        silent_from = time.monotonic()
        while time.monotonic() < end:
            data = self._line.read(max(1, self._line.in_waiting))
            self._look_for_prompt(data)
            if time.monotonic() - silent_from > _KEEP_S:
                self._line.write(b"\n")
                silent_from = time.monotonic()
            for number, words in self._answers.feed(data):
                if number == self._number:
                    return words
                if words == _AGAIN:
                    return None
        return None

    def _look_for_prompt(self, data: bytes) -> None:
        self._tail = (self._tail + data)[-len(_PROMPT) :]
        if self._has_begun and self._tail == _PROMPT:
            raise BoardError(
                f"the program on {self._port} was stopped while the bundle was on its way, by a "
                "Ctrl-C or by noise that looked like two; reset the board and send it again"
            )


def digest(text: str) -> str:
    """Return a bundle's digest in the form of `Status.digest`."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _accepts(words: list[str]) -> bool:
    return words[0] == "go" and len(words) == 2 and words[1].isdigit()


def _checked(words: list[str]) -> list[str]:
    if words[0] == "no" and len(words) > 1:
        raise BundleRefused(words[1], " ".join(words[2:]))
    return words


def _or_none(word: str) -> str | None:
    return None if word == "-" else word
