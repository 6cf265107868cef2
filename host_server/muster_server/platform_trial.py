# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Tries a platform before devices do: can they reach such an address, and has it that CSE?"""

import contextlib
import os
import re
import secrets
import tempfile
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from ssl import DER_cert_to_PEM_cert
from typing import Any
from urllib.parse import quote, urlsplit

from muster_server.device_url import is_ipv4
from muster_server.errors import HostError
from muster_server.service_client import fetch
from muster_server.settings import is_loopback

_TRIAL_S = 5.0
_MOST_BYTES = 64 * 1024
# Muster's own platform says it to whoever comes without a token, e.g. Bearer cse="cse-in".
_CSE = re.compile(r'\bcse="([^"]+)"')
_NOT_FOUND = "4004"  # TS-0004 6.6.3.4: there is no such resource


@dataclass(frozen=True)
class Trial:
    """The outcome. `fault` is certain; `notes` are for people to judge."""

    fault: str | None
    notes: tuple[str, ...]
    has_answered: bool = False


def reach_of(url: str) -> str | None:
    """Say why devices cannot reach a server at such a URL; None if they may."""
    host = urlsplit(url).hostname or ""
    if is_loopback(url) or host == "0.0.0.0":  # noqa: S104 - a comparison
        return (
            f"{url} is this machine alone: no board can reach it; wanted this machine's address "
            "on the network of the devices"
        )
    if not is_ipv4(host) and "." not in host:
        return (
            f'"{host}" is a name that only this machine or its containers know: boards ask the '
            "name server of their network; wanted a full name or an address"
        )
    return None


def tried(platform: dict[str, Any]) -> Trial:
    """Ask the platform of a profile for its CSE, as nobody in particular; takes 7 s at most."""
    url, cse = str(platform.get("url", "")), str(platform.get("cse", "cse-in"))
    unreachable = reach_of(url)
    notes = () if unreachable is None else (f"platform.url: {unreachable}",)
    try:
        with _authority(platform.get("ca")) as ca_file:
            answer = fetch(
                f"{url.rstrip('/')}/{quote(cse, safe='/~')}",
                None,
                headers={
                    "X-M2M-RI": secrets.token_hex(8),
                    "X-M2M-RVI": str(platform.get("rvi", "4")),
                    "X-M2M-Origin": "CMusterTrial",
                    "Accept": "application/json",
                },
                ca_file=ca_file,
                timeout_s=_TRIAL_S,
                most_bytes=_MOST_BYTES,
            )
    except (HostError, OSError, ValueError) as error:
        why = f"platform.url: it could not be tried from here ({error})"
        return Trial(None, (*notes, why))
    names = {name.lower(): value for name, value in answer.headers.items()}
    if "x-m2m-rsc" not in names:
        fault = f"platform.url: {url} answers, but not as a oneM2M platform (HTTP {answer.status})"
        return Trial(f"{fault}; is the port right?", notes, has_answered=True)
    told = _CSE.search(names.get("www-authenticate", ""))
    if told and cse.strip("/") != told[1]:
        fault = f'platform.cse: the CSE of the platform at {url} is "{told[1]}", and not "{cse}"'
        return Trial(fault, notes, has_answered=True)
    if names["x-m2m-rsc"] == _NOT_FOUND:
        fault = f'platform.cse: the platform at {url} has no CSE named "{cse}"'
        return Trial(f"{fault}; its operator knows the name (its own one has cse-in)", notes, True)
    return Trial(None, notes, has_answered=True)


@contextlib.contextmanager
def _authority(ca: Any) -> Iterator[str | None]:
    """The profile's authority as a file, as ssl wants it."""
    if not isinstance(ca, str):
        yield None
        return
    pem = ca if ca.lstrip().startswith("-----") else DER_cert_to_PEM_cert(b64decode(ca))
    descriptor, name = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(pem)
        yield name
    finally:
        Path(name).unlink()
