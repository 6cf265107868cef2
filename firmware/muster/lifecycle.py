# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The device's life, top to bottom: onboard, try, commit or come home, operate.

import asyncio
import os
import time

from micropython import const

from . import log
from .actions import CONFIGURE, FORGET
from .backoff import Backoff, SecondTry
from .errors import DeviceError, Interrupted
from .modules import borrow, borrowed, keep, release

_LONGEST_KEEP_S = const(300)  # a blank device has nothing to keep and asks again


# Leads the device through its life. Names that are not private are for its parts that are not
# always loaded: they read attributes, and change them by its methods.
class Life:
    # Every collaborator is made in assembly.py. facts: the onboarding networks of the build.
    # config: the configuration to begin with, or None. former: the life before this one.
    def __init__(
        self,
        identity,
        store,
        journal,
        timeline,
        wifi,
        clock,
        press,
        led,
        contact,
        facts,
        config,
        former,
    ):
        self.identity = identity
        self.store = store
        self.journal = journal
        self.timeline = timeline
        self.wifi = wifi
        self.clock = clock
        self.button = press
        self.led = led
        self.contact = contact
        self.again = SecondTry(journal)
        self._facts = facts

        self.config: dict | None = config  # the committed configuration
        self._onboarding = None  # only while seeking
        self.operation = None  # from the first commit on
        self._pending = None  # a directive that has been heard and not yet obeyed
        # A bundle waits: the version if that has failed and is not due again, else 0. Or None.
        brought = [name for name in os.listdir("/") if name.endswith(".muster")]
        self.bundle = 0 if brought else None
        self._shown = None  # the receipt that the LED has shown last
        # "due", or "again" once a bundle has come that way, even before a restart, to show its
        # receipt.
        self.setup = "again" if any(name.endswith(".page.muster") for name in brought) else None
        self.hosting = None  # that network beside the application
        self.seeks_again = False  # after the 5 s press; the running configuration stays
        self.backoff = Backoff()
        self.eager_from = time.ticks_ms()
        self.is_eager = True
        self.rest_ms = former.rest_ms()
        self._is_shaky = former.is_shaky  # lives end early, perhaps by the application's fault
        self._slept = former.slept  # what was known before deep sleep, or None

    # Never returns; DeviceErrors end here, anything else is a defect and ends in start.py.
    # app: the owner's coroutine.
    async def live(self, app):
        self._app = app
        if self.config:
            log.hide_config(self.config)
            await self._adopt(self.config)
            slept, self._slept = self._slept, None
            if slept:
                borrow("waking silence", "wake", self, self.config, slept)
        if self.rest_ms:
            log.warn("life", "reset again and again: no radio for %d ms" % self.rest_ms)
            self.led.show("failed")
            await self.button.pause(self.rest_ms)
        is_second = False  # the candidate that is kept has its turn, beside all else
        while True:
            was_second, is_second = is_second, False
            try:  # whatever happened before: an untaken press would end every pause at once
                while self.button.is_pressed():
                    await borrowed("by_hand", "heed", self)
            except DeviceError as e:
                borrow("failure", "note", self, e, True)
            try:
                if not await self._live_on(was_second):
                    self.backoff.reset()
            except Interrupted:
                self.timeline.drop()
            except DeviceError as e:
                wait_ms, is_second = borrow("failure", "note", self, e, was_second)
                await self.button.pause(wait_ms)

    # Returns what stood in the way of the candidate that is kept, else None.
    async def _live_on(self, is_second):
        if self._pending:
            answer, self._pending = self._pending, None
            await self._obey(answer)
        elif self.setup == "due":
            await borrowed("by_hand", "set_up", self)
        elif self._is_bundle_due():
            await borrowed("by_hand", "apply", self)
        elif is_second and not self.seeks_again:  # home is gone
            return await self.attempt(None)
        elif self.config is None or self.seeks_again:
            self.led.show("seek")
            seeking = self._seeker().seek("committed" if self.config else "blank")
            self._pending = await self._unless_wanted(seeking)
        else:
            running = self.operation.run(self._is_bundle_due, self._unless_wanted)  # type: ignore[union-attr]
            self._pending = await running
        return None

    # Runs the steps, to be awaited. Raises Interrupted if the button, or a bundle, wants something
    # else before.
    def _unless_wanted(self, steps):
        reason = lambda: Interrupted() if self.button.wants_else() else None  # noqa: E731
        return borrowed("interruption", "interruptible", steps, reason)

    def _is_bundle_due(self):
        return self.bundle is not None and not self.again.due_in_ms(self.bundle)

    def _seeker(self):
        from .onboarding import Onboarding

        if self._onboarding is None:
            self._onboarding = Onboarding(self, self._facts)
        return self._onboarding

    async def _adopt(self, config, lease=None):
        from .operation import Operation

        await asyncio.sleep_ms(0)  # loading it takes a while
        self.config = config
        borrow("local_wifi", "add", self, config)
        if self.operation is None:
            keep("http", "onem2m", "platform", "registered", "tls")
            self.operation = Operation(self, self._app, self._is_shaky)
        self.operation.adopt(config, lease)

    async def _obey(self, answer):
        if answer.action == CONFIGURE:
            wait_ms = self.again.due_in_ms(answer.config["version"])
            if wait_ms:
                await self.button.pause(wait_ms)
            else:
                await self.attempt(answer)
        elif answer.action == FORGET and self.config:
            await borrowed("by_hand", "forget", self)
        elif self.config is None:
            if answer.action == FORGET:
                borrow("candidate", "drop", self.store, self.journal)
            await self.button.pause(max(1, min(answer.retry_s, _LONGEST_KEEP_S)) * 1000)
        self.seeks_again = False

    # Tries a configuration. Returns what stood in the way, or None once it is committed.
    async def attempt(self, answer):
        self._onboarding = None  # room for the registration
        release("onboarding")
        proved, self._pending, error = await borrowed("trial", "attempt", self, answer)
        if proved:
            self.seeks_again = False
            await self._adopt(*proved)
        return error

    # Ends the committed configuration. Returns what ran on it, to be stopped, or None.
    def end_operation(self):
        operation, self.operation = self.operation, None
        self.config = None
        keep()
        return operation

    # Notes that a bundle waits: its version if that has failed and is not due again, else 0. None:
    # no more.
    def bundle_waits(self, version):
        self.bundle = version

    # Notes that the network of its own waits: "due", or "again" once a bundle has come that way.
    # None: no more.
    def setup_waits(self, when):
        self.setup = when

    # Notes the task that serves that network beside the application, until it has ended.
    def hosts(self, task):
        self.hosting = task

    # Tells whether the LED has not just shown this receipt; from now on it has.
    def is_new_receipt(self, text):
        former, self._shown = self._shown, text
        return text != former

    # Ends the haste: nobody waits beside the device any more. Latched, because ticks wrap.
    def calm_down(self):
        self.is_eager = False
        self.seeks_again = False

    # Makes all that waits due now. has_to_seek: for another configuration, although there is one;
    # it stays until then.
    def hurry(self, has_to_seek):
        self.seeks_again = self.seeks_again or has_to_seek
        self.eager_from = time.ticks_ms()
        self.is_eager = True
        self.backoff.reset()
        self.again.hurry()
        self.contact.due_in(0)
