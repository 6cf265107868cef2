# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What a directive may ask for, and the directive itself once it is checked; and the names of the
# keys that it may be sealed with, besides a version.

LABEL = "label"
ADOPTED = "adopted"

CONFIGURE = "configure"
KEEP = "keep"
WAIT = "wait"
FORGET = "forget"


class Directive:
    def __init__(self, action, nonce, time, retry_s, config):
        self.action = action
        self.nonce = nonce  # to be echoed by the next report
        self.time = time  # Unix seconds, authenticated
        self.retry_s = retry_s
        self.config = config  # a checked configuration, or None
