# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# asyncio's tasks and their queue on the board's clock. The interpreter's own, in C, read the
# host's. The names and states are those that asyncio's other files rely on.

import sys

_RUNNING = True
_DONE_AND_AWAITED = False


def _core():
    return sys.modules["asyncio.core"]


# Tasks in the order of their times; those of the same time in the order in which they came.
class TaskQueue:
    def __init__(self):
        self._tasks = []

    def peek(self):
        return self._tasks[0] if self._tasks else None

    def push(self, task, key=None):
        core = _core()
        task.data = None
        task.ph_key = core.ticks() if key is None else key
        at = len(self._tasks)
        while at and core.ticks_diff(task.ph_key, self._tasks[at - 1].ph_key) < 0:
            at -= 1
        self._tasks.insert(at, task)

    def pop(self):
        return self._tasks.pop(0)

    def remove(self, task):
        self._tasks.remove(task)


# `state` is True while it runs, a queue or a function of those who wait for it, None when it is
# done and nobody has asked how it ended, False after that. `data` is what it waits on, an
# exception to be raised in it, or the one that ended it.
class Task:
    def __init__(self, coro, names=None):
        self.coro = coro
        self.data = None
        self.state = _RUNNING
        self.ph_key = 0

    def __iter__(self):
        if not self.state:
            self.state = _DONE_AND_AWAITED
        elif self.state is _RUNNING:
            self.state = TaskQueue()
        elif not isinstance(self.state, TaskQueue):
            raise RuntimeError("can't wait")
        return self

    def __next__(self):
        if not self.state:
            raise self.data
        waiting = _core().cur_task
        self.state.push(waiting)
        waiting.data = self

    def done(self):
        return not self.state

    def cancel(self):
        core = _core()
        if not self.state:
            return False
        if self is core.cur_task:
            raise RuntimeError("can't cancel self")
        last = self
        while isinstance(last.data, Task):
            last = last.data
        if hasattr(last.data, "remove"):
            last.data.remove(last)
            core._task_queue.push(last)
        elif core.ticks_diff(last.ph_key, core.ticks()) > 0:
            core._task_queue.remove(last)
            core._task_queue.push(last)
        last.data = core.CancelledError
        return True
