# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does OpenTelemetry's collector get, and does a dead one harm anybody?"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from muster_server import tracing
from muster_server.errors import SettingsError
from muster_server.label import new_label
from tests.host_server.config_server.field import PROFILE
from tests.host_server.processes import ANY_PORT, QUIET, start

_TOKEN = "the-administrators-token-of-these-tests"
_COME_S = 20
_NOBODY = "http://127.0.0.1:9"


class Collector:
    """Keeps the spans that are sent to a collector, read by its published protocol."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.names: set[str] = set()
        self.raw = b""
        ours = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sent = ExportTraceServiceRequest.FromString(body)
                ours.raw += body
                for resource in sent.resource_spans:
                    facts = resource.resource.attributes
                    ours.names |= {f.value.string_value for f in facts if f.key == "service.name"}
                    for scope in resource.scope_spans:
                        ours.spans += scope.spans
                self.send_response(200 if self.path == "/v1/traces" else 404)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self) -> "Collector":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self._thread.join(_COME_S)
        self.server.server_close()


def facts(span: Span) -> dict[str, str]:
    return {fact.key: fact.value.string_value for fact in span.attributes}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as running:
        yield running


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.touch(0o600)
    file.write_text(_TOKEN)
    return file


def test_request_is_one_trace_through_the_servers_and_tells_no_id(
    collector: Collector, tmp_path: Path, token: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = (
        *(
            "env",
            f"OTEL_EXPORTER_OTLP_ENDPOINT={collector.url}",
            "FASTAPI_OTEL_AUTO_CONFIGURE=true",
        ),
        *("OTEL_BSP_SCHEDULE_DELAY=100", "python", "-m", "muster_server"),
    )
    bin_dir = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", f"{bin_dir}{os.pathsep}{os.environ['PATH']}")
    apart = (*QUIET, "--admin-token-file", str(token), "--log-format", "json")
    config = start(
        tmp_path / "config", *("--role", "config", "--role", "platform"),
        *("--config-listen", "127.0.0.1:0", "--platform-listen", "127.0.0.1:0"), *apart,
        ready=2, command=command,
    )  # fmt: skip
    shared = (tmp_path / "config" / "config-token").read_text()
    (tmp_path / "portal").mkdir(0o700)
    (tmp_path / "portal" / "config-token").touch(0o600)
    (tmp_path / "portal" / "config-token").write_text(shared)
    portal = start(
        tmp_path / "portal", "--role", "portal", "--portal-listen", "127.0.0.1:0",
        *("--config-url", config.urls["config"]), *apart, ready=1, command=command,
    )  # fmt: skip
    label = new_label()
    try:
        headers = {"Authorization": f"Bearer {_TOKEN}"}
        url = portal.urls["portal"] + "/v1/devices"
        platform = PROFILE["platform"] | {"url": config.urls["platform"]}
        profile = PROFILE | {"platform": platform}
        where = portal.urls["portal"] + "/v1/profiles"
        assert requests.post(where, json=profile, headers=headers, timeout=10).ok
        body = {"label": label.qr_text, "profile": "press", "name": "Press of Anna"}
        assert requests.post(url, json=body, headers=headers, timeout=10).ok
        assert requests.get(f"{url}/{label.device_id}", headers=headers, timeout=10).ok
        requests.get(f"{url}?q=hidden-in-a-query", headers=headers, timeout=10)
        wanted = "GET /v1/devices/{device_id}"
        deadline = time.monotonic() + _COME_S
        while time.monotonic() < deadline:
            found = [span for span in collector.spans if span.name == wanted]
            if len({span.span_id for span in found}) >= 2:
                break
            time.sleep(0.05)
    finally:
        ends = [portal.stop(), config.stop()]
    assert [code for code, _, _ in ends] == [0, 0]
    assert "Traceback" not in "".join(err for _, _, err in ends)
    shown = [span for span in collector.spans if span.name == wanted]
    # The portal's span is the parent of the configuration server's: one trace, two servers.
    assert len({span.trace_id for span in shown}) == 1
    ids = {span.span_id for span in collector.spans}
    assert any(span.parent_span_id in ids for span in shown)
    assert len({facts(span)["muster.request"] for span in shown}) == 1
    assert {facts(span)["url.path"] for span in shown} == {"-"}
    assert collector.names == {"muster"}
    hidden = (label.device_id, label.qr_text[-36:], "hidden-in-a-query", "Anna", _TOKEN)
    assert not [text for text in hidden if text.encode() in collector.raw]


def test_collector_that_is_dead_costs_a_stop_two_seconds_at_most(
    tmp_path: Path, token: Path
) -> None:
    command = ("env", f"OTEL_EXPORTER_OTLP_ENDPOINT={_NOBODY}", sys.executable, "-m")
    servers = start(
        tmp_path / "data", *ANY_PORT, *QUIET, "--platform-listen", "127.0.0.1:0",
        *("--admin-token-file", str(token)), command=(*command, "muster_server"),
    )  # fmt: skip
    headers = {"Authorization": f"Bearer {_TOKEN}"}
    try:
        for _ in range(20):
            url = servers.urls["portal"] + "/v1/devices"
            assert requests.get(url, headers=headers, timeout=10).ok
    finally:
        code, _, err = servers.stop()
    assert code == 0
    assert "Traceback" not in err and _TOKEN not in err


def test_address_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(SettingsError, match="OTEL_EXPORTER_OTLP_ENDPOINT"):
        tracing.begin({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"})


@pytest.mark.parametrize(
    "environ", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": _NOBODY, "OTEL_SDK_DISABLED": "true"}]
)
def test_without_a_collector_nothing_begins(environ: dict[str, str]) -> None:
    tracing.begin(environ)()
