# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster hotspot`: an onboarding network made by this machine, with the servers of `muster serve`
on it, and everything as before when it ends.

The network exists in NetworkManager's memory only; its key goes to nmcli in a file that has no
name and no place on a disk.
"""

import contextlib
import getpass
import os
import re
import shlex
import signal
import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from muster_server.errors import SettingsError
from muster_server.hotspot_leases import Unserved, check_dnsmasq, wait_for_dhcp
from muster_server.hotspot_profile import DELETE_S, UP_S, Hotspot, key_file, key_of, restore
from muster_server.hotspot_servers import HotspotServers
from muster_server.network_manager import HotspotError, NetworkManager, WiFiDevice, is_there
from muster_server.private_files import named, read_private
from muster_server.settings import Settings, read_settings
from muster_server.stations import Stations

PREFIX = "MUSTER-"
PORT = 8421  # of the gateway: where devices look when DNS-SD finds nothing
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._ -]{0,23}[A-Za-z0-9])?")  # 32 bytes with PREFIX
_ADDRESS_S = 10
_POLL_S = 1.0
# Options of `muster serve` that are handed on as they are.
_SERVE_OPTIONS = (
    *("data", "portal_listen", "platform_listen", "portal_cert", "portal_key"),
    *("platform_cert", "platform_key", "config_cert", "config_key", "config_public_url"),
    *("platform_public_url", "config_url", "platform_url", "ca_file", "admin_token_file"),
    "firmware",
)


class Stopped(BaseException):
    """Somebody wants this to end: Ctrl-C, SIGTERM, or the terminal has gone."""


def run(options: Namespace) -> int:
    """Until Ctrl-C or SIGTERM, then 0. HotspotError and SettingsError after a restoration."""
    settings = _settings(options)
    hotspot = _hotspot(options)
    if options.dry_run:
        return _show(hotspot, options, settings)
    manager = NetworkManager()
    manager.check_permissions(hotspot.key is None)
    manager.check_name(hotspot.ssid)
    device = manager.device(options.device)
    check_dnsmasq()
    _warn(settings, hotspot, device)
    return _Run(manager, hotspot, device, options, settings).run()


class _Run:
    """From the first change to the last restoration."""

    def __init__(
        self,
        manager: NetworkManager,
        hotspot: Hotspot,
        device: WiFiDevice,
        options: Namespace,
        settings: Settings,
    ) -> None:
        self._manager = manager
        self._hotspot = hotspot
        self._device = device
        self._options = options
        self._settings = settings
        self._is_changed = False
        self._servers: HotspotServers | None = None

    def run(self) -> int:
        code = 0
        # Two layers: a signal that comes while the inner one ends is caught by the outer one, and
        # from then on signals are deaf, so nothing can come between us and the restoration.
        try:
            with _signals():
                self._bring_up()
                code = self._serve()
        except Stopped:
            print("ending, and restoring what was before", flush=True)
        finally:
            failures = self._restore()
        if failures:
            raise HotspotError("; ".join(failures))
        return code

    def _bring_up(self) -> None:
        self._is_changed = True  # before it is: a signal may come in the middle
        self._manager.run(self._hotspot.add(self._device.name))
        with key_file(self._hotspot.key) as descriptor:
            try:
                up = self._hotspot.up(self._device.name, descriptor)
                self._manager.run(up, UP_S, descriptor if self._hotspot.key else None)
            except HotspotError as error:
                raise HotspotError(f"{error}{_ACTIVATION_HINT}") from None

    def _address(self) -> str:
        deadline = time.monotonic() + _ADDRESS_S
        while True:
            addresses = self._manager.show(self._device.name).addresses
            if addresses:
                return addresses[0]
            if time.monotonic() > deadline:
                raise HotspotError(
                    f"{self._device.name} has no address {_ADDRESS_S} s after the hotspot came up"
                    + _ACTIVATION_HINT
                )
            time.sleep(_POLL_S / 4)

    def _serve(self) -> int:
        address = self._address()
        wait_for_dhcp(self._device.name)
        arguments = serve(self._options, self._settings, address)
        self._servers = servers = HotspotServers(arguments)
        if servers.wait_until_they_answer(address, PORT):
            kind = "open" if self._hotspot.key is None else "WPA2"
            print(f"hotspot {self._hotspot.ssid} ({kind}, channel {self._hotspot.channel}) is up "
                  f"on {self._device.name}", flush=True)  # fmt: skip
        stations, unserved = Stations(self._device.name), Unserved(self._device.name)
        while servers.exit_code is None:
            for line in [*stations.news(), *unserved.news(stations.macs)]:
                print(line, flush=True)
            servers.wait(_POLL_S)
        code = servers.exit_code
        print(f"muster: the servers ended with exit code {code}", file=sys.stderr)
        return code or 1  # they were to run until we end

    def _restore(self) -> list[str]:
        """Every step is tried, whatever becomes of the one before; what failed."""
        failures: list[str] = []
        if self._servers is not None:
            self._servers.end()
        if not self._is_changed:
            return failures
        uuid = self._device.connection_uuid
        try:
            self._manager.run(self._hotspot.delete(), DELETE_S)
        except HotspotError as error:
            if self._is_left():
                hint = f"try: nmcli connection delete id {self._hotspot.ssid}"
                failures.append(f"the hotspot is still there ({error}); {hint}")
        if uuid:
            try:
                self._manager.run(restore(self._device.name, uuid), UP_S)
                print(f"{self._device.name} is on {self._device.connection} again", flush=True)
            except HotspotError as error:
                failures.append(
                    f"{self._device.name} is not back on {self._device.connection} ({error}); "
                    f"try: nmcli connection up uuid {uuid}"
                )
        return failures

    def _is_left(self) -> bool:
        try:
            self._manager.check_name(self._hotspot.ssid)
        except HotspotError:
            return True
        return False


def serve(options: Namespace, settings: Settings, address: str) -> list[str]:
    """The arguments of `muster`: serve, on the hotspot's address too."""
    words = ["serve"]
    for role in settings.roles:
        words += ["--role", role]
    listens = [f"{listen.host}:{listen.port}" for listen in settings.config_listens]
    everywhere = f"0.0.0.0:{PORT}"
    for listen in dict.fromkeys(
        listens + ([] if everywhere in listens else [f"{address}:{PORT}"])
    ):
        words += ["--config-listen", listen]
    for listen in options.config_tls_listen or ():
        words += ["--config-tls-listen", listen]
    for proxy in options.trusted_proxy or ():
        words += ["--trusted-proxy", proxy]
    for network in options.notify_network or ():
        words += ["--notify-network", network]
    if options.insecure:
        words.append("--insecure")
    for name in _SERVE_OPTIONS:
        value = getattr(options, name)
        if value is not None:
            words += ["--" + name.replace("_", "-"), str(value)]
    return words + (["--advertise", options.advertise] if options.advertise else [])


def _settings(options: Namespace) -> Settings:
    """Read the settings of the servers, which are judged before anything is changed."""
    if options.address:
        _fill_in(options)
    settings = read_settings(vars(options), os.environ)
    if "config" not in settings.roles:
        raise SettingsError("--role: wanted config among them; devices come to the hotspot for it")
    return settings


def _fill_in(options: Namespace) -> None:
    """Fill in what follows from this machine's address on the operational network."""
    listens = [f"127.0.0.1:{PORT}", f"{options.address}:{PORT}"]
    scheme = "https" if options.platform_cert else "http"
    options.config_listen = options.config_listen or listens
    options.config_public_url = options.config_public_url or f"http://{options.address}:{PORT}"
    options.platform_listen = options.platform_listen or "0.0.0.0:8422"
    options.platform_public_url = (
        options.platform_public_url or f"{scheme}://{options.address}:8422"
    )


def _hotspot(options: Namespace) -> Hotspot:
    if not _NAME.fullmatch(options.name):
        raise SettingsError(
            "--name: wanted 1 to 25 letters, digits, spaces and . _ - that end with a letter or "
            'digit, like "desk"'
        )
    ssid = PREFIX + options.name
    return Hotspot(ssid, options.channel, key_of(_passphrase(options), ssid))


def _passphrase(options: Namespace) -> str | None:
    if options.password_file:
        file = Path(options.password_file)
        with named("--password-file", file):
            return read_private(file)
    if options.ask_password and not options.dry_run:
        try:
            return getpass.getpass("passphrase of the hotspot: ")
        except EOFError:
            raise SettingsError("--ask-password: no terminal; try --password-file") from None
    return "not asked for" if options.ask_password else None


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Within it the first signal raises Stopped; the next ones, and all after it, do nothing."""

    def stop(number: int, frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)


_ACTIVATION_HINT = "; try another --channel, and: journalctl -u NetworkManager"


def _warn(settings: Settings, hotspot: Hotspot, device: WiFiDevice) -> None:
    for line in _warnings(settings, hotspot):
        print(f"note: {line}", file=sys.stderr)
    if device.is_connected:
        text = f"note: {device.name} leaves {device.connection} until this ends"
        print(text, file=sys.stderr)


def _warnings(settings: Settings, hotspot: Hotspot) -> Iterator[str]:
    for role in ("config", "platform"):
        listens = settings.config_listens if role == "config" else (settings.platform_listen,)
        url = getattr(settings, f"{role}_public_url") or listens[0].url
        if role in settings.roles and "//127." in url:
            yield (
                f"devices will look for the {role} server at {url}, which is this machine only; "
                "give --address, this machine's address on the operational network"
            )
    if hotspot.key is None:
        yield "an open network: who is near can join, and use this machine's way to the internet"
    if is_there("firewall-cmd") or is_there("ufw"):
        yield f"a firewall may keep devices from port {PORT}/tcp and 5353/udp, see the docs"


def _show(hotspot: Hotspot, options: Namespace, settings: Settings) -> int:
    """Every command in its order; what is found out on the way stands in <brackets>."""
    device = options.device or "<device>"

    def line(what: str, words: Sequence[str]) -> None:
        quoted = " ".join(w if w.startswith("<") else shlex.quote(w) for w in words)
        print(f"{what:<9}{quoted}")

    for command in (
        ["-t", "-f", "PERMISSION,VALUE", "general", "permissions"],
        ["-t", "-f", "NAME", "connection", "show"],
        ["-t", "-f", "DEVICE,TYPE", "device", "status"],
        ["-t", "-f", "GENERAL,WIFI-PROPERTIES,IP4", "device", "show", device],
    ):
        line("check", ["nmcli", *command])
    line("start", ["nmcli", *hotspot.add(device)])
    line("start", ["nmcli", *hotspot.up(device, "<n>")])
    line("start", ["muster", *serve(options, settings, "<address>")])
    line("watch", ["ip", "-4", "neigh", "show", "dev", device])
    line("restore", ["nmcli", *hotspot.delete()])
    line("restore", ["nmcli", *restore(device, "<what was there before, if anything>")])
    for text in _warnings(settings, hotspot):
        print(f"note: {text}")
    return 0
