# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Certificates as tests want them: any dates, any name."""

from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

_BEGIN, _END = datetime(2020, 1, 1), datetime(2060, 1, 1)  # noqa: DTZ001 - UTC is what X.509 means


class Authority:
    """One of its own for each test; or the one that `muster certs dev` has made in `folder`."""

    def __init__(self, folder: Path | None = None) -> None:
        if folder is None:
            self._key = ec.generate_private_key(ec.SECP256R1())
            name = _named("Muster tests")
            basic = x509.BasicConstraints(ca=True, path_length=0)
            certificate = (
                _builder(name, name, self._key, _BEGIN, _END)
                .add_extension(basic, critical=True)
                .sign(self._key, hashes.SHA256())
            )
        else:
            certificate = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
            key = load_pem_private_key((folder / "ca.key").read_bytes(), None)
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            self._key = key
        self._name = certificate.subject
        self.der = certificate.public_bytes(Encoding.DER)
        self.pem = certificate.public_bytes(Encoding.PEM).decode()

    def issue(
        self, folder: Path, names: str | tuple[str, ...], begin: datetime, end: datetime
    ) -> tuple[Path, Path]:
        """Files with a certificate for these host names or addresses, and with its key."""
        names = (names,) if isinstance(names, str) else names
        key = ec.generate_private_key(ec.SECP256R1())
        made = (
            _builder(_named(names[0]), self._name, key, begin, end)
            .add_extension(
                x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        chain, key_file = folder / f"{names[0]}.pem", folder / f"{names[0]}.key"
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
