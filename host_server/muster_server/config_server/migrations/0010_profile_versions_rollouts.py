# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Versions of profiles, what each configuration was made from, and roll-outs in waves."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("profile", sa.Column("number", sa.Integer))
    op.add_column("version", sa.Column("made_from", sa.Integer))
    op.create_table(
        "profile_version",
        sa.Column("name", sa.Text),
        sa.Column("number", sa.Integer),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("made_at", sa.Float, nullable=False),
        sa.Column("effect", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", "number"),
    )
    op.create_table(
        "rollout",
        sa.Column("id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("owner", "profile")),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("wave", sa.Integer, nullable=False),
        sa.Column("waves", sa.JSON, nullable=False),
        *(
            sa.Column(name, sa.Integer, nullable=False)
            for name in ("is_automatic", "most_failed", "need_percent", "forgiven")
        ),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("reason", "by_whom")),
        *(sa.Column(name, sa.Float, nullable=False) for name in ("created_at", "changed_at")),
    )
    op.create_index("rollout_of_owner", "rollout", ["owner", "created_at"])
    op.create_index("rollout_by_state", "rollout", ["state"])
    op.create_table(
        "rollout_device",
        sa.Column("rollout_id", sa.Text, sa.ForeignKey("rollout.id", ondelete="CASCADE")),
        sa.Column("claim_id", sa.Text, sa.ForeignKey("claim.id", ondelete="CASCADE")),
        sa.Column("wave", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("above", sa.Integer, nullable=False),
        sa.Column("seen_at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("rollout_id", "claim_id"),
    )
    op.create_index("rollout_device_by_claim", "rollout_device", ["claim_id"])
    op.create_index("rollout_device_by_state", "rollout_device", ["rollout_id", "state", "wave"])
