# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Keep the token that a platform was asked for until it answers, and a check of the key."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("claim", sa.Column("asked", sa.JSON(none_as_null=True)))
    op.create_table(
        "key_check",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
