# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# A network of the device's own, for people who bring a bundle with a phone or a laptop and have
# nothing else. Loaded when somebody presses the button twice.

import asyncio
import time

from micropython import const

from . import hardware, log, setup_names
from .button import BUNDLE
from .errors import DeviceError
from .modules import borrow, release
from .setup_page import Page

_OPEN_MS = const(600000)
_PORT = const(80)
_LOOK_MS = const(200)
_FAREWELL_MS = const(1500)  # so that the last answer arrives before the network goes
_LONGEST_SSID = const(32)
_GUESTS = const(3)


# Serves until it is over; beside the application only begins to.
async def begin(life, is_running):
    if life.hosting:  # what has led here has closed it, too
        await life.hosting
    life.setup_waits(None)
    heard = []
    if not life.config or life.config["policy"].get("local_wifi"):
        # Before it opens: a scan leaves its channel, and then its guests lose it.
        heard = borrow("setup_wifi local_wifi", "heard", life)
    # Beside the application it must not speak for the life, as pause does.
    serving = _host(life, heard, asyncio.sleep_ms if is_running else life.button.pause)
    if is_running:
        life.hosts(asyncio.create_task(serving))
        return
    life.led.show("setup")
    life.wifi.stop()
    await serving


async def _host(life, heard, wait):
    try:
        if await serve(life, heard, wait):
            life.setup_waits("again")
    except DeviceError as e:
        log.error("setup", e)
    finally:
        release("setup_network", "setup_page", "setup_request", "setup_names")
        release("form", "delivery", "inbox", "hardware")


# Opens the network and serves the page. Ends with true, and a press of the kind BUNDLE, when a
# bundle, or a network, has been accepted; with false when the button is pressed, whoever takes the
# press, or the time is over. heard: the networks to choose from. wait: asyncio.sleep_ms, or what
# does the same and more. Raises DeviceError.
async def serve(life, heard, wait, open_ms=_OPEN_MS):
    wlan = hardware.access_point()
    ssid = ("SETUP-" + life.identity.device_id)[:_LONGEST_SSID]
    press = life.button
    page = server = names = None
    count = press.count
    try:
        _open(wlan, ssid, _passphrase(life.identity))
        address = wlan.ifconfig()[0]
        page = Page(life, ssid, address, heard)
        server = await asyncio.start_server(page.serve, address, _PORT)
        names = asyncio.create_task(_name_all(address))
        log.info("setup", "network %s, http://%s/, for %d s" % (ssid, address, open_ms // 1000))
        end = time.ticks_add(time.ticks_ms(), open_ms)
        while time.ticks_diff(end, time.ticks_ms()) > 0:
            await wait(_LOOK_MS)
            if page.accepted.is_set():
                await asyncio.sleep_ms(_FAREWELL_MS)
                press.tell(BUNDLE)
                return True
            if press.count != count:
                break
        return False
    except (OSError, RuntimeError, ValueError) as e:
        raise DeviceError("wifi_timeout", "no setup network: %s" % e)
    finally:
        if names:
            names.cancel()
        if page and server:
            server.close()
            page.close()
            await server.wait_closed()
        wlan.active(False)
        log.info("setup", "network %s closed" % ssid)


# Leads every name here, until it is cancelled. Without it the page has to be opened by hand.
async def _name_all(address):
    try:
        await setup_names.serve(address)
    except OSError as e:
        log.warn("setup", "no names, so the page does not open by itself: %s" % e)


# Opens it, never without its password, not even for a moment: that is set before the network is in
# the air. Whether a driver takes settings while it is off is told differently (esp_wifi.h says
# no); one that does not gets them when it is on, and nobody may have come in before. Raises
# ValueError.
def _open(wlan, ssid, key):
    wlan.active(False)
    try:
        _set(wlan, ssid, key)
        wlan.active(True)
        _check(wlan, ssid)
    except (OSError, RuntimeError, ValueError) as e:
        log.warn("setup", "the other way round: %s" % e)
        wlan.active(True)
        _set(wlan, ssid, key)
        _check(wlan, ssid)
        if wlan.status("stations"):
            raise ValueError("somebody was there before the password")


def _set(wlan, ssid, key):
    wlan.config(ssid=ssid, key=key, security=wlan.SEC_WPA2, max_clients=_GUESTS)


def _check(wlan, ssid):
    if wlan.config("security") != wlan.SEC_WPA2 or wlan.config("ssid") != ssid:
        raise ValueError("the driver has not kept its settings")


# Returns the passphrase as printed on the label.
def _passphrase(label):
    return borrow("receipt bundle hkdf inbox", "passphrase", label)
