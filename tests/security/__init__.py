# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Attackers, one for each row of docs/security.md."""
