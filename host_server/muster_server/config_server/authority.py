# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The check that a device can make use of a certificate authority."""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from muster_server.document import wrong

_SMALLEST_RSA_BITS = 2048


def check_authority(der: bytes, path: str) -> None:
    """Invalid if it is no certificate, or one with a key that mbedTLS on an ESP32 cannot use."""
    try:
        key = x509.load_der_x509_certificate(der).public_key()
    except ValueError:
        raise wrong(path, "not a certificate") from None
    except UnsupportedAlgorithm:
        key = None
    if isinstance(key, rsa.RSAPublicKey):
        is_usable, kind = key.key_size >= _SMALLEST_RSA_BITS, f"RSA of {key.key_size} bits"
    elif isinstance(key, ec.EllipticCurvePublicKey):
        is_usable = isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1)
        kind = f"of the curve {key.curve.name}"
    else:
        is_usable, kind = False, type(key).__name__.removesuffix("PublicKey")
    if not is_usable:
        raise wrong(
            path,
            "a device cannot check what this authority signs: wanted an RSA key of at least "
            f"{_SMALLEST_RSA_BITS} bits, or an elliptic one of P-256 or P-384, got one that is "
            f"{kind}",
        )
