# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Words between processes of the platform, and which of them comes first.

Words are told by LISTEN and NOTIFY and may be lost, so nobody rests on them: they make happen
sooner what is looked for now and then. One process comes first as long as its connection lives;
then it is another one within some seconds. In one process alone nobody is told, and it is first.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable

from muster_server.errors import Unavailable
from muster_server.store.notices import Ear
from muster_server.store.platform_processes import PlatformProcesses
from muster_server.threads import Threads

log = logging.getLogger(__name__)

EVERYTHING = "*"  # there may be news of everything
_LOOK_S = 2.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 30.0
_MOST_WORDS = 1000  # that wait to be told


class Calling:
    """Hears and tells for as long as the platform runs. To be used in the event loop."""

    def __init__(
        self,
        processes: PlatformProcesses,
        hear: Callable[[Iterable[str]], None],
        come_first: Callable[[bool], None],
    ) -> None:
        """`hear` gets words of all processes, this one included; `come_first` whether this is the
        first one now.
        """
        self._processes = processes
        self._hear = hear
        self._come_first = come_first
        self._is_first = False
        self._words: set[str] = set()
        self._has_words = asyncio.Event()

    def tell(self, words: Iterable[str]) -> None:
        """Tell everybody; here at once, others in a moment."""
        these = set(words)
        self._hear(these)
        if self._processes.are_several:
            self._words |= these
            if len(self._words) > _MOST_WORDS:
                self._words = {EVERYTHING}
            self._has_words.set()

    async def run(self) -> None:
        """Go on until cancelled."""
        if not self._processes.are_several:
            self._be_first(True)
            return
        telling = asyncio.create_task(self._tell())
        try:
            await self._listen()
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    async def _tell(self) -> None:
        threads = Threads(1)
        while True:
            await self._has_words.wait()
            self._has_words.clear()
            words, self._words = self._words, set()
            with contextlib.suppress(Unavailable):  # nobody rests on it
                await threads.run(self._processes.say, words)

    async def _listen(self) -> None:
        wait_s, threads = _FIRST_WAIT_S, Threads(1)
        while True:
            try:
                ear = await threads.run(self._processes.ear)
                if ear is None:
                    return
                wait_s = _FIRST_WAIT_S
                try:
                    await self._attend(ear, threads)
                finally:
                    self._be_first(False)
                    ear.close()
            except Unavailable:  # the store has said why
                pass
            except Exception:
                # The last catch-all of this task: it must live as long as the server.
                log.exception("other processes are not heard for %d s", wait_s)
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    async def _attend(self, ear: Ear, threads: Threads) -> None:
        """Hear until the connection is lost, which raises Unavailable."""
        self._hear([EVERYTHING])  # for what was said while nobody heard
        while True:
            if not self._is_first and await threads.run(ear.comes_first):
                self._be_first(True)
            await _readable(ear.fileno(), None if self._is_first else _LOOK_S)
            words = ear.words()
            if words:
                self._hear(words)

    def _be_first(self, is_first: bool) -> None:
        if is_first != self._is_first:
            self._is_first = is_first
            self._come_first(is_first)


async def _readable(descriptor: int, longest_s: float | None) -> None:
    """Return when there is something to read, or after that time."""
    loop, said = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, said.set)
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(said.wait(), longest_s)
    finally:
        loop.remove_reader(descriptor)
