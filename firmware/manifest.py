# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# For freezing Muster into an image: make BOARD=… FROZEN_MANIFEST=…/firmware/manifest.py

metadata(version="0.1.0", description="From the box to a registered M2M device")  # noqa: F821
package("muster")  # noqa: F821
