# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do access tokens promise?"""

from muster_server.tokens import matches, matches_any, new_token, token_hash


def test_token_matches_its_own_hash_only() -> None:
    token, other = new_token(), new_token()
    assert matches(token, token_hash(token))
    assert not matches(other, token_hash(token))
    assert matches_any(token, [token_hash(other), token_hash(token)])
    assert not matches_any("", [token_hash(token)])


def test_hash_does_not_hold_the_token() -> None:
    token = new_token()
    assert token not in token_hash(token)
