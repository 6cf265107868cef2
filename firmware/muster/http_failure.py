# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What stood in the way of an HTTP exchange, in outcome codes and in words. Loaded by http.py when
# something did.

import errno

from micropython import const

from .room import WANT, lacked

# mbedTLS has numbers of its own, far below any errno, but for want of memory (modtls_mbedtls.c,
# mbedtls_raise_error).
_LOWEST = const(-255)
_ALERT = const(-0x7780)
_CUT_OFF = const((-0x7280, -0x7880))
_NO_COMMON = const((-0x6E00, -0x6E80, -0x7000))
_NO_TLS = const((-0x7200, -0x7100, -0x7300, -0x7700))
# MBEDTLS_ERR_…_ALLOC_FAILED
_LOW = const((0x10, 0x6A))
_HIGH = const((0x1180, 0x2880, 0x3F80, 0x4D80, 0x5180, 0x6180, 0x7F00))

_WORDS = {
    errno.ECONNREFUSED: "nobody listens there",
    errno.EHOSTUNREACH: "no way leads there from this network",
    errno.ETIMEDOUT: "it does not answer",
    errno.ECONNRESET: "it hung up before it had answered",
}
_WITHOUT_COMMON = const("no common version or cipher (TLS 1.2, ECDHE, AES-GCM, P-256 or P-384)")
_UNKNOWN = const("chain incomplete, in the wrong order, or another authority's: ")


# Makes the DeviceError to raise. connection, tls, code: an http.Connection, and its own. e: the
# exception of the exchange. is_up: TCP and TLS had come about before.
def explained(connection, e, tls, code, is_up):
    text, code, is_final = _explain(e, tls, code, is_up)
    error = connection.failure(text, code)
    error.is_final = is_final
    return error


# Returns the words to raise, their code, and whether trying again cannot help.
def _explain(e, tls, code, is_up):
    if not isinstance(e, OSError):
        return _certificate(str(e).strip().replace("\n", "; "), tls, code)
    number = e.errno
    if not isinstance(number, int):
        return "error %s" % e, code, False
    if tls and (number == errno.ENOMEM or _is_shortage(-number)):
        lacked()
        return "%s: %s" % (WANT, e), "platform_tls", False
    if tls and number < _LOWEST:
        return _handshake(number, e, is_up), "platform_tls", False
    name = errno.errorcode.get(number, "error %s" % e)
    if tls and not is_up and number == errno.ECONNRESET:
        return "the handshake of TLS was cut off: " + name, "platform_tls", False
    words = _WORDS.get(number)
    return "%s: %s" % (words, name) if words else name, code, False


def _handshake(number, e, is_up):
    if is_up:
        return "TLS broke off: %s" % e
    if number in _CUT_OFF:
        return "the handshake of TLS was cut off: %s" % e
    if number == _ALERT:
        return "%s, or a name unknown there: %s" % (_WITHOUT_COMMON, e)
    if number in _NO_COMMON:
        return "%s: %s" % (_WITHOUT_COMMON, e)
    if number in _NO_TLS:
        return "what answers there does not speak TLS: %s" % e
    return "TLS failed: %s" % e


# Tells whether a part of mbedTLS had no memory: bignum and ASN.1 say so in the lowest seven bits,
# the others above them.
def _is_shortage(number):
    return number > -_LOWEST and (number & 0x7F in _LOW or number & ~0x7F in _HIGH)


# A certificate that mbedTLS refuses, with all that is wrong with it. Whoever is not of the right
# authority is somebody else, and may be gone soon; what the authority itself has signed, and for
# another name, stays as it is until a person changes it.
def _certificate(text, tls, code):
    if not tls:
        return text, code, False
    if "not correctly signed" in text:
        # The words that tell most come first: a report cuts them.
        return _UNKNOWN + text, "platform_tls", False
    code = tls.code(text)
    stays = "does not match" in text or "has expired" in text
    return text, code, stays and code == "platform_tls"
