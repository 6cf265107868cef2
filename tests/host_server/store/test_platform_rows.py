# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Are attributes written as the standard library writes them?"""

import json
from typing import Any

import pytest

from muster_server.store.platform_rows import attributes_as_text

VALUES = ["é", '\u2028 😀 \\ " \x00', 1.5, None, True, [[], {"a": {}}], 2**60]


@pytest.mark.parametrize("value", VALUES)
def test_attributes_are_written_as_they_always_were(value: Any) -> None:
    attributes = {"a": value, "b": ""}
    assert attributes_as_text(attributes) == json.dumps(attributes, separators=(",", ":"))
