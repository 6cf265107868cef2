# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Steps of onboardings, counted by owner and day; and who was heard longest ago, by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "step_tally",
        sa.Column("owner", sa.Text),
        sa.Column("day", sa.Integer),
        sa.Column("step", sa.Integer),
        sa.Column("code", sa.Text),
        sa.Column("magnitude", sa.Integer),
        sa.Column("times", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("owner", "day", "step", "code", "magnitude"),
    )
    op.create_index("claim_by_seen", "claim", ["owner", "status", "seen_at", "device_id", "state"])
