# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Errors of the host: one root, and a class per thing that a caller does differently."""

from typing import ClassVar


class HostError(Exception):
    """Something the host refuses or cannot do.

    `code` is stable and shared by log, wire and tests. `detail` says what was wanted, what came
    and what to try; it goes to users and logs, so it never holds a key, a token or a password.
    `path` names the field at fault, e.g. "config.networks[0].ssid"; `others` are further fields,
    each with its own detail.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on the server"

    def __init__(
        self,
        detail: str = "",
        *,
        path: str | None = None,
        retry_s: int | None = None,
        others: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.path = path
        self.retry_s = retry_s
        self.others = others

    def __str__(self) -> str:
        return f"{self.path}: {self.detail}" if self.path else self.detail or self.title


class Malformed(HostError):
    """The request cannot be read at all."""

    code = "malformed"
    status = 400
    title = "The request could not be read"


class Unauthorized(HostError):
    """No token, or one that is not known."""

    code = "unauthorized"
    status = 401
    title = "A valid access token is needed"


class NotRecognised(HostError):
    """A device that is unknown, or that holds another secret: one answer for both."""

    code = "not_recognised"
    status = 403
    title = "The device is not recognised"


class Forbidden(HostError):
    """Somebody who is known, and may not do this."""

    code = "forbidden"
    status = 403
    title = "Not allowed"


class NotFound(HostError):
    """Nothing goes by that name."""

    code = "not_found"
    status = 404
    title = "Not found"


class Released(NotFound):
    """The device was released while something was done for it."""


class Conflict(HostError):
    """The request cannot be met because of something that is already there."""

    code = "conflict"
    status = 409
    title = "In conflict with what is there"


class TooLarge(HostError):
    """More bytes than the server is willing to read."""

    code = "too_large"
    status = 413
    title = "Too large"


class Invalid(HostError):
    """A document was read, and a field of it is wrong."""

    code = "invalid"
    status = 422
    title = "A field is missing or wrong"


class LabelRefused(Invalid):
    """A label that was mistyped, or that the vendor did not print."""

    code = "label_refused"
    title = "The label is refused"


class BundleRefused(Invalid):
    """A bundle that this server did not make, or that is not whole."""

    code = "bundle_refused"
    title = "The bundle is refused"


class ReceiptRefused(Invalid):
    """A receipt that proves nothing about the newest bundle of this device."""

    code = "receipt_refused"
    title = "The receipt is refused"


class TooManyRequests(HostError):
    """Come back after `retry_s`."""

    code = "too_many_requests"
    status = 429
    title = "Too many requests"


class ServiceUnreachable(HostError):
    """Another server did not answer, or not in a way that can be used."""

    code = "service_unreachable"
    status = 502
    title = "Another server could not be reached"


class NoAnswer(ServiceUnreachable):
    """The service did not answer at all: whatever it is asked next waits in vain, too."""


class Unavailable(HostError):
    """Busy or not ready; come back after `retry_s`."""

    code = "unavailable"
    status = 503
    title = "Not available at the moment"


class SettingsError(HostError):
    """A server's own option is wrong: names the option and the wanted form, never a secret."""

    code = "settings_invalid"
    title = "An option is wrong"


class StoreError(HostError):
    """The database or the key that opens it is not what it should be."""

    code = "store_failed"
    title = "The database cannot be used"
