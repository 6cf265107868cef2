# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Failed tries and used challenges, which all processes of a portal know together."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "failed_try",
        sa.Column("who", sa.Text, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_index("failed_try_at", "failed_try", ["at"])
    op.create_table(
        "used_challenge",
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column("until", sa.Float, nullable=False),
    )
    op.create_index("used_challenge_until", "used_challenge", ["until"])
