# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do access tokens promise?"""

from pathlib import Path

import pytest

from muster_server.errors import SettingsError
from muster_server.tokens import matches, matches_any, new_token, service_token, token_hash


def test_token_matches_its_own_hash_only() -> None:
    token, other = new_token(), new_token()
    assert matches(token, token_hash(token))
    assert not matches(other, token_hash(token))
    assert matches_any(token, [token_hash(other), token_hash(token)])
    assert not matches_any("", [token_hash(token)])


def test_hash_does_not_hold_the_token() -> None:
    token = new_token()
    assert token not in token_hash(token)


def test_service_token_is_the_same_for_both_servers(tmp_path: Path) -> None:
    path = tmp_path / "config-token"
    assert service_token(path) == service_token(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_service_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config-token"
    service_token(path)
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        service_token(path)


def test_short_token_in_a_file_is_refused_without_being_repeated(tmp_path: Path) -> None:
    path = tmp_path / "config-token"
    path.write_text("hunter2")
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="32 to 128") as caught:
        service_token(path)
    assert "hunter2" not in str(caught.value)
