# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The servers' stores: engine, migrations, and the sealing of secrets. One database per role."""
