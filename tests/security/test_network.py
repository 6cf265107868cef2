# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What can somebody do who is on the network between a device and its server?"""

import itertools
import json
import time
from collections.abc import Callable

import pytest

from tests.security.attacker import Device, ask, handshake, opens
from tests.security.town import PASSWORD, Town, new_label


def test_listener_sees_the_id_and_nothing_else(town: Town) -> None:
    device = town.registered()
    device.sync()
    assert device.received is not None
    heard = device.sent + device.received.body
    config = device.configs[1]
    for secret in (PASSWORD, config["platform"]["token"], config["config_server"]["key"], "press"):
        assert secret.encode() not in heard


def test_label_learned_later_opens_recorded_reports_and_no_directive(town: Town) -> None:
    device = town.registered()
    device.sync()
    assert device.received is not None
    key = device.keys["label"]
    report = opens(handshake(device.id, "label", key, is_device=False), device.sent)
    assert report is not None
    assert not any(word in report.decode() for word in (PASSWORD, "token", "psk"))
    for _ in range(2):  # an ephemeral key of his own does not help
        thief = handshake(device.id, "label", key)
        thief.write_message(b"{}")
        assert opens(thief, device.received.body) is None


def test_replayed_messages_prove_nothing_and_answer_nobody(town: Town) -> None:
    device = town.registered()
    device.sync()
    first = device.sent
    device.sync("1", state="trial")
    confirmation = device.sent
    before = town.shown(device)
    for k, message in (("label", first), ("1", confirmation), ("1", confirmation)):
        answer = device.send(k, message, "127.0.0.66")
        assert answer.status in (200, 429)
        thief = handshake(device.id, k, device.keys[k])
        thief.write_message(b"{}")
        assert opens(thief, answer.body) is None
    after = town.shown(device)
    told = ("state", "claim", "version", "window", "steps", "issued_version")
    assert [after[name] for name in told] == [before[name] for name in told]
    assert device.sync("1", state="committed")["action"] == "keep"


def test_changed_messages_are_no_messages(town: Town) -> None:
    device = town.registered(source="127.0.0.11")
    device.sync()
    for position in (0, 31, 32, 40, len(device.sent) - 1):
        bent = bytearray(device.sent)
        bent[position] ^= 1
        assert device.send("label", bytes(bent)).status == 403
    # What was made under the label is none of a version's, and the other way round.
    assert device.send("1", device.sent).status == 403
    assert town.shown(device)["claim"] == "unproved"


def test_unknown_id_wrong_key_and_unknown_version_are_answered_alike(town: Town) -> None:
    device = town.registered(source="127.0.0.12")
    stranger = Device(town.urls["config"], new_label(), "127.0.0.12")
    impostor = Device(town.urls["config"], new_label(device.id), "127.0.0.12")
    answers = []
    for who, k in ((stranger, "label"), (impostor, "label"), (device, "7")):
        noise = handshake(who.id, k, who.keys.get(k, bytes(32)))
        answers.append(who.send(k, bytes(noise.write_message(b"{}"))))
    assert {answer.status for answer in answers} == {403}
    assert len({answer.body for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers)) for answer in answers}) == 1


def refused_after(send: Callable[[], int], patience_s: float = 60) -> None:
    """Send without a pause until six were refused: how many that takes is the host's speed."""
    end = time.monotonic() + patience_s
    refused = 0
    while refused < 6:
        assert time.monotonic() < end, "the flood goes through"
        refused += send() == 429


def test_flood_locks_out_nobody_but_its_own_address(town: Town) -> None:
    device = town.registered(source="127.0.0.13")
    refused_after(lambda: device.send("label", bytes(48), "127.0.0.14").status)
    assert device.sync()["action"] == "configure"


def test_address_that_a_client_claims_does_not_count(town: Town) -> None:
    device = town.registered(source="127.0.0.15")
    url = f"{town.urls['config']}/v1/devices/{device.id}/sync?k=label"
    names = (f"192.0.2.{n % 250}" for n in itertools.count())
    refused_after(
        lambda: ask(url, "POST", bytes(48), {"X-Forwarded-For": next(names)}, "127.0.0.16").status
    )
    entries = town.owner("GET", f"/v1/devices/{device.id}/timeline").json()["entries"]
    assert "192.0.2." not in json.dumps(entries)


@pytest.mark.parametrize("place", ["path", "query", "header"])
def test_escape_sequences_reach_no_log(town: Town, place: str) -> None:
    escape = {"path": "%1b[2J", "query": "k=%1b[2J", "header": "\x1b[2J"}[place]
    for role, url in town.urls.items():
        address = f"{url}/v1/devices/X{escape if place == 'path' else ''}/sync"
        headers = {
            "X-Forwarded-For": "\x1b[2J",
            "User-Agent": "\x1b[2J",
            "X-M2M-Origin": "\x1b[2J",
        }
        query = f"?{escape}" if place == "query" else ""
        for method in ("GET", "POST", "DELETE"):
            answer = ask(address + query, method, b"\x1b", headers if place == "header" else {})
            assert b"\x1b" not in answer.body, role
    # The fixture searches the log when the servers have ended.
