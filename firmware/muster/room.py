# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Room for one connection over TLS. MicroPython's heap grows by taking ESP-IDF's, where TLS lives,
# and gives nothing back (py/gc.c): so whatever TLS will want is taken first, and given back right
# before each handshake.

import io

# What an error says that came for want of it.
WANT = "no memory for TLS"

_kept: list = []
shortages = 0  # how often there was none, since the last handshake; see shortage.py


# Takes the room, if it is not taken, as far as there is so much: one pair of buffers, and a second
# in place of the 15 KiB that a handshake takes in small pieces beside them, and of its socket.
# mbedTLS takes a pair, 16,717 and 4,429 bytes, when it is wrapped around a stream, here one that
# is never read, and gives it back when that is closed (modtls_mbedtls.c). Whatever is kept already
# is taken anew with it: in one go the pairs lie side by side. pairs: fewer while a connection has
# its own.
def keep(pairs=2):
    if len(_kept) >= pairs:
        return
    import tls

    give()
    try:
        context = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
        while len(_kept) < pairs:
            nobody = io.BytesIO()
            _kept.append(
                context.wrap_socket(nobody, server_side=True, do_handshake_on_connect=False)
            )
    except (OSError, MemoryError, ValueError):
        pass  # as much as there is


# Gives back what a network takes that is joined: 14 KB, for itself and for mDNS.
def joins():
    if len(_kept) > 2:
        _kept.pop().close()


# Counts that there was none; 0: that there was.
def lacked(times=1):
    global shortages
    shortages = shortages + times if times else 0


def give():
    while _kept:
        _kept.pop().close()
