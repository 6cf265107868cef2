# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Who has only the label: is he a device's server before it was adopted, and after that?"""

import json
from collections.abc import Iterator

import pytest

from muster_harness.air.air import AccessPoint
from muster_server.config_server.noise import Exchange, prologue
from muster_server.label import Label as TrueLabel
from tests.system.board_time import hold
from tests.system.fakes import Answer, FakeServer, reply
from tests.system.story import Label, Story

pytestmark = pytest.mark.hil_needs("clock")

_PATIENCE_S = 60.0
_DAY_H = 24
_NOT_RECOGNISED = reply(
    "403 Forbidden", b'{"code":"not_recognised"}', "Content-Type: application/problem+json"
)
_GUESS = reply("200 OK", bytes(400), "Content-Type: application/octet-stream")


class LabelHolder:
    """A configuration server that knows the label and nothing else.

    `opened` has the names of keys under which it could read a report, `asked` all of them.
    """

    def __init__(self, label: Label, action: str, otherwise: Answer = _NOT_RECOGNISED) -> None:
        self.asked: list[str] = []
        self.opened: list[str] = []
        self._label = TrueLabel(label.device_id, label.secret)
        self._action = action
        self._otherwise = otherwise

    def __call__(self, request: bytes) -> Iterator[bytes]:
        head, _, message = request.partition(b"\r\n\r\n")
        k = head.split(b"?k=")[1].split(b" ")[0].decode()
        self.asked.append(k)
        exchange = Exchange(prologue(self._label.device_id, k), message)
        for psk in (self._label.key("sync-psk"), self._label.adopted_key(b"")):
            opened = exchange.opened(psk)
            if opened is None:
                continue
            self.opened.append(k)
            directive = {"v": 1, "nonce": "n", "time": 1795430400, "retry_s": 5}
            answer = opened.answered(json.dumps(directive | {"action": self._action}).encode())
            assert answer is not None
            yield from reply("200 OK", answer, "Content-Type: application/octet-stream")(request)
            return
        yield from self._otherwise(request)


def nearer_network(story: Story) -> AccessPoint:
    """An onboarding network of a stranger, which comes first."""
    return story.air.add_access_point("MUSTER-free", channel=1, rssi=-30)


def at_work(story: Story) -> Label:
    label = story.onboard()
    story.wait_for(label, lambda device: device["state"] == "registered")
    return label


def test_before_a_device_is_adopted_its_label_is_all_that_its_server_needs(story: Story) -> None:
    label = story.begin()
    stranger = LabelHolder(label, "wait")
    with FakeServer(nearer_network(story).gateway, stranger):
        story.switch_on()
        step = story.step(6, _PATIENCE_S)
    assert (step.code, step.detail) == ("ok", "wait")
    assert stranger.opened == ["label"]


@pytest.mark.parametrize("otherwise", [_NOT_RECOGNISED, _GUESS])
def test_after_that_he_is_not_trusted_and_the_true_server_is_found_beside_him(
    story: Story, otherwise: Answer
) -> None:
    label = at_work(story)
    story.change_profile(app={"interval_s": 2})
    stranger = LabelHolder(label, "forget", otherwise)
    with FakeServer(nearer_network(story).gateway, stranger):
        hold(story.board, 7)
        story.board.expect(rb"button 5 s", 5)
        story.board.expect(rb"seek [\d.]+:8421: server_untrusted", _PATIENCE_S)
        assert story.committed(_PATIENCE_S) == 2
    assert set(stranger.asked) == {"adopted"}
    assert stranger.opened == []
    assert b"configuration forgotten" not in story.board.output


def test_five_seconds_of_the_button_need_no_window(story: Story) -> None:
    label = at_work(story)
    assert story.device(label)["window"]["open"] is False
    hold(story.board, 7)
    story.board.expect(rb"button 5 s", 5)
    story.board.expect(rb"step 6 ok \d+ms keep", _PATIENCE_S)
    assert story.device(label)["events"] == []
    assert story.device(label)["version"] == 1


def test_after_a_day_of_silence_the_device_asks_as_an_adopted_one(story: Story) -> None:
    label = at_work(story)
    story.servers.config.stop()
    stranger = LabelHolder(label, "forget")
    with FakeServer(story.operational.gateway, stranger):
        story.press()
        story.board.expect(rb"sync server_rejected", _PATIENCE_S)
        for _ in range(_DAY_H):  # it is on for minutes, and then switched off
            story.board.power_off()
            story.board.power_on()
            story.board.expect(rb"sync server_(rejected|untrusted)", _PATIENCE_S)
    assert stranger.asked[-1] == "adopted" and set(stranger.asked[:_DAY_H]) == {"1"}
    assert "label" not in stranger.asked
    assert stranger.opened == []
    assert b"configuration forgotten" not in story.board.output
    story.servers.config.start()
    story.servers.config.wait_ready()
    story.press()
    story.board.expect(rb"step 6 ok \d+ms keep", _PATIENCE_S)


def test_a_factory_reset_ends_adoption(story: Story) -> None:
    label = at_work(story)
    stranger = LabelHolder(label, "wait")
    with FakeServer(nearer_network(story).gateway, stranger):
        hold(story.board, 20)
        story.board.expect(rb"configuration forgotten", 5)
        story.board.expect(rb"step 6 ok \d+ms wait", _PATIENCE_S)
    assert set(stranger.asked) == {"label"}


def test_a_device_is_sold_and_adopted_by_its_new_owner(story: Story) -> None:
    label = at_work(story)
    told = story.muster(
        *("device", "hand-over", label.device_id, "--portal", story.servers.portal_url),
        *("--token-file", str(story.servers.token_file)),
    )
    assert "network 'factory'" in told and story.password not in told
    story.register(label)  # the buyer's claim, which nobody has proved
    hold(story.board, 7)
    story.board.expect(rb"configuration forgotten", _PATIENCE_S)
    assert story.committed(_PATIENCE_S) == 2
    story.wait_for(label, lambda device: device["state"] == "registered")
