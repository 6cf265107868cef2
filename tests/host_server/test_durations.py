# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Are lengths of time read as people mean them, and wrong ones named with their option?"""

import pytest

from muster_server.durations import seconds_of
from muster_server.errors import SettingsError


@pytest.mark.parametrize(("text", "seconds"), [("1s", 1), ("5m", 300), ("2h", 7200)])
def test_length_is_read(text: str, seconds: int) -> None:
    assert seconds_of(text, "--expires", (1, 259_200)) == seconds


@pytest.mark.parametrize(
    "text", ["", "5", "0s", "-1s", "1.5h", "1w", "9" * 7 + "s", "\u0665s", "1s "]
)
def test_what_is_none_is_named_with_its_option(text: str) -> None:
    with pytest.raises(SettingsError, match="--expires"):
        seconds_of(text, "--expires", (1, 100))


def test_bounds_are_told_in_the_same_form() -> None:
    with pytest.raises(SettingsError, match="wanted 1m to 3d, got 59s"):
        seconds_of("59s", "--timeout", (60, 259_200))
