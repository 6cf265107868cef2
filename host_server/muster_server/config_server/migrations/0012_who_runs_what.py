# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Indexes that tell which claims run what of their profile, and which are in a roll-out."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run = op.get_bind().execute
    op.add_column("claim", sa.Column("runs", sa.Integer))
    run(
        sa.text(
            "UPDATE claim SET runs = (SELECT v.made_from FROM version v"
            " WHERE v.claim_id = claim.id AND v.number = claim.version)"
        )
    )
    op.drop_index("claim_by_profile", "claim")
    op.create_index(
        "claim_by_profile", "claim", ["profile", "device_id", "state", "owner", "runs"]
    )
    op.create_index("claim_by_runs", "claim", ["profile", "owner", "runs", "state"])
    # Whoever has left a roll-out was passed over by each question before.
    run(
        sa.text(
            "DELETE FROM rollout_device WHERE NOT EXISTS (SELECT 1 FROM claim c JOIN rollout r"
            " ON r.profile = c.profile WHERE c.id = rollout_device.claim_id"
            " AND r.id = rollout_device.rollout_id AND c.state NOT IN ('released', 'displaced'))"
        )
    )
    empty = sa.text("''")
    op.add_column(
        "rollout_device", sa.Column("device_id", sa.Text, nullable=False, server_default=empty)
    )
    run(
        sa.text(
            "UPDATE rollout_device SET device_id ="
            " (SELECT c.device_id FROM claim c WHERE c.id = rollout_device.claim_id)"
        )
    )
    op.create_index(
        "rollout_device_listed", "rollout_device", ["rollout_id", "device_id", "state"]
    )
