# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Groups and tags that owners give their devices."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "device_group",
        sa.Column("owner", sa.Text),
        sa.Column("device_id", sa.Text),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("owner", "device_id"),
    )
    op.create_table(
        "device_tag",
        sa.Column("owner", sa.Text),
        sa.Column("device_id", sa.Text),
        sa.Column("name", sa.Text),
        sa.PrimaryKeyConstraint("owner", "device_id", "name"),
    )
    for table in ("device_group", "device_tag"):
        op.create_index(f"{table}_by_name", table, ["owner", "name", "device_id"])
