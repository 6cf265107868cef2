# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""axe-core, which finds what keeps people who see, hear or move less from using a page."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.programs.node import npm_packages

_FOLDER = Path(__file__).parent / "axe"
_RUN = """async () => (await axe.run(document)).violations.map(
  (v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.html).join(" | ")}`)"""


def axe_core() -> Path:
    """The file of its script; Missing if it cannot be had."""
    return npm_packages(_FOLDER) / "axe-core" / "axe.min.js"


def violations(page: Page) -> list[str]:
    """Return what axe finds on the page, one line a rule; Missing if it cannot be had."""
    # By the debugger's door, which the page's own policy does not close.
    page.evaluate(axe_core().read_text())
    found: Any = page.evaluate(_RUN)
    return [str(line) for line in found]
