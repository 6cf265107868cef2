# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What the servers keep: engine, migrations, and the sealing of secrets. One database per role."""
