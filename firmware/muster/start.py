# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Builds the device out of its parts, once, and keeps it alive.

import asyncio
import sys

from micropython import const

from . import __version__, hardware, log
from .button import Button
from .clock import Clock
from .contact import Contact
from .journal import Journal
from .label import Label
from .led import LED
from .lifecycle import Life
from .listening import listen
from .modules import release
from .store import Store
from .timeline import Timeline
from .wifi import Wifi

_WATCHDOG_MS = const(60000)
_FEED_MS = const(1000)
_AT_PROMPT_MS = const(600000)  # so that a copy over serial is not bitten
_BEFORE_RESET_S = const(10)


def run(app):
    dog = hardware.watchdog(_WATCHDOG_MS)
    try:
        asyncio.run(_watched(app, dog))
    except KeyboardInterrupt:
        log.info("muster", "stopped; Ctrl-D starts again")
    except Exception as e:  # noqa: BLE001 - the last catch-all: a defect must not strand a device
        sys.print_exception(e)
        log.error("muster", "unexpected error, restarts in %d s" % _BEFORE_RESET_S)
        _restart_later()
    finally:
        asyncio.new_event_loop()
        hardware.watchdog(_AT_PROMPT_MS)


def _restart_later():
    import time

    try:
        time.sleep(_BEFORE_RESET_S)
    except KeyboardInterrupt:
        return
    hardware.reset()


async def _watched(app, dog):
    task = asyncio.create_task(_feed(dog))
    try:
        await start(app)
    finally:
        task.cancel()


async def _feed(dog):
    while True:
        dog.feed()
        await asyncio.sleep_ms(_FEED_MS)


async def start(app):
    facts = hardware.read_facts()
    who = _label()
    if who is None:
        log.error("muster", "this board has no label: write one to it over serial")
        return
    cause = hardware.reset_cause()
    log.info("muster", "%s %s on %s, %s" % (who.device_id, __version__, facts["board"], cause))
    log.hide(facts["onboarding"]["psk"])
    store = Store()
    timeline = Timeline()
    journal = Journal(store, facts, __version__, cause, timeline)
    clock = Clock(hardware.set_rtc, facts["built"], journal.clock, journal.keep_clock)
    wifi = Wifi(hardware.open_wlan(who.device_id), hardware.set_country)
    tasks: list = []
    led = _led(facts["led"], tasks)
    press = _button(facts["button"], tasks)
    contact = Contact(who, clock, journal, timeline)
    listening = listen(who, store, journal, clock, press)
    tasks.append(asyncio.create_task(listening))
    networks = facts["onboarding"]
    life = Life(who, store, journal, timeline, wifi, clock, press, led, contact, networks)
    try:
        await life.live(app, cause)
    finally:
        for task in tasks:
            task.cancel()


# The label's two parts alone: an Identity would keep the module that reads it in RAM.
def _label():
    from . import identity

    found = identity.read(hardware.open_nvs("muster"))
    del identity
    release("identity")
    return Label(found.device_id, found.secret) if found else None


# A board without an LED or a button has one that nobody sees or presses.
def _led(fact, tasks):
    if fact is None:
        return LED(None)
    led = LED(hardware.output_pin(fact), fact["active"])
    tasks.append(asyncio.create_task(led.blink()))
    return led


def _button(fact, tasks):
    if fact is None:
        return Button(None)
    press = Button(hardware.input_pin(fact), fact["active"])
    tasks.append(asyncio.create_task(press.watch()))
    return press
