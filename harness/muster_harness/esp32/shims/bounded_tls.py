# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# TLS whose buffers come from ESP-IDF's heap, for a board on which that has an end.

import io

import dated_tls
import host_link
from host_sockets import HostSockets

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


class SSLContext(dated_tls.SSLContext):
    # mbedTLS's two buffers are taken here, whoever says the first word; closing the stream below
    # gives them back.
    def wrap_socket(self, sock, **options):
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


dated_tls.SSLContext = SSLContext
