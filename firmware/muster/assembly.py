# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Builds the device out of its parts, once. Loaded at the start and let go again.

from . import __version__, hardware, log
from .button import Button
from .clock import Clock
from .contact import Contact
from .journal import JOURNAL, Journal
from .label import Label
from .led import LED
from .lifecycle import Life
from .listening import listen
from .modules import borrow
from .store import Store
from .timeline import Timeline
from .wifi import Wifi


# Returns the life, and the coroutines that have to run beside it; (None, []) on a board without a
# label.
def assemble(pulse):
    facts = hardware.read_facts()
    who = _label()
    if who is None:
        log.error("muster", "this board has no label: write one to it over serial")
        return None, []
    cause = hardware.reset_cause()
    log.info("muster", "%s %s on %s, %s" % (who.device_id, __version__, facts["board"], cause))
    networks = facts["onboarding"]
    log.hide(networks["psk"])
    rtc = hardware.rtc()
    store = Store()
    kept = borrow("recall schema", "recall", store.load(JOURNAL))
    former = borrow("restart recall schema", "Former", rtc.memory, cause, kept[-1])
    timeline = Timeline(rtc.memory, former.record, pulse, former.slept)
    journal = Journal(store, kept, facts, __version__, cause, timeline)
    clock = Clock(rtc.datetime, facts["built"], journal.clock, journal.keep_clock)
    wifi = Wifi(hardware.open_wlan(who.device_id), hardware.country())
    beside: list = []
    led = _led(facts["led"], pulse, beside)
    press = _button(facts["button"], pulse, beside)
    contact = Contact(who, clock, journal, timeline)
    beside.append(store.tidy())
    beside.append(listen(pulse, who, store, journal, clock, press))
    config = borrow("candidate", "wake", store, journal, timeline, former)
    if journal.last and journal.last is not kept[2]:  # what has ended the former life
        led.failed(journal.last["step"])
    life = Life(
        who, store, journal, timeline, wifi, clock, press, led, contact, networks, config, former
    )
    return life, beside


# Returns the label alone: an Identity would keep the module that reads it in RAM.
def _label():
    found = borrow("identity", "read", hardware.open_nvs("muster"))
    return Label(found.device_id, found.secret) if found else None


# A board without an LED or a button has one that nobody sees or presses.
def _led(fact, pulse, beside):
    if fact is None:
        return LED(None)
    led = LED(hardware.output_pin(fact), fact["active"])
    beside.append(led.blink(pulse))
    return led


def _button(fact, pulse, beside):
    if fact is None:
        return Button(None, 0, pulse)
    press = Button(hardware.input_pin(fact), fact["active"], pulse)
    beside.append(press.watch())
    return press
