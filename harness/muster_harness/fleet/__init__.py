# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A fleet of devices without boards: the real exchange, from the host, to size a server."""
