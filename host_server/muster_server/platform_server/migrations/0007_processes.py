# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Keep for all processes what one had in memory: what is fetched from polling channels, who sends
notifications, and secrets that wait to be fetched.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("notifications", sa.Column("request", sa.String(16)))
    op.add_column("notifications", sa.Column("fetched_at", sa.Float))
    taken = sa.Column("taken", sa.Integer, nullable=False, server_default="0")
    op.add_column("notifications", taken)
    for name, columns, condition in (
        ("notifications_to_fetch", ["target", "seq"], "request IS NOT NULL"),
        ("notifications_to_take", ["seq"], "taken = 0 AND request IS NULL"),
    ):
        where = sa.text(condition)
        op.create_index(name, "notifications", columns, sqlite_where=where, postgresql_where=where)
    # What waits for an AE that polls, and is not sent with others, may be fetched.
    op.execute(
        "UPDATE notifications SET request = 'r' || CAST(seq AS VARCHAR(15))"
        " WHERE target LIKE 'pch:%' AND batch <= 1"
    )
    op.create_table(
        "handed_on",
        sa.Column("path", sa.String(512), primary_key=True),
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
