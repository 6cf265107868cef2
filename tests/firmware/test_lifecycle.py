# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The life is no blackboard: what other modules change in it goes through its methods."""

import ast
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware" / "muster"
_WRITES = (ast.Store, ast.Del)


def written_from_outside(source: str) -> list[str]:
    """The attributes of a `life`, `self.life` or `self._life` that this source sets or deletes."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, _WRITES) and _is_life(node):
            found.append(ast.unparse(node))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("setattr", "delattr"):
            found.append(ast.unparse(node))
    return found


def _is_life(attribute: ast.Attribute) -> bool:
    owner = ast.unparse(attribute.value).rpartition(".")[2]
    return owner.lstrip("_") == "life"


def test_no_other_module_assigns_to_the_life() -> None:
    offences = {
        path.name: found
        for path in FIRMWARE.glob("*.py")
        if path.name not in ("lifecycle.py", "modules.py")
        and (found := written_from_outside(path.read_text()))
    }
    assert offences == {}


def test_every_form_of_writing_is_seen() -> None:
    for source, wanted in {
        "life.bundle = 0": ["life.bundle"],
        "life.rest_ms += 1": ["life.rest_ms"],
        "operation.life.config: dict = {}": ["operation.life.config"],
        "a, self._life.operation = 1, None": ["self._life.operation"],
        "for life.setup in (): pass": ["life.setup"],
        "del life.config": ["life.config"],
        "setattr(life, 'config', None)": ["setattr(life, 'config', None)"],
        "life.led.failed(3)": [],
        "self.life = life": [],
    }.items():
        assert written_from_outside(source) == wanted, source
