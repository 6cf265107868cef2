# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Keep changes that were made at a platform, and what a platform was told of each device."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "device_change",
        sa.Column("claim_id", sa.Text, sa.ForeignKey("claim.id", ondelete="CASCADE")),
        sa.Column("field", sa.Text),
        sa.Column("document", sa.LargeBinary, nullable=False),  # sealed
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.Integer),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("claim_id", "field"),
    )
    op.create_table(
        "told_object",
        sa.Column("url", sa.Text),
        sa.Column("device_id", sa.Text),
        sa.Column("claim_id", sa.Text, nullable=False),
        sa.Column("originator", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("told", sa.LargeBinary, nullable=False),  # sealed
        sa.Column("looked_at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("url", "device_id"),
    )
    op.create_index("told_object_by_look", "told_object", ["url", "looked_at"])
