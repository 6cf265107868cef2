# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The rules of who uses the portal: passwords, invitations, sessions and tokens. No HTTP, no SQL.

What opens something (a session, an invitation, a token) has 256 random bits, and is kept as its
hash: whoever reads the database can open nothing with it.
"""

import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from muster_server.errors import Conflict, Invalid, NotFound, Unauthorized, Unavailable
from muster_server.portal.access import HOUSE, RIGHTS, ROLES, SCOPES, Caller
from muster_server.portal.passkeys import Passkeys
from muster_server.portal.second_factor import SecondFactors
from muster_server.portal.throttle import Throttle
from muster_server.store.audit import AuditStore
from muster_server.store.people import (
    APIToken,
    Invitation,
    PeopleRecords,
    PeopleStore,
    Session,
    User,
)
from muster_server.tokens import new_token, token_hash

PASSWORD = (12, 256)  # characters
NAME = (1, 64)
TOKEN_NAME = (1, 64)
IDLE_S = 7 * 86400.0
LONGEST_S = 30 * 86400.0
INVITATION_S = 7 * 86400.0
TOKEN_DAYS = (1, 366)
# Each try takes 64 MiB for a moment.
_AT_ONCE = 2
_USED_EVERY_S = 60.0
_WIFI_BASE = "wifi_base"
_NAME = re.compile(r"[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?")


@dataclass(frozen=True)
class Visitor:
    """A user in the browser in which they have signed in."""

    user: User
    session: Session

    @property
    def caller(self) -> Caller:
        """The same person as the service knows them."""
        return Caller(self.user.owner, ROLES[self.user.role], self.user.name, self.user.id)


@dataclass(frozen=True)
class SignIn:
    """The result of a right password: a session, or what waits for a second factor. A repr shows
    neither.
    """

    session: str = field(default="", repr=False)
    half: str = field(default="", repr=False)


class People:
    """Users, and what opens the portal to them. `clock` is in Unix seconds."""

    def __init__(
        self,
        store: PeopleStore,
        clock: Callable[[], float] = time.time,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.throttle = Throttle(store, clock)
        self._hasher = hasher or PasswordHasher()  # argon2id; RFC 9106's second choice
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self.second = SecondFactors(store, self.throttle, self._signed_in, clock)
        self.passkeys = Passkeys(store, self.throttle, self.second, self._signed_in, clock)
        # For a name that nobody has: it takes as long to refuse as one that somebody has.
        self._nobodys = self._hasher.hash(secrets.token_urlsafe(32))

    @property
    def audit(self) -> AuditStore:
        """The log of what is done at the portal."""
        return self.store.audit

    # The first administrator

    def first_invitation(self) -> str | None:
        """Return a new code for the first administrator; None once there is a user.

        That of an earlier start is good no more.
        """
        with self.store.transaction() as records:
            if records.count():
                return None
            records.remove_own_invitations()
            return self._invited(records, "administrator", HOUSE, None)

    # Invitations

    def invite(self, by: User, role: str) -> str:
        """Return a new code that makes its holder a user. Invalid for a role that `by` has not
        to give: administrators give all, owners the viewer's of their own devices.
        """
        if role not in ROLES or (by.role != "administrator" and (by.role, role) != _OWNERS_GUEST):
            raise Invalid("you cannot invite anybody to this role", path="role")
        owner = f"o-{secrets.token_hex(5)}" if role == "owner" else by.owner
        with self.store.transaction() as records:
            return self._invited(records, role, owner, by.id)

    def invitations(self, by: User) -> list[Invitation]:
        """Return those that are open: all for an administrator, their own for others."""
        with self.store.transaction() as records:
            found = records.invitations()
        now = self.clock()
        is_all = by.role == "administrator"
        return [i for i in found if i.expires_at > now and (is_all or i.made_by == by.id)]

    def withdraw(self, by: User, invitation_hash: str) -> None:
        """Forget an open invitation. NotFound if it is not one of `by`."""
        if invitation_hash not in {i.hash for i in self.invitations(by)}:
            raise NotFound("there is no such invitation")
        with self.store.transaction() as records:
            records.remove_invitation(invitation_hash)

    def join(self, code: str, name: str, password: str, address: str) -> str:
        """Become a user by an invitation, and sign in: the session's token.

        Invalid, Conflict or Unauthorized, whose `path` is the field at fault; TooManyRequests.
        """
        name = checked_name(name)
        check_password(password, name)
        # Of a refused name or password nobody learns anything: only the code is a guess.
        with (
            self.throttle.trying(f"code {address}", f"address {address}"),
            self.store.transaction() as records,
        ):
            invitation = records.invitation(token_hash(code.strip()))
            if invitation is None or invitation.expires_at < self.clock():
                raise Unauthorized("this invitation is not good any more", path="code")
        hashed = self._hashed(password)
        with self.store.transaction() as records:
            if records.invitation(invitation.hash) is None:
                raise Unauthorized("this invitation is not good any more", path="code")
            user = User(
                secrets.token_hex(8),
                name,
                hashed,
                invitation.role,
                invitation.owner,
                self.clock(),
            )
            records.add_user(user)
            records.remove_invitation(invitation.hash)
            return self._signed_in(records, user, address)

    def _invited(self, records: PeopleRecords, role: str, owner: str, by: str | None) -> str:
        code, now = new_token(), self.clock()
        records.add_invitation(
            Invitation(token_hash(code), role, owner, by, now, now + INVITATION_S)
        )
        return code

    # Sessions

    def sign_in(self, name: str, password: str, address: str) -> SignIn:
        """Return the token of a new session, or of a half sign-in if the user has a second factor.

        Unauthorized for an unknown name and for a wrong password alike, and in the same time;
        TooManyRequests after several tries.
        """
        name = name.strip().casefold()[: NAME[1]]
        with self.store.transaction() as records:
            user = records.user_named(name)
            is_familiar = user is not None and records.has_session_at(user.id, address)
        # Where somebody is signed in already, strangers' guesses elsewhere are not waited for.
        who = f"name {name} at {address}" if is_familiar else f"name {name}"
        with self.throttle.trying(who, f"address {address}"):
            is_right = self._is_right(user.password if user else self._nobodys, password)
            if user is None or not is_right:
                raise Unauthorized("name or password is wrong")
        with self.store.transaction() as records:
            now = self.clock()
            records.forget_old(now - IDLE_S, now - LONGEST_S, now)
            if records.factors.has_one(user.id):
                return SignIn(half=self.second.begun(records, user))
            return SignIn(session=self._signed_in(records, user, address))

    def visitor(self, token: str) -> Visitor | None:
        """Return who has signed in with this token; None if nobody, or not any more."""
        now = self.clock()
        with self.store.transaction() as records:
            session = records.session(token_hash(token))
            if session is None:
                return None
            user = records.user(session.user_id)
            is_old = now - session.used_at > IDLE_S or now - session.created_at > LONGEST_S
            if user is None or is_old:
                records.remove_session(session.hash)
                return None
            if now - session.used_at > _USED_EVERY_S:
                records.use_session(session.hash, now)
        return Visitor(user, session)

    def sessions(self, user: User) -> list[Session]:
        """Return where the user has signed in, the newest first."""
        with self.store.transaction() as records:
            return records.sessions_of(user.id)

    def sign_out(self, visitor: Visitor, session_hash: str | None = None) -> None:
        """End this session, or another one of the same user."""
        session_hash = session_hash or visitor.session.hash
        with self.store.transaction() as records:
            session = records.session(session_hash)
            if session is not None and session.user_id == visitor.user.id:
                records.remove_session(session_hash)

    def change_password(self, visitor: Visitor, old: str, new: str) -> None:
        """Put another password in place; all other sessions of the user end.

        Unauthorized if the old one is wrong, Invalid if the new one will not do; both name the
        field.
        """
        user = visitor.user
        self.confirm(visitor, old, "old")
        check_password(new, user.name, "new")
        hashed = self._hashed(new)
        with self.store.transaction() as records:
            records.change_password(user.id, hashed)
            records.remove_sessions_of(user.id, besides=visitor.session.hash)

    def confirm(self, visitor: Visitor, password: str, path: str = "password") -> None:
        """Unauthorized unless this is the visitor's password: a session alone, left open
        somewhere, must not change how one signs in. TooManyRequests after several tries.
        """
        self.confirm_user(visitor.user, password, visitor.session.address, path)

    def confirm_user(self, user: User, password: str, address: str, path: str) -> None:
        """The same for a user who asks from this address with a token; Unauthorized alike."""
        # Not by the name: everybody can fail at that, without a session or a token.
        with self.throttle.trying(f"user {user.id}", f"address {address}"):
            if not self._is_right(user.password, password):
                raise Unauthorized("this is not your present password", path=path)

    def end_others(self, visitor: Visitor) -> None:
        """End all sessions of the user but this one."""
        with self.store.transaction() as records:
            records.remove_sessions_of(visitor.user.id, besides=visitor.session.hash)

    def _signed_in(self, records: PeopleRecords, user: User, address: str) -> str:
        token, now = new_token(), self.clock()
        records.add_session(Session(token_hash(token), user.id, now, now, address))
        return token

    # Users

    def users(self, by: User) -> list[User]:
        """All users for an administrator, and for others those who see the same devices."""
        with self.store.transaction() as records:
            found = records.users()
        return [u for u in found if by.role == "administrator" or u.owner == by.owner]

    def remove(self, by: User, user_id: str) -> None:
        """Forget a user, whose sessions and tokens end at once.

        NotFound if `by` cannot: administrators remove all, owners their viewers. Conflict for
        the last administrator.
        """
        with self.store.transaction() as records:
            user = records.user(user_id)
            mine = user is not None and (by.role, user.role, user.owner) == (
                *_OWNERS_GUEST,
                by.owner,
            )
            if user is None or not (by.role == "administrator" or mine):
                raise NotFound("there is no such user")
            if user.role == "administrator" and records.count("administrator") == 1:
                raise Conflict("nobody could invite anybody then: this is the last administrator")
            records.remove_user(user.id)

    # Tokens of the API

    def add_token(self, user: User, name: str, scope: str, days: int) -> str:
        """Return a new token, told this once. Invalid names the field that is wrong."""
        if not TOKEN_NAME[0] <= len(name.strip()) <= TOKEN_NAME[1]:
            raise Invalid("wanted 1 to 64 characters", path="name")
        if scope not in SCOPES or RIGHTS.index(scope) > RIGHTS.index(ROLES[user.role]):
            raise Invalid("your role does not have this right itself", path="scope")
        if not TOKEN_DAYS[0] <= days <= TOKEN_DAYS[1]:
            raise Invalid("wanted 1 to 366 days", path="days")
        token, now = new_token(), self.clock()
        record = APIToken(
            token_hash(token),
            secrets.token_hex(8),
            user.id,
            name.strip(),
            scope,
            now,
            now + days * 86400.0,
        )
        with self.store.transaction() as records:
            records.add_token(record)
        return token

    def tokens(self, user: User) -> list[APIToken]:
        """Return those of a user that are good, without what opens."""
        with self.store.transaction() as records:
            return [t for t in records.tokens_of(user.id) if t.expires_at > self.clock()]

    def remove_token(self, user: User, token_id: str) -> None:
        """Make a token of the user good for nothing."""
        with self.store.transaction() as records:
            records.remove_token(user.id, token_id)

    def caller_with(self, token: str) -> Caller | None:
        """Return whose token of the API this is, with what it may do; None if it is none."""
        with self.store.reading() as records:
            found = records.token(token_hash(token))
            if found is None or found.expires_at <= self.clock():
                return None
            user = records.user(found.user_id)
        if user is None:
            return None
        right = min(found.scope, ROLES[user.role], key=RIGHTS.index)
        return Caller(user.owner, right, user.name, user.id)

    # Choices

    @property
    def wifi_base(self) -> str | None:
        """The profile from which "my Wi-Fi" takes all but the network."""
        with self.store.transaction() as records:
            return records.choice(_WIFI_BASE)

    def choose_wifi_base(self, profile: str) -> None:
        """Take this profile from now on."""
        with self.store.transaction() as records:
            records.choose(_WIFI_BASE, profile)

    # Passwords

    def _is_right(self, hashed: str, password: str) -> bool:
        with self._place():
            try:
                return self._hasher.verify(hashed, password[: PASSWORD[1] + 1])
            except (Argon2Error, InvalidHashError):
                return False

    def _hashed(self, password: str) -> str:
        with self._place():
            return self._hasher.hash(password)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(timeout=_PATIENCE_S):
            raise Unavailable("too many people sign in at once", retry_s=2)
        try:
            yield
        finally:
            self._places.release()


_OWNERS_GUEST = ("owner", "viewer")
_PATIENCE_S = 5.0


def _may_remove(by: User, user: User) -> bool:
    is_guest = (by.role, user.role) == _OWNERS_GUEST and by.owner == user.owner
    return by.role == "administrator" or is_guest


def checked_name(name: str) -> str:
    """Return the name as it is kept, in small letters. Invalid if it can be none."""
    name = name.strip().casefold()
    if not NAME[0] <= len(name) <= NAME[1] or not _NAME.fullmatch(name):
        raise Invalid("wanted 1 to 64 characters", path="name")
    return name


def check_password(password: str, name: str, path: str = "password") -> None:
    """Invalid if this can be no password of this user.

    Length is what counts (NIST SP 800-63B, 3.1.1.2): no rules about kinds of characters.
    """
    if not PASSWORD[0] <= len(password) <= PASSWORD[1]:
        raise Invalid("wanted 12 to 256 characters", path=path)
    if len(set(password)) < 4 or name in password.casefold() and len(name) > 5:
        raise Invalid("this one is guessed easily; several words are better", path=path)
