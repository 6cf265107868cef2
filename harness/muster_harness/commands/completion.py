# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster-unit completion`: the script that a shell reads, made from the parser itself."""

from argparse import Namespace

import shtab


def print_completion(options: Namespace) -> int:
    """Print it for the shell that was named."""
    print(shtab.complete(options.parser, shell=options.shell))
    return 0
