# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The device's HTTP client over TLS: authority and name are checked, failures have their code."""

import base64
import datetime
import ipaddress
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.firmware.http_servers import BODY, OK, ask, listening, saying


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    """A server's context for "localhost" and its certificate as base64 DER, its own CA."""
    return make_certificate(tmp_path_factory.mktemp("tls"), "localhost")


def make_certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    der = made.public_bytes(serialization.Encoding.DER)
    return context, base64.b64encode(der).decode()


def test_tls_with_the_right_authority(certificate: tuple[ssl.SSLContext, str]) -> None:
    context, ca = certificate
    with listening(saying(OK + b"Content-Length: 600\r\n\r\n" + BODY.encode()), context) as port:
        (outcome,) = ask(port, {"method": "POST", "body": BODY}, host="localhost", ca=ca)
    assert outcome.get("body") == BODY, outcome


def test_tls_with_another_authority_is_refused(
    certificate: tuple[ssl.SSLContext, str], tmp_path: Path
) -> None:
    _, other = make_certificate(tmp_path, "localhost")
    with listening(saying(OK), certificate[0]) as port:
        (outcome,) = ask(port, host="localhost", ca=other)
    assert outcome["code"] == "platform_tls"
    assert "not correctly signed by the trusted CA" in outcome["detail"]
    assert not outcome["is_open"]


def test_what_is_no_authority_is_named(certificate: tuple[ssl.SSLContext, str]) -> None:
    wanted = pytest.raises(AssertionError, match="config.platform.ca: not a certificate in DER")
    with listening(saying(OK), certificate[0]) as port, wanted:
        ask(port, host="localhost", ca="AAAA")


def test_tls_with_another_name_is_refused(tmp_path: Path) -> None:
    context, ca = make_certificate(tmp_path, "elsewhere.example")
    with listening(saying(OK), context) as port:
        (outcome,) = ask(port, host="localhost", ca=ca)
    assert outcome["code"] == "platform_tls"


def test_tls_against_a_plain_server_is_an_error(
    certificate: tuple[ssl.SSLContext, str],
) -> None:
    def behaviour(connection: socket.socket, number: int) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with listening(behaviour) as port:
        (outcome,) = ask(port, host="localhost", ca=certificate[1])
    assert outcome["code"] in ("platform_tls", "server_unreachable")


def test_tls_server_that_says_nothing_costs_the_deadline(
    certificate: tuple[ssl.SSLContext, str],
) -> None:
    def behaviour(connection: socket.socket, number: int) -> None:
        connection.recv(4096)  # the client's greeting
        connection.recv(4096)

    with listening(behaviour) as port:
        (outcome,) = ask(port, {"timeout_ms": 300}, host="localhost", ca=certificate[1])
    assert (outcome["code"], outcome["is_open"]) == ("server_unreachable", False)
    assert outcome["ms"] < 1000


def test_only_who_says_so_trusts_anybody(tmp_path: Path) -> None:
    context, _ = make_certificate(tmp_path, "elsewhere.example")
    with listening(saying(OK + b"Content-Length: 2\r\n\r\nhi"), context) as port:
        (outcome,) = ask(port, host="localhost", ca=None)
    assert outcome.get("body") == "hi", outcome
