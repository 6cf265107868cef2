# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Accounts with their hashed tokens; a part of the platform's rows."""

from collections.abc import Collection, Iterable
from typing import Any

from muster_server.store.platform_known import Asked
from muster_server.store.platform_records import Token
from muster_server.store.platform_turns import Turn
from muster_server.store.sql import Sql, insertion, marks

_OF_A_TOKEN = ("token_id", "originator", "hash", "ct")
_ADD_TOKEN = f"{insertion('tokens', _OF_A_TOKEN)} ON CONFLICT (token_id) DO NOTHING"
_ADD_ACCOUNT = f"{insertion('accounts', ('originator', 'ct'))} ON CONFLICT DO NOTHING"


class AccountRows:
    """Questions and deeds within one transaction."""

    _sql: Sql
    asked: Asked
    turn: Turn

    def has_account(self, originator: str) -> bool:
        text = "SELECT 1 FROM accounts WHERE originator = ?"
        return self._sql.row(text, originator) is not None

    def accounts_among(self, originators: Collection[str]) -> list[str]:
        """Return those of these that have an account."""
        text = f"SELECT originator FROM accounts WHERE originator IN ({marks(originators)})"  # noqa: S608
        return [row[0] for row in self._sql.rows(text, *originators)]

    def accounts(self, after: str, limit: int) -> list[tuple[str, str]]:
        """Originators in order with the time each account was made."""
        text = (
            "SELECT originator, ct FROM accounts WHERE originator > ? ORDER BY originator LIMIT ?"
        )
        return [(row[0], row[1]) for row in self._sql.rows(text, after, limit)]

    def add_account(self, originator: str, ct: str) -> bool:
        """Make the account unless it is there; tell whether it was made."""
        self.turn.check_account(originator)
        is_made = self._sql.run(_ADD_ACCOUNT, originator, ct) == 1
        if is_made:
            self.asked.account_made(originator)
        return is_made

    def remove_account(self, originator: str) -> None:
        """Forget an account and all its tokens."""
        self.turn.check_account(originator)
        self.asked.removed()
        self._sql.run("DELETE FROM accounts WHERE originator = ?", originator)

    def tokens_of(self, originators: Iterable[str]) -> list[Token]:
        listed = list(originators)
        return self._tokens(f"originator IN ({marks(listed)})", *listed)

    def add_token(self, token: Token) -> bool:
        """Keep it, unless there is one with its id; tell whether it is kept."""
        self.turn.check_account(token.originator)
        values = (token.token_id, token.originator, token.hash, token.ct)
        is_kept = self._sql.run(_ADD_TOKEN, *values) == 1
        if is_kept:
            self.asked.issued(token.hash, token.originator)
        return is_kept

    def remove_token(self, token_id: str) -> None:
        self.asked.removed()
        self._sql.run("DELETE FROM tokens WHERE token_id = ?", token_id)

    def _tokens(self, condition: str, *values: Any) -> list[Token]:
        text = f"SELECT token_id, originator, hash, ct FROM tokens WHERE {condition}"  # noqa: S608
        found = self._sql.rows(f"{text} ORDER BY ct, token_id", *values)
        return [Token(*(row[name] for name in _OF_A_TOKEN)) for row in found]
