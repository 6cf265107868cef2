# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster completion`: the script that a shell reads, made from the parser itself."""

from argparse import Namespace

import shtab

from muster_server.commands import say


def print_completion(options: Namespace) -> int:
    """Print it for the shell that was named."""
    return say(shtab.complete(options.parser, shell=options.shell))
