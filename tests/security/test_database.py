# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What can somebody do who has the servers' files, or may write into them?"""

import base64
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests import secrecy
from tests.security.attacker import Device, handshake, secret_of
from tests.security.town import PASSWORD, Town, new_label


@pytest.fixture
def own_town(tmp_path: Path) -> Iterator[Town]:
    """One whose database the test may spoil, with what that makes the server say."""
    running = Town(tmp_path)
    secrecy.hide(running.administrator)
    running.add_profile()
    yield running
    running.stop()


def test_stolen_database_without_its_key_tells_no_secret(own_town: Town, tmp_path: Path) -> None:
    device = own_town.registered()
    device.onboard()
    own_town.stop()
    stolen = own_town.saved(tmp_path / "stolen")
    own_town.start()
    content = b"".join(file.read_bytes() for file in stolen.glob("*.sqlite*"))
    config, (_, secret) = device.configs[1], secret_of(device.label)
    sync_key = config["config_server"]["key"]
    for hidden in (
        *(PASSWORD.encode(), config["platform"]["token"].encode(), device.echo or ""),
        *(secret, secret.hex(), base64.b32encode(secret), base64.b64encode(secret)),
        *(sync_key, base64.b64decode(sync_key), device.keys["label"], own_town.administrator),
    ):
        assert (hidden if isinstance(hidden, bytes) else hidden.encode()) not in content


def opened(key: bytes, blob: bytes, place: str) -> bytes:
    """A sealed value, as docs/security.md says that it is sealed."""
    head, nonce, rest = blob[:5], blob[5:17], blob[17:]
    return AESGCM(key).decrypt(nonce, rest, head + place.encode())


def test_stolen_database_with_its_key_tells_everything(own_town: Town) -> None:
    device = own_town.registered()
    key = base64.b64decode((own_town.data / "secret.key").read_text())
    with closing(sqlite3.connect(own_town.data / "config.sqlite")) as database:
        ((document,),) = database.execute("SELECT document FROM profile WHERE name = 'press'")
        ((claim_id, secret),) = database.execute("SELECT id, secret FROM claim")
    profile = json.loads(opened(key, document, "profile|document|press"))
    assert profile["networks"][0]["psk"] == PASSWORD
    assert opened(key, secret, f"claim|secret|{claim_id}") == secret_of(device.label)[1]
    # So that is what a rotated key must not be kept beside: the id names it, and tells nothing.
    assert document[1:5] == hashlib.sha256(b"muster key id\0" + key).digest()[:4]


def test_who_may_write_the_database_cannot_put_in_a_secret(own_town: Town) -> None:
    victim, own = own_town.registered(), own_town.registered()
    victim.sync()
    with closing(sqlite3.connect(own_town.data / "config.sqlite")) as database:
        # His own label's secret takes the victim's place, as he knows that one.
        database.execute(
            "UPDATE claim SET secret = (SELECT secret FROM claim WHERE device_id = ?) "
            "WHERE device_id = ?",
            (own.id, victim.id),
        )
        database.commit()
    impostor = Device(own_town.urls["config"], f"MUSTER:1:{victim.id}:{own.label.split(':')[3]}")
    noise = handshake(impostor.id, "label", impostor.keys["label"])
    assert impostor.send("label", bytes(noise.write_message(b"{}"))).status == 500


def test_who_may_write_the_database_can_open_a_door_and_needs_the_label_for_it(
    own_town: Town,
) -> None:
    device = own_town.registered()
    device.onboard()
    with closing(sqlite3.connect(own_town.data / "config.sqlite")) as database:
        database.execute("UPDATE claim SET window_open = 1, window_until = 4000000000")
        database.commit()
    stranger = Device(own_town.urls["config"], new_label(device.id), "127.0.0.31")
    noise = handshake(stranger.id, "label", stranger.keys["label"])
    assert stranger.send("label", bytes(noise.write_message(b"{}"))).status == 403
    assert own_town.shown(device)["window"]["open"]


def test_recorded_message_proves_nothing_to_a_restored_server(
    own_town: Town, tmp_path: Path
) -> None:
    device = own_town.registered()
    device.sync()
    own_town.stop()
    saved = own_town.saved(tmp_path / "backup")
    own_town.start()
    device.server = own_town.urls["config"]
    for _ in range(2):  # the second echoes what this start of the server told
        device.sync("1", state="trial")
    assert own_town.shown(device)["claim"] == "proved"
    own_town.stop()
    own_town.restore(saved)
    own_town.start()
    device.server = own_town.urls["config"]
    assert device.send("1", device.sent, "127.0.0.32").status == 200
    shown = own_town.shown(device)
    assert (shown["claim"], shown["version"], shown["window"]["open"]) == ("unproved", 0, True)
