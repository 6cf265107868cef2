# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do secrets at rest promise?"""

from base64 import b64encode
from pathlib import Path

import pytest

from muster_server.errors import SettingsError, StoreError
from muster_server.store.secrets import SecretBox, load_key

KEY = bytes(range(32))


def test_sealed_secret_opens_at_its_place() -> None:
    box = SecretBox(KEY)
    assert box.open(box.seal(b"psk", "claim", "secret", 4), "claim", "secret", 4) == b"psk"


@pytest.mark.parametrize(
    "place", [("other", "secret", 4), ("claim", "other", 4), ("claim", "secret", 5)]
)
def test_secret_moved_to_another_place_does_not_open(place: tuple[str, str, int]) -> None:
    box = SecretBox(KEY)
    blob = box.seal(b"psk", "claim", "secret", 4)
    with pytest.raises(StoreError, match="changed or moved"):
        box.open(blob, *place)


@pytest.mark.parametrize("position", [6, 20, -1])
def test_changed_bit_is_noticed(position: int) -> None:
    box = SecretBox(KEY)
    blob = bytearray(box.seal(b"psk", "claim", "secret", 4))
    blob[position] ^= 1
    with pytest.raises(StoreError, match="changed or moved"):
        box.open(bytes(blob), "claim", "secret", 4)


@pytest.mark.parametrize("length", [0, 1, 5, 17])
def test_blob_cut_short_is_an_error_of_its_own_kind(length: int) -> None:
    box = SecretBox(KEY)
    with pytest.raises(StoreError):
        box.open(box.seal(b"psk", "claim", "secret", 4)[:length], "claim", "secret", 4)


def test_wrong_key_is_named_by_its_id_and_not_by_itself() -> None:
    blob = SecretBox(KEY).seal(b"psk", "claim", "secret", 4)
    with pytest.raises(StoreError, match="give it the key file") as caught:
        SecretBox(bytes(32)).open(blob, "claim", "secret", 4)
    assert bytes(32).hex() not in str(caught.value)


def test_same_secret_never_looks_the_same_twice() -> None:
    box = SecretBox(KEY)
    assert box.seal(b"psk", "t", "c", 1) != box.seal(b"psk", "t", "c", 1)


def test_key_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    key = load_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key(path) == key
    assert len(key) == 32
    assert [p.name for p in tmp_path.iterdir()] == ["secret.key"]


def test_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    load_key(path)
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        load_key(path)


def test_key_from_the_environment_makes_no_file(tmp_path: Path) -> None:
    assert load_key(tmp_path / "secret.key", b64encode(KEY).decode()) == KEY
    assert not (tmp_path / "secret.key").exists()


def test_bad_key_is_refused_without_being_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="MUSTER_SECRET_KEY: wanted 32 bytes") as caught:
        load_key(tmp_path / "secret.key", "c2hvcnQ=")
    assert "c2hvcnQ" not in str(caught.value)
