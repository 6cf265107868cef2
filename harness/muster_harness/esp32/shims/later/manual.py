# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# help(): a welcome, the modules that there are, and what the interpreter says of an object.

_WELCOME = """\
Welcome to MicroPython on the ESP32!

For online docs please visit http://docs.micropython.org/

This board is emulated: docs/emulated-board.md of its project says how it differs.

  CTRL-A        -- on a blank line, enter raw REPL mode
  CTRL-B        -- on a blank line, enter normal REPL mode
  CTRL-C        -- interrupt a running program
  CTRL-D        -- on a blank line, do a soft reset of the board
  CTRL-E        -- on a blank line, enter paste mode

For further help on a specific object, type help(obj)
For a list of available modules, type help('modules')
"""
# Beside those that come on demand.
_MODULES = """__main__ _asyncio array asyncio/__init__ asyncio/core asyncio/event
asyncio/funcs asyncio/lock asyncio/stream binascii builtins cmath collections cryptolib deflate
errno esp esp32 framebuf gc hashlib heapq io json machine math micropython mip/__init__
network os platform random re requests/__init__ select socket ssl
struct sys time tls uasyncio uctypes vfs websocket"""
_WIDTH = 18
_COLUMNS = 4


def show(interpreters_own, what, on_demand):
    if not what:
        print(_WELCOME)
    elif what[0] == "modules":
        _list(sorted(_MODULES.split() + on_demand))
    else:
        interpreters_own(*what)


# Down the columns first; a name too long for one takes two.
def _list(names):
    rows = (len(names) + _COLUMNS - 1) // _COLUMNS
    for row in range(rows):
        line = ""
        for name in names[row::rows]:
            line += " " * (-len(line) % _WIDTH) + name
            line += "" if len(line) % _WIDTH else " "
        print(line)
    print("Plus any modules on the filesystem")
