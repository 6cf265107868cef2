# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The device's side of bundles over the console, in a time that test_console_noise.py keeps, in
# step with its own: a line "<ms> <input in hexadecimal or ->" says what has come and how far to
# go; the answer is the output until then.

import sys
from binascii import hexlify, unhexlify

_CTRL_C = 3
_RING = 259
_LOOK_MS = 250  # listening.py's


# In place of the time, asyncio's too, and of what the console hangs on.
class Step:
    map: dict = {}  # as IOQueue's

    def __init__(self):
        self.now = self.until = 0
        self.ring = bytearray()
        self.said = bytearray()
        self.interrupt = _CTRL_C
        self.stdin = self.buffer = self  # of the module sys

    def wait_io_event(self, ms):
        target = self.now + max(ms, 0)
        while target > self.until:
            self.now = self.until
            self._exchange()
        self.now = target

    def _exchange(self):
        print(hexlify(bytes(self.said)).decode() or "-")
        self.said[:] = b""
        words = sys.stdin.readline().split()
        if not words:
            sys.exit()
        self.until = int(words[0])
        if words[1] != "-":
            self._come(unhexlify(words[1]))

    # As the port's interrupt handler does it.
    def _come(self, data):
        is_stopped = False
        for byte in data:
            if byte == self.interrupt:
                is_stopped = True
            elif len(self.ring) < _RING:
                self.ring.append(byte)
        if is_stopped:
            raise KeyboardInterrupt

    # Of the modules micropython, select, sys.stdin.buffer, pulse, button, and builtins.

    def kbd_intr(self, byte):
        self.interrupt = byte

    def poll(self, ms):
        return bool(self.ring)

    def read(self, count):
        data = bytes(self.ring[:count])
        self.ring[:] = self.ring[count:]
        return data

    def print(self, *words):
        self.said += (" ".join([str(word) for word in words]) + "\r\n").encode()

    def beat(self, who, ms):
        pass

    def tell(self, what):
        pass

    ticks_ms = lambda self: self.now  # noqa: E731


async def _listen(step, console, start):
    while True:
        await asyncio.sleep_ms(_LOOK_MS)
        if step.ring:
            parts = start.identity, start.store, start.journal, start.clock, step
            await console.converse(step, step, *parts)


def main():
    import time
    from asyncio import core

    import host_link  # of the board's modules, which are found before the interpreter's

    host_link.is_delivering = True  # nobody is there who has interrupts to tell
    from bringing import Start
    from ram_disk import RAMDisk, mount

    from muster import console, log

    step = Step()
    step.ticks_add, step.ticks_diff = time.ticks_add, time.ticks_diff
    core.ticks, core._io_queue = step.ticks_ms, step
    console.time = console.sys = console.micropython = step
    console.print = log.print = step.print
    mount(RAMDisk(), "/flash", True)
    try:
        asyncio.run(_listen(step, console, Start()))
    except KeyboardInterrupt:
        step.said += b"\r\n>>> "
        step.interrupt = None
        while True:
            step._exchange()


sys.path[:0] = sys.argv[1:]
import virtual_asyncio  # noqa: E402 (before asyncio, and found where the arguments say)

sys.modules["_asyncio"] = virtual_asyncio
import asyncio  # noqa: E402

main()
