# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Records of second factors; a part of the portal's records. What has to be secret is sealed."""

from dataclasses import asdict, dataclass, field

from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from muster_server.errors import Conflict
from muster_server.store.portal_tables import half_sign_ins, passkeys, recovery_codes, totps
from muster_server.store.secrets import SecretBox

_TABLES = (totps, passkeys, recovery_codes, half_sign_ins)


@dataclass(frozen=True)
class Totp:
    """The secret that a user's app has."""

    secret: bytes = field(repr=False)
    is_confirmed: bool
    last_step: int


@dataclass(frozen=True)
class Passkey:
    """A credential that an authenticator holds, and its public key."""

    id: str  # base64url
    user_id: str
    public_key: str = field(repr=False)  # COSE, base64url
    sign_count: int
    rp_id: str
    name: str
    created_at: float
    used_at: float | None


@dataclass(frozen=True)
class HalfSignIn:
    """A right password, for the next few minutes."""

    hash: str = field(repr=False)
    user_id: str
    created_at: float
    tries: int


class SecondFactorRecords:
    """Questions and deeds within one transaction."""

    def __init__(self, connection: Connection, box: SecretBox) -> None:
        self._connection = connection
        self._box = box

    # codes of an app

    def totp(self, user_id: str) -> Totp | None:
        """The user's secret; StoreError if it was sealed with another key."""
        query = select(totps).where(totps.c.user_id == user_id)
        row = self._connection.execute(query).mappings().first()
        if row is None:
            return None
        secret = self._box.open(row["secret"], "totp", "secret", user_id)
        return Totp(secret, bool(row["is_confirmed"]), row["last_step"])

    def put_totp(self, user_id: str, secret: bytes, at: float) -> None:
        """Keep a new secret, in place of a former one."""
        self.remove_totp(user_id)
        sealed = self._box.seal(secret, "totp", "secret", user_id)
        values = {"user_id": user_id, "secret": sealed, "created_at": at}
        self._connection.execute(insert(totps).values(is_confirmed=0, last_step=0, **values))

    def take_step(self, user_id: str, step: int) -> bool:
        """Note that the code of this step came; False if it, or a later one, has come before."""
        is_newer = (totps.c.user_id == user_id) & (totps.c.last_step < step)
        done = self._connection.execute(
            update(totps).where(is_newer).values(last_step=step, is_confirmed=1)
        )
        return done.rowcount == 1

    def remove_totp(self, user_id: str) -> None:
        """Forget the secret."""
        self._connection.execute(delete(totps).where(totps.c.user_id == user_id))

    # passkeys

    def passkeys_of(self, user_id: str) -> list[Passkey]:
        """All of a user, the oldest first."""
        query = select(passkeys).where(passkeys.c.user_id == user_id)
        rows = self._connection.execute(query.order_by(passkeys.c.created_at)).mappings()
        return [Passkey(**row) for row in rows]

    def passkey(self, passkey_id: str) -> Passkey | None:
        """The passkey of this id."""
        query = select(passkeys).where(passkeys.c.id == passkey_id)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else Passkey(**row)

    def add_passkey(self, passkey: Passkey) -> None:
        """Keep a new one; Conflict if it is there already."""
        try:
            self._connection.execute(insert(passkeys).values(asdict(passkey)))
        except IntegrityError:
            raise Conflict("this passkey is known already") from None

    def use_passkey(self, passkey: Passkey, sign_count: int, at: float) -> bool:
        """Note its use; False if it was used at the same time with the same count."""
        mine = (passkeys.c.id == passkey.id) & (passkeys.c.sign_count == passkey.sign_count)
        done = self._connection.execute(
            update(passkeys).where(mine).values(sign_count=sign_count, used_at=at)
        )
        return done.rowcount == 1

    def remove_passkey(self, user_id: str, passkey_id: str) -> None:
        """Forget a passkey of a user."""
        mine = (passkeys.c.user_id == user_id) & (passkeys.c.id == passkey_id)
        self._connection.execute(delete(passkeys).where(mine))

    # recovery codes

    def put_recovery_codes(self, user_id: str, hashes: list[str]) -> None:
        """Keep these in place of former ones."""
        self._connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
        rows = [{"hash": code_hash, "user_id": user_id} for code_hash in hashes]
        if rows:
            self._connection.execute(insert(recovery_codes), rows)

    def take_recovery_code(self, user_id: str, code_hash: str) -> bool:
        """Use one up; False if the user has no such code, or no longer."""
        mine = (recovery_codes.c.user_id == user_id) & (recovery_codes.c.hash == code_hash)
        return self._connection.execute(delete(recovery_codes).where(mine)).rowcount == 1

    def recovery_codes_left(self, user_id: str) -> int:
        """Return how many the user has not used."""
        mine = recovery_codes.c.user_id == user_id
        query = select(func.count()).select_from(recovery_codes).where(mine)
        return int(self._connection.execute(query).scalar_one())

    # sign-ins that wait

    def add_half(self, half: HalfSignIn, most: int) -> None:
        """Keep a new one, and of this user's the newest only."""
        self._connection.execute(insert(half_sign_ins).values(asdict(half)))
        mine = half_sign_ins.c.user_id == half.user_id
        query = select(half_sign_ins.c.hash).where(mine)
        newest = half_sign_ins.c.created_at.desc()
        kept = self._connection.execute(query.order_by(newest).limit(most)).scalars().all()
        self._connection.execute(
            delete(half_sign_ins).where(mine & half_sign_ins.c.hash.not_in(kept))
        )

    def half(self, token_hash: str) -> HalfSignIn | None:
        """The sign-in of this hash."""
        query = select(half_sign_ins).where(half_sign_ins.c.hash == token_hash)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else HalfSignIn(**row)

    def count_try(self, token_hash: str) -> None:
        """Note that somebody has tried."""
        mine = half_sign_ins.c.hash == token_hash
        tries = half_sign_ins.c.tries + 1
        self._connection.execute(update(half_sign_ins).where(mine).values(tries=tries))

    def remove_half(self, token_hash: str) -> bool:
        """Use it up; False if it is not there any more."""
        mine = half_sign_ins.c.hash == token_hash
        return self._connection.execute(delete(half_sign_ins).where(mine)).rowcount == 1

    def forget_halves(self, before: float) -> None:
        """Forget those whose time is over."""
        self._connection.execute(delete(half_sign_ins).where(half_sign_ins.c.created_at < before))

    # all of them

    def users_with_one(self) -> set[str]:
        """Return the ids of users who have a second factor."""
        apps = select(totps.c.user_id).where(totps.c.is_confirmed == 1)
        keys = select(passkeys.c.user_id)
        return {row[0] for row in self._connection.execute(apps.union(keys))}

    def has_one(self, user_id: str) -> bool:
        """Tell whether the password alone does not do."""
        confirmed = (totps.c.user_id == user_id) & (totps.c.is_confirmed == 1)
        app = self._connection.execute(select(totps.c.user_id).where(confirmed)).first()
        return app is not None or bool(self.passkeys_of(user_id))

    def remove_all(self, user_id: str) -> None:
        """Let the password alone do again."""
        for table in _TABLES:
            self._connection.execute(delete(table).where(table.c.user_id == user_id))


def check_portal_key(engine: Engine, box: SecretBox) -> None:
    """StoreError if something at the portal was sealed with a key that the box has not."""
    with engine.connect() as connection:
        row = connection.execute(select(totps.c.user_id, totps.c.secret).limit(1)).first()
    if row is not None:
        box.open(row.secret, "totp", "secret", row.user_id)
