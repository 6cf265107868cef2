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
_MOST_GROWTH = 64 << 20


class Hang(Exception):
    """An input has taken longer than any may."""


def run(name: str, seed: int, is_over: Callable[[int, float], bool]) -> Result:
    """Regression cases first, then new inputs until `is_over(inputs, seconds)`."""
    random.seed(f"{name} {seed}")
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    result, log = Result(name, "server", seed), Log()
    logging.getLogger().addHandler(log)
    began = time.monotonic()
    sizes: list[int] = []
    try:
        while not result.is_hopeless and not is_over(result.inputs, time.monotonic() - began):
            target = TARGETS[name]()
            try:
                if not sizes:
                    _play_kept(target, result, log)
                for _ in range(_ANEW):
                    result.seconds = time.monotonic() - began
                    if result.is_hopeless or is_over(result.inputs, result.seconds):
                        break
                    _play(target, target.case(), result, log)
            finally:
                target.close()
            del target
            gc.collect()
            sizes.append(_rss())
    finally:
        logging.getLogger().removeHandler(log)
    result.seconds = time.monotonic() - began
    # The first round fills caches and loads code; from the second on there is no reason to grow.
    result.growth_bytes = sizes[-1] - sizes[1] if len(sizes) > 2 else 0
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
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
