# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The names of the nine steps, in the use case's words."""

from typing import Any

# The use case says what happens, e.g. "starts looking for connectivity to the Configuration
# Server"; a name says it as an order, and fits into a line of a log.
WORDS = (
    "register the device at the portal",
    "tell the configuration server",
    "start looking for the configuration server",
    "find a network connection to it",
    "send it the device's information",
    "receive the configuration",
    "disconnect from the configuration server",
    "join the operational network",
    "register at the platform",
)


def document() -> dict[str, Any]:
    """One case for each step."""
    return {
        "about": "What portal, bench and demo call the nine steps. The bench has a capital first.",
        "cases": [
            {"name": f"step-{number}", "valid": True, "step": number, "words": words}
            for number, words in enumerate(WORDS, 1)
        ],
    }
