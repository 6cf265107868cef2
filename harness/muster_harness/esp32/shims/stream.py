# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The stream face of a socket, built on recv(), send() and sendall() of a subclass. None means
# "nothing now" of a non-blocking one.

import io

from micropython import const

_EAGAIN = const(11)
_MSG_PEEK = const(1)
_AHEAD = const(128)


class Stream(io.IOBase):
    def read(self, n=-1):
        data = b""
        while n < 0 or len(data) < n:
            try:
                more = self.recv(512 if n < 0 else n - len(data))
            except OSError as e:
                if e.errno == _EAGAIN:
                    return data or None
                raise
            if not more:
                break
            data += more
        return data

    def readinto(self, buf, n=-1):
        try:
            data = self.recv(len(buf) if n < 0 else min(n, len(buf)))
        except OSError as e:
            if e.errno == _EAGAIN:
                return None
            raise
        memoryview(buf)[: len(data)] = data
        return len(data)

    def readline(self, *limit):
        line = b""
        while not line.endswith(b"\n"):
            try:
                ahead = self.recv(_AHEAD, _MSG_PEEK)
                line += self.recv(ahead.find(b"\n") + 1 or len(ahead))
            except OSError as e:
                if e.errno == _EAGAIN:
                    return line or None
                raise
            if not ahead:
                break
        return line

    def write(self, buf, *bounds):
        if bounds:
            off, n = bounds if len(bounds) == 2 else (0, bounds[0])
            buf = memoryview(buf)[off : off + n]
        try:
            if self._timeout == 0:
                return self.send(buf)
            self.sendall(buf)
            return len(buf)
        except OSError as e:
            if e.errno == _EAGAIN:
                return None
            raise
