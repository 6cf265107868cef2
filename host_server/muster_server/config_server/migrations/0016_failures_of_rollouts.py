# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Roll-outs keep the failure of each device: by the time somebody looks, it may have healed."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("rollout_device", sa.Column("failure", sa.Text))
