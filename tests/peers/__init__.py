# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""MicroPython's own tests, of a checkout of the user's, on emulated boards."""
