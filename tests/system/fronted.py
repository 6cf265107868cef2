# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The product's own platform behind a front end, as Caddy, Traefik, Envoy, nginx and HAProxy are
set up by people who read no further than the first page of their manuals."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.certificates import Authority
from tests.programs.proxies import proxy
from tests.system.servers import OwnPlatform

NAME = "m2m.example"
_READY_S = 30.0
_STOP_S = 5.0
# What presets of security headers send, the policy at its usual length in the field.
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; " + "img-src https://cdn.example; " * 50,
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains; preload",
    "Permissions-Policy": ", ".join(f"feature-{n}=()" for n in range(40)),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class PlainFront(OwnPlatform):
    """The platform that devices find at http://m2m.example, by that very name, on port 80."""

    scheme = "http"

    def __init__(self, directory: Path, address: str, common: list[str]) -> None:
        super().__init__(directory, address, common)
        public = f"{self.scheme}://{NAME}"
        self.profile = {"url": public} | self._trust(directory)
        self.config_options = ["--platform-url", self.url, "--platform-public-url", public]

    def _trust(self, directory: Path) -> dict[str, Any]:
        return {"insecure": True}


class SecureFront(PlainFront):
    """The same at https://m2m.example: TLS ends at the front end."""

    scheme = "https"

    def _trust(self, directory: Path) -> dict[str, Any]:
        authority = Authority()
        now = datetime.now(UTC)
        day = timedelta(days=1)
        self.certificate = authority.issue(directory, NAME, now - day, now + 3 * day)
        return {"ca": authority.pem}


class Front:
    """One front end in a process of its own, from the beginning to the end of its block.

    It passes what is for m2m.example on to `upstream`. With `certificate` (chain and key) it
    speaks TLS, compresses whatever it may, and sends the headers of SECURITY.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        upstream: tuple[str, int],
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self._program = proxy(name)
        folder.mkdir()
        self.address = ("127.0.0.1", _free_port())
        self._log = folder / "log"
        self._folder = folder
        files = certificate or (None, None)
        self._command = _WRITERS[name](folder, self.address, upstream, *files)

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [self._program.path, *self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(self._folder),
                    **self._program.variables,
                },
            )
        deadline = time.monotonic() + _READY_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__(None, None, None)
                raise RuntimeError(f"{self._program.path}: {self._log.read_text()[-2000:]}")
            time.sleep(0.05)
        return self

    def _answers(self) -> bool:
        try:
            socket.create_connection(self.address, 1).close()
        except OSError:
            return False
        return True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_STOP_S)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


Address = tuple[str, int]


def _caddy(
    folder: Path, own: Address, upstream: Address, chain: Path | None, key: Path | None
) -> list[str]:
    headers = "\n".join(f'    {name} "{value}"' for name, value in SECURITY.items())
    more = f"  tls {chain} {key}\n  encode gzip zstd\n  header {{\n{headers}\n  }}\n"
    scheme = "https" if chain else "http"
    (folder / "Caddyfile").write_text(
        "{\n  admin off\n  persist_config off\n}\n"
        f"{scheme}://{NAME}:{own[1]} {{\n  bind {own[0]}\n{more if chain else ''}"
        f"  reverse_proxy {upstream[0]}:{upstream[1]}\n}}\n"
    )
    return ["run", "--config", "Caddyfile", "--adapter", "caddyfile"]


def _traefik(
    folder: Path, own: Address, upstream: Address, chain: Path | None, key: Path | None
) -> list[str]:
    router: dict[str, Any] = {"rule": f"Host(`{NAME}`)", "service": "m2m"}
    servers = [{"url": f"http://{upstream[0]}:{upstream[1]}"}]
    http = {
        "routers": {"m2m": router},
        "services": {"m2m": {"loadBalancer": {"servers": servers}}},
    }
    document: dict[str, Any] = {"http": http}
    if chain:
        router |= {"tls": {}, "middlewares": ["small", "secure"]}
        secure = {"headers": {"customResponseHeaders": SECURITY}}
        http["middlewares"] = {"small": {"compress": {}}, "secure": secure}
        document["tls"] = {"certificates": [{"certFile": str(chain), "keyFile": str(key)}]}
    (folder / "dynamic.yml").write_text(json.dumps(document))  # which is YAML, too
    return [
        f"--entrypoints.web.address={own[0]}:{own[1]}",
        "--providers.file.filename=dynamic.yml",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
    ]


def _envoy(
    folder: Path, own: Address, upstream: Address, chain: Path | None, key: Path | None
) -> list[str]:
    def socket_address(address: Address) -> dict[str, Any]:
        return {"socket_address": {"address": address[0], "port_value": address[1]}}

    def typed(path: str, **values: Any) -> dict[str, Any]:
        return {"@type": f"type.googleapis.com/envoy.extensions.{path}", **values}

    host: dict[str, Any] = {"name": "m2m", "domains": [NAME]}
    host["routes"] = [{"match": {"prefix": "/"}, "route": {"cluster": "m2m"}}]
    filters = [{"name": "router", "typed_config": typed("filters.http.router.v3.Router")}]
    chain_: dict[str, Any] = {}
    if chain:
        host["response_headers_to_add"] = [
            {"header": {"key": name, "value": value}} for name, value in SECURITY.items()
        ]
        gzip = {"name": "gzip", "typed_config": typed("compression.gzip.compressor.v3.Gzip")}
        small = typed("filters.http.compressor.v3.Compressor", compressor_library=gzip)
        filters.insert(0, {"name": "small", "typed_config": small})
        shown = {"certificate_chain": {"filename": str(chain)}}
        shown["private_key"] = {"filename": str(key)}
        context = {"tls_certificates": [shown]}
        tls = typed("transport_sockets.tls.v3.DownstreamTlsContext", common_tls_context=context)
        chain_["transport_socket"] = {"name": "tls", "typed_config": tls}
    manager = typed(
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="m2m",
        route_config={"virtual_hosts": [host]},
        http_filters=filters,
    )
    chain_["filters"] = [{"name": "http", "typed_config": manager}]
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": socket_address(upstream)}}]}]
    cluster = {"name": "m2m", "connect_timeout": "2s", "type": "STATIC"}
    cluster["load_assignment"] = {"cluster_name": "m2m", "endpoints": endpoints}  # type: ignore[assignment]
    listener = {"name": "m2m", "address": socket_address(own), "filter_chains": [chain_]}
    static = {"listeners": [listener], "clusters": [cluster]}
    (folder / "envoy.json").write_text(json.dumps({"static_resources": static}))
    return ["-c", "envoy.json", "--use-dynamic-base-id", "--concurrency", "1", "-l", "warning"]


def _nginx(
    folder: Path, own: Address, upstream: Address, chain: Path | None, key: Path | None
) -> list[str]:
    headers = "".join(f'add_header {name} "{value}" always;' for name, value in SECURITY.items())
    secure = f"ssl_certificate {chain}; ssl_certificate_key {key}; gzip on; gzip_types *;{headers}"
    temporary = "".join(
        f"{what}_temp_path {folder}/{what};"
        for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    listen = f"listen {own[0]}:{own[1]}{' ssl' if chain else ''}"
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {temporary}\n"
        f"server {{ {listen} default_server; {secure if chain else ''} return 404; }}\n"
        f"server {{ {listen}; server_name {NAME}; {secure if chain else ''}\n"
        f"location / {{ proxy_pass http://{upstream[0]}:{upstream[1]}; }} }} }}\n"
    )
    return ["-e", "stderr", "-p", str(folder), "-c", "nginx.conf"]


def _haproxy(
    folder: Path, own: Address, upstream: Address, chain: Path | None, key: Path | None
) -> list[str]:
    bind, more = f"bind {own[0]}:{own[1]}", ""
    if chain and key:
        (folder / "both.pem").write_bytes(chain.read_bytes() + key.read_bytes())
        bind += f" ssl crt {folder}/both.pem"
        more = "  compression algo gzip\n  compression type application/json\n" + "".join(
            f'  http-response set-header {name} "{value}"\n' for name, value in SECURITY.items()
        )
    (folder / "haproxy.cfg").write_text(
        "defaults\n  mode http\n"
        "  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n"
        f"frontend front\n  {bind}\n{more}"
        f"  http-request deny deny_status 404 unless {{ hdr(host) -m str {NAME} }}\n"
        "  default_backend m2m\n"
        f"backend m2m\n  server m2m {upstream[0]}:{upstream[1]}\n"
    )
    return ["-db", "-f", "haproxy.cfg"]


_WRITERS: dict[str, Callable[..., list[str]]] = {
    "caddy": _caddy,
    "traefik": _traefik,
    "envoy": _envoy,
    "nginx": _nginx,
    "haproxy": _haproxy,
}
