# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# `from module import *` takes what the module has on a board, and nothing that it is made of.

_HELPERS = (
    "Held",
    "HostSockets",
    "at_most",
    "builtin",
    "const",
    "data",
    "hexlify",
    "integer",
    "items",
    "number",
    "print_exception",
    "real",
    "schedule",
    "text",
    "unhexlify",
)


def offer(module):
    own = module.__dict__
    if "__all__" not in own:
        module.__all__ = [
            name
            for name in getattr(module, "__all__", own)
            if name[0] != "_" and name not in _HELPERS and not _is_module(own.get(name))
        ]


def _is_module(value):
    import sys

    return isinstance(value, type(sys))
