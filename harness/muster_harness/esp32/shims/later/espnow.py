# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# espnow, which an ESP32's firmware contains: the Python face of ESP-NOW.

from _espnow import *  # noqa: F403 (as the port's own does)


class ESPNow(ESPNowBase):  # noqa: F405
    _data = [None, bytearray(MAX_DATA_LEN)]  # noqa: F405 (for irecv(), which takes no heap)
    _nothing = (None, None)

    def irecv(self, timeout_ms=None):
        return self._data if self.recvinto(self._data, timeout_ms) else self._nothing

    def recv(self, timeout_ms=None):
        if not self.recvinto(self._data, timeout_ms):
            return self._nothing
        return [bytes(part) for part in self._data]

    def irq(self, callback):
        super().irq(callback, self)

    def __iter__(self):
        return self

    def __next__(self):
        return self.irecv()
