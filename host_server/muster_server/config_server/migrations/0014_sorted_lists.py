# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Indexes that have an owner's devices in the order of their names, and of who was heard last."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_index("claim_by_name", "claim", ["owner", "name", "device_id", "state"])
    heard = sa.text("(-coalesce(seen_at, 0))")
    op.create_index("claim_by_heard", "claim", ["owner", heard, "device_id", "state"])
