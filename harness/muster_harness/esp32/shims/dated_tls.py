# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# tls whose certificates are judged by the board's clock too: the mbedTLS underneath asks the
# host's. So a board whose clock is unset refuses every certificate, as an ESP32 does. What the
# host's clock refuses stays refused, whatever the board's says.

import io
import time

import host_link
from host_sockets import HostSockets
from micropython import const
from native import builtin

_native = builtin("tls")

CERT_NONE = _native.CERT_NONE
CERT_OPTIONAL = _native.CERT_OPTIONAL
CERT_REQUIRED = _native.CERT_REQUIRED
MBEDTLS_VERSION = _native.MBEDTLS_VERSION
PROTOCOL_TLS_CLIENT = _native.PROTOCOL_TLS_CLIENT
PROTOCOL_TLS_SERVER = _native.PROTOCOL_TLS_SERVER
PROTOCOL_DTLS_CLIENT = _native.PROTOCOL_DTLS_CLIENT
PROTOCOL_DTLS_SERVER = _native.PROTOCOL_DTLS_SERVER

_UTC_TIME = const(0x17)
_VERSION = const(0xA0)


_number = 0  # of the newest TLS stream


# A stream of the program's own under TLS.
class _Carrier(io.IOBase):
    def __init__(self, stream, number):
        self._stream = stream
        self._tls = number

    def readinto(self, buf):
        return self._stream.readinto(buf)

    def write(self, buf):
        return self._stream.write(buf)

    def ioctl(self, request, arg):
        if request == 4 and self._tls:
            host_link.notify("tls", "end", self._tls)
            self._tls = 0
        ask = getattr(self._stream, "ioctl", None)
        return ask(request, arg) if ask else 0


class SSLContext:
    def __init__(self, protocol):
        self._native = _native.SSLContext(protocol)
        self._native.verify_callback = self._judge
        self.verify_callback = None

    @property
    def verify_mode(self):
        return self._native.verify_mode

    @verify_mode.setter
    def verify_mode(self, mode):
        self._native.verify_mode = mode

    # mbedTLS's two buffers are taken here, whoever says the first word; closing the stream below
    # gives them back.
    def wrap_socket(self, sock, **options):
        if not host_link.chip["limited"]:
            return self._native.wrap_socket(sock, **options)
        global _number
        _number += 1
        number = _number
        host_link.request("tls", "begin", number, host_link.heap_used())
        try:
            if isinstance(sock, HostSockets):
                sock._tls = number
            else:
                sock = _Carrier(sock, number)
            return self._native.wrap_socket(sock, **options)
        except BaseException:
            sock._tls = 0
            host_link.notify("tls", "end", number)
            raise

    def __getattr__(self, name):
        return getattr(self._native, name)

    # The words of mbedtls_x509_crt_verify_info().
    def _judge(self, certificate, depth):
        if self._native.verify_mode == CERT_REQUIRED:
            now = "%04d%02d%02d%02d%02d%02d" % time.gmtime()[:6]
            begin, end = _validity(bytes(certificate))
            if now < begin:
                raise ValueError("\nThe certificate validity starts in the future\n")
            if now > end:
                raise ValueError("\nThe certificate validity has expired\n")
        return self.verify_callback(certificate, depth) if self.verify_callback else 0


# Where the content of the DER element at `at` begins and ends.
def _element(der, at):
    size = der[at + 1]
    at += 2
    if size & 0x80:
        octets = size & 0x7F
        size = int.from_bytes(der[at : at + octets], "big")
        at += octets
    return at, at + size


# From when and until when a certificate is good, each e.g. "20261123170000" (RFC 5280, 4.1).
def _validity(der):
    at = _element(der, _element(der, 0)[0])[0]
    if der[at] == _VERSION:
        at = _element(der, at)[1]
    for _ in range(3):  # serial number, algorithm, issuer
        at = _element(der, at)[1]
    at = _element(der, at)[0]
    times = []
    for _ in range(2):
        start, end = _element(der, at)
        text = der[start : end - 1].decode()
        if der[at] == _UTC_TIME:
            text = ("20" if text < "5" else "19") + text
        times.append(text)
        at = end
    return times
