# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The device's life, top to bottom: onboard, try, commit or come home, operate.

import os
import time

from micropython import const

from . import button, log
from .actions import CONFIGURE, FORGET
from .backoff import Backoff, SecondTry
from .errors import DeviceError, Interrupted
from .modules import keep, release
from .timeline import RECEIVE

_SEEKING_MS = const(600000)  # so long after power-on or a press a device seeks eagerly
_EAGER_MS = const(10000)
_LONGEST_KEEP_S = const(300)  # a blank device has nothing to keep and asks again


class Life:
    # Every collaborator is made in assembly.py. facts: the onboarding networks of the build.
    def __init__(
        self, identity, store, journal, timeline, wifi, clock, press, led, contact, facts
    ):
        # For its parts that are not always loaded.
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

        self._config: dict | None = None  # the committed configuration
        self._onboarding = None  # only while seeking
        self._operation = None  # from the first commit on
        self._pending = None  # a directive that has been heard and not yet obeyed
        # A bundle waits: the version if that has failed and is not due again, else 0. Or None.
        brought = [name for name in os.listdir("/") if name.endswith(".muster")]
        self._bundle = 0 if brought else None
        self.announced = None  # the receipt that the LED has shown last
        # "due", or "again" once a bundle has come that way, even before a restart, to show its
        # receipt.
        self.setup = "again" if any(name.endswith(".page.muster") for name in brought) else None
        self.hosting = None  # that network beside the application
        self._seeks_again = False  # after the 5 s press; the running configuration stays
        self._backoff = Backoff()
        self._eager_from = time.ticks_ms()
        self._is_eager = True
        self.rest_ms = 0
        self._is_shaky = False  # lives end early, perhaps by the application's fault

    # The configuration to begin with, if there is one, and how long to rest before.
    def wake(self, former):
        known = self.journal.last
        self._config = self.with_candidate("wake", self.timeline, former)
        last = self.journal.last
        if last and last is not known:
            self.led.failed(last["step"])
        self.again.wait()
        self._is_shaky = former.is_shaky
        self.rest_ms = former.rest_ms()

    # Never returns; DeviceErrors end here, anything else is a defect and ends in start.py.
    # app: the owner's coroutine.
    async def live(self, app):
        self._app = app
        if self._config:
            log.hide_config(self._config)
            self._adopt(self._config)
        if self.rest_ms:
            log.warn("life", "reset again and again: no radio for %d ms" % self.rest_ms)
            self.led.show("failed")
            await self.button.pause(self.rest_ms)
        while True:
            try:  # whatever happened before: an untaken press would end every pause at once
                while self.button.is_pressed():
                    await self._heed_button()
            except DeviceError as e:
                self._note(e)
            try:
                await self._live_on()
                self._backoff.reset()
            except Interrupted:
                self.timeline.drop()
            except DeviceError as e:
                self._note(e)
                await self.button.pause(self._delay_ms(e))

    async def _live_on(self):
        if self._pending:
            answer, self._pending = self._pending, None
            await self._obey(answer)
        elif self.setup == "due":
            await self._set_up()
        elif self._is_bundle_due():
            await self._apply()
        elif self._config is None or self._seeks_again:
            self.led.show("seek")
            seeking = self._seeker().seek("committed" if self._config else "blank")
            self._pending = await self._unless_wanted(seeking)
        else:
            self._pending = await self._operating().run(self._is_bundle_due, self._unless_wanted)

    # Interrupted if the button, or a bundle, wants something else before that is done.
    async def _unless_wanted(self, steps):
        from .interruption import interruptible

        reason = lambda: Interrupted() if self.button.wants_else() else None  # noqa: E731
        try:
            return await interruptible(steps, reason)
        finally:
            del interruptible
            release("interruption")

    def _seeker(self):
        from .onboarding import Onboarding

        if self._onboarding is None:
            self._onboarding = Onboarding(self, self._facts)
        return self._onboarding

    def _operating(self):
        return self._operation

    def _adopt(self, config, lease=None):
        from .operation import Operation

        self._config = config
        if self._operation is None:
            keep("http", "platform", "tls")
            self._operation = Operation(self, self._app, self._is_shaky)
        self._operating().adopt(config, lease)

    # One deed of candidate.py, which is loaded for it and let go again.
    def with_candidate(self, deed, *arguments):
        from . import candidate

        try:
            return getattr(candidate, deed)(self.store, self.journal, *arguments)
        finally:
            del candidate
            release("candidate")

    async def _obey(self, answer):
        if answer.action == CONFIGURE:
            wait_ms = self.again.due_in_ms(answer.config["version"])
            if wait_ms:
                await self.button.pause(wait_ms)
            else:
                await self._try(answer)
        elif answer.action == FORGET and self._config:
            await self._deliver("forget")
            await self._forget()
        elif self._config is None:
            await self.button.pause(max(1, min(answer.retry_s, _LONGEST_KEEP_S)) * 1000)
        self._seeks_again = False

    # A network of its own. What is brought there is applied without it, then it opens once more:
    # its guests want to see the receipt, and the application need not wait for them.
    async def _set_up(self):
        from . import setup

        opened = setup.begin(self, self._config is not None)
        del setup
        await opened

    # What somebody has brought is tried as what a directive brings, and acknowledged. A blank
    # device keeps what fails, to try it again: there is nobody else to ask.
    async def _apply(self):
        # Until it goes well: where the flash or the heap fails, a device that can work does so.
        self._bundle = None if self._config else 0
        has_outcome = True
        try:
            found = await self._deliver("take")
            self._bundle = found and found[1][1]
            if not found or not found[0]:
                has_outcome = not found  # else its time has not come
                return
            raised = None
            try:
                error = await self._try(found[0])
            except DeviceError as e:
                error = raised = e
            may_keep = error is not None and self._config is None
            if not await self._deliver("settle", found[1], error, may_keep):
                self._bundle = 0  # there may be more
            if raised:
                raise raised
        finally:
            if self.setup and has_outcome:
                self.setup = "due"

    def _is_bundle_due(self):
        return self._bundle is not None and not self.again.due_in_ms(self._bundle)

    async def _deliver(self, deed, *arguments):
        from . import delivery

        try:
            return await getattr(delivery, deed)(self, *arguments)
        finally:
            del delivery
            release("delivery", "inbox")

    # Returns what stood in the way, or None once it is committed.
    async def _try(self, answer):
        self._onboarding = None  # room for the registration
        release("onboarding", "sync")
        from . import trial

        try:
            proved, self._pending, error = await trial.attempt(self, answer)
        finally:
            del trial
            release("trial")
        if proved:
            self._seeks_again = False
            self._adopt(*proved)
        return error

    async def _forget(self):
        self.with_candidate("forget")
        self._config = None
        log.info("life", "configuration forgotten")
        operation, self._operation = self._operation, None
        keep()
        if operation:
            await operation.stop()
        release("operation", "application", "platform", "tls", "http")

    async def _heed_button(self):
        kind = self.button.take()
        if kind is None:
            return
        log.info("button", ("", "short press", "twice", "5 s", "15 s", "bundle")[kind])
        if kind != button.BUNDLE:
            self.led.identify()
        self._eager_from = time.ticks_ms()
        self._is_eager = True
        self._backoff.reset()
        self.again.hurry()
        self.contact.due_in(0)
        if kind == button.LONG:
            self._seeks_again = True
        elif kind == button.LONGEST:
            self.journal.reset()
            await self._deliver("forget")
            await self._forget()
        elif kind == button.BUNDLE:
            self._bundle = 0
        elif kind == button.DOUBLE:
            self.setup = "due"

    # A failure outside a trial, which has its own way home.
    def _note(self, error):
        if error.step is None and self.timeline.step is None:
            error.step = RECEIVE  # between the steps only a directive is obeyed
        self.timeline.failed(error)
        self.journal.failed(self._config["version"] if self._config else 0, error)
        self.journal.keep_failure()
        self.led.failed(error.step)
        # Latched, because ticks wrap.
        if time.ticks_diff(time.ticks_ms(), self._eager_from) > _SEEKING_MS:
            self._is_eager = False
        if not self._is_eager:
            self._seeks_again = False

    def _delay_ms(self, error):
        delay_ms = max(self._backoff.next_ms(), (error.retry_s or 0) * 1000)
        if self._config is None and self._is_eager:
            return min(delay_ms, _EAGER_MS)
        return delay_ms
