# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The portal's pages: what people see in a browser, over the same service as the API."""
