# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Readers, and the policies that say what each may read."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    account = sa.ForeignKey("accounts.originator", ondelete="CASCADE")
    op.create_table(
        "readers",
        sa.Column("originator", sa.String(64), account, primary_key=True),
        sa.Column("policy", sa.String(64), nullable=False),
    )
    op.create_table(
        "policy_members",
        sa.Column("policy", sa.String(64), primary_key=True),
        sa.Column(
            "originator",
            sa.String(64),
            sa.ForeignKey("accounts.originator", ondelete="CASCADE"),
            primary_key=True,
        ),
    )
    op.create_index("policy_members_originator", "policy_members", ["originator"])
