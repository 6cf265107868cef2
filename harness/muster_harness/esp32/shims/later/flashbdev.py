# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# flashbdev, which an ESP32's firmware contains: the partition of the filesystem.

from esp32 import Partition

bdev = Partition("vfs")
