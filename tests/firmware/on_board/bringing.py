# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Bundles that are brought to a device without radio and platform, for their tests.

import hashlib
from binascii import unhexlify

import lives
from ram_disk import mount, unmount
from runner import golden

from muster import candidate, delivery, inbox, modules, receipt
from muster.backoff import SecondTry
from muster.errors import DeviceError
from muster.label import Label
from muster.led import LED
from muster.lifecycle import Life
from muster.store import Store
from muster.timeline import JOIN, PROVED, REGISTER

_GOLDEN = golden("wire/deliveries.json")
_BUNDLES = _GOLDEN["bundles"]
_GOOD = _BUNDLES["of-jwcrypto"]  # version 7, for PRESS-4
_LABEL = Label("PRESS-4", unhexlify(_GOLDEN["secret_hex"]))
inbox._ROOT = "/flash/"
modules.keep("inbox")  # whoever lets it go would load one that looks elsewhere


class Clock:
    is_known = False
    floor = 0

    def __init__(self):
        self.passed = 0

    def now(self):
        return 0

    def show(self, unix):
        self.passed = unix

    def keep_floor(self, unix):
        pass


# One start of the board, up to where a bundle is looked for.
class Start:
    def __init__(self):
        self.identity = _LABEL
        self.store = Store("/flash/muster")
        self.timeline, self.journal, former = lives.begin(self.store, "power_on")
        self.config = candidate.wake(self.store, self.journal, self.timeline, former)
        self.clock = Clock()
        self.led = LED(None)
        self.again = SecondTry(self.journal)
        self._shown = None
        self.attempts = 0

    is_new_receipt = Life.is_new_receipt

    # What lifecycle.py does with a directive, without radio and platform.
    async def attempt(self, answer):
        self.attempts += 1
        config = candidate.keep(self.store, self.journal, answer)
        for step in (JOIN, REGISTER, PROVED):
            self.journal.reached(config["version"], step)
        candidate.commit(self.store, self.journal, config["version"])
        self.config = config

    async def fail(self, answer):
        self.attempts += 1
        return DeviceError("wifi_no_ap", "factory is not there")

    # As lifecycle.py has it.
    async def apply(self, attempt=None):
        found = await delivery.take(self)
        if found is None or found[0] is None:
            return False
        error = await (attempt or self.attempt)(found[0])
        await delivery.settle(self, found[1], error, error is not None and self.config is None)
        return True

    def last(self):
        return delivery.last(self.store)


def _bring(text=None, name="PRESS-4.muster"):
    with open("/flash/" + name, "wb") as f:
        f.write((_GOOD if text is None else text).encode())


def _receipt(version, code, text=None):
    text = _GOOD if text is None else text
    return receipt.receipt(_LABEL, version, code, hashlib.sha256(text.encode()).digest())


async def _on(disk, act, is_new=False):
    mount(disk, "/flash", is_new)
    try:
        return await act()
    finally:
        unmount("/flash")


async def _apply_all(start, attempt=None):
    rounds = 0
    while await start.apply(attempt):
        rounds += 1
        assert rounds < 5, "it loops"
