# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The resource tree, its searchable marks, accounts and their hashed tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "resources",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("ri", sa.String(64), nullable=False, unique=True),
        sa.Column("ty", sa.Integer, nullable=False),
        sa.Column("rn", sa.String(64), nullable=False),
        sa.Column("pi", sa.String(64), nullable=False),
        sa.Column("path", sa.String(512), nullable=False, unique=True),
        sa.Column("owner", sa.String(64)),
        sa.Column("ct", sa.String(22), nullable=False),
        sa.Column("lt", sa.String(22), nullable=False),
        sa.Column("et", sa.String(22)),
        sa.Column("attributes", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("resources_pi_ty_seq", "resources", ["pi", "ty", "seq"])
    op.create_index("resources_owner", "resources", ["owner"])
    op.create_index("resources_et", "resources", ["et"])
    op.create_table(
        "marks",
        sa.Column(
            "ri",
            sa.String(64),
            sa.ForeignKey("resources.ri", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("value", sa.String(256), primary_key=True),
    )
    op.create_index("marks_kind_value", "marks", ["kind", "value"])
    op.create_table(
        "accounts",
        sa.Column("originator", sa.String(64), primary_key=True),
        sa.Column("ct", sa.String(22), nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("token_id", sa.String(32), primary_key=True),
        sa.Column(
            "originator",
            sa.String(64),
            sa.ForeignKey("accounts.originator", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("ct", sa.String(22), nullable=False),
    )
    op.create_index("tokens_originator", "tokens", ["originator"])
