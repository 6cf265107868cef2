# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The device's HTTP client over TLS: authority and name are checked, failures have their code."""

import base64
import datetime
import ipaddress
import socket
import ssl
import struct
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from muster_server.outcomes import sentence
from tests.firmware.http_servers import BODY, OK, Behaviour, Outcome, ask, listening, saying


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


# What TLS says for each cause: code, whether trying again cannot help, words, and the portal's.


@dataclass
class Chain:
    """An authority in three steps, and a server's certificate below it."""

    folder: Path

    def __post_init__(self) -> None:
        self.keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(4)]
        names = ["root", "first", "second", "localhost"]
        self.certificates = [self._made(n, names) for n in range(4)]
        der = self.certificates[0].public_bytes(serialization.Encoding.DER)
        self.ca = base64.b64encode(der).decode()

    def _made(self, n: int, names: list[str]) -> x509.Certificate:
        above = max(n - 1, 0)
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[n])]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[above])]))
            .public_key(self.keys[n].public_key())
            .serial_number(n + 1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=n < 3, path_length=None), critical=True)
            .sign(self.keys[above], hashes.SHA256())
        )

    def shown(self, *order: int) -> ssl.SSLContext:
        """A server that shows these, in this order."""
        pem = serialization.Encoding.PEM
        file = self.folder / "chain.pem"
        file.write_bytes(b"".join(self.certificates[n].public_bytes(pem) for n in order))
        key = self.folder / "chain.key"
        key.write_bytes(
            self.keys[3].private_bytes(
                pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file, key)
        return context


def asked(context: ssl.SSLContext, ca: str, behaviour: Behaviour | None = None) -> Outcome:
    """The outcome at a server with this context that would answer."""
    says = behaviour or saying(OK + b"Content-Length: 2\r\n\r\nhi")
    with listening(says, context) as port:
        return ask(port, host="localhost", ca=ca, code="platform_unreachable")[0]


def told_at_the_portal(outcome: Outcome) -> str:
    """The portal's sentence for as much of the detail as a report has room for."""
    return sentence(outcome["code"], ["factory"], "https://m2m.example", outcome["detail"][:120])


@pytest.mark.parametrize("order", [(3, 2, 1), (3, 2, 1, 0)])
def test_a_long_chain_in_order_is_accepted(tmp_path: Path, order: tuple[int, ...]) -> None:
    chain = Chain(tmp_path)
    assert asked(chain.shown(*order), chain.ca).get("body") == "hi"


@pytest.mark.parametrize(
    "order", [(3, 1, 2), (3, 0, 1, 2), (3,), (3, 2), (3, 1)], ids=lambda order: str(order)
)
def test_a_chain_in_the_wrong_order_or_incomplete_is_named(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    chain = Chain(tmp_path)
    outcome = asked(chain.shown(*order), chain.ca)
    assert (outcome["code"], outcome["is_final"]) == ("platform_tls", False)
    assert "chain incomplete, in the wrong order, or another authority's" in outcome["detail"]
    said = told_at_the_portal(outcome)
    assert "the chain is incomplete or in the wrong order" in said and "memory" not in said


def test_another_authority_may_be_a_captive_portal_and_is_not_final(
    certificate: tuple[ssl.SSLContext, str], tmp_path: Path
) -> None:
    """Even under another name: what is signed by nobody we know says nothing of the platform."""
    stranger, _ = make_certificate(tmp_path, "login.hotel.example")
    outcome = asked(stranger, certificate[1])
    assert (outcome["code"], outcome["is_final"]) == ("platform_tls", False)


def test_another_name_of_the_right_authority_is_final(tmp_path: Path) -> None:
    context, ca = make_certificate(tmp_path, "elsewhere.example")
    outcome = asked(context, ca)
    assert (outcome["code"], outcome["is_final"]) == ("platform_tls", True)
    assert "is for another name" in told_at_the_portal(outcome)


@pytest.mark.parametrize(
    ("version", "ciphers"),
    [
        (ssl.TLSVersion.TLSv1_3, None),
        (ssl.TLSVersion.TLSv1_2, "AES128-SHA"),
        (ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES128-GCM-SHA256"),
    ],
    ids=["TLS 1.3 only", "an old cipher", "RSA wanted"],
)
def test_no_common_version_or_cipher_is_named(
    certificate: tuple[ssl.SSLContext, str], version: ssl.TLSVersion, ciphers: str | None
) -> None:
    context, ca = certificate
    former = context.minimum_version
    context.minimum_version = version
    if ciphers:
        context.set_ciphers(ciphers)
    try:
        outcome = asked(context, ca)
    finally:
        context.minimum_version = former
        context.set_ciphers("DEFAULT")
    assert (outcome["code"], outcome["is_final"]) == ("platform_tls", False)
    assert "no common version or cipher" in outcome["detail"], outcome
    assert "no common version or cipher" in told_at_the_portal(outcome)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("is_reset", [False, True])
@pytest.mark.parametrize("after", [0, 1])
def test_a_handshake_that_is_cut_off_is_named(
    certificate: tuple[ssl.SSLContext, str], is_reset: bool, after: int
) -> None:
    """A front end does so that reloads, or a firewall that reads names."""

    def behaviour(connection: socket.socket, number: int) -> None:
        if after:
            connection.recv(4096)  # the client's greeting
        if is_reset:
            reset(connection)

    with listening(behaviour) as port:
        (outcome,) = ask(port, host="localhost", ca=certificate[1], code="platform_unreachable")
    assert (outcome["code"], outcome["is_final"]) == ("platform_tls", False), outcome
    assert "handshake of TLS was cut off" in outcome["detail"]
    assert "was cut off" in told_at_the_portal(outcome)


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"220 mail.example ESMTP\r\n", b"\0" * 64]
)
def test_who_does_not_speak_tls_is_named(
    certificate: tuple[ssl.SSLContext, str], said: bytes
) -> None:
    def behaviour(connection: socket.socket, number: int) -> None:
        connection.recv(4096)
        connection.sendall(said)

    with listening(behaviour) as port:
        (outcome,) = ask(port, host="localhost", ca=certificate[1], code="platform_unreachable")
    assert (outcome["code"], outcome["is_final"]) == ("platform_tls", False), outcome
    assert "does not speak TLS" in told_at_the_portal(outcome), outcome


def test_a_name_without_an_address_is_named() -> None:
    (outcome,) = ask(9, host="no-such-name.invalid", code="platform_unreachable")
    assert (outcome["code"], outcome["is_final"]) == ("platform_unreachable", False)
    assert "this name has no address here" in outcome["detail"], outcome
    assert "name server" in told_at_the_portal(outcome)
