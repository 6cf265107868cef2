# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# tls whose certificates are judged by the board's clock too: the mbedTLS underneath asks the
# host's. So a board whose clock is unset refuses every certificate, as an ESP32 does. What the
# host's clock refuses stays refused, whatever the board's says.

import time

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


# Every attribute is the interpreter's, but for the callback, which comes second.
class SSLContext:
    def __init__(self, protocol):
        native = _native.SSLContext(protocol)
        object.__setattr__(self, "_native", native)
        object.__setattr__(self, "_callback", None)
        object.__setattr__(self, "_verdict", None)
        native.verify_callback = self._judge

    def __getattr__(self, name):
        if name == "verify_callback":
            return self._callback
        return getattr(self._native, name)

    def __setattr__(self, name, value):
        if name == "verify_callback":
            object.__setattr__(self, "_callback", value)
        else:
            setattr(self._native, name, value)

    def __repr__(self):
        return "<SSLContext>"

    def __delattr__(self, name):
        raise AttributeError("'SSLContext' object has no attribute '%s'" % name)

    def load_cert_chain(self, certfile, keyfile):
        self._native.load_cert_chain(certfile, keyfile)

    def load_verify_locations(self, cafile):
        self._native.load_verify_locations(cafile)

    def get_ciphers(self):
        return self._native.get_ciphers()

    def set_ciphers(self, ciphersuites):
        self._native.set_ciphers(ciphersuites)

    # Where the handshake is part of it, a certificate is refused as mbedTLS refuses one, so that
    # the other side hears of it; where it comes later, nobody but the callback can say why.
    def wrap_socket(self, sock, *args, do_handshake_on_connect=True, **how):
        how["do_handshake_on_connect"] = do_handshake_on_connect
        verdict = [] if do_handshake_on_connect else None
        object.__setattr__(self, "_verdict", verdict)
        try:
            return self._native.wrap_socket(sock, *args, **how)
        except OSError:
            if verdict:
                raise ValueError(verdict[0])
            raise

    def _refuse(self, why):
        if self._verdict is None:
            raise ValueError(why)
        self._verdict.append(why)
        return 1

    # The words of mbedtls_x509_crt_verify_info().
    def _judge(self, certificate, depth):
        if self._native.verify_mode == CERT_REQUIRED:
            now = "%04d%02d%02d%02d%02d%02d" % time.gmtime()[:6]
            begin, end = _validity(bytes(certificate))
            if now < begin:
                return self._refuse("\nThe certificate validity starts in the future\n")
            if now > end:
                return self._refuse("\nThe certificate validity has expired\n")
        return self._callback(certificate, depth) if self._callback else 0


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
