# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""One HTTP call from one server, or from the command line, to another."""

from typing import Any

import requests

from muster_server.errors import NoAnswer
from muster_server.tokens import TokenSource, token_of

CONNECT_TIMEOUT_S = 2.0
# Who asks a server that asks another one waits longer than that one does, so that it hears which
# of them is silent. A platform is asked by one who waits for another's question to it first.
PLATFORM_TIMEOUT_S = 3.0  # a device waits for its directive meanwhile
CONFIG_TIMEOUT_S = 2 * (CONNECT_TIMEOUT_S + PLATFORM_TIMEOUT_S) + 5
PORTAL_TIMEOUT_S = 2 * (CONNECT_TIMEOUT_S + CONFIG_TIMEOUT_S) + 5  # it may ask twice


def call(
    method: str,
    url: str,
    token: TokenSource,
    body: Any = None,
    *,
    headers: dict[str, str] | None = None,
    ca_file: str | None = None,
    read_timeout_s: float,
) -> requests.Response:
    """The answer, whatever its status; NoAnswer if there is none in time.

    Neither proxies nor netrc of the environment are used, and no redirect is followed: the token
    goes to this URL and nowhere else.
    """
    all_headers = {"Authorization": f"Bearer {token_of(token)}", **(headers or {})}
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.request(
                method,
                url,
                json=body,
                headers=all_headers,
                timeout=(CONNECT_TIMEOUT_S, read_timeout_s),
                allow_redirects=False,
                verify=ca_file or True,
            )
        except (requests.RequestException, OSError) as error:
            raise NoAnswer(
                f"{url.partition('?')[0]} did not answer ({type(error).__name__}); check that the "
                "server runs and that the address is right"
            ) from None
