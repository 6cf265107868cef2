# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The device's HTTP client, driven by test_http.py: a line of JSON on stdin names the requests to
# make on one connection; prints their outcomes as one line of JSON.

import asyncio
import json
import sys
import time


class _Clock:
    floor = 0
    is_known = True

    def now(self):
        return 1


def _tls(ca):
    from muster.tls import Trust

    class Roomy(Trust):
        async def room(self):
            pass  # this interpreter has no IDF heap to ask about

    return Roomy(ca, _Clock())


async def _one(connection, wanted):
    from muster.errors import DeviceError

    await asyncio.sleep_ms(wanted.get("pause_ms", 0))
    start = time.ticks_ms()
    try:
        body = wanted.get("body")
        message = connection.message(
            wanted.get("method", "GET"),
            wanted.get("path", "/"),
            wanted.get("headers", {}),
            body.encode() if body else None,
        )
        mark = wanted.get("mark")  # the header by which an answer is known
        status, headers, content = await connection.exchange(
            [message],
            wanted.get("timeout_ms", 2000),
            wanted.get("limit_bytes", 8192),
            lambda status, headers: mark is None or mark in headers,
            b"",
            wanted.get("is_safe", True),
        )
        outcome = {"status": status, "headers": headers, "body": bytes(content).decode()}
    except DeviceError as e:
        outcome = {"code": e.code, "detail": e.detail, "is_final": e.is_final}
        outcome["retry_s"] = e.retry_s
    outcome["ms"] = time.ticks_diff(time.ticks_ms(), start)
    outcome["is_open"] = connection._socket is not None
    return outcome


async def _all(job):
    from muster.http import Connection

    tls = _tls(job["ca"]) if "ca" in job else None
    connection = Connection(
        job["host"], job["port"], tls, job.get("code", "server_unreachable"), 64
    )
    outcomes = []
    for wanted in job["requests"]:
        outcomes.append(await _one(connection, wanted))
    connection.close()
    return outcomes


sys.path.insert(0, sys.argv[1])
print(json.dumps(asyncio.run(_all(json.loads(sys.stdin.readline())))))
