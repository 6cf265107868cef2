# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`python -m muster_harness` is `muster-unit`."""

import sys

from muster_harness.cli import main

sys.exit(main())
