# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The device's life, top to bottom: onboard, try, commit or come home, operate.

import time

from micropython import const

from . import button, log, url
from .actions import CONFIGURE, FORGET, KEEP
from .backoff import Backoff
from .errors import DeviceError
from .modules import release
from .timeline import RECEIVE, REGISTER

_SEEKING_MS = const(600000)  # so long after power-on or a press a device seeks eagerly
_EAGER_MS = const(10000)
_LONGEST_KEEP_S = const(300)  # a blank device has nothing to keep and asks again
_LOOK_MS = const(1000)  # how often a joined device looks whether it still is
_DAY_S = const(86400)  # without an authenticated answer for so long, the label's key is tried


class Life:
    # Every collaborator is made in start.py.
    def __init__(self, identity, store, journal, timeline, wifi, clock, press, led, facts):
        self._identity = identity
        self._store = store
        self._journal = journal
        self._timeline = timeline
        self._wifi = wifi
        self._clock = clock
        self._button = press
        self._led = led
        self._onboarding_facts = facts  # of the build: which networks are tried
        self._onboarding = None  # only while seeking

        self._config: dict | None = None  # the committed configuration
        self._platform = None  # of the committed configuration
        self._is_registered = False
        self._asks_first = False  # the server, before it registers
        self._is_told = True  # the platform knows the timeline of the last onboarding
        self._application = None
        self._lease = None
        self._pending = None  # a directive that has been heard and not yet obeyed
        self._seeks_again = False  # after the 5 s press; the running configuration stays
        self._backoff = Backoff()
        self._retry = Backoff()  # of a sync that has failed
        self._eager_from = time.ticks_ms()
        self._is_eager = True
        self._heard_at = clock.now()
        self._next_sync = time.ticks_ms()

    # Never returns; DeviceErrors end here, anything else is a defect and ends in start.py.
    # app: the owner's coroutine.
    async def live(self, app, woke_by):
        self._app = app
        self._config = self._with_candidate("wake", self._timeline, woke_by)
        self._wait_for_better()
        if self._config:
            log.hide_config(self._config)
        while True:
            try:
                await self._live_on()
                self._backoff.reset()
                await self._heed_button()
            except DeviceError as e:
                self._note(e)
                await self._button.pause(self._delay_ms(e))

    async def _live_on(self):
        if self._pending:
            answer, self._pending = self._pending, None
            await self._obey(answer)
        elif self._config is None or self._seeks_again:
            self._led.show("seek")
            answer = await self._seeker().seek("committed" if self._config else "blank")
            if answer:
                self._take_time(answer)
                self._pending = answer
        else:
            await self._operate()

    def _seeker(self):
        from .onboarding import Onboarding

        if self._onboarding is None:
            self._onboarding = Onboarding(
                self._onboarding_facts,
                self._identity,
                self._wifi,
                self._button,
                self._timeline,
                self._journal,
            )
        return self._onboarding

    # One deed of candidate.py, which is loaded for it and let go again.
    def _with_candidate(self, deed, *arguments):
        from . import candidate

        try:
            return getattr(candidate, deed)(self._store, self._journal, *arguments)
        finally:
            del candidate
            release("candidate")

    # What has failed would fail again: before the same version is tried once more the device asks,
    # later and later, whether there is something better.
    def _wait_for_better(self):
        wait_ms = Backoff(self._journal.failures - 1).next_ms() if self._journal.failures else 0
        self._retry_at = time.ticks_add(time.ticks_ms(), wait_ms)

    def _due_in_ms(self, version):
        if version != self._journal.failed_version:
            return 0
        return max(0, time.ticks_diff(self._retry_at, time.ticks_ms()))

    async def _obey(self, answer):
        if answer.action == CONFIGURE:
            await self._try(answer)
        elif answer.action == FORGET and self._config:
            await self._forget()
        elif self._config is None:
            await self._button.pause(max(1, min(answer.retry_s, _LONGEST_KEEP_S)) * 1000)
        self._seeks_again = False

    async def _try(self, answer):
        version = answer.config["version"]
        wait_ms = self._due_in_ms(version)
        if wait_ms:
            await self._button.pause(wait_ms)
            return
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
            self._wait_for_better()
            return
        finally:
            del trial
            release("trial", "registration", "tls", "http")
        self._pending = await self._confirm(config)
        if self._pending:
            self._with_candidate("drop")
        else:
            self._commit(config, lease)

    # The sync before the commit: only an authenticated "forget" or another configuration prevents
    # it, and is returned; anything else counts as unreachable.
    async def _confirm(self, config):
        self._led.show("sync")
        try:
            answer = await self._sync(config, "trial")
        except DeviceError as e:
            log.warn("confirm", "not confirmed, committed all the same: %s" % e)
            self._sync_in(self._retry.next_ms() // 1000)
            return None
        if answer.action == FORGET:
            return answer
        if answer.config and answer.config["version"] != config["version"]:
            return answer
        return None

    def _commit(self, config, lease):
        self._config = config
        self._lease = lease
        self._platform = None  # made anew from this configuration
        self._is_registered = True
        self._is_told = False
        self._seeks_again = False
        try:
            self._with_candidate("commit", config)
        except DeviceError as e:  # it is proved and kept: the next start commits it
            log.error("life", e)

    async def _operate(self):
        application, platform = await self._launch()
        if not self._is_registered:
            await self._connect(self._config, platform)
            if not self._is_registered:
                return
        self._wifi.save_power()
        self._led.show("committed")
        application.set_online(True)
        try:
            await self._tell_timeline(platform)
            while self._wifi.is_joined() and self._pending is None:
                await self._renew(platform)
                if time.ticks_diff(self._next_sync, time.ticks_ms()) <= 0:
                    await self._check_in(self._config)
                await self._button.pause(_LOOK_MS)
                await self._heed_button()
                if self._config is None or self._seeks_again:
                    return
        finally:
            application.set_online(False)
            self._is_registered = False

    async def _renew(self, platform):
        try:
            await platform.renew(self._clock.now())
        except DeviceError as e:
            e.step = REGISTER
            raise

    # The application runs from here on, whatever becomes of the connection.
    async def _launch(self):
        config: dict = self._config  # type: ignore[assignment]  # only while there is one
        if self._platform is None:
            from .registration import platform_for

            who = self._identity.device_id
            self._platform = platform_for(config["platform"], who, self._clock)
            self._platform.lease = self._lease
        if self._application is None:
            from .application import Application

            self._application = Application(self._app)
        application = self._application
        await application.run(config, self._platform)
        return application, self._platform

    async def _tell_timeline(self, platform):
        if self._is_told:
            return
        from .registration import TIMELINE

        try:
            await platform.publish(TIMELINE, {"timeline": self._timeline.entries})
            self._is_told = True
        except DeviceError as e:
            log.warn("life", "the timeline is told later: %s" % e)

    async def _connect(self, config, platform):
        from . import trial

        await trial.join(config, self._wifi, self._timeline)
        # A certificate wants the time; and a platform that did not take the device may not be the
        # one any more, or have another authority. The server knows, if it can be reached.
        asks = self._asks_first or (
            config["platform"]["url"].startswith("https") and not self._clock.is_known
        )
        if asks:
            await self._check_in(config)
            if self._pending:
                return
        self._asks_first = True
        await trial.register(config, platform, self._clock, self._timeline)
        self._asks_first = False
        self._is_registered = True
        if not asks:
            self._sync_in(0)

    # A later contact: what it cannot reach now it tries again, later and later.
    async def _check_in(self, config):
        try:
            answer = await self._sync(config, "committed")
        except DeviceError as e:
            log.warn("sync", e)
            self._sync_in(max(self._retry.next_ms() // 1000, e.retry_s or 0))
            return
        self._retry.reset()
        wait_ms = self._due_in_ms(answer.config["version"]) if answer.config else 0
        if self._journal.last:
            self._sync_in(1)  # the failure is told for certain only by an echo of this nonce
        elif wait_ms:
            self._sync_in(wait_ms // 1000 + 1)
        if answer.action == FORGET or (answer.config and not wait_ms):
            self._pending = answer

    async def _sync(self, config, state):
        from . import sync

        is_deaf = self._clock.now() - self._heard_at > _DAY_S
        key = sync.label_key(self._identity) if is_deaf else sync.version_key(config)
        _, host, port, _ = url.split(config["config_server"]["url"])
        report = self._journal.report([], state)
        who = self._identity.device_id
        try:
            answer = await sync.ask((host, port), who, key, report, self._timeline)
        finally:
            del sync
            release("sync")
        self._journal.heard(answer)
        self._take_time(answer)
        self._sync_in(answer.retry_s or config["policy"]["sync_s"])
        if is_deaf and answer.action == FORGET:
            answer.action = KEEP  # whoever has only the label may not take a device away
        return answer

    # In ticks, because the clock may be set at any moment; a day is well below half their range.
    def _sync_in(self, seconds):
        self._next_sync = time.ticks_add(time.ticks_ms(), min(seconds, _DAY_S) * 1000)

    def _take_time(self, answer):
        self._clock.set(answer.time)
        self._heard_at = answer.time

    async def _forget(self):
        self._with_candidate("forget")
        self._config = self._platform = None
        log.info("life", "configuration forgotten")
        if self._application:
            await self._application.stop()

    async def _heed_button(self):
        kind = self._button.take()
        if kind is None:
            return
        log.info("button", ("", "short press", "5 s", "15 s")[kind])
        self._eager_from = time.ticks_ms()
        self._is_eager = True
        self._backoff.reset()
        self._retry_at = time.ticks_ms()
        self._sync_in(0)
        if kind == button.LONG:
            self._seeks_again = True
        elif kind == button.LONGEST:
            self._journal.reset()
            await self._forget()

    # A failure outside a trial, which has its own way home.
    def _note(self, error):
        if error.step is None and self._timeline.step is None:
            error.step = RECEIVE  # between the steps only a directive is obeyed
        self._timeline.failed(error)
        self._journal.failed(self._config["version"] if self._config else 0, error)
        self._led.show("failed")
        self._look_at_time()
        if not self._is_eager:
            self._seeks_again = False

    def _delay_ms(self, error):
        delay_ms = max(self._backoff.next_ms(), (error.retry_s or 0) * 1000)
        if self._config is None and self._is_eager:
            return min(delay_ms, _EAGER_MS)
        return delay_ms

    # Latched, because ticks wrap.
    def _look_at_time(self):
        if time.ticks_diff(time.ticks_ms(), self._eager_from) > _SEEKING_MS:
            self._is_eager = False
