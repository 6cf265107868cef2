# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The id of the request that is worked at, which the log of every server names.

It follows a request through the servers: in one process by itself, between processes in a header.
A device is told none, for each byte of a header is sent over its radio.
"""

import re
import secrets
from collections.abc import Callable
from contextvars import ContextVar, Token

HEADER = "X-Request-ID"
_FORM = re.compile(r"[0-9a-f]{16}")
_company: Callable[[], dict[str, str]] | None = None
_current: ContextVar[str | None] = ContextVar("request_id", default=None)


def current() -> str | None:
    """Return the id of the request that is worked at here, if there is one."""
    return _current.get()


def begin(given: str | None) -> Token[str | None]:
    """Work at a request from now on, with the id that came along if it is one."""
    is_one = given is not None and _FORM.fullmatch(given)
    return _current.set(given if is_one else secrets.token_hex(8))


def end(token: Token[str | None]) -> None:
    """The request is over."""
    _current.reset(token)


def accompany(company: Callable[[], dict[str, str]] | None) -> None:
    """Have these headers go along with the id from now on: a trace's, for example."""
    global _company  # noqa: PLW0603 - one for the process, as its log and its traces are
    _company = company


def is_accompanied() -> bool:
    """Tell whether headers go along: requests are traced."""
    return _company is not None


def headers() -> dict[str, str]:
    """Return the headers for another server."""
    own = current()
    along = {} if _company is None else _company()
    return along if own is None else along | {HEADER: own}
