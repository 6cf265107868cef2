# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Runs one role or several in one process, each with its own port, database and app.

Roles call each other here without leaving the process. What a role does not need is not imported.
"""

import asyncio
import contextlib
import errno
import gc
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

import uvicorn

from muster_server import tracing
from muster_server.direct import DirectApp
from muster_server.direct_protocol import DirectConfig, DirectProtocol
from muster_server.errors import HostError, SettingsError
from muster_server.escaping import EscapingFormatter
from muster_server.json_log import JsonFormatter
from muster_server.private_files import check_place, named, read_private, write_once
from muster_server.roles import BUILDERS, Parts, Role, meter
from muster_server.settings import Address, Settings
from muster_server.tokens import (
    checked,
    matches,
    new_token,
    token_hash,
)

log = logging.getLogger(__name__)

_GRACE_S = 1
_BACKLOG = 128
_COLLECTED_AFTER = (20_000, 10, 20)  # objects, and rounds of the younger generation
# How long a renewed certificate may lie there before handshakes show it.
_LOOK_S = 5.0
_LISTEN_HINTS = {
    errno.EADDRINUSE: "; is it running already?",
    errno.EADDRNOTAVAIL: "; this machine does not have that address",
    errno.EACCES: "; ports below 1024 are for root",
}


def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; 0 if all went well. SettingsError if it cannot start."""
    _open_log(settings.log_format)
    for chatty in ("uvicorn", "alembic", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    os.umask(0o077)
    _warn(settings)
    if sys.stderr.isatty():
        print(f"starting {', '.join(settings.roles)} …", file=sys.stderr, flush=True)
    _open_data_dir(settings.data_dir)
    if "portal" in settings.roles:
        _keep_administrator(settings)
    parts = Parts(settings)
    with parts.closers:
        _listen(parts)
        _say_who_cannot_come(settings)
        if settings.workers > 1:
            from muster_server.workers import Supervisor

            return Supervisor(settings.workers, lambda *about: _work(parts, *about)).run()
        try:
            return asyncio.run(_run(_built(parts, settings.roles)))
        finally:
            parts.end_lane()


def _built(parts: Parts, names: tuple[str, ...]) -> list[Role]:
    parts.closers.callback(tracing.begin(os.environ))
    roles = [build(parts) for name, build in BUILDERS.items() if name in names]
    if parts.settings.operations_listen is not None or parts.settings.log_format == "json":
        meter(parts, roles)
    return roles


def _work(parts: Parts, number: int, life: int, ready: Callable[[], None]) -> int:
    """Be a worker. All have all roles; the first one advertises them, and tells what is ready."""
    if number:
        parts.listeners["operations"] = parts.listeners.pop(f"operations-{number}", [])
    try:
        with parts.closers:
            parts.is_first = number == 0
            roles = _built(parts, parts.settings.roles)
            for role in roles if number else ():
                role.advertisement = None
            return asyncio.run(_run(roles, is_told=number == 0, life=life, ready=ready))
    except HostError as error:
        print(f"muster: {error}", file=sys.stderr, flush=True)
        return 1


def _open_log(form: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    text = EscapingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonFormatter() if form == "json" else text)
    logging.basicConfig(handlers=[handler], level=logging.INFO)


def _warn(settings: Settings) -> None:
    if settings.insecure and "portal" in settings.roles and settings.portal_certificate is None:
        log.warning(
            "--insecure: whoever can listen on the portal's network reads the access token and "
            "the labels that are typed, and can register, open and release devices"
        )


def _say_who_cannot_come(settings: Settings) -> None:
    listens = (*settings.config_listens, settings.platform_listen)
    urls = (settings.config_public_url, settings.platform_public_url)
    if "config" in settings.roles and not any(urls) and all(
        ip_address(listen.host).is_loopback for listen in listens
    ):  # fmt: skip
        log.info(
            "no board can reach these servers: they listen on this machine alone; `muster init` "
            "asks for the network of the boards, or give --config-listen and --platform-listen"
        )


def _open_data_dir(path: Path) -> None:
    with named("--data", path), _hinted(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_mode & 0o077:
            if any(path.iterdir()):
                raise SettingsError(f"--data: others can read {path}; try: chmod 700 {path}")
            path.chmod(0o700)
        check_place(path / "writable")


@contextlib.contextmanager
def _hinted(path: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise SettingsError(
            f"--data: {error.strerror}: this user may not write to {path}; name another folder, "
            "or start as its owner"
        ) from None


def _keep_administrator(settings: Settings) -> None:
    """Keep the hash of the administrator's token; at the first start it is made and told once.

    Roles may start on one data directory at the same time, and be killed at any moment: whatever
    is found first counts, and a hash is kept only when its token has been told or written.
    """
    kept = settings.data_dir / "admin-token.sha256"
    file = settings.admin_token_file
    if file is None:
        _tell_token(kept)
        return
    with named("--admin-token-file", file):
        if not kept.exists():
            write_once(file, new_token())
        token = checked(read_private(file), "--admin-token-file") if file.exists() else None
    if token is not None:
        write_once(kept, token_hash(token))
        if not matches(token, read_private(kept)):
            raise SettingsError(
                f"--admin-token-file: {file} is not the administrator's token of "
                f"{settings.data_dir}; to make it so, remove {kept}"
            )
    elif not kept.exists():
        raise SettingsError(f"--admin-token-file: {file} has gone while this started; try again")


def _tell_token(kept: Path) -> None:
    token = new_token()
    if not kept.exists() and write_once(kept, token_hash(token)):
        print(f"administrator's token, shown this once: {token}", flush=True)


def _listen(parts: Parts) -> None:
    settings = parts.settings
    wanted: dict[str, tuple[Address, ...]] = {
        "portal": (settings.portal_listen,),
        "config": settings.config_listens,
        "config-tls": settings.config_tls_listens,
        "platform": (settings.platform_listen,),
    }
    used = {name: own for name, own in wanted.items() if name.partition("-")[0] in settings.roles}
    if settings.operations_listen is not None:
        used |= _operations(settings.operations_listen, settings.workers)
    for name, addresses in used.items():
        parts.listeners[name] = [
            parts.closers.enter_context(bound(address, name)) for address in addresses
        ]


def _operations(first: Address, workers: int) -> dict[str, tuple[Address, ...]]:
    """Each process tells its own figures, at the ports that follow the first one's."""
    places: dict[str, tuple[Address, ...]] = {"operations": (first,)}
    for number in range(1, workers):
        port = first.port + number if first.port else 0
        places[f"operations-{number}"] = (Address(first.host, port),)
    return places


def bound(address: Address, role: str) -> socket.socket:
    """A socket that listens there already; SettingsError if it cannot."""
    # With the protocol by its name: only then asyncio switches Nagle's algorithm off, which holds
    # back every second answer on a kept connection until the client's delayed ACK, 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.host, address.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        hint = _LISTEN_HINTS.get(error.errno or 0, "")
        raise SettingsError(
            f"--{role}-listen: cannot listen on {address.host}:{address.port} ({error.strerror})"
            f"{hint}"
        ) from None
    return listener


class Server(uvicorn.Server):
    """A uvicorn server that leaves signals to us: there are several in one loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def uvicorn_servers(role: Role) -> list[tuple[Server, list[socket.socket]]]:
    """Servers for this role's app, each with the sockets to serve it on: plain ones, then TLS."""
    tls = None if role.tls is None else role.tls.context
    kinds = [(None, role.sockets), (tls, role.tls_sockets)]
    used = [(context, sockets) for context, sockets in kinds if sockets]
    return [
        # One app, started and ended once however many servers it has.
        (_server(role, context, "off" if n else "on"), sockets)
        for n, (context, sockets) in enumerate(used)
    ]


def _server(role: Role, tls: ssl.SSLContext | None, lifespan: Literal["on", "off"]) -> Server:
    config = DirectConfig(
        role.metered or role.app,
        lifespan=lifespan,
        loop="asyncio",
        http=DirectProtocol,
        ws="none",
        log_config=None,
        access_log=False,  # addresses hold device ids, and a careless client's secrets
        server_header=False,  # every byte of a header is sent over a device's radio
        date_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        # A client that says for whom it asks is believed if the settings name it, and only then.
        forwarded_allow_ips=list(role.trusted_proxies),
        ssl_context_factory=(lambda config, default: tls) if tls else None,
    )
    # Who a proxy speaks for, the middleware finds out that is on the other way.
    if isinstance(role.app, DirectApp) and not role.trusted_proxies:
        config.direct, config.metered = role.app, role.metered
    return Server(config)


def _end_streams(role: Role) -> None:
    stopping = getattr(role.app.state, "stopping", None)
    if stopping is not None:
        stopping.set()


async def _renew(roles: list[Role]) -> None:
    """Look at the certificates' files every few seconds."""
    renewables = [role.tls for role in roles if role.tls is not None]
    while renewables:
        await asyncio.sleep(_LOOK_S)
        for renewable in renewables:
            await asyncio.to_thread(renewable.look)


def look_for_garbage_seldom() -> None:
    """Look for garbage less often than Python: requests leave hardly any in circles. After its 700
    objects a herd had a third of the time go into that: what is kept of a device counts as new.
    """
    gc.set_threshold(*_COLLECTED_AFTER)


async def _run(
    roles: list[Role],
    *,
    is_told: bool = True,
    life: int | None = None,
    ready: Callable[[], None] = lambda: None,
) -> int:
    """Serve until a signal, or until `life` can be read: its other end has been closed."""
    # What the start has made, some 100,000 objects, stays. A collection of old objects that goes
    # through it stops everybody for 50 to 200 ms, in which forty readings wait.
    gc.freeze()
    look_for_garbage_seldom()
    servers = {role.name: uvicorn_servers(role) for role in roles}
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if life is not None:
        loop.add_reader(life, stopping.set)
    running = {
        server: asyncio.create_task(server.serve(sockets=sockets))
        for own in servers.values()
        for server, sockets in own
    }
    waiting = asyncio.create_task(stopping.wait())
    renewing = asyncio.create_task(_renew(roles))
    doors = [role.door for role in roles if role.door is not None]
    for door in doors:
        door.open(loop)
    try:
        for role in roles:
            own = [server for server, _ in servers[role.name]]
            for server in own:
                while not server.started and not running[server].done() and not stopping.is_set():
                    await asyncio.sleep(0.005)
            if all(server.started for server in own):
                if role.advertisement is not None:
                    await role.advertisement.start()
                if is_told:
                    print(f"{role.name} ready {' '.join(role.urls)}", flush=True)
        # What there is by now stays as long as the process: no collection looks at it again.
        gc.collect()
        gc.freeze()
        if all(server.started for server in running):
            ready()
        await asyncio.wait({waiting, *running.values()}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for server in running:
            server.should_exit = True
        waiting.cancel()
        renewing.cancel()
        for role in roles:
            _end_streams(role)
            if role.advertisement is not None:
                await role.advertisement.stop()
        ends = await asyncio.gather(*running.values(), return_exceptions=True)
        for door in doors:
            door.close()
    for end in ends:
        if isinstance(end, Exception):
            logging.getLogger(__name__).error("a server ended with an error", exc_info=end)
    return 0 if stopping.is_set() else 1
