# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# TLS towards the platform: the server must prove itself with the configuration's own authority,
# at a time that the device believes in.

import asyncio
import binascii
import gc

from micropython import const

from . import log
from .errors import DeviceError
from .modules import borrow
from .room import WANT, give, keep, lacked

# mbedTLS takes 16,717 bytes in one piece, 4,429 in another and 15 KiB in small ones, the socket
# 4 KiB, from ESP-IDF's heap, which the collector does not manage (micropython#8940): without them
# a handshake fails in ways that look like a bad certificate.
_ONE_PIECE = const(17000)
_TOTAL = const(41000)
_TRIES = const(3)
_AGAIN_MS = const(1000)

# mbedtls_x509_crt_verify_info() on a certificate that is not good yet.
_NOT_YET = const("starts in the future")
_EXPIRED = const("has expired")  # the same of one that is good no more


class Trust:
    # ca: base64 DER, the form every port reads; None trusts anybody, which only a configuration
    # for development may ask for.
    def __init__(self, ca, clock):
        import ssl

        self._clock = clock
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if ca is None:
            log.warn("tls", "INSECURE: the platform need not prove who it is")
            self._context.verify_mode = ssl.CERT_NONE  # type: ignore[attr-defined]  # not in the stubs
            return
        self._context.verify_mode = ssl.CERT_REQUIRED  # type: ignore[attr-defined]
        try:
            self._context.load_verify_locations(cadata=binascii.a2b_base64(ca))
        except ValueError:
            raise DeviceError("config_invalid", "config.platform.ca: not a certificate in DER")

    # Returns once there is memory for a handshake. Sockets that nobody holds any more give theirs
    # back when they are collected, those that end a little later. Raises DeviceError.
    async def room(self):
        for _ in range(_TRIES):
            gc.collect()
            borrow("hardware", "idf_heap")  # what loading it takes is taken while the room is kept
            give()
            free, largest = borrow("hardware", "idf_heap")
            if largest >= _ONE_PIECE and free >= _TOTAL:
                return
            keep()  # nobody else gets it meanwhile
            log.warn("tls", "%d bytes free, %d in one piece" % (free, largest))
            await asyncio.sleep_ms(_AGAIN_MS)
        lacked()
        text = "%s: %d bytes free, %d wanted; %d in one piece, %d wanted"
        error = DeviceError("platform_tls", text % (WANT, free, _TOTAL, largest, _ONE_PIECE))
        error.is_final = True  # only a restart helps, see shortage.py
        raise error

    # Keeps the room for the next handshake: this one is over, and the connection has its buffers.
    def shaken(self):
        lacked(0)
        keep(1)

    # The same, when the connection has given its buffers back; and again later, for its socket may
    # have lain in the way until then.
    def closed(self):
        keep()

    # Does what SSLContext's does; the handshake comes with the first byte, and its errors with it.
    # Raises DeviceError.
    def wrap_socket(self, plain, host):
        if self._clock.now() < self._clock.floor:
            raise DeviceError("clock_unknown", "the clock is behind the last time it was sure of")
        return self._context.wrap_socket(
            plain, server_hostname=host, do_handshake_on_connect=False
        )

    # Returns the code of a refused certificate. One that is not good yet may be fine, and the
    # clock behind. One that seems to have expired may be fine if the time was an NTP server's: it
    # is asked once more.
    def code(self, text):
        clock = self._clock
        if _EXPIRED in text and clock.is_known and not (clock.is_vouched or clock.is_doubted):
            clock.is_known = False
            clock.is_doubted = True
            return "clock_unknown"
        is_guess = _NOT_YET in text and not clock.is_known
        return "clock_unknown" if is_guess else "platform_tls"
