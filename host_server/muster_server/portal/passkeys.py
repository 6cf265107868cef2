# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The rules of passkeys (WebAuthn Level 2): made at the account's page, used to sign in.

A passkey is bound to the portal's host: the browser gives it to no other. It asks its holder for a
finger, a face or a PIN, so it signs in without a password; and it is a second factor beside one.
"""

import ipaddress
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from muster_server.errors import Conflict, HostError, Invalid, Unauthorized
from muster_server.portal.challenges import Challenges
from muster_server.portal.second_factor import (
    ISSUER,
    SecondFactors,
    SignInUser,
    forget_codes_without_use,
)
from muster_server.portal.throttle import Throttle
from muster_server.store.people import PeopleStore, User
from muster_server.store.second_factors import Passkey

# webauthn is imported late: it takes 0.15 s, and only who uses a passkey needs it.

NAME = (1, 64)
MOST = 20  # of a user
REFUSED = "this passkey was not accepted"
_SIGN_IN = "sign in"
T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """The portal as a browser sees it: the host that passkeys are bound to, and the origin."""

    host: str
    origin: str  # e.g. "https://portal.example"

    @property
    def takes_passkeys(self) -> bool:
        """Tell whether browsers bind passkeys to this host: to a name, and to no address."""
        try:
            ipaddress.ip_address(self.host.strip("[]"))
        except ValueError:
            return bool(self.host)
        return False


class Passkeys:
    """Passkeys of users. `clock` is in Unix seconds; `sign_in` makes a session's token."""

    def __init__(
        self,
        store: PeopleStore,
        throttle: Throttle,
        second: SecondFactors,
        sign_in: SignInUser,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._throttle = throttle
        self._second = second
        self._sign_in = sign_in
        self._clock = clock
        self._challenges = Challenges(store, clock)

    # Making one

    def options_to_make(self, user: User, place: Place) -> str:
        """Return what the browser is asked for when the user makes a passkey, as JSON."""
        import webauthn
        from webauthn.helpers import structs

        with self._store.transaction() as records:
            known = records.factors.passkeys_of(user.id)
        options = webauthn.generate_registration_options(
            rp_id=place.host,
            rp_name=ISSUER,
            user_name=user.name,
            user_id=user.id.encode(),
            challenge=self._challenges.make(f"make {user.id}"),
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.REQUIRED,
                user_verification=structs.UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=_described(known),
        )
        return webauthn.options_to_json(options)

    def add(self, user: User, name: str, credential: str, place: Place) -> list[str]:
        """Keep a passkey that the browser has made. Recovery codes, if there are none yet.

        Invalid for its name, Unauthorized for a credential that proves nothing, Conflict for one
        too many.
        """
        import webauthn

        name = name.strip()
        if not NAME[0] <= len(name) <= NAME[1]:
            raise Invalid("wanted 1 to 64 characters", path="passkey_name")
        made: Any = _checked(
            lambda: webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=self._challenge(credential, f"make {user.id}"),
                expected_rp_id=place.host,
                expected_origin=place.origin,
                require_user_verification=True,
            )
        )
        passkey = Passkey(
            webauthn.helpers.bytes_to_base64url(made.credential_id),
            user.id,
            webauthn.helpers.bytes_to_base64url(made.credential_public_key),
            made.sign_count,
            place.host,
            name,
            self._clock(),
            None,
        )
        with self._store.transaction() as records:
            if len(records.factors.passkeys_of(user.id)) >= MOST:
                raise Conflict("there are too many passkeys; remove one first")
            records.factors.add_passkey(passkey)
            return self._second.codes_if_none(records, user)

    def remove(self, user: User, passkey_id: str) -> None:
        """Take a passkey of the user no more."""
        with self._store.transaction() as records:
            records.factors.remove_passkey(user.id, passkey_id)
            forget_codes_without_use(records, user.id)

    # Signing in

    def options_to_sign_in(self, place: Place, user: User | None = None) -> str:
        """Return what the browser is asked for: any passkey of this host, or one of the user's."""
        import webauthn
        from webauthn.helpers import structs

        known: list[Passkey] = []
        if user is not None:
            with self._store.transaction() as records:
                known = records.factors.passkeys_of(user.id)
        options = webauthn.generate_authentication_options(
            rp_id=place.host,
            challenge=self._challenges.make(_SIGN_IN),
            allow_credentials=_described([key for key in known if key.rp_id == place.host]),
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        )
        return webauthn.options_to_json(options)

    def sign_in(self, credential: str, place: Place, address: str, half: str = "") -> str:
        """Return the token of a new session; with a half sign-in, of the same user alone.

        Unauthorized, whose `path` is "passkey" or "half"; TooManyRequests.
        """
        with self._throttle.trying(f"passkey {address}", f"address {address}"):
            user_id = self._user_of(credential, place)
            with self._store.transaction() as records:
                user = records.user(user_id)
                if half:
                    if self._second.half_of(records, half).id != user_id:
                        raise _refused()
                    return self._second.completed(records, half, address)
                if user is None:
                    raise _refused()
                return self._sign_in(records, user, address)

    def user_named_by(self, credential: str) -> str:
        """Return the name of the user whose passkey this claims to be; empty if nobody's."""
        try:
            found = self._find(credential)
            with self._store.transaction() as records:
                user = records.user(found.user_id)
        except HostError:
            return ""
        return "" if user is None else user.name

    def _user_of(self, credential: str, place: Place) -> str:
        import webauthn
        from webauthn.helpers import base64url_to_bytes

        passkey = self._find(credential)
        if passkey.rp_id != place.host:
            raise _refused()
        proved: Any = _checked(
            lambda: webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=self._challenge(credential, _SIGN_IN),
                expected_rp_id=passkey.rp_id,
                expected_origin=place.origin,
                credential_public_key=base64url_to_bytes(passkey.public_key),
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        )
        with self._store.transaction() as records:
            if not records.factors.use_passkey(passkey, proved.new_sign_count, self._clock()):
                raise _refused()
        return passkey.user_id

    def _find(self, credential: str) -> Passkey:
        from webauthn.helpers import bytes_to_base64url, parse_authentication_credential_json

        given: Any = _checked(lambda: parse_authentication_credential_json(credential))
        with self._store.transaction() as records:
            passkey = records.factors.passkey(bytes_to_base64url(given.raw_id))
        if passkey is None:
            raise _refused()
        return passkey

    def _challenge(self, credential: str, purpose: str) -> bytes:
        """Return the challenge that was signed, now used up; Unauthorized unless it is ours."""
        from webauthn.helpers import base64url_to_bytes, parse_client_data_json

        def signed() -> bytes:
            response = json.loads(credential)["response"]
            return parse_client_data_json(base64url_to_bytes(response["clientDataJSON"])).challenge

        challenge: bytes = _checked(signed)
        if not self._challenges.take(challenge, purpose):
            raise Unauthorized("the page was open for too long; try again", path="passkey")
        return challenge


def _described(known: list[Passkey]) -> list[Any]:
    from webauthn.helpers import base64url_to_bytes, structs

    return [structs.PublicKeyCredentialDescriptor(id=base64url_to_bytes(k.id)) for k in known]


def _checked(ask: Callable[[], T]) -> T:
    """Ask the library; Unauthorized if what a browser sent is not as it should be."""
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        return ask()
    except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError):
        raise _refused() from None


def _refused() -> Unauthorized:
    return Unauthorized(REFUSED, path="passkey")
