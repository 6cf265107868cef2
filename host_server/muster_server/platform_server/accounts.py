# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Accounts: which originators there are, and which tokens each may use.

A token works for one originator only and is stored as its hash. An account may have several, so
that a new configuration's token can be proved before the former one is revoked:

    PUT    /accounts/{originator}               an account (kept if it is there) and a token; with
                                                token_id={id} in place of the former one of that id
    DELETE /accounts/{originator}/tokens/{id}   revokes one
    DELETE /accounts/{originator}               revokes everything; the AE and its data stay unless
                                                remove_ae=true
    GET    /accounts/{originator}/history       what was seen of it, and its newest timeline
    PUT    /readers/{originator}?policy={name}  an account that only reads what the policy names;
                                                with kind=application one that commands, too
    POST   /policies/{name}/members             names device accounts in a policy

Each takes effect at once: every request is checked against the database.
"""

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial

from muster_server import tokens
from muster_server.errors import Conflict, Invalid, NotFound, Unauthorized
from muster_server.platform_server import resource_types as types
from muster_server.platform_server import turns
from muster_server.platform_server.access import ADMIN, DEVICE, READER, Caller
from muster_server.platform_server.bounds import Bounds
from muster_server.platform_server.policies import Policies
from muster_server.platform_server.response_codes import BadRequest, SecurityAssociationRequired
from muster_server.platform_server.timestamps import timestamp
from muster_server.store.platform import PlatformStore, Resource, Rows, Token
from muster_server.store.platform_history import Sight

_TIMELINES = "muster"  # the container in which a device leaves its timeline
# An AE-ID that its owner chose: "C" and 1 to 63 characters that need no escape in an address.
_ORIGINATOR = re.compile(r"C[A-Za-z0-9._~-]{1,63}", re.ASCII)


@dataclass(frozen=True)
class IssuedToken:
    """The only time that the token itself is seen."""

    originator: str
    token_id: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class TokenEntry:
    token_id: str
    created: str  # e.g. "20261123T075904,012551"


@dataclass(frozen=True)
class AccountEntry:
    originator: str
    created: str
    tokens: tuple[TokenEntry, ...]


class Accounts:
    """Rules for accounts; `admin_token_hashes` are those that speak for CAdmin."""

    def __init__(
        self,
        store: PlatformStore,
        admin_token_hashes: Callable[[], frozenset[str]],
        clock: Callable[[], float],
        bounds: Bounds,
    ) -> None:
        self._store = store
        self._admin_token_hashes = admin_token_hashes
        self._clock = clock
        self._bounds = bounds

    def authenticate(
        self, rows: Rows, token: str | None, originator: str, *, assigns: bool = False
    ) -> Caller:
        """Return who asks, if the token is good and belongs to this originator. If the platform
        `assigns` one, it is the account's that the token belongs to.

        Raises Unauthorized if the token is missing or nobody's, BadRequest if no originator is
        named, SecurityAssociationRequired (4107) if the token is another originator's. The last is
        not 4103: what is missing is not a privilege but the proof of who asks.
        """
        if token is None:
            raise Unauthorized("send the account's token as Authorization: Bearer …")
        hash_ = tokens.token_hash(token)
        is_admin = tokens.is_any(hash_, self._admin_token_hashes())
        holder = None if is_admin else rows.asked.holder(hash_)
        if not is_admin and holder is None:
            raise Unauthorized("this token is not known, or it was revoked")
        owner = ADMIN if holder is None else holder.originator
        if assigns and not is_admin:
            originator = owner
        if not originator:
            raise BadRequest("X-M2M-Origin: required, and missing")
        if not hmac.compare_digest(owner.encode(), originator.encode()):
            raise SecurityAssociationRequired("this token belongs to another originator")
        if holder is None:
            return Caller(originator, True, None)
        return _Asking(rows, originator, holder.kind, holder.policy)

    def caller_of(self, rows: Rows, originator: str) -> Caller | None:
        """The caller that this originator would be; None if it has no account any more."""
        if originator != ADMIN and not rows.has_account(originator):
            return None
        return self._caller(rows, originator)

    def _caller(self, rows: Rows, originator: str) -> Caller:
        if originator == ADMIN:
            return Caller(originator, True, None)
        policy, kind = rows.readers.kind_of(originator) or (None, None)
        return _Asking(rows, originator, kind, policy)

    def open_account(self, originator: str, token_id: str | None = None) -> IssuedToken:
        """Make the account unless it is there, and issue a token for it; others stay valid.

        With `token_id` the token takes the place of the account's former one of that id: who did
        not hear the answer asks again, and leaves nothing behind.
        """
        _check_originator(originator)
        with self._store.transaction({originator}) as rows:
            now = self._clock()
            is_new = rows.add_account(originator, timestamp(now))
            return self._issue(rows, originator, token_id, now, is_new=is_new)

    def open_reader(
        self,
        originator: str,
        policy: str,
        token_id: str | None = None,
        kind: str = READER,
    ) -> IssuedToken:
        """Make an account that reads what the policy names and does nothing else, or that of an
        application, unless it is there, and issue a token for it. Conflict if the account is a
        device's, or one of the other kind.
        """
        _check_originator(originator)
        with self._store.transaction({originator}) as rows:
            former = rows.readers.kind_of(originator)
            if former is None and rows.has_account(originator):
                raise Conflict("this originator has an account that is no reader's")
            if former is not None and former[1] != kind:
                raise Conflict(f"this originator's account is that of a {former[1]}")
            now = self._clock()
            is_new = former is None and rows.add_account(originator, timestamp(now))
            rows.readers.put(originator, policy, kind)
            return self._issue(rows, originator, token_id, now, is_new=is_new)

    def name_in_policy(self, policy: str, originators: list[str]) -> None:
        """Open these accounts' AEs to the policy's readers, until the accounts are closed. Who has
        no account is passed over: there is nothing to open.
        """
        about = set(originators) if len(originators) <= turns.MOST else None
        with self._store.transaction(about) as rows:
            there = [o for o in originators if rows.has_account(o)]
            rows.readers.add_members(policy, there)

    def entries(self, after: str, limit: int) -> list[AccountEntry]:
        """Accounts in the order of their originators, from the one after `after`."""
        with self._store.reading() as rows:
            accounts = rows.accounts(after, limit)
            issued = rows.tokens_of(originator for originator, _ in accounts)
        return [
            AccountEntry(
                originator,
                created,
                tuple(TokenEntry(t.token_id, t.ct) for t in issued if t.originator == originator),
            )
            for originator, created in accounts
        ]

    def history(self, originator: str) -> tuple[list[Sight], Resource | None]:
        """Return what was seen of the originator, and the newest timeline of its device."""
        with self._store.reading() as rows:
            seen = rows.history.of(originator)
            entity = _ae_of(rows, originator)
            container = rows.resource_at(f"{entity.path}/{_TIMELINES}") if entity else None
            if container is None:
                return seen, None
            return seen, rows.edge(container.ri, types.CONTENT_INSTANCE, newest=True)

    def revoke_token(self, originator: str, token_id: str) -> None:
        with self._store.transaction({originator}) as rows:
            _check_token(rows, originator, token_id)
            rows.remove_token(token_id)
            rows.history.note(originator, Sight(self._clock(), "token_revoked"))

    def close_account(self, originator: str, *, remove_ae: bool) -> None:
        """Revoke all tokens and forget the account; with `remove_ae` its AE and data go too."""
        with self._store.transaction(None if remove_ae else {originator}) as rows:
            _check_account(rows, originator)
            rows.remove_account(originator)
            rows.history.note(originator, Sight(self._clock(), "account_closed"))
            if remove_ae and _ae_of(rows, originator):
                rows.remove(originator)

    def _issue(
        self, rows: Rows, originator: str, token_id: str | None, now: float, *, is_new: bool
    ) -> IssuedToken:
        """Issue a token for an account, which has none yet if it `is_new`."""
        if not is_new:
            self._make_room(rows, originator, token_id)
        issued = IssuedToken(originator, token_id or secrets.token_hex(8), tokens.new_token())
        hash_ = tokens.token_hash(issued.token)
        if not rows.add_token(Token(issued.token_id, originator, hash_, timestamp(now))):
            raise Conflict("another account has a token with this id; choose another one")
        token_issued = Sight(now, "token_issued")
        if is_new:
            rows.history.begin(originator, Sight(now, "account_made"), token_issued)
        else:
            rows.history.note(originator, token_issued)
        return issued

    def _make_room(self, rows: Rows, originator: str, token_id: str | None) -> None:
        """End the account's token of this id. Conflict if it has too many others."""
        held = [token.token_id for token in rows.tokens_of([originator])]
        if token_id in held:
            rows.remove_token(token_id)
            held.remove(token_id)
        most = self._bounds.tokens_per_account
        if len(held) >= most:
            raise Conflict(f"the account has {most} tokens already; revoke some first")


class _Asking(Caller):
    """A caller whose AE is looked for when it is asked for."""

    def __init__(self, rows: Rows, originator: str, kind: str | None, policy: str | None) -> None:
        named = _nobody if policy is None else partial(rows.readers.is_member, policy)
        policies = Policies(rows, originator)
        self.__dict__.update(
            originator=originator,
            is_admin=False,
            kind=kind or DEVICE,
            policy=policy,
            is_named=named,
            policies=policies,
            _rows=rows,
        )

    @cached_property
    def ae(self) -> Resource | None:
        return _ae_of(self.__dict__["_rows"], self.originator)


def _nobody(originator: str) -> bool:
    return False


def _ae_of(rows: Rows, originator: str) -> Resource | None:
    resource = rows.resource(originator)
    return resource if resource and resource.ty == types.AE else None


def _check_originator(originator: str) -> None:
    if not _ORIGINATOR.fullmatch(originator):
        wanted = '"C" and 1 to 63 of A-Z a-z 0-9 . _ ~ -'
        raise Invalid(f"wanted {wanted}", path="originator")
    if originator == ADMIN:
        raise Conflict(f"{ADMIN} is the administrator: it has no account")


def _check_account(rows: Rows, originator: str) -> None:
    if not rows.has_account(originator):
        raise NotFound("there is no account for this originator")


def _check_token(rows: Rows, originator: str, token_id: str) -> None:
    if all(token.token_id != token_id for token in rows.tokens_of([originator])):
        raise NotFound("the account has no token with this id")
