# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Accounts that are written down before there is a claim for them."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "reserved_account",
        sa.Column("originator", sa.Text, primary_key=True),
        sa.Column("token_id", sa.Text, nullable=False),
    )
