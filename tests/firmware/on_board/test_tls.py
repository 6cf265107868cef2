# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What a certificate's refusal says about the clock, and when there is no TLS at all.

import errno

from runner import araises, raises

from muster.errors import DeviceError
from muster.http import Connection
from muster.tls import Trust

_FUTURE = "The certificate validity starts in the future"
_PAST = "The certificate validity has expired"


class _Clock:
    floor = 1000

    def __init__(self, now, is_known=False, is_vouched=False):
        self._now = now
        self.is_known = is_known
        self.is_vouched = is_vouched
        self.is_doubted = False

    def now(self):
        return self._now


def test_there_is_no_tls_below_the_floor():
    trust = Trust(None, _Clock(999))
    error = raises(DeviceError, trust.wrap_socket, object(), "m2m.example")
    assert error.code == "clock_unknown"


def test_a_certificate_that_is_younger_than_a_guess_says_nothing_of_the_platform():
    assert Trust(None, _Clock(1000)).code(_FUTURE) == "clock_unknown"
    assert Trust(None, _Clock(1000, True)).code(_FUTURE) == "platform_tls"


def test_a_floor_is_never_ahead_so_what_has_expired_has_expired():
    assert Trust(None, _Clock(1000)).code(_PAST) == "platform_tls"
    assert Trust(None, _Clock(1000, True, True)).code(_PAST) == "platform_tls"


def test_what_has_expired_by_ntp_alone_is_believed_once_ntp_has_been_asked_again():
    clock = _Clock(1000, True)
    assert Trust(None, clock).code(_PAST) == "clock_unknown"
    assert not clock.is_known
    clock.is_known = True  # it has answered once more
    assert Trust(None, clock).code(_PAST) == "platform_tls"


def test_what_is_no_certificate_is_named():
    error = raises(DeviceError, Trust, "AAAA", _Clock(1000))
    assert (error.code, "config.platform.ca" in error.detail) == ("config_invalid", True)


# TLS that ends in this; as http.Connection sees it.
class _Failing:
    def __init__(self, error):
        self._error = error

    async def room(self):
        raise self._error


# What mbedTLS, or MicroPython around it, says when its memory ends in the middle of a handshake.
async def test_want_of_memory_in_a_handshake_is_no_fault_of_the_platforms_address():
    for error in (OSError(errno.ENOMEM), OSError(-17040, "MBEDTLS_ERR_RSA"), MemoryError("16717")):
        connection = Connection("m2m.example", 443, _Failing(error), "platform_unreachable")
        found = await araises(DeviceError, connection.exchange([b""], 1000, 100, None))
        assert found.code == "platform_tls", (error, found)
    connection = Connection("m2m.example", 443, _Failing(OSError(errno.ECONNREFUSED)), "x")
    found = await araises(DeviceError, connection.exchange([b""], 1000, 100, None))
    assert found.code == "x"
