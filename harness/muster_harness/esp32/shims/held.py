# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# A datagram that the air holds back: acts once its time has come, where the program waits.

import clock
import host_link


class Held:
    def __init__(self, ms, act):
        self.due = clock.now_ms() + ms
        self._act = act
        host_link.timers.append(self)

    def fire(self, now):
        host_link.timers.remove(self)
        self._act()
