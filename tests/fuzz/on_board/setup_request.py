# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What a guest of the setup network sends: requests in pieces of any size, forms as browsers make
# them, uploads that are bundles or not.

import goldens
from lives import begin
from mutation import changed_bytes, some
from stand_ins import Files, drive

from muster import inbox, modules
from muster.clock import Clock
from muster.label import Label
from muster.setup_page import Page

ROOM = 3 << 20  # garbage, of lines that grow and of a bundle that is opened; what stays is bounded
_CASE = [case for case in goldens.cases("bundles") if case["device_id"] == "PRESS-4"][0]
_LABEL = Label("PRESS-4", bytes.fromhex(_CASE["secret_hex"]))
_TEXT = _CASE["bundle"].encode()
_MARK = b"----WebKitFormBoundaryx7"
_PART = b"--" + _MARK + b'\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
_FORM = _PART % (b"file", b"") + _PART % (b"text", _TEXT) + b"--" + _MARK + b"--\r\n"
_KIND = b"Content-Type: multipart/form-data; boundary=" + _MARK + b"\r\n"
_TO = b" HTTP/1.1\r\nHost: 192.168.4.1\r\n"


def _post(body, kind=b""):
    length = b"Content-Length: %d\r\n\r\n" % len(body)
    return b"POST /bundle" + _TO + b"Origin: http://192.168.4.1\r\n" + kind + length + body


# The first byte says in how large pieces it comes.
_FIELDS = _PART % (b"ssid", b"c2hvcA==") + _PART % (b"password", b"correct horse")
_FIELDS += _PART % (b"other", b"") + b"--" + _MARK + b"--\r\n"
_WIFI = _post(_FIELDS, _KIND).replace(b"/bundle", b"/wifi")

SEEDS = [
    b"\xff" + _post(_TEXT), b"\x1f" + _post(_FORM, _KIND), b"\x03GET /" + _TO + b"\r\n",
    b"\x7fHEAD /" + _TO + b"\r\n", b"\x20GET /x" + _TO + b"\r\n", b"\x20PUT /" + _TO + b"\r\n",
    b"\x30" + _WIFI, b"\x40" + _post(b"x" * 7000), b"\x7fPOST /bundle" + _TO + b"\r\n" + _TEXT,
]  # fmt: skip
_WORDS = [
    b"\r\n", b"\r\n\r\n", b"\n", b"--", b"--" + _MARK, b"--" + _MARK + b"--", _KIND, b"boundary=",
    b"Content-Length: 0\r\n", b"Content-Length: 99999999\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Origin: null\r\n", b'; name="', b"/wifi",
    b"Host: x\r\n", b"HTTP/1.", b"/bundle", b"multipart/form-data", b"\xff",
]  # fmt: skip


def make(corpus):
    return changed_bytes(some(corpus), some(corpus), _WORDS)


# Both ends of a connection; a guest that has said all is gone.
class _Guest:
    def __init__(self, said, piece):
        self._said = said
        self._piece = piece
        self.heard = b""
        self.is_closed = False

    async def read(self, most):
        size = min(self._piece, most)
        piece, self._said = self._said[:size], self._said[size:]
        return piece

    def write(self, data):
        self.heard += data.encode() if isinstance(data, str) else data

    async def drain(self):
        pass

    def close(self):
        self.is_closed = True

    async def wait_closed(self):
        pass


class _Store:
    def __init__(self):
        self.records = {}

    def load(self, name):
        return self.records.get(name)

    def save(self, name, value):
        self.records[name] = value

    def spoil(self):
        pass


class _Life:
    identity = _LABEL
    config = None

    def __init__(self, journal, clock):
        self.store = _Store()
        self.journal = journal
        self.clock = clock


def play(data):
    files = Files()
    inbox.open, inbox.os = files.open, files
    modules.keep("inbox")
    clock = Clock(lambda date: None, 1795000000, 0, lambda floor: None)
    page = Page(_Life(begin(None, "soft")[1], clock), "SETUP-PRESS-4", "192.168.4.1", [b"shop"])
    guest = _Guest(data[1:], data[0] % 512 + 1 if data else 1)
    drive(page.serve(guest, guest))
    if not guest.is_closed or page._guests or page._is_taking:
        return "somebody is still served"
    left = list(files.files)
    is_network = "local" in page.store.records
    if page.accepted.is_set() != (left == ["/PRESS-4.page.muster"] or is_network) or len(left) > 1:
        return "left behind: %s" % left
    return _wrong(guest.heard) if guest.heard else None


def _wrong(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 ") or not head[9:12].isdigit():
        return "no answer of HTTP"
    length = head.partition(b"Content-Length: ")[2].partition(b"\r")[0]
    if body and int(length) != len(body):
        return "%d bytes announced, %d sent" % (int(length), len(body))
    if b"<script" in body.lower() or len(head) > 400:
        return "what a guest has sent stands in the page"
    return None
