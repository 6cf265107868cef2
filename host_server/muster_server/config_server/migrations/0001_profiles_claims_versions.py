# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Profiles, the vendor's devices, claims with their versions, chores at platforms, and events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "profile",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("document", sa.LargeBinary, nullable=False),  # sealed
        sa.Column("updated_at", sa.Float, nullable=False),
    )
    op.create_table(
        "vendor_device",
        sa.Column("device_id", sa.Text, primary_key=True),
        sa.Column("secret", sa.LargeBinary, nullable=False),  # sealed
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("seen_at", sa.Float),
    )
    op.create_table(
        "claim",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("device_id", sa.Text, nullable=False, index=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),  # sealed
        sa.Column("profile", sa.Text, sa.ForeignKey("profile.name"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),  # unproved, proved, released
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("originator", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float),
        sa.Column("window_open", sa.Boolean, nullable=False),
        sa.Column("window_until", sa.Float),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("highest", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("progress", sa.JSON, nullable=False),
        sa.Column("last", sa.JSON),
        sa.Column("facts", sa.JSON),
        sa.Column("seen_at", sa.Float),
    )
    op.create_table(
        "version",
        sa.Column("claim_id", sa.Text, sa.ForeignKey("claim.id", ondelete="CASCADE")),
        sa.Column("number", sa.Integer),
        sa.Column("document", sa.LargeBinary, nullable=False),  # sealed
        sa.Column("token_id", sa.Text),
        sa.Column("handed_out_at", sa.Float),
        sa.Column("proved_at", sa.Float),
        sa.PrimaryKeyConstraint("claim_id", "number"),
    )
    op.create_table(
        "seen_message",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("claim_id", sa.Text, sa.ForeignKey("claim.id", ondelete="CASCADE")),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("claim_id", "digest"),
    )
    op.create_table(
        "chore",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("deed", sa.Text, nullable=False),
        sa.Column("arguments", sa.JSON, nullable=False),
        sa.Column("due_at", sa.Float, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("device_id", sa.Text, nullable=False, index=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
