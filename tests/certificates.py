# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Certificates as tests want them: any dates, any name."""

import base64
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_BEGIN, _END = datetime(2020, 1, 1), datetime(2060, 1, 1)  # noqa: DTZ001 - UTC is what X.509 means


class Authority:
    """One of its own for each test."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("Muster tests")
        basic = x509.BasicConstraints(ca=True, path_length=0)
        self._certificate = (
            _builder(self._name, self._name, self._key, _BEGIN, _END)
            .add_extension(basic, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.der = self._certificate.public_bytes(Encoding.DER)
        self.base64 = base64.b64encode(self.der).decode()
        self.pem = self._certificate.public_bytes(Encoding.PEM).decode()

    def issue(self, folder: Path, name: str, begin: datetime, end: datetime) -> tuple[Path, Path]:
        """Files with a certificate for this host name or address, and with its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = (
            _builder(_named(name), self._name, key, begin, end)
            .add_extension(x509.SubjectAlternativeName([_alternative(name)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        chain, key_file = folder / f"{name}.pem", folder / f"{name}.key"
        chain.write_bytes(made.public_bytes(Encoding.PEM))
        key_file.touch(0o600)
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return chain, key_file


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    begin: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
