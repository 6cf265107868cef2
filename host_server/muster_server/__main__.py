# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`python -m muster_server` is `muster`; `python -m muster_server config` runs that role alone."""

import sys

from muster_server.cli import main
from muster_server.settings import ROLES

if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments and arguments[0] in ROLES:
        arguments = ["serve", "--role", *arguments]
    sys.exit(main(arguments))
