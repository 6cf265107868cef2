# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does a refusal tell, and when?"""

import time

import pytest

from muster_server.config_server.noise import Exchange, Opened
from muster_server.config_server.recognition import Stranger
from muster_server.errors import NotRecognised
from muster_server.label import new_label
from tests.host_server.config_server.field import Device, Field


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The keys with which messages are tried."""
    keys: list[bytes] = []
    real = Exchange.opened

    def counting(exchange: Exchange, psk: bytes) -> Opened | None:
        keys.append(psk)
        return real(exchange, psk)

    monkeypatch.setattr(Exchange, "opened", counting)
    return keys


def test_unknown_id_and_wrong_secret_get_the_same_answer_on_the_same_path(
    place: Field, tried: list[bytes]
) -> None:
    known = place.registered()
    answers = []
    for device_id in ("NOBODY-1", known.id):
        tried.clear()
        stranger = Device(place, new_label(device_id))
        with pytest.raises(NotRecognised) as caught:
            stranger.sync()
        answers.append((str(caught.value), caught.value.status, len(tried)))
    assert answers[0] == answers[1]


def test_own_key_is_tried_with_no_others_than_the_devices(
    place: Field, tried: list[bytes]
) -> None:
    place.registered().sync()
    assert len(tried) == 1


@pytest.mark.parametrize("took_s", [0.0, 0.003, 0.006, 0.0149])
def test_refusal_is_told_at_moments_that_do_not_show_how_long_it_took(
    took_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "perf_counter", lambda: 100.0 + took_s)
    monkeypatch.setattr(time, "sleep", slept.append)
    Stranger("", began=100.0).wait()
    assert took_s < round((took_s + slept[0]) / 0.005, 6) * 0.005 <= took_s + 0.005
    assert round((took_s + slept[0]) / 0.005, 6).is_integer()
