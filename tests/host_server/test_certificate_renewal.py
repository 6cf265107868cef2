# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is a renewed certificate shown without a restart, and a wrong one not?"""

import logging
import socket
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from cryptography import x509

from muster_server.certificate_renewal import Renewable
from muster_server.certificates import make_development
from muster_server.errors import HostError
from muster_server.settings import Certificate
from tests.host_server.processes import QUIET, start

_RENEWED_S = 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Holds an authority and a certificate for localhost."""
    make_development(tmp_path / "certs", [], 30)
    return tmp_path / "certs"


def renewable(folder: Path) -> Renewable:
    return Renewable(
        "platform", Certificate(folder / "server.pem", folder / "server.key", "--platform-cert")
    )


def serial(folder: Path) -> int:
    return x509.load_pem_x509_certificate((folder / "server.pem").read_bytes()).serial_number


def shown(tls: Renewable, folder: Path, name: str | None) -> int:
    """The serial number of the certificate that a handshake shows."""
    client = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    client.check_hostname = name is not None
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = client.wrap_bio(to_client, to_server, server_hostname=name)
    ours = tls.context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for end in (theirs, ours):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    der = theirs.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der).serial_number


@pytest.mark.parametrize("name", ["localhost", None])
def test_handshake_shows_the_newest_with_a_name_and_without(
    folder: Path, name: str | None
) -> None:
    tls = renewable(folder)
    first = serial(folder)
    assert shown(tls, folder, name) == first
    assert not tls.look()
    make_development(folder, [], 60)
    assert shown(tls, folder, name) == first  # nobody has looked yet
    assert tls.look()
    assert shown(tls, folder, name) == serial(folder) != first


def test_half_a_renewal_keeps_what_was_and_is_told_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tls = renewable(folder)
    first, key = serial(folder), (folder / "server.key").read_bytes()
    make_development(folder, [], 60)
    new_key = (folder / "server.key").read_bytes()
    (folder / "server.key").write_bytes(key)  # the chain is new already, the key is not
    with caplog.at_level(logging.ERROR):
        assert not tls.look()
        assert not tls.look()
    (told,) = caplog.records
    assert "the certificate before stays: --platform-cert" in told.getMessage()
    assert shown(tls, folder, "localhost") == first
    (folder / "server.key").write_bytes(new_key)
    assert tls.look()
    assert shown(tls, folder, "localhost") == serial(folder)


@pytest.mark.parametrize("name", ["server.pem", "server.key"])
def test_file_that_is_gone_for_a_moment_harms_nobody(folder: Path, name: str) -> None:
    tls = renewable(folder)
    first = serial(folder)
    (folder / name).rename(folder / "aside")
    assert not tls.look()
    assert shown(tls, folder, "localhost") == first
    (folder / "aside").rename(folder / name)
    assert tls.look()


def test_replaced_link_counts_as_programs_that_renew_make_them(
    folder: Path, tmp_path: Path
) -> None:
    live = tmp_path / "live"
    live.mkdir()
    for name in ("server.pem", "server.key"):
        (live / name).symlink_to(folder / name)
    tls = renewable(live)
    make_development(tmp_path / "next", [], 60)
    for name in ("server.pem", "server.key"):
        (live / "new").symlink_to(tmp_path / "next" / name)
        (live / "new").replace(live / name)
    assert tls.look()
    assert shown(tls, tmp_path / "next", "localhost") == serial(tmp_path / "next")


def test_readiness_tells_who_expires_within_a_day(tmp_path: Path) -> None:
    make_development(tmp_path / "certs", [], 1)
    tls = renewable(tmp_path / "certs")
    with pytest.raises(HostError, match="is good until"):
        tls.check()
    make_development(tmp_path / "certs", [], 30)
    tls.look()
    tls.check()
    (gauge,) = tls.gauges()
    assert gauge.values["platform"] > time.time() + 29 * 24 * 3600


def test_running_server_shows_the_renewed_one(folder: Path, tmp_path: Path) -> None:
    servers = start(
        tmp_path / "data",
        *("--role", "platform", "--platform-listen", "127.0.0.1:0", *QUIET),
        *("--platform-cert", str(folder / "server.pem")),
        *("--platform-key", str(folder / "server.key")),
        ready=1,
    )
    try:
        url = urlsplit(servers.urls["platform"])
        kept = requests.Session()
        kept.verify = str(folder / "ca.pem")
        asked = servers.urls["platform"] + "/cse-in"
        assert kept.get(asked, timeout=5).headers["X-M2M-RSC"]
        first = serial(folder)
        make_development(folder, [], 60)
        deadline = time.monotonic() + _RENEWED_S
        while _served_serial(url.port or 0) == first and time.monotonic() < deadline:
            time.sleep(0.2)
        assert _served_serial(url.port or 0) == serial(folder) != first
        assert kept.get(asked, timeout=5).headers["X-M2M-RSC"]  # on the connection that stood
        kept.close()
    finally:
        code, _, err = servers.stop()
    assert (code, "Traceback" in err) == (0, False)


def _served_serial(port: int) -> int:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), 5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as stream,
    ):
        der = stream.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der).serial_number
