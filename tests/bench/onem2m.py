# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Measures the platform: how soon a subscriber is told, what subscriptions cost those who publish,
registrations beside those at ACME CSE, and a search that fits a million resources.

    .venv/bin/python -m tests.bench.onem2m          # docs/onem2m.md has the figures
"""

import contextlib
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.bench.aims import rows
from tests.bench.onem2m_servers import (
    TOKEN,
    Caller,
    Line,
    Listener,
    Served,
    cpu_s,
    platform,
)
from tests.system.acme import Acme

READINGS_PER_S = 200
_NOTIFIED_S = 10
_DEVICES = 10
ELSEWHERE = 10_000  # subscriptions
_EACH = 25  # subscriptions of one container
_PUBLISHED = 300  # readings at each of two platforms, in turn
_CLIENTS = 16
_REGISTERED = 60  # AEs of each client
MANY = 1_000_000
_NOW = "20261123T075904"
_READING = '{"con":"21.5","cs":4,"st":1}'
_SUBSCRIPTION = '{"nu":["https://elsewhere.example/"],"enc":{"net":[3]},"nct":1}'


def measure() -> dict[str, float]:
    """Return all figures."""
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as name:
        folder = Path(name)
        return {
            **notified(folder / "notified"),
            **beside_subscriptions(folder),
            **registered(folder),
            **searched(folder / "searched"),
        }


def notified(folder: Path) -> dict[str, float]:
    """The time from a reading's request to its arrival at a subscriber, at 200 readings/s; and
    how late those who publish woke up meanwhile, which is the machine's part of it.
    """
    listener = Listener()
    listener.start()
    with platform(folder) as served:
        devices = [served.device(f"Cbench{n:08d}") for n in range(_DEVICES)]
        for device in devices:
            watch = {"rn": "watch", "nu": [listener.url], "enc": {"net": [3]}}
            device.ask("POST", f"/cse-in/{device.originator}/data", 23, {"m2m:sub": watch})
        before, count = served.cpu_s(), READINGS_PER_S * _NOTIFIED_S
        sent, late = _paced(devices, count)
        deadline = time.monotonic() + 60
        while len(listener.came) < count and time.monotonic() < deadline:
            time.sleep(0.05)
        cpu_s = served.cpu_s() - before
    listener.stop()
    if len(listener.came) < count:
        raise RuntimeError(f"of {count} notifications {len(listener.came)} came")
    times = sorted((at - sent[int(con)]) * 1000 for con, at in listener.came)
    return {
        "onem2m.notification_p50_ms": times[count // 2],
        "onem2m.notification_p99_ms": times[count * 99 // 100],
        "onem2m.woken_late_p99_ms": sorted(late)[len(late) * 99 // 100] * 1000,
        "onem2m.reading_and_notification_cpu_ms": cpu_s * 1000 / count,
    }


def _paced(devices: list[Caller], count: int) -> tuple[dict[int, float], list[float]]:
    """Publish so many numbers at the rate; when each was sent, and how late sleepers woke up."""
    sent: dict[int, float] = {}
    late: list[float] = []
    began = time.monotonic() + 0.1

    def publish(which: int) -> None:
        for n in range(which, count, len(devices)):
            due = began + n / READINGS_PER_S
            if due > time.monotonic():
                time.sleep(max(0.0, due - time.monotonic()))
                late.append(time.monotonic() - due)
            sent[n] = time.monotonic()
            devices[which].publish(str(n))

    with ThreadPoolExecutor(len(devices)) as pool:
        list(pool.map(publish, range(len(devices))))
    return sent, late


def beside_subscriptions(folder: Path) -> dict[str, float]:
    """The time of a reading at a platform with 10,000 subscriptions to others' containers, and at
    one without, in turn.
    """
    _fill(folder / "many", _resources(ELSEWHERE, _EACH, 23, _SUBSCRIPTION))
    with platform(folder / "none") as none, platform(folder / "many") as many:
        callers = [served.device("Cbench00000000") for served in (none, many)]
        times: tuple[list[float], list[float]] = ([], [])
        for n in range(_PUBLISHED):
            for caller, found in zip(callers, times, strict=True):
                began = time.perf_counter()
                caller.publish(str(n))
                found.append((time.perf_counter() - began) * 1000)
        cpu_ms = _cpu_of_a_reading(none, callers[0])
    alone, beside = map(statistics.median, times)
    return {
        "onem2m.reading_ms_kept_alive": alone,
        "onem2m.reading_cpu_ms": cpu_ms,
        "onem2m.reading_beside_10000_subscriptions": beside / alone,
    }


def _cpu_of_a_reading(served: Served, caller: Caller) -> float:
    before = served.cpu_s()
    for n in range(_PUBLISHED):
        caller.publish(str(n))
    return (served.cpu_s() - before) * 1000 / _PUBLISHED


def registered(folder: Path) -> dict[str, float]:
    """AEs made in a second by 16 clients at once, here and at ACME CSE."""
    folder.mkdir(0o700, exist_ok=True)
    with platform(folder / "aes") as served:
        names = [[f"Cbench{c:02d}x{n:04d}" for n in range(_REGISTERED)] for c in range(_CLIENTS)]
        known = {name: served.caller(name).token for some in names for name in some}
        before = served.cpu_s()
        ours = _registrations(served.url, names, known.get)
        our_cpu_ms = (served.cpu_s() - before) * 1000 / (_CLIENTS * _REGISTERED)
    acme = Acme(folder, "127.0.0.1", [])
    acme.start()
    try:
        acme.wait_ready()
        at_acme = [[name.replace("Cbench", "Cmuster") for name in some] for some in names]
        before = cpu_s(acme.pid)
        theirs = _registrations(acme.url, at_acme, lambda name: None)
        their_cpu_ms = (cpu_s(acme.pid) - before) * 1000 / (_CLIENTS * _REGISTERED)
    finally:
        acme.stop()
    return {
        "onem2m.ae_creates_per_s_16": ours,
        "onem2m.acme_ae_creates_per_s_16": theirs,
        "fleet.ae_creates_vs_acme": ours / theirs,
        "onem2m.ae_create_cpu_ms": our_cpu_ms,
        "onem2m.acme_ae_create_cpu_ms": their_cpu_ms,
    }


def _registrations(
    url: str, names: list[list[str]], token_of: Callable[[str], str | None]
) -> float:
    """AEs made in a second. What is sent is made before, so that asking costs next to nothing."""
    callers = [[Caller(url, name, token_of(name)) for name in some] for some in names]
    written = [[caller.written(2, _entity(caller)) for caller in some] for some in callers]

    def register(some: list[bytes]) -> None:
        line = Line(url)
        for request in some:
            line.create(request)
        line.close()

    began = time.perf_counter()
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(register, written))
    return sum(map(len, names)) / (time.perf_counter() - began)


def _entity(caller: Caller) -> dict[str, Any]:
    about = {"rn": caller.originator, "api": "Norg.example.bench", "rr": False, "srv": ["4"]}
    return {"m2m:ae": about}


def searched(folder: Path) -> dict[str, float]:
    """A search that fits a million resources, and a reading while eight of them are asked for."""
    _fill(folder, _resources(MANY, 1000, 4, _READING))
    with platform(folder) as served:
        device = served.device("Cbench00000000")
        before = _memory_mb(served)
        began = time.perf_counter()
        _search(served)
        took_s = time.perf_counter() - began
        done = threading.Event()
        with ThreadPoolExecutor(8) as pool:
            searches = [pool.submit(_search_until, served, done) for _ in range(8)]
            time.sleep(1.0)
            times = [_timed(device, n) for n in range(20)]
            done.set()
            for search in searches:
                search.result()
        grown = _memory_mb(served) - before
    return {
        "onem2m.search_of_a_million_s": took_s,
        "onem2m.search_of_a_million_mb": grown,
        "onem2m.reading_beside_searches_ms": statistics.median(times),
    }


def _search(served: Served) -> None:
    """Ask for it; that it was ended, or that many are under way already, is an answer, too."""
    try:
        Caller(served.url, "CAdmin", TOKEN).ask("GET", "/cse-in?fu=1&con=21*&lim=20")
    except RuntimeError as error:
        if "HTTP 406" not in str(error) and "HTTP 503" not in str(error):
            raise


def _search_until(served: Served, done: threading.Event) -> None:
    while not done.is_set():
        _search(served)


def _timed(device: Caller, n: int) -> float:
    began = time.perf_counter()
    device.publish(str(n))
    return (time.perf_counter() - began) * 1000


def _memory_mb(served: Served) -> float:
    lines = Path(f"/proc/{served.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _fill(folder: Path, statements: tuple[str, ...]) -> None:
    folder.mkdir(0o700, parents=True)
    with platform(folder):
        pass  # the first start makes the database and the CSEBase
    with contextlib.closing(sqlite3.connect(folder / "platform.sqlite")) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def _resources(count: int, each: int, ty: int, about: str) -> tuple[str, ...]:
    """Statements that make so many resources of a type, each so many in a container."""
    columns = "ri, ty, rn, pi, path, ct, lt, creator, attributes"
    numbers = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT"
    into = f"INSERT INTO resources ({columns}) {numbers}"
    common = f"'{_NOW}', '{_NOW}', 'CAdmin'"
    above, name = f"'c' || (i / {each})", "'x' || i"
    return (
        f"{into.format(count // each - 1)} 'c' || i, 3, 'c' || i, 'id-in', 'cse-in/c' || i,"
        f' {common}, \'{{"cni":0,"cbs":0,"st":0}}\' FROM n',
        f"{into.format(count - 1)} {name}, {ty}, {name}, {above}, 'cse-in/' || {above} || '/' ||"
        f" {name}, {common}, '{about}' FROM n",
    )


if __name__ == "__main__":
    chosen = sys.argv[1:]
    if chosen:
        with tempfile.TemporaryDirectory(prefix="muster-bench-") as scratch:
            found = globals()[chosen[0]](Path(scratch) / "data")
    else:
        found = measure()
    for row in rows(found):
        print(row)
