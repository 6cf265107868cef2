# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# TLS towards the platform: the server must prove itself with the configuration's own authority.

import binascii


# An SSL context; asyncio hands it the host name. ca: base64 DER, the form every port reads.
def context(ca):
    import ssl

    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.verify_mode = ssl.CERT_REQUIRED  # type: ignore[attr-defined]  # missing in the stubs
    made.load_verify_locations(cadata=binascii.a2b_base64(ca))
    return made
