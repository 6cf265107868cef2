# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What goes in and out of the HTTP APIs: the models that read bodies and describe answers."""
