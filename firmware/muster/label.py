# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What the label says: who this device is, and the secret that proves it.


class Label:
    def __init__(self, device_id, secret):
        self.device_id = device_id
        self.secret = secret

    def __repr__(self):
        return "Label(%s)" % self.device_id
