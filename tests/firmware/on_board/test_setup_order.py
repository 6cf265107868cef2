# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The setup network on drivers that take its settings in one order only; the emulated board's takes
# them in both.

import sys

from runner import raises

import muster

# Not on this interpreter, and not asked here.
sys.modules["muster.hardware"] = muster.hardware = object

from muster import setup_network  # noqa: E402


class Driver:
    # An access point's. is_deaf: it refuses settings while it is off; is_forgetful: it loses them
    # when it is switched on. guests: who is there as soon as it is on.
    SEC_WPA2 = 3

    def __init__(self, is_deaf=False, is_forgetful=False, guests=()):
        self._is_deaf = is_deaf
        self._is_forgetful = is_forgetful
        self._guests = guests
        self._settings = {}
        self.is_on = False
        self.was_open = False

    def active(self, is_on):
        if is_on and not self.is_on and self._is_forgetful:
            self._settings = {}
        self.is_on = is_on
        self.was_open = self.was_open or (is_on and not self._settings)

    def config(self, name=None, **settings):
        if name:
            return self._settings.get(name)
        if self._is_deaf and not self.is_on:
            raise OSError("Wifi Not Started")
        self._settings = settings
        return None

    def status(self, name):
        assert name == "stations"
        return self._guests


def _open(driver):
    setup_network._open(driver, "SETUP-1", "a passphrase")
    assert driver.is_on
    assert driver.config("ssid") == "SETUP-1"
    assert driver.config("security") == driver.SEC_WPA2


def test_it_is_never_open_if_the_driver_takes_settings_before():
    driver = Driver()
    _open(driver)
    assert not driver.was_open


def test_a_driver_that_refuses_or_forgets_them_is_set_afterwards():
    _open(Driver(is_deaf=True))
    _open(Driver(is_forgetful=True))


def test_nobody_is_kept_who_came_before_the_password():
    driver = Driver(is_deaf=True, guests=[(b"123456",)])
    raises(ValueError, setup_network._open, driver, "SETUP-1", "a passphrase")
