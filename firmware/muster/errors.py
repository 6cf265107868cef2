# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What can go wrong on the device, as one typed error that carries an outcome code.


# Tells what went wrong. code is one of the outcome codes in docs/protocol.md, the same in log,
# timeline, wire and portal. step is set by whoever knows in which of the nine steps it happened.
# detail says what was wanted, what came and what to try; it goes to log and wire, so it never
# holds a key or a password. retry_s is a server's hint (Retry-After), or None. is_final: trying
# again cannot help.
class DeviceError(Exception):
    is_final = False

    def __init__(self, code, detail="", retry_s=None):
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.retry_s = retry_s
        self.step = None

    def __str__(self):
        return "%s: %s" % (self.code, self.detail) if self.detail else self.code


# Ends what is under way because the button, or a bundle, wants something else. No failure.
class Interrupted(Exception):
    pass
