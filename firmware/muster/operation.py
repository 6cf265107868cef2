# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# A committed device at work: it keeps the application running, stays connected and registered, and
# asks the configuration server now and then.

import asyncio
import gc
import time

from micropython import const

from . import log, room
from .errors import DeviceError
from .modules import borrow, borrowed
from .onem2m import TIMELINE
from .platform import platform_for
from .registered import publish, renew
from .timeline import JOIN, REGISTER

_LOOK_MS = const(1000)  # how often a joined device looks whether it still is
_DOUBT_MS = const(60000)  # the link is looked at, if nobody has answered lately,
_TRUST_MS = const(900000)  # and even if there is nothing to doubt
_STEADY_MS = const(60000)  # a network that is lost sooner is no better than one that refuses


class Operation:
    # life: lifecycle.py's. is_shaky: lives before this one have ended early. If it was the
    # application's settings, the server may have others: it is asked once before the application
    # starts.
    def __init__(self, life, app, is_shaky):
        self.life = life
        self._app = app
        self._application = None  # loaded when it starts
        self._is_told = True  # the platform knows the timeline of the last onboarding
        self._is_registered = False
        # For connecting.py and link.py: still on the network that it has joined for this, and when
        # it was noticed first that nobody answers there, in ticks.
        self.is_home = False
        self.silent_since = None
        self.asks_first = is_shaky  # the server, before it registers
        self.is_held = is_shaky  # the application, until it has been asked
        self.is_known = False  # to the platform, since before this life
        self.is_obeying = False  # or a bundle has its turn

    # Runs on this configuration from now on. lease: of the registration that its trial has just
    # made, on the network that the device is still on.
    def adopt(self, config, lease=None):
        self.config = config
        self.platform = platform_for(
            config["platform"], self.life.identity.device_id, self.life.clock
        )
        self.platform.lease = lease
        self._is_registered = self.is_home = lease is not None
        self._is_told = lease is None
        self.is_known = False

    # Works until the connection is lost, or there is a directive to obey, which is returned, or a
    # press that wants more than a sync, or a bundle is due. unless_wanted: awaits what it is
    # given, or raises Interrupted. Raises DeviceError if it cannot connect, or not for long.
    async def run(self, is_bundle_due, unless_wanted):
        self.is_obeying = False
        gc.collect()  # much has just been loaded or let go
        await asyncio.sleep_ms(0)
        while self._application and self._application.session.is_asleep:  # lightly
            await self.life.button.pause(_LOOK_MS)
        if self._is_registered:
            await self._tell_timeline()  # there is more room for it before the application is here
        if self._application is None:
            from .application import Application

            await asyncio.sleep_ms(0)  # loading it takes a while
            self._application = Application(self._app, self.life)
        # The application runs from here on, whatever becomes of the connection.
        if not self.is_held:
            await self._application.run(self.config, self.platform)
        if not self._is_registered:
            is_held, self.is_held = self.is_held, False
            # Not by a name, which would keep all that connecting has loaded while this works.
            answer = await unless_wanted(
                borrowed("connecting", "connect", self, self.config, self.platform)
            )
            if answer:
                self.is_held = is_held
                self.is_obeying = True
                return answer
            self._is_registered = True
        self.is_held = False
        await self._application.run(self.config, self.platform)
        self.life.wifi.save_power()
        self.life.led.show("committed")
        self._application.set_online(True)
        try:
            answer = await self._work(is_bundle_due)
            self.is_home = False  # others have the radio now
            self.is_obeying = bool(answer or is_bundle_due())
            return answer
        finally:
            self._application.set_online(False)
            self._is_registered = False

    async def stop(self):
        if self._application:
            await self._application.stop()

    async def _work(self, is_bundle_due):
        began = looked = time.ticks_ms()
        await self._tell_timeline()
        while self.life.wifi.is_joined():
            await self.renew()
            self.platform.keep_room()
            if room.shortages:
                await borrowed("shortage", "heed", self.life, self)
            is_doubtful = self.platform.is_silent or self.silent_since is not None
            doubt_ms = _DOUBT_MS if is_doubtful else _TRUST_MS
            if time.ticks_diff(time.ticks_ms(), looked) >= doubt_ms:
                await borrowed("link", "look", self)
                looked = time.ticks_ms()
            if self.life.contact.is_due():
                answer = await borrowed("connecting", "check_in", self.life, self.config)
                if answer:
                    return answer
            await self.life.button.pause(_LOOK_MS)
            if self.life.button.took_short():
                self.life.led.identify()
                self.life.again.hurry()
                self.life.contact.due_in(0)
            elif self.life.button.is_pressed() or is_bundle_due():
                return None
        lasted_ms = time.ticks_diff(time.ticks_ms(), began)
        if lasted_ms < _STEADY_MS and not self._application.session.is_asleep:  # type: ignore[union-attr]
            error = DeviceError("wifi_timeout", "the network was lost after %d ms" % lasted_ms)
            error.step = JOIN
            raise error
        return None

    async def renew(self):
        try:
            await renew(self.platform, self.life.clock.now())
        except DeviceError as e:
            e.step = REGISTER
            raise

    async def _tell_timeline(self):
        if self._is_told:
            return
        try:
            text = borrow("report", "told", self.life.journal)
            await publish(self.platform, TIMELINE, text)
            self._is_told = True
        except DeviceError as e:
            log.warn("operation", "the timeline is told later: %s" % e)
