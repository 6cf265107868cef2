# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# A committed device at work: it keeps the application running, stays connected and registered, and
# asks the configuration server now and then.

import asyncio
import gc
import time

from micropython import const

from . import log
from .actions import FORGET
from .application import Application
from .errors import DeviceError
from .modules import borrowed
from .platform import TIMELINE, platform_for
from .timeline import JOIN, REGISTER

_LOOK_MS = const(1000)  # how often a joined device looks whether it still is
_STEADY_MS = const(60000)  # a network that is lost sooner is no better than one that refuses


class Operation:
    # life: lifecycle.py's. is_shaky: lives before this one have ended early. If it was the
    # application's settings, the server may have others: it is asked once before the application
    # starts.
    def __init__(self, life, app, is_shaky):
        self._life = life
        self._application = Application(app)
        self._is_told = True  # the platform knows the timeline of the last onboarding
        self._is_registered = False
        self._asks_first = is_shaky  # the server, before it registers
        self._is_held = is_shaky  # the application, until it has been asked

    # From now on this configuration. lease: of the registration that its trial has just made, on
    # the network that the device is still on.
    def adopt(self, config, lease=None):
        self._config = config
        self._platform = platform_for(
            config["platform"], self._life.identity.device_id, self._life.clock
        )
        self._platform.lease = lease
        self._is_registered = lease is not None
        self._is_told = lease is None

    # Until the connection is lost, or there is a directive to obey, which is returned, or a press
    # that wants more than a sync, or a bundle is due. DeviceError if it cannot connect, or not for
    # long. unless_wanted: awaits what it is given, or raises Interrupted.
    async def run(self, is_bundle_due, unless_wanted):
        gc.collect()  # much has just been loaded or let go
        await asyncio.sleep_ms(0)
        if self._is_registered:
            await self._tell_timeline()  # there is more room for it before the application starts
        # The application runs from here on, whatever becomes of the connection.
        if not self._is_held:
            await self._application.run(self._config, self._platform)
        if not self._is_registered:
            is_held, self._is_held = self._is_held, False
            answer = await unless_wanted(self._connect())
            if answer:
                self._is_held = is_held
                return answer
        self._is_held = False
        await self._application.run(self._config, self._platform)
        self._life.wifi.save_power()
        self._life.led.show("committed")
        self._application.set_online(True)
        try:
            return await self._work(is_bundle_due)
        finally:
            self._application.set_online(False)
            self._is_registered = False

    async def stop(self):
        await self._application.stop()

    async def _work(self, is_bundle_due):
        began = time.ticks_ms()
        await self._tell_timeline()
        while self._life.wifi.is_joined():
            await self._renew()
            answer = await self._check_in() if self._life.contact.is_due() else None
            if answer:
                return answer
            await self._life.button.pause(_LOOK_MS)
            if self._life.button.took_short():
                self._life.led.identify()
                self._life.again.hurry()
                self._life.contact.due_in(0)
            elif self._life.button.is_pressed() or is_bundle_due():
                return None
        lasted_ms = time.ticks_diff(time.ticks_ms(), began)
        if lasted_ms < _STEADY_MS:
            error = DeviceError("wifi_timeout", "the network was lost after %d ms" % lasted_ms)
            error.step = JOIN
            raise error
        return None

    async def _renew(self):
        try:
            await self._platform.renew(self._life.clock.now())
        except DeviceError as e:
            e.step = REGISTER
            raise

    async def _tell_timeline(self):
        if self._is_told:
            return
        try:
            await self._platform.publish(TIMELINE, self._life.journal.told())
            self._is_told = True
        except DeviceError as e:
            log.warn("operation", "the timeline is told later: %s" % e)

    # Returns a directive that must be obeyed first, or None once it is connected and registered.
    async def _connect(self):
        config = self._config
        await self._life.wifi.join_one_of(config, self._life.timeline)
        # A certificate wants the time; and a platform that did not take the device may not be the
        # one any more, or have another authority. The server knows, if it can be reached.
        asks = self._asks_first or (
            config["platform"]["url"].startswith("https") and not self._life.clock.is_known
        )
        if asks:
            answer = await self._check_in()
            if answer:
                return answer
        self._asks_first = True
        await self._register(config)
        self._asks_first = False
        self._is_registered = True
        if not asks:
            self._life.contact.due_in(0)
        return None

    async def _register(self, config):
        life = self._life
        await borrowed("trial", "register", config, self._platform, life.clock, life.timeline)

    # Returns what the server wants done, or None. What it cannot reach now it tries again.
    async def _check_in(self):
        try:
            answer = await self._life.contact.ask(self._config, "committed")
        except DeviceError as e:
            self._life.timeline.drop()
            log.warn("sync", e)
            # A stranger may have said it: it makes the next contact later, never sooner.
            self._life.contact.not_before(e.retry_s or 0)
            return None
        wait_ms = self._life.again.due_in_ms(answer.config["version"]) if answer.config else 0
        if self._life.journal.last:
            self._life.contact.due_in(
                1
            )  # only an echo of this nonce tells the failure for certain
        elif wait_ms:
            self._life.contact.due_in(wait_ms // 1000 + 1)
        is_for_us = answer.action == FORGET or (answer.config and not wait_ms)
        return answer if is_for_us else None
