# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Records of who uses the portal: questions and deeds. Tokens are kept as hashes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from muster_server.errors import Conflict
from muster_server.store.audit import AuditStore
from muster_server.store.engine import Database
from muster_server.store.portal_tables import api_tokens, choices, invitations, sessions, users
from muster_server.store.second_factors import SecondFactorRecords
from muster_server.store.secrets import SecretBox
from muster_server.store.shared_secret import shared_secret
from muster_server.store.sql import Sql
from muster_server.store.transfers import TransferRecords
from muster_server.store.tries import TryRecords
from muster_server.store.webhooks import WebhookRecords


@dataclass(frozen=True)
class User:
    """A person with a password of their own. `owner`: whose devices they see."""

    id: str
    name: str
    password: str = field(repr=False)
    role: str
    owner: str
    created_at: float


@dataclass(frozen=True)
class Invitation:
    """The right to become a user, for whoever has its link."""

    hash: str = field(repr=False)
    role: str
    owner: str
    made_by: str | None
    created_at: float
    expires_at: float


@dataclass(frozen=True)
class Session:
    """A browser in which a user has signed in."""

    hash: str = field(repr=False)
    user_id: str
    created_at: float
    used_at: float
    address: str


@dataclass(frozen=True)
class APIToken:
    """A program's access, with the rights of its user at most."""

    hash: str = field(repr=False)
    id: str
    user_id: str
    name: str
    scope: str
    created_at: float
    expires_at: float


class PeopleStore:
    """The portal's database. The caller disposes of the engine."""

    def __init__(self, engine: Engine, box: SecretBox) -> None:
        self._database = Database(engine, rank=2)
        self._box = box
        self.audit = AuditStore(self._database)

    @contextmanager
    def transaction(self) -> Iterator["PeopleRecords"]:
        """Everything in the block happens, or nothing of it. Unavailable if it is busy."""
        with self._database.transaction() as connection:
            # Here, with the database's lock: whoever rotates the key waits for it, too.
            self._box.refresh()
            yield PeopleRecords(connection, self._box)

    @contextmanager
    def reading(self) -> Iterator["PeopleRecords"]:
        """The records as they are now, for questions alone. Unavailable if that cannot be had."""
        # Before: a key that is put into the file later has sealed nothing that is seen here.
        self._box.refresh()
        with self._database.reading() as connection:
            yield PeopleRecords(connection, self._box)

    def shared_secret(self) -> bytes | None:
        """A secret that all processes have, and no backup; None: there is one process."""
        if not self._database.is_shared:
            return None
        with self._database.transaction() as connection:
            return shared_secret(Sql(connection), '"user"')


class PeopleRecords:
    """Questions and deeds within one transaction."""

    def __init__(self, connection: Connection, box: SecretBox) -> None:
        self._connection = connection
        self.factors = SecondFactorRecords(connection, box)
        self.transfers = TransferRecords(connection)
        self.webhooks = WebhookRecords(connection, box)
        self.tries = TryRecords(Sql(connection))

    # users

    def user(self, user_id: str) -> User | None:
        """The user of this id."""
        return self._user(users.c.id == user_id)

    def user_named(self, name: str) -> User | None:
        """The user who signs in by this name, in small letters."""
        return self._user(users.c.name == name)

    def users(self) -> list[User]:
        """All users, by name."""
        rows = self._connection.execute(select(users).order_by(users.c.name)).mappings()
        return [User(**row) for row in rows]

    def count(self, role: str | None = None) -> int:
        """Return the number of users, or of those with a role."""
        query = select(func.count()).select_from(users)
        if role is not None:
            query = query.where(users.c.role == role)
        return int(self._connection.execute(query).scalar_one())

    def add_user(self, user: User) -> None:
        """Keep a new user; Conflict if the name is taken."""
        try:
            self._add(users, user)
        except IntegrityError:
            raise Conflict("this name is taken; choose another one", path="name") from None

    def change_password(self, user_id: str, password: str) -> None:
        """Put the hash of another password in place of the former."""
        self._connection.execute(
            update(users).where(users.c.id == user_id).values(password=password)
        )

    def remove_user(self, user_id: str) -> None:
        """Forget the user; sessions and tokens go with them."""
        self._connection.execute(delete(users).where(users.c.id == user_id))

    def _user(self, condition: Any) -> User | None:
        row = self._connection.execute(select(users).where(condition)).mappings().first()
        return None if row is None else User(**row)

    # invitations

    def add_invitation(self, invitation: Invitation) -> None:
        """Keep a new invitation."""
        self._add(invitations, invitation)

    def invitation(self, token_hash: str) -> Invitation | None:
        """The invitation of this hash."""
        query = select(invitations).where(invitations.c.hash == token_hash)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else Invitation(**row)

    def invitations(self) -> list[Invitation]:
        """All that nobody has used yet, the newest first."""
        query = select(invitations).order_by(invitations.c.created_at.desc())
        return [Invitation(**row) for row in self._connection.execute(query).mappings()]

    def remove_invitation(self, token_hash: str) -> None:
        """Forget one that was used or withdrawn."""
        self._connection.execute(delete(invitations).where(invitations.c.hash == token_hash))

    def remove_own_invitations(self) -> None:
        """Forget those that this server made itself at an earlier start."""
        self._connection.execute(delete(invitations).where(invitations.c.made_by.is_(None)))

    # sessions

    def add_session(self, session: Session) -> None:
        """Keep a new session."""
        self._add(sessions, session)

    def session(self, token_hash: str) -> Session | None:
        """The session of this hash."""
        query = select(sessions).where(sessions.c.hash == token_hash)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else Session(**row)

    def sessions_of(self, user_id: str) -> list[Session]:
        """All of a user, the newest first."""
        query = select(sessions).where(sessions.c.user_id == user_id)
        rows = self._connection.execute(query.order_by(sessions.c.used_at.desc())).mappings()
        return [Session(**row) for row in rows]

    def has_session_at(self, user_id: str, address: str) -> bool:
        """Tell whether the user has a session that began at this address."""
        mine = (sessions.c.user_id == user_id) & (sessions.c.address == address)
        return self._connection.execute(select(sessions.c.hash).where(mine)).first() is not None

    def use_session(self, token_hash: str, at: float) -> None:
        """Remember when it was used."""
        self._connection.execute(
            update(sessions).where(sessions.c.hash == token_hash).values(used_at=at)
        )

    def remove_session(self, token_hash: str) -> None:
        """End one session."""
        self._connection.execute(delete(sessions).where(sessions.c.hash == token_hash))

    def remove_sessions_of(self, user_id: str, besides: str = "") -> None:
        """End all sessions of a user, or all but one."""
        mine = (sessions.c.user_id == user_id) & (sessions.c.hash != besides)
        self._connection.execute(delete(sessions).where(mine))

    def forget_old(self, used_before: float, created_before: float, now: float) -> None:
        """Forget sessions, invitations and tokens whose time is over."""
        is_old = (sessions.c.used_at < used_before) | (sessions.c.created_at < created_before)
        self._connection.execute(delete(sessions).where(is_old))
        for table in (invitations, api_tokens):
            self._connection.execute(delete(table).where(table.c.expires_at < now))

    # tokens of the API

    def add_token(self, token: APIToken) -> None:
        """Keep a new token."""
        self._add(api_tokens, token)

    def token(self, token_hash: str) -> APIToken | None:
        """The token of this hash."""
        query = select(api_tokens).where(api_tokens.c.hash == token_hash)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else APIToken(**row)

    def tokens_of(self, user_id: str) -> list[APIToken]:
        """All of a user, the newest first."""
        query = select(api_tokens).where(api_tokens.c.user_id == user_id)
        rows = self._connection.execute(query.order_by(api_tokens.c.created_at.desc())).mappings()
        return [APIToken(**row) for row in rows]

    def remove_token(self, user_id: str, token_id: str) -> None:
        """Forget a token of a user."""
        mine = (api_tokens.c.user_id == user_id) & (api_tokens.c.id == token_id)
        self._connection.execute(delete(api_tokens).where(mine))

    # choices

    def choice(self, name: str) -> str | None:
        """Return what an administrator chose."""
        query = select(choices.c.value).where(choices.c.name == name)
        return self._connection.execute(query).scalar()

    def choose(self, name: str, value: str) -> None:
        """Remember it in place of a former choice."""
        self._connection.execute(delete(choices).where(choices.c.name == name))
        self._connection.execute(insert(choices).values(name=name, value=value))

    def _add(self, table: Table, record: Any) -> None:
        self._connection.execute(insert(table).values(asdict(record)))
