# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Edges of the device's life that have no story of their own: what ends a configuration from
outside. docs/device-life.md has all of them."""

import pytest
import requests

from tests.system.story import Story

_PATIENCE_S = 60.0


def test_a_released_device_forgets_its_configuration_and_keeps_its_identity(story: Story) -> None:
    label = story.onboard()
    story.wait_for(label, lambda device: device["state"] == "registered")
    story.portal("DELETE", f"/v1/devices/{label.device_id}")
    story.press()
    story.board.expect(rb"configuration forgotten", _PATIENCE_S)
    with pytest.raises(requests.HTTPError, match="404"):
        story.device(label)
    story.board.expect(rb"step 5 server_rejected", _PATIENCE_S)  # nobody knows it any more
    story.register(label)
    story.press()
    assert story.committed(_PATIENCE_S) == 2
    story.first_reading(label, _PATIENCE_S)


def test_a_device_that_is_released_while_it_tries_a_configuration_does_not_keep_it(
    story: Story,
) -> None:
    label = story.begin()
    story.operational.dhcp_s = 2.0  # long enough for the owner
    story.switch_on()
    assert story.step(7, _PATIENCE_S).code == "ok"
    story.portal("DELETE", f"/v1/devices/{label.device_id}")
    # Its server says so, or its platform, where the account ends at once.
    story.board.expect(
        rb"trial called off: the configuration server wants to forget|step 9 platform_refused",
        _PATIENCE_S,
    )
    story.operational.dhcp_s = 0.02
    story.register(label)
    story.press()
    story.committed(_PATIENCE_S)
    assert story.board.output.count(b"life committed version") == 1
