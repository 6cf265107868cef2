# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A server's certificate that follows its files: whoever renews it has to restart nothing."""

import logging
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from muster_server.certificates import server_context
from muster_server.errors import HostError, SettingsError
from muster_server.gauges import Gauge
from muster_server.settings import Certificate

# From when on `/ready` says that it expires. Who renews by a program does so a month before.
_SOON_S = 24 * 3600.0

log = logging.getLogger(__name__)


class Renewable:
    """TLS for a server: handshakes that begin now show what its files held at the newest look.

    Connections that stand go on. Files that do not fit each other, as while they are written one
    after the other, are named in the log once, and the certificate before stays.
    """

    def __init__(self, role: str, certificate: Certificate) -> None:
        """SettingsError if the files are not there or do not fit."""
        self._role = role
        self._certificate = certificate
        self._seen = self._stamp()
        self._newest = server_context(certificate)
        self._until = _until(certificate)
        # uvicorn keeps this one. Each handshake is handed to the newest, with a name or without.
        self.context = server_context(certificate)
        self.context.sni_callback = self._hand_over

    def _hand_over(self, handshake: Any, name: str | None, context: ssl.SSLContext) -> None:
        handshake.context = self._newest

    def look(self) -> bool:
        """Take what the files hold, if they are not what they were; whether that was so."""
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        self._seen = stamp
        try:
            newest, until = server_context(self._certificate), _until(self._certificate)
        except SettingsError as error:
            log.error("the certificate before stays: %s", error)
            return False
        self._newest, self._until = newest, until
        log.info("%s shows its new certificate, good until %s", self._role, until.isoformat())
        return True

    def _stamp(self) -> tuple[object, ...]:
        return tuple(_stamp(path) for path in (self._certificate.chain, self._certificate.key))

    def check(self) -> None:
        """HostError if the certificate has expired, or does within a day."""
        left_s = (self._until - datetime.now(UTC)).total_seconds()
        if left_s < _SOON_S:
            raise HostError(f"{self._certificate.chain} is good until {self._until.isoformat()}")

    def gauges(self) -> Iterable[Gauge]:
        """The moment of its expiry, in seconds since 1970."""
        about = "When the certificate expires, in seconds since 1970."
        until = self._until.timestamp()
        return (Gauge("muster_certificate_expires", about, {self._role: until}, "role"),)


def _stamp(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size)


def _until(certificate: Certificate) -> datetime:
    try:
        shown = x509.load_pem_x509_certificates(certificate.chain.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(f"{certificate.option}: {certificate.chain}: {error}") from None
    return shown[0].not_valid_after_utc
