# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The face of a server part that can be fuzzed, and the rules for what is a finding."""

import json
import logging
import random
from pathlib import Path
from typing import Any, Protocol

from tests.fuzz.servers.asgi import Answer, Request

WIRE = Path(__file__).resolve().parents[2] / "wire"
# A problem that the oneM2M platform and a busy server announce properly.
_ANNOUNCED = {501, 503}


class Finding(Exception):
    """An input has done what no input may."""


class Target(Protocol):
    """Makes inputs and plays them; `Finding` if one of them breaks a promise."""

    name: str

    def case(self) -> Any:
        """The next input, as JSON can keep it."""

    def play(self, case: Any) -> None: ...

    def close(self) -> None: ...


class Log(logging.Handler):
    """Notes what the servers log with a traceback: nothing that comes in may cause one."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.tracebacks: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self.tracebacks.append(f"{record.getMessage()}: {record.exc_info[1]!r}")

    def taken(self) -> str:
        found, self.tracebacks = self.tracebacks, []
        return "; ".join(found)[:2000]


def goldens(name: str, *, only_valid: bool = True) -> list[Any]:
    """The cases of a golden file."""
    cases = json.loads((WIRE / f"{name}.json").read_text())["cases"]
    return [case for case in cases if case.get("valid") or not only_valid]


def check(request: Request, answer: Answer) -> None:
    """Check the promises of every HTTP answer. Raises Finding."""
    what = f"{request.method} {request.path[:80]!r}"
    if answer.status >= 500 and answer.status not in _ANNOUNCED:
        raise Finding(f"{what}: HTTP {answer.status} {answer.body[:200]!r}")
    if answer.status == 503 and "retry-after" not in answer.headers:
        raise Finding(f"{what}: busy, and does not say for how long")
    if b"Traceback" in answer.body or b'.py", line' in answer.body:
        raise Finding(f"{what}: a traceback for the client {answer.body[:200]!r}")
    if answer.headers.get("content-type", "").startswith("application/"):
        _check_json(what, answer)


def _check_json(what: str, answer: Answer) -> None:
    kind = answer.headers["content-type"].partition(";")[0]
    if kind not in ("application/json", "application/problem+json") or not answer.body:
        return
    try:
        document = json.loads(answer.body)
    except ValueError:
        raise Finding(f"{what}: says it is JSON {answer.body[:200]!r}") from None
    if kind.endswith("problem+json") and not document.get("code"):
        raise Finding(f"{what}: a problem without a code {answer.body[:200]!r}")


def some(things: list[Any]) -> Any:
    return things[random.randrange(len(things))]
