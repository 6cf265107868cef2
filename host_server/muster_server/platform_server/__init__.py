# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The product's own M2M platform: a subset of a oneM2M IN-CSE over HTTP and JSON."""
