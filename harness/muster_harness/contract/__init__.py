# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Probes of an ESP32's known behaviour, which the emulated board and real ones have to answer."""
