# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Are waves read as people write them, and shown as they were written?"""

from muster_server.api.rollout_views import WaveView
from muster_server.waves import wave_text, waves_in

NONE = {"percent": None, "number": None, "group": None}


def test_waves_are_numbers_groups_and_parts() -> None:
    found = waves_in(" 1, hall 3 ,20 %, 5%,,")
    assert found == [{"number": 1}, {"group": "hall 3"}, {"percent": 20}, {"percent": 5}]
    assert [wave_text(NONE | wave) for wave in found] == ["1", "hall 3", "20 %", "5 %"]
    assert waves_in("") == []
    assert wave_text(NONE) == "the rest"
    assert set(NONE) < set(WaveView.model_fields)
