# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# A network that somebody gives the device at its setup page: what is heard, what the form says of
# it, and its trial. Loaded when needed.

import binascii
import time

from micropython import const

from . import local_wifi, log
from .errors import DeviceError, Interrupted
from .modules import borrow, borrowed
from .radio import printable
from .timeline import REGISTER

_SHOWN = const(12)
_TRIAL_MS = const(120000)


# Returns the names of the strongest networks in reach.
def heard(life):
    try:
        life.wifi.start(life.config and life.config["country"])
        return [seen[0] for seen in borrow("scanning", "networks", life.wifi.scan(), _SHOWN)]
    except DeviceError as e:
        log.warn("setup", e)
        return []


# Keeps the network that a form describes, to be tried. fields: {name: bytes}. Raises DeviceError.
def ask(store, fields):
    network = _network(fields)
    log.hide(network["psk"])
    record = local_wifi.load(store)
    record["asked"] = network
    record["name"] = printable(binascii.a2b_base64(network["ssid_b64"]))
    record["code"], record["detail"] = None, ""
    local_wifi.save(store, record)
    log.info("setup", "the network %s is to be tried" % record["name"])


def _network(fields):
    typed = fields.get("other", b"").strip()
    name = binascii.b2a_base64(typed)[:-1] if typed else fields.get("ssid", b"")
    try:
        psk = fields.get("password", b"").decode() or None
        network = {"ssid_b64": name.decode(), "psk": psk, "hidden": bool(typed), "ip": "dhcp"}
    except UnicodeError:
        raise DeviceError("config_invalid", "psk: wanted 8 to 63 printable characters")
    try:
        borrow("networks schema", "check", [network])
    except DeviceError as e:
        field = "psk" if e.detail.startswith("config.networks[0].psk") else "ssid"
        raise DeviceError("config_invalid", field + e.detail[e.detail.index(":") :])
    network["local"] = True
    return network


# Tries the network that waits for it, if there is one, and keeps it if the device reaches its
# platform from there. The one before stays otherwise. Leaves it to the trial of a bundle that
# brings none, which is due at once then.
async def attempt(life):
    record = local_wifi.load(life.store)
    network, record["asked"] = record["asked"], None
    if network and borrow("delivery inbox", "lacks_network", life.store):
        if record["code"] is None:
            life.again.hurry()
        return
    if not network or not life.config or not local_wifi.is_allowed(life.config):
        return
    life.led.show("trial")
    try:
        record["code"] = "power_lost"  # what a restart finds, unless it comes to an end
        local_wifi.save(life.store, record)
        log.info("setup", "tries the network %s" % record["name"])
        error = await _proved(life, network)
        record["code"], record["detail"] = (error.code, error.detail) if error else ("ok", "")
        record["network"] = record["network"] if error else network
        local_wifi.save(life.store, record)
    except DeviceError as e:  # the flash has refused: what is there stays
        error = e
    if error:
        life.timeline.failed(error)
        await come_home(life)
        return
    local_wifi.add(life, life.config)
    life.operation.is_home = True
    life.contact.due_in(0)  # the server shall know
    log.info("setup", "the network %s is kept" % record["name"])


# Takes note of how a bundle fared that brings no network, with the one that waited or is kept.
# Only a blank device still waits with one that has let it in: its platform may be in reach later.
def settle(life, error):
    if error:
        borrow("candidate", "drop", life.store, life.journal)  # it is nothing without a network
    record = local_wifi.load(life.store)
    asked = record["asked"]
    network = asked or record["network"]
    if not network:  # its record has rotted
        return
    record["name"] = printable(binascii.a2b_base64(network["ssid_b64"]))
    record["code"], record["detail"] = (error.code, error.detail) if error else ("ok", "")
    if error is None:
        record["network"] = network
    if error is None or life.config or error.step != REGISTER:
        record["asked"] = None
    local_wifi.save(life.store, record)
    if error is None:
        local_wifi.add(life, life.config)
        life.contact.due_in(0)  # the server shall know
        log.info("setup", "the network %s is kept" % record["name"])


# Joins what it was on before, if that is there. Before the setup network opens again: an ESP32's
# moves to the channel of the network that it joins, and then loses its guests.
async def come_home(life):
    try:
        await life.wifi.join_one_of(life.config, life.timeline)
        life.operation.is_home = True
    except DeviceError as e:
        life.timeline.drop()
        log.warn("setup", e)


# Returns what stood in the way, or None.
async def _proved(life, network):
    end = time.ticks_add(time.ticks_ms(), _TRIAL_MS)

    def reason():
        if life.button.wants_more():
            return Interrupted()
        if time.ticks_diff(end, time.ticks_ms()) <= 0:
            return DeviceError("timeout", "it took longer than %d s" % (_TRIAL_MS // 1000))
        return None

    try:
        await borrowed("interruption", "interruptible", _prove(life, network), reason)
    except Interrupted:
        return DeviceError("timeout", "ended by the button")
    except DeviceError as e:
        e.step = e.step or life.timeline.step
        return e
    return None


async def _prove(life, network):
    config, platform = life.config, life.operation.platform
    await life.wifi.leave()
    life.wifi.stop()
    alone = {"country": config["country"], "networks": [network]}
    await life.wifi.join_one_of(alone, life.timeline)
    await borrowed("proving", "register", config, platform, life.clock, life.timeline)
    life.wifi.prove()
