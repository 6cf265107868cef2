# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
r"""Sends every request of acme_behaviour.json to a running ACME CSE and writes its answers down.

The table is what the platform's tests compare with: a oneM2M platform that nobody here wrote.
    pip install acmecse==2026.5.3            (in an environment of its own; Python 3.11 or newer)
    python -m acmecse --headless -dir RUN --no-mqtt --no-coap --no-ws --no-remote-cse \
        --db-type memory --http-port 18080 --network-interface 127.0.0.1
    python -m tests.host_server.platform_server.record_acme http://127.0.0.1:18080

ACME is to be freshly started, ready when GET /cse-in as CAdmin gives 200. RUN/acme.ini:

    [basic.config]
    cseType=IN
    cseID=id-in
    cseName=cse-in
    adminID=CAdmin
    cseHost=127.0.0.1
    httpPort=18080
    networkInterface=127.0.0.1
    databaseType=memory
    logLevel=info
    consoleTheme=dark
    [cse.registration]
    allowedAEOriginators=CAdmin,Cdev-*
    [console]
    headless=true
    [textui]
    startWithTUI=false
"""

import json
import sys
from typing import Any

import requests

from tests.host_server.platform_server.behaviour import TABLE, Answer, Player, Request


def _send(base_url: str, request: Request) -> Answer:
    reply = requests.request(
        request.method,
        base_url + request.to,
        headers=request.headers,
        data=request.body,
        timeout=10,
    )
    return Answer.of(reply.status_code, dict(reply.headers), reply.content)


def write(table: dict[str, Any]) -> None:
    """One row per line, so that a difference can be read."""
    rows = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in table["rows"])
    about = ",\n  ".join(json.dumps(line, ensure_ascii=False) for line in table["about"])
    TABLE.write_text(f'{{"about": [\n  {about}\n ],\n "rows": [\n  {rows}\n ]\n}}\n')


def main(base_url: str) -> None:
    table: dict[str, Any] = json.loads(TABLE.read_text())
    player = Player(lambda request: _send(base_url, request))
    for row in table["rows"]:
        row["answer"] = player.play(row)
    write(table)


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
