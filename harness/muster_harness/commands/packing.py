# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The command `muster-unit pack`: the firmware for a portal, which gives it to browsers."""

from argparse import Namespace
from pathlib import Path

from muster_harness.commands.boards import build_facts, chosen_source
from muster_harness.deploy.kit import make_kit, product_boards
from muster_harness.errors import HarnessError


def pack(options: Namespace) -> int:
    """Write the kit, and say how a portal gets it."""
    images = dict(_image(text) for text in options.image)
    boards = options.board or product_boards()
    options.board = None
    folder = Path(options.folder)
    kit = make_kit(chosen_source(options), folder, boards, images, build_facts(options))
    size = sum(file["bytes"] for file in kit["files"])
    print(f"{len(kit['files'])} files, {size} bytes, for {', '.join(kit['boards'])}")
    print(f"MicroPython for {', '.join(images)}" if images else "no MicroPython: --image adds it")
    print(f"next: muster serve --firmware {folder}")
    return 0


def _image(text: str) -> tuple[str, Path]:
    board, mark, path = text.partition("=")
    if not (board and mark and path):
        raise HarnessError(f"--image wants BOARD=FILE, e.g. ESP32_GENERIC=generic.bin, not {text}")
    return board, Path(path)
