# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Contacts: when and from where each device was heard. Readers: accounts that only read."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "contact",
        sa.Column("claim_id", sa.Text, sa.ForeignKey("claim.id", ondelete="CASCADE")),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("k", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("is_believed", sa.Boolean, nullable=False),
        sa.Column("next_at", sa.Float),
        sa.PrimaryKeyConstraint("claim_id", "is_believed"),
    )
    op.create_table(
        "reader",
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("originator", sa.Text, nullable=False),
        sa.Column("token", sa.LargeBinary),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("owner", "name"),
    )
