# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Indexes, so that lists, counts and the end of claims are found without a look at each claim."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    listed = ["owner", "device_id", "state", "status", "profile", "seen_at", "name"]
    op.create_index("claim_listed", "claim", listed)
    op.create_index("claim_by_status", "claim", ["owner", "status", "device_id", "state"])
    op.create_index("claim_by_profile", "claim", ["profile", "device_id", "state", "owner"])
    op.create_index("claim_by_end", "claim", ["expires_at"])
    op.get_bind().execute(
        sa.text(
            "CREATE INDEX claim_by_code ON claim (owner, json_extract(last, '$.code'), device_id)"
        )
    )
