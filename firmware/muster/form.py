# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What a browser's form (RFC 7578) or a program sends, piece by piece: what its fields hold goes to
# a function, the rest is passed over. Never more than a piece and a boundary is in RAM.

from micropython import const

_HEADERS = const(1024)  # of one part


class Form:
    # kind: the Content-Type. What is no form is passed on as it is. Raises ValueError if it is a
    # form that cannot be understood.
    def __init__(self, kind, write):
        self._write = write
        self._rest = b""
        self._delimiter = b""  # none: not a form
        self._is_header = self._is_field = False
        self.name = ""  # of the field whose content comes
        self._has_ended = False
        if kind.lower().startswith("multipart/form-data"):
            boundary = kind.partition("boundary=")[2].partition(";")[0].strip().strip('"')
            if not 1 <= len(boundary) <= 70:
                raise ValueError("a form without a boundary")
            self._delimiter = b"\r\n--" + boundary.encode()
            self._rest = b"\r\n"  # the first boundary has no line before it
        elif kind.lower().startswith("application/x-www-form-urlencoded"):
            raise ValueError("send the form as multipart/form-data, or the bundle alone")

    def feed(self, chunk):
        if not self._delimiter:
            self._write(chunk)
            return
        self._rest += chunk
        while self._step():
            pass

    # Takes one step. Tells whether it found something, so that more may come.
    def _step(self):
        if self._has_ended:
            self._rest = b""
            return False
        if self._is_header:
            return self._pass_headers()
        at = self._rest.find(self._delimiter)
        if at < 0:
            # The delimiter may have begun in what is left.
            keep = len(self._delimiter) - 1
            self._pass_on(self._rest[:-keep])
            self._rest = self._rest[-keep:]
            return False
        self._pass_on(self._rest[:at])
        self._rest = self._rest[at + len(self._delimiter) :]
        self._is_header = True
        return True

    # Passes over headers up to the empty line; "--" in place of headers is the end of the form.
    def _pass_headers(self):
        if self._rest.startswith(b"--"):
            self._has_ended = True
            return True
        at = self._rest.find(b"\r\n\r\n")
        if at < 0:
            if len(self._rest) > _HEADERS:
                raise ValueError("a form with too long headers")
            return False
        self.name = _name(self._rest[:at])
        self._rest = self._rest[at + 4 :]
        self._is_header = False
        self._is_field = True
        return True

    def _pass_on(self, content):
        if content and self._is_field:  # what comes before the first one is none
            self._write(content)

    # Raises ValueError if the form has not come to its end.
    def end(self):
        if self._delimiter and not self._has_ended:
            raise ValueError("the form is cut off")


# Returns the name of a field, "" if its headers have none that is text.
def _name(headers):
    try:
        return headers.partition(b'; name="')[2].partition(b'"')[0].decode()
    except UnicodeError:
        return ""
