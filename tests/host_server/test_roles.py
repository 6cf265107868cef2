# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""How do the roles of one process find each other?"""

import socket
from typing import cast

import pytest

from muster_server.errors import SettingsError
from muster_server.roles import Parts
from muster_server.settings import Address, read_settings


class Listener:
    """A socket that listens at an address of this machine, whichever machine that is."""

    def __init__(self, host: str, port: int) -> None:
        self._name = (host, port)

    def getsockname(self) -> tuple[str, int]:
        return self._name


def found(
    *listens: str,
    given: str | None = None,
    role: str = "config",
    flags: dict[str, object] | None = None,
) -> str:
    """Return the URL of a role that listens at these addresses of this process."""
    parts = Parts(read_settings(flags or {}, {}))
    addresses = [Address.parse(text, "") for text in listens]
    parts.listeners[role] = [cast(socket.socket, Listener(a.host, a.port)) for a in addresses]
    return parts.service_url_of(role, "--url", given, Address("192.168.4.1", 8421))


@pytest.mark.parametrize(
    ("listens", "url"),
    [
        (("192.168.4.1:8421", "10.0.0.2:8421"), "http://192.168.4.1:8421"),
        (("192.168.4.1:8421", "127.0.0.1:5"), "http://127.0.0.1:5"),
        (("192.168.4.1:8421", "0.0.0.0:6"), "http://127.0.0.1:6"),
        (("127.2.0.1:7", "127.0.0.1:5"), "http://127.2.0.1:7"),
    ],
)
def test_server_of_the_same_process_is_found_without_leaving_the_machine(
    listens: tuple[str, ...], url: str
) -> None:
    assert found(*listens) == url


def test_platform_with_a_certificate_is_found_by_https() -> None:
    flags: dict[str, object] = {"platform_cert": "server.pem", "platform_key": "server.key"}
    url = found("192.168.4.1:8422", role="platform", flags=flags)
    assert url == "https://192.168.4.1:8422"


def test_server_of_another_process_is_asked_for_https_and_told_what_to_do() -> None:
    with pytest.raises(SettingsError, match="--url: wanted https.*such as 127.0.0.1"):
        found()
    with pytest.raises(SettingsError, match="can listen there, too"):
        found("127.0.0.1:5", given="http://192.168.4.1:8421")
    assert found(given="https://muster.example") == "https://muster.example"
