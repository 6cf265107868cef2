# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Are copies with other fields what `dataclasses.replace` makes?"""

from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from muster_server.frozen import replaced


@dataclass(frozen=True)
class _Press:
    name: str
    parts: list[str] = field(default_factory=list)
    force: int = 3


def test_copy_has_the_other_fields_and_the_value_keeps_its_own() -> None:
    press = _Press("a", ["ram"])
    made = replaced(press, force=4)
    assert made == replace(press, force=4) == _Press("a", ["ram"], 4)
    assert press == _Press("a", ["ram"], 3)
    assert hash(replaced(press, parts=())) == hash(_Press("a", (), 3))  # type: ignore[arg-type]


def test_copy_is_frozen_too() -> None:
    with pytest.raises(FrozenInstanceError):
        replaced(_Press("a"), force=4).force = 5  # type: ignore[misc]
