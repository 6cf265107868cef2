# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What proves that a report is newer than all that were recorded?"""

from typing import Any

import pytest

from tests.host_server.config_server.field import Field


@pytest.mark.parametrize("echo", [None, "", "0" * 16, "A" * 64])
def test_report_without_the_newest_nonce_proves_nothing(place: Field, echo: str | None) -> None:
    device = place.registered()
    version = device.sync()["config"]["version"]
    for k, state in (("label", "blank"), (str(version), "trial"), (str(version), "committed")):
        # Each is a message of its own, so none of them is passed over as a replay.
        device.echo = echo
        device.sync(k, state=state)
        shown: dict[str, Any] = device.shown()
        assert (shown["claim"], shown["version"]) == ("unproved", 0)
        assert shown["window"]["open"]
    device.confirm(version)  # with what it has just been told
    assert device.shown()["claim"] == "proved"


def test_a_nonce_proves_once(place: Field) -> None:
    device = place.registered()
    first = device.onboard()
    place.set_password("another horse")
    told = device.echo
    second = device.sync(str(first))["config"]["version"]
    device.echo = told
    device.sync(str(second), state="trial")
    assert device.shown()["version"] == first
    device.confirm(second)
    assert device.shown()["version"] == second
