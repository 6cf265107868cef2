# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does a device promise among strangers? It goes on to the real server, and tells the others
nothing but its id and what only that server can open."""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from muster_server.config_server.noise import Exchange, prologue
from muster_server.label import parse_label
from tests import secrecy
from tests.system import server_secrets
from tests.system.fakes import (
    Answer,
    FakeServer,
    Spoofer,
    endless_body,
    endless_headers,
    reply,
    sealed_with_another_key,
    very_slow,
)
from tests.system.middlemen import Middleman
from tests.system.story import Label, Story

_SEEN_S = 30.0
_ONBOARDED_S = 45.0  # of which the very slow server takes the 15 that one exchange may
_FRAMING = (
    rb"POST /v1/devices/%s/sync\?k=label HTTP/1\.1\r\n"
    rb"Host: [\d.]+:8421\r\n"
    rb"User-Agent: Muster/[\d.]+\r\n"
    rb"Accept-Encoding: identity\r\n"
    rb"Content-Type: application/octet-stream\r\n"
    rb"Content-Length: (\d+)\r\n\r\n"
)
_QUERY = b"\0\0\0\1\0\0\0\0\0\0\7_muster\4_tcp\5local\0\0\x0c\0\1"  # after its id

STRANGERS: dict[str, Answer] = {
    "MUSTER-garbage": reply("200 OK", bytes(range(256))),
    "MUSTER-other-key": sealed_with_another_key,
    "MUSTER-refuses": reply("403 Forbidden", b'{"code":"not_recognised"}'),
    "MUSTER-later": reply("503 Service Unavailable", b"", "Retry-After: 999999999"),
    "MUSTER-endless": endless_body,
    "MUSTER-headers": endless_headers,
    "MUSTER-slow": very_slow,
}


@pytest.fixture
def quiet_story(
    tmp_path: Path, deployed_flash: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Story]:
    """The true server is silent, as if every lie had come before its answer."""
    monkeypatch.setenv("MUSTER_ADVERTISE", "no")
    with Story(tmp_path, flash=deployed_flash) as story:
        yield story


def test_strangers_delay_a_device_and_learn_nothing(quiet_story: Story) -> None:
    story = quiet_story
    label = story.begin()
    with ExitStack() as stack:
        spoofer = stack.enter_context(Spoofer())
        fakes = stronger_networks(story, stack, spoofer)
        fakes += servers_on_the_true_network(story, stack, spoofer)
        near, elsewhere = liar_about_another_network(story, stack, spoofer)
        fakes.append(near)
        began = time.monotonic()
        story.switch_on()
        story.committed(_ONBOARDED_S)
        assert time.monotonic() - began < _ONBOARDED_S
        assert all(fake.seen for fake in fakes), "a stranger that nobody asked proves nothing"
        assert elsewhere.seen == []
        requests_seen = [request for fake in fakes for request in fake.seen]
        queries_seen = list(spoofer.seen)
    story.wait_for(label, lambda device: device["state"] == "registered")
    disclosed_nothing(story, label, requests_seen, queries_seen)
    replayed_in_vain(story, label, [sealed(request, label) for request in requests_seen])


def stronger_networks(story: Story, stack: ExitStack, spoofer: Spoofer) -> list[FakeServer]:
    """One network for each stranger, with itself as the configuration server."""
    fakes = []
    for n, (ssid, answer) in enumerate(STRANGERS.items()):
        point = story.air.add_access_point(ssid, channel=1 + n, rssi=-20 - n)
        spoofer.claim(ssid.lower(), point.gateway)
        fakes.append(stack.enter_context(FakeServer(point.gateway, answer)))
    return fakes


def servers_on_the_true_network(
    story: Story, stack: ExitStack, spoofer: Spoofer
) -> list[FakeServer]:
    """Strangers that have joined it."""
    fakes = []
    for host in (66, 67):
        address = story.onboarding.addresses.prefix + str(host)
        spoofer.claim(f"stranger-{host}", address)
        fakes.append(stack.enter_context(FakeServer(address, reply("200 OK", bytes(99)))))
    return fakes


def liar_about_another_network(
    story: Story, stack: ExitStack, spoofer: Spoofer
) -> tuple[FakeServer, FakeServer]:
    """Add a server that sends devices out of the network that they have joined; it is asked at its
    near end."""
    near = story.onboarding.addresses.prefix + "68"
    elsewhere = story.operational.addresses.prefix + "99"
    spoofer.claim("elsewhere", elsewhere, near)
    answer = reply("404 Not Found")
    return (
        stack.enter_context(FakeServer(near, answer)),
        stack.enter_context(FakeServer(elsewhere, answer)),
    )


def sealed(request: bytes, label: Label) -> bytes:
    """Message 1, which is all that there is beside the framing."""
    framing = re.match(_FRAMING % re.escape(label.device_id.encode()), request)
    assert framing, "this is not the framing, and nothing else"
    body = request[framing.end() :]
    assert len(body) == int(framing[1])
    return body


def disclosed_nothing(
    story: Story, label: Label, requests_seen: list[bytes], queries_seen: list[bytes]
) -> None:
    key = parse_label(label.text).key("sync-psk")
    bodies = [sealed(request, label) for request in requests_seen]
    for body in bodies:
        opened = Exchange(prologue(label.device_id, "label"), body).opened(key)
        assert opened, "bytes that the true server cannot open are not known to be sealed"
        report = opened.report
        assert len(body) == len(report) + 32 + 16, "an ephemeral key and a tag, and no more"
        assert b'"press"' in report, "the model: searched for below, so it has to be in there"
    assert len({body[:32] for body in bodies}) == len(bodies), "an ephemeral key for each attempt"
    assert {query[2:] for query in queries_seen} == {_QUERY}

    server_secrets.note_all(story.servers.data, [label.device_id])
    everything = b"".join(requests_seen + queries_seen)
    assert secrecy.leaks(everything) == 0
    device = story.device(label)
    for word in (
        *("press", "EMULATED", "micropython", "firmware", "scan", "heap", "timeline", "power_on"),
        *("factory", "MUSTER-", "MUSTER:", "mst_", "Bearer", device["account"]["originator"]),
    ):
        assert word.encode() not in everything, word


def replayed_in_vain(story: Story, label: Label, messages: list[bytes]) -> None:
    """Send the recorded messages to the true server, and see that nothing changes at the portal.

    But its owner is told, once, that the label was used after its window, where and how; which
    leaves open, until the device is heard next, whether it was the device after a reset.
    """
    before = story.device(label)
    url = f"http://{story.onboarding.gateway}:8421/v1/devices/{label.device_id}/sync?k=label"
    for message in messages:
        answer = requests.post(url, message, timeout=5)
        assert answer.status_code == 200, "it is authentic, and this is why it has to be harmless"
    after = story.device(label)
    told = [event["code"] for event in after["events"] if event not in before["events"]]
    assert told == ["window_closed"]
    assert (after["label_used"]["address"], after["label_used"]["state"]) == ("127.0.0.1", "blank")
    assert after["runs"] == before["runs"] | {"is_certain": False}
    assert after["waiting_for"]["what"] == "open_after_reset"
    doubt: dict[str, Any] = {"events": [], "label_used": None, "runs": None, "waiting_for": None}
    assert after | doubt == before | doubt
    assert "seen_at" in after, "when the device itself was heard: a replay is not heard"


def test_recorded_answer_of_the_true_server_is_worth_nothing_later(story: Story) -> None:
    wrong = [{"ssid": "factory", "psk": "incorrect horse", "hidden": False, "ip": "dhcp"}]
    story.begin(networks=wrong)
    genuine = (story.onboarding.gateway, 8421)
    replies: list[bytes] = []

    def record(answer: bytes) -> bytes:
        replies.append(answer)
        return answer

    stranger = story.air.add_access_point("MUSTER-replay", channel=1, rssi=-20)
    stranger.remove()
    with Middleman(genuine, record) as recorder, Spoofer() as spoofer:
        story.air.on_connect = lambda board, host, port: (
            recorder.address if (host, port) == genuine else None
        )
        story.switch_on()
        assert story.step(7).code == "ok"
        story.air.on_connect = None

        def replay(request: bytes) -> Iterator[bytes]:
            yield replies[0]

        spoofer.claim("replay", stranger.gateway)
        with FakeServer(stranger.gateway, replay) as fake:
            story.change_profile()
            stranger.restore()
            address = re.escape(stranger.gateway).encode()
            found = story.board.expect(rb"seek " + address + rb":8421: (\w+)", _SEEN_S)
            assert (found[1], len(fake.seen)) == (b"server_untrusted", 1)
            assert story.committed() == 2, "version 1 was in the recorded answer"
