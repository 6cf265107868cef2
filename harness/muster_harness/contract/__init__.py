# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What an ESP32 is known to do, as probes that the emulated board and real ones have to answer."""
