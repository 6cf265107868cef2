# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Bundles of the offline flow, and what was seen of each device in the order of time."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "bundle",
        sa.Column("claim_id", sa.Text, sa.ForeignKey("claim.id", ondelete="CASCADE")),
        sa.Column("version", sa.Integer),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("text", sa.LargeBinary),  # sealed
        sa.Column("made_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Integer),
        sa.Column("handed_out_at", sa.Float),
        sa.Column("receipt_at", sa.Float),
        sa.Column("outcome", sa.Text),
        sa.Column("seen_at", sa.Float),
        sa.PrimaryKeyConstraint("claim_id", "version"),
    )
    op.create_table(
        "history",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("device_id", sa.Text, nullable=False, index=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("step", sa.Integer),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("ms", sa.Integer),
        sa.Column("detail", sa.Text, nullable=False),
    )
