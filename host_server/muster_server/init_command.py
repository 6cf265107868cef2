# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster init`: from nothing to a folder with which plain `muster serve` does the right thing.

Every question has an option. Nothing that is there is overwritten.
"""

import os
import re
import shlex
import shutil
import sys
from argparse import Namespace
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from muster_server.commands import read_text, say
from muster_server.device_url import is_ipv4
from muster_server.errors import Conflict, SettingsError
from muster_server.private_files import named, read_private, write_private
from muster_server.profile_commands import problem_error, tell_trial
from muster_server.profile_file import problems_of, toml_value
from muster_server.progress import waiting
from muster_server.settings import SETTINGS_FILE, is_loopback, read_settings
from muster_server.terminal import ask_hidden, is_person_there

CONFIG_PORT, PLATFORM_PORT = 8421, 8422
OWN = "own"
# What containers and tunnels make: boards are not there.
_INSIDE = re.compile(r"docker|br-|veth|virbr|cni|tun|tap|wg|tailscale|zt")


@dataclass(frozen=True)
class Answers:
    """Everything that has to be known. Secrets are kept out of the repr."""

    address: str
    ssid: str
    password: str | None = field(repr=False)
    platform: str  # "own" or a URL
    cse: str
    ca: str | None
    country: str
    profile: str
    is_plain: bool  # own platform over http


def init(options: Namespace) -> int:
    """Ask, try, and write. Raises SettingsError if an answer is missing or wrong."""
    folder = Path(options.data)
    file = folder / SETTINGS_FILE
    if file.exists():
        raise SettingsError(
            f"{folder} is set up already, and stays as it is; change {file} with an editor and "
            "its profiles with `muster profile edit`, or name another folder with --data"
        )
    answers = _answers(options)
    os.umask(0o077)
    with named("--data", folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077 and not any(folder.iterdir()):
            folder.chmod(0o700)
    platform, written = _platform(answers, folder)
    document = {
        "name": answers.profile,
        "networks": [{"ssid": answers.ssid, "psk": answers.password}],
        "platform": platform,
        "country": answers.country,
    }
    problems = problems_of(document)
    if not problems and answers.platform != OWN:
        problems = tell_trial(document, is_wanted=not options.offline)
    if problems:
        raise problem_error("the answers", problems)
    text = "# Written by muster init: some options of muster serve. Flags and MUSTER_… win.\n"
    text += "".join(f"{name} = {toml_value(value)}\n" for name, value in written.items())
    draft = {name.replace("-", "_"): value for name, value in written.items()}
    note = _keep_profile(folder, draft, document)
    with named("--data", file):
        write_private(file, text.encode())
    return _say_next(folder, answers, note)


def _platform(answers: Answers, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The profile's platform, and the options of `muster serve`."""
    written: dict[str, Any] = {
        "config-listen": _listens(answers.address),
        "config-public-url": f"http://{answers.address}:{CONFIG_PORT}",
    }
    if not (folder / "admin-token.sha256").exists():
        written["admin-token-file"] = "./admin-token"
    if answers.platform != OWN:
        platform: dict[str, Any] = {"url": answers.platform, "cse": answers.cse}
        if answers.ca:
            platform["ca"] = answers.ca
        return platform, written | {
            "role": ["portal", "config"],
            "platform-public-url": answers.platform,
        }
    scheme = "http" if answers.is_plain else "https"
    url = f"{scheme}://{answers.address}:{PLATFORM_PORT}"
    host = answers.address if _is_inside(answers.address) else "0.0.0.0"  # noqa: S104 - boards
    written |= {"platform-listen": f"{host}:{PLATFORM_PORT}", "platform-public-url": url}
    if answers.is_plain:
        return {"url": url, "insecure": True}, written
    from muster_server.certificates import make_development

    with waiting("making certificates"), named("--data", folder):
        made = make_development(folder / "certs", [answers.address], 397)
    written |= {
        "platform-cert": f"./certs/{made.chain.name}",
        "platform-key": f"./certs/{made.key.name}",
        "ca-file": f"./certs/{made.authority.name}",
    }
    return {"url": url, "ca": made.der.read_text().strip()}, written


def _listens(address: str) -> list[str]:
    hosts = (address,) if _is_inside(address) else ("127.0.0.1", address)
    return [f"{host}:{CONFIG_PORT}" for host in hosts]


def _is_inside(address: str) -> bool:
    return is_loopback(f"http://{address}")


def _keep_profile(folder: Path, written: dict[str, Any], document: dict[str, Any]) -> str:
    from muster_server.roles import profile_service

    paths = {
        name: str(folder / value[2:])
        for name, value in written.items()
        if isinstance(value, str) and value.startswith("./")
    }
    settings = read_settings(written | paths | {"data": str(folder)}, {})
    with profile_service(settings) as profiles:
        try:
            profiles.add(document)
        except Conflict:
            return f'the profile "{document["name"]}" was there already, and stays as it was'
    return f'the profile "{document["name"]}" is kept, its password encrypted'


def _say_next(folder: Path, answers: Answers, note: str) -> int:
    where = "" if str(folder) == "muster-data" else f"MUSTER_DATA={folder} "
    muster = f"{where}{_called()}"
    return say(
        f"{folder} is set up: boards find the servers at {answers.address}; {note}.",
        "Next:",
        f"  {muster} serve",
        "and in another terminal:",
        f"  {muster} label new",
        f"  {muster} device add --profile {answers.profile}",
    )


def _called() -> str:
    """The command's name as it was typed, if it is not found without its path."""
    typed = sys.argv[0]
    is_path = Path(typed).name == "muster" and shutil.which("muster") is None
    return shlex.quote(typed) if is_path else "muster"


def _answers(options: Namespace) -> Answers:
    _check_is_complete(options)
    address = options.address or _asked_address()
    if not is_ipv4(address):
        raise SettingsError('--address: wanted an IPv4 address like "192.168.1.10"')
    if _is_inside(address):
        print(f"note: at {address} emulated boards alone reach the servers", file=sys.stderr)
    ssid = options.ssid or _asked("name of the Wi-Fi that the devices shall use")
    password = _password(options)
    platform = options.platform or _asked(
        "platform: own (comes with these servers), or the URL of another one", OWN
    )
    cse = options.cse or (
        _asked("name of its CSE", "cse-in") if platform != OWN and is_person_there() else "cse-in"
    )
    ca_file = options.platform_ca
    if ca_file is None and platform.startswith("https:") and is_person_there():
        ca_file = _asked("file with the certificate of its authority, in PEM")
    return Answers(
        address=address,
        ssid=ssid,
        password=password,
        platform=platform.rstrip("/"),
        cse=cse,
        ca=read_text(ca_file) if ca_file else None,
        country=(options.country or _asked("country, as two letters", _here())).upper(),
        profile=options.profile,
        is_plain=options.http,
    )


def _check_is_complete(options: Namespace) -> None:
    if is_person_there():
        return
    given = {
        "--address": options.address,
        "--ssid": options.ssid,
        "--password-file (or --open)": options.password_file or options.open,
        "--platform": options.platform,
        "--country": options.country,
    }
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise SettingsError(
            f"this is no terminal, so nothing can be asked; give {', '.join(missing)}"
        )


def _password(options: Namespace) -> str | None:
    if options.open:
        return None
    if options.password_file:
        with named("--password-file", Path(options.password_file)):
            return read_private(Path(options.password_file))
    while True:
        typed = ask_hidden("its password, or nothing for an open network", "--password-file")
        if not typed:
            return None
        if re.fullmatch(r"[ -~]{8,63}|[0-9A-Fa-f]{64}", typed):
            return typed
        print("a Wi-Fi password has 8 to 63 printable ASCII characters", file=sys.stderr)


def _asked_address() -> str:
    found = addresses()
    if not found:
        print(
            "This machine is on no network now. Which address will it have where the boards are?",
            file=sys.stderr,
        )
        return _asked("address")
    print("At which address of this machine do boards reach it?", file=sys.stderr)
    for n, (name, address) in enumerate(found, 1):
        about = (
            "  (of containers or a tunnel: boards are not there)" if _INSIDE.match(name) else ""
        )
        print(f"  {n}  {address:<15}  {name}{about}", file=sys.stderr)
    typed = _asked("number or address", "1")
    if typed.isdecimal() and 1 <= int(typed) <= len(found):
        return found[int(typed) - 1][1]
    return typed


def addresses() -> list[tuple[str, str]]:
    """Interfaces and IPv4 addresses of this machine but loopback; likely ones come first."""
    import ifaddr

    found = [
        (adapter.nice_name, str(ip.ip))
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if ip.is_IPv4 and not str(ip.ip).startswith("127.")
    ]
    return sorted(found, key=lambda pair: bool(_INSIDE.match(pair[0])))


def _asked(question: str, default: str = "") -> str:
    shown = f" [{default}]" if default else ""
    while True:
        print(f"{question}{shown}: ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            raise SettingsError("the input has ended before all was answered; nothing was written")
        if line.strip() or default:
            return line.strip() or default


def _here() -> str:
    found = re.match(
        r"[a-z]{2,3}_([A-Z]{2})", os.environ.get("LC_ALL") or os.environ.get("LANG", "")
    )
    return found[1] if found else ""
