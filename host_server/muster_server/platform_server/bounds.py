# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Bounds of what one originator may take of the platform."""

from dataclasses import dataclass

DAY_S = 86_400


@dataclass(frozen=True)
class Bounds:
    body_bytes: int = 16 * 1024
    resources_per_ae: int = 4000
    instances_per_container: int = 1000  # also where the container itself asks for more
    depth: int = 6  # names in a structured address: cse-in/ae/a/b/c/d
    results: int = 500  # of one discovery or one subtree
    tokens_per_account: int = 16
    # An AE that does not renew its `et` is removed with all its data.
    life_s: int = 365 * DAY_S
