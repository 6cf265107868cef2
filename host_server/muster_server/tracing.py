# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Traces for OpenTelemetry's collector, where the environment names one.

FastAPI makes the spans, and gives them to whoever provides for them: this does. What leaves has
the route as it was declared, never the path or the query, for those hold ids and names.
"""

import logging
import os
import threading
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from muster_server import request_id
from muster_server.errors import SettingsError

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
_HIDDEN = ("url.path", "url.query", "server.address")
_HIDE = "-"
_EXPORT_S = 5  # for one batch, with what is tried again
_END_S = 2.0  # what has not been taken by then is lost: nobody waits for a collector

log = logging.getLogger(__name__)


def begin(environ: Mapping[str, str]) -> Callable[[], None]:
    """Send traces from now on, if the environment says where; call what is returned at the end.

    SettingsError if what it says is no URL.
    """
    url = environ.get(_TRACES_ENDPOINT) or environ.get(ENDPOINT)
    if not url or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return lambda: None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f'{ENDPOINT}: wanted a URL like "http://127.0.0.1:4318"')
    return _provide(url if environ.get(_TRACES_ENDPOINT) else f"{url.rstrip('/')}/v1/traces")


def _provide(url: str) -> Callable[[], None]:
    # Late: a second of imports that most servers do not need.
    from opentelemetry import propagate, trace
    from opentelemetry.context import Context
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    class Discreet(SpanProcessor):
        def on_start(self, span: Span, parent_context: Context | None = None) -> None:
            for name in set(_HIDDEN) & set(span.attributes or {}):
                span.set_attribute(name, _HIDE)
            own = request_id.current()
            if own is not None:
                span.set_attribute("muster.request", own)

    resource = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "muster"}
    provider = TracerProvider(resource=Resource.create(resource), shutdown_on_exit=False)
    provider.add_span_processor(Discreet())
    sender = OTLPSpanExporter(endpoint=url, timeout=_EXPORT_S)
    provider.add_span_processor(BatchSpanProcessor(sender))
    trace.set_tracer_provider(provider)
    log.info("traces go to %s", urlsplit(url)._replace(query="", fragment="").geturl())

    def follow() -> dict[str, str]:
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        return carrier

    request_id.accompany(follow)

    def end() -> None:
        request_id.accompany(None)
        # A thread of its own, for the library waits longer than anybody who stops a server.
        closing = threading.Thread(target=provider.shutdown, daemon=True)
        closing.start()
        closing.join(_END_S)

    return end
