# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Builds the roles: each its own app and database, from settings and listening sockets.

What a role does not need is not imported, so that a role alone starts quickly.
"""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from muster_server.errors import SettingsError
from muster_server.kept_tokens import AdministratorToken, ServiceToken
from muster_server.private_files import write_private
from muster_server.settings import Address, Settings, service_url
from muster_server.tokens import TokenSource, checked, token_hash

if TYPE_CHECKING:
    from muster_server.certificate_renewal import Renewable
    from muster_server.config_server.profiles import ProfileService
    from muster_server.expiry_clock import ExpiryClock
    from muster_server.in_process import Door
    from muster_server.lane import Lane


@dataclass
class Role:
    """A server that is about to run."""

    name: str
    app: Any
    sockets: list[socket.socket]
    tls_sockets: list[socket.socket] = field(default_factory=list)
    tls: "Renewable | None" = None  # of those
    trusted_proxies: tuple[str, ...] = ()  # addresses and networks whose X-Forwarded-For counts
    advertisement: Any = None
    door: "Door | None" = None  # for other roles of this process
    metered: Any = None  # the app, if its requests are counted

    @property
    def urls(self) -> list[str]:
        """The URLs at which the server listens."""
        plain = [address_of(listener).url for listener in self.sockets]
        return plain + [address_of(listener).url_as("https") for listener in self.tls_sockets]


@dataclass
class Parts:
    """The parts that the roles of one process share: files, tokens and listening sockets."""

    settings: Settings
    closers: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    listeners: dict[str, list[socket.socket]] = field(default_factory=dict)
    doors: dict[str, "Door"] = field(default_factory=dict)
    is_first: bool = True  # of the processes: it does what one alone shall do

    @cached_property
    def expiry(self) -> "ExpiryClock":
        """The clock by which things expire, one for all roles of this process."""
        from muster_server.expiry_clock import ExpiryClock

        return ExpiryClock(self.settings.data_dir / "believed-time")

    @cached_property
    def lane(self) -> "Lane | None":
        """The lane of this process; None where each transaction waits for another server, as with
        PostgreSQL, so that threads are worth their price.
        """
        from muster_server.lane import Lane

        if self.settings.store is not None:
            return None
        return Lane()

    def end_lane(self) -> None:
        """End the lane, when all that has come there is done; before the databases are closed."""
        if "lane" in self.__dict__ and self.lane is not None:
            self.lane.close()

    def token(self, role: str) -> TokenSource:
        """The token with which other servers come to this role."""
        given = self._given_token(role)
        if given is not None:
            return given
        kept = self._kept(role)
        kept.current()  # now, while somebody sees what is wrong with the file
        return kept.current

    def accepted(self, role: str) -> Callable[[], frozenset[str]]:
        """Return a function that gives the hashes of the tokens that open this role's door.

        The portal's is the administrator's, and opens no other: another door is opened by the
        token of the server that comes there.
        """
        if role == "portal":
            return AdministratorToken(self.settings.data_dir).accepted
        given = self._given_token(role)
        if given is None:
            kept = self._kept(role)
            kept.accepted()
            return kept.accepted
        hashes = frozenset({token_hash(given)})
        return lambda: hashes

    def _given_token(self, role: str) -> str | None:
        given = getattr(self.settings, f"{role}_token")
        return None if given is None else checked(given, f"MUSTER_{role.upper()}_TOKEN")

    def _kept(self, role: str) -> ServiceToken:
        return ServiceToken(self.settings.data_dir, role)

    def url_of(self, role: str, listen: Address) -> str:
        """Return the URL at which this role listens first, with the port that the system chose."""
        sockets = self.listeners.get(role)
        return self._url(role, address_of(sockets[0]) if sockets else listen)

    def service_url_of(self, role: str, option: str, given: str | None, listen: Address) -> str:
        """Return the URL at which another role of this process finds this one.

        What listens in this process is reached without leaving the machine, whatever its address.
        Raises SettingsError if a token would travel there in the clear.
        """
        sockets = self.listeners.get(role)
        if given is not None or not sockets:
            return str(service_url(given or self._url(role, listen), option))
        addresses = [address_of(listener) for listener in sockets]
        inside = [address for address in addresses if address.is_loopback]
        return self._url(role, (inside or addresses)[0])

    def _url(self, role: str, address: Address) -> str:
        # A configuration server speaks TLS on addresses of their own only.
        is_secure = role != "config" and getattr(self.settings, f"{role}_certificate")
        return address.url_as("https" if is_secure else "http")

    def role(self, name: str, app: Any) -> Role:
        """The role on its sockets, with TLS where it has a certificate."""
        made = self._role(name, app)
        from muster_server.in_process import Door

        made.door = self.doors[name] = Door(app, name)
        return made

    def _role(self, name: str, app: Any) -> Role:
        sockets, tls_sockets = self.listeners[name], self.listeners.get(f"{name}-tls", [])
        certificate = getattr(self.settings, f"{name}_certificate")
        proxies = self.settings.trusted_proxies
        if certificate is None:
            return Role(name, app, sockets, trusted_proxies=proxies)
        from muster_server.certificate_renewal import Renewable

        tls = Renewable(name, certificate)
        if name == "config":
            return Role(name, app, sockets, tls_sockets, tls, proxies)
        return Role(name, app, [], sockets, tls, proxies)

    def public_url(self, role: str, option: str, given: str | None, listen: Address) -> str:
        """Return the URL at which devices find this role.

        Raises SettingsError if none is given and the server listens at 0.0.0.0.
        """
        if given is not None:
            return given
        if listen.host == "0.0.0.0":  # noqa: S104 - a comparison
            raise SettingsError(
                f"{option}: needed, for a server on 0.0.0.0 does not know under which address "
                "devices find it"
            )
        return self.url_of(role, listen)


def address_of(listener: socket.socket) -> Address:
    host, port = listener.getsockname()[:2]
    return Address(host, port)


# The imports below are late: a role alone starts without what the others need.


def _portal(parts: Parts) -> Role:
    from muster_server.outgoing import Rules
    from muster_server.portal.app import create_app
    from muster_server.portal.firmware_kit import read_kit
    from muster_server.portal.people import People
    from muster_server.portal.service import Portal
    from muster_server.store.people import PeopleStore
    from muster_server.store.portal_tables import HEAD
    from muster_server.store.second_factors import check_portal_key

    settings = parts.settings
    kit = read_kit(settings.firmware_dir)
    url = parts.service_url_of(
        "config", "--config-url", settings.config_url, settings.config_listens[0]
    )
    inside = parts.doors.get("config") if settings.config_url is None else None
    portal = Portal(url, parts.token("config"), settings.ca_file, inside=inside)
    engine, box = _database(parts, "portal", "muster_server.portal", HEAD), _box(parts)
    check_portal_key(engine, box)
    people = People(PeopleStore(engine, box))
    told = Rules(settings.notify_networks, settings.ca_file)
    accepted, is_telling = parts.accepted("portal"), parts.is_first
    about = (portal, accepted, people, told, kit)
    app = create_app(*about, is_telling=is_telling, lane=parts.lane)
    role = parts.role("portal", app)
    if parts.is_first:
        _tell_first_link(settings, role.urls[0], people.first_invitation())
    return role


def _tell_first_link(settings: Settings, url: str, code: str | None) -> None:
    """Say how the first administrator comes in, as long as there is none. Where the operator keeps
    the token in a file, the link is kept in one, too: a log has neither.
    """
    file = settings.data_dir / "first-administrator-link"
    if code is None:
        file.unlink(missing_ok=True)
        return
    link = f"{url}/join#{code}"  # the fragment stays in the browser
    if settings.admin_token_file is None:
        print(f"first administrator, by this link: {link}", flush=True)
        return
    write_private(file, link.encode() + b"\n")
    print(f"first administrator, by the link in {file}", flush=True)


def _config(parts: Parts) -> Role:
    from muster_server.config_server.app import create_app
    from muster_server.config_server.object_places import Places
    from muster_server.config_server.other_platforms import read_platforms
    from muster_server.config_server.platform_adapter import PlatformChoice
    from muster_server.service_client import Remote
    from muster_server.store.config_tables import HEAD

    settings = parts.settings
    platform_url = parts.public_url(
        "platform", "--platform-public-url", settings.platform_public_url, settings.platform_listen
    )
    given = settings.platform_url
    if given is None and "platform" not in settings.roles:
        given = platform_url
    own_url = parts.service_url_of("platform", "--platform-url", given, settings.platform_listen)
    inside = parts.doors.get("platform") if given is None else None
    choice = PlatformChoice(
        platform_url, own_url, parts.token("platform"), settings.ca_file, inside=inside
    )
    others = read_platforms(settings.platforms_file)
    service = inside or Remote(own_url, settings.ca_file)
    app = create_app(
        _database(parts, "config", "muster_server.config_server", HEAD),
        _box(parts),
        accepted_hashes=parts.accepted("config"),
        expiry=parts.expiry,
        platforms=choice,
        object_places=Places(choice.has_accounts, service, parts.token("platform"), others),
        limits=_limits(settings),
        public_url=parts.public_url(
            "config",
            "--config-public-url",
            settings.config_public_url,
            settings.config_listens[0],
        ),
        lane=parts.lane,
    )
    role = parts.role("config", app)
    if settings.advertises:
        from muster_server.config_server.advertisement import Advertisement

        addresses = [address_of(listener) for listener in role.sockets]
        role.advertisement = Advertisement([(a.host, a.port) for a in addresses])
    return role


def _limits(settings: Settings) -> Any:
    from muster_server.config_server.limits import Limits, Rate

    given = settings.limits.items()
    return Limits(**{n: Rate(*v) if isinstance(v, tuple) else v for n, v in given})  # type: ignore[arg-type]


def _box(parts: Parts) -> Any:
    """Return the box for secrets at rest. At the first start its key is made, and named."""
    from muster_server.store.key_file import FileBox
    from muster_server.store.secrets import KEY_VARIABLE, SecretBox, decoded_keys, make_key_file

    given = parts.settings.secret_key
    if given is not None:
        return SecretBox(*decoded_keys(given, KEY_VARIABLE))
    file = parts.settings.data_dir / "secret.key"
    is_new = make_key_file(file)
    box = FileBox(file)
    if is_new:
        print(
            f"sealing key {box.key_id} made: {file}; keep a copy of it apart from the backups of "
            "the database, for without it nobody can read them, and beside it everybody can",
            flush=True,
        )
    return box


@contextlib.contextmanager
def profile_service(settings: Settings) -> Iterator["ProfileService"]:
    """Open the profiles of a data folder whose servers do not run yet."""
    from muster_server.config_server.profiles import ProfileService
    from muster_server.store.config import ConfigStore
    from muster_server.store.config_tables import HEAD

    parts = Parts(settings)
    with parts.closers:
        engine = _database(parts, "config", "muster_server.config_server", HEAD)
        store = ConfigStore(engine, _box(parts))
        store.check_key()
        home_url = settings.platform_public_url if "platform" in settings.roles else None
        yield ProfileService(
            store,
            lambda url: url == home_url,
            str(settings.config_public_url),
            time.time,
        )


def _platform(parts: Parts) -> Role:
    from muster_server.outgoing import Rules
    from muster_server.platform_server.addressing import CSE
    from muster_server.platform_server.app import create_app
    from muster_server.store.platform import HEAD, PlatformStore

    engine = _database(parts, "platform", "muster_server.platform_server", HEAD)
    public_url = parts.settings.platform_public_url or ""
    cse = CSE(
        provider=urlsplit(public_url).hostname or "",
        points_of_access=(public_url,) if public_url else (),
    )
    accepted = parts.accepted("platform")
    notified = Rules(parts.settings.notify_networks, parts.settings.ca_file)
    store = PlatformStore(engine)
    app = create_app(
        store,
        accepted,
        cse=cse,
        expiry=parts.expiry,
        notified=notified,
        lane=parts.lane,
        box=_box(parts) if store.processes.are_several else None,
    )
    return parts.role("platform", app)


# In the order in which they are started: whoever is called comes first.
BUILDERS = {"platform": _platform, "config": _config, "portal": _portal}


def _database(parts: Parts, role: str, package: str, head: str) -> Any:
    from muster_server.store.engine import database_url, open_engine
    from muster_server.store.migrations import migrate
    from muster_server.store.moved import check_may_serve

    engine = open_engine(database_url(parts.settings.data_dir, role, parts.settings.store))
    parts.closers.callback(engine.dispose)
    migrate(engine, package, head)
    check_may_serve(engine)
    return engine


def meter(parts: Parts, roles: list[Role]) -> None:
    """Have the requests of these roles counted, and add the role that tells of them, if it is
    wanted.
    """
    from muster_server.metering import Metered, Meters

    settings = parts.settings
    meters, is_told = Meters(), settings.log_format == "json"
    checks = {}
    for role in roles:
        role.metered = Metered(role.app, role.name, meters, is_told=is_told)
        source = getattr(role.app.state, "figures", None)
        if source is not None:
            meters.sources.append(source)
            checks[f"{role.name}.database"] = source.check
        if role.tls is not None:
            meters.sources.append(role.tls)
            checks[f"{role.name}.certificate"] = role.tls.check
    if settings.operations_listen is not None:
        from muster_server.operations import create_app

        app = create_app(meters, checks, settings.data_dir)
        roles.append(Role("operations", app, parts.listeners["operations"]))
