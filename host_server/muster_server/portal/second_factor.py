# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The rules of second factors: an app's codes (TOTP, RFC 6238), recovery codes. No HTTP, no SQL.

A right password alone makes a *half* sign-in where the user has a second factor: a token that
opens nothing and ends within minutes, or after a few tries. The session's token is made when the
second factor has come, so nobody can have it before.
"""

import base64
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pyotp

from muster_server.errors import Conflict, NotFound, Unauthorized
from muster_server.portal.throttle import Throttle
from muster_server.store.people import PeopleRecords, PeopleStore, User
from muster_server.store.second_factors import HalfSignIn, Passkey
from muster_server.tokens import new_token, token_hash

ISSUER = "Muster"
HALF_S = 600.0
RECOVERY_CODES = 10
_STEP_S = 30
_DIGITS = 6
# A clock may be half a minute off, and a code is typed until the next one is there.
_STEPS_OFF = (-1, 0, 1)
_SECRET_BYTES = 20  # as RFC 4226, 4, recommends
_RECOVERY_BYTES = 10
_MOST_TRIES = 5  # of a half sign-in
_MOST_HALVES = 8  # of a user

SignInUser = Callable[[PeopleRecords, User, str], str]


@dataclass(frozen=True)
class Setup:
    """The secret that an app has to know, told once."""

    secret: str = field(repr=False)  # base32
    uri: str = field(repr=False)  # otpauth://, for its QR code


@dataclass(frozen=True)
class Factors:
    """The second factors of a user, without what opens."""

    has_app: bool
    passkeys: list[Passkey]
    codes_left: int

    @property
    def any(self) -> bool:
        """Tell whether the password alone does not do."""
        return self.has_app or bool(self.passkeys)


class SecondFactors:
    """Second factors of users. `clock` is in Unix seconds; `sign_in` makes a session's token."""

    def __init__(
        self,
        store: PeopleStore,
        throttle: Throttle,
        sign_in: SignInUser,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._throttle = throttle
        self._sign_in = sign_in
        self._clock = clock

    def of(self, user: User) -> Factors:
        """Return those that the user has."""
        with self._store.transaction() as records:
            totp = records.factors.totp(user.id)
            keys = records.factors.passkeys_of(user.id)
            left = records.factors.recovery_codes_left(user.id)
        return Factors(totp is not None and totp.is_confirmed, keys, left)

    def users_with_one(self) -> set[str]:
        """Return the ids of users who have a second factor."""
        with self._store.transaction() as records:
            return records.factors.users_with_one()

    # Signing in

    def begun(self, records: PeopleRecords, user: User) -> str:
        """Return the token of a new half sign-in of the user, whose password was right."""
        token, now = new_token(), self._clock()
        records.factors.forget_halves(now - HALF_S)
        records.factors.add_half(HalfSignIn(token_hash(token), user.id, now, 0), _MOST_HALVES)
        return token

    def user_of(self, half: str) -> User:
        """Return whose half sign-in this is. Unauthorized if it is good no more."""
        with self._store.transaction() as records:
            return self.half_of(records, half)

    def sign_in(self, half: str, code: str, address: str) -> str:
        """Return the token of a new session, for a code of the app or a recovery code.

        Unauthorized, whose `path` is "code" if that was wrong, and "half" if the password is
        needed again; TooManyRequests.
        """
        user = self.user_of(half)
        with self._throttle.trying(f"second {user.id}", f"address {address}"):
            with self._store.transaction() as records:
                records.factors.count_try(token_hash(half))
            with self._store.transaction() as records:
                if not self._fits(records, user.id, code):
                    raise Unauthorized("this code is not right, or was used before", path="code")
                return self.completed(records, half, address)

    def completed(self, records: PeopleRecords, half: str, address: str) -> str:
        """Turn a half sign-in into a session, once; Unauthorized as above."""
        user = self.half_of(records, half)
        records.factors.remove_half(token_hash(half))
        return self._sign_in(records, user, address)

    def half_of(self, records: PeopleRecords, half: str) -> User:
        """The same as `user_of`, within a transaction; Unauthorized alike."""
        found = records.factors.half(token_hash(half))
        is_over = found is None or found.created_at < self._clock() - HALF_S
        user = None if found is None else records.user(found.user_id)
        if found is None or user is None or is_over or found.tries > _MOST_TRIES:
            raise Unauthorized("sign in with your password again", path="half")
        return user

    def _fits(self, records: PeopleRecords, user_id: str, code: str) -> bool:
        plain = "".join(code.split()).replace("-", "").upper()
        if len(plain) != _DIGITS:
            return records.factors.take_recovery_code(user_id, token_hash(plain))
        totp = records.factors.totp(user_id)
        return totp is not None and totp.is_confirmed and self._takes(records, user_id, plain)

    def _takes(self, records: PeopleRecords, user_id: str, code: str) -> bool:
        totp = records.factors.totp(user_id)
        if totp is None:
            return False
        step = step_of(totp.secret, code, self._clock())
        return step is not None and records.factors.take_step(user_id, step)

    # The app

    def begin_app(self, user: User) -> Setup:
        """Return a new secret for the user's app; it counts once a code of it has come.

        Conflict if an app is set up already.
        """
        secret = secrets.token_bytes(_SECRET_BYTES)
        with self._store.transaction() as records:
            present = records.factors.totp(user.id)
            if present is not None and present.is_confirmed:
                raise Conflict("an app is set up already; remove it first")
            records.factors.put_totp(user.id, secret, self._clock())
        return _setup(secret, user.name)

    def setup(self, user: User) -> Setup:
        """Return what the app has to know, as long as no code of it has come; NotFound then."""
        with self._store.transaction() as records:
            totp = records.factors.totp(user.id)
        if totp is None or totp.is_confirmed:
            raise NotFound("no app is being set up")
        return _setup(totp.secret, user.name)

    def confirm_app(self, user: User, code: str, address: str) -> list[str]:
        """Take the app's first code; from now on it is asked for. Recovery codes, if there are
        none yet: they are told this once. Unauthorized if the code is wrong, NotFound.
        """
        self.setup(user)
        with (
            self._throttle.trying(f"second {user.id}", f"address {address}"),
            self._store.transaction() as records,
        ):
            if not self._takes(records, user.id, "".join(code.split())):
                raise Unauthorized("this code is not right, or was used before", path="code")
            return self.codes_if_none(records, user)

    def remove_app(self, user: User) -> None:
        """Ask for the app's codes no more."""
        with self._store.transaction() as records:
            records.factors.remove_totp(user.id)
            forget_codes_without_use(records, user.id)

    # Recovery codes

    def codes_if_none(self, records: PeopleRecords, user: User) -> list[str]:
        """Return new recovery codes unless the user has some."""
        if records.factors.recovery_codes_left(user.id):
            return []
        return _new_codes(records, user)

    def new_codes(self, user: User) -> list[str]:
        """Return new recovery codes in place of the former ones; told this once. Conflict if the
        user has no second factor.
        """
        with self._store.transaction() as records:
            if not records.factors.has_one(user.id):
                raise Conflict("there is no second factor yet")
            return _new_codes(records, user)

    # Somebody else's

    def reset(self, user_id: str) -> User:
        """Let a user sign in with the password alone again, everywhere anew; NotFound."""
        with self._store.transaction() as records:
            user = records.user(user_id)
            if user is None:
                raise NotFound("there is no such user")
            records.factors.remove_all(user.id)
            records.remove_sessions_of(user.id)
        return user


def step_of(secret: bytes, code: str, now: float) -> int | None:
    """Return RFC 6238's T of the code; None if it is not one of about now.

    All are compared, whichever fits.
    """
    totp = pyotp.TOTP(base64.b32encode(secret).decode(), digits=_DIGITS, interval=_STEP_S)
    present = int(now) // _STEP_S
    found = None
    for off in _STEPS_OFF:
        wanted = totp.generate_otp(present + off)
        if hmac.compare_digest(wanted.encode(), code.encode()):
            found = present + off
    return found


def forget_codes_without_use(records: PeopleRecords, user_id: str) -> None:
    """Recovery codes without a second factor would recover nothing."""
    if not records.factors.has_one(user_id):
        records.factors.remove_all(user_id)


def _setup(secret: bytes, name: str) -> Setup:
    totp = pyotp.TOTP(base64.b32encode(secret).decode())
    return Setup(totp.secret, totp.provisioning_uri(name=name, issuer_name=ISSUER))


def _new_codes(records: PeopleRecords, user: User) -> list[str]:
    codes = [
        base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode()
        for _ in range(RECOVERY_CODES)
    ]
    records.factors.put_recovery_codes(user.id, [token_hash(code) for code in codes])
    return ["-".join(code[n : n + 4] for n in range(0, len(code), 4)) for code in codes]
