# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The servers' own options: read once from flags and environment into a frozen dataclass."""

import ipaddress
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from muster_server.device_url import DEVICE_URL_WANTED, is_device_url
from muster_server.errors import SettingsError
from muster_server.store_url import check_flag, store_url, worker_count

ROLES = ("portal", "config", "platform")
DATA = "muster-data"
SETTINGS_FILE = "settings.toml"
_KEPT = (
    *("role", "config_listen", "platform_listen", "config_public_url", "platform_public_url"),
    *("platform_cert", "platform_key", "ca_file", "admin_token_file", "store"),
)
_ALL = "0.0.0.0"  # noqa: S104 - for comparisons


@dataclass(frozen=True)
class Address:
    """The address at which a server listens; port 0 lets the system choose one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, name: str) -> "Address":
        """Read an address like "127.0.0.1:8420"; `name` is the option it came from.

        Raises SettingsError if the text is none.
        """
        host, _, port = text.rpartition(":")
        try:
            ipaddress.IPv4Address(host)
            number = int(port)
        except ValueError:
            number = -1
        if not 0 <= number <= 65535:
            raise SettingsError(f'{name}: wanted an IPv4 address and a port like "127.0.0.1:8420"')
        return cls(host, number)

    @property
    def is_loopback(self) -> bool:
        """Tell whether this machine reaches the address without a network.

        It does if the address is a loopback address, or stands for all.
        """
        return ipaddress.IPv4Address(self.host).is_loopback or self.host == _ALL

    @property
    def url(self) -> str:
        """The URL at which this machine reaches the address."""
        return self.url_as("http")

    def url_as(self, scheme: str) -> str:
        """The same for "http" or "https"."""
        host = "127.0.0.1" if self.host == _ALL else self.host
        return f"{scheme}://{host}:{self.port}"


@dataclass(frozen=True)
class Certificate:
    """The files with a server's certificate, those between it and its authority, and its key."""

    chain: Path
    key: Path
    option: str  # e.g. "--platform-cert", for messages


@dataclass(frozen=True)
class Settings:
    """The settings that `muster serve` was given. Secrets are kept out of the repr."""

    roles: tuple[str, ...]
    data_dir: Path
    portal_listen: Address
    config_listens: tuple[Address, ...]
    platform_listen: Address
    # Whoever has one speaks https. A configuration server does so on addresses of its own, for
    # devices come to the others: their exchange needs no TLS.
    portal_certificate: Certificate | None
    config_certificate: Certificate | None
    platform_certificate: Certificate | None
    config_tls_listens: tuple[Address, ...]
    # What a device is told; None: the address that the server listens on.
    config_public_url: str | None
    platform_public_url: str | None
    # Where the portal finds the configuration server, and that one the platform.
    config_url: str | None
    platform_url: str | None
    # Certificate authorities, in PEM, for the service URLs; None: those of the certifi package.
    ca_file: str | None
    admin_token_file: Path | None
    advertises: bool
    # Of syncs, where they differ from limits.py: (at once, a second), and numbers.
    limits: Mapping[str, tuple[float, float] | int]
    # Where operators ask how the servers are; None: nowhere.
    operations_listen: Address | None
    log_format: str  # "text" or "json"
    # Whose X-Forwarded-For is believed: addresses and networks.
    trusted_proxies: tuple[str, ...]
    # Networks that are not public, to which the platform may send notifications all the same.
    notify_networks: tuple[str, ...]
    # Platforms of others, as whom to come there, and who may change configurations at a platform.
    platforms_file: Path | None
    # What muster-unit pack has written: the portal puts it onto boards from a browser.
    firmware_dir: Path | None
    # The portal may listen beyond this machine without TLS.
    insecure: bool
    # The URL of a PostgreSQL, which may hold a password; None: SQLite in the data folder.
    store: str | None = field(repr=False)
    # So many processes share the sockets.
    workers: int
    secret_key: str | None = field(repr=False)
    config_token: str | None = field(repr=False)
    platform_token: str | None = field(repr=False)


def read_settings(flags: Mapping[str, object], environ: Mapping[str, str]) -> Settings:
    """A flag wins over its variable: `--portal-listen` is MUSTER_PORTAL_LISTEN, and so on; both
    win over what `muster init` has written into the data folder.

    Lists are separated by commas in the environment. A bad value is a SettingsError.
    """
    folder = Path(str(flags.get("data") or environ.get("MUSTER_DATA") or DATA))
    written = {"MUSTER_" + name.upper(): text for name, text in kept_settings(folder).items()}
    environ = {**written, **environ}

    def one(name: str, default: str | None = None) -> str | None:
        value = flags.get(name)
        if value is not None:
            return str(value)
        return environ.get("MUSTER_" + name.upper()) or default

    def many(name: str, default: str) -> list[str]:
        value = flags.get(name)
        if isinstance(value, list) and value:
            return [str(item) for item in value]
        return (environ.get("MUSTER_" + name.upper()) or default).split(",")

    def address(name: str, default: str) -> Address:
        return Address.parse(one(name, default) or default, _flag(name))

    def certificate(role: str) -> Certificate | None:
        chain, key = one(f"{role}_cert"), one(f"{role}_key")
        if (chain is None) != (key is None):
            raise SettingsError(f"--{role}-cert and --{role}-key: wanted both or neither")
        return Certificate(Path(chain), Path(key), f"--{role}-cert") if chain and key else None

    check_flag(flags.get("store"))
    store = store_url(one("store"))
    token_file, platforms_file = one("admin_token_file"), one("platforms_file")
    firmware_dir = one("firmware")
    config_certificate = certificate("config")
    config_tls_listens = tuple(
        Address.parse(text.strip(), "--config-tls-listen")
        for text in many("config_tls_listen", "")
        if text.strip()
    )
    if bool(config_certificate) != bool(config_tls_listens):
        raise SettingsError(
            "--config-cert and --config-tls-listen: wanted both or neither; devices come to "
            "--config-listen, without TLS"
        )
    roles = _roles(many("role", ",".join(ROLES)))
    portal_listen = address("portal_listen", "127.0.0.1:8420")
    portal_certificate = certificate("portal")
    insecure = _flag_of(one("insecure", "no"), "--insecure")
    if "portal" in roles and portal_certificate is None and not insecure:
        _check_is_inside(portal_listen)
    return Settings(
        roles=roles,
        data_dir=Path(one("data", DATA) or DATA),
        portal_listen=portal_listen,
        config_listens=tuple(
            Address.parse(text.strip(), "--config-listen")
            for text in many("config_listen", "127.0.0.1:8421")
        ),
        platform_listen=address("platform_listen", "127.0.0.1:8422"),
        portal_certificate=portal_certificate,
        config_certificate=config_certificate,
        platform_certificate=certificate("platform"),
        config_tls_listens=config_tls_listens,
        config_public_url=_public_url(one("config_public_url"), "--config-public-url"),
        platform_public_url=_public_url(one("platform_public_url"), "--platform-public-url"),
        config_url=service_url(one("config_url"), "--config-url"),
        platform_url=service_url(one("platform_url"), "--platform-url"),
        ca_file=certificate_authorities(one("ca_file")),
        admin_token_file=Path(token_file) if token_file else None,
        platforms_file=Path(platforms_file) if platforms_file else None,
        firmware_dir=Path(firmware_dir) if firmware_dir else None,
        limits=_limits(one),
        operations_listen=_optional_address(one("operations_listen"), "--operations-listen"),
        log_format=_one_of(one("log_format", "text"), ("text", "json"), "--log-format"),
        advertises=_flag_of(one("advertise", "yes"), "--advertise"),
        trusted_proxies=_networks(many("trusted_proxy", ""), "--trusted-proxy"),
        notify_networks=_networks(many("notify_network", ""), "--notify-network"),
        insecure=insecure,
        store=store,
        workers=worker_count(one("workers", "1"), store),
        secret_key=environ.get("MUSTER_SECRET_KEY"),
        config_token=environ.get("MUSTER_CONFIG_TOKEN"),
        platform_token=environ.get("MUSTER_PLATFORM_TOKEN"),
    )


def store_beside(folder: Path, environ: Mapping[str, str]) -> str | None:
    """The store of the servers of this data folder, for a command that works beside them; None:
    SQLite in the folder. SettingsError if it is no URL.
    """
    kept = kept_settings(folder).get("store")
    return store_url(environ.get("MUSTER_STORE") or kept)


def _optional_address(text: str | None, name: str) -> Address | None:
    return None if text is None else Address.parse(text, name)


def _one_of(text: str | None, allowed: tuple[str, ...], name: str) -> str:
    if text not in allowed:
        raise SettingsError(f"{name}: wanted {' or '.join(allowed)}")
    return text


def _limits(one: Callable[[str], str | None]) -> dict[str, tuple[float, float] | int]:
    found: dict[str, tuple[float, float] | int] = {}
    for name in ("address", "device", "strangers"):
        text = one(f"limit_{name}")
        if text is not None:
            found["strangers" if name == "strangers" else f"by_{name}"] = _rate(text, name)
    for name, most in (("at_once", 1000), ("waiting", 100_000)):
        text = one(f"syncs_{name}")
        if text is not None:
            if not text.isdecimal() or not 1 <= int(text) <= most:
                raise SettingsError(f"{_flag('syncs_' + name)}: wanted a number from 1 to {most}")
            found[name] = int(text)
    return found


def _rate(text: str, name: str) -> tuple[float, float]:
    burst, _, per_s = text.partition("/")
    try:
        rate = (float(burst), float(per_s))
    except ValueError:
        rate = (0.0, 0.0)
    if not (1 <= rate[0] <= 1e6 and 0.001 <= rate[1] <= 1e6):
        raise SettingsError(
            f"--limit-{name}: wanted how many at once and how many a second, e.g. 60/10"
        )
    return rate


def kept_settings(folder: Path) -> dict[str, str]:
    """Read the options that `muster init` has written, with lists as in the environment.

    Nothing if it never did. Raises SettingsError if the file cannot be read.
    """
    file = folder / SETTINGS_FILE
    try:
        document = tomllib.loads(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (ValueError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(f"{file}: {reason}") from None
    found = {}
    for name, value in document.items():
        if name.replace("-", "_") not in _KEPT:
            kept = ", ".join(option.replace("_", "-") for option in _KEPT)
            raise SettingsError(
                f"{file}: {name} is none of the options that this file can hold ({kept}); "
                "give the others to muster serve, as options or as MUSTER_…"
            )
        texts = [str(item) for item in value] if isinstance(value, list) else [str(value)]
        # What lies in the folder may be moved with it.
        texts = [str(folder / text[2:]) if text.startswith("./") else text for text in texts]
        found[name.replace("-", "_")] = ",".join(texts)
    return found


def service_url(url: str | None, name: str) -> str | None:
    """Check the URL at which one server reaches another.

    A token goes there. So SettingsError is raised unless it is https or leads to this machine.
    """
    checked = _url(url, name)
    if checked is None or checked.startswith("https://") or is_loopback(checked):
        return checked
    raise SettingsError(
        f"{name}: wanted https, for a token goes there, or an address that only this machine has, "
        f"such as 127.0.0.1; got {checked}. A server on this machine can listen there, too"
    )


def _check_is_inside(listen: Address) -> None:
    if not ipaddress.IPv4Address(listen.host).is_loopback:
        raise SettingsError(
            f"--portal-listen: at {listen.host} the access token, and the labels that are typed, "
            "would cross a network that others can read; give the portal a certificate "
            "(--portal-cert, --portal-key), or let it listen at 127.0.0.1 behind a proxy that "
            "speaks TLS, or say --insecure"
        )


def _networks(texts: list[str], name: str) -> tuple[str, ...]:
    found = []
    for text in texts:
        if not text.strip():
            continue
        try:
            found.append(str(ipaddress.ip_network(text.strip())))
        except ValueError:
            raise SettingsError(
                f'{name}: wanted an address or a network like "127.0.0.1" or "10.0.0.0/8"'
            ) from None
    return tuple(found)


def certificate_authorities(file: str | None) -> str | None:
    """The file, known to hold certificates; SettingsError if it does not."""
    if file is None:
        return None
    import ssl  # late: most commands need none

    try:
        ssl.create_default_context(cafile=file)
    except OSError as error:  # of ssl, too
        reason = "it holds no certificates in PEM" if isinstance(error, ssl.SSLError) else ""
        raise SettingsError(f"--ca-file: {file}: {reason or error.strerror}") from None
    return file


def is_loopback(url: str) -> bool:
    """Tell whether the URL leads to this machine, judged without asking a name server."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _url(url: str | None, name: str) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or "@" in parts.netloc or parts.query or parts.fragment:
        raise SettingsError(f'{name}: wanted a URL like "https://muster.example:8421"')
    return url.rstrip("/")


def _public_url(url: str | None, name: str) -> str | None:
    # Devices read it, and they understand less than this machine.
    if url is not None and not is_device_url(url):
        raise SettingsError(f"{name}: {DEVICE_URL_WANTED}")
    return url and url.rstrip("/")


def _roles(names: list[str]) -> tuple[str, ...]:
    for name in names:
        if name not in ROLES:
            raise SettingsError(f'--role: no role named "{name}"; there are {", ".join(ROLES)}')
    return tuple(role for role in ROLES if role in names)


def _flag_of(text: str | None, name: str) -> bool:
    if text not in ("yes", "no"):
        raise SettingsError(f"{name}: wanted yes or no")
    return text == "yes"


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
