# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`python -m muster_harness.fleet`: the command muster-fleet."""

import sys

from muster_harness.fleet.cli import main

if __name__ == "__main__":
    sys.exit(main())
