# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`python -m harness` is `muster-unit`."""

import sys

from harness.cli import main

sys.exit(main())
