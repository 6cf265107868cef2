# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The MicroPython interpreters that firmware is tested on: 64-bit unix and 32-bit wasm."""

from pathlib import Path

from muster_harness.esp32.interpreter import find_interpreter
from tests.programs.node import node, npm_packages

PROJECT = Path(__file__).resolve().parents[2]
ON_BOARD = PROJECT / "tests/firmware/on_board"
_WASM = PROJECT / "tests/firmware/wasm"


def unix() -> list[str]:
    """The command of the 64-bit unix port."""
    return list(find_interpreter().command)


def wasm(*statements: str) -> list[str]:
    """The command that runs Python statements on the 32-bit port; installs it once.

    Raises programs.Missing where Node or the package cannot be had.
    """
    modules = npm_packages(_WASM)
    return [node(), str(_WASM / "run.mjs"), str(modules), str(PROJECT), *statements]
