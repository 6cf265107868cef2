# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Ids of which those that are made at the same time lie together.

What a device begins with is written and read within a second or two. With ids that lie anywhere
each of its rows changes a page of its own in every index, and each page goes to the disk twice.
"""

import os
import time


def ordered_id(random_bytes: int) -> str:
    """Return when it is, in ms as 11 hexadecimal digits, and so many random bytes after them. The
    order is for the disk alone: a clock that is set back does no harm.
    """
    return f"{time.time_ns() // 1_000_000 & 0xFFF_FFFF_FFFF:011x}{os.urandom(random_bytes).hex()}"
