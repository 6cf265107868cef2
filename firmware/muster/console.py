# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# A conversation over the console while the application runs: a bundle comes in printable frames of
# at most 128 bytes, one at a time, each with a CRC. What is no frame, a person's typing or noise,
# is passed over. docs/protocol.md has the frames. Loaded when somebody says something.

import asyncio
import binascii
import sys
import time

import micropython
from micropython import const

from . import delivery, inbox, log
from .button import BUNDLE
from .errors import DeviceError

_MARK = const(b"~M> ")
_CRC = const(8)
_LONGEST = const(128)
_AT_ONCE = const(260)  # what an ESP32's ring holds; then the others have their turn
_LOOK_MS = const(10)
_SILENT_MS = const(3000)
_PATIENT_MS = const(10000)  # while a bundle is on its way
_CTRL_C = const(3)
_MEANT_MS = const(300)  # a Ctrl-C that so much silence follows is no noise
_BEAT_MS = const(120000)  # opening a bundle takes a while
_PIECE = const(80)  # of an error's detail


# Answers frames until nobody has said anything for a while. heard: a poll of sys.stdin.
async def converse(heard, pulse, label, store, journal, clock, press):
    talk = _Conversation(label, store, journal, clock, press)
    silent_from = time.ticks_ms()
    try:
        while time.ticks_diff(time.ticks_ms(), silent_from) < talk.patience_ms:
            pulse.beat("console", _BEAT_MS)
            for _ in range(_AT_ONCE):
                if not heard.poll(0):
                    break
                byte = sys.stdin.buffer.read(1)
                if not byte:
                    return  # nobody can say anything any more
                await talk.hear(byte[0])
                silent_from = time.ticks_ms()
            if not heard.poll(0):
                talk.rest(time.ticks_diff(time.ticks_ms(), silent_from))
            await asyncio.sleep_ms(_LOOK_MS)
    finally:
        talk.close()


class _Conversation:
    def __init__(self, label, store, journal, clock, press):
        self._label = label
        self._store = store
        self._journal = journal
        self._clock = clock
        self._button = press
        self._line = bytearray()
        self._upload = None
        self._at = 0  # how many characters of the bundle have come
        self._crc = 0
        self._ended: list | None = None  # what was asked when the last bundle ended, and
        self._answer = ""  # what was said then
        # From a bundle's beginning to its end noise must not stop the program.
        self._wants_stop = False  # a Ctrl-C has come, or noise
        self.patience_ms = _SILENT_MS

    def close(self):
        if self._upload:
            self._upload.abort()
            log.warn("console", "the bundle was not sent to its end")
        self._end_upload()

    def _end_upload(self):
        self._upload = None
        self.patience_ms = _SILENT_MS
        micropython.kbd_intr(_CTRL_C)

    # Nothing has been said for so long. A host that sends a bundle is never silent so long that it
    # seems to be a person.
    def rest(self, silent_ms):
        if self._wants_stop and silent_ms >= _MEANT_MS:
            raise KeyboardInterrupt

    async def hear(self, byte):
        line = self._line
        if byte == _CTRL_C:
            if self._upload is None or line[-1:] == b"\x03":
                raise KeyboardInterrupt
            self._wants_stop = True
        if byte != 10 and byte != 13:
            line.append(byte)
            if len(line) > 2 * _LONGEST:  # no frame is so long
                self._line = line[_LONGEST:]
            return
        self._line = bytearray()
        at = line.rfind(_MARK)
        if at < 0:
            return
        request = _request(bytes(line[at + len(_MARK) :]))
        if request:  # somebody speaks here who is no person
            self._wants_stop = False
        body = "%s %s" % (request[0], await self._reply(request[1:])) if request else "0 again"
        print("~M< %s %08x" % (body, binascii.crc32(body.encode())))

    async def _reply(self, words):
        verb, arguments = words[0], words[1:]
        try:
            if verb == "status":
                return self._status()
            if verb == "detail":
                return self._detail(int(arguments[0]))
            if verb == "begin":
                return self._begin()
            if verb == "data":
                return self._data(int(arguments[0]), arguments[1])
            if verb == "end":
                if self._ended != arguments:  # else it has been done, and the answer was lost
                    self._answer = await self._finish(int(arguments[0]), int(arguments[1], 16))
                    self._ended = arguments
                return self._answer
        except DeviceError as e:
            self._end_upload()
            return "no %s %s" % (e.code, e.detail[:_PIECE])
        except (IndexError, ValueError):
            pass
        return "what"  # not understood: perhaps a newer host

    # Says who the device is, the highest version ever committed and what it does, then of the last
    # bundle version, code, receipt and digest, e.g. "is PRESS-4 7 idle 7 ok ABCDEFGH
    # 0011223344556677".
    def _status(self):
        last = delivery.last(self._store) or {}
        doing = "idle"
        if self._journal.trial:
            doing = "trying"
        elif inbox.find():
            doing = "waiting"
        found = (self._label.device_id, self._journal.highest, doing, last.get("version", 0))
        words = [str(word) for word in found]
        words += [last.get(name) or "-" for name in ("code", "receipt", "digest")]
        return "is " + " ".join(words)

    # Gives the last detail in pieces, because a frame is short.
    def _detail(self, at):
        text = (delivery.last(self._store) or {}).get("detail") or ""
        return "text " + binascii.hexlify(text.encode()[at : at + _PIECE // 2]).decode()

    def _begin(self):
        if self._journal.trial:
            return "wait"
        if self._upload:
            self._upload.abort()
        self._upload = inbox.Upload(inbox.SERIAL)
        self._at = self._crc = 0
        self._ended = None
        self.patience_ms = _PATIENT_MS
        micropython.kbd_intr(-1)
        return "go 0"

    # Takes a piece. One that came before, or comes too early, changes nothing: the answer says
    # which is next.
    def _data(self, at, text):
        if self._upload is None:
            return "lost"
        if at == self._at:
            raw = text.encode()
            self._upload.write(raw)
            self._at += len(raw)
            self._crc = binascii.crc32(raw, self._crc)
        return "go %d" % self._at

    async def _finish(self, size, crc):
        if self._upload is None:
            return "lost"
        if (size, crc) != (self._at, self._crc):
            raise ValueError("not what has come")
        path = self._upload.finish()
        self._end_upload()
        try:
            version, _ = await delivery.receive(
                path, self._label, self._store, self._journal, self._clock
            )
        except DeviceError as e:
            return "no %s %s" % (e.code, e.detail[:_PIECE])
        if version is None:  # at its next start the device has more memory
            return "later"
        self._button.tell(BUNDLE)
        return "done %d" % version


# Returns the words of a frame, without its mark; None if it is damaged.
def _request(frame):
    body = frame[: -_CRC - 1]
    if frame[-_CRC - 1 :] != b" %08x" % binascii.crc32(body):
        return None
    try:
        words = body.decode().split(" ")
    except UnicodeError:
        return None
    return words if len(words) > 1 else None
