# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Copies of frozen values with other fields: `dataclasses.replace`, for the paths of every device.

That one calls the constructor with each field by its name, which takes 4 µs for a claim, some ten
times in a sync; this one takes 0.7.
"""

from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["replaced"]

T = TypeVar("T")

if TYPE_CHECKING:  # so that mypy knows the fields
    from dataclasses import replace as replaced
else:

    def replaced(value: T, **changes: Any) -> T:
        """The value with these fields. It is of a dataclass whose fields are all there is of it:
        without slots, `init=False` and `__post_init__`.
        """
        made = object.__new__(type(value))
        made.__dict__.update(value.__dict__, **changes)
        return made
