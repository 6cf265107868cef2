# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Runs one role or several in one process, each with its own port, database and app.

Roles talk to each other over HTTP here too. What a role does not need is not imported.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from host_server.errors import SettingsError
from host_server.settings import Address, Settings, service_url
from host_server.tokens import (
    checked,
    matches,
    new_token,
    read_private,
    service_token,
    token_hash,
    write_once,
)

_GRACE_S = 1
_BACKLOG = 128


@dataclass
class Role:
    """A server that is about to run."""

    name: str
    app: Any
    sockets: list[socket.socket]
    advertisement: Any = None

    @property
    def urls(self) -> list[str]:
        """Where it listens."""
        return [_address_of(listener).url for listener in self.sockets]


@dataclass
class _Parts:
    """What the roles of one process share: files, tokens and listening sockets."""

    settings: Settings
    admin_hash: str
    closers: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    listeners: dict[str, list[socket.socket]] = field(default_factory=dict)

    def token(self, role: str) -> str:
        """The token with which other servers come to this role."""
        given = getattr(self.settings, f"{role}_token")
        if given is not None:
            return checked(given, f"MUSTER_{role.upper()}_TOKEN")
        return service_token(self.settings.data_dir / f"{role}-token")

    def accepted(self, role: str) -> Callable[[], frozenset[str]]:
        """Who may come to this role: the administrator, and the server before it if any is."""
        hashes = frozenset({self.admin_hash})
        if role != "portal":
            hashes |= {token_hash(self.token(role))}
        return lambda: hashes

    def url_of(self, role: str, listen: Address) -> str:
        """Where this role listens, with the port that the system chose."""
        sockets = self.listeners.get(role)
        return _address_of(sockets[0]).url if sockets else listen.url

    def public_url(self, role: str, option: str, given: str | None, listen: Address) -> str:
        """Where devices find this role."""
        if given is not None:
            return given
        if listen.host == "0.0.0.0":  # noqa: S104 - a comparison
            raise SettingsError(
                f"{option}: needed, for a server on 0.0.0.0 does not know under which address "
                "devices find it"
            )
        return self.url_of(role, listen)


def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; 0 if all went well."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    for chatty in ("uvicorn", "alembic", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    os.umask(0o077)
    _open_data_dir(settings.data_dir)
    parts = _Parts(settings, _administrator(settings))
    with parts.closers:
        _listen(parts)
        roles = [
            _BUILDERS[name](parts)
            for name in ("platform", "config", "portal")
            if name in settings.roles
        ]
        return asyncio.run(_run(roles))


def _open_data_dir(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o077:
        if any(path.iterdir()):
            raise SettingsError(f"--data: others can read {path}; try: chmod 700 {path}")
        path.chmod(0o700)


def _administrator(settings: Settings) -> str:
    """The hash of the administrator's token; at the first start it is made and told once."""
    kept = settings.data_dir / "admin-token.sha256"
    file = settings.admin_token_file
    given = read_private(file) if file is not None and file.exists() else None
    token = new_token() if given is None else checked(given, "--admin-token-file")
    is_first = not kept.exists() and write_once(kept, token_hash(token))
    admin_hash = read_private(kept)
    if is_first and file is not None:
        write_once(file, token)
    elif is_first:
        print(f"administrator's token, shown this once: {token}", flush=True)
    elif given is not None and not matches(given, admin_hash):
        raise SettingsError(
            f"--admin-token-file: {file} is not the administrator's token of "
            f"{settings.data_dir}; to make a new one, remove {kept}"
        )
    return admin_hash


def _listen(parts: _Parts) -> None:
    settings = parts.settings
    wanted = {
        "portal": (settings.portal_listen,),
        "config": settings.config_listens,
        "platform": (settings.platform_listen,),
    }
    for role in settings.roles:
        parts.listeners[role] = [
            parts.closers.enter_context(bound(address, role)) for address in wanted[role]
        ]


def bound(address: Address, role: str) -> socket.socket:
    """A socket that listens there already; SettingsError if it cannot."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.host, address.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"--{role}-listen: cannot listen on {address.host}:{address.port} ({error.strerror}); "
            "is it running already?"
        ) from None
    return listener


def _address_of(listener: socket.socket) -> Address:
    host, port = listener.getsockname()[:2]
    return Address(host, port)


# The imports below are late: a role alone starts without what the others need.


def _portal(parts: _Parts) -> Role:
    from host_server.portal.app import create_app
    from host_server.portal.service import Portal

    settings = parts.settings
    url = settings.config_url or parts.url_of("config", settings.config_listens[0])
    portal = Portal(str(service_url(url, "--config-url")), parts.token("config"), settings.ca_file)
    return Role("portal", create_app(portal, parts.accepted("portal")), parts.listeners["portal"])


def _config(parts: _Parts) -> Role:
    from host_server.config_server.app import create_app
    from host_server.config_server.platform_adapter import PlatformChoice
    from host_server.store.config_tables import HEAD
    from host_server.store.secrets import SecretBox, load_key

    settings = parts.settings
    platform_url = parts.public_url(
        "platform", "--platform-public-url", settings.platform_public_url, settings.platform_listen
    )
    own_url = settings.platform_url or (
        parts.url_of("platform", settings.platform_listen)
        if "platform" in settings.roles
        else platform_url
    )
    choice = PlatformChoice(
        platform_url,
        str(service_url(own_url, "--platform-url")),
        parts.token("platform"),
        settings.ca_file,
    )
    app = create_app(
        _database(parts, "config", "host_server.config_server", HEAD),
        SecretBox(load_key(settings.data_dir / "secret.key", settings.secret_key)),
        accepted_hashes=parts.accepted("config"),
        adapter_for=choice.adapter_for,
        has_accounts=choice.has_accounts,
        public_url=parts.public_url(
            "config",
            "--config-public-url",
            settings.config_public_url,
            settings.config_listens[0],
        ),
    )
    role = Role("config", app, parts.listeners["config"])
    if settings.advertises:
        from host_server.config_server.advertisement import Advertisement

        addresses = [_address_of(listener) for listener in role.sockets]
        role.advertisement = Advertisement([(a.host, a.port) for a in addresses])
    return role


def _platform(parts: _Parts) -> Role:
    from host_server.platform_server.app import create_app
    from host_server.store.platform import HEAD, PlatformStore

    engine = _database(parts, "platform", "host_server.platform_server", HEAD)
    app = create_app(PlatformStore(engine), parts.accepted("platform"))
    return Role("platform", app, parts.listeners["platform"])


_BUILDERS = {"portal": _portal, "config": _config, "platform": _platform}


def _database(parts: _Parts, role: str, package: str, head: str) -> Any:
    from host_server.store.engine import database_url, open_engine
    from host_server.store.migrations import migrate

    engine = open_engine(database_url(parts.settings.data_dir, role))
    parts.closers.callback(engine.dispose)
    migrate(engine, package, head)
    return engine


class Server(uvicorn.Server):
    """A uvicorn server that leaves signals to us: there are several in one loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def uvicorn_server(role: Role) -> Server:
    """A server for this role's app; give its `serve` the role's sockets."""
    config = uvicorn.Config(
        role.app,
        lifespan="on",
        loop="asyncio",
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,  # addresses hold device ids, and a careless client's secrets
        server_header=False,  # every byte of a header is sent over a device's radio
        date_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    return Server(config)


async def _run(roles: list[Role]) -> int:
    servers = [uvicorn_server(role) for role in roles]
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    running = [
        asyncio.create_task(server.serve(sockets=role.sockets))
        for server, role in zip(servers, roles, strict=True)
    ]
    waiting = asyncio.create_task(stopping.wait())
    try:
        for server, role, task in zip(servers, roles, running, strict=True):
            while not server.started and not task.done() and not stopping.is_set():
                await asyncio.sleep(0.005)
            if server.started:
                if role.advertisement is not None:
                    await role.advertisement.start()
                print(f"{role.name} ready {' '.join(role.urls)}", flush=True)
        await asyncio.wait({waiting, *running}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for server in servers:
            server.should_exit = True
        waiting.cancel()
        for role in roles:
            if role.advertisement is not None:
                await role.advertisement.stop()
        ends = await asyncio.gather(*running, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception):
            logging.getLogger(__name__).error("a server ended with an error", exc_info=end)
    return 0 if stopping.is_set() else 1
