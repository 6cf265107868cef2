# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Plays inputs against a part of the servers, in this process, and keeps what was found."""

import gc
import json
import logging
import random
import signal
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fuzz.result import CASES, Result
from tests.fuzz.servers.config_server import KnownSync, StrangeSync
from tests.fuzz.servers.labels import LabelText
from tests.fuzz.servers.platform import Accounts, OneM2M
from tests.fuzz.servers.portal import BulkFile, PortalAPI
from tests.fuzz.servers.target import Finding, Log, Target
from tests.fuzz.servers.wire import RawHTTP

TARGETS: dict[str, Callable[[], Target]] = {
    kind.name: kind
    for kind in (
        LabelText,
        StrangeSync,
        KnownSync,
        OneM2M,
        Accounts,
        PortalAPI,
        BulkFile,
        RawHTTP,
    )
}
DEADLINE_S = 60  # of one input; other work on the machine must not look like a hang
_ANEW = 2000  # inputs until a target begins anew, with an empty database
_MOST_GROWTH = 16 << 20  # in a round; a database of 1500 more entries is in there


class Hang(Exception):
    """An input has taken longer than any may."""


def run(name: str, seed: int, inputs: int | None, seconds: float | None) -> Result:
    """Regression cases first, then new inputs, so many or for so long."""
    random.seed(f"{name} {seed}")
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    result, log = Result(name, "server", seed), Log()
    logging.getLogger().addHandler(log)
    began = time.monotonic()

    def is_over() -> bool:
        result.seconds = time.monotonic() - began
        is_late = seconds is not None and result.seconds >= seconds
        return is_late or result.is_hopeless or (inputs is not None and result.inputs >= inputs)

    rounds: list[int] = []  # by how much each has grown
    try:
        while not is_over():
            target = TARGETS[name]()
            try:
                if not rounds:
                    _play_kept(target, result, log)
                warm = 0
                for n in range(_ANEW):
                    if n == _ANEW // 4:
                        warm = _rss()
                    if is_over():
                        break
                    _play(target, target.case(), result, log)
                rounds.append(_rss() - warm if warm else 0)
            finally:
                target.close()
    finally:
        logging.getLogger().removeHandler(log)
    result.seconds = time.monotonic() - began
    # Within a round, for each makes its servers anew; the middle one, for caches fill at times.
    result.growth_bytes = sorted(rounds)[len(rounds) // 2]
    if result.growth_bytes > _MOST_GROWTH:
        result.found(None, f"grew by {result.growth_bytes >> 20} MiB")
    return result


def _play_kept(target: Target, result: Result, log: Log) -> None:
    file = CASES / f"{target.name}.json"
    for case in json.loads(file.read_text()) if file.exists() else []:
        _play(target, case["input"], result, log)


def _play(target: Target, case: Any, result: Result, log: Log) -> None:
    result.inputs += 1
    try:
        with _deadline():
            target.play(case)
    except (Finding, Hang) as found:
        result.found(case, str(found))
    except Exception as error:  # noqa: BLE001 - an error that nobody expects is what we look for
        result.found(case, f"{type(error).__name__}: {error}")
    logged = log.taken()
    if logged:
        result.found(case, f"logged with a traceback: {logged}")


@contextmanager
def _deadline() -> Any:
    def late(number: int, frame: Any) -> None:
        raise Hang(f"no end within {DEADLINE_S} s")

    former = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, DEADLINE_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def _rss() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
