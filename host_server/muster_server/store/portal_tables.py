# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The portal's tables, as its newest migration leaves them."""

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

HEAD = "0006"

metadata = MetaData()

users = Table(
    "user",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("password", Text, nullable=False),  # as argon2id tells it, e.g. "$argon2id$v=19$…"
    Column("role", Text, nullable=False),
    Column("owner", Text, nullable=False, index=True),  # whose devices: "admin", "o-7k3m2p9qxa"
    Column("created_at", Float, nullable=False),
)

invitations = Table(
    "invitation",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("made_by", Text),  # a user's id; null: this server, at its first start
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
)

sessions = Table(
    "session",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("user.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("used_at", Float, nullable=False),
    Column("address", Text, nullable=False),
)

api_tokens = Table(
    "api_token",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("user_id", Text, ForeignKey("user.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
)

choices = Table(
    "choice",
    metadata,
    Column("name", Text, primary_key=True),  # e.g. "wifi_base"
    Column("value", Text, nullable=False),
)

# Triggers of the migration refuse to change or remove a line.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("who", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("deed", Text, nullable=False),  # e.g. "open window"
    Column("about", Text, nullable=False),  # e.g. "PRESS-4"
    Column("status", Integer, nullable=False),  # of HTTP
)

# A second factor: codes of an app, of one secret for each user.
totps = Table(
    "totp",
    metadata,
    Column("user_id", Text, ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
    Column("secret", LargeBinary, nullable=False),  # sealed
    Column("is_confirmed", Integer, nullable=False),  # 0 until a first code has come
    Column(
        "last_step", Integer, nullable=False
    ),  # of the newest code that was taken, RFC 6238's T
    Column("created_at", Float, nullable=False),
)

# A second factor, or both at once: what an authenticator has made for this portal.
passkeys = Table(
    "passkey",
    metadata,
    Column("id", Text, primary_key=True),  # the credential's, base64url
    Column("user_id", Text, ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("public_key", Text, nullable=False),  # COSE, base64url
    Column("sign_count", Integer, nullable=False),
    Column("rp_id", Text, nullable=False),  # the portal's host when it was made
    Column("name", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("used_at", Float),
)

recovery_codes = Table(
    "recovery_code",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
)

# Somebody whose password was right, and whose second factor has not come yet.
half_sign_ins = Table(
    "half_sign_in",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", Float, nullable=False),
    Column("tries", Integer, nullable=False),
)

# A device on its way from one owner to the next: first a code, then what is left to do.
transfers = Table(
    "transfer",
    metadata,
    Column("id", Text, primary_key=True),
    Column("device_id", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("made_by", Text, nullable=False),  # the name of the user who made the code
    Column("code_hash", Text, nullable=False, unique=True),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("taken_at", Float),
    Column("to_owner", Text),
    Column("to_do", Text),  # for the former owner, a JSON list of sentences; null: done
)

Index("transfer_of_owner", transfers.c.owner, transfers.c.device_id)
Index("transfer_to_owner", transfers.c.to_owner, transfers.c.device_id)

webhooks = Table(
    "webhook",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),  # whose devices it tells of
    Column("url", LargeBinary, nullable=False),  # sealed: many a URL is a password
    Column("secret", LargeBinary, nullable=False),  # sealed
    Column("events", Text, nullable=False),  # with blanks between, e.g. "device.failed"
    Column("created_at", Float, nullable=False),
    Column("is_enabled", Integer, nullable=False),  # 0 or 1
    Column("failing_since", Float),
    Column("place", Integer),  # up to which the configuration server's events are known
)

webhook_deliveries = Table(
    "webhook_delivery",
    metadata,
    Column("id", Text, primary_key=True),  # the message's, the same with each try
    Column("webhook_id", Text, ForeignKey("webhook.id", ondelete="CASCADE"), nullable=False),
    Column("event", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("state", Text, nullable=False),  # waiting, delivered, given_up
    Column("due_at", Float, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("outcome", Text, nullable=False),  # of the newest try, e.g. "HTTP 500"
    Column("tried_at", Float),
)

Index("webhook_delivery_due", webhook_deliveries.c.state, webhook_deliveries.c.due_at)
Index(
    "webhook_delivery_of",
    *(webhook_deliveries.c[name] for name in ("webhook_id", "state", "created_at")),
)

# Who failed to sign in, or to enter a code; all processes of a portal know it together.
failed_tries = Table(
    "failed_try",
    metadata,
    Column("who", Text, primary_key=True),  # SHA-256 of e.g. "name ada", "address 192.0.2.7"
    Column("count", Integer, nullable=False),  # one after another
    Column("at", Float, nullable=False),  # when the newest was
)

used_challenges = Table(
    "used_challenge",
    metadata,
    Column("hash", Text, primary_key=True),  # SHA-256
    Column("until", Float, nullable=False),  # then nobody takes it anyway
)

Index("failed_try_at", failed_tries.c.at)
Index("used_challenge_until", used_challenges.c.until)
