# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Reaches the interpreter's own modules behind the shims of the same name.

import io
import sys

_import = __import__  # which on_demand replaces
_print_exception = sys.print_exception  # for which this one stands later
_OURS = '  File "<board>"'  # as shim_cache.py has them called


# With an empty sys.path MicroPython takes the built-in, whatever is loaded under that name.
def builtin(name):
    path = sys.path
    sys.path = ()
    try:
        return _import(name)
    finally:
        sys.path = path


# sys.print_exception without the frames of the shims, which are C on a board.
def print_exception(e, file=sys.stdout, hidden=_OURS):
    text = io.StringIO()
    _print_exception(e, text)
    for line in text.getvalue().split("\n"):
        if line and not line.startswith(_OURS) and not line.startswith(hidden):
            print(line, file=file)
