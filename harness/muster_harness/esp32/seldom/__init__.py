# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Parts of the board that few programs use: `esp32/rarities.py` loads each when it is asked."""
