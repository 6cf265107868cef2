# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""One thread for what a fleet asks most, which does it one after another, several to a commit.

Many threads would fight for the interpreter's lock, which each question to SQLite gives up and
wants back: that took a third of the computing time. Here nobody fights, and what has come while
one commit waited for the disk is in the next one: a *batch*. An answer leaves when all that its
batch has written is on the disk.

Work that has to wait for anything else leaves the lane first (`leave`): the batch ends, another
thread goes on with whatever comes, and the work waits and goes on like everybody's.
"""

import asyncio
import functools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, Protocol, TypeVar

from muster_server.errors import Unavailable
from muster_server.threads import Work, tell

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

_MOST_TOGETHER = 64  # pieces of work in one batch
_LONGEST_S = 0.02  # a batch is not made longer after that
_MOST_OUTSIDE = 32  # threads that have left, and wait for something
_QUICK_S = 0.002  # where others want the core, to wake another thread takes longer
_OF_THE_LAST = 8  # waits for the disk, of which the mean is taken
_MOMENT_S = 0.002  # without work: it is not merely between two devices' requests
_END_S = 10.0  # for what is still to be done when it is closed


class Runner(Protocol):
    """The lane, or threads: what does work that an event loop waits for."""

    @property
    def waiting(self) -> int:
        """The number of those that wait for their turn."""

    async def run(self, do: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Do it; its result, or what it raises."""


class Share(Protocol):
    """The part of a batch that is written to one database."""

    rank: int  # who is asked by others ends first

    def end(self) -> None:
        """Commit it, or raise the HostError that says why it is not kept."""

    def undo(self) -> None:
        """Take all of it back."""

    def sync(self) -> None:
        """Return when what was committed there is on the disk, or raise HostError if it may not
        be.
        """


class _Here(threading.local):
    batch: "Batch | None" = None


_here = _Here()
_open: "set[Lane]" = set()


def batch() -> "Batch | None":
    """The batch of this thread; None outside of the lane."""
    return _here.batch


def is_at_work() -> bool:
    """Tell whether a lane of this process does something, or did until a moment ago."""
    return any(lane.is_at_work for lane in tuple(_open))


def leave() -> None:
    """Go on outside of the lane, if this is its thread: before anything that may wait for others.

    What was done before is on the disk afterwards. Raises the HostError of whatever keeps it from
    the disk, and Unavailable if too many wait outside. Within a transaction nobody leaves, for
    what is half done cannot be put on the disk.
    """
    if _here.batch is not None and not _here.batch.open_parts:
        _here.batch.leave()


def settle() -> None:
    """Return when what this thread has written is committed, still in the lane: before another
    role writes what is to be known here, whenever this process is killed. Within a transaction it
    is not.

    Raises the HostError of whatever keeps it from that.
    """
    if _here.batch is not None and not _here.batch.open_parts:
        _here.batch.settle()


def has_looked(file: object) -> bool:
    """Tell whether this file was looked at in this batch, and no database was begun with or
    committed since: it is not done again for each piece of work. Never so outside of the lane.
    """
    return _here.batch is not None and file in _here.batch.looked_at


def looked(file: object) -> None:
    """Remember that this file was looked at, and is as it should be."""
    if _here.batch is not None:
        _here.batch.looked_at.add(file)


def afterwards(do: Callable[[], object]) -> None:
    """Do it when what this thread has written is on the disk: now, or when its batch has ended.

    It is not done if the batch is lost. It must neither wait nor raise.
    """
    if _here.batch is None:
        do()
    else:
        _here.batch.later.append(do)


@contextmanager
def held(lock: threading.Lock) -> Iterator[None]:
    """Hold a lock whose holders wait for databases: whoever has to wait for it leaves the lane."""
    if not lock.acquire(blocking=False):
        leave()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


class _Put(Work[T]):
    """A piece of work whose end is told to a function, without a future."""

    def __init__(
        self, call: Callable[[], T], told: Callable[[T | None, Exception | None], None]
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self._call = call
        self._told = told
        self._value: T | None = None
        self._error: BaseException | None = None

    def begin(self) -> bool:
        """Tell that it is to be done: nobody gives it up."""
        return True

    def over(self, lost: Exception | None) -> None:
        """Tell, in the event loop, what came of it."""
        error = self._error or lost
        self._told(self._value, error if isinstance(error, Exception) else None)


class Batch:
    """Pieces of work whose answers leave together."""

    def __init__(self, lane: "Lane") -> None:
        self._lane = lane
        self._ends = time.monotonic() + _LONGEST_S
        self.shares: dict[object, Share] = {}
        self.open_parts = 0  # transactions that have not ended
        self.committed: dict[object, Share] = {}
        # Files that were looked at since the last transaction was begun or ended.
        self.looked_at: set[object] = set()
        self.later: list[Callable[[], object]] = []
        self.works: list[Work[Any]] = []
        self._failed: Exception | None = None

    @property
    def is_full(self) -> bool:
        """Tell whether it is time to end it."""
        has_room = len(self.works) < _MOST_TOGETHER and self._failed is None
        return not has_room or time.monotonic() > self._ends

    def end(self) -> Exception | None:
        """Commit all, or nothing of what is not committed yet: then what keeps it from that."""
        self.looked_at.clear()
        for database, share in sorted(self.shares.items(), key=lambda item: item[1].rank):
            try:
                if self._failed is None:
                    share.end()
                    self.committed[database] = share
                else:
                    share.undo()
            except Exception as error:  # noqa: BLE001 - told to everybody whose work it was
                self._failed = self._failed or error
        self.shares.clear()
        return self._failed

    def settle(self) -> None:
        """Commit what there is by now. `settle` has the errors."""
        failed = self.end()
        if failed is not None:
            raise failed

    def leave(self) -> None:
        """End it, and let another thread go on with what comes. `leave` has the errors."""
        self._lane.go_on_elsewhere(self)


def on_disk(batches: list[Batch]) -> Exception | None:
    """Return when all that these have committed is on the disk; or what keeps it from it."""
    shares = {database: share for batch in batches for database, share in batch.committed.items()}
    for share in sorted(shares.values(), key=lambda share: share.rank):
        try:
            share.sync()
        except Exception as error:  # noqa: BLE001 - told to everybody whose work it was
            return error
    return None


def told(batches: list[Batch], failed: Exception | None) -> None:
    """Let all go on whose work is in these, as far as they have not been told."""
    for batch in batches:
        for do in batch.later if failed is None else ():
            try:
                do()
            except Exception:  # a defect of one, of which the others are to be told all the same
                log.exception("what was to follow a commit failed")
        batch.later.clear()
    tell([work for batch in batches for work in batch.works], failed)


class _Disk:
    """The thread that waits for the disk while the lane goes on, once for all that was committed
    meanwhile.
    """

    def __init__(self) -> None:
        self._queue: SimpleQueue[Batch | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._took_s = 0.0  # lately

    @property
    def is_quick(self) -> bool:
        """Tell whether it takes no longer than another thread would cost."""
        return self._took_s < _QUICK_S

    def put(self, batch: Batch) -> None:
        """Have those told whose work is in this batch, once it is on the disk."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="lane's disk", daemon=True)
            self._thread.start()
        self._queue.put(batch)

    def reached(self, batches: list[Batch]) -> Exception | None:
        """Wait for it, in this thread; what went wrong, if something did."""
        began = time.monotonic()
        failed = on_disk(batches)
        if any(batch.committed for batch in batches):
            self._took_s += (time.monotonic() - began - self._took_s) / _OF_THE_LAST
        return failed

    def close(self) -> None:
        """End when all that has come is told."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(_END_S)

    def _run(self) -> None:
        while (batch := self._queue.get()) is not None:
            batches: list[Batch] = [batch]
            is_closed = False
            with suppress(Empty):
                while not is_closed:
                    more = self._queue.get_nowait()
                    is_closed = more is None
                    batches += [] if more is None else [more]
            told(batches, self.reached(batches))
            if is_closed:
                return


class Lane:
    """The thread in which work is done. To be closed."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Work[Any] | None] = SimpleQueue()
        self._outside = threading.BoundedSemaphore(_MOST_OUTSIDE)
        self._disk = _Disk()
        self._idle_since: float | None = None  # it is at work
        _open.add(self)
        self._serving = self._started()

    async def run(self, do: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Do it in the lane; its result, or what it raises, once its batch is on the disk.

        Whoever is cancelled while his work is done waits for its end all the same. Work that has
        not begun is not done.
        """
        work: Work[T] = Work(functools.partial(copy_context().run, do, *arguments, **named))
        self._queue.put(work)
        return await work.ended()

    def put(self, do: Callable[[], T], told: Callable[[T | None, Exception | None], None]) -> None:
        """Do it in the lane. Its result, or what it raised, is told in this event loop once its
        batch is on the disk. `told` must not raise.
        """
        self._queue.put(_Put(do, told))

    @property
    def waiting(self) -> int:
        """The number of those that wait for their turn."""
        return self._queue.qsize()

    @property
    def is_at_work(self) -> bool:
        """Tell whether it does something, or did until a moment ago."""
        since = self._idle_since
        return since is None or time.monotonic() - since < _MOMENT_S

    def close(self) -> None:
        """End when all that has come is done."""
        _open.discard(self)
        self._queue.put(None)
        self._serving.join(_END_S)
        self._disk.close()

    def go_on_elsewhere(self, batch: Batch) -> None:
        """End a batch whose last piece of work goes on outside, in its thread. Raises Unavailable
        if too many do, and the HostError of a batch that is lost.
        """
        if not self._outside.acquire(blocking=False):
            raise Unavailable("too many wait for another server", retry_s=2)
        _here.batch = None
        *batch.works, ours = batch.works
        failed = batch.end() or on_disk([batch])
        told([batch], failed)
        batch.works = [ours]
        self._serving = self._started()
        if failed is not None:
            raise failed

    def _started(self) -> threading.Thread:
        thread = threading.Thread(target=self._serve, name="lane", daemon=True)
        thread.start()
        return thread

    def _serve(self) -> None:
        """Do what comes, until the lane is closed or this thread has left it."""
        self._idle_since = time.monotonic()
        while (work := self._queue.get()) is not None:
            self._idle_since = None
            batch = _here.batch = Batch(self)
            is_closed = self._fill(batch, work)
            if _here.batch is None:
                self._outside.release()
                tell(batch.works[-1:], None)
                return
            _here.batch = None
            self._end(batch)
            self._idle_since = time.monotonic()
            if is_closed:
                return

    def _end(self, batch: Batch) -> None:
        """Commit it, and tell when it is on the disk: now, if that takes less time than to have
        it told by another thread.
        """
        failed = batch.end()
        if failed is None and batch.committed and not self._disk.is_quick:
            self._disk.put(batch)
        else:
            told([batch], failed or self._disk.reached([batch]))

    def _fill(self, batch: Batch, work: Work[Any] | None) -> bool:
        """Do this piece and what has come besides, as long as it is in one batch; True if the
        lane is closed.
        """
        while work is not None:
            if work.begin():
                batch.works.append(work)
                work.do()
                if _here.batch is None or batch.is_full:
                    return False
            try:
                work = self._queue.get_nowait()
            except Empty:
                return False
        return True
