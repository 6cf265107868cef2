# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Counts and times every request of a role, and names it for the log."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from muster_server import request_id
from muster_server.gauges import Source
from muster_server.label import is_device_id

log = logging.getLogger("muster_server.requests")

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_OTHER = "other"  # what no route answers: strangers choose such paths, and each would be a row


class Meters(Collector):
    """The figures of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.sources: list[Source] = []
        self._requests = Counter(
            "muster_requests", "Requests answered.", ("role", "route", "status"),
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "muster_request_seconds", "Time to the end of the answer.", ("role", "route"),
            buckets=_BUCKETS_S, registry=self.registry,
        )  # fmt: skip
        ProcessCollector(registry=self.registry)
        self.registry.register(self)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges of all sources. Raises HostError if one cannot tell."""
        for source in self.sources:
            for gauge in source.gauges():
                labels = [gauge.label] if gauge.label else []
                family = GaugeMetricFamily(gauge.name, gauge.about, labels=labels)
                for value, number in gauge.values.items():
                    family.add_metric([value] if labels else [], number)
                yield family

    def describe(self) -> Iterable[Any]:
        """Nothing beforehand: a gauge is known when it is counted."""
        return ()

    def note(self, role: str, route: str, status: int, seconds: float) -> None:
        """One request has been answered."""
        self._requests.labels(role, route, str(status)).inc()
        self._seconds.labels(role, route).observe(seconds)


class Metered:
    """A role's app, whose requests are counted; `is_told`: and named in the log, one line each."""

    def __init__(self, app: ASGIApp, role: str, meters: Meters, *, is_told: bool) -> None:
        self._app = app
        self._role = role
        self._meters = meters
        self._is_told = is_told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        token = request_id.begin(_given_id(scope))
        try:
            await self._app(scope, receive, watch)
        finally:
            self._count(scope, status, time.perf_counter() - began)
            request_id.end(token)

    def begin(self, scope: Scope) -> Callable[[int], None]:
        """Begin with a request that does not come this way, in a context of its own; what its
        answer's status is to be told to.
        """
        began = time.perf_counter()
        request_id.begin(_given_id(scope))

        def answered(status: int) -> None:
            self._count(scope, status, time.perf_counter() - began)

        return answered

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        self._meters.note(self._role, _route(scope), status, seconds)
        if self._is_told:
            self._tell(scope, status, seconds)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        facts: dict[str, Any] = {
            "role": self._role,
            "method": scope["method"],
            "route": _route(scope),
            "status": status,
            "ms": round(seconds * 1000, 1),
        }
        device_id = (scope.get("path_params") or {}).get("device_id")
        if device_id is not None and is_device_id(str(device_id).upper()):
            facts["device"] = device_id
        log.info("answered", extra={"facts": facts})


def _given_id(scope: Scope) -> str | None:
    wanted = request_id.HEADER.lower().encode()
    found = (value for name, value in scope["headers"] if name == wanted)
    value = next(found, None)
    return None if value is None else value.decode("latin-1")


def _route(scope: Scope) -> str:
    """The route as it was declared: an address itself may hold ids, and secrets by mistake."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else _OTHER
