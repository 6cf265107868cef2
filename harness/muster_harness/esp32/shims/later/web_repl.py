# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# _webrepl as extmod/modwebrepl.c has it: asks for the password, then passes the terminal on, and
# puts and gets files between. It reads byte by byte, as dupterm asks it to.

import io
import struct
import sys

from micropython import const

__name__ = "_webrepl"

_HEADER = "<2sBBQIH64s"  # signature, kind, flags, offset, size, length of the name, name
_HEADER_BYTES = const(82)
_PUT = const(1)
_GET = const(2)
_VERSION = const(3)
_GET_OPTIONS = const(8)  # of ioctl(): the kind of a frame
_SET_OPTIONS = const(9)
_TEXT = const(1)
_BINARY = const(2)
_CLOSE = const(4)
_LONGEST = const(9)  # a password
_PIECE = const(512)  # of a file that is put
_CHUNK = const(256)  # of one that is got

_password = ""


def password(word):
    global _password
    if len(word) > _LONGEST:
        raise ValueError
    _password = word


class _webrepl(io.IOBase):  # noqa: N801 (so it is called there)
    def __init__(self, websocket):
        self._websocket = websocket
        self._is_known = False
        self._typed = b""
        self._header = b""
        self._kind = self._left = 0
        self._file = None
        websocket.write(b"Password: ")

    def readinto(self, buf):
        while True:
            n = self._websocket.readinto(buf)
            if not n:
                return n
            byte = bytes(buf[:1])
            if not self._is_known:
                if self._is_refused(byte):
                    return 0
            elif self._websocket.ioctl(_GET_OPTIONS, 0) == _TEXT:
                return n
            elif self._file is None:
                self._take_header(byte)
            elif self._kind == _PUT:
                self._take_data(byte)
            else:
                self._give_data()

    def _is_refused(self, byte):
        if byte not in b"\r\n":
            self._typed = (self._typed + byte)[: _LONGEST + 1]
            return False
        typed, self._typed = self._typed, b""
        if typed != _password.encode():
            self._websocket.write(b"\r\nAccess denied\r\n")
            return True
        self._is_known = True
        self._websocket.write(b"\r\nWebREPL connected\r\n>>> ")
        return False

    def _take_header(self, byte):
        self._header += byte
        left = _HEADER_BYTES - len(self._header)
        self._header += self._websocket.read(left) or b"" if left else b""
        if len(self._header) < _HEADER_BYTES:
            return
        _, self._kind, _, _, self._left, _, name = struct.unpack(_HEADER, self._header)
        self._header = b""
        if self._kind == _VERSION:
            self._send(bytes(sys.implementation.version[:3]))
            return
        name = name[: name.find(b"\0")].decode()
        self._file = open(name, "wb" if self._kind == _PUT else "rb")  # noqa: SIM115
        self._answer()
        if self._kind == _PUT and not self._left:
            self._finish()

    def _take_data(self, byte):
        left = min(_PIECE, self._left) - 1
        data = byte + (self._websocket.read(left) or b"" if left else b"")
        self._file.write(data)
        self._left -= len(data)
        if not self._left:
            self._finish()

    # The client asks for each chunk, and for the empty one that ends the file.
    def _give_data(self):
        data = self._file.read(_CHUNK)
        self._send(struct.pack("<H", len(data)) + data)
        if not data:
            self._finish()

    def _finish(self):
        self._file.close()
        self._file = None
        self._answer()

    def _answer(self):
        self._send(b"WB\0\0")

    def _send(self, data):
        before = self._websocket.ioctl(_SET_OPTIONS, _BINARY)
        self._websocket.write(data)
        self._websocket.ioctl(_SET_OPTIONS, before)

    # Who has not said the password sees nothing.
    def write(self, buf, *bounds):
        if not self._is_known:
            return len(buf)
        return self._websocket.write(buf, *bounds)

    def read(self, n=1):
        buf = bytearray(n)
        n = self.readinto(buf)
        return n if n is None else bytes(buf[:n])

    def close(self):
        self._websocket.close()

    def ioctl(self, request, arg):
        if request == _CLOSE:
            self.close()
            return 0
        return -22
