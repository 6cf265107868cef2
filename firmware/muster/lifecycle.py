# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The device's life, top to bottom: onboard, try, commit or come home, operate.

import os
import time

from micropython import const

from . import button, log
from .actions import CONFIGURE, FORGET
from .backoff import Backoff, SecondTry
from .errors import DeviceError
from .modules import release
from .timeline import RECEIVE

_SEEKING_MS = const(600000)  # so long after power-on or a press a device seeks eagerly
_EAGER_MS = const(10000)
_LONGEST_KEEP_S = const(300)  # a blank device has nothing to keep and asks again


class Life:
    # Every collaborator is made in start.py. facts: the onboarding networks of the build.
    def __init__(
        self, identity, store, journal, timeline, wifi, clock, press, led, contact, facts
    ):
        self._identity = identity
        self._store = store
        self._journal = journal
        self._timeline = timeline
        self._wifi = wifi
        self._clock = clock
        self._button = press
        self._led = led
        self._contact = contact
        self._facts = facts

        self._config: dict | None = None  # the committed configuration
        self._onboarding = None  # only while seeking
        self._operation = None  # from the first commit on
        self._pending = None  # a directive that has been heard and not yet obeyed
        self._has_bundle = any(name.endswith(".muster") for name in os.listdir("/"))
        self._seeks_again = False  # after the 5 s press; the running configuration stays
        self._again = SecondTry(journal)
        self._backoff = Backoff()
        self._eager_from = time.ticks_ms()
        self._is_eager = True

    # Never returns; DeviceErrors end here, anything else is a defect and ends in start.py.
    # app: the owner's coroutine.
    async def live(self, app, woke_by):
        self._app = app
        config = self._with_candidate("wake", self._timeline, woke_by)
        self._again.wait()
        if config:
            log.hide_config(config)
            self._adopt(config)
        while True:
            try:
                await self._live_on()
                self._backoff.reset()
            except DeviceError as e:
                self._note(e)
                await self._button.pause(self._delay_ms(e))
            try:  # whatever happened before: an untaken press would end every pause at once
                await self._heed_button()
            except DeviceError as e:
                self._note(e)

    async def _live_on(self):
        if self._pending:
            answer, self._pending = self._pending, None
            await self._obey(answer)
        elif self._has_bundle and not self._again.due_in_ms(self._journal.failed_version):
            await self._apply()
        elif self._config is None or self._seeks_again:
            self._led.show("seek")
            self._pending = await self._seeker().seek("committed" if self._config else "blank")
        else:
            self._pending = await self._operating().run()

    def _seeker(self):
        from .onboarding import Onboarding

        if self._onboarding is None:
            self._onboarding = Onboarding(
                self._facts,
                self._identity,
                self._wifi,
                self._button,
                self._timeline,
                self._journal,
                self._contact,
            )
        return self._onboarding

    def _operating(self):
        return self._operation

    def _adopt(self, config, lease=None):
        from .operation import Operation

        self._config = config
        if self._operation is None:
            self._operation = Operation(
                self._app,
                self._identity.device_id,
                self._wifi,
                self._clock,
                self._button,
                self._led,
                self._timeline,
                self._journal,
                self._contact,
                self._again,
            )
        self._operating().adopt(config, lease)

    # One deed of candidate.py, which is loaded for it and let go again.
    def _with_candidate(self, deed, *arguments):
        from . import candidate

        try:
            return getattr(candidate, deed)(self._store, self._journal, *arguments)
        finally:
            del candidate
            release("candidate")

    async def _obey(self, answer):
        if answer.action == CONFIGURE:
            await self._try(answer)
        elif answer.action == FORGET and self._config:
            await self._forget()
        elif self._config is None:
            await self._button.pause(max(1, min(answer.retry_s, _LONGEST_KEEP_S)) * 1000)
        self._seeks_again = False

    # What somebody has brought is tried as what a directive brings.
    async def _apply(self):
        from . import delivery

        try:
            self._has_bundle = await delivery.apply(
                self._identity,
                self._store,
                self._journal,
                self._clock,
                self._timeline,
                self._led,
                self._try,
                lambda: self._config is None,
            )
        finally:
            del delivery
            release("delivery", "inbox")

    # Returns what stood in the way, or None once it is committed.
    async def _try(self, answer):
        version = answer.config["version"]
        wait_ms = self._again.due_in_ms(version)
        if wait_ms:
            await self._button.pause(wait_ms)
            return None
        config = self._with_candidate("keep", answer)
        self._led.show("trial")
        self._onboarding = None  # room for the registration
        release("onboarding", "sync")
        from . import trial

        who = self._identity.device_id
        reached = self._journal.reached
        try:
            lease = await trial.prove(
                config, self._wifi, who, self._clock, self._timeline, reached
            )
        except DeviceError as e:
            self._led.show("failed")
            self._wifi.stop()
            self._timeline.failed(e)
            self._with_candidate("fail", version, e)
            self._again.wait()
            return e
        finally:
            del trial
            release("trial", "platform", "tls", "http")
        self._pending = await self._confirm(config)
        if self._pending:
            self._with_candidate("drop")
            text = "the configuration server wants to %s" % self._pending.action
            return DeviceError("config_not_newer", text)
        self._commit(config, lease)
        return None

    # The sync before the commit: only an authenticated "forget" or another configuration prevents
    # it, and is returned; anything else counts as unreachable.
    async def _confirm(self, config):
        self._led.show("sync")
        try:
            answer = await self._contact.ask(config, "trial")
        except DeviceError as e:
            log.warn("confirm", "not confirmed, committed all the same: %s" % e)
            return None
        if answer.action == FORGET:
            return answer
        if answer.config and answer.config["version"] != config["version"]:
            return answer
        return None

    def _commit(self, config, lease):
        try:
            self._with_candidate("commit", config)
        except DeviceError as e:  # it is proved and kept: the next start commits it
            log.error("life", e)
        self._seeks_again = False
        self._adopt(config, lease)

    async def _forget(self):
        self._with_candidate("forget")
        self._config = None
        log.info("life", "configuration forgotten")
        operation, self._operation = self._operation, None
        if operation:
            await operation.stop()

    async def _heed_button(self):
        kind = self._button.take()
        if kind is None:
            return
        log.info("button", ("", "short press", "5 s", "15 s", "twice", "bundle")[kind])
        self._eager_from = time.ticks_ms()
        self._is_eager = True
        self._backoff.reset()
        self._again.hurry()
        self._contact.due_in(0)
        if kind == button.LONG:
            self._seeks_again = True
        elif kind == button.LONGEST:
            from . import delivery

            self._journal.reset()
            delivery.forget(self._store)
            del delivery
            release("delivery", "inbox")
            await self._forget()
        elif kind == button.BUNDLE:
            self._has_bundle = True

    # A failure outside a trial, which has its own way home.
    def _note(self, error):
        if error.step is None and self._timeline.step is None:
            error.step = RECEIVE  # between the steps only a directive is obeyed
        self._timeline.failed(error)
        self._journal.failed(self._config["version"] if self._config else 0, error)
        self._led.show("failed")
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
