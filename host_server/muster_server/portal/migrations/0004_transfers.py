# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Devices on their way from one owner to the next."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "transfer",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("device_id", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("code_hash", sa.Text, nullable=False, unique=True),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.Column("taken_at", sa.Float),
        sa.Column("to_owner", sa.Text),
        sa.Column("to_do", sa.Text),
    )
    op.create_index("transfer_of_owner", "transfer", ["owner", "device_id"])
    op.create_index("transfer_to_owner", "transfer", ["to_owner", "device_id"])
