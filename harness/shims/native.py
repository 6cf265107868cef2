# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Reaches the interpreter's own modules behind the shims of the same name.

import sys


# With an empty sys.path MicroPython takes the built-in, whatever is loaded under that name.
def builtin(name):
    path = sys.path
    sys.path = ()
    try:
        return __import__(name)
    finally:
        sys.path = path
