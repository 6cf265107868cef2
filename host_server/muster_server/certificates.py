# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Certificates: how a server shows one, and how `muster certs dev` makes some.

Not for certificates in the field: those come from an authority that somebody guards.
"""

import os
import secrets
import ssl
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from muster_server.errors import SettingsError
from muster_server.private_files import FOR_ALL, write_private
from muster_server.settings import Certificate

# What mbedTLS on an ESP32 offers with an elliptic key or with RSA, and nothing weaker. TLS 1.3,
# which it does not have, chooses by itself.
_SUITES = "ECDHE+AESGCM"
_ALWAYS = ("localhost", "127.0.0.1")
_AUTHORITY_DAYS = 3650
# A device that has only its floor for a clock may be behind: it shall not wait for tomorrow.
_BACKDATED = timedelta(days=1)


def server_context(certificate: Certificate) -> ssl.SSLContext:
    """TLS for a server; SettingsError if certificate and key are not there or do not fit."""
    chain, key, option = certificate.chain, certificate.key, certificate.option
    for path in (chain, key):
        if not os.access(path, os.R_OK):
            raise SettingsError(f"{option}: cannot read {path}")
    if key.stat().st_mode & 0o007:
        raise SettingsError(f"{option}: every user can read the key; try: chmod 600 {key}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_SUITES)
    try:
        # Without a passphrase: a server shall not stop and ask at its start.
        context.load_cert_chain(chain, key, password="")  # noqa: S106 - the absence of one
    except (ssl.SSLError, ValueError):
        raise SettingsError(
            f"{option}: {chain} and {key} are not a certificate in PEM and its key without a "
            "passphrase"
        ) from None
    return context


@dataclass(frozen=True)
class Development:
    """The certificate that `make_development` has made, and where it lies."""

    names: tuple[str, ...]
    until: datetime
    chain: Path
    key: Path
    authority: Path  # in PEM, for programs
    der: Path  # the same as base64 of its DER, for a profile's `ca`


def make_development(folder: Path, names: list[str], days: int) -> Development:
    """An authority, and a certificate by it for these names; both for P-256, both in `folder`.

    An authority that is there is used again, so that devices which trust it go on doing so.
    SettingsError if a name is none, or `folder` holds half an authority; OSError if nothing can
    be written there.
    """
    if not 1 <= days <= _AUTHORITY_DAYS:
        raise SettingsError(f"--days: wanted 1 to {_AUTHORITY_DAYS}, got {days}")
    all_names = tuple(dict.fromkeys([*names, *_ALWAYS]))
    alternatives = [_alternative(name) for name in all_names]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority, authority_key = _authority(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    until = min(_now() + timedelta(days=days), authority.not_valid_after_utc)
    made = (
        _builder(_named(all_names[0]), authority.subject, key, until)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    result = Development(
        all_names,
        until,
        *(folder / name for name in ("server.pem", "server.key", "ca.pem", "ca.b64")),
    )
    write_private(result.key, _pem(key))
    write_private(result.chain, made.public_bytes(Encoding.PEM), FOR_ALL)
    der = b64encode(authority.public_bytes(Encoding.DER)) + b"\n"
    write_private(result.der, der, FOR_ALL)
    return result


def _authority(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    certificate_file, key_file = folder / "ca.pem", folder / "ca.key"
    if certificate_file.exists() or key_file.exists():
        return _kept_authority(certificate_file, key_file)
    key = ec.generate_private_key(ec.SECP256R1())
    # The name holds a random part: two authorities of one name confuse whoever trusts both.
    name = _named(f"Muster development {secrets.token_hex(4)}")
    certificate = (
        _builder(name, name, key, _now() + timedelta(days=_AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_KEY_USAGE, critical=True)
        .sign(key, hashes.SHA256())
    )
    write_private(key_file, _pem(key))
    write_private(certificate_file, certificate.public_bytes(Encoding.PEM), FOR_ALL)
    return certificate, key


_KEY_USAGE = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _kept_authority(
    certificate_file: Path, key_file: Path
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    try:
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = load_pem_private_key(key_file.read_bytes(), None)
    except (OSError, ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != (
        key.public_key()
    ):
        raise SettingsError(
            f"{certificate_file} and {key_file} are not an authority and its key; remove both, or "
            "choose another folder with --out"
        )
    return certificate, key


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - _BACKDATED)
        .not_valid_after(until)
        # Python 3.13 and later refuse certificates without it and its counterpart.
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        pass
    if not name.isascii() or not name.strip(".-") or any(c in name for c in " /:@"):
        raise SettingsError(f'--name: wanted a host name or an address, got "{name}"')
    return x509.DNSName(name)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
