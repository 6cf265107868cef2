# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The lines that a board's program runs: fetched from arrays in the program's memory."""

from muster_harness.esp32.board import Board
from muster_harness.loop import Timer

_FETCH_S = 0.1  # so much is lost when the interpreter itself crashes


class Cover:
    """Answers `["cover", verb, ...]` of `shims/later/marked_files.py`."""

    def __init__(self, board: Board):
        self._board = board
        self._fetching: Timer | None = None
        self._arrays: dict[str, tuple[int, bytes]] = {}  # digest: address, and what was there

    def ask(self, verb: str, digest: str = "", address: int = 0) -> tuple[str, int] | None:
        """Tell of a file, or take note of an array."""
        coverage = self._board.evidence.coverage
        if coverage is None or verb == "ends":
            self.run_ends()
            return None
        known = coverage.known(digest)
        if verb == "array" and known is not None:
            self._arrays[digest] = address, bytes(known[1])
            if self._fetching is None:
                self._fetch()
        return known

    def _fetch(self) -> None:
        self._look()
        self._fetching = self._board.loop.later(_FETCH_S, self._fetch)

    def _look(self) -> None:
        child = self._board.child
        for digest, (address, before) in self._arrays.items():
            now = child.read_memory(address, len(before)) if child is not None else b""
            self._arrays[digest] = address, now or before

    def run_ends(self) -> None:
        """Fetch for the last time, if the program still can be asked, and count."""
        self._look()
        coverage = self._board.evidence.coverage
        for digest, (_, marks) in self._arrays.items():
            if coverage is not None:
                coverage.add(digest, marks)
        self._arrays.clear()
        if self._fetching is not None:
            self._fetching.cancel()
            self._fetching = None

    def run_begins(self) -> None:
        """Do nothing: a program has no file yet."""

    def chip_stops(self) -> None:
        """Do nothing: its end has been told."""

    def close(self) -> None:
        self.run_ends()
