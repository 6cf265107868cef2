# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What stood in the way of an HTTP exchange, in outcome codes. Loaded by http.py when something
# did.

import errno


# Returns the words to raise, and their code. e: the exception of the exchange. tls, code: as the
# connection's.
def explain(e, tls, code):
    if isinstance(e, OSError):
        # mbedTLS has numbers of its own, far below any errno, but for want of memory
        # (modtls_mbedtls.c, mbedtls_raise_error).
        number = e.errno
        is_tls = isinstance(number, int) and (number < -255 or number == errno.ENOMEM)
        text = errno.errorcode.get(number, "error %s" % e)
        return text, "platform_tls" if tls and is_tls else code
    # A certificate that mbedTLS refuses, in one line or several.
    text = str(e).strip().replace("\n", "; ")
    return text, tls.code(text) if tls else code
