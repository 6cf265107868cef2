# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# stat() of a filesystem, whose files are stamped in C, by the host's clock: it tells when that was
# by the board's, as it goes now.

import time

from native import builtin

_host_ns = builtin("time").time_ns


def of(stat):
    def dated(self, path):
        found = stat(self, path)
        if not found[8]:
            return found
        ago = (_host_ns() - time.time_ns() + 500000000) // 1000000000
        when = max(0, found[8] - ago)
        return found[:7] + (when, when, when)

    return dated
