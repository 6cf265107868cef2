# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Access tokens: hashed where they are checked, in a file of mode 0600 where they are used."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable

from muster_server.errors import SettingsError

# A token, or what tells it as it is at the moment: it may be rotated.
TokenSource = str | Callable[[], str]

_FORM = re.compile(r"[A-Za-z0-9_-]{32,128}")


def new_token() -> str:
    """256 random bits as text, e.g. "mst_0aJ…" (the prefix lets secret scanners find leaks)."""
    return "mst_" + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return the hash of a token, as it is stored.

    A plain hash will do: the token has 256 bits, nobody can try them all.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def matches(token: str, stored_hash: str) -> bool:
    """Tell whether this is the token, compared in constant time."""
    return hmac.compare_digest(token_hash(token), stored_hash)


def matches_any(token: str, stored_hashes: Iterable[str]) -> bool:
    """Tell whether this is one of the tokens; all are compared, whichever fits."""
    found = [matches(token, stored) for stored in stored_hashes]
    return any(found)


def is_any(hash_: str, stored_hashes: Iterable[str]) -> bool:
    """Tell the same of a token's hash."""
    found = [hmac.compare_digest(hash_, stored) for stored in stored_hashes]
    return any(found)


def checked(token: str, name: str) -> str:
    """Return the token if it is long enough to be one; `name` is the option it came from.

    Raises SettingsError if it is not, or has other characters than a token's.
    """
    if not _FORM.fullmatch(token):
        raise SettingsError(f"{name}: wanted 32 to 128 characters of A-Z a-z 0-9 _ -")
    return token


def token_of(source: TokenSource) -> str:
    """Return the token as it is now."""
    return source if isinstance(source, str) else source()
