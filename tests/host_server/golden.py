# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The golden messages as pytest parameters."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WIRE = Path(__file__).parents[1] / "wire"


def cases(
    name: str, is_valid: bool, but: Callable[[dict[str, Any]], bool] = lambda case: False
) -> pytest.MarkDecorator:
    """A decorator that runs the test for each valid (or each invalid) case of a file, but some."""
    document = json.loads((WIRE / f"{name}.json").read_text())
    chosen = [case for case in document["cases"] if case["valid"] is is_valid and not but(case)]
    return pytest.mark.parametrize("case", chosen, ids=[case["name"] for case in chosen])


def text_of(case: dict[str, Any]) -> bytes:
    """The document as it goes over the wire."""
    text: str = case.get("text", json.dumps(case.get("value"), separators=(",", ":")))
    return text.encode()


def bounded(case: dict[str, Any]) -> dict[str, Any]:
    """The configuration that a case of bounds.json stands for."""
    configuration: dict[str, Any] = json.loads((WIRE / "bounds.json").read_text())["base"]
    inner: Any = configuration
    *outer, last = case["where"]
    for step in outer:
        inner = inner[step]
    inner[last] = case["value"]
    return configuration
