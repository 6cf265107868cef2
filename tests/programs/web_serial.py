# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A stand-in for a browser's Web Serial, which leads to an emulated board."""

import base64
import time
from pathlib import Path

from playwright.sync_api import Page

from muster_harness.units.development_board import DevelopmentBoard

FACE = Path(__file__).with_name("web_serial.js")
_CHUNK = 4096
_WAIT_S = 0.004  # for bytes that are on their way


class Cable:
    """A USB cable between a page and a board, which can be pulled.

    The page's calls come while Playwright waits for something, so all of it is one thread.
    """

    def __init__(self, board: DevelopmentBoard) -> None:
        self.board = board
        self.pulled_after: int | None = None  # bytes that the page writes
        self.written = 0
        self.is_plugged = True

    def plug_into(self, page: Page) -> None:
        """Let the page find the board; before it is loaded."""
        page.expose_function("serialOpen", lambda: self.is_plugged)
        page.expose_function("serialRead", self._read)
        page.expose_function("serialWrite", self._write)
        page.expose_function("serialLines", self._lines)
        page.add_init_script(FACE.read_text())

    def plug(self) -> None:
        self.is_plugged, self.pulled_after = True, None

    def pull_after(self, count: int) -> None:
        """Pull the cable once the page has written so many bytes more."""
        self.pulled_after = self.written + count

    def _read(self) -> str | None:
        end = time.monotonic() + _WAIT_S
        while self.is_plugged:
            if data := self.board.read(_CHUNK):
                return base64.b64encode(data).decode()
            if time.monotonic() > end:
                return ""
            time.sleep(0.0005)
        return None

    def _write(self, text: str) -> bool:
        data = base64.b64decode(text)
        self.written += len(data)
        if self.pulled_after is not None and self.written > self.pulled_after:
            self.is_plugged = False
        if self.is_plugged:
            self.board.write(data)
        return self.is_plugged

    def _lines(self, dtr: bool | None, rts: bool | None) -> bool:
        if self.is_plugged:
            if dtr is not None:
                self.board.dtr = dtr
            if rts is not None:
                self.board.rts = rts
        return self.is_plugged
