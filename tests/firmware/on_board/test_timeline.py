# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The timeline is bounded, and repeated attempts do not fill it.

import lives

from muster.errors import DeviceError
from muster.report import entries
from muster.timeline import FIND, JOIN, SEEK


def test_repeated_seeking_keeps_one_attempt_and_how_the_one_before_failed():
    timeline = lives.timeline()
    for code in ["discovery_none"] * 25 + ["wifi_no_ap"] * 25 + [None]:
        timeline.begin(SEEK)
        timeline.done()
        timeline.begin(FIND)
        if code:
            timeline.failed(DeviceError(code))
    failed = [FIND, "wifi_no_ap"]
    assert [entry[:2] for entry in entries(timeline)] == [failed, [SEEK, "ok"]]
    timeline.done()
    timeline.begin(JOIN)
    assert [entry[:2] for entry in entries(timeline)] == [failed, [SEEK, "ok"], [FIND, "ok"]]


def test_a_timeline_is_bounded():
    timeline = lives.timeline()
    for _ in range(100):
        timeline.begin(JOIN)
        timeline.done()
    assert len(entries(timeline)) == 24
