# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The form of a row in the tables of commands."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One row of the table of commands."""

    words: tuple[str, ...]  # e.g. ("device", "add")
    summary: str
    examples: tuple[str, ...]
    prepare: Callable[[argparse.ArgumentParser], None]
    function: str  # its name in the module, or "serve" or "hotspot"
    module: str = "muster_server.commands"
