# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# esp: what an application may touch without harm; the flash is reached through esp32.Partition.

LOG_NONE = 0
LOG_ERROR = 1
LOG_WARN = 2
LOG_WARNING = 2
LOG_INFO = 3
LOG_DEBUG = 4
LOG_VERBOSE = 5


def osdebug(level, log_level=LOG_INFO):
    pass


def flash_size():
    return 4 * 1024 * 1024


def flash_user_start():
    return 0x200000
