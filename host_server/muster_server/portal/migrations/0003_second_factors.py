# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Second factors: codes of an app, passkeys, recovery codes, and sign-ins that wait for one."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _user(**more: bool) -> sa.Column[str]:
    key = sa.ForeignKey("user.id", ondelete="CASCADE")
    return sa.Column("user_id", sa.Text, key, nullable=False, **more)  # type: ignore[arg-type]


def upgrade() -> None:
    op.create_table(
        "totp",
        _user(primary_key=True),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("is_confirmed", sa.Integer, nullable=False),
        sa.Column("last_step", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_table(
        "passkey",
        sa.Column("id", sa.Text, primary_key=True),
        _user(index=True),
        sa.Column("public_key", sa.Text, nullable=False),
        sa.Column("sign_count", sa.Integer, nullable=False),
        sa.Column("rp_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("used_at", sa.Float),
    )
    op.create_table(
        "recovery_code",
        sa.Column("hash", sa.Text, primary_key=True),
        _user(index=True),
    )
    op.create_table(
        "half_sign_in",
        sa.Column("hash", sa.Text, primary_key=True),
        _user(index=True),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
    )
