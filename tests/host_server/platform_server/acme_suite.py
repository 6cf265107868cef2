# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Serves the platform for ACME CSE's own tests, which know no tokens: each gets an account.

    python -m tests.host_server.platform_server.acme_suite 8090

and, in the folder tests of a checkout of ACME (https://github.com/ankraft/ACME-oneM2M-CSE), with
the interpreter of tests/system/acme.py, after CSEPORT = 8090, UPPERTESTERENABLED = False and
RECONFIGURATIONENABLED = False in config.py there:

    python runTests.py -nout --no-failfast -lns testCSE testAE testCNT testCIN testCNT_CIN …

docs/onem2m.md says what came of it.
"""

import secrets
import sys
import tempfile
import time
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from muster_server.errors import HostError
from muster_server.outgoing import Rules
from muster_server.platform_server.accounts import Accounts
from muster_server.platform_server.addressing import CSE
from muster_server.platform_server.app import create_app
from muster_server.platform_server.bounds import Bounds
from muster_server.store.engine import database_url, open_engine
from muster_server.store.migrations import migrate
from muster_server.store.platform import HEAD, PlatformStore
from muster_server.tokens import new_token, token_hash

PROVIDER = "acme.example.com"


class Gate:
    """Adds the token of the originator that a request names."""

    def __init__(self, app: ASGIApp, accounts: Accounts, admin_token: str) -> None:
        self._app = app
        self._accounts = accounts
        self._tokens = {"CAdmin": admin_token}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            originator = headers.get(b"x-m2m-origin", b"").decode().removeprefix("/id-in/")
            if originator.startswith("wrong"):  # somebody with an account, and without rights
                originator = "C" + originator
                headers[b"x-m2m-origin"] = originator.encode()
            headers[b"authorization"] = b"Bearer " + self._token(originator).encode()
            scope["headers"] = list(headers.items())
        await self._app(scope, receive, send)

    def _token(self, originator: str) -> str:
        if originator in ("", "C", "S"):
            return self._new("C" + secrets.token_hex(8))
        if originator not in self._tokens:
            try:
                self._new(originator)
            except HostError:  # it can have none: then it comes with somebody else's
                self._tokens[originator] = self._new("C" + secrets.token_hex(8))
        return self._tokens[originator]

    def _new(self, originator: str) -> str:
        issued = self._accounts.open_account(originator)
        self._tokens[issued.originator] = issued.token
        return issued.token


def main(port: int) -> None:
    with tempfile.TemporaryDirectory(prefix="muster-acme-") as directory:
        engine = open_engine(database_url(Path(directory), "platform"))
        migrate(engine, "muster_server.platform_server", HEAD)
        store, token = PlatformStore(engine), new_token()
        hashes = frozenset({token_hash(token)})
        inside = Rules(networks=("127.0.0.0/8",))
        app = create_app(store, lambda: hashes, cse=CSE(provider=PROVIDER), notified=inside)
        gate = Gate(app, Accounts(store, lambda: hashes, time.time, Bounds()), token)
        uvicorn.run(gate, host="127.0.0.1", port=port, log_level="error")
        engine.dispose()


if __name__ == "__main__":
    main(int(sys.argv[1]))
