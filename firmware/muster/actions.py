# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What a directive may ask for.

CONFIGURE = "configure"
KEEP = "keep"
WAIT = "wait"
FORGET = "forget"
