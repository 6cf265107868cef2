# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What can somebody do who knows a device's label and plays its configuration server?"""

import base64
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.security.attacker import derived, handshake, opens
from tests.system.fakes import FakeServer
from tests.system.story import Label, Story

_CONFIGURED_S = 40.0
OWN_NETWORK = "false-home"


class FalseServer:
    """Answers a sync under a label's key with a configuration of its own."""

    def __init__(self, device_id: str, secret: bytes) -> None:
        self._id = device_id
        self._key = derived(secret, "sync-psk", device_id)
        self.reports: list[Any] = []

    def answer(self, request: bytes) -> Iterator[bytes]:
        head, _, message = request.partition(b"\r\n\r\n")
        k = head.partition(b"?k=")[2].split(b" ")[0].decode()
        noise = handshake(self._id, k, self._key, is_device=False)
        report = opens(noise, message)
        if report is None:
            yield b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
            return
        self.reports.append(json.loads(report))
        body = bytes(noise.write_message(json.dumps(self._directive()).encode()))
        yield (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body)
        ) + body

    def _directive(self) -> dict[str, Any]:
        return {
            "v": 1,
            "nonce": "false",
            "time": 1_795_430_400,
            "action": "configure",
            "retry_s": 5,
            "config": {
                "v": 1,
                "version": 9,
                "networks": [{"ssid": OWN_NETWORK, "psk": None, "hidden": False, "ip": "dhcp"}],
                "platform": {
                    "type": "onem2m",
                    "url": "http://127.0.0.1:1",
                    "cse": "cse-in",
                    "originator": "Cfalse",
                    "api": "Norg.example.false",
                    "rvi": "4",
                    "token": None,
                    "ca": None,
                },
                "config_server": {
                    "url": "http://127.0.0.1:1",
                    "key": base64.b64encode(secrets.token_bytes(32)).decode(),
                    "adoption": base64.b64encode(secrets.token_bytes(32)).decode(),
                },
                "device": {"name": "", "tags": {}},
                "app": {},
                "country": "DE",
                "policy": {"failsafe_s": 60, "sync_s": 3600, "ntp": None},
            },
        }


def labelled(story: Story) -> Label:
    """A board with a label that nobody has registered."""
    story.servers.wait_ready()
    label = story.make_label()
    story.write_label(label)
    return label


def test_label_holder_can_be_the_server_of_a_blank_device(
    tmp_path: Path, deployed_flash: Path
) -> None:
    with Story(tmp_path, flash=deployed_flash) as story:
        label = labelled(story)
        point = story.air.add_access_point("MUSTER-false", channel=3, rssi=-20)
        story.air.add_access_point(OWN_NETWORK, channel=4, rssi=-30)
        false = FalseServer(label.device_id, label.secret)
        with FakeServer(point.gateway, false.answer):
            story.switch_on()
            story.board.expect(OWN_NETWORK.encode(), _CONFIGURED_S)
        assert false.reports
