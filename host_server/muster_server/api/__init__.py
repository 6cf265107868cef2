# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Models of what goes in and out of the HTTP APIs: they read bodies and describe answers."""
