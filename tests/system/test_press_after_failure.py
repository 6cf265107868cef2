# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A press after a failure is heeded once: it must not make every later wait end at once."""

import pytest

from tests.system.board_time import tries
from tests.system.story import Story


@pytest.mark.hil_needs("clock")
def test_a_press_after_a_failure_does_not_make_the_device_spin(story: Story) -> None:
    story.servers.wait_ready()
    story.write_label(story.make_label())
    story.onboarding.remove()
    story.switch_on()
    assert story.step(4).code == "wifi_no_ap"
    story.press()
    story.board.expect(rb"button short press", 5)
    said = tries(story.board, "step 4 wifi_no_ap", seconds=5)
    assert 1 <= said <= 5, "back-off begins anew, at one second"
