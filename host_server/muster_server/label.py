# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Labels: what is printed on a device, and the keys that follow from it."""

import hashlib
import hmac
import re
import secrets
from base64 import b32decode, b32encode
from dataclasses import dataclass, field
from string import ascii_lowercase, ascii_uppercase

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from muster_server.api.bounds import LABEL
from muster_server.errors import LabelRefused

SECRET_BYTES = 20
PURPOSES = ("sync-psk", "bundle-key", "receipt-key", "setup-ap")

_SCHEME, _VERSION = "MUSTER", "1"
_SALT = b"muster/1"
_SECRET_CHARACTERS = 32
_CHECK_CHARACTERS = 4
_LONGEST = LABEL[1]
_ID = re.compile(r"(?=.{1,32}\Z)[A-Z0-9]+(?:[.-][A-Z0-9]+)*")
_NOT_BASE32 = re.compile(r"[^A-Z2-7]")
# ASCII alone: Python's upper() would make letters of base32 from others, such as a dotless i.
_CAPITALS = str.maketrans(ascii_lowercase, ascii_uppercase)
# What people type for what they see.
_LOOKS_LIKE = {"0": "O", "1": "I or L", "8": "B"}
_ID_CHARACTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True)
class Label:
    """A device's id and secret. The repr shows the id only."""

    device_id: str
    secret: bytes = field(repr=False)

    @property
    def check(self) -> str:
        """The four characters that make a mistyped label recognisable."""
        return _check(self.device_id, self.secret)

    @property
    def qr_text(self) -> str:
        """The text of the QR code, e.g. "MUSTER:1:PRESS-4:AAAQ…"; fits alphanumeric mode."""
        return f"{_SCHEME}:{_VERSION}:{self.device_id}:{_base32(self.secret)}{self.check}"

    @property
    def grouped(self) -> str:
        """The 36 characters as they are printed, e.g. "AAAQ EAYE …"."""
        text = _base32(self.secret) + self.check
        return " ".join(text[n : n + 4] for n in range(0, len(text), 4))

    @property
    def setup_passphrase(self) -> str:
        """The passphrase of the setup access point, printed on the label too."""
        return _base32(self.key("setup-ap")[:10])

    def key(self, purpose: str) -> bytes:
        """The key for one of PURPOSES: HKDF-SHA256 (RFC 5869), 32 bytes, one per purpose."""
        if purpose not in PURPOSES:
            raise ValueError(f"no key is made for {purpose}")
        return self._derived(purpose, self.secret)

    def adopted_key(self, adoption: bytes) -> bytes:
        """The key of a device that has been adopted: who knows only the label cannot make it."""
        return self._derived("adopted-psk", self.secret + adoption)

    def _derived(self, purpose: str, secret: bytes) -> bytes:
        info = purpose.encode() + b"\0" + self.device_id.encode()
        return HKDF(SHA256(), 32, _SALT, info).derive(secret)


def new_label(device_id: str | None = None) -> Label:
    """A label with a new secret, and with a random id if none is given."""
    if device_id is None:
        device_id = "M-" + "".join(secrets.choice(_ID_CHARACTERS) for _ in range(8))
    check_device_id(device_id)
    return Label(device_id, secrets.token_bytes(SECRET_BYTES))


def is_device_id(text: str) -> bool:
    """Tell whether a text can be the id of a device."""
    return _ID.fullmatch(text) is not None


def check_device_id(text: str) -> None:
    """LabelRefused if this cannot be the id of a device."""
    if not is_device_id(text):
        raise LabelRefused(
            "the device id is not one: wanted 1 to 32 characters of A-Z 0-9 . - that begin and "
            "end with a letter or digit, without two punctuation marks together",
            path="device_id",
        )


def parse_label(text: str) -> Label:
    """The label in a QR text, in a link's fragment, or typed by hand.

    Small letters and white space do no harm, nor do hyphens in the secret. The bench reads the
    same forms: tests/wire/labels.json holds both together. LabelRefused never repeats what was
    typed, and its path is the part at fault: `format`, `device_id`, `secret` or `check`.
    """
    return _parsed(text)[0]


def label_text(text: str) -> str:
    """The text of the QR code of a label that came in any of these forms, without spelling it
    anew. Raises LabelRefused as `parse_label` does.
    """
    label, typed = _parsed(text)
    return f"{_SCHEME}:{_VERSION}:{label.device_id}:{typed}"


def _parsed(text: str) -> tuple[Label, str]:
    """The label, and its secret with the check characters as they are printed."""
    _, mark, fragment = text.partition("#")
    parts = "".join((fragment if mark else text).split()).translate(_CAPITALS).split(":")
    if len(text) > _LONGEST or len(parts) != 4 or parts[0] != _SCHEME:
        raise LabelRefused(
            f"a label looks like {_SCHEME}:{_VERSION}:<id>:<36 characters>; scan it again or type "
            "all four parts",
            path="format",
        )
    if parts[1] != _VERSION:
        raise LabelRefused(
            f"this label is of another kind, and only kind {_VERSION} is understood; is the "
            "portal older than the device?",
            path="format",
        )
    device_id, typed = parts[2], parts[3].replace("-", "")
    check_device_id(device_id)
    secret = _typed_secret(typed)
    if not hmac.compare_digest(typed[_SECRET_CHARACTERS:], _check(device_id, secret)):
        raise LabelRefused(
            "the check characters do not fit: one of the characters of the id or of the secret "
            "was mistyped; compare them with the label group by group",
            path="check",
        )
    return Label(device_id, secret), typed


def strange_character(typed: str) -> tuple[int, str] | None:
    """The number of the first character that base32 does not have, and a hint at what is meant."""
    strange = _NOT_BASE32.search(typed)
    if strange is None:
        return None
    meant = _LOOKS_LIKE.get(strange[0])
    return strange.start() + 1, f"; is it {meant}?" if meant else ""


def _typed_secret(typed: str) -> bytes:
    strange = strange_character(typed)
    if strange is not None:
        place, hint = strange
        raise LabelRefused(
            f"character {place} of the secret cannot occur on a label{hint}", path="secret"
        )
    wanted = _SECRET_CHARACTERS + _CHECK_CHARACTERS
    if len(typed) != wanted:
        raise LabelRefused(
            f"the secret has {wanted} characters in groups of four, and {len(typed)} were given",
            path="secret",
        )
    return b32decode(typed[:_SECRET_CHARACTERS])


def _check(device_id: str, secret: bytes) -> str:
    digest = hashlib.sha256(device_id.encode() + secret).digest()
    return _base32(digest[:5])[:_CHECK_CHARACTERS]


def _base32(data: bytes) -> str:
    return b32encode(data).decode().rstrip("=")
